import asyncio

import pytest
from tasuki_controller.mailbox import Mailbox, MailboxClosedError


async def test_the_latest_message_of_a_key_wins() -> None:
    mailbox: Mailbox[str, int] = Mailbox()
    for number in range(1000):
        mailbox.put("intent", number)
    mailbox.put("ack", 7)
    assert len(mailbox) == 2
    assert await mailbox.take() == [999, 7]


async def test_a_reader_waits_until_there_is_something() -> None:
    mailbox: Mailbox[str, int] = Mailbox()
    reader = asyncio.create_task(mailbox.take())
    await asyncio.sleep(0)
    assert not reader.done()
    mailbox.put("a", 1)
    assert await reader == [1]


async def test_nothing_is_delivered_twice() -> None:
    mailbox: Mailbox[str, int] = Mailbox()
    mailbox.put("a", 1)
    await mailbox.take()
    mailbox.put("b", 2)
    assert await mailbox.take() == [2]


async def test_a_reader_that_gave_up_loses_nothing() -> None:
    mailbox: Mailbox[str, int] = Mailbox()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await mailbox.take()
    mailbox.put("a", 1)
    assert await mailbox.take() == [1]


async def test_closing_wakes_the_reader_with_the_first_reason() -> None:
    mailbox: Mailbox[str, int] = Mailbox()
    mailbox.put("a", 1)
    mailbox.close(ValueError("replaced"))
    mailbox.close(ValueError("lost"))
    mailbox.put("a", 2)
    for _ in range(2):
        with pytest.raises(ValueError, match="replaced"):
            await mailbox.take()


async def test_closing_without_a_reason_is_told_as_well() -> None:
    mailbox: Mailbox[str, int] = Mailbox()
    mailbox.close()
    with pytest.raises(MailboxClosedError):
        await mailbox.take()
