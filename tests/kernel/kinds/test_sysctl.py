import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from kernel.kinds.machine import Kinds
from netns import Machines, Namespace, until
from tasuki_agent.errors import Permanent, Transient
from tasuki_agent.intent import Intent
from tasuki_agent.kernel import Kernel
from tasuki_agent.kernel.sysctl import world
from tasuki_agent.kind import Create, Delete, Update
from tasuki_agent.kinds import load
from tasuki_agent.kinds.sysctl.kind import SysctlKind
from tasuki_agent.kinds.sysctl.model import Sysctl
from tasuki_agent.reconcile.drift import Action, DriftItem
from tasuki_agent.reconcile.reconciler import Reconciler

FORWARDING = "net/ipv6/conf/all/forwarding"
ACCEPT_RA = "net/ipv6/conf/e0/accept_ra"
SYNCOOKIES = "net/ipv4/tcp_syncookies"


def record(state_dir: Path) -> dict[str, str]:
    return dict(json.loads((state_dir / "sysctl.json").read_text())["before"])


async def test_what_was_never_written_is_not_ours(kinds: Kinds) -> None:
    assert await kinds["sysctl"].observe() == {}


async def test_the_first_write_puts_the_earlier_value_on_record(
    router: Namespace, kinds: Kinds, tmp_path: Path
) -> None:
    await kinds["sysctl"].apply(Create(FORWARDING, Sysctl("1")))
    assert router.sysctl(FORWARDING) == "1"
    assert record(tmp_path) == {FORWARDING: "0"}
    assert await kinds.ours("sysctl") == {FORWARDING: Sysctl("1")}


async def test_a_value_that_is_right_already_is_ours_from_then_on(
    router: Namespace, kinds: Kinds, tmp_path: Path
) -> None:
    router.sysctl(FORWARDING, "1")
    await kinds["sysctl"].apply(Create(FORWARDING, Sysctl("1")))
    assert record(tmp_path) == {FORWARDING: "1"}


async def test_a_later_write_keeps_the_first_record(kinds: Kinds, tmp_path: Path) -> None:
    sysctl = kinds["sysctl"]
    await sysctl.apply(Create(ACCEPT_RA, Sysctl("2")))
    await sysctl.apply(Update(ACCEPT_RA, Sysctl("2"), Sysctl("0")))
    assert record(tmp_path) == {ACCEPT_RA: "1"}


async def test_what_somebody_changes_by_hand_is_seen(router: Namespace, kinds: Kinds) -> None:
    await kinds["sysctl"].apply(Create(FORWARDING, Sysctl("1")))
    router.sysctl(FORWARDING, "0")
    assert await kinds["sysctl"].observe() == {FORWARDING: Sysctl("0")}


async def test_a_deletion_sets_the_earlier_value_back_and_may_be_repeated(
    router: Namespace, kinds: Kinds, tmp_path: Path
) -> None:
    sysctl = kinds["sysctl"]
    await sysctl.apply(Create(ACCEPT_RA, Sysctl("2")))
    for _ in range(2):
        await sysctl.apply(Delete(ACCEPT_RA, Sysctl("2")))
    assert router.sysctl(ACCEPT_RA) == "1"
    assert record(tmp_path) == {}
    assert await sysctl.observe() == {}


async def test_an_agent_that_was_killed_knows_on_restart_what_is_its_own(
    router: Namespace, kinds: Kinds, tmp_path: Path
) -> None:
    await kinds["sysctl"].apply(Create(FORWARDING, Sysctl("1")))
    async with Kernel(tmp_path) as kernel:
        restarted = Kinds(kernel)
        assert await restarted.ours("sysctl") == {FORWARDING: Sysctl("1")}
        await restarted["sysctl"].apply(Delete(FORWARDING, Sysctl("1")))
    assert router.sysctl(FORWARDING) == "0"


async def test_the_record_of_another_boot_or_namespace_counts_for_nothing(
    router: Namespace, tmp_path: Path
) -> None:
    (tmp_path / "sysctl.json").write_text(json.dumps({"world": "another", "before": {FORWARDING: "0"}}))
    async with Kernel(tmp_path) as kernel:
        assert await Kinds(kernel).ours("sysctl") == {}


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"\0\0",
        b"\xff",
        b"{}",
        b"null",
        b"[]",
        b'{"world": "WORLD"}',
        b'{"world": 7, "before": {}}',
        b'{"world": "WORLD", "before": []}',
        b'{"world": "WORLD", "before": {"net/ipv6/conf/all/forwarding": 0}}',
        b'{"world": "WORLD", "before": {"kernel/hostname": "x"}}',
    ],
)
async def test_a_damaged_record_stops_nobody(
    router: Namespace, tmp_path: Path, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "sysctl.json").write_bytes(damage.replace(b"WORLD", world().encode()))
    async with Kernel(tmp_path) as kernel:
        kinds = Kinds(kernel)
        assert await kinds.ours("sysctl") == {}
        await kinds["sysctl"].apply(Create(FORWARDING, Sysctl("1")))
    assert "sysctl.json is damaged" in caplog.text
    assert record(tmp_path) == {FORWARDING: "0"}


def test_no_two_namespaces_are_one_world_though_the_kernel_reuses_their_inodes() -> None:
    worlds = set()
    for _ in range(4):
        with Machines() as machines, machines.add("router").entered():
            assert world() == world()
            worlds.add(world())
    assert len(worlds) == 4


async def test_a_parameter_is_forgotten_with_its_interface(
    router: Namespace, kinds: Kinds, tmp_path: Path
) -> None:
    sysctl = kinds["sysctl"]
    await sysctl.apply(Create(ACCEPT_RA, Sysctl("2")))
    router.ip("link del e0")
    assert await sysctl.observe() == {}
    await sysctl.apply(Delete(ACCEPT_RA, Sysctl("2")))


@pytest.mark.parametrize("looked_at", [True, False])
async def test_a_parameter_of_an_interface_that_was_built_anew_is_written_anew(
    router: Namespace, kinds: Kinds, tmp_path: Path, *, looked_at: bool
) -> None:
    """Whether anybody looked while it was gone or not."""
    sysctl, key = kinds["sysctl"], "net/ipv4/conf/br0/rp_filter"
    router.ip("link add br0 type bridge")
    default, wanted = router.sysctl(key), "2"
    await sysctl.apply(Create(key, Sysctl(wanted)))
    router.ip("link del br0")
    if looked_at:
        assert await sysctl.observe() == {}
    router.ip("link add br0 type bridge")

    seen = (await sysctl.observe()).get(key)
    assert seen == (None if looked_at else Sysctl(default))
    await sysctl.apply(Create(key, Sysctl(wanted)) if seen is None else Update(key, seen, Sysctl(wanted)))
    assert router.sysctl(key) == wanted
    await sysctl.apply(Delete(key, Sysctl(wanted)))
    assert router.sysctl(key) == default


async def test_a_missing_interface_is_worth_another_try(kinds: Kinds, tmp_path: Path) -> None:
    with pytest.raises(Transient, match="write sysctl net/ipv6/conf/lan0/accept_ra=2: No such file"):
        await kinds["sysctl"].apply(Create("net/ipv6/conf/lan0/accept_ra", Sysctl("2")))
    assert not (tmp_path / "sysctl.json").exists()


async def test_a_value_that_the_kernel_does_not_take_is_refused_for_good(kinds: Kinds) -> None:
    with pytest.raises(Transient, match=f"write sysctl {FORWARDING}=yes: Invalid argument"):
        await kinds["sysctl"].apply(Create(FORWARDING, Sysctl("yes")))


@pytest.mark.parametrize(
    "interface", ["../../../kernel/hostname", "..", ".", "a/b", "../all", "e0/../../../../kernel", "\0"]
)
async def test_no_interface_name_leads_out_of_the_parameters_of_the_network(
    kinds: Kinds, interface: str
) -> None:
    with pytest.raises((Permanent, Transient), match="sysctl net/ipv6/conf"):
        await kinds["sysctl"].apply(Create(f"net/ipv6/conf/{interface}/accept_ra", Sysctl("2")))


async def test_a_name_with_a_dot_is_an_interface_as_any(router: Namespace, kinds: Kinds) -> None:
    router.ip("link add name eth0.100 type bridge")
    await kinds["sysctl"].apply(Create("net/ipv6/conf/eth0.100/accept_ra", Sysctl("2")))
    assert router.sysctl("net/ipv6/conf/eth0.100/accept_ra") == "2"


async def test_default_routes_of_router_advertisements_survive_forwarding_in_the_order_of_the_ranks(
    router: Namespace, kinds: Kinds
) -> None:
    sysctl = kinds["sysctl"]
    for key in sorted((FORWARDING, ACCEPT_RA), key=sysctl.rank):
        await sysctl.apply(Create(key, Sysctl("2" if key == ACCEPT_RA else "1")))
    assert [sysctl.rank(key) for key in (ACCEPT_RA, FORWARDING)] == [0, 1]
    assert (router.sysctl(ACCEPT_RA), router.sysctl(FORWARDING)) == ("2", "1")


@pytest.mark.parametrize(("key", "value"), [("net/ipv4/conf/all/rp_filter", "2"), (SYNCOOKIES, "2")])
async def test_a_parameter_of_the_whole_machine_is_written_and_set_back(
    router: Namespace, kinds: Kinds, key: str, value: str
) -> None:
    before = router.sysctl(key)
    await kinds["sysctl"].apply(Create(key, Sysctl(value)))
    assert router.sysctl(key) == value
    await kinds["sysctl"].apply(Delete(key, Sysctl(value)))
    assert router.sysctl(key) == before != value


@asynccontextmanager
async def kept(kernel: Kernel, tree: object) -> AsyncIterator[Reconciler]:
    """The agent's loop, which nothing but the watch tells of a change, once it has carried the tree out."""
    reconciler = Reconciler(load(kernel), time.time, time.monotonic, full_interval=3600)
    kind = next(kind for kind in reconciler.kinds if isinstance(kind, SysctlKind))
    intent = Intent.parse(1, json.dumps(tree).encode())
    reconciler.set_intent(intent)
    async with asyncio.TaskGroup() as tasks:
        running = [
            tasks.create_task(reconciler.run()),
            tasks.create_task(kind.watch(lambda: reconciler.mark_dirty((kind.name,)))),
        ]
        await eventually(lambda: reconciler.applied is intent, "the tree is carried out")
        yield reconciler
        for task in running:
            task.cancel()


async def eventually(condition: Callable[[], object], why: str) -> None:
    """Wait while the loop goes on."""
    await asyncio.to_thread(lambda: until(condition, within=30, why=why))


def healed(reconciler: Reconciler) -> list[DriftItem]:
    return [item for _, item in reconciler.drift.unacknowledged() if item.action is Action.HEALED]


async def test_accept_ra_that_somebody_sets_is_drift_at_its_leaf_and_healed_within_seconds(
    router: Namespace, kernel: Kernel
) -> None:
    ipv6 = {"tasuki-sysctl:accept-router-advertisements": "always"}
    interface = {"name": "e0", "type": "iana-if-type:other", "ietf-ip:ipv6": ipv6}
    tree = {
        "ietf-interfaces:interfaces": {"interface": [interface]},
        "ietf-routing:routing": {"tasuki-sysctl:forwarding": {"ipv6": True}},
    }
    async with kept(kernel, tree) as reconciler:
        router.sysctl(ACCEPT_RA, "1")
        await eventually(lambda: healed(reconciler), "the change is seen and undone")
    assert router.sysctl(ACCEPT_RA) == "2"
    (item,) = healed(reconciler)
    assert (item.path, item.intended, item.observed, item.count) == (
        "/ietf-interfaces:interfaces/interface[name='e0']/ietf-ip:ipv6/tasuki-sysctl:accept-router-advertisements",
        "2",
        "1",
        1,
    )


async def test_syncookies_that_somebody_switches_off_are_healed_within_seconds(
    router: Namespace, kernel: Kernel
) -> None:
    async with kept(kernel, {"ietf-routing:routing": {"tasuki-sysctl:tcp-syncookies": "always"}}) as kept_so:
        router.sysctl(SYNCOOKIES, "0")
        await eventually(lambda: healed(kept_so), "the change is seen and undone")
    assert router.sysctl(SYNCOOKIES) == "2"
    assert [item.path for item in healed(kept_so)] == ["/ietf-routing:routing/tasuki-sysctl:tcp-syncookies"]


async def test_what_the_kernel_tells_of_itself_is_not_watched(router: Namespace, kinds: Kinds) -> None:
    """Nor is what has been as it is since it was observed: the watch wakes nobody for nothing."""
    sysctl = kinds["sysctl"]
    assert isinstance(sysctl, SysctlKind)
    woken = asyncio.Event()
    watch = asyncio.create_task(sysctl.watch(woken.set))
    await sysctl.apply(Create(FORWARDING, Sysctl("1")))
    await sysctl.observe()
    router.sysctl(FORWARDING, "0")
    await sysctl.apply(Create(ACCEPT_RA, Sysctl("2")))
    await sysctl.observe()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(woken.wait(), 2.5)
    router.sysctl(ACCEPT_RA, "1")
    await asyncio.wait_for(woken.wait(), 30)
    watch.cancel()
