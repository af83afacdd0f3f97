"""Constraints judged by libyang, through the wheel `oopt-gnpy-libyang`."""

import json
import re

import oopt_gnpy_libyang as ly

from tasuki_yang.errors import ConfigError
from tasuki_yang.modules import FOLDER
from tasuki_yang.node import Schema
from tasuki_yang.tree import Tree
from tasuki_yang.validator.violation import (
    broken_must,
    dangling_reference,
    missing_choice,
    missing_node,
    not_applicable,
    not_unique,
    wrong_count,
)

# The plugins for derived types are left out: those for prefixes crash on a further pattern (libyang 4.5.5),
# and canonical trees do not need them.
_CONTEXT = (
    ly.ContextOptions.NoYangLibrary
    | ly.ContextOptions.DisableSearchCwd
    | ly.ContextOptions.BuiltinPluginsOnly
)
_PARSING = ly.ParseOptions.Strict | ly.ParseOptions.NoState
_VALIDATION = ly.ValidationOptions.Present | ly.ValidationOptions.NoState | ly.ValidationOptions.MultiError

_MANDATORY = re.compile(r'Mandatory node "(.+)" instance does not exist\.')
_CHOICE = re.compile(r'Mandatory choice "(.+)" data do not exist\.')
_REFERENCE = re.compile(r'Invalid leafref value "(.*)" - no target instance "(.+)" with', re.DOTALL)
_WHEN = re.compile(r'When condition "(.+)" not satisfied\.', re.DOTALL)
_UNIQUE = re.compile(r'Unique data leaf\(s\) "(.+)" not satisfied in "(.+)" and "(.+)"\.', re.DOTALL)
_COUNT = ("too-few-elements", "too-many-elements")
_PREFIX = re.compile(r"(?<=/)[^/:]+:")
_QUOTED = re.compile(r'="(.*?)"\](?=[/\[]|$)', re.DOTALL)
_SPECIAL = re.compile(r'["\\]')


class LibyangValidator:
    """One libyang context with the modules of a schema."""

    def __init__(self, schema: Schema, folder: str = str(FOLDER)) -> None:
        # Errors are kept, all of them, instead of being printed.
        ly.set_log_options(ly.LogOptions.Store)
        self.schema = schema
        self._context = ly.Context(folder, _CONTEXT)
        for module in schema.modules:
            self._context.load_module(module)

    def validate(self, tree: Tree) -> list[ConfigError]:
        """All constraints that a canonical tree violates."""
        self._context.clean_all_errors()
        try:
            self._context.parse_data(
                json.dumps(tree, ensure_ascii=False), ly.DataFormat.JSON, _PARSING, _VALIDATION
            )
        except ly.Error as refusal:
            errors = self._context.errors()
            return [self._error(error) for error in errors if error.data_path] or [_nowhere(errors, refusal)]
        return []

    def _error(self, error: ly.ErrorInfo) -> ConfigError:
        message, path, app_tag = error.message, _escaped(error.data_path), error.app_tag or ""
        if match := _MANDATORY.fullmatch(message):
            return missing_node(self.schema, path, match[1])
        if match := _CHOICE.fullmatch(message):
            return missing_choice(self.schema, path, match[1])
        if match := _REFERENCE.match(message):
            return dangling_reference(path, match[1], _PREFIX.sub("", match[2]))
        if match := _WHEN.fullmatch(message):
            return not_applicable(path, match[1])
        if match := _UNIQUE.fullmatch(message):
            return not_unique(path, match[1].split(), (match[2], match[3]))
        if app_tag in _COUNT:
            return wrong_count(self.schema, path, app_tag)
        return broken_must(path, " ".join(message.split()), app_tag)


def _escaped(path: str) -> str:
    """The path with its values as YANG strings (RFC 7950 section 6.1.3): libyang escapes nothing."""
    return _QUOTED.sub(lambda match: '="' + _SPECIAL.sub(r"\\\g<0>", match[1]) + '"]', path)


def _nowhere(errors: list[ly.ErrorInfo], refusal: ly.Error) -> ConfigError:
    """A refusal that names no node: the tree was not canonical, or libyang itself failed."""
    message = "; ".join(" ".join(error.message.split()) for error in errors if error.message)
    return ConfigError(error_tag="operation-failed", message=message or str(refusal))
