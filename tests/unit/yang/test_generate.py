"""Generation of schemas and models: current, complete, and open to new modules."""

import re
from pathlib import Path
from shutil import copytree

import pytest
from tasuki_yang.generate.models import models
from tasuki_yang.generate.output import ROOTS, generate
from tasuki_yang.generate.types import ModuleError, python_expression
from tasuki_yang.generate.yang import Modules, Tree
from tasuki_yang.generated.catalogue import MODULES
from tasuki_yang.modules import FOLDER
from tasuki_yang.node import Container, Leaf, LeafList, List, Node, Type
from tasuki_yang.schema import NETWORK, ROUTER
from unit.yang.example import EXAMPLE, example

GENERATED = Path(str(FOLDER)).parent / "generated"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the modules, to add to."""
    copytree(str(FOLDER), tmp_path, dirs_exist_ok=True)
    return tmp_path


def tree_of(folder: Path, name: str) -> Tree:
    modules = Modules(folder)
    return modules.tree(name, modules.members(ROOTS[name]))


def module(name: str, body: str) -> str:
    return f'module {name} {{ yang-version 1.1; namespace "urn:{name}"; prefix p; {body} }}'


def test_what_is_committed_is_what_the_modules_give() -> None:
    present = {path.name: path.read_text() for path in GENERATED.glob("*.py")}
    assert present == dict(generate(Path(str(FOLDER))))


def test_a_new_module_that_augments_a_tree_is_picked_up_by_being_there(folder: Path) -> None:
    (folder / "tasuki" / "tasuki-probe.yang").write_text(
        module(
            "tasuki-probe",
            """import ietf-interfaces { prefix if; }
            augment "/if:interfaces/if:interface" { leaf probe { type boolean; default "true"; } }""",
        )
    )
    files = generate(folder)
    assert "tasuki-probe:probe" in files["router_schema.py"]
    assert "    probe: bool = Field(default=True," in files["router_model.py"]
    assert "tasuki-probe" not in files["network_schema.py"]


def test_a_module_that_extends_an_extension_belongs_to_the_tree(folder: Path) -> None:
    (folder / "tasuki" / "tasuki-site.yang").write_text(
        module(
            "tasuki-site",
            """import tasuki-network { prefix tnet; }
            augment "/tnet:network" { container site { leaf name { type string; } } }""",
        )
    )
    (folder / "tasuki" / "tasuki-floor.yang").write_text(
        module(
            "tasuki-floor",
            """import tasuki-network { prefix tnet; } import tasuki-site { prefix tsite; }
            augment "/tnet:network/tsite:site" { leaf floor { type int8; } }""",
        )
    )
    assert {"tasuki-site", "tasuki-floor"} <= set(tree_of(folder, "network").schema.modules)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("leaf x { type nothing; }", "nothing"),
        ("anydata x;", "anydata x is not supported"),
        ("leaf x { when \"count(../y) > 1\"; type string; default 'z'; }", "default under the condition"),
        ("leaf x { type string { pattern '\\p{L}+'; } }", "has no equal in Python"),
    ],
)
def test_a_module_with_an_error_or_unknown_means_is_refused(folder: Path, body: str, problem: str) -> None:
    (folder / "tasuki" / "tasuki-wrong.yang").write_text(
        module(
            "tasuki-wrong",
            f'import tasuki-network {{ prefix tnet; }} augment "/tnet:network" {{ {body} }}',
        )
    )
    with pytest.raises(ModuleError, match=re.escape(problem)):
        generate(folder)


def test_state_data_is_known_only_by_name() -> None:
    interfaces = ROUTER.top.children["ietf-interfaces:interfaces"]
    assert isinstance(interfaces, Container)
    interface = interfaces.children["interface"]
    assert isinstance(interface, List)
    assert "oper-status" in interface.state
    assert "oper-status" not in interface.children


def test_what_the_deviations_take_away_is_not_there() -> None:
    interfaces = ROUTER.top.children["ietf-interfaces:interfaces"]
    assert isinstance(interfaces, Container)
    interface = interfaces.children["interface"]
    assert isinstance(interface, List)
    assert "link-up-down-trap-enable" not in interface.children
    assert "link-up-down-trap-enable" not in interface.state


def test_what_depends_on_a_feature_is_not_there() -> None:
    route = EXAMPLE.top.children["example:route"]
    assert isinstance(route, Container)
    assert "teleport" not in route.children


def values() -> dict[str, Node]:
    node = EXAMPLE.top.children["example:values"]
    assert isinstance(node, Container)
    return dict(node.children)


def leaf(label: str) -> Leaf:
    node = values()[label]
    assert isinstance(node, Leaf)
    return node


def test_a_leafref_has_the_type_of_its_target() -> None:
    assert leaf("friend").type == Type("string")


def test_an_identityref_knows_the_identities_of_the_whole_tree_without_its_base() -> None:
    assert leaf("paint").type.names == ("example:red", "example:dark-red", "example-extension:blue")


def test_a_restriction_starts_from_the_one_of_its_typedef() -> None:
    bounds = leaf("smaller-share").type.bounds
    assert bounds is not None
    assert bounds.parts == ((0, 10),)


def test_a_typedefs_default_is_the_leafs_unless_it_has_its_own() -> None:
    assert leaf("share").default == "50"
    assert leaf("smaller-share").default == "5"


def test_a_known_format_stands_for_the_patterns_of_its_typedef() -> None:
    assert leaf("address").type.members == (
        Type("string", "ipv4-address"),
        Type("string", "ipv6-address"),
    )


def test_children_in_a_choice_know_their_cases() -> None:
    route = EXAMPLE.top.children["example:route"]
    assert isinstance(route, Container)
    assert route.children["train"].cases == (("way", "by-land"), ("way/by-land/vehicle", "train"))
    assert isinstance(route.children["stop"], LeafList)
    assert route.children["note"].cases == ()


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        ("a.c", "abc", "a\nc"),
        ("a^b$", "a^b$", "ab"),
        ("[^a$]+", "b^", "$"),
        (r"[\.\-]+", ".-", "a"),
        (r"\d{2}", "42", "4"),
        (r"a\.b", "a.b", "axb"),
    ],
)
def test_a_yang_pattern_means_the_same_in_python(pattern: str, matching: str, other: str) -> None:
    expression = re.compile(python_expression(pattern))
    assert expression.fullmatch(matching)
    assert not expression.fullmatch(other)


@pytest.mark.parametrize("pattern", [r"\p{L}", r"\i\c*", "[a-z-[aeiou]]", r"\w"])
def test_a_pattern_that_python_cannot_express_is_refused(pattern: str) -> None:
    with pytest.raises(ModuleError):
        python_expression(pattern)


def test_siblings_of_two_modules_with_one_name_bear_their_modules_names() -> None:
    source = models(example())
    assert (
        '    example_extension_age: str | None = Field(default=None, validation_alias="example-extension:age"'
        in source
    )


def test_the_catalogue_lists_every_module_once_with_its_text() -> None:
    assert sorted(module.file for module in MODULES) == sorted(
        path.relative_to(str(FOLDER)).as_posix() for path in Path(str(FOLDER)).rglob("*.yang")
    )
    for entry in MODULES:
        assert entry.name in entry.text
        assert f'"{entry.namespace}"' in entry.text or entry.belongs_to


def test_the_catalogue_tells_imported_modules_from_implemented_ones() -> None:
    implemented = {entry.name for entry in MODULES if not entry.import_only and not entry.belongs_to}
    assert implemented == {*NETWORK.modules, *ROUTER.modules}
    types = next(entry for entry in MODULES if entry.name == "ietf-inet-types")
    assert types.trees == ("network", "router")
    part = next(entry for entry in MODULES if entry.belongs_to)
    assert (part.name, part.import_only) == ("ietf-ipv6-router-advertisements", False)
