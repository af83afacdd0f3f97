"""Several sources may say the same of a router, but nothing that contradicts another."""

from hypothesis import given
from hypothesis import strategies as st
from tasuki_controller.merge import Part, merge
from tasuki_yang.check import canonical
from tasuki_yang.errors import ConfigError
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


def merged(*trees: Json) -> tuple[Json, list[ConfigError]]:
    return merge(ROUTER, [Part(tree, f"source {number}") for number, tree in enumerate(trees)])


def test_parts_of_one_list_come_together_sorted() -> None:
    tree, conflicts = merged(interfaces(interface("b"), interface("a")), interfaces(interface("c")))

    assert tree == interfaces(interface("a"), interface("b"), interface("c"))
    assert not conflicts


def test_parts_of_one_entry_come_together() -> None:
    advertised = {"ietf-ip:ipv6": {"tasuki-sysctl:accept-router-advertisements": "always"}}
    described = {"description": "toward the provider"}
    tree, _ = merged(interfaces(interface("a", **advertised)), interfaces(interface("a", **described)))

    assert tree == interfaces(interface("a", **advertised, **described))


def test_what_one_source_says_is_shared_with_it() -> None:
    first, second = interfaces(interface("a")), interfaces(interface("b"))
    tree = merged(first, second)[0]

    entries = [one["ietf-interfaces:interfaces"]["interface"][0] for one in (first, second)]
    assert all(
        merged_entry is entry
        for merged_entry, entry in zip(tree["ietf-interfaces:interfaces"]["interface"], entries, strict=True)
    )


def test_sources_may_say_the_same() -> None:
    assert not merged(interfaces(interface("a")), interfaces(interface("a")))[1]


def test_contradiction_names_both_sources_and_the_node() -> None:
    _, conflicts = merged(
        interfaces(interface("a", enabled=True)),
        interfaces(interface("b")),
        interfaces(interface("a", enabled=False)),
    )
    (conflict,) = conflicts

    assert conflict.error_app_tag == "sources-conflict"
    assert conflict.error_path == "/ietf-interfaces:interfaces/interface[name='a']/enabled"
    assert conflict.message == (
        "source 0 sets enabled to true, and source 2 sets enabled to false: change one of the two."
    )


def test_all_contradictions_are_found() -> None:
    first = interfaces(interface("a", enabled=True, description="one"), interface("b", enabled=True))
    second = interfaces(interface("a", enabled=False, description="two"), interface("b", enabled=False))

    assert len(merged(first, second)[1]) == 3


def test_cases_of_one_choice_contradict_each_other() -> None:
    _, conflicts = merged(
        route("::/0", **{"special-next-hop": "unreachable"}), route("::/0", **{"outgoing-interface": "a"})
    )
    (conflict,) = conflicts

    assert conflict.error_path.endswith("/route[destination-prefix='::/0']/next-hop/outgoing-interface")
    assert "special-next-hop" in conflict.message
    assert "outgoing-interface" in conflict.message


def test_what_contradicts_is_left_out() -> None:
    first = interfaces(interface("a", enabled=True))

    assert merged(first, interfaces(interface("a", enabled=False)))[0] == first


@given(
    names=st.lists(st.sampled_from("abcdef"), unique=True),
    cuts=st.lists(st.sampled_from("abcdef"), unique=True),
    shared=st.booleans(),
)
def test_parts_of_a_tree_make_the_tree(names: list[str], cuts: list[str], *, shared: bool) -> None:
    whole = [interface(name, description=name * 2) for name in names]
    first = [entry for entry in whole if entry["name"] in cuts]
    second = [entry for entry in whole if shared or entry["name"] not in cuts]
    tree, conflicts = merged(interfaces(*first), interfaces(*second))

    assert tree == interfaces(*whole)
    assert not conflicts
