import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from tasuki_proto.v1 import drift_pb2 as _drift_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Fact(_message.Message):
    __slots__ = ("router", "subject", "noun", "values", "since", "lost", "problem", "unconfirmed", "unasked", "terms")
    ROUTER_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    NOUN_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    LOST_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    UNCONFIRMED_FIELD_NUMBER: _ClassVar[int]
    UNASKED_FIELD_NUMBER: _ClassVar[int]
    TERMS_FIELD_NUMBER: _ClassVar[int]
    router: str
    subject: str
    noun: str
    values: _containers.RepeatedScalarFieldContainer[str]
    since: _timestamp_pb2.Timestamp
    lost: bool
    problem: str
    unconfirmed: str
    unasked: bool
    terms: _containers.RepeatedCompositeFieldContainer[Terms]
    def __init__(self, router: _Optional[str] = ..., subject: _Optional[str] = ..., noun: _Optional[str] = ..., values: _Optional[_Iterable[str]] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., lost: _Optional[bool] = ..., problem: _Optional[str] = ..., unconfirmed: _Optional[str] = ..., unasked: _Optional[bool] = ..., terms: _Optional[_Iterable[_Union[Terms, _Mapping]]] = ...) -> None: ...

class Terms(_message.Message):
    __slots__ = ("origin", "preferred_until", "valid_until", "renew_at", "rebind_at")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    PREFERRED_UNTIL_FIELD_NUMBER: _ClassVar[int]
    VALID_UNTIL_FIELD_NUMBER: _ClassVar[int]
    RENEW_AT_FIELD_NUMBER: _ClassVar[int]
    REBIND_AT_FIELD_NUMBER: _ClassVar[int]
    origin: str
    preferred_until: _timestamp_pb2.Timestamp
    valid_until: _timestamp_pb2.Timestamp
    renew_at: _timestamp_pb2.Timestamp
    rebind_at: _timestamp_pb2.Timestamp
    def __init__(self, origin: _Optional[str] = ..., preferred_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., valid_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., renew_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., rebind_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class FactChange(_message.Message):
    __slots__ = ("number", "time", "router", "subject", "noun", "old_values", "values", "recompiled", "event")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    ROUTER_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    NOUN_FIELD_NUMBER: _ClassVar[int]
    OLD_VALUES_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    RECOMPILED_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    number: int
    time: _timestamp_pb2.Timestamp
    router: str
    subject: str
    noun: str
    old_values: _containers.RepeatedScalarFieldContainer[str]
    values: _containers.RepeatedScalarFieldContainer[str]
    recompiled: _containers.RepeatedScalarFieldContainer[str]
    event: int
    def __init__(self, number: _Optional[int] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., router: _Optional[str] = ..., subject: _Optional[str] = ..., noun: _Optional[str] = ..., old_values: _Optional[_Iterable[str]] = ..., values: _Optional[_Iterable[str]] = ..., recompiled: _Optional[_Iterable[str]] = ..., event: _Optional[int] = ...) -> None: ...

class ListFactsRequest(_message.Message):
    __slots__ = ("router",)
    ROUTER_FIELD_NUMBER: _ClassVar[int]
    router: str
    def __init__(self, router: _Optional[str] = ...) -> None: ...

class ListFactsResponse(_message.Message):
    __slots__ = ("facts", "evidence")
    FACTS_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    facts: _containers.RepeatedCompositeFieldContainer[Fact]
    evidence: _containers.RepeatedCompositeFieldContainer[_drift_pb2.Evidence]
    def __init__(self, facts: _Optional[_Iterable[_Union[Fact, _Mapping]]] = ..., evidence: _Optional[_Iterable[_Union[_drift_pb2.Evidence, _Mapping]]] = ...) -> None: ...

class ListFactChangesRequest(_message.Message):
    __slots__ = ("router", "limit", "before")
    ROUTER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    router: str
    limit: int
    before: int
    def __init__(self, router: _Optional[str] = ..., limit: _Optional[int] = ..., before: _Optional[int] = ...) -> None: ...

class ListFactChangesResponse(_message.Message):
    __slots__ = ("changes",)
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedCompositeFieldContainer[FactChange]
    def __init__(self, changes: _Optional[_Iterable[_Union[FactChange, _Mapping]]] = ...) -> None: ...
