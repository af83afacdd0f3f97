import json

from tasuki_client.render.changes import by_tree, changes
from tasuki_client.render.tree import leaves
from tasuki_proto.v1.config_pb2 import Change, RouterOutcome

LEAF = "/tasuki-network:network/router[name='vps']/description"


def change(
    op: Change.Op, old: object = None, new: object = None, path: str = LEAF, router: str = ""
) -> Change:
    texts = ["" if value is None else json.dumps(value) for value in (old, new)]
    return Change(op=op, path=path, old_json=texts[0], new_json=texts[1], router=router)


def lines(*listed: Change, brief: bool = False) -> list[str]:
    return [text.plain for text in changes(listed, brief=brief)]


def test_a_leaf_is_one_line_with_its_value() -> None:
    assert lines(change(Change.OP_CREATE, new="Tokyo")) == [f"+ {LEAF} = Tokyo"]
    assert lines(change(Change.OP_REPLACE, 1500, 1460)) == [f"~ {LEAF} = 1500 → 1460"]
    assert lines(change(Change.OP_DELETE, old=True)) == [f"- {LEAF} = true"]


def test_an_empty_leaf_is_present() -> None:
    assert lines(change(Change.OP_CREATE, new=[None])) == [f"+ {LEAF} = present"]


def test_an_empty_string_can_be_seen() -> None:
    assert lines(change(Change.OP_REPLACE, "x", "")) == [f'~ {LEAF} = x → ""']


def test_a_subtree_is_shown_as_it_would_be_written() -> None:
    entry = {"name": "vps", "list": [{"number": 1}]}
    assert lines(change(Change.OP_CREATE, new=entry, path="/router[name='vps']")) == [
        "+ /router[name='vps']",
        "      name: vps",
        "      list:",
        "      - number: 1",
    ]


def test_what_is_long_is_shown_in_part_only_where_brief_and_says_so() -> None:
    entry = {f"leaf-{n}": n for n in range(100)}
    assert len(lines(change(Change.OP_CREATE, new=entry))) == 101
    shortened = lines(change(Change.OP_CREATE, new=entry), brief=True)
    assert shortened[-1] == "      ... and 76 more lines; --format json has all"
    many = [change(Change.OP_CREATE, new=n) for n in range(100)]
    assert len(lines(*many)) == 100
    assert lines(*many, brief=True)[-1] == "... and 60 more changes; --format json has all"


def test_a_value_cannot_play_tricks_on_the_terminal() -> None:
    line = lines(change(Change.OP_CREATE, new="a\x1b[2J\nb\u202ec", path="/x\x1b"))[0]
    assert line == "+ /x  = a [2J b c"


def test_changes_are_grouped_by_what_is_written_and_what_follows() -> None:
    written = [change(Change.OP_CREATE, new=1), change(Change.OP_CREATE, new=2, router="vps")]
    outcome = RouterOutcome(router="home", outcome="offline", changes=[change(Change.OP_DELETE, old=3)])
    assert [text.plain for text in by_tree(written, [outcome], brief=False)] == [
        "Network",
        f"+ {LEAF} = 1",
        "Written for router vps",
        f"+ {LEAF} = 2",
        "Router home",
        f"- {LEAF} = 3",
    ]


def test_a_tree_is_a_line_for_each_leaf() -> None:
    tree = {
        "tasuki-network:network": {
            "router": [{"name": "vps", "description": "it's here"}],
            "tasuki-vxlan-split:vxlan-split": [
                {"name": "a", "subscriber": [{"number": 8, "unmanaged": [None], "underlay": {"mtu": 1460}}]}
            ],
        }
    }
    subscriber = "/tasuki-network:network/tasuki-vxlan-split:vxlan-split[name='a']/subscriber[number='8']"
    split = "/tasuki-network:network/tasuki-vxlan-split:vxlan-split[name='a']"
    assert [text.plain for text in leaves(tree, of_router=False)] == [
        "/tasuki-network:network/router[name='vps']/name = vps",
        "/tasuki-network:network/router[name='vps']/description = it's here",
        f"{split}/name = a",
        f"{subscriber}/number = 8",
        f"{subscriber}/unmanaged = present",
        f"{subscriber}/underlay/mtu = 1460",
    ]


def test_a_learned_value_says_so_be_it_said_of_the_leaf_or_of_its_entry() -> None:
    learned = {"ietf-origin:origin": "ietf-origin:learned"}
    vxlan = {"vni": 1, "remote": "2001:db8::1", "@remote": learned}
    address = {"@": learned, "ip": "2001:db8::2", "prefix-length": 64}
    wan = {"name": "wan0", "tasuki-link:vxlan": vxlan, "ietf-ip:ipv6": {"address": [address]}}
    interface = "/ietf-interfaces:interfaces/interface[name='wan0']"
    place = f"{interface}/ietf-ip:ipv6/address[ip='2001:db8::2']"
    tree = {"ietf-interfaces:interfaces": {"interface": [wan]}}
    assert [text.plain for text in leaves(tree, of_router=True)] == [
        f"{interface}/name = wan0",
        f"{interface}/tasuki-link:vxlan/vni = 1",
        f"{interface}/tasuki-link:vxlan/remote = 2001:db8::1  (learned)",
        f"{place}/ip = 2001:db8::2  (learned)",
        f"{place}/prefix-length = 64  (learned)",
    ]


def test_state_data_is_shown_though_no_model_of_the_client_has_it() -> None:
    waiting = {"path": "/x", "on": "a global address of wan0"}
    tree = {"tasuki-agent:agent": {"waiting": [waiting], "fact": [{"subject": "wan0", "value": ["a", "b"]}]}}
    assert [text.plain for text in leaves(tree, of_router=True)] == [
        "/tasuki-agent:agent/waiting[1]/path = /x",
        "/tasuki-agent:agent/waiting[1]/on = a global address of wan0",
        "/tasuki-agent:agent/fact[1]/subject = wan0",
        "/tasuki-agent:agent/fact[1]/value[1] = a",
        "/tasuki-agent:agent/fact[1]/value[2] = b",
    ]


def test_what_is_foreseen_of_a_router_is_said_without_its_state_while_nothing_is_wrong() -> None:
    remark = "nothing in the intent depends on home/wan1/global-address"
    outcomes = [
        RouterOutcome(router="home", outcome="pending", message=remark),
        RouterOutcome(router="vps", outcome="waiting", message="link vxlan01 waits for wan0"),
    ]
    assert [text.plain for text in by_tree([], outcomes, brief=False, planned=True)] == [
        "Router home",
        remark,
        "Router vps",
        "waiting: link vxlan01 waits for wan0",
    ]


def test_signs_are_coloured_by_what_happens() -> None:
    listed = [
        change(Change.OP_CREATE, new=1),
        change(Change.OP_REPLACE, 1, 2),
        change(Change.OP_DELETE, old=1),
    ]
    styles = [str(text.style) for text in changes(listed, brief=False)]
    assert styles == ["green", "yellow", "red"]
