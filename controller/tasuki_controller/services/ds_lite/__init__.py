"""DS-Lite: IPv4 by a tunnel to the provider's AFTR (`tasuki-ds-lite`).

`line` is what the intent says of one line, `presets` the AFTRs that are known by name, `check` the rules,
`compile` the router's tree.
"""

from collections.abc import Iterator, Mapping

from tasuki_yang.errors import ConfigError
from tasuki_yang.network import Network
from tasuki_yang.router import Router
from tasuki_yang.validator import Gaps

from tasuki_controller.broken_rule import END, unreadable
from tasuki_controller.existing import Types
from tasuki_controller.known import KnownFacts
from tasuki_controller.services import Contribution, Made, Used
from tasuki_controller.services.ds_lite.check import check_lines
from tasuki_controller.services.ds_lite.compile import b4
from tasuki_controller.services.ds_lite.line import AFTR, aftr, local_end, path_of, source_of


class DsLites:
    """All DS-Lite lines of a network. Neither of their ends is that of a router that would tell it."""

    def __init__(
        self,
        network: Network,
        written: Mapping[str, Router],
        known: KnownFacts,  # noqa: ARG002 - as every service
    ) -> None:
        self._lines = network.network.ds_lite
        self._types = Types(written)

    def check(self, gaps: Gaps) -> Iterator[ConfigError]:
        """The rules of each line and among them."""
        return check_lines(self._lines, gaps)

    def makes(self, gaps: Gaps) -> Iterator[Made]:
        """The tunnels."""
        for line in self._lines:
            path = path_of(line)
            if unreadable(gaps, path, "router", "interface"):
                continue
            ends = (line.underlay.interface, local_end(line), aftr(line))
            is_known = ends[-1] is not None and not unreadable(gaps, path, *END, *AFTR)
            yield Made(
                line.router,
                line.interface,
                source_of(line),
                named_at=path_of(line, "interface"),
                made_at=path,
                identity=("ip6tnl", *ends) if is_known else None,
            )

    def uses(self) -> Iterator[Used]:
        """The lines."""
        for line in self._lines:
            yield Used(line.router, line.underlay.interface, path_of(line, "underlay", "interface"))

    def compile(self) -> Iterator[Contribution]:
        """Each line's router."""
        for line in self._lines:
            remote = aftr(line)
            if remote is None:
                raise ValueError(f"{source_of(line)} has no AFTR")
            yield Contribution(line.router, source_of(line), b4(line, remote, self._types))


SERVICE = DsLites
