"""Policy rules in the router tree, and whose they are."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Self, TypeAlias

from tasuki_yang.path import predicate
from tasuki_yang.router import Router, RoutingRulesIpv4Rule, RoutingRulesIpv6Rule

from tasuki_agent.kernel import addresses, uapi
from tasuki_agent.kernel.marks import PROTOCOL
from tasuki_agent.kind import Observed, Ref
from tasuki_agent.kinds.router_tree import ROUTING
from tasuki_agent.known import Known

Family: TypeAlias = Literal["ipv4", "ipv6"]
_TreeRule: TypeAlias = RoutingRulesIpv4Rule | RoutingRulesIpv6Rule

_TYPED_BY_HAND = {uapi.RTPROT_UNSPEC, uapi.RTPROT_BOOT, uapi.RTPROT_STATIC}
_TABLES_OF_THE_KERNEL = {
    uapi.RT_TABLE_UNSPEC,
    uapi.RT_TABLE_DEFAULT,
    uapi.RT_TABLE_MAIN,
    uapi.RT_TABLE_LOCAL,
}


class _Identity(NamedTuple):
    family: Family
    priority: int
    source: str | None
    destination: str | None
    table: int
    selectors: tuple[tuple[int, bytes], ...] = ()
    """Further selectors of somebody's rule: attribute (FRA_…) and value as the kernel gave them."""
    tos: int = 0
    flags: int = 0
    """FIB_RULE_INVERT and the like."""
    protocol: int = PROTOCOL
    """FRA_PROTOCOL: who made it. The kernel lets equal rules of several makers stand side by side."""


class RuleKey(_Identity):
    """All that the kernel tells rules apart by: a rule with another selector or maker is another rule."""

    rule_name: str = ""
    """Name of the rule in the tree."""

    def within(self, rule_name: str) -> Self:
        """The same key, found under this name in the tree."""
        key = self._replace()
        key.rule_name = rule_name
        return key

    def __str__(self) -> str:
        extra = "".join(f" {number}:{value.hex()}" for number, value in self.selectors)
        return (
            f"{self.family} {self.priority} from {self.source or 'all'} to {self.destination or 'all'} "
            f"table {self.table}{extra}"
            f"{f' tos {self.tos}' if self.tos else ''}{f' flags {self.flags:#x}' if self.flags else ''}"
            f"{f' protocol {self.protocol}' if self.protocol != PROTOCOL else ''}"
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """What happens to packets that match."""

    action: int = uapi.FR_ACT_TO_TBL
    """FR_ACT_…: the tree knows only the lookup of a table."""
    sole: bool = field(default=False, compare=False)
    """Of a rule that somebody typed: whether every route of its table is ours, and there is one."""


def typed_into_tables(rules: Iterable[RuleKey]) -> frozenset[tuple[Family, int]]:
    """Tables of ours that rules lead to which nobody but a person can have made."""
    ours = {(rule.family, rule.table) for rule in rules if rule.protocol == PROTOCOL}
    typed = {
        (rule.family, rule.table) for rule in rules if rule.protocol in (uapi.RTPROT_UNSPEC, uapi.RTPROT_BOOT)
    }
    return frozenset(table for table in ours & typed if table[1] not in _TABLES_OF_THE_KERNEL)


def want(intent: Router, known: Known) -> Mapping[RuleKey, Rule]:  # noqa: ARG001
    """Every rule in the tree."""
    rules = intent.routing.rules
    families: tuple[tuple[Family, Iterable[_TreeRule]], ...] = (
        ("ipv4", rules.ipv4.rule),
        ("ipv6", rules.ipv6.rule),
    )
    return {
        RuleKey(
            family=family,
            priority=rule.priority,
            source=_canonical(rule.source),
            destination=_canonical(rule.destination),
            table=rule.table,
        ).within(rule.name): Rule()
        for family, entries in families
        for rule in entries
    }


def needs(key: RuleKey, spec: Rule) -> Iterable[Ref]:  # noqa: ARG001
    """Nothing: a rule may look up a table that is empty."""
    return ()


def rank(key: RuleKey) -> int:  # noqa: ARG001
    """Rules have an order of their own: the priority."""
    return 0


def owns(key: RuleKey, spec: Rule, observed: Observed) -> bool:
    """Ours bear our protocol. What people typed is ours if it leads to a table that only we use.

    Or if it selects no more than a rule of ours to that table does. Every other rule may be somebody's, and
    so may one without a protocol beside its equal: the kernel would delete either of them. Daemons name a
    protocol in their rules, which `ip rule add` does not.
    """
    if key.protocol == PROTOCOL:
        return True
    if key.protocol not in _TYPED_BY_HAND or key.table in _TABLES_OF_THE_KERNEL:
        return False
    rules = observed.get("rule", {})
    alone = spec.sole and key.protocol != uapi.RTPROT_STATIC
    if not alone and not any(_within(key, rule) for rule in rules if rule.protocol == PROTOCOL):
        return False
    if key.protocol == uapi.RTPROT_UNSPEC and any(_equal(key, rule) for rule in rules if rule != key):
        return False
    # One number is two tables: IPv4 and IPv6 each have their own.
    return any(
        route.table == key.table
        and seen.protocol == PROTOCOL
        and addresses.yang_family(route.prefix) == key.family
        for route, seen in observed.get("route", {}).items()
    )


def _equal(rule: RuleKey, other: RuleKey) -> bool:
    """Whether two rules differ by their makers at the most."""
    return rule._replace(protocol=other.protocol) == other


def _within(typed: RuleKey, ours: RuleKey) -> bool:
    """Whether a rule matches only packets that a rule of ours to the same table selects by their prefixes."""
    if (typed.family, typed.table) != (ours.family, ours.table):
        return False
    if (typed.flags | ours.flags) & uapi.FIB_RULE_INVERT or not (ours.source or ours.destination):
        return False
    return all(
        whole is None or (part is not None and addresses.contains(whole, part))
        for whole, part in ((ours.source, typed.source), (ours.destination, typed.destination))
    )


def typed_over(key: RuleKey, spec: Rule) -> bool:  # noqa: ARG001
    """Never: rules of different protocols stand beside each other."""
    return False


def in_place(observed: Rule, wanted: Rule) -> bool:  # noqa: ARG001
    """The kernel has no way to change a rule."""
    return False


def path(key: RuleKey, field: str = "") -> str:  # noqa: ARG001
    """The entry in the list of rules; its action has no leaf."""
    return f"{ROUTING}/tasuki-rule:rules/{key.family}/rule{predicate('name', _name(key))}"


def tree(key: RuleKey, spec: Rule) -> Mapping[str, Any]:  # noqa: ARG001
    """The rule. Selectors that only others use have no place there."""
    rule = {
        "name": _name(key),
        "priority": key.priority,
        "table": key.table,
        "source": key.source,
        "destination": key.destination,
    }
    entry = {name: value for name, value in rule.items() if value is not None}
    return {"ietf-routing:routing": {"tasuki-rule:rules": {key.family: {"rule": [entry]}}}}


def _name(key: RuleKey) -> str:
    """Of what the tree does not have: the same name each time, and another one for each rule."""
    return key.rule_name or f"{key.priority}-{hashlib.sha256(str(key).encode()).hexdigest()[:8]}"


def _canonical(prefix: str | None) -> str | None:
    """A prefix that matches everything is no selector, neither here nor in the kernel."""
    canonical = addresses.canonical_prefix(prefix) if prefix else None
    return None if canonical in addresses.DEFAULT.values() else canonical
