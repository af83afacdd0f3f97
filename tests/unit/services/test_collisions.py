"""Objects that the models tell apart and Linux does not are refused, whoever asks for them."""

import pytest
from hypothesis import given
from tasuki_controller.collisions import collisions
from tasuki_controller.compile import compile_running
from tasuki_controller.running import Running
from tasuki_controller.transaction import Edit, prepare
from tasuki_yang.errors import ConfigError, InvalidIntent
from tasuki_yang.router import Router
from unit.services.networks import Json, homes, network, networks, running, split, subscriber


def protocol(name: str, family: int, table: int, prefix: str, **members: int) -> Json:
    route = {"destination-prefix": prefix, "next-hop": {"special-next-hop": "blackhole"}, **members}
    return {
        "type": "static",
        "name": name,
        "static-routes": {
            "tasuki-route:table": table,
            f"ietf-ipv{family}-unicast-routing:ipv{family}": {"route": [route]},
        },
    }


def protocols(*listed: Json) -> Json:
    return {"ietf-routing:routing": {"control-plane-protocols": {"control-plane-protocol": list(listed)}}}


def rules(*listed: Json) -> Json:
    return {"ietf-routing:routing": {"tasuki-rule:rules": {"ipv6": {"rule": list(listed)}}}}


def vxlan(name: str, vni: int, **members: object) -> Json:
    tunnel = {"vni": vni, "underlay": "eth0", "remote": "192.0.2.1", **members}
    interface = {"name": name, "type": "tasuki-link:vxlan", "tasuki-link:vxlan": tunnel}
    return {"ietf-interfaces:interfaces": {"interface": [interface]}}


def tunnel(name: str, link_type: str, **members: object) -> Json:
    return {"name": name, "type": f"tasuki-link:{link_type}", f"tasuki-link:{link_type[:6]}": members}


def existing(name: str, family: int, ip: str, prefix_length: int, **members: object) -> Json:
    address = {"ip": ip, "prefix-length": prefix_length, **members}
    return {"name": name, "type": "iana-if-type:other", f"ietf-ip:ipv{family}": {"address": [address]}}


def delegated(name: str, subnet_id: int, prefix_length: int = 64, lease: str = "wan0") -> Json:
    place = {"lease": lease, "subnet-id": subnet_id, "interface-id": "::1", "prefix-length": prefix_length}
    ipv6 = {"tasuki-address:delegated-address": [place]}
    return {"name": name, "type": "iana-if-type:other", "ietf-ip:ipv6": ipv6}


def interfaces(*listed: Json) -> Json:
    return {"ietf-interfaces:interfaces": {"interface": list(listed)}}


ENDS = {"local": "2001:db8::1", "remote": "2001:db8::2"}
SPELLED_OTHERWISE = {"local": "2001:0db8::0001", "remote": "2001:0DB8::2"}
LATE = {"local-interface": "wan0", "remote-name": {"name": "gw.example.net"}}


def problems(written: Json) -> tuple[ConfigError, ...]:
    document = network(split(subscriber(1, mode="policy-routing")))
    try:
        prepare(Running(), Edit(network=document, routers={"home": written}))
    except InvalidIntent as invalid:
        return invalid.errors
    return ()


@pytest.mark.parametrize(
    "written",
    [
        protocols(protocol("mine", 6, 254, "2001:db8:ae01::/48")),
        protocols(protocol("mine", 6, 254, "2001:0DB8:AE01::1/48")),
        protocols(protocol("a", 4, 7, "192.0.2.0/24"), protocol("b", 4, 7, "192.0.2.0/24")),
        rules({"name": "mine", "priority": 7, "table": 9}, {"name": "yours", "priority": 7, "table": 9}),
        vxlan("mine", 1),
        interfaces(tunnel("a", "ip6tnl", **ENDS), tunnel("b", "ip6tnl", mode="ipip6", **SPELLED_OTHERWISE)),
        interfaces(tunnel("a", "ip6tnl", **LATE), tunnel("b", "ip6tnl", **LATE)),
        interfaces(tunnel("a", "ip6gre", **ENDS), tunnel("b", "ip6gre", **ENDS)),
        interfaces(tunnel("a", "ip6gre", **ENDS), tunnel("b", "ip6gre", key=0, **ENDS)),
        interfaces(tunnel("a", "ip6gretap", key=7, **ENDS), tunnel("b", "ip6gretap", key=7, **ENDS)),
        interfaces(delegated("lan0", 1), delegated("lan1", 1)),
    ],
)
def test_second_object_with_one_key_is_refused(written: Json) -> None:
    (problem,) = problems(written)

    assert problem.router == "home"
    assert (problem.error_tag, problem.error_app_tag) == ("operation-failed", "data-not-unique")
    assert "already, at /" in problem.message


@pytest.mark.parametrize(
    "written",
    [
        protocols(protocol("mine", 6, 254, "2001:db8:ae01::/48", **{"tasuki-route:metric": 2048})),
        protocols(protocol("mine", 6, 7, "2001:db8:ae01::/48")),
        protocols(protocol("a", 4, 7, "192.0.2.0/24"), protocol("b", 4, 8, "192.0.2.0/24")),
        rules(
            {"name": "mine", "priority": 7, "table": 9, "source": "2001:db8::/32"},
            {"name": "yours", "priority": 7, "table": 9, "destination": "2001:db8::/32"},
        ),
        vxlan("mine", 2),
        vxlan("mine", 1, **{"udp-port": 8472}),
        vxlan("mine", 1, remote="2001:db8:1::1"),
        interfaces(tunnel("a", "ip6tnl", **ENDS), tunnel("b", "ip6tnl", underlay="wan1", **ENDS)),
        interfaces(tunnel("a", "ip6tnl", **ENDS), tunnel("b", "ip6gre", **ENDS)),
        interfaces(tunnel("a", "ip6gre", key=7, **ENDS), tunnel("b", "ip6gre", key=8, **ENDS)),
        interfaces(tunnel("a", "ip6tnl", **ENDS), tunnel("b", "ip6tnl", **LATE)),
        interfaces(delegated("lan0", 1), delegated("lan1", 2)),
        interfaces(delegated("lan0", 1), delegated("lan1", 1, lease="wan1")),
        interfaces(delegated("lan0", 1), delegated("wan0", 1, 128)),
        interfaces(existing("wan0", 4, "192.168.1.5", 32), existing("lan0", 4, "192.168.1.1", 24)),
        interfaces(
            existing("wan0", 4, "192.168.1.5", 24, **{"tasuki-address:no-prefix-route": True}),
            existing("lan0", 4, "192.168.1.1", 24),
        ),
    ],
)
def test_objects_with_keys_of_their_own_are_accepted(written: Json) -> None:
    assert problems(written) == ()


@given(document=networks() | homes())
def test_what_services_compile_never_collides(document: Json) -> None:
    for tree in compile_running(running(document)).values():
        assert list(collisions(Router.model_validate(tree))) == []


@pytest.mark.parametrize(
    ("wan", "lan", "text"),
    [
        (("192.168.1.5", 24), ("192.168.1.1", 24), "is also the subnet of lan0"),
        (("192.168.1.5", 25), ("192.168.1.200", 24), "lies in 192.168.1.0/24, the subnet of lan0"),
        (("2001:db8:9::5", 64), ("2001:db8:9::1", 64), "is also the subnet of lan0"),
        (("2001:db8:9::5", 65), ("2001:db8:9::1", 48), "lies in 2001:db8:9::/48, the subnet of lan0"),
    ],
)
def test_two_interfaces_do_not_share_a_subnet(wan: tuple[str, int], lan: tuple[str, int], text: str) -> None:
    family = 6 if ":" in wan[0] else 4
    (problem,) = problems(interfaces(existing("wan0", family, *wan), existing("lan0", family, *lan)))

    assert (problem.error_tag, problem.error_app_tag) == ("operation-failed", "prefixes-overlap")
    assert problem.router == "home"
    assert text in problem.message or text.replace("lan0", "wan0") in problem.message


def test_two_subnets_of_one_interface_may_overlap() -> None:
    both = existing("lan0", 4, "192.168.1.5", 24)
    both["ietf-ip:ipv4"]["address"].append({"ip": "192.168.1.130", "prefix-length": 25})

    assert problems(interfaces(both)) == ()


OVER = {"tasuki-link:vxlan": {"vni": 7, "underlay": "b", "remote": "2001:db8::7"}}
LINK = "/ietf-interfaces:interfaces/interface"


@pytest.mark.parametrize(
    ("written", "names"),
    [
        (interfaces(tunnel("a", "ip6tnl", underlay="a", **ENDS)), ["a carries a"]),
        (
            interfaces(
                tunnel("a", "ip6gre", underlay="b", **ENDS), tunnel("b", "ip6tnl", underlay="a", **LATE)
            ),
            ["a carries b carries a", "b carries a carries b"],
        ),
        (
            interfaces(
                {"name": "a", "type": "tasuki-link:vxlan", **OVER},
                tunnel("b", "ip6gretap", underlay="c", **ENDS),
                tunnel("c", "ip6tnl", underlay="a", **ENDS),
                tunnel("d", "ip6tnl", underlay="c", **ENDS),
            ),
            ["a carries c carries b carries a", "b carries a carries c", "c carries b carries a"],
        ),
    ],
    ids=["itself", "each other", "three of four, of three types"],
)
def test_tunnels_that_would_carry_themselves_are_refused(written: Json, names: list[str]) -> None:
    (problem,) = problems(written)

    assert problem.error_app_tag == "underlay-cycle"
    assert problem.error_path.endswith("/underlay")
    assert any(each in problem.message for each in names)


def test_a_tunnel_in_a_tunnel_is_accepted() -> None:
    outer, inner = tunnel("a", "ip6tnl", **ENDS), tunnel("b", "ip6gre", underlay="a", **LATE)
    assert problems(interfaces(outer, inner)) == ()


@pytest.mark.parametrize(
    ("members", "leaf", "app_tag"),
    [
        ({**ENDS, "remote": "2001:0DB8::1"}, "remote", "ends-not-distinct"),
        ({"local-interface": "a", "remote": "2001:db8::2"}, "local-interface", "end-not-outside"),
        (
            {"local-delegated": {"interface": "a"}, "remote": "2001:db8::2"},
            "local-delegated/interface",
            "end-not-outside",
        ),
        (
            {"local": "2001:db8::1", "remote-aftr": {"interface": "a"}},
            "remote-aftr/interface",
            "end-not-outside",
        ),
    ],
)
@pytest.mark.parametrize("link_type", ["ip6tnl", "ip6gre", "ip6gretap", "vxlan"])
def test_a_tunnel_that_ends_at_itself_is_refused(
    link_type: str, members: Json, leaf: str, app_tag: str
) -> None:
    container = {"ip6gretap": "ip6gre"}.get(link_type, link_type)
    rest = {"vni": 7, "underlay": "wan0"} if link_type == "vxlan" else {}
    link = {"name": "a", "type": f"tasuki-link:{link_type}", f"tasuki-link:{container}": {**rest, **members}}
    (problem,) = problems(interfaces(link))

    assert problem.error_path == f"{LINK}[name='a']/tasuki-link:{container}/{leaf}"
    assert problem.error_app_tag == app_tag
