"""Policy rules as rtnetlink messages: struct fib_rule_hdr and its attributes."""

import struct
from collections.abc import Collection

from tasuki_agent.kernel import addresses, uapi
from tasuki_agent.kernel.attributes import number, parse, raw, u8, u32
from tasuki_agent.kernel.interfaces import Names
from tasuki_agent.kernel.marks import PROTOCOL
from tasuki_agent.kind import Topic
from tasuki_agent.kinds.rule.model import Family, Rule, RuleKey

_HEAD = struct.Struct("=BBBBBBBBI")
"""struct fib_rule_hdr: family, lengths of destination and source, TOS, table, two spare, action, flags."""

_NUMBERS: dict[Family, int] = {"ipv4": uapi.AF_INET, "ipv6": uapi.AF_INET6}
_FAMILIES: dict[int, Family] = {number: family for family, number in _NUMBERS.items()}
TOPIC = Topic((uapi.RTNLGRP_IPV4_RULE, uapi.RTNLGRP_IPV6_RULE), (uapi.RTM_NEWRULE, uapi.RTM_DELRULE))
_UNSET = b"\xff\xff\xff\xff"
"""What the kernel reports for a suppressor that a rule does not have."""
_AT_ROUTE_PROTOCOL = 5
_NOT_SELECTORS = {uapi.FRA_DST, uapi.FRA_SRC, uapi.FRA_PRIORITY, uapi.FRA_TABLE, uapi.FRA_PROTOCOL}
_SUPPRESSORS = {uapi.FRA_SUPPRESS_PREFIXLEN, uapi.FRA_SUPPRESS_IFGROUP}


def dump(family: Family) -> bytes:
    """A request for all rules of one family."""
    return _HEAD.pack(_NUMBERS[family], 0, 0, 0, 0, 0, 0, 0, 0)


def dump_table(family: Family, table: int) -> bytes:
    """A request for all routes of one table (struct rtmsg): the kernel leaves the others out."""
    return _HEAD.pack(_NUMBERS[family], 0, 0, 0, 0, 0, 0, 0, 0) + u32(uapi.RTA_TABLE, table)


def is_ours_alone(routes: Collection[bytes]) -> bool:
    """Whether a table's routes are all of our protocol, and there is one."""
    return bool(routes) and all(route[_AT_ROUTE_PROTOCOL] == PROTOCOL for route in routes)


def decode(message: bytes, names: Names) -> tuple[RuleKey, Rule]:  # noqa: ARG001
    """Key and spec of an observed rule."""
    family, destination_length, source_length, tos, table, _, _, action, flags = _HEAD.unpack_from(message)
    values = parse(message, _HEAD.size)
    selectors = tuple(
        (attribute, value)
        for attribute, value in sorted(values.items())
        if attribute not in _NOT_SELECTORS and not (attribute in _SUPPRESSORS and value == _UNSET)
    )
    key = RuleKey(
        family=_FAMILIES[family],
        priority=number(values.get(uapi.FRA_PRIORITY, b"\0")),
        source=_prefix(values.get(uapi.FRA_SRC), source_length),
        destination=_prefix(values.get(uapi.FRA_DST), destination_length),
        table=number(values[uapi.FRA_TABLE]) if uapi.FRA_TABLE in values else table,
        selectors=selectors,
        tos=tos,
        flags=flags,
        protocol=number(values.get(uapi.FRA_PROTOCOL, b"\0")),
    )
    return key, Rule(action)


def encode(key: RuleKey, spec: Rule) -> bytes:
    """The rule with all its selectors, to be created or to be deleted."""
    source, source_length = addresses.split_prefix(key.source) if key.source else (b"", 0)
    destination, destination_length = addresses.split_prefix(key.destination) if key.destination else (b"", 0)
    family, table = _NUMBERS[key.family], uapi.RT_TABLE_UNSPEC
    return b"".join(
        (
            _HEAD.pack(
                family, destination_length, source_length, key.tos, table, 0, 0, spec.action, key.flags
            ),
            u32(uapi.FRA_PRIORITY, key.priority),
            u32(uapi.FRA_TABLE, key.table),
            u8(uapi.FRA_PROTOCOL, key.protocol),
            raw(uapi.FRA_SRC, source) if source else b"",
            raw(uapi.FRA_DST, destination) if destination else b"",
            *(raw(attribute, value) for attribute, value in key.selectors),
        )
    )


def _prefix(bits: bytes | None, length: int) -> str | None:
    return f"{addresses.text(bits)}/{length}" if bits else None
