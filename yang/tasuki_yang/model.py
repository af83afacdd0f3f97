"""What the generated models have in common: how RFC 7951 values become Python values and back."""

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer


class Model(BaseModel):
    """A container or list entry. Immutable, without unknown members; built by attribute names or aliases."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, populate_by_name=True, protected_namespaces=(), cache_strings="keys"
    )


def _present(value: object) -> object:
    return True if value == [None] else value


Empty: TypeAlias = Annotated[
    Literal[True], BeforeValidator(_present), PlainSerializer(lambda _: [None], return_type=list[None])
]
"""A leaf of type empty that is there: `[null]` (RFC 7951 section 6.9)."""

Int64: TypeAlias = Annotated[int, PlainSerializer(str, return_type=str)]
"""A 64-bit integer, which travels as a string (RFC 7951 section 6.1)."""
