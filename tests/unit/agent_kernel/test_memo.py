"""A steady dump decodes nothing, and a name that moved to another interface is noticed."""

from tasuki_agent.kernel.interfaces import Names
from tasuki_agent.kernel.memo import Memo


class World:
    """Interfaces whose names the test chooses, and a decoder that counts."""

    def __init__(self, **names: str) -> None:
        self.names = {int(index[1:]): name for index, name in names.items()}
        self.decoded: list[bytes] = []
        self.memo: Memo[str, str] = Memo(self.decode, self.names.get)

    def decode(self, message: bytes, names: Names) -> tuple[str, str] | None:
        self.decoded.append(message)
        if message == b"not ours":
            return None
        index, _, value = message.decode().partition(":")
        return names(int(index)), value


def test_equal_messages_are_decoded_once() -> None:
    world = World(_1="e0", _2="e1")
    first = world.memo.objects([b"1:a", b"2:b"])
    assert world.memo.objects([b"1:a", b"2:b"]) == first == {"e0": "a", "e1": "b"}
    assert world.decoded == [b"1:a", b"2:b"]


def test_a_changed_message_is_decoded_and_the_others_are_not() -> None:
    world = World(_1="e0", _2="e1")
    world.memo.objects([b"1:a", b"2:b"])
    assert world.memo.objects([b"1:a", b"2:c"]) == {"e0": "a", "e1": "c"}
    assert world.decoded == [b"1:a", b"2:b", b"2:c"]


def test_what_is_gone_is_forgotten() -> None:
    world = World(_1="e0")
    world.memo.objects([b"1:a"])
    assert world.memo.objects([]) == {}
    world.memo.objects([b"1:a"])
    assert world.decoded == [b"1:a", b"1:a"]


def test_a_renamed_interface_is_noticed_though_no_byte_changed() -> None:
    world = World(_1="e0", _2="e1")
    world.memo.objects([b"1:a", b"2:b"])
    world.names[1] = "wan"
    assert world.memo.objects([b"1:a", b"2:b"]) == {"wan": "a", "e1": "b"}
    assert world.decoded[2:] == [b"1:a"]


def test_an_interface_that_vanished_meanwhile_is_spelled_by_its_index_and_looked_up_again() -> None:
    world = World()
    assert world.memo.objects([b"7:a"]) == {"if7": "a"}
    world.names[7] = "e7"
    assert world.memo.objects([b"7:a"]) == {"e7": "a"}


def test_of_two_objects_with_one_key_the_kernel_uses_the_first() -> None:
    world = World(_1="e0")
    assert world.memo.objects([b"1:a", b"1:b"]) == {"e0": "a"}


def test_objects_that_a_kind_does_not_look_at_are_remembered_as_such() -> None:
    world = World()
    world.memo.objects([b"not ours"])
    assert world.memo.objects([b"not ours"]) == {}
    assert world.decoded == [b"not ours"]


def test_of_two_objects_with_one_key_a_kind_may_make_one() -> None:
    world = World(_1="e0")
    memo: Memo[str, str] = Memo(world.decode, world.names.get, "{}+{}".format)
    for _ in range(2):
        assert memo.objects([b"1:a", b"1:b", b"1:c"]) == {"e0": "a+b+c"}
