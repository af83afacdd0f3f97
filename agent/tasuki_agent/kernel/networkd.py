"""systemd-networkd, asked over D-Bus for all that it knows. Nothing is ever asked to be done."""

import asyncio
from typing import Final

from tasuki_agent.errors import Transient
from tasuki_agent.kernel import uapi
from tasuki_agent.kind import Octet, Topic

TOPIC: Final = Topic(
    (uapi.RTNLGRP_IPV4_ROUTE, uapi.RTNLGRP_IPV6_ROUTE),
    (uapi.RTM_NEWROUTE, uapi.RTM_DELROUTE),
    only=Octet(5, (uapi.RTPROT_DHCP,)),
)
"""The routes that it makes of leases. That a lease has become another one it does not tell itself."""
LIMIT: Final = 10.0
"""Seconds that an answer may take."""
_NAME: Final = "org.freedesktop.network1"


async def describe() -> str:
    """What `networkctl --json=short` prints of everything.

    Raises:
        Transient: it does not run, or does not answer.
    """
    # Most routers have nothing to ask it.
    from jeepney import DBusAddress, MessageFlag, MessageType, new_method_call  # noqa: PLC0415
    from jeepney.auth import AuthenticationError  # noqa: PLC0415
    from jeepney.io.asyncio import open_dbus_router  # noqa: PLC0415

    manager = DBusAddress("/org/freedesktop/network1", bus_name=_NAME, interface=f"{_NAME}.Manager")
    question = new_method_call(manager, "Describe")
    # Whether it runs is not for us to say.
    question.header.flags |= MessageFlag.no_auto_start
    try:
        async with asyncio.timeout(LIMIT), open_dbus_router(bus="SYSTEM") as bus:
            answer = await bus.send_and_get_reply(question)
    except (OSError, AuthenticationError, TimeoutError) as error:
        raise Transient(
            f"systemd-networkd cannot be asked over D-Bus: {error or 'it does not answer'}"
        ) from error
    if answer.header.message_type is not MessageType.method_return:
        raise Transient(
            f"systemd-networkd does not run, or refuses to tell: {' '.join(map(str, answer.body))}"
        )
    (description,) = answer.body
    return str(description)
