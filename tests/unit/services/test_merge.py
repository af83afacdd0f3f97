"""Several sources may say the same of a router, but nothing that contradicts another."""

from hypothesis import given
from hypothesis import strategies as st
from tasuki_controller.merge import Merge
from tasuki_yang.check import canonical
from tasuki_yang.schema import ROUTER
from unit.services.networks import Json


def interface(name: str, **members: object) -> Json:
    return {"name": name, "type": "iana-if-type:other", **members}


def interfaces(*entries: Json) -> Json:
    return canonical(ROUTER, {"ietf-interfaces:interfaces": {"interface": list(entries)}})


def route(prefix: str, **next_hop: str) -> Json:
    protocol = {
        "type": "static",
        "name": "main",
        "static-routes": {
            "ietf-ipv6-unicast-routing:ipv6": {
                "route": [{"destination-prefix": prefix, "next-hop": next_hop}]
            }
        },
    }
    routing = {"control-plane-protocols": {"control-plane-protocol": [protocol]}}
    return canonical(ROUTER, {"ietf-routing:routing": routing})


def merged(*trees: Json) -> Merge:
    merge = Merge(ROUTER, "home")
    for number, tree in enumerate(trees):
        merge.add(tree, f"source {number}")
    return merge


def test_parts_of_one_list_come_together_sorted() -> None:
    merge = merged(interfaces(interface("b"), interface("a")), interfaces(interface("c")))

    assert merge.tree() == interfaces(interface("a"), interface("b"), interface("c"))
    assert not merge.conflicts


def test_parts_of_one_entry_come_together() -> None:
    advertised = {"ietf-ip:ipv6": {"tasuki-sysctl:accept-router-advertisements": "always"}}
    described = {"description": "toward the provider"}
    merge = merged(interfaces(interface("a", **advertised)), interfaces(interface("a", **described)))

    assert merge.tree() == interfaces(interface("a", **advertised, **described))


def test_what_one_source_says_is_shared_with_it() -> None:
    first, second = interfaces(interface("a")), interfaces(interface("b"))
    tree = merged(first, second).tree()

    entries = [one["ietf-interfaces:interfaces"]["interface"][0] for one in (first, second)]
    assert all(
        merged_entry is entry
        for merged_entry, entry in zip(tree["ietf-interfaces:interfaces"]["interface"], entries, strict=True)
    )


def test_sources_may_say_the_same() -> None:
    assert not merged(interfaces(interface("a")), interfaces(interface("a"))).conflicts


def test_contradiction_names_both_sources_and_the_node() -> None:
    merge = merged(
        interfaces(interface("a", enabled=True)),
        interfaces(interface("b")),
        interfaces(interface("a", enabled=False)),
    )
    (conflict,) = merge.conflicts

    assert conflict.router == "home"
    assert conflict.error_app_tag == "sources-conflict"
    assert conflict.error_path == "/ietf-interfaces:interfaces/interface[name='a']/enabled"
    assert conflict.message == (
        "source 0 sets enabled to true, and source 2 sets enabled to false: change one of the two."
    )


def test_all_contradictions_are_found() -> None:
    first = interfaces(interface("a", enabled=True, description="one"), interface("b", enabled=True))
    second = interfaces(interface("a", enabled=False, description="two"), interface("b", enabled=False))

    assert len(merged(first, second).conflicts) == 3


def test_cases_of_one_choice_contradict_each_other() -> None:
    merge = merged(
        route("::/0", **{"special-next-hop": "unreachable"}), route("::/0", **{"outgoing-interface": "a"})
    )
    (conflict,) = merge.conflicts

    assert conflict.error_path.endswith("/route[destination-prefix='::/0']/next-hop/outgoing-interface")
    assert "special-next-hop" in conflict.message
    assert "outgoing-interface" in conflict.message


def test_what_contradicts_is_left_out() -> None:
    first = interfaces(interface("a", enabled=True))

    assert merged(first, interfaces(interface("a", enabled=False))).tree() == first


@given(
    names=st.lists(st.sampled_from("abcdef"), unique=True),
    cuts=st.lists(st.sampled_from("abcdef"), unique=True),
    shared=st.booleans(),
)
def test_parts_of_a_tree_make_the_tree(names: list[str], cuts: list[str], *, shared: bool) -> None:
    whole = [interface(name, description=name * 2) for name in names]
    first = [entry for entry in whole if entry["name"] in cuts]
    second = [entry for entry in whole if shared or entry["name"] not in cuts]
    merge = merged(interfaces(*first), interfaces(*second))

    assert merge.tree() == interfaces(*whole)
    assert not merge.conflicts
