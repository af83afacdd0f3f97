"""A small certificate authority in the state directory, so that mutual TLS takes two commands.

`init` makes the authority and the controller's own certificate; `issue` makes one for a router or an
operator. A certificate says its holder's part in a URI, `tasuki:router:NAME` or `tasuki:operator:NAME`, which
`tasuki_controller.access` reads. Whoever has an authority already needs none of this: the controller takes
any PEM files with such names in them.
"""

import os
import re
import socket
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final, Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from tasuki_proto.channel import CONTROLLER_TLS_NAME, TlsFiles

Role = Literal["router", "operator"]

_AUTHORITY_LIFETIME: Final = timedelta(days=20 * 365)
_LIFETIME: Final = timedelta(days=5 * 365)
_CLOCK_SKEW: Final = timedelta(days=1)
"""A router without a battery-backed clock may boot a little in the past."""
_NAME: Final = re.compile(r"[a-zA-Z0-9]([a-zA-Z0-9._-]{0,61}[a-zA-Z0-9])?")
"""The YANG type `router-name`."""


class PkiError(Exception):
    """A certificate cannot be made or used. The message says why, and what to do."""


def is_name(text: str) -> bool:
    """Whether a router or an operator may have this name."""
    return _NAME.fullmatch(text) is not None


def init(state_dir: Path, hosts: Sequence[str] = ()) -> TlsFiles:
    """Make the authority and the controller's certificate, under `tls/` of the state directory.

    Args:
        state_dir: the controller's state directory; made when it is not there.
        hosts: further names and addresses that clients other than tasuki's may check the certificate for.

    Raises:
        PkiError: there is an authority already. It is never overwritten: every certificate hangs on it.
        OSError: the directory cannot be written.
    """
    directory = state_dir / "tls"
    if directory.exists():
        raise PkiError(f"{directory} exists already; certificates are made with 'tasuki-controller issue'")
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = _authority_certificate(authority_key)
    key = ec.generate_private_key(ec.SECP256R1())
    names = (CONTROLLER_TLS_NAME, "localhost", "127.0.0.1", "::1", socket.gethostname(), *hosts)
    certificate = _sign(
        authority,
        authority_key,
        key.public_key(),
        common_name=CONTROLLER_TLS_NAME,
        names=[_general_name(name) for name in dict.fromkeys(names)],
        usage=ExtendedKeyUsageOID.SERVER_AUTH,
    )
    # Renamed into place as a whole, so that a crash leaves either everything or nothing.
    with tempfile.TemporaryDirectory(prefix=".tls-", dir=state_dir) as temporary:
        complete = Path(temporary) / "tls"
        complete.mkdir(mode=0o700)
        _write_private_key(complete / "ca-key.pem", authority_key)
        _write_identity(TlsFiles.in_directory(complete), key, certificate, authority)
        complete.rename(directory)
    return TlsFiles.in_directory(directory)


def issue(state_dir: Path, role: Role, name: str, out: Path) -> TlsFiles:
    """Make a key and a certificate for one router or operator: `cert.pem`, `key.pem` and `ca.pem` in `out`.

    Raises:
        PkiError: the name is not allowed, there is no authority, or a file exists already.
        OSError: a file cannot be read or written.
    """
    if not is_name(name):
        raise PkiError(
            f"'{name}' is no name: 1 to 63 letters, digits, dots, dashes and underscores,"
            " with a letter or digit at both ends"
        )
    files = TlsFiles.in_directory(out)
    for file in (files.cert, files.key, files.ca):
        if file.exists():
            raise PkiError(f"{file} exists already; choose another directory or remove it first")
    authority, authority_key = _load_authority(state_dir)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _sign(
        authority,
        authority_key,
        key.public_key(),
        common_name=name,
        names=[x509.UniformResourceIdentifier(f"tasuki:{role}:{name}")],
        usage=ExtendedKeyUsageOID.CLIENT_AUTH,
    )
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write_identity(files, key, certificate, authority)
    return files


def check(files: TlsFiles) -> None:
    """See that the controller's files can be used: gRPC itself would only refuse every handshake.

    Raises:
        PkiError: a file is missing or damaged, the key is another one's, or the certificate is out of date.
    """
    try:
        certificate = x509.load_pem_x509_certificate(files.cert.read_bytes())
        x509.load_pem_x509_certificates(files.ca.read_bytes())
        key = serialization.load_pem_private_key(files.key.read_bytes(), password=None)
    except OSError as error:
        raise PkiError(f"{error.filename}: {error.strerror}") from error
    except (ValueError, TypeError) as error:
        raise PkiError(f"{files.cert}, {files.key} or {files.ca} is no usable PEM file: {error}") from error
    if key.public_key() != certificate.public_key():
        raise PkiError(f"{files.key} is not the key of {files.cert}")
    if not certificate.not_valid_before_utc <= datetime.now(UTC) <= certificate.not_valid_after_utc:
        raise PkiError(
            f"{files.cert} is valid from {certificate.not_valid_before_utc:%Y-%m-%d}"
            f" to {certificate.not_valid_after_utc:%Y-%m-%d} only"
        )


def _load_authority(state_dir: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    directory = state_dir / "tls"
    try:
        authority = x509.load_pem_x509_certificate((directory / "ca.pem").read_bytes())
        key = serialization.load_pem_private_key((directory / "ca-key.pem").read_bytes(), password=None)
    except FileNotFoundError as error:
        raise PkiError(f"{state_dir} has no authority yet: run 'tasuki-controller init' first") from error
    except ValueError as error:
        raise PkiError(f"the authority in {directory} is damaged: {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise PkiError(f"{directory / 'ca-key.pem'} is not the key that 'tasuki-controller init' made")
    return authority, key


def _authority_certificate(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tasuki CA")])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + _AUTHORITY_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _sign(
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
    key: ec.EllipticCurvePublicKey,
    *,
    common_name: str,
    names: Sequence[x509.GeneralName],
    usage: x509.ObjectIdentifier,
) -> x509.Certificate:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)]))
        .issuer_name(authority.subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
        )
        .sign(authority_key, hashes.SHA256())
    )


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        pass
    try:
        return x509.DNSName(host)
    except ValueError as error:
        raise PkiError(f"'{host}' is neither an address nor a DNS name in ASCII") from error


def _write_identity(
    files: TlsFiles,
    key: ec.EllipticCurvePrivateKey,
    certificate: x509.Certificate,
    authority: x509.Certificate,
) -> None:
    _write_private_key(files.key, key)
    files.cert.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files.ca.write_bytes(authority.public_bytes(serialization.Encoding.PEM))


def _write_private_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    # Never readable by others, not even for a moment; and never over a key that is there.
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(text)
