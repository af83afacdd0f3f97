"""How the rules of services say what is wrong. Pure."""

from tasuki_yang.errors import ConfigError
from tasuki_yang.validator import Gaps


def invalid(path: str, app_tag: str, message: str) -> ConfigError:
    """A value that YANG allows and the network does not."""
    return ConfigError(error_tag="invalid-value", error_app_tag=app_tag, error_path=path, message=message)


def missing(path: str, app_tag: str, message: str) -> ConfigError:
    """A node that is needed because of others."""
    return ConfigError(error_tag="data-missing", error_app_tag=app_tag, error_path=path, message=message)


def unreadable(gaps: Gaps, path: str, *leaves: str) -> bool:
    """Whether one of these leaves below the path was malformed: a rule would take its default for it."""
    return bool(gaps) and any(f"{path}/{leaf}" in gaps for leaf in leaves)


END = tuple(
    f"underlay/{leaf}"
    for leaf in (
        "interface",
        "address",
        "global-address",
        "delegated-address/subnet-id",
        "delegated-address/interface-id",
    )
)
"""The leaves that say where an end of a tunnel is."""
