import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DriftItem(_message.Message):
    __slots__ = ("id", "router", "path", "kind", "key", "field", "intended", "observed", "first_seen", "last_seen", "action", "message", "count", "healed_at")
    class Class(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        CLASS_UNSPECIFIED: _ClassVar[DriftItem.Class]
        CLASS_MISSING: _ClassVar[DriftItem.Class]
        CLASS_CHANGED: _ClassVar[DriftItem.Class]
        CLASS_UNEXPECTED: _ClassVar[DriftItem.Class]
    CLASS_UNSPECIFIED: DriftItem.Class
    CLASS_MISSING: DriftItem.Class
    CLASS_CHANGED: DriftItem.Class
    CLASS_UNEXPECTED: DriftItem.Class
    class Action(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        ACTION_UNSPECIFIED: _ClassVar[DriftItem.Action]
        ACTION_PENDING: _ClassVar[DriftItem.Action]
        ACTION_HEALED: _ClassVar[DriftItem.Action]
        ACTION_FAILED: _ClassVar[DriftItem.Action]
        ACTION_CONTENDED: _ClassVar[DriftItem.Action]
        ACTION_OBSOLETE: _ClassVar[DriftItem.Action]
    ACTION_UNSPECIFIED: DriftItem.Action
    ACTION_PENDING: DriftItem.Action
    ACTION_HEALED: DriftItem.Action
    ACTION_FAILED: DriftItem.Action
    ACTION_CONTENDED: DriftItem.Action
    ACTION_OBSOLETE: DriftItem.Action
    ID_FIELD_NUMBER: _ClassVar[int]
    ROUTER_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    INTENDED_FIELD_NUMBER: _ClassVar[int]
    OBSERVED_FIELD_NUMBER: _ClassVar[int]
    CLASS_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEEN_FIELD_NUMBER: _ClassVar[int]
    LAST_SEEN_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    HEALED_AT_FIELD_NUMBER: _ClassVar[int]
    id: str
    router: str
    path: str
    kind: str
    key: str
    field: str
    intended: str
    observed: str
    first_seen: _timestamp_pb2.Timestamp
    last_seen: _timestamp_pb2.Timestamp
    action: DriftItem.Action
    message: str
    count: int
    healed_at: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., router: _Optional[str] = ..., path: _Optional[str] = ..., kind: _Optional[str] = ..., key: _Optional[str] = ..., field: _Optional[str] = ..., intended: _Optional[str] = ..., observed: _Optional[str] = ..., first_seen: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_seen: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., action: _Optional[_Union[DriftItem.Action, str]] = ..., message: _Optional[str] = ..., count: _Optional[int] = ..., healed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., **kwargs) -> None: ...

class ListDriftRequest(_message.Message):
    __slots__ = ("router", "open_only", "since", "limit")
    ROUTER_FIELD_NUMBER: _ClassVar[int]
    OPEN_ONLY_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    router: str
    open_only: bool
    since: _timestamp_pb2.Timestamp
    limit: int
    def __init__(self, router: _Optional[str] = ..., open_only: _Optional[bool] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., limit: _Optional[int] = ...) -> None: ...

class ListDriftResponse(_message.Message):
    __slots__ = ("items", "evidence", "incomplete")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    INCOMPLETE_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[DriftItem]
    evidence: _containers.RepeatedCompositeFieldContainer[Evidence]
    incomplete: bool
    def __init__(self, items: _Optional[_Iterable[_Union[DriftItem, _Mapping]]] = ..., evidence: _Optional[_Iterable[_Union[Evidence, _Mapping]]] = ..., incomplete: _Optional[bool] = ...) -> None: ...

class Evidence(_message.Message):
    __slots__ = ("router", "connected", "observed_at")
    ROUTER_FIELD_NUMBER: _ClassVar[int]
    CONNECTED_FIELD_NUMBER: _ClassVar[int]
    OBSERVED_AT_FIELD_NUMBER: _ClassVar[int]
    router: str
    connected: bool
    observed_at: _timestamp_pb2.Timestamp
    def __init__(self, router: _Optional[str] = ..., connected: _Optional[bool] = ..., observed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class WatchDriftRequest(_message.Message):
    __slots__ = ("router", "open_only", "since")
    ROUTER_FIELD_NUMBER: _ClassVar[int]
    OPEN_ONLY_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    router: str
    open_only: bool
    since: _timestamp_pb2.Timestamp
    def __init__(self, router: _Optional[str] = ..., open_only: _Optional[bool] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class WatchDriftResponse(_message.Message):
    __slots__ = ("item",)
    ITEM_FIELD_NUMBER: _ClassVar[int]
    item: DriftItem
    def __init__(self, item: _Optional[_Union[DriftItem, _Mapping]] = ...) -> None: ...
