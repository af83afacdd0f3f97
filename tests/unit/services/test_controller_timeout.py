"""How long a change may keep a router from its controller: said once for the network, compiled."""

import pytest
from tasuki_controller.running import Running
from tasuki_controller.transaction import Edit, prepare
from tasuki_yang.errors import InvalidIntent
from tasuki_yang.router import Router
from tasuki_yang.tree import Tree


def intended(timeout: int | None, written: Tree | None = None) -> Tree:
    entry: Tree = {"name": "home"} | ({} if timeout is None else {"controller-timeout": timeout})
    edit = Edit(
        network={"tasuki-network:network": {"router": [entry]}}, routers={"home": written} if written else {}
    )
    return prepare(Running(), edit).intended["home"]


@pytest.mark.parametrize("timeout", [0, 10, 60, 3600])
def test_what_the_network_tree_says_reaches_the_router(timeout: int) -> None:
    tree = intended(timeout)
    assert tree == {"tasuki-agent:agent": {"controller-timeout": timeout}}
    assert Router.model_validate(tree).agent.controller_timeout == timeout


def test_what_it_does_not_say_is_a_minute() -> None:
    assert intended(None) == {}
    assert Router.model_validate({}).agent.controller_timeout == 60


def test_what_it_does_not_say_may_be_written_for_the_router() -> None:
    written = {"tasuki-agent:agent": {"controller-timeout": 30}}
    assert intended(None, written) == written


@pytest.mark.parametrize("timeout", [1, 9, 3601, -1])
def test_other_times_are_refused(timeout: int) -> None:
    with pytest.raises(InvalidIntent) as refused:
        intended(timeout)
    assert refused.value.errors[0].error_path.endswith("/controller-timeout")
