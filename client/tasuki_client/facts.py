"""Facts as people write them. Imports no gRPC, so that a mistake is told before anybody is called."""

from typing import NamedTuple


class Supposed(NamedTuple):
    """What a router might learn."""

    router: str
    subject: str
    noun: str
    values: tuple[str, ...]


def parse_supposed(text: str) -> Supposed:
    """Read ROUTER/SUBJECT/NOUN=VALUE[,VALUE]. Whether there is such a fact is the controller's to say.

    Raises:
        ValueError: it is not of this form; the message says what is.
    """
    # A subject may have slashes, and commas too; a router's name, a noun and a value have neither.
    fact, _, values = text.partition("=")
    router, _, key = fact.partition("/")
    subject, _, noun = key.rpartition("/")
    if not all((router, subject, noun, values)):
        raise ValueError(
            f"'{text}' supposes nothing: write ROUTER/SUBJECT/NOUN=VALUE[,VALUE], such as"
            " home/wan0/delegated-prefix=2001:db8:1200::/56"
        )
    return Supposed(router, subject, noun, tuple(values.split(",")))
