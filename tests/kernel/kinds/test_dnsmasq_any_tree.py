"""Whatever people write, dnsmasq takes it, and no value of theirs becomes a line of its own."""

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from hypothesis import Phase, assume, event, given, settings
from hypothesis import strategies as st
from tasuki_agent.kinds.dnsmasq import model
from tasuki_agent.kinds.dnsmasq.section import CONFIGURATION, HOSTS, RESERVATIONS, SERVERS
from tasuki_agent.known import Known
from tasuki_yang.facts import FactKey
from tasuki_yang.node import Container, List, Node, Schema
from tasuki_yang.router import DnsForwarder, InterfacesInterface, Router
from tasuki_yang.schema import ROUTER
from tasuki_yang.tree import Tree
from tasuki_yang.validator import router_validator
from unit.agent_kernel.test_any_tree import take_out
from unit.yang.example import trees

RA = "ietf-ipv6-unicast-routing:ipv6-router-advertisements"
SERVED = {
    "": ("ietf-interfaces:interfaces", "tasuki-dnsmasq:dns-forwarder"),
    "interface": ("name", "ietf-ip:ipv4", "ietf-ip:ipv6"),
    "ietf-ip:ipv4": ("tasuki-dnsmasq:dhcp-server",),
    "ietf-ip:ipv6": (RA, "tasuki-dnsmasq:dhcp-server"),
}
"""What dnsmasq has to do with of the router tree: members by the label of their parent, else all."""
LEASED = ("2001:db8::53", "192.0.2.53")


def narrowed(node: Node) -> Node:
    if not isinstance(node, Container | List):
        return node
    members = SERVED.get(node.label, tuple(node.children))
    return replace(node, children={label: narrowed(node.children[label]) for label in members})


TOP = narrowed(ROUTER.top)
assert isinstance(TOP, Container)
SCHEMA = Schema(ROUTER.name, ROUTER.modules, TOP)


@st.composite
def served(draw: st.DrawFn) -> Tree:
    """Router trees with LANs that the controller would accept."""
    tree = draw(trees(SCHEMA, complete=True))
    interfaces = tree.get("ietf-interfaces:interfaces", {}).get("interface", ())
    for number, interface in enumerate(interfaces):
        interface |= {"type": "iana-if-type:other", "name": f"lan{number}"}
        told = interface.get("ietf-ip:ipv6", {}).get(RA, {})
        told["max-rtr-adv-interval"] = draw(st.integers(4, 1800))
        told["managed-flag"] = "tasuki-dnsmasq:dhcp-server" in interface.get("ietf-ip:ipv6", {})
        for leaf in ("default-lifetime", "link-mtu"):
            told.pop(leaf, None)
    if forwarder := tree.get("tasuki-dnsmasq:dns-forwarder"):
        forwarder["interface"] = [interface["name"] for interface in interfaces] or ["lan0"]
    while errors := router_validator().validate(tree):
        take_out(tree, errors[0])
    return tree


def expected(router: Router) -> Counter[str]:
    """How many lines each file has to have."""
    lines: Counter[str] = Counter()
    for interface in router.interfaces.interface:
        _expect_dhcp(lines, interface)
    if forwarder := router.dns_forwarder:
        _expect_dns(lines, forwarder)
    return +lines


def _expect_dhcp(lines: Counter[str], interface: InterfacesInterface) -> None:
    if interface.ipv4 and (server := interface.ipv4.dhcp_server):
        named = (server.router, server.dns_server, server.ntp_server, server.domain, server.search_domain)
        lines["dhcp-range"] += 1
        lines["dhcp-option"] += sum(map(bool, named)) + len(server.option)
        lines[RESERVATIONS] += len(server.reservation)
    if interface.ipv6 and interface.ipv6.ipv6_router_advertisements.send_advertisements:
        lines["ra-param"] += 1
        lines["dhcp-range"] += 1


def _expect_dns(lines: Counter[str], forwarder: DnsForwarder) -> None:
    zones = forwarder.zone
    own = forwarder.domain and forwarder.domain.lower() not in {zone.domain.lower() for zone in zones}
    upstream = LEASED if forwarder.servers_of_lease else forwarder.server
    lines[SERVERS] += len(upstream) + bool(own) + sum(len(zone.server) or 1 for zone in zones)
    lines[HOSTS] += sum(len(host.address) for host in forwarder.host)
    lines["domain"] += bool(forwarder.domain)
    lines["addn-hosts"] += 1


def lines_of(text: str) -> Iterator[str]:
    return (line for line in text.splitlines() if line and not line.startswith("#"))


@settings(max_examples=150, deadline=None, phases=[Phase.generate])
@given(served())
def test_dnsmasq_takes_any_valid_tree_and_nothing_else_is_in_it(tree: Tree) -> None:
    router = Router.model_validate_json(json.dumps(tree))
    lease = router.dns_forwarder and router.dns_forwarder.servers_of_lease
    wanted = model.want(router, Known({FactKey(lease, "dns-servers"): LEASED} if lease else {}))
    assume(wanted)
    ((_, server),) = wanted.items()

    found = Counter(line.partition("=")[0] for line in lines_of(server.files[CONFIGURATION]))
    found |= Counter({name: len([*lines_of(text)]) for name, text in server.files.items()})
    for name, count in expected(router).items():
        assert found[name] >= count if name == "dhcp-option" else found[name] == count
        event(name)

    everything = [
        server.files[CONFIGURATION],
        server.files.get(SERVERS, ""),
        *(f"dhcp-host={line}\n" for line in lines_of(server.files.get(RESERVATIONS, ""))),
    ]
    judged = subprocess.run(
        ["dnsmasq", "--test", "--conf-file=-"],
        input="".join(everything),
        check=False,
        capture_output=True,
        text=True,
    )
    assert judged.stderr == "dnsmasq: syntax check OK.\n"
