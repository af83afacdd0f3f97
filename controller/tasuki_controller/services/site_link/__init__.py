"""Tunnels that join the LANs of two routers (`tasuki-site-link`).

`link` is what follows from the intent of one link, `check` and `overlaps` the rules, `compile` the trees of
both routers.
"""

from collections.abc import Iterator, Mapping

from tasuki_yang.errors import ConfigError
from tasuki_yang.network import Network
from tasuki_yang.router import Router
from tasuki_yang.validator import Gaps

from tasuki_controller.broken_rule import END, unreadable
from tasuki_controller.ends import Fixed
from tasuki_controller.existing import Types
from tasuki_controller.known import KnownFacts
from tasuki_controller.services import Contribution, Made, Used
from tasuki_controller.services.site_link.check import check_link
from tasuki_controller.services.site_link.compile import compile_links
from tasuki_controller.services.site_link.link import path_of, sites, source_of
from tasuki_controller.services.site_link.overlaps import check_overlaps


class SiteLinks:
    """All site links of a network."""

    def __init__(self, network: Network, written: Mapping[str, Router], known: KnownFacts) -> None:
        self._links = network.network.site_link
        self._written = written
        self._known = known

    def check(self, gaps: Gaps) -> Iterator[ConfigError]:
        """The rules of each link and among them."""
        for link in self._links:
            yield from check_link(link, gaps)
        yield from check_overlaps(self._links, self._written)

    def makes(self, gaps: Gaps) -> Iterator[Made]:
        """The tunnel on both routers."""
        for link in self._links:
            path = path_of(link)
            ends = [f"{side}/{leaf}" for side in "ab" for leaf in ("router", *END)]
            is_known = not unreadable(gaps, path, "mode", "key", *ends)
            # Linux has the key 0 for none.
            is_gre = link.mode == "gre6"
            type_ = ("ip6gre", link.key or 0) if is_gre else ("ip6tnl",)
            for router, site in {site.router: site for site in sites(link)}.items():
                if router:
                    peer = site.peer_end
                    remote = peer if isinstance(peer, Fixed) else (site.peer.router, peer)
                    where = (site.side.underlay.interface, site.end, remote)
                    yield Made(
                        router,
                        link.name,
                        source_of(link),
                        named_at=path_of(link, "name"),
                        made_at=path,
                        identity=(*type_, *where) if is_known else None,
                        apart_by="another end, or a GRE key of its own" if is_gre else "another end",
                    )

    def uses(self) -> Iterator[Used]:
        """The lines and LANs of both routers."""
        for site in (site for link in self._links for site in sites(link)):
            yield Used(site.router, site.side.underlay.interface, site.path("underlay", "interface"))
            for lan in site.side.lan.interface:
                yield Used(site.router, lan, site.lan_path(lan))

    def compile(self) -> Iterator[Contribution]:
        """Both ends of each link."""
        return compile_links(self._links, Types(self._written), self._known)


SERVICE = SiteLinks
