import datetime

from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from tasuki_proto.v1 import error_pb2 as _error_pb2
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
OPERATION_UNSPECIFIED: Operation
OPERATION_MERGE: Operation
OPERATION_REPLACE: Operation
OPERATION_DELETE: Operation
OPERATION_REMOVE: Operation
DATASTORE_UNSPECIFIED: Datastore
DATASTORE_RUNNING: Datastore
DATASTORE_INTENDED: Datastore
DATASTORE_OPERATIONAL: Datastore

class Edit(_message.Message):
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
    __slots__ = ("config", "config_json", "operation", "router_config", "router_config_json", "comment", "dry_run")
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
    config: _struct_pb2.Struct
    config_json: bytes
    operation: Operation
    router_config: _containers.MessageMap[str, _struct_pb2.Struct]
    router_config_json: _containers.ScalarMap[str, bytes]
    comment: str
    dry_run: bool
    def __init__(self, config: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., config_json: _Optional[bytes] = ..., operation: _Optional[_Union[Operation, str]] = ..., router_config: _Optional[_Mapping[str, _struct_pb2.Struct]] = ..., router_config_json: _Optional[_Mapping[str, bytes]] = ..., comment: _Optional[str] = ..., dry_run: _Optional[bool] = ...) -> None: ...

class ApplyResponse(_message.Message):
    __slots__ = ("revision", "committed", "changes", "routers")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    COMMITTED_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    ROUTERS_FIELD_NUMBER: _ClassVar[int]
    revision: int
    committed: bool
    changes: _containers.RepeatedCompositeFieldContainer[Change]
    routers: _containers.RepeatedCompositeFieldContainer[RouterOutcome]
    def __init__(self, revision: _Optional[int] = ..., committed: _Optional[bool] = ..., changes: _Optional[_Iterable[_Union[Change, _Mapping]]] = ..., routers: _Optional[_Iterable[_Union[RouterOutcome, _Mapping]]] = ...) -> None: ...

class RouterOutcome(_message.Message):
    __slots__ = ("router", "outcome", "changes")
    ROUTER_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    router: str
    outcome: str
    changes: _containers.RepeatedCompositeFieldContainer[Change]
    def __init__(self, router: _Optional[str] = ..., outcome: _Optional[str] = ..., changes: _Optional[_Iterable[_Union[Change, _Mapping]]] = ...) -> None: ...

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
    __slots__ = ("datastore", "router", "path", "as_json")
    DATASTORE_FIELD_NUMBER: _ClassVar[int]
    ROUTER_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    AS_JSON_FIELD_NUMBER: _ClassVar[int]
    datastore: Datastore
    router: str
    path: str
    as_json: bool
    def __init__(self, datastore: _Optional[_Union[Datastore, str]] = ..., router: _Optional[str] = ..., path: _Optional[str] = ..., as_json: _Optional[bool] = ...) -> None: ...

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
    edit: Edit
    def __init__(self, edit: _Optional[_Union[Edit, _Mapping]] = ...) -> None: ...

class ValidateResponse(_message.Message):
    __slots__ = ("errors",)
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    errors: _containers.RepeatedCompositeFieldContainer[_error_pb2.ConfigError]
    def __init__(self, errors: _Optional[_Iterable[_Union[_error_pb2.ConfigError, _Mapping]]] = ...) -> None: ...

class DiffRequest(_message.Message):
    __slots__ = ("edit", "from_revision", "to_revision")
    EDIT_FIELD_NUMBER: _ClassVar[int]
    FROM_REVISION_FIELD_NUMBER: _ClassVar[int]
    TO_REVISION_FIELD_NUMBER: _ClassVar[int]
    edit: Edit
    from_revision: int
    to_revision: int
    def __init__(self, edit: _Optional[_Union[Edit, _Mapping]] = ..., from_revision: _Optional[int] = ..., to_revision: _Optional[int] = ...) -> None: ...

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
