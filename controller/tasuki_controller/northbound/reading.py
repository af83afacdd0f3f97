"""What Get answers: which datastore's tree, which part of it, with which defaults, and how it is spelled."""

import asyncio
import json
import zlib
from typing import Final

from tasuki_proto.v1 import config_pb2
from tasuki_yang.defaults import WithDefaults, with_defaults
from tasuki_yang.errors import ConfigError
from tasuki_yang.path import get, predicate
from tasuki_yang.schema import NETWORK, ROUTER
from tasuki_yang.select import select
from tasuki_yang.tree import Tree

from tasuki_controller.datastores import Datastores
from tasuki_controller.document import struct_of, text_of
from tasuki_controller.failure import Failed, invalid, missing
from tasuki_controller.fleet import Fleet
from tasuki_controller.running import Running

_GZIP: Final = 16 + zlib.MAX_WBITS
_TEXT_LIMIT: Final = 64 << 20
"""Bytes of a router's operational tree, as much as an answer with it may have."""
_DATASTORES: Final = frozenset(config_pb2.Datastore.values())
_WITH_DEFAULTS: Final = {
    config_pb2.WITH_DEFAULTS_UNSPECIFIED: WithDefaults.EXPLICIT,
    config_pb2.WITH_DEFAULTS_EXPLICIT: WithDefaults.EXPLICIT,
    config_pb2.WITH_DEFAULTS_REPORT_ALL: WithDefaults.REPORT_ALL,
    config_pb2.WITH_DEFAULTS_REPORT_ALL_TAGGED: WithDefaults.REPORT_ALL_TAGGED,
    config_pb2.WITH_DEFAULTS_TRIM: WithDefaults.TRIM,
}


async def read(
    datastores: Datastores, fleet: Fleet, request: config_pb2.GetRequest
) -> config_pb2.GetResponse:
    """The answer to a Get.

    Raises:
        Failed: there is no such datastore, mode or router.
        InvalidIntent: a path is wrong.
    """
    if request.datastore not in _DATASTORES:
        raise invalid(f"{request.datastore} is no datastore that this version knows.")
    if request.with_defaults not in _WITH_DEFAULTS:
        raise invalid(f"{request.with_defaults} is no mode of RFC 6243 that this version knows.")
    response = config_pb2.GetResponse(revision=datastores.state.revision)
    mode = _WITH_DEFAULTS[request.with_defaults]
    if request.datastore == config_pb2.DATASTORE_OPERATIONAL:
        mode = _operational_mode(mode)
        tree = await _operational(fleet, request.router, response)
    elif request.router:
        tree = _router_tree(datastores, fleet, request.router, request.datastore)
    else:
        # No service changes the network tree: intended is what running is.
        is_candidate = request.datastore == config_pb2.DATASTORE_CANDIDATE
        tree = (datastores.candidate if is_candidate else datastores.state.running).network
    await asyncio.to_thread(_fill, response, tree, request, mode)
    return response


def _fill(
    response: config_pb2.GetResponse, tree: Tree, request: config_pb2.GetRequest, mode: WithDefaults
) -> None:
    schema = ROUTER if request.router else NETWORK
    paths = [path for path in (request.path, *request.paths) if path]
    shown = select(schema, with_defaults(schema, tree, mode), paths, request.depth)
    if request.as_json:
        response.config_json = text_of(shown)
    else:
        response.config.CopyFrom(struct_of(shown))


def _router_tree(datastores: Datastores, fleet: Fleet, router: str, datastore: config_pb2.Datastore) -> Tree:
    state = datastores.state
    intended = datastore == config_pb2.DATASTORE_INTENDED
    if intended and router in state.trees:
        return state.trees[router]
    if "/" in router:
        raise missing(
            f"'{router}' has no intended configuration: SPLIT/NUMBER names an unmanaged subscriber"
            " of a split, and only in the intended datastore."
        )
    written = datastores.candidate if datastore == config_pb2.DATASTORE_CANDIDATE else state.running
    if not _is_named(written, router):
        fleet.require(router)
    if intended and state.intended.of(router) is None:
        raise missing(f"No revision ever named a router '{router}': nothing is intended for it.")
    return {} if intended else written.routers.get(router, {})


def _is_named(running: Running, router: str) -> bool:
    path = "/tasuki-network:network/router" + predicate("name", router)
    return router in running.routers or get(NETWORK, running.network, path) is not None


def _operational_mode(mode: WithDefaults) -> WithDefaults:
    """Operational holds every value that is in use and no other (RFC 8342 section 5.3)."""
    if mode is WithDefaults.REPORT_ALL_TAGGED:
        raise invalid("Operational values are what is in use, default or not.", "operation-not-supported")
    return mode if mode is WithDefaults.TRIM else WithDefaults.EXPLICIT


async def _operational(fleet: Fleet, router: str, response: config_pb2.GetResponse) -> Tree:
    if not router:
        raise invalid(
            "The operational datastore is read router by router: name one in 'router'.",
            "operation-not-supported",
        )
    answer = await fleet.operational(router)
    response.revision = answer.applied_revision
    response.observed_at.CopyFrom(answer.observed_at)
    return await asyncio.to_thread(_unpacked, router, answer.config_json_gz)


def _unpacked(router: str, packed: bytes) -> Tree:
    """The tree that a router tells, which need not be one: a few kilobytes can unpack to gigabytes."""
    unpacking = zlib.decompressobj(_GZIP)
    try:
        text = unpacking.decompress(packed, _TEXT_LIMIT)
        if not unpacking.eof:
            raise _unreadable(router, f"it is cut off, or larger than {_TEXT_LIMIT >> 20} MiB")
        tree = json.loads(text)
    except (zlib.error, ValueError, RecursionError) as error:
        raise _unreadable(router, str(error)) from error
    if not isinstance(tree, dict):
        raise _unreadable(router, "it is no JSON object")
    return tree


def _unreadable(router: str, why: str) -> Failed:
    message = f"What router '{router}' tells of its operational state cannot be read: {why}."
    return Failed([ConfigError(error_tag="operation-failed", message=message)])
