"""What the hook makes of dhcpcd's words."""

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tasuki_agent.facts.leases import SOURCE
from tasuki_yang.facts import FactKey, Facts
from unit.facts.words import IPV4, NEW, OLD, told

HOOK = Path(__file__).parents[3] / "agent/tasuki-agent-lease-hook"
PREFIX, AFTR, ADDRESS = (FactKey("wan0", noun) for noun in ("delegated-prefix", "aftr-name", "ipv4-address"))


def hook(state_dir: Path, reason: str, words: dict[str, str] | None = None, protocol: str = "dhcp6") -> None:
    said = {"interface": "wan0", "reason": reason, "protocol": protocol, **(words or {})}
    environment = {"PATH": os.environ["PATH"], "TASUKI_STATE_DIR": f"{state_dir}", **said}
    done = subprocess.run([HOOK], check=True, capture_output=True, env=environment)
    assert (done.stdout, done.stderr) == (b"", b"")


def learn(state_dir: Path) -> Facts:
    return SOURCE(state_dir).learn([PREFIX, AFTR, ADDRESS], {}, {})


@pytest.mark.parametrize("reason", ["BOUND6", "RENEW6", "REBIND6", "REBOOT6", "INFORM6"])
def test_the_hook_writes_what_dhcpv6_leases(tmp_path: Path, reason: str) -> None:
    hook(tmp_path / "state", reason, told((NEW, 600, 900), (OLD, 0, 0)) | {"old_dhcp6_aftr_name": "x"})
    assert [path.name for path in (tmp_path / "state/leases").iterdir()] == ["wan0.lease"]
    assert learn(tmp_path / "state") == {PREFIX: (NEW,), AFTR: ("gw.example.net",)}


@pytest.mark.parametrize("reason", ["BOUND", "RENEW", "REBIND", "REBOOT", "INFORM"])
def test_the_hook_writes_what_dhcpv4_leases(tmp_path: Path, reason: str) -> None:
    hook(tmp_path, reason, IPV4 | {"old_ip_address": "192.0.2.9"}, "dhcp")
    assert [path.name for path in (tmp_path / "leases").iterdir()] == ["wan0.lease4"]
    assert learn(tmp_path) == {ADDRESS: ("192.0.2.10/24",)}


@pytest.mark.parametrize(
    ("reason", "protocol", "left"),
    [("RELEASE6", "dhcp6", {ADDRESS}), ("RELEASE", "dhcp", {PREFIX, AFTR}), ("NAK", "dhcp", {PREFIX, AFTR})],
)
def test_the_hook_takes_away_what_is_given_back_or_refused_also_twice(
    tmp_path: Path, reason: str, protocol: str, left: set[FactKey]
) -> None:
    hook(tmp_path, "BOUND6", told((OLD, 600, 900)))
    hook(tmp_path, "BOUND", IPV4, "dhcp")
    for _ in range(2):
        hook(tmp_path, reason, {}, protocol)
        assert learn(tmp_path).keys() == left


@pytest.mark.parametrize(
    ("reason", "protocol"),
    [
        ("EXPIRE6", "dhcp6"),
        ("STOP6", "dhcp6"),
        ("TEST", "dhcp6"),
        ("EXPIRE", "dhcp"),
        ("STOP", "dhcp"),
        ("STOPPED", "link"),
        ("NOCARRIER", "link"),
        ("RECONFIGURE", "dhcp"),
        ("BOUND", "link"),
        ("ROUTERADVERT", "ra"),
    ],
)
def test_the_hook_leaves_what_a_client_has_that_only_ends_or_loses_its_line(
    tmp_path: Path, reason: str, protocol: str
) -> None:
    hook(tmp_path, "BOUND6", told((OLD, 600, 900)))
    hook(tmp_path, "BOUND", IPV4, "dhcp")
    hook(tmp_path, reason, told((NEW, 600, 900)), protocol)
    assert learn(tmp_path) == {PREFIX: (OLD,), AFTR: ("gw.example.net",), ADDRESS: ("192.0.2.10/24",)}


def test_a_line_break_in_a_value_forges_no_assignment(tmp_path: Path) -> None:
    forged = (
        "x\nnew_dhcp6_aftr_name=evil.example.net\nnew_dhcp6_ia_pd1_prefix1=2001:db8:666::\nuptime=0\nboot=x"
    )
    hook(tmp_path, "BOUND6", told((OLD, 600, 900), aaa=forged, zzz=forged))
    assert learn(tmp_path) == {PREFIX: (OLD,), AFTR: ("gw.example.net",)}


values = st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), max_size=60)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.one_of(values, st.sampled_from(["$(touch HERE)", "`touch HERE`", "; touch HERE\n", "%s\\n", "-n\n-e"]))
)
def test_whatever_a_value_holds_it_is_data(tmp_path: Path, value: str) -> None:
    value = value.replace("HERE", f"{tmp_path}/here")
    hook(tmp_path, "BOUND6", told((OLD, 600, 900), name_servers=value, domain_search=value))
    assert learn(tmp_path)[PREFIX] == (OLD,)
    lines = (tmp_path / "leases/wan0.lease").read_bytes().decode().split("\n")
    assert f"new_dhcp6_name_servers={value}".replace("\n", "\x01") in lines
    assert [path.name for path in tmp_path.iterdir()] == ["leases"]


def test_a_value_that_is_no_text_spoils_nothing_else(tmp_path: Path) -> None:
    hook(
        tmp_path, "BOUND6", told((OLD, 600, 900), domain_search=b"\xff\xfe".decode(errors="surrogateescape"))
    )
    assert learn(tmp_path)[PREFIX] == (OLD,)


def test_a_lease_that_the_hook_cannot_write_leaves_the_one_before(tmp_path: Path) -> None:
    hook(tmp_path, "BOUND6", told((OLD, 600, 900)))
    (tmp_path / "leases/wan0.lease.new").mkdir()
    with pytest.raises(subprocess.CalledProcessError):
        hook(tmp_path, "RENEW6", told((NEW, 600, 900)))
    assert learn(tmp_path)[PREFIX] == (OLD,)


def test_a_person_who_runs_the_hook_is_told_who_does() -> None:
    done = subprocess.run(
        [HOOK], check=False, capture_output=True, text=True, env={"PATH": os.environ["PATH"]}
    )
    assert done.returncode != 0
    assert "dhcpcd runs this" in done.stderr
