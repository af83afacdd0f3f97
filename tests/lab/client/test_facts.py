"""Facts and what-if on the command line and from Python, at a real controller."""

import asyncio
import json
from typing import Any

import pytest
import yaml
from controller_process import Agent, ControllerProcess, agent, network
from tasuki_client import AsyncClient, ConfigRejected
from tasuki_proto.v1 import agent_pb2
from tasuki_proto.v1.fact_pb2 import Fact

from .conftest import Tasuki

OLD, NEW = "2001:db8:1::1", "2001:db8:2::1"
FACT = "home/wan0/global-address"


def late_bound() -> str:
    tree: Any = network("vps", "home", subscribers=[1])
    (split,) = tree["tasuki-network:network"]["tasuki-vxlan-split:vxlan-split"]
    split["hub"]["underlay"] = {"interface": "wan0", "ipv6-address": "2001:db8:ffff::1"}
    split["subscriber"][0]["underlay"] = {"interface": "wan0", "global-address": [None]}
    return json.dumps(tree)


async def tell(home: Agent, *values: str) -> None:
    fact = Fact(subject="wan0", noun="global-address", values=values)
    await home.send(report=agent_pb2.Report(facts=[fact]))


async def until(tasuki: Tasuki, *arguments: str, shows: str) -> str:
    async with asyncio.timeout(20):
        while shows not in (result := await tasuki(*arguments)).out:
            pass
    return result.out


async def test_facts_are_listed_with_what_is_missing_and_with_what_followed(
    tasuki: Tasuki, controller: ControllerProcess
) -> None:
    await tasuki("apply", "-", stdin=late_bound())
    waiting = (await tasuki("facts")).out
    assert "never told" in waiting
    assert "home waits for a global address of wan0" in waiting
    async with agent(controller.target) as home:
        await home.hello("home")
        for address in (OLD, NEW):
            await tell(home, address)
            await until(tasuki, "facts", "--router", "home", shows=address)
    changes = (await tasuki("facts", "--changes")).out
    assert f"{OLD} → {NEW}" in changes
    assert f"nothing → {OLD}" in changes
    answer = json.loads((await tasuki("facts", "--format", "json")).out)
    (fact,), (evidence,) = answer["facts"], answer["evidence"]
    assert (evidence["router"], evidence["connected"]) == ("home", False)
    assert (fact["router"], fact["values"], fact["lost"]) == ("home", [NEW], False)
    listed = yaml.safe_load((await tasuki("facts", "--changes", "--format", "yaml", "--limit", "1")).out)
    (change,) = listed["changes"]
    assert (change["old_values"], change["values"], change["recompiled"]) == ([OLD], [NEW], ["vps"])


async def test_facts_of_a_router_that_there_is_not_are_an_error(tasuki: Tasuki) -> None:
    result = await tasuki("facts", "--router", "nobody")
    assert (result.status, "no router 'nobody'" in result.err) == (1, True)


async def test_what_if_shows_the_other_end_and_what_every_router_would_do(
    tasuki: Tasuki, controller: ControllerProcess
) -> None:
    await tasuki("apply", "-", stdin=late_bound())
    async with agent(controller.target) as home:
        await home.hello("home")
        await tell(home, OLD)
        await until(tasuki, "facts", shows=OLD)
        asking = asyncio.create_task(tasuki("diff", "--fact", f"{FACT}={NEW}"))
        for steps in ([], ["change link vxlan01"]):
            request = await home.receive("prepare_request")
            await home.send(prepare_answer=agent_pb2.PrepareAnswer(id=request.id, plan=steps))
        shown = (await asking).out
    assert [list(fact.values) for fact in request.suppose] == [[NEW]]
    assert shown.splitlines() == [
        "Router home",
        "* change link vxlan01",
        "Router vps",
        (f"~ /ietf-interfaces:interfaces/interface[name='vxlan01']/tasuki-link:vxlan/remote = {OLD} → {NEW}"),
        "offline: it cannot say what it would do",
    ]


async def test_what_if_says_of_a_router_that_is_offline_what_is_known_to_count(tasuki: Tasuki) -> None:
    await tasuki("apply", "-", stdin=late_bound())
    shown = (await tasuki("diff", "--fact", f"home/wan1/global-address={NEW}")).out
    assert (
        "offline: whether anything depends on home/wan1/global-address cannot be known while home is offline;"
        f" known to count: {FACT}"
    ) in shown.splitlines()


async def test_what_if_shows_one_router_alone(tasuki: Tasuki) -> None:
    await tasuki("apply", "-", stdin=late_bound())
    shown = (await tasuki("diff", "--fact", f"{FACT}={NEW}", "--router", "vps")).out
    assert ("Router vps" in shown, "Router home" in shown) == (True, False)
    result = await tasuki("diff", "--fact", f"{FACT}={NEW}", "--router", "nobody")
    assert (result.status, "no router 'nobody'" in result.err) == (1, True)


async def test_what_if_tells_of_all_mistakes_at_once(tasuki: Tasuki) -> None:
    await tasuki("apply", "-", stdin=late_bound())
    wrong = ("--fact", f"nobody/wan0/global-address={NEW}", "--fact", "home/wan0/delegated-prefix=x")
    result = await tasuki("diff", *wrong)
    assert result.status == 1
    assert "there is no router 'nobody'; there are: home, vps" in result.err
    assert "'x' is no IPv6 prefix without host bits" in result.err


async def test_python_asks_the_same(tasuki: Tasuki, controller: ControllerProcess) -> None:
    await tasuki("apply", "-", stdin=late_bound())
    async with AsyncClient(controller.target) as client:
        (fact,) = (await client.facts(router="home")).facts
        assert (fact.subject, fact.noun, list(fact.values)) == ("wan0", "global-address", [])
        assert list(await client.fact_changes(limit=1)) == []
        answer = await client.diff(suppose=[f"{FACT}={NEW}"])
        assert [each.router for each in answer.routers] == ["home", "vps"]
        with pytest.raises(ConfigRejected, match="leave the other fields out"):
            await client.diff({}, routers={"home": {}}, suppose=[f"{FACT}={NEW}"])
        with pytest.raises(ValueError, match="supposes nothing"):
            await client.diff(suppose=["home"])
