"""Where the rules' problems stand in the network tree."""

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
