"""Who may do what, with real certificates over real TLS."""

import asyncio
import datetime as dt
from pathlib import Path
from typing import Any

import grpc
import pytest
from controller_process import (
    ControllerProcess,
    Refusal,
    agent,
    health,
    network,
    operator,
    reflection,
    running,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from grpc import aio
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2
from tasuki_controller import pki
from tasuki_proto.channel import Target, TlsFiles, aio_channel
from tasuki_proto.v1 import config_pb2


@pytest.fixture
def state(tmp_path: Path) -> Path:
    pki.init(tmp_path / "state")
    return tmp_path / "state"


def issue(state: Path, role: pki.Role, name: str) -> TlsFiles:
    return pki.issue(state, role, name, state.parent / f"{role}-{name}")


async def handshake(target: Target, files: TlsFiles, *options: str) -> tuple[int | None, str]:
    """Whether `openssl s_client` gets through the handshake, and its words."""
    process = await asyncio.create_subprocess_exec(
        *("openssl", "s_client", "-connect", str(target), "-alpn", "h2", "-brief", *options),
        *("-CAfile", files.ca, "-cert", files.cert, "-key", files.key, "-verify_return_error"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode(errors="replace")


def rsa_controller(state: Path) -> TlsFiles:
    """A controller certificate as another authority's tools would make it: with an RSA key."""
    authority = x509.load_pem_x509_certificate((state / "tls/ca.pem").read_bytes())
    authority_key = serialization.load_pem_private_key((state / "tls/ca-key.pem").read_bytes(), None)
    assert isinstance(authority_key, ec.EllipticCurvePrivateKey)
    key = rsa.generate_private_key(65537, 2048)
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("tasuki-controller")]), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    files = TlsFiles(state / "rsa-cert.pem", state / "rsa-key.pem", state / "tls/ca.pem")
    files.cert.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return files


@pytest.mark.parametrize("key", ["ecdsa", "rsa"])
async def test_tls_1_3_is_the_only_version(state: Path, key: str) -> None:
    files = rsa_controller(state) if key == "rsa" else TlsFiles.in_directory(state / "tls")
    arguments = ("--tls-cert", str(files.cert), "--tls-key", str(files.key), "--tls-ca", str(files.ca))
    alice = issue(state, "operator", "alice")
    async with running(state, *arguments) as controller:
        status, output = await handshake(controller.target, alice, "-tls1_3")
        assert status == 0, output
        assert "TLSv1.3" in output
        for version in ("-tls1_2", "-tls1_1", "-tls1"):
            status, output = await handshake(controller.target, alice, version, "-cipher", "ALL:@SECLEVEL=0")
            assert status != 0, output
        async with operator(controller.target, alice) as caller:
            assert (await caller.apply(network("vps"))).committed


async def test_the_author_of_a_revision_is_the_operator_in_the_certificate(state: Path) -> None:
    async with (
        running(state) as controller,
        operator(controller.target, issue(state, "operator", "alice")) as alice,
    ):
        await alice.apply(network("vps"))
        listed = await alice.config.ListRevisions(config_pb2.ListRevisionsRequest())
        assert [revision.author for revision in listed.revisions] == ["alice"]


async def test_a_router_gets_its_own_intent_and_nothing_else(state: Path) -> None:
    home = issue(state, "router", "home")
    async with running(state) as controller:
        async with operator(controller.target, issue(state, "operator", "alice")) as alice:
            await alice.apply(network("vps", "home", subscribers=[1]))
        async with agent(controller.target, home) as own:
            await own.hello("home")
            revision, tree = await own.intent()
            assert revision == 1
            assert "2001:db8:ae00:0:1::2" in str(tree)
        async with agent(controller.target, home) as other:
            with Refusal() as refusal:
                await other.hello("vps")
                await other.intent()
            assert_denied(refusal, "'home' does not stand for router 'vps'")
        async with operator(controller.target, home) as caller:
            await assert_every_service_refuses(caller)
            await assert_public_services_answer(caller.channel)


async def assert_every_service_refuses(caller: Any) -> None:
    calls = [
        caller.config.Apply(config_pb2.ApplyRequest(config_json=b"{}")),
        caller.config.Get(config_pb2.GetRequest(router="vps")),
        caller.router.ListRouters({}),
        caller.drift.ListDrift({}),
        caller.router.WatchRouters({}).read(),
        caller.drift.WatchDrift({}).read(),
    ]
    for call in calls:
        with Refusal() as refusal:
            await call
        assert_denied(refusal, "The router 'home' may not call tasuki.v1.")


async def assert_public_services_answer(channel: aio.Channel) -> None:
    answer = await health(channel).Check(health_pb2.HealthCheckRequest())
    assert answer.status == health_pb2.HealthCheckResponse.SERVING
    requests = iter([reflection_pb2.ServerReflectionRequest(list_services="")])
    services = await reflection(channel).ServerReflectionInfo(requests).read()
    assert "tasuki.v1.ConfigService" in str(services)


def assert_denied(refusal: Refusal, words: str) -> None:
    assert refusal.code is grpc.StatusCode.PERMISSION_DENIED
    assert words in refusal.text
    assert [problem.error_tag for problem in refusal.problems] == ["access-denied"]


async def test_an_operator_may_not_play_a_router(state: Path) -> None:
    async with (
        running(state) as controller,
        agent(controller.target, issue(state, "operator", "alice")) as fake,
    ):
        with Refusal() as refusal:
            await fake.hello("alice")
            await fake.intent()
        assert_denied(refusal, "The operator 'alice' may not call tasuki.v1.AgentService")


async def test_the_controllers_own_certificate_is_nobodys(state: Path) -> None:
    """It is for servers, so that whoever steals it cannot call with it."""
    async with running(state) as controller:
        await assert_no_connection(controller, TlsFiles.in_directory(state / "tls"))


async def test_a_router_cannot_play_the_controller(state: Path, tmp_path: Path) -> None:
    home = issue(state, "router", "home")
    arguments = ("--tls-cert", str(home.cert), "--tls-key", str(home.key), "--tls-ca", str(home.ca))
    async with running(tmp_path / "rogue", *arguments) as rogue:
        await assert_no_connection(rogue, issue(state, "operator", "alice"))


async def test_certificates_of_another_authority_get_no_connection(state: Path, tmp_path: Path) -> None:
    pki.init(tmp_path / "other")
    stranger = issue(tmp_path / "other", "operator", "alice")
    ours = TlsFiles(stranger.cert, stranger.key, state / "tls/ca.pem")
    async with running(state) as controller:
        await assert_no_connection(controller, ours)
        async with aio.secure_channel(
            str(controller.target), grpc.ssl_channel_credentials(ours.ca.read_bytes())
        ) as channel:
            await assert_unavailable(channel)
        async with aio.insecure_channel(str(controller.target)) as channel:
            await assert_unavailable(channel)


async def assert_no_connection(controller: ControllerProcess, files: TlsFiles) -> None:
    async with aio_channel(controller.target, files) as channel:
        await assert_unavailable(channel)


async def assert_unavailable(channel: aio.Channel) -> None:
    with pytest.raises(aio.AioRpcError) as refused:
        await health(channel).Check(health_pb2.HealthCheckRequest(), timeout=10)
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
