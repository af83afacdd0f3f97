"""nftables: what the kernel itself says of the ruleset, and the program nft(8) for all that it does not.

What people write, what the kernel keeps and what is listed are three languages, and nft is at home in all of
them. It costs a process each time. So two small questions go to the kernel directly: which generation the
ruleset is in, and whether a table is there. A router without a table of ours never runs nft, and need not
have it.
"""

import errno
import json
import logging
import os
import re
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeGuard

from tasuki_agent.durable import replace_file
from tasuki_agent.errors import Transient
from tasuki_agent.kernel import uapi
from tasuki_agent.kernel.attributes import parse, string, text
from tasuki_agent.kernel.netlink import open_socket
from tasuki_agent.kernel.run import run
from tasuki_agent.kind import Topic

PROGRAM: Final = "nft"
TOPIC: Final = Topic((uapi.NFNLGRP_NFTABLES,), (uapi.NFT_MSG_NEWGEN,), protocol=uapi.NETLINK_NETFILTER)
"""One message ends each transaction, whoever made it and whatever is in it."""

_HEAD = struct.Struct("=LHHLL")
_ERROR = struct.Struct("=i")
_FAMILY = struct.Struct("=BBH")
"""struct nfgenmsg: family, version, resource."""
_INET = _FAMILY.pack(uapi.NFPROTO_INET, 0, 0)
_UDATA_COMMENT = 0
"""NFTNL_UDATA_TABLE_COMMENT of libnftnl/udata.h."""
_COMPLAINT = re.compile(r"Error: (.+)")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TableHead:
    """What the kernel tells of a table without its contents."""

    handle: int
    """Number that no other table of this network namespace ever had."""
    comment: str


class Nft:
    """The tables of the family inet in the network namespace of the thread that makes this object."""

    def __init__(self, record: Path) -> None:
        """Keep in the record how nft spells what it was given otherwise."""
        self._record = record
        self.spellings: Mapping[str, str] = self._load()
        """What was loaded, by how it was listed right after that."""
        self._socket = _open()

    def close(self) -> None:
        """End it. The tables stay."""
        if self._socket:
            self._socket.close()

    def generation(self) -> int | None:
        """A number that every transaction counts up, anybody's; None if the kernel has no nftables."""
        answer = self._ask(uapi.NFT_MSG_GETGEN, bytes(_FAMILY.size))
        return int.from_bytes(answer[uapi.NFTA_GEN_ID], "big") if answer else None

    def table(self, name: str) -> TableHead | None:
        """The table, if it is there."""
        answer = self._ask(uapi.NFT_MSG_GETTABLE, _INET + string(uapi.NFTA_TABLE_NAME, name))
        if answer is None:
            return None
        handle = int.from_bytes(answer[uapi.NFTA_TABLE_HANDLE], "big")
        return TableHead(handle, _comment(answer.get(uapi.NFTA_TABLE_USERDATA, b"")))

    async def list(self, name: str) -> str:
        """The table as people read it, without what changes by itself: counters and times.

        Raises:
            Transient: nft is missing or fails, as when there is no such table.
        """
        return await self._run("--stateless", "list", "table", "inet", name, doing=f"list table inet {name}")

    async def load(self, script: str, *, doing: str) -> None:
        """Carry the script out in one transaction: all of it, or nothing.

        Raises:
            Transient: nft is missing or refuses it; the message begins with `doing`.
        """
        await self._run("--file", "-", stdin=script, doing=doing)

    async def check(self, script: str, *, doing: str) -> None:
        """Have nft and the kernel say whether they would carry the script out.

        Raises:
            Transient: as `load`.
        """
        await self._run("--check", "--file", "-", stdin=script, doing=doing)

    def remember(self, spellings: Mapping[str, str]) -> None:
        """Take these spellings for good, across restarts too."""
        if spellings == self.spellings:
            return
        self.spellings = spellings
        try:
            replace_file(self._record, json.dumps({"spellings": spellings}, indent=2).encode())
        except OSError as error:
            _log.warning(
                "cannot keep on the disk how nft spells what it was given: %s;"
                " the table is loaded once more after a restart",
                error,
            )

    async def _run(self, *arguments: str, doing: str, stdin: str = "") -> str:
        answer = await run(PROGRAM, *arguments, doing=doing, stdin=stdin)
        if answer.status != 0:
            raise Transient(f"{doing}: {_complaint(answer.complaint)}")
        return answer.output

    def _ask(self, message_type: int, payload: bytes) -> dict[int, bytes] | None:
        """The attributes of the kernel's answer; None if there is nothing of the sort.

        The kernel answers inside send(), within microseconds.
        """
        if self._socket is None:
            return None
        head = _HEAD.pack(_HEAD.size + len(payload), message_type, uapi.NLM_F_REQUEST, 1, 0)
        try:
            self._socket.send(head + payload)
            answer = self._socket.recv(1 << 16)
        except OSError as e:
            raise Transient(f"ask for the state of nftables: {e.strerror}") from e
        _, answer_type, _, _, _ = _HEAD.unpack_from(answer)
        if answer_type != uapi.NLMSG_ERROR:
            return parse(answer, _HEAD.size + _FAMILY.size)
        number = -_ERROR.unpack_from(answer, _HEAD.size)[0]
        # EINVAL and EOPNOTSUPP: there is no such part of netfilter in this kernel.
        if number in (errno.ENOENT, errno.EINVAL, errno.EOPNOTSUPP):
            return None
        raise Transient(f"ask for the state of nftables: {os.strerror(number)}")

    def _load(self) -> Mapping[str, str]:
        try:
            record = json.loads(self._record.read_bytes())
        except FileNotFoundError:
            return {}
        except ValueError:
            record = None
        match record:
            case {"spellings": dict(spellings)} if _are_texts(spellings):
                return spellings
        _log.warning("%s is damaged: what nft spells otherwise is loaded anew", self._record)
        return {}


def _open() -> socket.socket | None:
    """A socket to ask by; None if the kernel has no netfilter."""
    try:
        return open_socket(1 << 16, uapi.NETLINK_NETFILTER)
    except OSError as e:
        if e.errno != errno.EPROTONOSUPPORT:
            raise
        return None


def _are_texts(record: dict[Any, Any]) -> TypeGuard[dict[str, str]]:
    return all(isinstance(value, str) for value in record.values())


def _comment(userdata: bytes) -> str:
    """The comment among what nft keeps with a table: a byte for the type, one for the length, the value."""
    while len(userdata) > 2:  # noqa: PLR2004 - length of the head
        kind, length = userdata[0], userdata[1]
        if kind == _UDATA_COMMENT:
            return text(userdata[2 : 2 + length])
        userdata = userdata[2 + length :]
    return ""


def _complaint(said: str) -> str:
    """The errors in what nft says, each with the line of the script that it is about."""
    lines = said.splitlines()
    complaints = [
        f"{match[1]}: {lines[number + 1].strip()}" if number + 1 < len(lines) else match[1]
        for number, line in enumerate(lines)
        if (match := _COMPLAINT.search(line))
    ]
    return "; ".join(complaints) or said.strip() or "nft failed without a word"
