"""`make bench`: every benchmark of this folder, one after the other, each in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

NOT_BENCHMARKS = {"run.py", "measure.py"}


def main() -> int:
    """Run them all. Returns the exit status: 1 if a limit is passed."""
    here = Path(__file__).parent
    scripts = sorted(script for script in here.glob("*.py") if script.name not in NOT_BENCHMARKS)
    status = 0
    results = []
    for script in scripts:
        arguments = sys.argv[1:]
        done = subprocess.run(
            [sys.executable, script, *arguments], check=False, stdout=subprocess.PIPE, text=True
        )
        status = status or done.returncode
        if "--json" in arguments:
            results += json.loads(done.stdout or "[]")
        else:
            print(done.stdout, end="", flush=True)
    if results:
        print(json.dumps(results, indent=2))
    return status


if __name__ == "__main__":
    sys.exit(main())
