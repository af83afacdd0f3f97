"""How an operation of a session is refused, in the words of RFC 6241 section 4.3 and appendix A."""

from tasuki_yang.errors import ConfigError, ErrorTag

from tasuki_controller.failure import Failed


def refused(tag: ErrorTag, message: str, *, session: int | None = None, error_app_tag: str = "") -> Failed:
    """The operation is refused; `session` is the one that stands in the way, 0 if it is none of ours."""
    info = {} if session is None else {"session-id": str(session)}
    return Failed(
        [
            ConfigError(
                error_type="protocol",
                error_tag=tag,
                error_app_tag=error_app_tag,
                error_info=info,
                message=message,
            )
        ]
    )


def named(session: int) -> str:
    """A session in a message."""
    return f"session {session}" if session else "a call without a session"
