"""What is said of a supposition, by what the router answers with it and without it."""

from collections.abc import Collection

from tasuki_controller.link import Prepared
from tasuki_controller.northbound.facts import Guess
from tasuki_controller.outcome import Result
from tasuki_yang.errors import ConfigError
from tasuki_yang.facts import FactKey

AFTR = FactKey("wan0", "aftr-name")
NAME = FactKey("gw.example.net", "addresses")
CHAIN = {AFTR: ("gw.example.net",), NAME: ("2001:db8::7",)}
WAITS_FOR_NAME = "link ip6tnl1 waits for an IPv6 address of the name gw.example.net"
WAITS_FOR_AFTR = "link ip6tnl1 waits for the AFTR of the lease on wan0"
OTHER = "link st1 waits for a global address of wan1"


def guess(*depended: FactKey) -> Guess:
    return Guess("office", CHAIN, depended)


def answer(plan: Collection[str] = (), waiting: Collection[str] = ()) -> Prepared:
    return Prepared(answered=True, plan=tuple(plan), waiting=tuple(waiting))


def test_what_is_asked_for_only_with_the_supposition_is_not_called_idle() -> None:
    outcome = guess(AFTR).foreseen(answer(), answer(["create link ip6tnl1"]))
    assert (outcome.result, outcome.message) == (Result.PENDING, "")


def test_a_changed_wait_shows_that_something_depends_on_it_and_what_waits_anyway_is_left_out() -> None:
    outcome = guess(AFTR).foreseen(
        answer(waiting=[OTHER, WAITS_FOR_AFTR]), answer(waiting=[OTHER, WAITS_FOR_NAME])
    )
    assert outcome.result is Result.WAITING
    assert outcome.message.splitlines() == [WAITS_FOR_NAME, f"no longer: {WAITS_FOR_AFTR}"]


def test_where_nothing_at_all_changes_nothing_depends_on_it() -> None:
    same = answer(["create link st9"], [OTHER])
    outcome = guess(AFTR).foreseen(same, same)
    assert outcome.result is Result.PENDING
    assert outcome.message == (
        "nothing in the intent depends on office/gw.example.net/addresses;"
        " it depends on: office/wan0/aftr-name"
    )


def test_of_a_router_that_does_not_answer_it_cannot_be_known() -> None:
    outcome = guess().foreseen(Prepared(), Prepared())
    assert outcome.result is Result.OFFLINE
    assert outcome.message == (
        "whether anything depends on office/wan0/aftr-name, office/gw.example.net/addresses"
        " cannot be known while office is offline"
    )


def test_a_refusal_stands_alone() -> None:
    refused = Prepared(answered=True, refusals=(ConfigError(error_tag="invalid-value", message="No."),))
    outcome = guess(AFTR).foreseen(answer(waiting=[OTHER]), refused)
    assert (outcome.result, outcome.message) == (Result.FAILED, "No.")
