"""What a failed change means for the next try.

Waiting for something that is not there yet is a status, not an error, and so has no class here.
"""

import errno as e


class ApplyError(Exception):
    """A change was refused. The message names the object, the operation and the kernel's own words."""


class Transient(ApplyError):  # noqa: N818 - a class of failure, not a failure
    """Worth another try after a while, with nothing else changed."""


class Permanent(ApplyError):  # noqa: N818
    """Pointless to repeat until the intent or the world changes."""


class Foreign(ApplyError):  # noqa: N818
    """An object that is not ours bears the name or key. It is reported and left alone."""


# Not EINVAL, EPERM and their like: the kernel also gives them for what a person did and undoes, such as an
# MTU below 1280 (no IPv6 address there), IPv6 disabled on an underlay, a module not loaded.
_CLASS_OF_ERRNO: dict[int, type[ApplyError]] = {
    e.EEXIST: Foreign,
    e.ERANGE: Permanent,
    e.EPROTONOSUPPORT: Permanent,
    e.ENOSYS: Permanent,
    e.EMSGSIZE: Permanent,
    e.ENAMETOOLONG: Permanent,
    e.E2BIG: Permanent,
    e.EDOM: Permanent,
    e.ELOOP: Permanent,
    e.EOVERFLOW: Permanent,
}


def error_class(errno: int) -> type[ApplyError]:
    """The class of a kernel error: what is not known to be hopeless is worth another try."""
    return _CLASS_OF_ERRNO.get(errno, Transient)
