import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from tasuki_proto.v1 import drift_pb2 as _drift_pb2
from tasuki_proto.v1 import error_pb2 as _error_pb2
from tasuki_proto.v1 import fact_pb2 as _fact_pb2
from tasuki_proto.v1 import router_pb2 as _router_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ConnectRequest(_message.Message):
    __slots__ = ("hello", "report", "heartbeat", "operational", "prepare_answer")
    HELLO_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    OPERATIONAL_FIELD_NUMBER: _ClassVar[int]
    PREPARE_ANSWER_FIELD_NUMBER: _ClassVar[int]
    hello: Hello
    report: Report
    heartbeat: Heartbeat
    operational: Operational
    prepare_answer: PrepareAnswer
    def __init__(self, hello: _Optional[_Union[Hello, _Mapping]] = ..., report: _Optional[_Union[Report, _Mapping]] = ..., heartbeat: _Optional[_Union[Heartbeat, _Mapping]] = ..., operational: _Optional[_Union[Operational, _Mapping]] = ..., prepare_answer: _Optional[_Union[PrepareAnswer, _Mapping]] = ...) -> None: ...

class ConnectResponse(_message.Message):
    __slots__ = ("intent", "heartbeat", "drift_ack", "operational_request", "prepare_request")
    INTENT_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    DRIFT_ACK_FIELD_NUMBER: _ClassVar[int]
    OPERATIONAL_REQUEST_FIELD_NUMBER: _ClassVar[int]
    PREPARE_REQUEST_FIELD_NUMBER: _ClassVar[int]
    intent: Intent
    heartbeat: Heartbeat
    drift_ack: DriftAck
    operational_request: OperationalRequest
    prepare_request: PrepareRequest
    def __init__(self, intent: _Optional[_Union[Intent, _Mapping]] = ..., heartbeat: _Optional[_Union[Heartbeat, _Mapping]] = ..., drift_ack: _Optional[_Union[DriftAck, _Mapping]] = ..., operational_request: _Optional[_Union[OperationalRequest, _Mapping]] = ..., prepare_request: _Optional[_Union[PrepareRequest, _Mapping]] = ...) -> None: ...

class Hello(_message.Message):
    __slots__ = ("router", "agent_version", "revision", "digest", "instance")
    ROUTER_FIELD_NUMBER: _ClassVar[int]
    AGENT_VERSION_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    router: str
    agent_version: str
    revision: int
    digest: str
    instance: str
    def __init__(self, router: _Optional[str] = ..., agent_version: _Optional[str] = ..., revision: _Optional[int] = ..., digest: _Optional[str] = ..., instance: _Optional[str] = ...) -> None: ...

class Intent(_message.Message):
    __slots__ = ("revision", "config_json_gz", "digest", "trial")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    CONFIG_JSON_GZ_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    TRIAL_FIELD_NUMBER: _ClassVar[int]
    revision: int
    config_json_gz: bytes
    digest: str
    trial: Trial
    def __init__(self, revision: _Optional[int] = ..., config_json_gz: _Optional[bytes] = ..., digest: _Optional[str] = ..., trial: _Optional[_Union[Trial, _Mapping]] = ...) -> None: ...

class Trial(_message.Message):
    __slots__ = ("remaining_ms", "fallback_revision", "fallback_json_gz", "fallback_digest")
    REMAINING_MS_FIELD_NUMBER: _ClassVar[int]
    FALLBACK_REVISION_FIELD_NUMBER: _ClassVar[int]
    FALLBACK_JSON_GZ_FIELD_NUMBER: _ClassVar[int]
    FALLBACK_DIGEST_FIELD_NUMBER: _ClassVar[int]
    remaining_ms: int
    fallback_revision: int
    fallback_json_gz: bytes
    fallback_digest: str
    def __init__(self, remaining_ms: _Optional[int] = ..., fallback_revision: _Optional[int] = ..., fallback_json_gz: _Optional[bytes] = ..., fallback_digest: _Optional[str] = ...) -> None: ...

class Report(_message.Message):
    __slots__ = ("applied_revision", "observed_at", "counts", "objects", "drift", "problem", "reverted", "revision", "facts", "open_drift")
    APPLIED_REVISION_FIELD_NUMBER: _ClassVar[int]
    OBSERVED_AT_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    OBJECTS_FIELD_NUMBER: _ClassVar[int]
    DRIFT_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    REVERTED_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    OPEN_DRIFT_FIELD_NUMBER: _ClassVar[int]
    applied_revision: int
    observed_at: _timestamp_pb2.Timestamp
    counts: _router_pb2.ObjectCounts
    objects: _containers.RepeatedCompositeFieldContainer[_router_pb2.ObjectStatus]
    drift: _containers.RepeatedCompositeFieldContainer[SequencedDrift]
    problem: str
    reverted: Reverted
    revision: int
    facts: _containers.RepeatedCompositeFieldContainer[_fact_pb2.Fact]
    open_drift: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, applied_revision: _Optional[int] = ..., observed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., counts: _Optional[_Union[_router_pb2.ObjectCounts, _Mapping]] = ..., objects: _Optional[_Iterable[_Union[_router_pb2.ObjectStatus, _Mapping]]] = ..., drift: _Optional[_Iterable[_Union[SequencedDrift, _Mapping]]] = ..., problem: _Optional[str] = ..., reverted: _Optional[_Union[Reverted, _Mapping]] = ..., revision: _Optional[int] = ..., facts: _Optional[_Iterable[_Union[_fact_pb2.Fact, _Mapping]]] = ..., open_drift: _Optional[_Iterable[str]] = ...) -> None: ...

class Reverted(_message.Message):
    __slots__ = ("from_revision", "to_revision", "time", "reason")
    FROM_REVISION_FIELD_NUMBER: _ClassVar[int]
    TO_REVISION_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    from_revision: int
    to_revision: int
    time: _timestamp_pb2.Timestamp
    reason: str
    def __init__(self, from_revision: _Optional[int] = ..., to_revision: _Optional[int] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reason: _Optional[str] = ...) -> None: ...

class SequencedDrift(_message.Message):
    __slots__ = ("sequence", "item")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    item: _drift_pb2.DriftItem
    def __init__(self, sequence: _Optional[int] = ..., item: _Optional[_Union[_drift_pb2.DriftItem, _Mapping]] = ...) -> None: ...

class DriftAck(_message.Message):
    __slots__ = ("sequence",)
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    def __init__(self, sequence: _Optional[int] = ...) -> None: ...

class Heartbeat(_message.Message):
    __slots__ = ("applied_revision", "observed_at")
    APPLIED_REVISION_FIELD_NUMBER: _ClassVar[int]
    OBSERVED_AT_FIELD_NUMBER: _ClassVar[int]
    applied_revision: int
    observed_at: _timestamp_pb2.Timestamp
    def __init__(self, applied_revision: _Optional[int] = ..., observed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class OperationalRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    def __init__(self, id: _Optional[int] = ...) -> None: ...

class Operational(_message.Message):
    __slots__ = ("id", "config_json_gz", "observed_at", "applied_revision")
    ID_FIELD_NUMBER: _ClassVar[int]
    CONFIG_JSON_GZ_FIELD_NUMBER: _ClassVar[int]
    OBSERVED_AT_FIELD_NUMBER: _ClassVar[int]
    APPLIED_REVISION_FIELD_NUMBER: _ClassVar[int]
    id: int
    config_json_gz: bytes
    observed_at: _timestamp_pb2.Timestamp
    applied_revision: int
    def __init__(self, id: _Optional[int] = ..., config_json_gz: _Optional[bytes] = ..., observed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., applied_revision: _Optional[int] = ...) -> None: ...

class PrepareRequest(_message.Message):
    __slots__ = ("id", "config_json_gz", "suppose")
    ID_FIELD_NUMBER: _ClassVar[int]
    CONFIG_JSON_GZ_FIELD_NUMBER: _ClassVar[int]
    SUPPOSE_FIELD_NUMBER: _ClassVar[int]
    id: int
    config_json_gz: bytes
    suppose: _containers.RepeatedCompositeFieldContainer[_fact_pb2.Fact]
    def __init__(self, id: _Optional[int] = ..., config_json_gz: _Optional[bytes] = ..., suppose: _Optional[_Iterable[_Union[_fact_pb2.Fact, _Mapping]]] = ...) -> None: ...

class PrepareAnswer(_message.Message):
    __slots__ = ("id", "refusals", "plan", "waiting")
    ID_FIELD_NUMBER: _ClassVar[int]
    REFUSALS_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    id: int
    refusals: _containers.RepeatedCompositeFieldContainer[_error_pb2.ConfigError]
    plan: _containers.RepeatedScalarFieldContainer[str]
    waiting: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, id: _Optional[int] = ..., refusals: _Optional[_Iterable[_Union[_error_pb2.ConfigError, _Mapping]]] = ..., plan: _Optional[_Iterable[str]] = ..., waiting: _Optional[_Iterable[str]] = ...) -> None: ...
