"""How the rules say what is wrong: where it stands in the network tree, and what to do about it."""

from tasuki_yang.errors import ConfigError
from tasuki_yang.path import predicate

from tasuki_controller.services.vxlan_split.tunnel import Lan, Split, Subscriber


def split_path(split: Split, *names: str) -> str:
    """Instance-identifier of a node of a split."""
    entry = "tasuki-vxlan-split:vxlan-split" + predicate("name", split.name)
    return "/".join(("/tasuki-network:network", entry, *names))


def subscriber_path(split: Split, subscriber: Subscriber, *names: str) -> str:
    """Instance-identifier of a node of a subscriber."""
    return split_path(split, "subscriber" + predicate("number", subscriber.number), *names)


def lan_path(split: Split, subscriber: Subscriber, lan: Lan) -> str:
    """Instance-identifier of a LAN of a subscriber."""
    return subscriber_path(split, subscriber, "delegation", "lan" + predicate("interface", lan.interface))


def invalid(path: str, app_tag: str, message: str) -> ConfigError:
    """A value that YANG allows and the network does not."""
    return ConfigError(error_tag="invalid-value", error_app_tag=app_tag, error_path=path, message=message)


def missing(path: str, app_tag: str, message: str) -> ConfigError:
    """A node that is needed because of others."""
    return ConfigError(error_tag="data-missing", error_app_tag=app_tag, error_path=path, message=message)
