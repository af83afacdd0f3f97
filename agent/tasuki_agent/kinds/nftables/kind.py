"""The kind `nftables`: the model and the codec, joined to the kernel and to nft(8)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from tasuki_agent.errors import Foreign, Transient
from tasuki_agent.kernel import Kernel, nft
from tasuki_agent.kernel.marks import COMMENT
from tasuki_agent.kind import Change, Create, Delete, Topic, Update, as_it_is
from tasuki_agent.kinds.nftables import codec, model
from tasuki_agent.kinds.nftables.model import NAME, TABLE, Table, TableKey


class NftablesKind:
    """The table of our name. Other tables are not looked at."""

    name: ClassVar = "nftables"
    follows: ClassVar[tuple[str, ...]] = ()
    wakes_on: ClassVar[tuple[Topic, ...]] = (nft.TOPIC,)

    want = staticmethod(model.want)
    needs = staticmethod(model.needs)
    rank = staticmethod(model.rank)
    owns = staticmethod(model.owns)
    typed_over = staticmethod(model.typed_over)
    in_place = staticmethod(model.in_place)
    suspended = staticmethod(as_it_is)
    path = staticmethod(model.path)
    tree = staticmethod(model.tree)

    def __init__(self, kernel: Kernel) -> None:
        self._nft = kernel.nft
        self._seen: tuple[int, Mapping[TableKey, Table]] | None = None
        """What was seen last, and in which generation of the ruleset."""

    async def observe(self) -> Mapping[TableKey, Table]:
        """The table of our name; what was seen last, as unread, while the kernel does not tell.

        The other kinds need not wait for this one to be seen.
        """
        try:
            return await self._observe()
        except Transient as error:
            tables = self._seen[1] if self._seen else {}
            return {key: replace(table, blocks=(), unread=str(error)) for key, table in tables.items()}

    async def _observe(self) -> Mapping[TableKey, Table]:
        """Only if there is a table, of ours, and anything has changed is nft asked.

        Raises:
            Transient: the kernel refuses to tell.
        """
        generation = self._nft.generation()
        if generation is None:
            return {}
        if self._seen and self._seen[0] == generation:
            return self._seen[1]
        head = self._nft.table(NAME)
        if head is None:
            tables = {}
        elif head.comment != COMMENT:
            tables = {TABLE: Table((), handle=head.handle, comment=head.comment)}
        else:
            try:
                listing = await self._nft.list(NAME)
            except Transient as error:
                return {TABLE: Table((), str(error), head.handle, head.comment)}
            blocks = codec.respelled(codec.decode(listing), self._nft.spellings)
            tables = {TABLE: Table(blocks, "", head.handle, head.comment)}
        self._seen = generation, tables
        return tables

    async def apply(self, change: Change) -> None:
        """One transaction: no packet ever meets half a table, or none."""
        before = self._nft.generation() or 0
        try:
            await self._nft.load(_script(change), doing=_doing(change))
        except Transient:
            head = self._nft.table(NAME)
            if isinstance(change, Create) and head is not None:
                raise Foreign(f"{_doing(change)}: a table of this name is there") from None
            if isinstance(change, Delete) and (head is None or head.handle != change.observed.handle):
                return
            raise
        if not isinstance(change, Delete):
            await self._learn_spellings(change.spec, before + 1, _doing(change))

    async def check(self, change: Change) -> None:
        """Ask nft and the kernel whether they would take the table."""
        await self._nft.check(_script(change), doing=_doing(change))

    async def _learn_spellings(self, loaded: Table, generation: int, doing: str) -> None:
        """See how nft lists what it was just given.

        Raises:
            Transient: somebody else's transaction came between, which may have made what differs.
        """
        spellings = codec.spellings(loaded.blocks, codec.decode(await self._nft.list(NAME)))
        if spellings and self._nft.generation() != generation:
            raise Transient(f"{doing}: somebody changed nftables at the same time")
        self._nft.remember(spellings)
        self._seen = None


def _script(change: Change) -> str:
    match change:
        case Create(_, spec):
            return codec.create(spec.blocks)
        case Update(_, observed, spec):
            return codec.delete(observed.handle) + codec.create(spec.blocks)
        case Delete(_, observed):
            return codec.delete(observed.handle)


def _doing(change: Change) -> str:
    verb = {Create: "create", Update: "change", Delete: "delete"}[type(change)]
    return f"{verb} nftables {change.key}"
