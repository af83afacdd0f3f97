"""The kind `address`: the model and the codec, joined to the kernel."""

import asyncio
import errno
import time
from collections.abc import Awaitable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from tasuki_agent.errors import Transient
from tasuki_agent.kernel import Kernel, addresses, uapi
from tasuki_agent.kernel.marks import PROTOCOL
from tasuki_agent.kernel.memo import Memo, ours_first
from tasuki_agent.kind import Change, Create, Delete, Topic, Update, as_it_is
from tasuki_agent.kinds.address import codec, link_local, model
from tasuki_agent.kinds.address.lifetimes import ENDLESS
from tasuki_agent.kinds.address.model import Address, AddressKey
from tasuki_agent.kinds.link import codec as link


class AddressKind:
    """Addresses by interface and IP address. All are observed; only ours are changed."""

    name: ClassVar = "address"
    follows: ClassVar[tuple[str, ...]] = ("link",)
    wakes_on: ClassVar[tuple[Topic, ...]] = (codec.TOPIC, link.TOPIC)

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
        self._rtnetlink = kernel.rtnetlink
        self._index_of = kernel.interfaces.index_of
        self._memo = Memo(codec.decode, kernel.interfaces.name_of)
        self._duplicates: set[AddressKey] = set()
        """Addresses that another host has too, until the kernel has found that they are unique."""

    async def observe(self) -> Mapping[AddressKey, Address]:
        """Every address of this network namespace."""
        ipv4 = await self._rtnetlink.dump(uapi.RTM_GETADDR, codec.dump(uapi.AF_INET))
        ipv6 = await self._rtnetlink.dump(uapi.RTM_GETADDR, codec.dump(uapi.AF_INET6))
        observed = self._memo.objects(ours_first((*ipv4, *ipv6), codec.MARK))
        observed |= _ends_known(observed, _uptime())
        if indexes := link_local.without(ipv6):
            links = await self._rtnetlink.dump(uapi.RTM_GETLINK, link.DUMP)
            observed |= _in_want_of_link_local(observed, link_local.missing(links, indexes))
        observed |= self._still_duplicate(observed)
        return observed

    def _still_duplicate(self, observed: Mapping[AddressKey, Address]) -> dict[AddressKey, Address]:
        """What was a duplicate counts as one while the kernel looks for other hosts with it once more."""
        searched = {
            key: replace(spec, duplicate=True)
            for key in self._duplicates
            if (spec := observed.get(key)) is not None and spec.flags & uapi.IFA_F_TENTATIVE
        }
        self._duplicates = {key for key, spec in observed.items() if spec.duplicate} | searched.keys()
        return searched

    def apply(self, change: Change) -> Awaitable[None]:
        """One message; what is gone with its interface is deleted already."""
        match change:
            case Create(key, spec):
                created = self._create(key, spec)
                return _told_of_disabled_ipv6(key, created) if addresses.is_ipv6(key.ip) else created
            case Update(key, observed, spec):
                return self._mend(key, observed, spec)
            case Delete(key, observed):
                return self._delete(key, observed)

    async def _mend(self, key: AddressKey, observed: Address, spec: Address) -> None:
        """Tell the kernel the lifetimes; give the interface its link-local address; look for others again.

        Raises:
            Transient: the address was a duplicate; it takes some seconds to see whether it still is.
        """
        requests = []
        if observed.missing_link_local:
            requests.append(self._create_link_local(key, observed))
        if observed.flags & uapi.IFA_F_DADFAILED:
            requests += (*self._deletion(key, observed), self._create(key, spec))
        elif observed.protocol != PROTOCOL or observed.lifetimes != spec.lifetimes:
            requests.append(self._put(key, spec, uapi.NLM_F_REPLACE, "change address"))
        await asyncio.gather(*requests)
        if observed.duplicate:
            raise Transient(
                f"address {key}: another host on the link has this address"
                " (duplicate address detection failed)"
            )

    def _create(self, key: AddressKey, spec: Address) -> Awaitable[None]:
        return self._put(key, spec, uapi.NLM_F_CREATE | uapi.NLM_F_EXCL, "create address")

    def _put(self, key: AddressKey, spec: Address, flags: int, doing: str) -> Awaitable[None]:
        return self._rtnetlink.request(
            uapi.RTM_NEWADDR,
            flags,
            lambda: codec.create(key, spec, self._index_of(key.interface), _uptime()),
            doing=doing,
            subject=key,
        )

    def _create_link_local(self, key: AddressKey, observed: Address) -> Awaitable[None]:
        """Several addresses may want for the same one, and the kernel may be first."""
        return self._rtnetlink.request(
            uapi.RTM_NEWADDR,
            uapi.NLM_F_CREATE | uapi.NLM_F_EXCL,
            lambda: codec.create_link_local(observed.missing_link_local, observed.index),
            doing=f"create link-local address {observed.missing_link_local} for address",
            subject=key,
            tolerate=(errno.EEXIST,),
        )

    async def _delete(self, key: AddressKey, observed: Address) -> None:
        await asyncio.gather(*self._deletion(key, observed))

    def _deletion(self, key: AddressKey, observed: Address) -> Iterator[Awaitable[None]]:
        """With the route to its prefix, which the kernel takes away at once only if it had no end."""
        if observed.lifetimes and addresses.is_ipv6(key.ip) and not observed.no_prefix_route:
            yield self._make_endless(key, observed)
        yield self._delete_alone(key, observed)

    def _make_endless(self, key: AddressKey, observed: Address) -> Awaitable[None]:
        return self._rtnetlink.request(
            uapi.RTM_NEWADDR,
            uapi.NLM_F_REPLACE,
            lambda: codec.create(key, replace(observed, lifetimes=ENDLESS), observed.index, _uptime()),
            doing="delete address",
            subject=key,
            tolerate=(errno.EADDRNOTAVAIL, errno.ENODEV),
        )

    def _delete_alone(self, key: AddressKey, observed: Address) -> Awaitable[None]:
        return self._rtnetlink.request(
            uapi.RTM_DELADDR,
            0,
            lambda: codec.delete(key, observed),
            doing="delete address",
            subject=key,
            tolerate=(errno.EADDRNOTAVAIL, errno.ENODEV),
        )


def _uptime() -> float:
    """The clock of what leases are valid for: it goes on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _ends_known(observed: Mapping[AddressKey, Address], now: float) -> dict[AddressKey, Address]:
    """The addresses that expire, with when they do so, from what was left of their lifetimes."""
    return {
        key: replace(spec, lifetimes=spec.lifetimes.after(now))
        for key, spec in observed.items()
        if spec.lifetimes is not None
    }


def _in_want_of_link_local(
    observed: Mapping[AddressKey, Address], missing: Mapping[int, str]
) -> dict[AddressKey, Address]:
    """The IPv6 addresses of interfaces that lack a link-local one, with the one that is missing."""
    return {
        key: replace(spec, link_local=False, missing_link_local=missing[spec.index])
        for key, spec in observed.items()
        if spec.index in missing and addresses.is_ipv6(key.ip)
    }


async def _told_of_disabled_ipv6(key: AddressKey, created: Awaitable[None]) -> None:
    """Name the parameter that the kernel means when it says that IPv6 is disabled."""
    try:
        await created
    except Transient as error:
        if _is_ipv6_disabled(key.interface):
            # As sysctl(8) writes names that have dots.
            name = key.interface.replace(".", "/")
            raise Transient(f"{error}: sysctl net.ipv6.conf.{name}.disable_ipv6 is 1") from error
        raise


def _is_ipv6_disabled(interface: str) -> bool:
    try:
        return Path("/proc/sys/net/ipv6/conf", interface, "disable_ipv6").read_text() == "1\n"
    except OSError:
        return False
