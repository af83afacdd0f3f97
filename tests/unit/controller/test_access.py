import pytest
from tasuki_controller.access import Caller, Role, authorize, identify
from tasuki_controller.failure import Failed

OPERATOR_SERVICES = [
    "tasuki.v1.ConfigService",
    "tasuki.v1.RouterService",
    "tasuki.v1.DriftService",
    "tasuki.v1.FactService",
]
PUBLIC_SERVICES = ["grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"]


@pytest.mark.parametrize(
    ("names", "caller"),
    [
        (["tasuki:router:home"], Caller(Role.ROUTER, "home", "peer")),
        (["home.example.net", "tasuki:operator:alice"], Caller(Role.OPERATOR, "alice", "peer")),
    ],
)
def test_a_certificate_says_one_part_of_one_name(names: list[str], caller: Caller) -> None:
    assert identify(names, "peer") == caller


@pytest.mark.parametrize(
    "names",
    [
        [],
        ["home"],
        ["tasuki-controller", "localhost"],
        ["tasuki:router:"],
        ["tasuki:router"],
        ["tasuki:king:home"],
        ["tasuki:router:home", "tasuki:router:vps"],
        ["tasuki:router:home", "tasuki:operator:home"],
        ["TASUKI:operator:alice"],
    ],
)
def test_any_other_certificate_is_denied(names: list[str]) -> None:
    with pytest.raises(Failed, match="neither") as failed:
        identify(names, "peer")
    assert failed.value.problems[0].error_tag == "access-denied"


@pytest.mark.parametrize(
    ("role", "allowed", "refused"),
    [
        (Role.OPERATOR, [*OPERATOR_SERVICES, *PUBLIC_SERVICES], ["tasuki.v1.AgentService", "other.Service"]),
        (Role.ROUTER, ["tasuki.v1.AgentService", *PUBLIC_SERVICES], [*OPERATOR_SERVICES, "other.Service"]),
        (Role.LOCAL, ["tasuki.v1.AgentService", *OPERATOR_SERVICES, *PUBLIC_SERVICES], ["other.Service"]),
    ],
)
def test_a_role_may_call_its_services_and_no_other(
    role: Role, allowed: list[str], refused: list[str]
) -> None:
    caller = Caller(role, "name", "peer")
    for service in allowed:
        authorize(caller, service)
    for service in refused:
        with pytest.raises(Failed, match="may not call"):
            authorize(caller, service)
