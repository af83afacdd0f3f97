"""What a DS-Lite line makes of its router (B4)."""

from tasuki_yang.tree import Tree

from tasuki_controller import router_tree as rt
from tasuki_controller.ends import PeerEnd
from tasuki_controller.existing import Types
from tasuki_controller.services.ds_lite.line import Line, local_end

B4_ADDRESS = ("192.0.0.2", 29)
"""RFC 6333 section 5.7. The AFTR translates; nobody else ever sees this address."""
ANYWHERE = "0.0.0.0/0"


def b4(line: Line, remote: PeerEnd, types: Types) -> Tree:
    """The tunnel, and all of the router's IPv4 through it."""
    own, underlay = local_end(line), line.underlay
    tunnel = rt.interface(
        line.interface,
        "tasuki-link:ip6tnl",
        link=rt.ip6tnl(rt.Outer(underlay.interface, own, remote), mode="ipip6", mtu=line.mtu),
        ipv4=rt.ipv4(rt.address(*B4_ADDRESS), reverse_path_filter="off"),
    )
    toward_line = rt.Line(
        interface=types.existing(line.router, underlay.interface),
        advertised=underlay.router_advertisements == "accept",
        end=own,
    )
    default = rt.route(ANYWHERE, dev=line.interface, metric=line.default_route_metric)
    return rt.router_tree(
        interfaces=[tunnel, *rt.line_interface(toward_line)],
        static_routes={f"ds-lite-{line.name}": rt.routes(ipv4=[default])},
        forwarding=["ipv4"],
    )
