import pytest
from hypothesis import given
from hypothesis import strategies as st
from tasuki_proto.channel import Target, aio_channel, channel

IPV6 = st.ip_addresses(v=6).map(str)
IPV4 = st.ip_addresses(v=4).map(str)


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("vps.example.net:9339", Target(host="vps.example.net", port=9339)),
        ("vps.example.net", Target(host="vps.example.net", port=9339)),
        ("192.0.2.1:443", Target(host="192.0.2.1", port=443)),
        ("[2001:db8::1]:443", Target(host="2001:db8::1", port=443)),
        ("[2001:db8::1]", Target(host="2001:db8::1", port=9339)),
        ("127.0.0.1:0", Target(host="127.0.0.1", port=0)),
        ("unix:/run/tasuki.sock", Target(path="/run/tasuki.sock")),
    ],
)
def test_a_target_is_a_host_and_port_or_a_unix_socket(text: str, target: Target) -> None:
    assert Target.parse(text) == target


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":9339",
        "unix:",
        "host:",
        "host:port",
        "host:-1",
        "host:65536",
        "host:²",
        "2001:db8::1",
        "2001:db8::1:9339",
        "[2001:db8::1",
        "[2001:db8::1]9339",
        "[host]:1",
        "[]:1",
        "ho st:1",
        "http://host:1",
    ],
)
def test_what_is_no_target_is_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(ValueError, match=r"PORT|port|bracket|path|2001:db8"):
        Target.parse(text)


@given(host=IPV4 | IPV6, port=st.integers(0, 65535))
def test_a_target_reads_what_it_prints(host: str, port: int) -> None:
    target = Target(host=host, port=port)
    assert Target.parse(str(target)) == target


@pytest.mark.parametrize("text", ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "localhost:1", "unix:/s"])
def test_this_machine_is_local(text: str) -> None:
    assert Target.parse(text).is_local


@pytest.mark.parametrize(
    "text",
    ["0.0.0.0:1", "[::]:1", "192.0.2.1:1", "[2001:db8::1]:1", "vps.example.net:1", "localhost.example.net:1"],
)
def test_other_machines_need_tls(text: str) -> None:
    target = Target.parse(text)
    assert not target.is_local
    with pytest.raises(ValueError, match=r"--insecure is refused"):
        aio_channel(target, None)
    with pytest.raises(ValueError, match=r"--insecure is refused"):
        channel(target, None)
