"""`make demo`: the whole of tasuki once, on real kernels, told as a story and proved by traffic.

Exit status 1 if anything that it tells is not so. Everything that it makes is removed, whatever happens,
unless --keep asks for it to stay.
"""

import argparse
import ipaddress
import os
import shlex
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import ParamSpec

from deployment import EXAMPLES, Deployment
from netns import Machines, Namespace
from network import HOST, Network, must_be_unreachable, seen_as, witness
from programs import BIN, ProgramError
from tasuki_proto.v1.drift_pb2 import DriftItem

P = ParamSpec("P")

PC = "2001:db8:ae00:1::100"
SPLIT = ipaddress.IPv6Network("2001:db8:ae00::/40")


@dataclass
class Story:
    """What is told, with a mark for each thing that was proved or failed."""

    proved: int = 0
    failed: int = 0
    started: float = field(default_factory=time.monotonic)

    def chapter(self, title: str) -> None:
        """Begin the next part."""
        print(f"\n{title}", flush=True)

    def prove(
        self, claim: str, proof: Callable[P, str | None], *arguments: P.args, **options: P.kwargs
    ) -> None:
        """Tell the claim with the time that its proof took, and what the proof adds to it."""
        begun = time.monotonic()
        try:
            detail = proof(*arguments, **options)
        except (AssertionError, ProgramError) as error:
            self.failed += 1
            print(f"  ✗ {claim}\n      {error}", flush=True)
            return
        self.proved += 1
        text = f"{claim}: {detail}" if detail else claim
        print(f"  ✓ {text}  ({time.monotonic() - begun:.2f} s)", flush=True)

    def show(self, command: str, output: str) -> None:
        """Show a command and what it printed."""
        print(f"  $ {command}")
        for line in output.rstrip().splitlines():
            print(f"    {line}".rstrip())
        sys.stdout.flush()

    def end(self) -> int:
        """Sum up; the exit status."""
        seconds = time.monotonic() - self.started
        print(f"\n{self.proved} things proved, {self.failed} failed, in {seconds:.0f} s.")
        return 1 if self.failed else 0


def main() -> int:
    """Run the demo. Returns its exit status."""
    parser = argparse.ArgumentParser(description="A controller and four routers in network namespaces.")
    parser.add_argument("--keep", action="store_true", help="leave it running, and say how to talk to it")
    keep: bool = parser.parse_args().keep
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    story = Story()
    with ExitStack() as stack:
        try:
            deployment = set_up(stack, story)
            tell(deployment, story)
        except (AssertionError, ProgramError) as error:
            story.failed += 1
            print(f"  ✗ {error}")
        else:
            if keep:
                status = story.end()
                explain(deployment)
                # Ends without unwinding: the programs are in sessions of their own and stay.
                os._exit(status)
    return story.end()


def set_up(stack: ExitStack, story: Story) -> Deployment:
    """Machines, controller, agents."""
    story.chapter(
        "1. Ten machines: the internet, an ISP, a VPS, three routers, their hosts, and a friend's machine"
    )
    begun = time.monotonic()
    network = Network.build(stack.enter_context(Machines()))
    network.vps.must_reach("10.1.1.2")
    print(f"  · network namespaces joined by cables, in {time.monotonic() - begun:.2f} s")

    begun = time.monotonic()
    directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tasuki-demo-")))
    deployment = stack.enter_context(Deployment.on(network, directory))
    print(
        "  · a CA; certificates for the controller, the routers vps, home, branch, office, and operator alice"
    )
    seconds = time.monotonic() - begun
    print(f"  · controller and agents started, mutual TLS over the underlay, in {seconds:.2f} s")
    return deployment


def tell(deployment: Deployment, story: Story) -> None:
    """From intent to healing."""
    intent(deployment, story)
    traffic(deployment, story)
    friend(deployment, story)
    nobody(deployment, story)
    drift(deployment, story)


def intent(deployment: Deployment, story: Story) -> None:
    """The example is applied."""
    story.chapter("2. One intent: 2001:db8:ae00::/40 split over VXLAN, hub vps, four subscribers")
    command = "apply examples/vxlan-split.json --comment 'first light' --wait 30"
    story.show(f"tasuki {command}", run(deployment, command))
    story.prove("every router has converged to it", deployment.converge)
    story.show("tasuki routers", run(deployment, "routers"))


def traffic(deployment: Deployment, story: Story) -> None:
    """Both modes of a subscriber, hosts behind it, and an underlay of IPv6."""
    story.chapter("3. What it is for")
    network = deployment.network
    internet = network.internet
    with witness(internet):
        story.prove(f"pc behind home reaches the internet, and is seen there as {PC}", seen, network.pc, PC)
        story.prove(
            "home itself (policy routing) still uses its native IPv6, and is seen as 2001:db8:f0:1::2",
            seen,
            network.home,
            "2001:db8:f0:1::2",
        )
        story.prove("branch (default gateway) is seen with an address of the split", seen, network.branch)
        story.prove(
            "a server in the DMZ of office, over an underlay of IPv6, is seen as 2001:db8:ae03:1::100",
            seen,
            network.server,
            "2001:db8:ae03:1::100",
        )
    story.prove(f"the internet reaches pc at {PC}", internet.must_reach, PC)


def friend(deployment: Deployment, story: Story) -> None:
    """A subscriber without an agent."""
    story.chapter("4. A subscriber without an agent gets its configuration ready to run")
    script = run(deployment, "render ae00 4")
    lines = script.splitlines()
    story.show("tasuki render ae00 4 | ssh friend sh", "\n".join([*lines[:6], f"... ({len(lines)} lines)"]))
    deployment.network.friend.run("sh", "-ec", script)
    story.prove(
        "friend reaches the internet from 2001:db8:ae04::1",
        deployment.network.friend.must_reach,
        HOST,
        source="2001:db8:ae04::1",
    )


def nobody(deployment: Deployment, story: Story) -> None:
    """What nobody holds."""
    story.chapter("5. What nobody holds is unreachable; it does not loop until its hop limit ends")
    network = deployment.network
    for sender, address, what in (
        (network.internet, "2001:db8:ae77::1", "a /48 of no subscriber"),
        (network.internet, "2001:db8:ae01:9::1", "a /64 that home has not delegated"),
        (network.pc, "2001:db8:ae00:1f::1", "a /64 of no subscriber, asked for by pc"),
    ):
        story.prove(f"{address}, {what}", must_be_unreachable, sender, address)


@dataclass(frozen=True, slots=True)
class Breakage:
    """A command on a router, and what the report must say of it."""

    router: str
    command: str
    class_: "DriftItem.Class"
    kind: str
    field: str = ""

    def reported_by(self, item: DriftItem) -> bool:
        """Whether the item is about it, and closed as healed."""
        return (getattr(item, "class"), item.kind, item.field, item.action) == (
            self.class_,
            self.kind,
            self.field,
            DriftItem.ACTION_HEALED,
        )


BREAKAGES = (
    Breakage("home", "ip link delete vxlan01", DriftItem.CLASS_MISSING, "link"),
    Breakage(
        "vps",
        "ip link set vxlan02 type vxlan id 2 remote 192.0.2.66",
        DriftItem.CLASS_CHANGED,
        "link",
        "remote",
    ),
    Breakage("vps", "ip route delete unreachable 2001:db8:ae00::/40", DriftItem.CLASS_MISSING, "route"),
    Breakage(
        "branch", "ip address add 2001:db8:bad::1/64 dev vxlan02", DriftItem.CLASS_UNEXPECTED, "address"
    ),
    Breakage(
        "branch", "sysctl -w net.ipv6.conf.all.forwarding=0", DriftItem.CLASS_CHANGED, "sysctl", "value"
    ),
)


def drift(deployment: Deployment, story: Story) -> None:
    """Things are broken by hand, reported and healed."""
    story.chapter("6. Broken by hand")
    for breakage in BREAKAGES:
        story.show(f"{breakage.command}    # on {breakage.router}", "")
        deployment.router(breakage.router).run(*breakage.command.split())
    story.prove(f"pc reaches {HOST} again", deployment.network.pc.must_reach, HOST)
    for breakage in BREAKAGES:
        story.prove(f"`{breakage.command}` was reported and healed", healed, deployment, breakage)
    story.prove("every router is as intended", deployment.converge)
    story.show("tasuki drift", run(deployment, "drift", status=3))
    story.show("tasuki map ae00", run(deployment, "map ae00"))


def seen(machine: Namespace, expected: str | None = None) -> str | None:
    """Call the host on the internet as soon as it answers, and check the address that it saw."""
    machine.must_reach(HOST)
    address = seen_as(machine)
    if expected is None:
        assert ipaddress.IPv6Address(address) in SPLIT, f"seen as {address}"
        return address
    assert address == expected, f"seen as {address}"
    return None


def healed(deployment: Deployment, breakage: Breakage) -> str:
    """Wait for the item; how long the drift lasted, by the agent's own clock."""
    item = deployment.drift_until(breakage.router, breakage.reported_by)
    milliseconds = (item.healed_at.ToNanoseconds() - item.first_seen.ToNanoseconds()) / 1e6
    return f"{item.key}, {milliseconds:.0f} ms after it was seen"


def run(deployment: Deployment, command: str, status: int = 0) -> str:
    """Run `tasuki` as alice at the VPS."""
    arguments = shlex.split(command.replace("examples/", f"{EXAMPLES}/"))
    return deployment.operator.tasuki(*arguments, status=status)


def explain(deployment: Deployment) -> None:
    """How to talk to what is left running, and how to remove it."""
    operator, network = deployment.operator, deployment.network
    variables = " ".join(f"{name}={value}" for name, value in operator.environment.items())
    directory = deployment.controller.state_dir.parent
    print(f"""
It goes on running. To talk to it:
  alias tasuki='ip netns exec {operator.namespace.name} env {variables} {BIN}/tasuki'
  tasuki routers
  tasuki drift --watch
To be on a machine:
  ip netns exec {network.home.name} bash    # or another one of `ip netns list`
Logs and state: {directory}
To remove it:
  for n in $(ip netns list | grep -o '^tasuki-{os.getpid()}-[^ ]*'); do
    ip netns pids $n | xargs -r kill; ip netns delete $n
  done
  rm -r {directory}""")


if __name__ == "__main__":
    sys.exit(main())
