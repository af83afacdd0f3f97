"""What is known of the world, as kinds ask for it when they say what an intent wants.

Asking is recorded: what an intent asks for, known or not, is what is looked out for and told the controller.
"""

from tasuki_yang.facts import AllTerms, FactKey, Facts, Terms, Values


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


class Impossible(Unknown):
    """What an object is made of is known, and it cannot be made of that: a failure, no wait."""


class Known:
    """Facts, and which of them were asked for.

    Attributes:
        asked: every fact that was asked for, known or not.
        noted: facts that people want to see if they are known. Nothing waits for them.
        used: facts whose values were asked for, so that something may be made of them.
        timed: facts whose terms were asked for.
    """

    def __init__(self, facts: Facts | None = None, terms: AllTerms | None = None) -> None:
        self._facts = facts or {}
        self._terms = terms or {}
        self.asked: set[FactKey] = set()
        self.noted: set[FactKey] = set()
        self.used: set[FactKey] = set()
        self.timed: set[FactKey] = set()

    def note(self, subject: str, *nouns: str) -> None:
        """Have these facts looked out for and told to people, without needing them."""
        self.noted.update(FactKey(subject, noun) for noun in nouns)

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
        self.used.add(key)
        if key not in self._facts:
            raise Unknown(key.text, key.hint)
        return self._facts[key]

    def some(self, subject: str, noun: str) -> Values:
        """The values of a fact, none of which is needed: there may be none."""
        key = FactKey(subject, noun)
        self.noted.add(key)
        self.used.add(key)
        return self._facts.get(key, ())

    def terms(self, subject: str, noun: str, value: str) -> Terms:
        """How long a value of a fact holds; for ever if nothing says otherwise."""
        key = FactKey(subject, noun)
        self.timed.add(key)
        return self._terms.get((key, value), Terms())
