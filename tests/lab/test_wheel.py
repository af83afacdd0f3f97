"""What a release installs: each extra brings its program and nothing of the others."""

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    must(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", f"{out}", f"{ROOT}")
    return next(out.glob("*.whl"))


@pytest.mark.parametrize(
    ("extra", "program", "absent"),
    [
        ("agent", "tasuki-agent", {"cryptography", "yangson", "oopt-gnpy-libyang", "rich", "typer"}),
        ("controller", "tasuki-controller", {"rich", "typer"}),
        ("cli", "tasuki", {"cryptography", "yangson", "oopt-gnpy-libyang"}),
    ],
)
def test_an_extra_installs_a_program_that_runs(
    wheel: Path, tmp_path: Path, extra: str, program: str, absent: set[str]
) -> None:
    venv.create(tmp_path, with_pip=True)
    must(f"{tmp_path}/bin/pip", "install", "--quiet", "--no-compile", f"{wheel}[{extra}]")
    assert "usage" in must(f"{tmp_path}/bin/{program}", "--help").lower()
    installed = must(f"{tmp_path}/bin/pip", "list", "--format=freeze")
    assert absent.isdisjoint(line.partition("==")[0].lower() for line in installed.splitlines())


def test_a_release_has_the_presets_of_aftrs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as release:
        assert "tasuki_controller/services/ds_lite/presets.json" in release.namelist()


def test_the_hook_of_dhcp_clients_is_installed_among_the_programs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as release:
        assert any(name.endswith(".data/scripts/tasuki-agent-lease-hook") for name in release.namelist())


def must(*command: str) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}{done.stderr}"
    return done.stdout
