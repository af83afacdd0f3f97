"""The catalogue of YANG modules: which there are, which tree uses them, and their texts."""

from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

FOLDER: Traversable = files("tasuki_yang") / "modules"


@dataclass(frozen=True, slots=True)
class Module:
    """One module or submodule."""

    name: str
    revision: str
    namespace: str
    file: str
    """Below `FOLDER`."""
    trees: tuple[str, ...]
    """Trees whose schema uses it: "network", "router" or both."""
    import_only: bool = False
    """Only its types, groupings and the like are used: it has no data nodes of its own in any tree."""
    belongs_to: str = ""
    """The module that a submodule is a part of."""

    @property
    def text(self) -> str:
        """The YANG source."""
        return (FOLDER / self.file).read_text(encoding="utf-8")
