"""Dumps of IPv6 routes while others are deleted: what is still there is never taken for gone."""

import asyncio
from pathlib import Path

from netns import Machines, cable
from tasuki_agent.kernel import Kernel
from tasuki_agent.kinds.route import KIND

COUNT = 400


async def test_routes_that_stay_are_seen_while_many_others_are_deleted(tmp_path: Path) -> None:
    with Machines() as machines:
        router, outside = machines.add("router"), machines.add("outside")
        cable(router, "eth0", outside, "port")
        router.run("ip", "-6", "-batch", "-", stdin=_routes("add", "4000") + _routes("add", "5000"))
        with router.entered():
            async with Kernel(tmp_path) as kernel:
                kind = KIND(kernel)
                before = {str(key) for key in await kind.observe()}
                staying = {key for key in before if key.startswith("2001:db8:4")}
                assert len(staying) == COUNT
                deletion = await asyncio.create_subprocess_exec(
                    "ip", "-6", "-batch", "-", stdin=asyncio.subprocess.PIPE
                )
                assert deletion.stdin is not None
                deletion.stdin.write(_routes("del", "5000").encode())
                deletion.stdin.close()
                while deletion.returncode is None:
                    seen = {str(key) for key in await kind.observe()}
                    assert staying <= seen
                    await asyncio.sleep(0)
                await deletion.wait()


def _routes(verb: str, site: str) -> str:
    lines = (f"route {verb} unreachable 2001:db8:{site}:{n:x}::/64 proto 116" for n in range(COUNT))
    return "\n".join(lines) + "\n"
