"""Typed models: documents in, the same documents out, and nothing else."""

import json
import subprocess
import sys
from decimal import Decimal
from typing import Any, Literal

import pytest
from hypothesis import given
from pydantic import BaseModel, Field, ValidationError
from tasuki_yang.generate.models import models
from tasuki_yang.model import Empty, Int64, Model
from tasuki_yang.network import Network, NetworkVxlanSplitSubscriber, NetworkVxlanSplitSubscriberUnderlay
from tasuki_yang.router import Router
from unit.yang.example import example, trees

Json = dict[str, Any]

ROUTER_DOCUMENT: Json = {
    "ietf-interfaces:interfaces": {
        "interface": [
            {"name": "eth0", "type": "iana-if-type:other"},
            {
                "name": "vxlan08",
                "type": "tasuki-link:vxlan",
                "tasuki-link:mtu": 1410,
                "tasuki-link:vxlan": {"vni": 8, "underlay": "eth0", "remote": "192.0.2.8"},
                "ietf-ip:ipv6": {"address": [{"ip": "2001:db8:ae00:0:8::1", "prefix-length": 80}]},
            },
        ]
    },
    "ietf-routing:routing": {
        "control-plane-protocols": {
            "control-plane-protocol": [
                {
                    "type": "ietf-routing:static",
                    "name": "ae00",
                    "static-routes": {
                        "ietf-ipv6-unicast-routing:ipv6": {
                            "route": [
                                {
                                    "destination-prefix": "2001:db8:ae00::/40",
                                    "next-hop": {"special-next-hop": "unreachable"},
                                }
                            ]
                        }
                    },
                }
            ]
        },
        "tasuki-sysctl:forwarding": {"ipv6": True},
    },
}


def dumped(model: BaseModel) -> Json:
    text: Json = json.loads(model.model_dump_json(by_alias=True, exclude_unset=True))
    return text


def example_model() -> type[Model]:
    names: Json = {
        "Decimal": Decimal,
        "Empty": Empty,
        "Field": Field,
        "Int64": Int64,
        "Literal": Literal,
        "Model": Model,
        "__name__": "example",
    }
    exec(models(example()), names)
    root: type[Model] = names["Example"]
    return root


EXAMPLE_MODEL = example_model()


def with_mandatory(tree: Json) -> Json:
    """The tree with the one mandatory leaf of the example, as any valid document has it."""
    persons = tree.get("example:people", {}).get("person", [])
    for person in persons:
        person.setdefault("age", 0)
    return tree


@given(trees(example().schema).map(with_mandatory))
def test_any_document_goes_through_a_model_unchanged(document: Json) -> None:
    model = EXAMPLE_MODEL.model_validate_json(json.dumps(document))
    assert dumped(model) == document
    assert EXAMPLE_MODEL.model_validate(dumped(model)) == model


def test_a_router_tree_goes_through_its_model_unchanged() -> None:
    assert dumped(Router.model_validate(ROUTER_DOCUMENT)) == ROUTER_DOCUMENT


def test_attributes_are_the_names_of_the_nodes() -> None:
    router = Router.model_validate(ROUTER_DOCUMENT)
    eth0, vxlan08 = router.interfaces.interface
    assert (eth0.vxlan, eth0.ipv6) == (None, None)
    assert vxlan08.vxlan is not None
    assert vxlan08.ipv6 is not None
    assert (vxlan08.vxlan.vni, vxlan08.ipv6.address[0].ip) == (8, "2001:db8:ae00:0:8::1")
    (static,) = router.routing.control_plane_protocols.control_plane_protocol
    assert static.static_routes.ipv6.route[0].next_hop.special_next_hop == "unreachable"


def test_defaults_are_those_of_the_modules() -> None:
    router = Router.model_validate(ROUTER_DOCUMENT)
    vxlan = router.interfaces.interface[1].vxlan
    assert vxlan is not None
    assert (vxlan.udp_port, vxlan.learning) == (4789, False)
    (static,) = router.routing.control_plane_protocols.control_plane_protocol
    assert (static.static_routes.table, static.static_routes.ipv6.route[0].metric) == (254, 1024)


def test_every_container_without_presence_is_there() -> None:
    assert Router().routing.rules.ipv6.rule == ()
    assert Network().network.vxlan_split == ()


def test_models_are_built_by_attribute_names() -> None:
    subscriber = NetworkVxlanSplitSubscriber(
        number=8,
        unmanaged=True,
        underlay=NetworkVxlanSplitSubscriberUnderlay(interface="wan0", address="192.0.2.8"),
    )
    assert dumped(subscriber) == {
        "number": 8,
        "unmanaged": [None],
        "underlay": {"interface": "wan0", "address": "192.0.2.8"},
    }


def test_what_the_modules_make_mandatory_must_be_given() -> None:
    with pytest.raises(ValidationError, match="underlay"):
        NetworkVxlanSplitSubscriber.model_validate({"number": 8})


def test_unknown_members_are_refused() -> None:
    with pytest.raises(ValidationError, match="ipv4_adress"):
        Network.model_validate({"ipv4_adress": 1})


def test_models_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Router().interfaces = Router().interfaces


def test_the_agents_import_brings_neither_the_other_tree_nor_any_yang_tool() -> None:
    program = "import sys, tasuki_yang.router; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    ).stdout.split()
    assert "tasuki_yang.generated.router_model" in loaded
    foreign = ("pyang", "oopt_gnpy_libyang", "yangson", "tasuki_yang.generated.network_model")
    assert not [name for name in foreign if name in loaded]
