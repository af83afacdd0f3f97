"""The agent's one abstraction: a kind of kernel or daemon object.

A kind says what objects of it the intent wants, which ones there are, and makes one change. Wanted and
observed
state have the same type, so that difference, dry run, drift and repair are one computation (`reconcile`).
Kinds live in `tasuki_agent.kinds`, one folder each, and are discovered: nothing names them one by one.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol, TypeAlias, runtime_checkable

from tasuki_agent.known import Impossible, Unknown

if TYPE_CHECKING:
    from tasuki_yang.router import Router

    from tasuki_agent.kernel import Kernel
    from tasuki_agent.known import Known

Key: TypeAlias = Any
"""A string or a named tuple, with `str()` as people write it.

Keys are hashed and compared far more often than anything else is done, and tuples do both in C. An attribute
beside the tuple's fields may say where the intent has the object.
"""
Tree: TypeAlias = dict[str, Any]
"""An RFC 7951 value of the router tree."""
Spec: TypeAlias = Any
"""A frozen dataclass.

Its fields with `compare=False` are evidence (marks, indexes), never part of a difference. Two properties say
what cannot be taken for granted: `settling`, what is still under way before the object is of use, and
`at_once`, whether it is of use from the moment that it is made.
"""


class Ref(NamedTuple):
    """One object of this router: the name of its kind and its key there."""

    kind: str
    key: Key

    def __str__(self) -> str:
        """Kind and key as people write them."""
        return f"{self.kind} {self.key}"

    def met_by(self, spec: "Spec") -> bool:  # noqa: ARG002
        """Whether the object, such as it is or will be, is what is needed. By itself a need is met by any."""
        return True


@dataclass(frozen=True, slots=True)
class Create:
    """The object is not there."""

    key: Key
    spec: Spec


@dataclass(frozen=True, slots=True)
class Update:
    """The object is there, differs, and can be changed in place."""

    key: Key
    observed: Spec
    spec: Spec


@dataclass(frozen=True, slots=True)
class Delete:
    """The object is there, is ours, and is not wanted."""

    key: Key
    observed: Spec


Change: TypeAlias = Create | Update | Delete


@dataclass(frozen=True, slots=True)
class Waiting:
    """Stands for the spec of a wanted object that is made of something that is not known yet.

    What is there of it already stays, as far as its kind's `suspended` says.
    """

    on: str
    """What is waited for, such as "a global address of wan0"."""
    hint: str = ""
    """What people can do about it."""
    off: bool = False
    """Whether it shall be switched off in any case: that needs nothing else to be known."""
    impossible: bool = False
    """Whether it is known, and the object cannot be made of it: that is a failure until it changes."""

    @classmethod
    def of(cls, unknown: Unknown) -> "Waiting":
        """For what is not known, or cannot be used."""
        return cls(unknown.on, unknown.hint, impossible=isinstance(unknown, Impossible))

    def __str__(self) -> str:
        """What is waited for and what to do."""
        return f"{self.on}: {self.hint}" if self.hint else self.on


UNMANAGED_WHEN_NONE: Mapping[str, bool] = {"unmanaged_when_none": True}


def optional() -> Any:
    """Declare a spec's field that is not managed, and so cannot drift, while it is wanted as None."""
    return field(default=None, metadata=UNMANAGED_WHEN_NONE)


@runtime_checkable
class Compound(Protocol):
    """A spec of many parts, which says itself where it differs."""

    def differences(self, observed: Any) -> Mapping[str, tuple[Any, Any]]:
        """Of each part that differs its name, and what is wanted and observed of it."""
        ...


def differences(wanted: Spec, observed: Spec) -> Mapping[str, tuple[Any, Any]]:
    """The managed fields in which the two specs differ: name to wanted and observed value.

    Specs of different types (another link type under the same name) differ in the pseudo field "type".
    """
    if type(wanted) is not type(observed):
        return {"type": (wanted, observed)}
    if wanted == observed:
        return {}
    if isinstance(wanted, Compound):
        return wanted.differences(observed)
    found = {}
    for f in fields(wanted):
        if not f.compare:
            continue
        value, seen = getattr(wanted, f.name), getattr(observed, f.name)
        if value is None and f.metadata.get("unmanaged_when_none"):
            continue
        if value != seen:
            found[f.name] = value, seen
    return found


def differing_fields(wanted: Spec, observed: Spec) -> tuple[str, ...]:
    """Names of the managed fields in which the two specs differ."""
    return tuple(differences(wanted, observed))


@dataclass(frozen=True, slots=True)
class Octet:
    """A condition on one byte of a message.

    Attributes:
        offset: of the byte, behind the netlink head.
        values: those that matter.
    """

    offset: int
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Topic:
    """Something that the kernel tells of by netlink, unasked.

    Attributes:
        groups: multicast groups to join, RTNLGRP_….
        types: types of messages, RTM_….
        only: what messages of these types must have; others are dropped before they wake anybody.
        protocol: NETLINK_…; groups and types are numbers of that protocol.
    """

    groups: tuple[int, ...]
    types: tuple[int, ...]
    only: Octet | None = None
    protocol: int = 0


Observed: TypeAlias = Mapping[str, Mapping[Key, Spec]]
"""All that was observed: kind's name to key to spec."""


def as_it_is(
    spec: Spec,
    waiting: Waiting,  # noqa: ARG001
    wanted: Mapping[Key, Spec | Waiting],  # noqa: ARG001
    observed: Observed,  # noqa: ARG001
) -> Spec:
    """What most kinds do with an object whose wanted form waits: nothing."""
    return spec


class Kind(Protocol):
    """One kind of object. Pure but for `observe` and `apply`."""

    name: ClassVar[str]
    """The noun: folder, YANG module `tasuki-<noun>`, tests and page of docs bear it."""
    follows: ClassVar[tuple[str, ...]]
    """Kinds whose objects are created before, and deleted after, the objects of this one."""
    wakes_on: ClassVar[tuple[Topic, ...]]
    """What has this kind observed again: news of its objects, and of what takes them along."""

    def want(self, intent: "Router", known: "Known") -> Mapping[Key, Spec | Waiting]:
        """What the router tree asks for, normalised like observed state. Total on a validated tree.

        What is asked of `known` and not known makes the object wait.
        """
        ...

    def needs(self, key: Key, spec: Spec) -> Iterable[Ref]:
        """Objects that must exist, by whomever they were made, before this one can."""
        ...

    def rank(self, key: Key) -> int:
        """Order among objects of this kind in one plan: lower ranks first."""
        ...

    def owns(self, key: Key, spec: Spec, observed: Observed) -> bool:
        """Whether this observed object is ours to change or delete."""
        ...

    def typed_over(self, key: Key, spec: Spec) -> bool:
        """Whether a person made this object in the place of ours, as `ip route replace` does.

        It is asked only where ours stood before, and only of objects that are not ours.
        """
        ...

    def in_place(self, observed: Spec, wanted: Spec) -> bool:
        """Whether the kernel can change the one into the other. If not: delete and create, dependants too."""
        ...

    def suspended(
        self, spec: Spec, waiting: Waiting, wanted: Mapping[Key, Spec | Waiting], observed: Observed
    ) -> Spec:
        """What an object of ours that is there shall be while its wanted form waits: mostly what it is.

        Args:
            spec: what it is.
            waiting: stands for what it is wanted to be.
            wanted: all objects of this kind that are wanted.
            observed: all objects that were observed.
        """
        ...

    def path(self, key: Key, field: str = "") -> str:
        """Instance-identifier (RFC 7951 section 6.11) of the object, or of one of its fields."""
        ...

    def tree(self, key: Key, spec: Spec) -> Mapping[str, Any]:
        """The object as an RFC 7951 router tree that holds nothing else: the inverse of `want`."""
        ...

    async def observe(self) -> Mapping[Key, Spec]:
        """All objects of the kind that are ours, wanted by name, or needed by others.

        Raises:
            Transient: the kernel did not answer in full; nothing can be concluded.
        """
        ...

    def apply(self, change: Change) -> Awaitable[None]:
        """Make one change. Idempotent: deleting what is gone succeeds. Errors are raised when awaited.

        Raises:
            Transient: worth another try without any change of intent.
            Permanent: pointless until the intent or the world changes.
            Foreign: somebody else's object bears the name or key.
        """
        ...


@runtime_checkable
class Checker(Protocol):
    """What a kind has besides if a program can tell beforehand whether it would take a change."""

    async def check(self, change: Change) -> None:
        """Have the program judge the change, without making it.

        Raises:
            Transient: the program refuses it, or cannot be asked.
        """
        ...


@runtime_checkable
class Watcher(Protocol):
    """What a kind has besides if nothing of netlink tells what befalls its objects."""

    async def watch(self, changed: Callable[[], None]) -> None:
        """Look out until cancelled; call `changed` when the objects may be otherwise than observed last."""
        ...


KindFactory: TypeAlias = Callable[["Kernel"], Kind]
"""What a kind's folder exports as `KIND`."""
