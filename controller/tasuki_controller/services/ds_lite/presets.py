"""Providers' AFTRs by the names that they are known under, and the servers that know these.

They are data, in presets.json. No address of an AFTR is among them: public lists of those contradict one
another, and providers change them.
"""

import json
import pkgutil
from collections.abc import Mapping
from functools import cache

from tasuki_controller.ends import Named


@cache
def presets() -> Mapping[str, Named]:
    """All presets, by their names."""
    data = pkgutil.get_data(__package__, "presets.json")
    if data is None:
        raise FileNotFoundError("presets.json")
    return {
        preset: Named(entry["name"], tuple(entry["resolvers"])) for preset, entry in json.loads(data).items()
    }
