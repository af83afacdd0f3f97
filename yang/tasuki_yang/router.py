"""Typed models of the router tree; `Router` is its root."""

from tasuki_yang.generated.router_model import *  # noqa: F403
