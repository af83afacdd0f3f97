"""Names and indexes of interfaces, asked of the kernel each time: both change behind our back."""

import socket

from tasuki_agent.errors import Transient


def index_of(name: str, *, doing: str) -> int:
    """The interface's index.

    Args:
        name: of the interface.
        doing: operation and object that need it, for the error's message.

    Raises:
        Transient: there is no such interface now.
    """
    try:
        return socket.if_nametoindex(name)
    except OSError as e:
        raise Transient(f"{doing}: link {name} does not exist") from e


class Names:
    """Names by index for the length of one dump, with a note of those that were asked for.

    An index without an interface is spelled `if7`, as ip(8) does: the link went away while we looked.
    """

    def __init__(self) -> None:
        self._known: dict[int, str] = {}
        self.asked: list[tuple[int, str]] = []

    def __call__(self, index: int) -> str:
        """The interface's name, noted as asked for."""
        name = self.current(index)
        self.asked.append((index, name))
        return name

    def current(self, index: int) -> str:
        """The interface's name."""
        name = self._known.get(index)
        if name is None:
            name = self._known[index] = _name_of(index)
        return name


def _name_of(index: int) -> str:
    try:
        return socket.if_indextoname(index)
    except OSError:
        return f"if{index}"
