from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class ConfigError(_message.Message):
    __slots__ = ("error_type", "error_tag", "error_app_tag", "error_path", "message", "error_info", "router")
    class ErrorInfoEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ERROR_TYPE_FIELD_NUMBER: _ClassVar[int]
    ERROR_TAG_FIELD_NUMBER: _ClassVar[int]
    ERROR_APP_TAG_FIELD_NUMBER: _ClassVar[int]
    ERROR_PATH_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    ERROR_INFO_FIELD_NUMBER: _ClassVar[int]
    ROUTER_FIELD_NUMBER: _ClassVar[int]
    error_type: str
    error_tag: str
    error_app_tag: str
    error_path: str
    message: str
    error_info: _containers.ScalarMap[str, str]
    router: str
    def __init__(self, error_type: _Optional[str] = ..., error_tag: _Optional[str] = ..., error_app_tag: _Optional[str] = ..., error_path: _Optional[str] = ..., message: _Optional[str] = ..., error_info: _Optional[_Mapping[str, str]] = ..., router: _Optional[str] = ...) -> None: ...
