import datetime

from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from tasuki_proto.v1 import error_pb2 as _error_pb2
from tasuki_proto.v1 import fact_pb2 as _fact_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Operation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OPERATION_UNSPECIFIED: _ClassVar[Operation]
    OPERATION_MERGE: _ClassVar[Operation]
    OPERATION_REPLACE: _ClassVar[Operation]
    OPERATION_DELETE: _ClassVar[Operation]
    OPERATION_REMOVE: _ClassVar[Operation]

class Datastore(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DATASTORE_UNSPECIFIED: _ClassVar[Datastore]
    DATASTORE_RUNNING: _ClassVar[Datastore]
    DATASTORE_INTENDED: _ClassVar[Datastore]
    DATASTORE_OPERATIONAL: _ClassVar[Datastore]
    DATASTORE_CANDIDATE: _ClassVar[Datastore]

class WithDefaults(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WITH_DEFAULTS_UNSPECIFIED: _ClassVar[WithDefaults]
    WITH_DEFAULTS_EXPLICIT: _ClassVar[WithDefaults]
    WITH_DEFAULTS_REPORT_ALL: _ClassVar[WithDefaults]
    WITH_DEFAULTS_REPORT_ALL_TAGGED: _ClassVar[WithDefaults]
    WITH_DEFAULTS_TRIM: _ClassVar[WithDefaults]

class Target(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TARGET_UNSPECIFIED: _ClassVar[Target]
    TARGET_RUNNING: _ClassVar[Target]
    TARGET_CANDIDATE: _ClassVar[Target]

class EditOperation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EDIT_OPERATION_UNSPECIFIED: _ClassVar[EditOperation]
    EDIT_OPERATION_MERGE: _ClassVar[EditOperation]
    EDIT_OPERATION_REPLACE: _ClassVar[EditOperation]
    EDIT_OPERATION_CREATE: _ClassVar[EditOperation]
    EDIT_OPERATION_DELETE: _ClassVar[EditOperation]
    EDIT_OPERATION_REMOVE: _ClassVar[EditOperation]
    EDIT_OPERATION_NONE: _ClassVar[EditOperation]
OPERATION_UNSPECIFIED: Operation
OPERATION_MERGE: Operation
OPERATION_REPLACE: Operation
OPERATION_DELETE: Operation
OPERATION_REMOVE: Operation
DATASTORE_UNSPECIFIED: Datastore
DATASTORE_RUNNING: Datastore
DATASTORE_INTENDED: Datastore
DATASTORE_OPERATIONAL: Datastore
DATASTORE_CANDIDATE: Datastore
WITH_DEFAULTS_UNSPECIFIED: WithDefaults
WITH_DEFAULTS_EXPLICIT: WithDefaults
WITH_DEFAULTS_REPORT_ALL: WithDefaults
WITH_DEFAULTS_REPORT_ALL_TAGGED: WithDefaults
WITH_DEFAULTS_TRIM: WithDefaults
TARGET_UNSPECIFIED: Target
TARGET_RUNNING: Target
TARGET_CANDIDATE: Target
EDIT_OPERATION_UNSPECIFIED: EditOperation
EDIT_OPERATION_MERGE: EditOperation
EDIT_OPERATION_REPLACE: EditOperation
EDIT_OPERATION_CREATE: EditOperation
EDIT_OPERATION_DELETE: EditOperation
EDIT_OPERATION_REMOVE: EditOperation
EDIT_OPERATION_NONE: EditOperation

class Document(_message.Message):
    __slots__ = ("config", "config_json", "operation", "router_config", "router_config_json")
    class RouterConfigEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _struct_pb2.Struct
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ...) -> None: ...
    class RouterConfigJsonEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: bytes
        def __init__(self, key: _Optional[str] = ..., value: _Optional[bytes] = ...) -> None: ...
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    CONFIG_JSON_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    ROUTER_CONFIG_FIELD_NUMBER: _ClassVar[int]
    ROUTER_CONFIG_JSON_FIELD_NUMBER: _ClassVar[int]
    config: _struct_pb2.Struct
    config_json: bytes
    operation: Operation
    router_config: _containers.MessageMap[str, _struct_pb2.Struct]
    router_config_json: _containers.ScalarMap[str, bytes]
    def __init__(self, config: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., config_json: _Optional[bytes] = ..., operation: _Optional[_Union[Operation, str]] = ..., router_config: _Optional[_Mapping[str, _struct_pb2.Struct]] = ..., router_config_json: _Optional[_Mapping[str, bytes]] = ...) -> None: ...

class ApplyRequest(_message.Message):
    __slots__ = ("config", "config_json", "operation", "router_config", "router_config_json", "comment", "dry_run", "confirm_seconds", "persist", "rollback_on_failure", "plan", "wait_seconds")
    class RouterConfigEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _struct_pb2.Struct
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ...) -> None: ...
    class RouterConfigJsonEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: bytes
        def __init__(self, key: _Optional[str] = ..., value: _Optional[bytes] = ...) -> None: ...
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    CONFIG_JSON_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    ROUTER_CONFIG_FIELD_NUMBER: _ClassVar[int]
    ROUTER_CONFIG_JSON_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    CONFIRM_SECONDS_FIELD_NUMBER: _ClassVar[int]
    PERSIST_FIELD_NUMBER: _ClassVar[int]
    ROLLBACK_ON_FAILURE_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    WAIT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    config: _struct_pb2.Struct
    config_json: bytes
    operation: Operation
    router_config: _containers.MessageMap[str, _struct_pb2.Struct]
    router_config_json: _containers.ScalarMap[str, bytes]
    comment: str
    dry_run: bool
    confirm_seconds: int
    persist: str
    rollback_on_failure: bool
    plan: bool
    wait_seconds: int
    def __init__(self, config: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., config_json: _Optional[bytes] = ..., operation: _Optional[_Union[Operation, str]] = ..., router_config: _Optional[_Mapping[str, _struct_pb2.Struct]] = ..., router_config_json: _Optional[_Mapping[str, bytes]] = ..., comment: _Optional[str] = ..., dry_run: _Optional[bool] = ..., confirm_seconds: _Optional[int] = ..., persist: _Optional[str] = ..., rollback_on_failure: _Optional[bool] = ..., plan: _Optional[bool] = ..., wait_seconds: _Optional[int] = ...) -> None: ...

class ApplyResponse(_message.Message):
    __slots__ = ("revision", "committed", "changes", "routers", "persist_id")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    COMMITTED_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    ROUTERS_FIELD_NUMBER: _ClassVar[int]
    PERSIST_ID_FIELD_NUMBER: _ClassVar[int]
    revision: int
    committed: bool
    changes: _containers.RepeatedCompositeFieldContainer[Change]
    routers: _containers.RepeatedCompositeFieldContainer[RouterOutcome]
    persist_id: str
    def __init__(self, revision: _Optional[int] = ..., committed: _Optional[bool] = ..., changes: _Optional[_Iterable[_Union[Change, _Mapping]]] = ..., routers: _Optional[_Iterable[_Union[RouterOutcome, _Mapping]]] = ..., persist_id: _Optional[str] = ...) -> None: ...

class RouterOutcome(_message.Message):
    __slots__ = ("router", "outcome", "changes", "message", "plan")
    ROUTER_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    router: str
    outcome: str
    changes: _containers.RepeatedCompositeFieldContainer[Change]
    message: str
    plan: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, router: _Optional[str] = ..., outcome: _Optional[str] = ..., changes: _Optional[_Iterable[_Union[Change, _Mapping]]] = ..., message: _Optional[str] = ..., plan: _Optional[_Iterable[str]] = ...) -> None: ...

class Change(_message.Message):
    __slots__ = ("op", "path", "old_json", "new_json", "router")
    class Op(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        OP_UNSPECIFIED: _ClassVar[Change.Op]
        OP_CREATE: _ClassVar[Change.Op]
        OP_REPLACE: _ClassVar[Change.Op]
        OP_DELETE: _ClassVar[Change.Op]
    OP_UNSPECIFIED: Change.Op
    OP_CREATE: Change.Op
    OP_REPLACE: Change.Op
    OP_DELETE: Change.Op
    OP_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    OLD_JSON_FIELD_NUMBER: _ClassVar[int]
    NEW_JSON_FIELD_NUMBER: _ClassVar[int]
    ROUTER_FIELD_NUMBER: _ClassVar[int]
    op: Change.Op
    path: str
    old_json: str
    new_json: str
    router: str
    def __init__(self, op: _Optional[_Union[Change.Op, str]] = ..., path: _Optional[str] = ..., old_json: _Optional[str] = ..., new_json: _Optional[str] = ..., router: _Optional[str] = ...) -> None: ...

class GetRequest(_message.Message):
    __slots__ = ("datastore", "router", "path", "as_json", "paths", "depth", "with_defaults")
    DATASTORE_FIELD_NUMBER: _ClassVar[int]
    ROUTER_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    AS_JSON_FIELD_NUMBER: _ClassVar[int]
    PATHS_FIELD_NUMBER: _ClassVar[int]
    DEPTH_FIELD_NUMBER: _ClassVar[int]
    WITH_DEFAULTS_FIELD_NUMBER: _ClassVar[int]
    datastore: Datastore
    router: str
    path: str
    as_json: bool
    paths: _containers.RepeatedScalarFieldContainer[str]
    depth: int
    with_defaults: WithDefaults
    def __init__(self, datastore: _Optional[_Union[Datastore, str]] = ..., router: _Optional[str] = ..., path: _Optional[str] = ..., as_json: _Optional[bool] = ..., paths: _Optional[_Iterable[str]] = ..., depth: _Optional[int] = ..., with_defaults: _Optional[_Union[WithDefaults, str]] = ...) -> None: ...

class GetResponse(_message.Message):
    __slots__ = ("config", "config_json", "revision", "observed_at")
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    CONFIG_JSON_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    OBSERVED_AT_FIELD_NUMBER: _ClassVar[int]
    config: _struct_pb2.Struct
    config_json: bytes
    revision: int
    observed_at: _timestamp_pb2.Timestamp
    def __init__(self, config: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., config_json: _Optional[bytes] = ..., revision: _Optional[int] = ..., observed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ValidateRequest(_message.Message):
    __slots__ = ("edit",)
    EDIT_FIELD_NUMBER: _ClassVar[int]
    edit: Document
    def __init__(self, edit: _Optional[_Union[Document, _Mapping]] = ...) -> None: ...

class ValidateResponse(_message.Message):
    __slots__ = ("errors",)
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    errors: _containers.RepeatedCompositeFieldContainer[_error_pb2.ConfigError]
    def __init__(self, errors: _Optional[_Iterable[_Union[_error_pb2.ConfigError, _Mapping]]] = ...) -> None: ...

class DiffRequest(_message.Message):
    __slots__ = ("edit", "from_revision", "to_revision", "candidate", "plan", "suppose")
    EDIT_FIELD_NUMBER: _ClassVar[int]
    FROM_REVISION_FIELD_NUMBER: _ClassVar[int]
    TO_REVISION_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    SUPPOSE_FIELD_NUMBER: _ClassVar[int]
    edit: Document
    from_revision: int
    to_revision: int
    candidate: bool
    plan: bool
    suppose: _containers.RepeatedCompositeFieldContainer[_fact_pb2.Fact]
    def __init__(self, edit: _Optional[_Union[Document, _Mapping]] = ..., from_revision: _Optional[int] = ..., to_revision: _Optional[int] = ..., candidate: _Optional[bool] = ..., plan: _Optional[bool] = ..., suppose: _Optional[_Iterable[_Union[_fact_pb2.Fact, _Mapping]]] = ...) -> None: ...

class DiffResponse(_message.Message):
    __slots__ = ("changes", "routers")
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    ROUTERS_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedCompositeFieldContainer[Change]
    routers: _containers.RepeatedCompositeFieldContainer[RouterOutcome]
    def __init__(self, changes: _Optional[_Iterable[_Union[Change, _Mapping]]] = ..., routers: _Optional[_Iterable[_Union[RouterOutcome, _Mapping]]] = ...) -> None: ...

class Revision(_message.Message):
    __slots__ = ("number", "author", "peer", "time", "comment", "change_count")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    CHANGE_COUNT_FIELD_NUMBER: _ClassVar[int]
    number: int
    author: str
    peer: str
    time: _timestamp_pb2.Timestamp
    comment: str
    change_count: int
    def __init__(self, number: _Optional[int] = ..., author: _Optional[str] = ..., peer: _Optional[str] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., comment: _Optional[str] = ..., change_count: _Optional[int] = ...) -> None: ...

class ListRevisionsRequest(_message.Message):
    __slots__ = ("limit", "before")
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    limit: int
    before: int
    def __init__(self, limit: _Optional[int] = ..., before: _Optional[int] = ...) -> None: ...

class ListRevisionsResponse(_message.Message):
    __slots__ = ("revisions",)
    REVISIONS_FIELD_NUMBER: _ClassVar[int]
    revisions: _containers.RepeatedCompositeFieldContainer[Revision]
    def __init__(self, revisions: _Optional[_Iterable[_Union[Revision, _Mapping]]] = ...) -> None: ...

class GetRevisionRequest(_message.Message):
    __slots__ = ("number", "as_json")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    AS_JSON_FIELD_NUMBER: _ClassVar[int]
    number: int
    as_json: bool
    def __init__(self, number: _Optional[int] = ..., as_json: _Optional[bool] = ...) -> None: ...

class GetRevisionResponse(_message.Message):
    __slots__ = ("revision", "config", "config_json", "router_config", "changes")
    class RouterConfigEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _struct_pb2.Struct
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ...) -> None: ...
    REVISION_FIELD_NUMBER: _ClassVar[int]
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    CONFIG_JSON_FIELD_NUMBER: _ClassVar[int]
    ROUTER_CONFIG_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    revision: Revision
    config: _struct_pb2.Struct
    config_json: bytes
    router_config: _containers.MessageMap[str, _struct_pb2.Struct]
    changes: _containers.RepeatedCompositeFieldContainer[Change]
    def __init__(self, revision: _Optional[_Union[Revision, _Mapping]] = ..., config: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., config_json: _Optional[bytes] = ..., router_config: _Optional[_Mapping[str, _struct_pb2.Struct]] = ..., changes: _Optional[_Iterable[_Union[Change, _Mapping]]] = ...) -> None: ...

class ListModulesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Module(_message.Message):
    __slots__ = ("name", "revision", "namespace", "trees", "import_only")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    TREES_FIELD_NUMBER: _ClassVar[int]
    IMPORT_ONLY_FIELD_NUMBER: _ClassVar[int]
    name: str
    revision: str
    namespace: str
    trees: _containers.RepeatedScalarFieldContainer[str]
    import_only: bool
    def __init__(self, name: _Optional[str] = ..., revision: _Optional[str] = ..., namespace: _Optional[str] = ..., trees: _Optional[_Iterable[str]] = ..., import_only: _Optional[bool] = ...) -> None: ...

class ListModulesResponse(_message.Message):
    __slots__ = ("modules",)
    MODULES_FIELD_NUMBER: _ClassVar[int]
    modules: _containers.RepeatedCompositeFieldContainer[Module]
    def __init__(self, modules: _Optional[_Iterable[_Union[Module, _Mapping]]] = ...) -> None: ...

class GetModuleRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetModuleResponse(_message.Message):
    __slots__ = ("module", "text")
    MODULE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    module: Module
    text: str
    def __init__(self, module: _Optional[_Union[Module, _Mapping]] = ..., text: _Optional[str] = ...) -> None: ...

class OpenSessionRequest(_message.Message):
    __slots__ = ("lease_seconds",)
    LEASE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    lease_seconds: int
    def __init__(self, lease_seconds: _Optional[int] = ...) -> None: ...

class OpenSessionResponse(_message.Message):
    __slots__ = ("token", "session_id", "lease_seconds")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    LEASE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    token: str
    session_id: int
    lease_seconds: int
    def __init__(self, token: _Optional[str] = ..., session_id: _Optional[int] = ..., lease_seconds: _Optional[int] = ...) -> None: ...

class KeepSessionRequest(_message.Message):
    __slots__ = ("token",)
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    token: str
    def __init__(self, token: _Optional[str] = ...) -> None: ...

class KeepSessionResponse(_message.Message):
    __slots__ = ("lease_seconds",)
    LEASE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    lease_seconds: int
    def __init__(self, lease_seconds: _Optional[int] = ...) -> None: ...

class CloseSessionRequest(_message.Message):
    __slots__ = ("token",)
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    token: str
    def __init__(self, token: _Optional[str] = ...) -> None: ...

class CloseSessionResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class LockRequest(_message.Message):
    __slots__ = ("token", "target")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    token: str
    target: Target
    def __init__(self, token: _Optional[str] = ..., target: _Optional[_Union[Target, str]] = ...) -> None: ...

class LockResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class UnlockRequest(_message.Message):
    __slots__ = ("token", "target")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    token: str
    target: Target
    def __init__(self, token: _Optional[str] = ..., target: _Optional[_Union[Target, str]] = ...) -> None: ...

class UnlockResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class NodeEdit(_message.Message):
    __slots__ = ("operation", "path", "router", "value", "value_json")
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    ROUTER_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    VALUE_JSON_FIELD_NUMBER: _ClassVar[int]
    operation: EditOperation
    path: str
    router: str
    value: _struct_pb2.Value
    value_json: bytes
    def __init__(self, operation: _Optional[_Union[EditOperation, str]] = ..., path: _Optional[str] = ..., router: _Optional[str] = ..., value: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ..., value_json: _Optional[bytes] = ...) -> None: ...

class EditRequest(_message.Message):
    __slots__ = ("token", "edits", "default_operation")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    EDITS_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_OPERATION_FIELD_NUMBER: _ClassVar[int]
    token: str
    edits: _containers.RepeatedCompositeFieldContainer[NodeEdit]
    default_operation: EditOperation
    def __init__(self, token: _Optional[str] = ..., edits: _Optional[_Iterable[_Union[NodeEdit, _Mapping]]] = ..., default_operation: _Optional[_Union[EditOperation, str]] = ...) -> None: ...

class EditResponse(_message.Message):
    __slots__ = ("changes",)
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedCompositeFieldContainer[Change]
    def __init__(self, changes: _Optional[_Iterable[_Union[Change, _Mapping]]] = ...) -> None: ...

class CommitRequest(_message.Message):
    __slots__ = ("token", "comment", "confirmed", "confirm_timeout", "persist", "persist_id", "rollback_on_failure", "wait_seconds")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    CONFIRMED_FIELD_NUMBER: _ClassVar[int]
    CONFIRM_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    PERSIST_FIELD_NUMBER: _ClassVar[int]
    PERSIST_ID_FIELD_NUMBER: _ClassVar[int]
    ROLLBACK_ON_FAILURE_FIELD_NUMBER: _ClassVar[int]
    WAIT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    token: str
    comment: str
    confirmed: bool
    confirm_timeout: int
    persist: str
    persist_id: str
    rollback_on_failure: bool
    wait_seconds: int
    def __init__(self, token: _Optional[str] = ..., comment: _Optional[str] = ..., confirmed: _Optional[bool] = ..., confirm_timeout: _Optional[int] = ..., persist: _Optional[str] = ..., persist_id: _Optional[str] = ..., rollback_on_failure: _Optional[bool] = ..., wait_seconds: _Optional[int] = ...) -> None: ...

class CommitResponse(_message.Message):
    __slots__ = ("revision", "committed", "changes", "routers", "revert_at")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    COMMITTED_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    ROUTERS_FIELD_NUMBER: _ClassVar[int]
    REVERT_AT_FIELD_NUMBER: _ClassVar[int]
    revision: int
    committed: bool
    changes: _containers.RepeatedCompositeFieldContainer[Change]
    routers: _containers.RepeatedCompositeFieldContainer[RouterOutcome]
    revert_at: _timestamp_pb2.Timestamp
    def __init__(self, revision: _Optional[int] = ..., committed: _Optional[bool] = ..., changes: _Optional[_Iterable[_Union[Change, _Mapping]]] = ..., routers: _Optional[_Iterable[_Union[RouterOutcome, _Mapping]]] = ..., revert_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CancelCommitRequest(_message.Message):
    __slots__ = ("token", "persist_id")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    PERSIST_ID_FIELD_NUMBER: _ClassVar[int]
    token: str
    persist_id: str
    def __init__(self, token: _Optional[str] = ..., persist_id: _Optional[str] = ...) -> None: ...

class CancelCommitResponse(_message.Message):
    __slots__ = ("revision",)
    REVISION_FIELD_NUMBER: _ClassVar[int]
    revision: int
    def __init__(self, revision: _Optional[int] = ...) -> None: ...

class DiscardChangesRequest(_message.Message):
    __slots__ = ("token",)
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    token: str
    def __init__(self, token: _Optional[str] = ...) -> None: ...

class DiscardChangesResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RollbackRequest(_message.Message):
    __slots__ = ("number", "comment", "dry_run", "confirm_seconds", "persist", "rollback_on_failure", "wait_seconds", "token")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    CONFIRM_SECONDS_FIELD_NUMBER: _ClassVar[int]
    PERSIST_FIELD_NUMBER: _ClassVar[int]
    ROLLBACK_ON_FAILURE_FIELD_NUMBER: _ClassVar[int]
    WAIT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    number: int
    comment: str
    dry_run: bool
    confirm_seconds: int
    persist: str
    rollback_on_failure: bool
    wait_seconds: int
    token: str
    def __init__(self, number: _Optional[int] = ..., comment: _Optional[str] = ..., dry_run: _Optional[bool] = ..., confirm_seconds: _Optional[int] = ..., persist: _Optional[str] = ..., rollback_on_failure: _Optional[bool] = ..., wait_seconds: _Optional[int] = ..., token: _Optional[str] = ...) -> None: ...

class RollbackResponse(_message.Message):
    __slots__ = ("revision", "committed", "changes", "routers", "persist_id")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    COMMITTED_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    ROUTERS_FIELD_NUMBER: _ClassVar[int]
    PERSIST_ID_FIELD_NUMBER: _ClassVar[int]
    revision: int
    committed: bool
    changes: _containers.RepeatedCompositeFieldContainer[Change]
    routers: _containers.RepeatedCompositeFieldContainer[RouterOutcome]
    persist_id: str
    def __init__(self, revision: _Optional[int] = ..., committed: _Optional[bool] = ..., changes: _Optional[_Iterable[_Union[Change, _Mapping]]] = ..., routers: _Optional[_Iterable[_Union[RouterOutcome, _Mapping]]] = ..., persist_id: _Optional[str] = ...) -> None: ...

class WatchCommitsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class WatchCommitsResponse(_message.Message):
    __slots__ = ("event", "revision", "time", "author", "revert_at", "routers", "message")
    class Event(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        EVENT_UNSPECIFIED: _ClassVar[WatchCommitsResponse.Event]
        EVENT_COMMIT: _ClassVar[WatchCommitsResponse.Event]
        EVENT_START: _ClassVar[WatchCommitsResponse.Event]
        EVENT_EXTEND: _ClassVar[WatchCommitsResponse.Event]
        EVENT_COMPLETE: _ClassVar[WatchCommitsResponse.Event]
        EVENT_CANCEL: _ClassVar[WatchCommitsResponse.Event]
        EVENT_TIMEOUT: _ClassVar[WatchCommitsResponse.Event]
        EVENT_ROUTER: _ClassVar[WatchCommitsResponse.Event]
    EVENT_UNSPECIFIED: WatchCommitsResponse.Event
    EVENT_COMMIT: WatchCommitsResponse.Event
    EVENT_START: WatchCommitsResponse.Event
    EVENT_EXTEND: WatchCommitsResponse.Event
    EVENT_COMPLETE: WatchCommitsResponse.Event
    EVENT_CANCEL: WatchCommitsResponse.Event
    EVENT_TIMEOUT: WatchCommitsResponse.Event
    EVENT_ROUTER: WatchCommitsResponse.Event
    EVENT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    REVERT_AT_FIELD_NUMBER: _ClassVar[int]
    ROUTERS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    event: WatchCommitsResponse.Event
    revision: int
    time: _timestamp_pb2.Timestamp
    author: str
    revert_at: _timestamp_pb2.Timestamp
    routers: _containers.RepeatedCompositeFieldContainer[RouterOutcome]
    message: str
    def __init__(self, event: _Optional[_Union[WatchCommitsResponse.Event, str]] = ..., revision: _Optional[int] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., author: _Optional[str] = ..., revert_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., routers: _Optional[_Iterable[_Union[RouterOutcome, _Mapping]]] = ..., message: _Optional[str] = ...) -> None: ...
