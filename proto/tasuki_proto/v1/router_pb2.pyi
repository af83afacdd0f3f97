import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Router(_message.Message):
    __slots__ = ("name", "connected", "last_seen", "peer", "agent_version", "intended_revision", "applied_revision", "observed_at", "counts", "objects", "open_drift", "recent_drift", "problem", "reverted")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CONNECTED_FIELD_NUMBER: _ClassVar[int]
    LAST_SEEN_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    AGENT_VERSION_FIELD_NUMBER: _ClassVar[int]
    INTENDED_REVISION_FIELD_NUMBER: _ClassVar[int]
    APPLIED_REVISION_FIELD_NUMBER: _ClassVar[int]
    OBSERVED_AT_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    OBJECTS_FIELD_NUMBER: _ClassVar[int]
    OPEN_DRIFT_FIELD_NUMBER: _ClassVar[int]
    RECENT_DRIFT_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    REVERTED_FIELD_NUMBER: _ClassVar[int]
    name: str
    connected: bool
    last_seen: _timestamp_pb2.Timestamp
    peer: str
    agent_version: str
    intended_revision: int
    applied_revision: int
    observed_at: _timestamp_pb2.Timestamp
    counts: ObjectCounts
    objects: _containers.RepeatedCompositeFieldContainer[ObjectStatus]
    open_drift: int
    recent_drift: int
    problem: str
    reverted: str
    def __init__(self, name: _Optional[str] = ..., connected: _Optional[bool] = ..., last_seen: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., peer: _Optional[str] = ..., agent_version: _Optional[str] = ..., intended_revision: _Optional[int] = ..., applied_revision: _Optional[int] = ..., observed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., counts: _Optional[_Union[ObjectCounts, _Mapping]] = ..., objects: _Optional[_Iterable[_Union[ObjectStatus, _Mapping]]] = ..., open_drift: _Optional[int] = ..., recent_drift: _Optional[int] = ..., problem: _Optional[str] = ..., reverted: _Optional[str] = ...) -> None: ...

class ObjectCounts(_message.Message):
    __slots__ = ("total", "done", "pending", "waiting", "failed")
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    total: int
    done: int
    pending: int
    waiting: int
    failed: int
    def __init__(self, total: _Optional[int] = ..., done: _Optional[int] = ..., pending: _Optional[int] = ..., waiting: _Optional[int] = ..., failed: _Optional[int] = ...) -> None: ...

class ObjectStatus(_message.Message):
    __slots__ = ("kind", "key", "path", "state", "message", "since", "attempts", "next_try")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[ObjectStatus.State]
        STATE_PENDING: _ClassVar[ObjectStatus.State]
        STATE_WAITING: _ClassVar[ObjectStatus.State]
        STATE_FAILED: _ClassVar[ObjectStatus.State]
        STATE_FOREIGN: _ClassVar[ObjectStatus.State]
        STATE_CONTENDED: _ClassVar[ObjectStatus.State]
        STATE_DONE: _ClassVar[ObjectStatus.State]
    STATE_UNSPECIFIED: ObjectStatus.State
    STATE_PENDING: ObjectStatus.State
    STATE_WAITING: ObjectStatus.State
    STATE_FAILED: ObjectStatus.State
    STATE_FOREIGN: ObjectStatus.State
    STATE_CONTENDED: ObjectStatus.State
    STATE_DONE: ObjectStatus.State
    KIND_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_TRY_FIELD_NUMBER: _ClassVar[int]
    kind: str
    key: str
    path: str
    state: ObjectStatus.State
    message: str
    since: _timestamp_pb2.Timestamp
    attempts: int
    next_try: _timestamp_pb2.Timestamp
    def __init__(self, kind: _Optional[str] = ..., key: _Optional[str] = ..., path: _Optional[str] = ..., state: _Optional[_Union[ObjectStatus.State, str]] = ..., message: _Optional[str] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., attempts: _Optional[int] = ..., next_try: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListRoutersRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListRoutersResponse(_message.Message):
    __slots__ = ("routers",)
    ROUTERS_FIELD_NUMBER: _ClassVar[int]
    routers: _containers.RepeatedCompositeFieldContainer[Router]
    def __init__(self, routers: _Optional[_Iterable[_Union[Router, _Mapping]]] = ...) -> None: ...

class GetRouterRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetRouterResponse(_message.Message):
    __slots__ = ("router",)
    ROUTER_FIELD_NUMBER: _ClassVar[int]
    router: Router
    def __init__(self, router: _Optional[_Union[Router, _Mapping]] = ...) -> None: ...

class WatchRoutersRequest(_message.Message):
    __slots__ = ("names", "with_objects")
    NAMES_FIELD_NUMBER: _ClassVar[int]
    WITH_OBJECTS_FIELD_NUMBER: _ClassVar[int]
    names: _containers.RepeatedScalarFieldContainer[str]
    with_objects: bool
    def __init__(self, names: _Optional[_Iterable[str]] = ..., with_objects: _Optional[bool] = ...) -> None: ...

class WatchRoutersResponse(_message.Message):
    __slots__ = ("router",)
    ROUTER_FIELD_NUMBER: _ClassVar[int]
    router: Router
    def __init__(self, router: _Optional[_Union[Router, _Mapping]] = ...) -> None: ...
