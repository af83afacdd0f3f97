import errno

import pytest
from tasuki_agent.errors import ApplyError, Foreign, Permanent, Transient, error_class
from tasuki_agent.kernel import check_release


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.EEXIST, Foreign),
        (errno.ERANGE, Permanent),
        (errno.ENAMETOOLONG, Permanent),
        (errno.EACCES, Transient),
        (errno.EAFNOSUPPORT, Transient),
        (errno.EINVAL, Transient),
        (errno.EOPNOTSUPP, Transient),
        (errno.EPERM, Transient),
        (errno.EROFS, Transient),
        (errno.EADDRINUSE, Transient),
        (errno.EAGAIN, Transient),
        (errno.EBUSY, Transient),
        (errno.EHOSTUNREACH, Transient),
        (errno.EINTR, Transient),
        (errno.ENETDOWN, Transient),
        (errno.ENETUNREACH, Transient),
        (errno.ENOBUFS, Transient),
        (errno.ENODEV, Transient),
        (errno.ENOENT, Transient),
        (errno.ENOMEM, Transient),
        (errno.ESRCH, Transient),
        (99999, Transient),
    ],
)
def test_a_kernel_error_says_whether_another_try_makes_sense(number: int, expected: type[ApplyError]) -> None:
    assert error_class(number) is expected


@pytest.mark.parametrize("release", ["5.18.0", "6.1.0-18-amd64", "6.18.44-fc-v657", "10.0", "something"])
def test_kernels_that_keep_a_protocol_on_addresses_are_taken(release: str) -> None:
    check_release(release)


@pytest.mark.parametrize("release", ["5.17.9", "5.10.0-28-amd64", "4.19.0"])
def test_older_kernels_are_refused_with_the_reason(release: str) -> None:
    with pytest.raises(Permanent, match=rf"kernel {release} is too old: .* since Linux 5.18"):
        check_release(release)
