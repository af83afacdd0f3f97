import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from tasuki_controller import pki
from tasuki_proto.channel import TlsFiles


def certificate(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def alternative_names(path: Path) -> list[str]:
    names = certificate(path).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(name.value) for name in names]


def usages(path: Path) -> list[x509.ObjectIdentifier]:
    return list(certificate(path).extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)


def test_init_makes_a_controller_that_any_client_can_check(tmp_path: Path) -> None:
    files = pki.init(tmp_path / "state", ["vps.example.net", "2001:db8::1"])
    names = alternative_names(files.cert)
    assert {"tasuki-controller", "localhost", "127.0.0.1", "::1", "vps.example.net", "2001:db8::1"} <= set(
        names
    )
    assert usages(files.cert) == [ExtendedKeyUsageOID.SERVER_AUTH]
    pki.check(files)


def test_keys_are_for_their_owner_only(tmp_path: Path) -> None:
    pki.init(tmp_path)
    pki.issue(tmp_path, "router", "home", tmp_path / "out")
    for key in (tmp_path / "tls/ca-key.pem", tmp_path / "tls/key.pem", tmp_path / "out/key.pem"):
        assert stat.S_IMODE(key.stat().st_mode) == 0o600


@pytest.mark.parametrize("role", ["router", "operator"])
def test_issued_certificates_name_their_holder_and_serve_clients_only(tmp_path: Path, role: pki.Role) -> None:
    pki.init(tmp_path)
    files = pki.issue(tmp_path, role, "a.b-c_1", tmp_path / "out")
    issued = certificate(files.cert)
    assert issued.subject.rfc4514_string() == "CN=a.b-c_1"
    assert alternative_names(files.cert) == [f"tasuki:{role}:a.b-c_1"]
    assert usages(files.cert) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert isinstance(issued.public_key(), ec.EllipticCurvePublicKey)
    issued.verify_directly_issued_by(certificate(tmp_path / "tls/ca.pem"))
    assert files.ca.read_bytes() == (tmp_path / "tls/ca.pem").read_bytes()
    assert issued.not_valid_before_utc < datetime.now(UTC) < issued.not_valid_after_utc


def test_an_authority_is_never_overwritten(tmp_path: Path) -> None:
    pki.init(tmp_path)
    before = (tmp_path / "tls/ca.pem").read_bytes()
    with pytest.raises(pki.PkiError, match="exists already"):
        pki.init(tmp_path)
    assert (tmp_path / "tls/ca.pem").read_bytes() == before


def test_an_init_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(pki.PkiError, match="neither an address nor a DNS name"):
        pki.init(tmp_path / "state", ["日本"])
    assert list((tmp_path / "state").iterdir()) == []


def test_an_issued_key_is_never_overwritten(tmp_path: Path) -> None:
    pki.init(tmp_path)
    pki.issue(tmp_path, "router", "home", tmp_path / "out")
    with pytest.raises(pki.PkiError, match="exists already"):
        pki.issue(tmp_path, "router", "vps", tmp_path / "out")


@pytest.mark.parametrize("name", ["", "a b", "-a", "a-", "../x", "a/b", "a:b", "x" * 64, "あ", "a\n"])
def test_names_that_the_model_would_not_take_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(pki.PkiError, match="is no name"):
        pki.issue(tmp_path, "router", name, tmp_path / "out")


def test_issuing_needs_an_authority(tmp_path: Path) -> None:
    with pytest.raises(pki.PkiError, match="tasuki-controller init"):
        pki.issue(tmp_path, "router", "home", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_key_of_another_certificate_is_noticed(tmp_path: Path) -> None:
    files = pki.init(tmp_path)
    other = pki.issue(tmp_path, "operator", "alice", tmp_path / "out")
    with pytest.raises(pki.PkiError, match="is not the key of"):
        pki.check(TlsFiles(files.cert, other.key, files.ca))


@pytest.mark.parametrize("broken", ["cert", "key", "ca"])
def test_files_that_gRPC_could_not_use_are_named(tmp_path: Path, broken: str) -> None:  # noqa: N802
    files = pki.init(tmp_path)
    path: Path = getattr(files, broken)
    path.write_text("nonsense")
    with pytest.raises(pki.PkiError, match=path.name):
        pki.check(files)
    path.unlink()
    with pytest.raises(pki.PkiError, match="No such file"):
        pki.check(files)
