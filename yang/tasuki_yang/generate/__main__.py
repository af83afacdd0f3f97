"""`python -m tasuki_yang.generate [--check]`: write `tasuki_yang/generated`, or prove that it is current."""

import argparse
import sys
from pathlib import Path

from tasuki_yang.generate.output import generate

_PACKAGE = Path(__file__).resolve().parent.parent


def main() -> int:
    """Return 1 if `--check` finds a difference, else 0."""
    parser = argparse.ArgumentParser(prog="python -m tasuki_yang.generate", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing, exit 1 if the files are not current"
    )
    check = parser.parse_args().check
    folder = _PACKAGE / "generated"
    wanted = generate(_PACKAGE / "modules")
    present = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.py")}
    stale = sorted(name for name in wanted.keys() | present.keys() if wanted.get(name) != present.get(name))
    if check:
        for name in stale:
            sys.stderr.write(f"{folder / name} is not current: run python -m tasuki_yang.generate\n")
        return 1 if stale else 0
    for name in stale:
        if name in wanted:
            (folder / name).write_text(wanted[name], encoding="utf-8")
        else:
            (folder / name).unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
