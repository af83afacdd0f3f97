"""What is known of the world, as kinds ask for it when they say what an intent wants.

Asking is recorded: what an intent asks for, known or not, is what is looked out for and told the controller.
"""

from tasuki_yang.facts import FactKey, Facts, Values


class Unknown(Exception):  # noqa: N818 - no error: what needs it waits
    """Something that an object is made of is not known yet.

    Attributes:
        on: what is waited for, such as "a global address of wan0".
        hint: what people can do about it; may be empty.
    """

    def __init__(self, on: str, hint: str = "") -> None:
        super().__init__(on)
        self.on = on
        self.hint = hint


class Known:
    """Facts, and which of them were asked for.

    Attributes:
        asked: every fact that was asked for, known or not.
    """

    def __init__(self, facts: Facts | None = None) -> None:
        self._facts = facts or {}
        self.asked: set[FactKey] = set()

    def one(self, subject: str, noun: str) -> str:
        """The first value of a fact.

        Raises:
            Unknown: there is none.
        """
        return self.all(subject, noun)[0]

    def all(self, subject: str, noun: str) -> Values:
        """The values of a fact.

        Raises:
            Unknown: there is none.
        """
        key = FactKey(subject, noun)
        self.asked.add(key)
        if key not in self._facts:
            raise Unknown(key.text, key.hint)
        return self._facts[key]
