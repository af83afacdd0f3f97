from typing import Any

import pytest
from kernel.kinds.machine import TUNNEL, Kinds, listing
from netns import Namespace
from tasuki_agent.errors import Foreign
from tasuki_agent.kind import Create, Delete
from tasuki_agent.kinds.route.model import Route, RouteKey
from tasuki_agent.kinds.rule.model import Rule, RuleKey

FROM = RuleKey("ipv6", 100, "2001:db8:ae00:0:1::/80", None, 100)
TO = RuleKey("ipv6", 100, None, "2001:db8:ae00:0:1::/80", 100)
WANTED = [
    ("-6 rule add from 2001:db8:ae00:0:1::/80 table 100 priority 100", FROM),
    ("-6 rule add from all to 2001:db8:ae00:0:1::/80 table 100 priority 100", TO),
    (
        "-6 rule add from 2001:db8::/32 to 2001:db8:1::/48 table 4294967295 priority 32765",
        RuleKey("ipv6", 32765, "2001:db8::/32", "2001:db8:1::/48", 2**32 - 1),
    ),
    ("-6 rule add table 1000 priority 7", RuleKey("ipv6", 7, None, None, 1000)),
    ("-4 rule add from 192.0.2.0/24 table 100 priority 100", RuleKey("ipv4", 100, "192.0.2.0/24", None, 100)),
]


def rules_as_ip_shows_them(router: Namespace, family: str) -> list[dict[str, Any]]:
    rows = listing(router, f"-d -{family[-1]} rule show")
    return [{name: value for name, value in row.items() if name != "protocol"} for row in rows]


@pytest.mark.parametrize(("command", "key"), WANTED)
async def test_a_rule_is_created_as_the_command_of_ip_creates_it(
    router: Namespace, kinds: Kinds, command: str, key: RuleKey
) -> None:
    router.ip(command)
    by_hand = rules_as_ip_shows_them(router, key.family)
    router.ip(command.replace(" add ", " del "))

    await kinds["rule"].apply(Create(key, Rule()))
    assert rules_as_ip_shows_them(router, key.family) == by_hand


@pytest.mark.parametrize(("command", "key"), WANTED)
async def test_a_rule_is_ours_is_seen_as_it_was_wanted_and_can_be_deleted_twice(
    kinds: Kinds, command: str, key: RuleKey
) -> None:
    rule = kinds["rule"]
    await rule.apply(Create(key, Rule()))
    assert await kinds.ours("rule") == {key: Rule()}
    seen = (await rule.observe())[key]
    await rule.apply(Delete(key, seen))
    await rule.apply(Delete(key, seen))
    assert await kinds.ours("rule") == {}


async def test_the_kernels_own_rules_are_seen_and_never_ours(kinds: Kinds) -> None:
    rules = await kinds["rule"].observe()
    assert {(key.family, key.priority) for key in rules} == {
        ("ipv4", 0),
        ("ipv4", 32766),
        ("ipv4", 32767),
        ("ipv6", 0),
        ("ipv6", 32766),
    }
    assert await kinds.ours("rule") == {}


@pytest.mark.parametrize("selector", ["fwmark 0x1", "iif e0", "ipproto 6", "suppress_prefixlength 0"])
async def test_a_rule_with_a_further_selector_is_another_rule(
    router: Namespace, kinds: Kinds, selector: str
) -> None:
    router.ip(f"-6 rule add from {FROM.source} table 100 priority 100 {selector} protocol 116")
    (ours,) = await kinds.ours("rule")
    assert ours != FROM
    await kinds["rule"].apply(Create(FROM, Rule()))
    seen = (await kinds["rule"].observe())[ours]
    await kinds["rule"].apply(Delete(ours, seen))
    assert await kinds.ours("rule") == {FROM: Rule()}


async def test_an_inverted_rule_is_another_rule(router: Namespace, kinds: Kinds) -> None:
    router.ip(f"-6 rule add not from {FROM.source} table 100 priority 100 protocol 116")
    (ours,) = await kinds.ours("rule")
    assert (ours.source, ours == FROM) == (FROM.source, False)


async def test_a_deletion_does_not_hit_somebody_elses_rule_with_one_selector_more(
    router: Namespace, kinds: Kinds
) -> None:
    router.ip(f"-6 rule add from {FROM.source} table 100 priority 100 fwmark 0x1")
    await kinds["rule"].apply(Create(FROM, Rule()))
    seen = (await kinds["rule"].observe())[FROM]
    await kinds["rule"].apply(Delete(FROM, seen))
    await kinds["rule"].apply(Delete(FROM, seen))
    assert "fwmark 0x1" in router.ip("-6 rule show")


async def test_an_equal_rule_of_somebody_else_stays_beside_ours(router: Namespace, kinds: Kinds) -> None:
    rule = kinds["rule"]
    router.ip(f"-6 rule add from {FROM.source} table 100 priority 100 protocol bgp")
    assert await kinds.ours("rule") == {}

    await rule.apply(Create(FROM, Rule()))
    assert await kinds.ours("rule") == {FROM: Rule()}
    await rule.apply(Delete(FROM, (await rule.observe())[FROM]))
    assert await kinds.ours("rule") == {}
    assert "100:" in router.ip("-6 rule show")


async def test_a_rule_that_the_kernel_cannot_tell_from_another_is_foreign(
    router: Namespace, kinds: Kinds
) -> None:
    router.ip(f"-6 rule add from {FROM.source} table 100 priority 100 tos 0x10 protocol 116")
    with pytest.raises(Foreign, match=r"create rule ipv6 100 from 2001:db8:ae00:0:1::/80 .*\[EEXIST\]"):
        await kinds["rule"].apply(Create(FROM, Rule()))


@pytest.fixture
async def site(kinds: Kinds) -> None:
    """A tunnel, a table whose default route leaves by it, and the rule that leads there."""
    await kinds["link"].apply(Create("vxlan01", TUNNEL))
    await kinds["route"].apply(Create(RouteKey(100, "::/0", 1024), Route("unicast", None, "vxlan01")))
    await kinds["rule"].apply(Create(FROM, Rule()))


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize(
    "typed",
    [
        f"from {FROM.source} table 100 priority 50",
        f"from {FROM.source} table 100 priority 50 protocol static",
        f"from {FROM.source} table 100 priority 100 protocol boot",
        "from 2001:db8:ae00:0:1::7 fwmark 0x1 table 100 priority 50",
    ],
)
async def test_a_typed_rule_that_repeats_or_narrows_ours_is_taken_away_and_ours_stays(
    router: Namespace, kinds: Kinds, typed: str
) -> None:
    router.ip(f"-6 rule add {typed}")
    (unexpected,) = (await kinds.ours("rule")).keys() - {FROM}
    await kinds["rule"].apply(Delete(unexpected, Rule()))
    assert await kinds.ours("rule") == {FROM: Rule()}
    assert len(rules_as_ip_shows_them(router, "ipv6")) == 3


@pytest.mark.usefixtures("site")
async def test_an_equal_rule_without_a_protocol_is_left_alone_because_a_deletion_might_hit_ours(
    router: Namespace, kinds: Kinds
) -> None:
    router.ip(f"-6 rule add from {FROM.source} table 100 priority 100 protocol unspec")
    assert await kinds.ours("rule") == {FROM: Rule()}
    await kinds["rule"].apply(Delete(FROM._replace(protocol=0), Rule()))
    assert await kinds.ours("rule") == {}, "the kernel deletes by the protocol now, so it can be ours"


@pytest.mark.usefixtures("site")
async def test_the_rules_of_others_are_left_alone_even_those_to_our_table(
    router: Namespace, kinds: Kinds
) -> None:
    """A second uplink by DHCP has its own route in the table, and rules that lead there."""
    router.ip("-6 route add 2001:db8:9::/48 dev e0 table 100 proto dhcp")
    router.ip("-6 rule add from 2001:db8:9::/48 table 100 priority 50")
    router.ip("-6 rule add from 2001:db8:9::/48 table 100 priority 51 protocol static")
    router.ip("-6 rule add from all fwmark 0x1 table 100 priority 52")
    router.ip("-6 rule add not fwmark 0xca6c table 100 priority 53")
    router.ip(f"-6 rule add from {FROM.source} table 101 priority 54")
    router.ip(f"-6 rule add from {FROM.source} table main priority 55")
    router.ip(f"-6 rule add from {FROM.source} table 100 priority 56 protocol bgp")
    router.ip(f"-6 rule add from {FROM.source} prohibit priority 57")
    assert await kinds.ours("rule") == {FROM: Rule()}


@pytest.mark.usefixtures("site")
async def test_a_rule_typed_into_a_table_that_only_we_use_is_unexpected(
    router: Namespace, kinds: Kinds
) -> None:
    router.ip("-6 rule add from 2001:db8:9::/48 table 100 priority 50")
    (unexpected,) = (await kinds.ours("rule")).keys() - {FROM}
    assert unexpected.source == "2001:db8:9::/48"
    await kinds["rule"].apply(Delete(unexpected, Rule()))
    assert await kinds.ours("rule") == {FROM: Rule()}


@pytest.mark.usefixtures("site")
async def test_a_rule_into_a_table_that_does_not_exist_is_somebody_elses(
    router: Namespace, kinds: Kinds
) -> None:
    router.ip("-6 rule add from 2001:db8:9::/48 table 4711 priority 50")
    assert await kinds.ours("rule") == {FROM: Rule()}
