"""Parameters under /proc/sys, and what they were before we wrote them.

A parameter carries no mark of its owner. So each one's earlier value is on disk before its first write;
whatever is recorded there is ours to set back. The record counts for one boot and one network namespace, as
the parameters do.
"""

import json
import logging
import os
import re
import socket
import sys
from pathlib import Path
from typing import Any, TypeGuard

from tasuki_agent.durable import replace_file
from tasuki_agent.errors import Permanent, error_class
from tasuki_agent.kernel.uapi import SO_NETNS_COOKIE

_ROOT = Path("/proc/sys")
_KEY = re.compile(r"net(/(?!\.{1,2}/)[^/\0]+)+")
"""No way out of /proc/sys/net, whatever an interface is called in an intent."""

_LONGEST = 4096
"""Bytes of a value."""

_log = logging.getLogger(__name__)


class Sysctls:
    """The parameters of the calling thread's network namespace.

    Keys are paths below /proc/sys, such as "net/ipv6/conf/eth0.100/accept_ra": with slashes, because
    interface names may hold dots.
    """

    def __init__(self, record: Path) -> None:
        self._record = record
        self._world = world()
        self._before = self._load()

    def recorded(self) -> dict[str, str]:
        """Present values of all that we have written. What is gone with its interface is forgotten."""
        values = {key: self.read(key) for key in self._before}
        self._before = {key: before for key, before in self._before.items() if values[key] is not None}
        return {key: value for key, value in values.items() if value is not None}

    def read(self, key: str) -> str | None:
        """The present value; None if there is no such parameter now.

        Raises:
            Permanent: the key is outside /proc/sys/net.
        """
        try:
            file = os.open(_file(key), os.O_RDONLY | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            return None
        try:
            return os.read(file, _LONGEST).decode().strip()
        except FileNotFoundError:
            # Its interface went at this very moment.
            return None
        finally:
            os.close(file)

    def write(self, key: str, value: str) -> None:
        """Set a parameter, with its present value on record first.

        Raises:
            Transient: there is no such parameter now.
            Permanent: the kernel does not take the value, or the key is outside /proc/sys/net.
        """
        before = self.read(key)
        if before is not None and key not in self._before:
            self._before[key] = before
            self._save()
        if before != value:
            _write(key, value)

    def restore(self, key: str) -> None:
        """Set a parameter back to its value from before our first write, and forget it."""
        before = self._before.get(key)
        if before is None:
            return
        if self.read(key) not in (None, before):
            _write(key, before)
        del self._before[key]
        self._save()

    def _load(self) -> dict[str, str]:
        try:
            record = json.loads(self._record.read_bytes())
        except FileNotFoundError:
            return {}
        except ValueError:
            record = None
        match record:
            case {"world": str(world), "before": dict(before)} if _are_values(before):
                return before if world == self._world else {}
        _log.warning("%s is damaged: parameters keep their present values", self._record)
        return {}

    def _save(self) -> None:
        record = {"world": self._world, "before": self._before}
        replace_file(self._record, json.dumps(record, indent=2).encode())


def world() -> str:
    """This boot and this network namespace: what lives and dies with everything that we made.

    The namespace by its cookie: its inode in /proc is another one's as soon as it is gone.
    """
    boot = (_ROOT / "kernel/random/boot_id").read_text().strip()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as here:
        cookie = here.getsockopt(socket.SOL_SOCKET, SO_NETNS_COOKIE, 8)
    return f"{boot} {int.from_bytes(cookie, sys.byteorder)}"


def _are_values(record: dict[Any, Any]) -> TypeGuard[dict[str, str]]:
    return all(isinstance(value, str) and _KEY.fullmatch(key) for key, value in record.items())


def _file(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise Permanent(f"sysctl {key}: not a parameter below net/")
    return f"{_ROOT}/{key}"


def _write(key: str, value: str) -> None:
    try:
        Path(_file(key)).write_text(value)
    except OSError as e:
        raise error_class(e.errno or 0)(f"write sysctl {key}={value}: {e.strerror}") from e
