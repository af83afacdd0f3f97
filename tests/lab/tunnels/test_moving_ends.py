"""A line is renumbered: both ends of every tunnel follow, and it is no drift but expected."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial

from netns import until
from ngn import AFTRS, LINE_A, LINE_B, global_address, link_local_address
from tasuki_proto.v1.router_pb2 import ObjectStatus, Router
from traffic import Flow, Pings
from tunnels import ROUTERS, Site

MANAGEMENT = "2001:db8:aa::a"
"""An address of home-a that does not depend on its line's prefix."""
LOCAL_MISSING = "Local address not yet configured"


@contextmanager
def nothing_but(site: Site, *facts: str) -> Iterator[None]:
    """Insist that these facts change once each meanwhile, that all ends follow, and that this is all."""
    client = site.deployment.client
    indexes = site.indexes()
    newest = client.fact_changes(limit=1)[0].number
    yield
    until(lambda: ends_meet(site), within=30, why="both ends of every tunnel are up to date")
    site.deployment.converge()
    told = [change for change in client.fact_changes() if change.number > newest]
    # What the line advertises is told besides, when it is seen.
    changes = [change for change in told if change.noun not in ("default-routers", "on-link-prefixes")]
    assert sorted(f"{change.router}/{change.subject}/{change.noun}" for change in changes) == sorted(facts)
    assert not client.drift().items
    assert site.indexes() == indexes, "no tunnel was built anew"
    assert [router.problem for router in client.routers()] == [""] * 3


def ends_meet(site: Site) -> bool:
    """Whether each tunnel's ends are where its routers are."""
    address = {name: global_address(site.deployment.router(name)) for name in ROUTERS}
    for (router, name), peer in site.peers.items():
        local, remote = site.ends(router, name)
        # The kernel chooses the only address of the VPS by itself.
        assert local == (None if router == "vps" else address[router]), f"{name} of {router}"
        assert remote == address.get(peer, AFTRS[0]), f"{name} of {router}"
    return True


def change_mac(site: Site, last_byte: int) -> None:
    """Give home-a's line another MAC address, and so another SLAAC address in the same prefix."""
    for change in ("down", f"address 02:00:00:00:00:{last_byte:02x}", "up"):
        site.network.home_a.ip(f"link set wan0 {change}")


def tell(recovery: Mapping[Flow, float]) -> None:
    print(*(f"{flow}: {seconds * 1000:.0f} ms" for flow, seconds in recovery.items()), sep="\n")


def test_traffic_passes(site: Site) -> None:
    for flow in site.flows:
        flow.must_pass()
    assert ends_meet(site)


def test_another_prefix_is_followed_by_both_ends(site: Site) -> None:
    with nothing_but(site, "home-a/wan0/global-address"):
        move = partial(site.network.lines.renumber, {LINE_A: "2001:db8:a2:a::/64"})
        tell(site.recovery(move, "home-a"))


def test_another_address_in_the_same_prefix_is_followed_by_both_ends(site: Site) -> None:
    with nothing_but(site, "home-a/wan0/global-address"):
        tell(site.recovery(partial(change_mac, site, 0x0A), "home-a"))


def test_both_lines_renumbered_at_once(site: Site) -> None:
    lines = {LINE_A: "2001:db8:a3:a::/64", LINE_B: "2001:db8:b3:b::/64"}
    with nothing_but(site, "home-a/wan0/global-address", "home-b/wan0/global-address"):
        tell(site.recovery(partial(site.network.lines.renumber, lines), "home-a", "home-b"))


def test_without_a_controller_the_own_end_follows_at_once_and_the_peer_when_it_is_back(site: Site) -> None:
    (interface, *_), controller = site.interfaces("home-a"), site.deployment.controller
    with nothing_but(site, "home-a/wan0/global-address"):
        before, _ = site.ends("home-a", interface)
        controller.program.stop()
        site.network.lines.renumber({LINE_A: "2001:db8:a4:a::/64"})
        until(
            lambda: (site.ends("home-a", interface)[0] or "").startswith("2001:db8:a4:a:"),
            within=20,
            why="the own end follows",
        )
        assert site.ends("vps", interface)[1] == before
        controller.start()
        for flow in site.flows:
            flow.must_pass()


def test_a_tunnel_whose_address_vanishes_waits_and_comes_back_with_it(site: Site) -> None:
    network, router = site.network, site.deployment.router("home-a")
    with nothing_but(site, "home-a/wan0/global-address"), reached_without_its_line(site):
        network.lines.renumber({LINE_A: None})
        router.ip("-6 addr flush dev wan0 scope global")
        status = site.deployment.router_until(
            "home-a", lambda router: len(waiting(router)) >= len(site.interfaces("home-a")), 20, "it waits"
        )
        for entry in waiting(status):
            assert entry.message.startswith("waits for a global address of wan0: "), entry
            assert entry.since.ToSeconds() > 0
        operational = site.operational("home-a")
        told = {entry["path"]: entry for entry in operational["tasuki-agent:agent"]["waiting"]}
        complaints = kernel_log().count(LOCAL_MISSING)
        for interface in site.interfaces("home-a"):
            entry = told[f"/ietf-interfaces:interfaces/interface[name='{interface}']"]
            assert entry["on"].startswith("a global address of wan0")
            assert entry["since"]
            assert is_up(site, interface) == interface.startswith("vxlan")
        for flow in site.flows:
            assert not flow.machine.reaches(flow.address, source=flow.source)
        assert kernel_log().count(LOCAL_MISSING) == complaints, "nobody sends through it any more"
        network.lines.renumber({LINE_A: "2001:db8:a5:a::/64"})
        for flow in site.flows:
            flow.must_pass()
    assert not waiting(site.deployment.client.router("home-a"))


def test_operational_says_that_the_end_was_learned(site: Site) -> None:
    (interface, *_) = site.interfaces("home-a")
    operational = site.operational("home-a")
    (link,) = (
        entry
        for entry in operational["ietf-interfaces:interfaces"]["interface"]
        if entry["name"] == interface
    )
    tunnel = link["tasuki-link:vxlan"]
    assert tunnel["local"] == global_address(site.network.home_a)
    assert tunnel["@local"] == {"ietf-origin:origin": "ietf-origin:learned"}


def test_what_if_names_the_changes_on_every_router_and_makes_none(site: Site) -> None:
    ends = {key: site.ends(*key) for key in site.peers}
    with nothing_but(site):
        supposed = "home-a/wan0/global-address=2001:db8:77::1"
        shown = site.deployment.operator.tasuki_json("diff", "--fact", supposed)
        plans = {router["router"]: " ".join(router["plan"]) for router in shown["routers"]}
        for (router, interface), peer in site.peers.items():
            end = "local" if router == "home-a" else "remote"
            if "home-a" in (router, peer):
                assert f"change link {interface} ({end} " in plans[router]
                assert "→ 2001:db8:77::1" in plans[router]
        assert {key: site.ends(*key) for key in site.peers} == ends


def test_restarts_of_agent_and_controller_lose_no_packet(site: Site) -> None:
    agent, controller = site.deployment.agents["home-a"].program, site.deployment.controller
    with nothing_but(site), ExitStack() as stack:
        pings = [
            stack.enter_context(Pings.going_on(flow, site.directory, interval=0.2)) for flow in site.flows
        ]
        agent.kill()
        agent.start()
        site.deployment.converge()
        controller.program.kill()
        controller.start()
        site.deployment.converge()
        assert {ping.flow.name: ping.lost for ping in pings} == {flow.name: [] for flow in site.flows}


@contextmanager
def reached_without_its_line(site: Site) -> Iterator[None]:
    """Give home-a an address that the line's prefix has nothing to do with, so that it can say how it is."""
    home, ngn = site.network.home_a, site.network.ngn
    home.ip(f"addr add {MANAGEMENT}/128 dev lo")
    ngn.ip(f"-6 route add {MANAGEMENT} via {link_local_address(home)} dev {LINE_A}")
    try:
        yield
    finally:
        ngn.ip(f"-6 route del {MANAGEMENT}")
        home.ip(f"addr del {MANAGEMENT}/128 dev lo")


def waiting(router: Router) -> list[ObjectStatus]:
    return [
        entry
        for entry in router.objects
        if entry.state == ObjectStatus.STATE_WAITING and entry.kind == "link"
    ]


def is_up(site: Site, interface: str) -> bool:
    (link,) = json.loads(site.network.home_a.ip(f"-j link show {interface}"))
    return "UP" in link["flags"]


def kernel_log() -> str:
    return subprocess.run(["dmesg"], check=True, capture_output=True, text=True).stdout
