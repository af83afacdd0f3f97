"""Daemons as kinds compare them: a difference wherever there is one, in the lines that differ."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from tasuki_agent.daemon import Daemon
from tasuki_agent.kind import Compound, differences

NAMES = st.sampled_from(["a.conf", "hosts", "c"])
TEXTS = st.text(alphabet="ab\n", max_size=8)
DAEMONS = st.builds(
    Daemon,
    files=st.dictionaries(NAMES, TEXTS),
    reread=st.frozensets(NAMES),
    health=st.sampled_from(["", "it does not run"]),
    current=st.booleans(),
)
WANTED = Daemon({"dnsmasq.conf": "one\ntwo\nthree\n", "hosts": "a\n"}, frozenset({"hosts"}))


def test_a_daemon_says_itself_where_it_differs() -> None:
    assert isinstance(WANTED, Compound)


@given(DAEMONS, DAEMONS)
def test_there_is_a_difference_exactly_where_daemons_are_not_equal(one: Daemon, other: Daemon) -> None:
    assert bool(one.differences(other)) == (one != other)
    assert all(ours != theirs for ours, theirs in differences(one, other).values())


@given(DAEMONS, DAEMONS)
def test_the_digests_tell_any_two_sets_of_files_apart(one: Daemon, other: Daemon) -> None:
    other = replace(other, reread=one.reread)
    digests_equal = (one.digest, one.reread_digest) == (other.digest, other.reread_digest)
    assert digests_equal == (one.files == other.files)


def test_only_what_is_read_when_it_starts_is_in_the_digest() -> None:
    assert replace(WANTED, files={**WANTED.files, "hosts": "b\n"}).digest == WANTED.digest
    assert replace(WANTED, files={**WANTED.files, "dnsmasq.conf": "one\n"}).digest != WANTED.digest


def test_text_that_moves_from_one_file_to_another_changes_the_digest() -> None:
    assert Daemon({"a": "bc"}).digest != Daemon({"ab": "c"}).digest


def test_only_the_lines_that_differ_are_told() -> None:
    observed = replace(WANTED, files={**WANTED.files, "dnsmasq.conf": "one\n2\nthree\n"})
    assert WANTED.differences(observed) == {"dnsmasq.conf": ("two", "2")}


def test_lines_in_another_order_are_told_as_they_are() -> None:
    observed = replace(WANTED, files={**WANTED.files, "dnsmasq.conf": "two\none\nthree\n"})
    assert WANTED.differences(observed) == {"dnsmasq.conf": ("one\ntwo\nthree\n", "two\none\nthree\n")}


def test_an_empty_line_too_many_is_told_too() -> None:
    assert Daemon({"a": ""}).differences(Daemon({"a": "\n"})) == {"a": ("", "\n")}


def test_a_file_that_is_not_there_is_none() -> None:
    observed = replace(WANTED, files={"dnsmasq.conf": WANTED.files["dnsmasq.conf"], "more": "x"})
    assert WANTED.differences(observed) == {"hosts": ("a\n", None), "more": (None, "x")}


def test_that_files_have_yet_to_be_read_is_told_only_where_nothing_else_differs() -> None:
    stale = replace(WANTED, current=False)
    assert WANTED.differences(stale) == {"current": (True, False)}
    assert set(WANTED.differences(replace(stale, files={}))) == {"dnsmasq.conf", "hosts"}
    assert set(WANTED.differences(replace(stale, health="it does not run"))) == {"health"}
