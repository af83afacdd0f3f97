"""A DNS server as small as it can be, whose answers and moods a test sets while it runs."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import dns.message
import dns.rcode
import dns.rrset
from netns import Namespace


@dataclass
class Nameserver:
    """Answers on UDP port 53.

    Attributes:
        records: of each name, all of one type, as in a zone file: "AAAA 2001:db8::1".
        ttl: of all records.
        rcode: what every answer says instead, such as "SERVFAIL".
        silent: whether it says nothing at all.
        asked: the names that were asked for, the last one last.
    """

    records: dict[str, list[str]] = field(default_factory=dict)
    ttl: int = 5
    rcode: str = ""
    silent: bool = False
    asked: list[str] = field(default_factory=list)

    @contextmanager
    def on(self, machine: Namespace, address: str) -> Iterator[None]:
        """Answer at this address of a machine."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with machine.entered():
            server = socket.socket(family, socket.SOCK_DGRAM)
        ended = threading.Event()
        with server:
            server.bind((address, 53))
            server.settimeout(0.05)
            thread = threading.Thread(target=self._serve, args=(server, ended), daemon=True)
            thread.start()
            try:
                yield
            finally:
                ended.set()
                thread.join()

    def _serve(self, server: socket.socket, ended: threading.Event) -> None:
        while not ended.is_set():
            try:
                query, client = server.recvfrom(4096)
            except TimeoutError:
                continue
            answer = self._answer(dns.message.from_wire(query))
            if not self.silent:
                with suppress(OSError):  # nobody is where the question came from any more
                    server.sendto(answer.to_wire(), client)

    def _answer(self, query: dns.message.Message) -> dns.message.Message:
        name = query.question[0].name.to_text(omit_final_dot=True)
        self.asked.append(name)
        answer = dns.message.make_response(query, recursion_available=True)
        if self.rcode or name not in self.records:
            answer.set_rcode(dns.rcode.from_text(self.rcode or "NXDOMAIN"))
            return answer
        for _ in range(8):
            if name not in self.records:
                break
            rdtypes, data = zip(*(record.split() for record in self.records[name]), strict=True)
            answer.answer.append(dns.rrset.from_text(f"{name}.", self.ttl, "IN", rdtypes[0], *data))
            name = data[0].rstrip(".") if rdtypes[0] == "CNAME" else ""
        return answer


@contextmanager
def asked_by(machine: Namespace, address: str) -> Iterator[None]:
    """Have the programs that are started on the machine meanwhile ask the server at this address."""
    own = Path("/etc/netns", machine.name)
    own.mkdir(parents=True)
    file = own / "resolv.conf"
    file.write_text(f"nameserver {address}\n")
    try:
        yield
    finally:
        file.unlink()
        own.rmdir()
