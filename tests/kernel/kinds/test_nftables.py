"""Our table against the kernel and nft(8): what is loaded, seen, changed by hand, and left alone."""

import asyncio
import errno
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kernel.kinds.machine import Kinds
from netns import Namespace
from tasuki_agent.errors import Foreign, Transient
from tasuki_agent.intent import BrokenIntent, Intent
from tasuki_agent.kernel import Kernel, monitor, netlink, nft, run, uapi
from tasuki_agent.kind import Create, Delete, Update, differences
from tasuki_agent.kinds import load
from tasuki_agent.kinds.nftables.kind import NftablesKind
from tasuki_agent.kinds.nftables.model import INTERFACES, TABLE, Table
from tasuki_agent.kinds.nftables.ruleset import Block
from tasuki_agent.known import Known
from tasuki_agent.prepare import prepare
from tasuki_agent.reconcile.facts import FactBook

CLAMP, KEEP_OUT = "tun0 tcp-mss-clamp", "tun0 keep-ipv6-autoconfiguration-out"
OTHERS = """
table inet lxd {
	comment "somebody's"
	chain forward {
		type filter hook forward priority filter; policy accept;
		iifname "lxdbr0" counter accept
	}
}
table ip nat {
	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		ip saddr 172.17.0.0/16 masquerade
	}
}
table ip tasuki {
	chain ours-by-name-only {
	}
}
"""


def intent(*names: str, **leaves: Any) -> Intent:
    asked = leaves or {
        "tcp-mss-clamp": 1420,
        "keep-ipv6-autoconfiguration-out": True,
        "keep-ipv6-forwarding-out": True,
    }
    members = {f"tasuki-nftables:{leaf}": value for leaf, value in asked.items()}
    interfaces = [{"name": name, "type": "iana-if-type:other", **members} for name in names]
    return Intent.parse(1, json.dumps({"ietf-interfaces:interfaces": {"interface": interfaces}}).encode())


def table(*names: str, **leaves: Any) -> Table:
    (spec,) = NftablesKind.want(intent(*names, **leaves).tree(), Known()).values()
    return spec


WANTED = table("tun0")


@pytest.fixture
def kind(kinds: Kinds) -> NftablesKind:
    found = kinds["nftables"]
    assert isinstance(found, NftablesKind)
    return found


async def seen(kind: NftablesKind) -> Table:
    return (await kind.observe())[TABLE]


async def test_a_table_is_ours_and_seen_as_it_was_loaded(kind: NftablesKind, kinds: Kinds) -> None:
    await kind.apply(Create(TABLE, WANTED))
    assert await kinds.ours("nftables") == {TABLE: WANTED}


async def test_what_we_write_is_spelled_as_nft_lists_it(kind: NftablesKind, kernel: Kernel) -> None:
    """So that a drift report shows what has changed, and not what is merely spelled otherwise."""
    await kind.apply(Create(TABLE, WANTED))
    assert kernel.nft.spellings == {}


async def test_every_name_that_the_models_allow_is_loaded_and_seen_again(kind: NftablesKind) -> None:
    characters = [chr(code) for code in range(0x21, 0x7F) if chr(code) not in '/:"*\\']
    names = ["".join(characters[n : n + 15]) for n in range(0, len(characters), 15)]
    spec = table(*names)
    await kind.apply(Create(TABLE, spec))
    assert await seen(kind) == spec


@pytest.mark.parametrize("mss", [536, 1460, 65495])
async def test_every_mss_that_the_models_allow_is_loaded_and_seen_again(kind: NftablesKind, mss: int) -> None:
    spec = table("tun0", **{"tcp-mss-clamp": mss})
    await kind.apply(Create(TABLE, spec))
    assert await seen(kind) == spec


async def test_a_table_of_many_interfaces_is_seen_as_it_was_loaded(kind: NftablesKind) -> None:
    spec = table(*(f"tun{n}" for n in range(300)))
    await kind.apply(Create(TABLE, spec))
    assert await seen(kind) == spec


@pytest.mark.parametrize("wanted", [table("tun0", "tun1"), table("tun0", **{"tcp-mss-clamp": 1400})])
async def test_a_change_is_one_transaction(kind: NftablesKind, kernel: Kernel, wanted: Table) -> None:
    await kind.apply(Create(TABLE, WANTED))
    before = await seen(kind)
    assert kind.in_place(before, wanted)
    generation = kernel.nft.generation()
    assert generation is not None
    await kind.apply(Update(TABLE, before, wanted))
    assert kernel.nft.generation() == generation + 1
    assert await seen(kind) == wanted


async def test_a_deletion_takes_the_table_away_and_may_be_repeated(kind: NftablesKind) -> None:
    await kind.apply(Create(TABLE, WANTED))
    before = await seen(kind)
    await kind.apply(Delete(TABLE, before))
    await kind.apply(Delete(TABLE, before))
    assert await kind.observe() == {}


@pytest.mark.parametrize(
    ("command", "part", "apart"),
    [
        (
            "add rule inet tasuki forward-syn tcp dport 25 drop",
            "chain forward-syn",
            ("", "tcp dport 25 drop"),
        ),
        ("add chain inet tasuki mine", "chain mine", ("", "chain mine")),
        ("add set inet tasuki mine { type ipv4_addr; }", "set mine", ("", "set mine; type ipv4_addr")),
        ("add counter inet tasuki mine", "counter mine", ("", "counter mine")),
        (
            "chain inet tasuki forward-syn { policy drop; }",
            "chain forward-syn",
            (
                "type filter hook forward priority mangle; policy accept;",
                "type filter hook forward priority mangle; policy drop;",
            ),
        ),
        (
            "flush chain inet tasuki forward-syn",
            "chain forward-syn",
            ("tcp flags syn / syn,rst jump clamp-mss", ""),
        ),
        ("add table inet tasuki { flags dormant; }", "table", ("", "table; flags dormant")),
        (
            f'add rule inet tasuki clamp-mss iifname "tun1" accept comment "{CLAMP}"',
            CLAMP,
            ("", 'iifname "tun1" accept'),
        ),
    ],
)
async def test_what_somebody_changes_is_seen_and_undone(
    router: Namespace, kind: NftablesKind, command: str, part: str, apart: tuple[str, str]
) -> None:
    await kind.apply(Create(TABLE, WANTED))
    router.run("nft", command)
    changed = await seen(kind)
    assert differences(WANTED, changed) == {part: apart}

    await kind.apply(Update(TABLE, changed, WANTED))
    assert await seen(kind) == WANTED


async def test_a_missing_rule_is_seen_at_the_leaf_that_asks_for_it(
    router: Namespace, kind: NftablesKind
) -> None:
    await kind.apply(Create(TABLE, WANTED))
    delete_rule(router, "keep-autoconfiguration-out", "nd-router-advert")
    assert differences(WANTED, await seen(kind)) == {
        KEEP_OUT: ('oifname "tun0" icmpv6 type nd-router-advert drop', "")
    }
    (key,) = NftablesKind.want(intent("tun0").tree(), Known())
    assert kind.path(key, KEEP_OUT) == (
        f"{INTERFACES}/interface[name='tun0']/tasuki-nftables:keep-ipv6-autoconfiguration-out"
    )


def delete_rule(router: Namespace, chain: str, of: str) -> None:
    """Delete the rule that has this text."""
    listing = router.run("nft", "--handle", "list", "chain", "inet", "tasuki", chain)
    (handle,) = (line.rpartition(" ")[2] for line in listing.splitlines() if of in line)
    router.run("nft", "delete", "rule", "inet", "tasuki", chain, "handle", handle)


async def test_a_rule_that_was_moved_is_seen(router: Namespace, kind: NftablesKind) -> None:
    await kind.apply(Create(TABLE, WANTED))
    rule = next(block for block in WANTED.blocks if block.head == "chain keep-autoconfiguration-out").lines[1]
    delete_rule(router, "keep-autoconfiguration-out", "nd-router-advert")
    router.run("nft", f"add rule inet tasuki keep-autoconfiguration-out {rule}")
    assert set(differences(WANTED, await seen(kind))) == {KEEP_OUT}


@pytest.mark.parametrize("command", ["flush ruleset", "delete table inet tasuki"])
async def test_a_table_that_somebody_deleted_is_seen_to_be_missing(
    router: Namespace, kind: NftablesKind, command: str
) -> None:
    await kind.apply(Create(TABLE, WANTED))
    await kind.observe()
    router.run("nft", command)
    assert await kind.observe() == {}


@pytest.mark.usefixtures("router")
async def test_a_transaction_wakes_nobody_else(kind: NftablesKind, kinds: Kinds, kernel: Kernel) -> None:
    events = kernel.events({name: kinds[name].wakes_on for name in ("route", "nftables", "link")})
    await kind.apply(Create(TABLE, WANTED))
    async with asyncio.timeout(10):
        assert await anext(events) == {"nftables"}


async def test_a_kernel_without_netfilter_has_no_tables_and_tells_of_none(
    router: Namespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = netlink.open_socket

    def without_netfilter(receive_queue: int, protocol: int = uapi.NETLINK_ROUTE) -> Any:
        if protocol == uapi.NETLINK_NETFILTER:
            raise OSError(errno.EPROTONOSUPPORT, os.strerror(errno.EPROTONOSUPPORT))
        return opened(receive_queue, protocol)

    for module in (monitor, nft):
        monkeypatch.setattr(module, "open_socket", without_netfilter)
    async with Kernel(tmp_path) as kernel:
        events = kernel.events({kind.name: kind.wakes_on for kind in load(kernel)})
        assert await nftables(kernel).observe() == {}
        router.ip("link add br0 type bridge")
        async with asyncio.timeout(10):
            assert "link" in await anext(events)


@pytest.fixture
def others(router: Namespace) -> Iterator[Namespace]:
    """A router on which others have tables, which must be the same in the end."""
    router.run("nft", "-f", "-", stdin=OTHERS)
    before = router.run("nft", "-a", "list", "ruleset")
    yield router
    assert router.run("nft", "-a", "list", "ruleset") == before


async def test_tables_of_others_are_not_seen_and_survive(others: Namespace, kind: NftablesKind) -> None:
    assert await kind.observe() == {}
    await kind.apply(Create(TABLE, WANTED))
    wider = table("tun0", "tun1")
    await kind.apply(Update(TABLE, await seen(kind), wider))
    assert await kind.observe() == {TABLE: wider}
    await kind.apply(Delete(TABLE, await seen(kind)))


@pytest.mark.parametrize("comment", ["", ' { comment "mine"; }'])
async def test_a_table_of_our_name_without_our_mark_is_foreign_and_survives(
    router: Namespace, kind: NftablesKind, kinds: Kinds, comment: str
) -> None:
    router.run("nft", f"add table inet tasuki{comment}")
    router.run("nft", "add chain inet tasuki precious")
    assert TABLE in await kind.observe()
    assert await kinds.ours("nftables") == {}
    with pytest.raises(Foreign, match="create nftables table inet tasuki: a table of this name is there"):
        await kind.apply(Create(TABLE, WANTED))
    assert "precious" in router.run("nft", "list", "ruleset")


async def test_neither_a_change_nor_a_deletion_hits_another_table_that_took_the_name(
    router: Namespace, kind: NftablesKind
) -> None:
    await kind.apply(Create(TABLE, WANTED))
    before = await seen(kind)
    router.run("nft", "delete table inet tasuki")
    router.run("nft", "add table inet tasuki")
    router.run("nft", "add chain inet tasuki precious")
    await kind.apply(Delete(TABLE, before))
    with pytest.raises(Transient, match=r"change nftables table inet tasuki: .*No such file or directory"):
        await kind.apply(Update(TABLE, before, WANTED))
    assert "precious" in router.run("nft", "list", "ruleset")


RESPELLED = Table(
    (Block("chain c", ("tcp flags & (syn | rst) == syn accept", "meta l4proto tcp tcp dport 22 drop")),)
)


async def test_what_nft_spells_otherwise_counts_as_what_was_loaded(
    router: Namespace, kind: NftablesKind, kernel: Kernel
) -> None:
    await kind.apply(Create(TABLE, RESPELLED))
    assert kernel.nft.spellings
    assert await seen(kind) == RESPELLED
    router.run("nft", "add rule inet tasuki c tcp dport 25 drop")
    assert await seen(kind) != RESPELLED


@pytest.mark.parametrize("wanted", [WANTED, RESPELLED])
async def test_after_a_restart_a_table_is_known_again_and_so_is_what_changed_meanwhile(
    router: Namespace, tmp_path: Path, wanted: Table
) -> None:
    async with Kernel(tmp_path) as kernel:
        await nftables(kernel).apply(Create(TABLE, wanted))
    async with Kernel(tmp_path) as kernel:
        assert await seen(nftables(kernel)) == wanted
    router.run("nft", f"add rule inet tasuki {wanted.blocks[0].head.split()[1]} tcp dport 25 drop")
    async with Kernel(tmp_path) as kernel:
        assert set(differences(wanted, await seen(nftables(kernel)))) == {wanted.blocks[0].head}


def nftables(kernel: Kernel) -> NftablesKind:
    (found,) = (kind for kind in load(kernel) if isinstance(kind, NftablesKind))
    return found


async def test_a_damaged_record_is_told_and_costs_no_more_than_another_load(
    router: Namespace, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with Kernel(tmp_path) as kernel:
        await nftables(kernel).apply(Create(TABLE, RESPELLED))
    (tmp_path / "nftables.json").write_text('{"spellings": {"chain c {": 7}}')
    async with Kernel(tmp_path) as kernel:
        kind = nftables(kernel)
        assert "nftables.json is damaged" in caplog.text
        found = await seen(kind)
        assert found != RESPELLED
        await kind.apply(Update(TABLE, found, RESPELLED))
        assert await seen(kind) == RESPELLED


async def test_nothing_is_learned_of_a_listing_that_somebody_may_have_changed(
    router: Namespace, kind: NftablesKind, kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing = kernel.nft.list

    async def meddled_with(name: str) -> str:
        router.run("nft", "add rule inet tasuki forward-syn drop")
        return await listing(name)

    monkeypatch.setattr(kernel.nft, "list", meddled_with)
    with pytest.raises(Transient, match="somebody changed nftables at the same time"):
        await kind.apply(Create(TABLE, WANTED))
    monkeypatch.undo()
    assert set(differences(WANTED, await seen(kind))) == {"chain forward-syn"}


def look_for_programs_in(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "environment", lambda: {"PATH": f"{directory}"})


@pytest.fixture
def no_nft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    look_for_programs_in(tmp_path, monkeypatch)


@pytest.mark.usefixtures("no_nft")
async def test_without_a_table_nft_is_not_needed(others: Namespace, kind: NftablesKind) -> None:
    for _ in range(2):
        assert await kind.observe() == {}


@pytest.mark.usefixtures("no_nft", "router")
async def test_a_missing_program_is_told_with_what_to_install(kind: NftablesKind) -> None:
    with pytest.raises(Transient, match=r"create nftables table inet tasuki: .*install the package nftables"):
        await kind.apply(Create(TABLE, WANTED))


async def test_a_table_that_can_no_longer_be_listed_says_why(
    kind: NftablesKind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await kind.apply(Create(TABLE, WANTED))
    look_for_programs_in(tmp_path, monkeypatch)
    (_, why), *_ = differences(WANTED, await seen(kind)).values()
    assert "install the package nftables" in why
    monkeypatch.undo()
    assert await seen(kind) == WANTED


async def test_a_kernel_that_does_not_tell_of_nftables_keeps_nobody_from_seeing_the_rest(
    kinds: Kinds, kind: NftablesKind, kernel: Kernel
) -> None:
    await kind.apply(Create(TABLE, WANTED))
    there = await seen(kind)
    kernel.nft.close()
    observed = await kinds.observe()
    assert "e0" in observed["link"]
    (_, why), *_ = differences(WANTED, observed["nftables"][TABLE]).values()
    assert "ask for the state of nftables: Bad file descriptor" in why
    with pytest.raises(Transient, match="ask for the state of nftables"):
        await kind.apply(Update(TABLE, there, WANTED))


@pytest.mark.usefixtures("router")
async def test_a_kernel_that_has_never_told_of_nftables_has_no_table_of_ours(
    kind: NftablesKind, kernel: Kernel
) -> None:
    kernel.nft.close()
    assert await kind.observe() == {}


async def test_a_full_disk_keeps_no_table_from_being_loaded(
    kind: NftablesKind, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "nftables.json.new").mkdir()
    await kind.apply(Create(TABLE, RESPELLED))
    assert await seen(kind) == RESPELLED
    assert "cannot keep on the disk how nft spells" in caplog.text


async def test_nft_is_asked_only_after_a_transaction(
    router: Namespace, kind: NftablesKind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await kind.apply(Create(TABLE, WANTED))
    first = await kind.observe()
    look_for_programs_in(tmp_path, monkeypatch)
    assert await kind.observe() is first
    router.run("nft", "add table ip somebodys")
    assert (await seen(kind)).unread


async def test_a_program_that_does_not_end_is_not_waited_for(
    kind: NftablesKind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "nft"
    program.write_text("#!/bin/sh\nexec /bin/sleep 600\n")
    program.chmod(0o755)
    look_for_programs_in(tmp_path, monkeypatch)
    monkeypatch.setattr(run, "LIMIT", 0.2)
    with pytest.raises(Transient, match="did not end within"):
        await kind.apply(Create(TABLE, WANTED))


BAD = replace(WANTED, blocks=(Block("chain c", ("tcp dport 22 acept",)), *WANTED.blocks))


async def test_what_nft_does_not_take_is_refused_with_its_words_and_nothing_changes(
    kind: NftablesKind,
) -> None:
    for refused in (kind.check(Create(TABLE, BAD)), kind.apply(Create(TABLE, BAD))):
        with pytest.raises(Transient, match=r"create nftables table inet tasuki: .*tcp dport 22 acept"):
            await refused
    assert await kind.observe() == {}


async def test_a_check_changes_nothing(kind: NftablesKind, kernel: Kernel) -> None:
    before = kernel.nft.generation()
    await kind.check(Create(TABLE, WANTED))
    assert kernel.nft.generation() == before
    await kind.apply(Create(TABLE, WANTED))
    await kind.check(Update(TABLE, await seen(kind), table("tun1")))
    await kind.check(Delete(TABLE, await seen(kind)))
    assert await seen(kind) == WANTED


async def test_a_commit_is_prepared_with_nft_where_there_is_something_for_it(
    kernel: Kernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = load(kernel)
    preparation = await prepare(kinds, intent("tun0"), FactBook())
    assert preparation.plan == ["create nftables table inet tasuki"]

    look_for_programs_in(tmp_path, monkeypatch)
    assert (await prepare(kinds, Intent.parse(1, b"{}"), FactBook())).plan == []
    with pytest.raises((Transient, BrokenIntent), match="install the package nftables"):
        await prepare(kinds, intent("tun0"), FactBook())
