"""Typed models of the network tree; `Network` is its root."""

from tasuki_yang.generated.network_model import *  # noqa: F403
