"""How the benchmarks count, and what they print.

Ratios are of the same run: absolute times say more of the machine than of tasuki.
"""

import json
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Measurement:
    """One result, with the largest value that is allowed for it, if any, and the one that is aimed at."""

    name: str
    value: float
    unit: str
    limit: float | None = None
    aim: float | None = None

    @property
    def within_limit(self) -> bool:
        """Whether it is as good as it must be."""
        return self.limit is None or self.value <= self.limit

    def __str__(self) -> str:
        """One line of the table."""
        bounds = [f"limit {self.limit:g}"] if self.limit is not None else []
        bounds += [f"aim {self.aim:g}"] if self.aim is not None else []
        verdict = "" if self.limit is None else "ok" if self.within_limit else "TOO MUCH"
        return f"{self.name:<68} {self.value:>9.3g} {self.unit:<8} {', '.join(bounds):<22} {verdict}".rstrip()


def report(measurements: Sequence[Measurement]) -> int:
    """Print them, as JSON if the command line has --json. Returns the exit status: 1 if a limit is passed."""
    if "--json" in sys.argv[1:]:
        print(json.dumps([{**asdict(m), "within_limit": m.within_limit} for m in measurements], indent=2))
    else:
        for measurement in measurements:
            print(measurement, flush=True)
    return 0 if all(m.within_limit for m in measurements) else 1


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that so many percent of all do not exceed (nearest rank)."""
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]
