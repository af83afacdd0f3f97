"""What routers say, made fit to be kept.

A router that is broken, or somebody else's by now, holds a valid certificate all the same. What it says is
stored and shown to everybody, so nothing gets past here that would break the view of the other routers:
times of no calendar, texts and lists without end, values that no client knows. Such things are mended and
not refused, for the rest of the message is still the best that is known of that router.
"""

from collections.abc import MutableSequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from tasuki_proto.v1 import agent_pb2, fact_pb2

_EARLIEST: Final = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp())
_AHEAD: Final = timedelta(hours=1)
"""By how much a router's clock may be ahead."""
_LEASED: Final = 1 << 32
"""Seconds that a value may hold: lifetimes have 32 bits."""
_NANOSECONDS: Final = 1_000_000_000
_TEXT: Final = 4 << 10
"""Bytes of one text."""
_ENTRIES: Final = 20_000
"""Entries of one list."""
_DRIFT: Final = 1_000
"""Drift items of one report."""
_FACTS: Final = 1_000
"""Facts of one report."""
_VALUES: Final = 16
"""Values of one fact."""
_FACTS_SIZE: Final = 1 << 20
"""Bytes of all of them."""
_LIST: Final = 16 << 20
"""Bytes of one list."""


def screen(request: agent_pb2.ConnectRequest) -> None:
    """Mend in place what must not be kept as it is."""
    # Otherwise they would be stored with the message that they came in, whatever their size.
    request.DiscardUnknownFields()
    if request.WhichOneof("message") == "report":
        # What is acknowledged is a number up to which all is stored: the rest must come after it.
        request.report.drift.sort(key=lambda sequenced: sequenced.sequence)
        del request.report.drift[_DRIFT:]
        _shorten(request.report.facts)
    _mend(request, int((datetime.now(UTC) + _AHEAD).timestamp()))


def _shorten(facts: MutableSequence[fact_pb2.Fact]) -> None:
    """Leave no more facts than a router can need: each is read, stored and listed whenever one changes."""
    del facts[_FACTS:]
    size = 0
    for place, fact in enumerate(facts):
        del fact.values[_VALUES:]
        del fact.terms[len(fact.values) :]
        size += fact.ByteSize()
        if size > _FACTS_SIZE:
            del facts[place:]
            return


def _mend(message: Message, latest: int) -> None:
    if isinstance(message, fact_pb2.Terms):
        latest += _LEASED
    for field, value in message.ListFields():
        if isinstance(value, Timestamp):
            value.seconds = min(max(value.seconds, _EARLIEST), latest)
            value.nanos = value.nanos if 0 <= value.nanos < _NANOSECONDS else 0
        elif isinstance(value, Message):
            _mend(value, latest)
        elif isinstance(value, str):
            if len(value) * 4 > _TEXT:
                setattr(message, field.name, _cut(value))
        elif field.message_type is not None and field.message_type.GetOptions().map_entry:
            _mend_map(value)
        elif field.is_repeated:
            _mend_list(value, latest)
        elif field.enum_type is not None and value not in field.enum_type.values_by_number:
            message.ClearField(field.name)


def _mend_list(entries: MutableSequence[Any], latest: int) -> None:
    del entries[_ENTRIES:]
    size = 0
    for place, entry in enumerate(entries):
        if isinstance(entry, Message):
            _mend(entry, latest)
            size += entry.ByteSize()
        else:
            entries[place] = _cut(entry)
            size += len(entries[place])
        # One at the least: a list of refusals must never become one of none.
        if size > _LIST and place:
            del entries[place:]
            return


def _mend_map(entries: Any) -> None:
    for place, name in enumerate(list(entries)):
        text = entries.pop(name)
        if place < _ENTRIES:
            entries[_cut(name)] = _cut(text)


def _cut(text: str) -> str:
    packed = text.encode()
    return text if len(packed) <= _TEXT else packed[: _TEXT - 3].decode(errors="ignore") + "…"
