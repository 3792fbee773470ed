"""Bodies are read with a deadline, a minimum rate and a memory limit."""

from __future__ import annotations

import asyncio

import pytest

from service.gate import bodies
from service.gate.bodies import Bodies, Gone, TooMuchAtOnce, TooSlow, linger, seconds_for
from tests.service.gate.asked import Exchange

LONG = bodies.AT_ONCE + 1


@pytest.mark.parametrize(
    ("length", "seconds"), [(1, 5.001), (1024, 6), (5120, 10), (131_072, 10), (2_097_152, 10)]
)
def test_a_short_body_has_less_time_and_none_has_more_than_ten_seconds(
    length: int, seconds: float
) -> None:
    assert seconds_for(length) == pytest.approx(seconds, abs=0.001)


@pytest.mark.parametrize("length", [10, LONG])
def test_a_body_that_arrives_in_pieces_is_whole(length: int) -> None:
    body = bytes(range(256)) * (length // 256 + 1)
    pieces = [body[:3], body[3:length]]
    assert asyncio.run(Bodies().read(Exchange(pieces), length)) == body[:length]


@pytest.mark.parametrize("length", [10, LONG])
def test_a_body_that_stops_is_cut_at_its_deadline(
    length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "MOST_SECONDS", 0.1)
    with pytest.raises(TooSlow):
        asyncio.run(Bodies().read(Exchange([b"x"], stays_open=True), length))


@pytest.mark.parametrize("length", [10, LONG])
def test_a_body_whose_client_has_gone_is_no_body(length: int) -> None:
    with pytest.raises(Gone):
        asyncio.run(Bodies().read(Exchange([b"x"]), length))


def test_long_bodies_share_a_bound_on_memory_and_give_it_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bodies, "MOST_HELD", 2 * LONG)
    monkeypatch.setattr(bodies, "MOST_SECONDS", 0.2)

    async def ask() -> None:
        reads = Bodies()
        held = [
            asyncio.create_task(reads.read(Exchange([b"x" * (LONG - 1)], stays_open=True), LONG))
            for _ in "12"
        ]
        await asyncio.sleep(0)
        with pytest.raises(TooMuchAtOnce):
            await reads.read(Exchange([b"x" * LONG]), LONG)
        for task in held:
            with pytest.raises(TooSlow):
                await task
        assert await reads.read(Exchange([b"x" * LONG]), LONG)

    asyncio.run(ask())


def test_bytes_after_a_refusal_are_read_but_not_forever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bodies, "LINGER_SECONDS", 0.1)
    monkeypatch.setattr(bodies, "MOST_LINGERED", 100)
    for exchange in (
        Exchange([b"x" * 50]),
        Exchange([b"x"], stays_open=True),
        Exchange([b"x" * 60] * 9),
    ):
        asyncio.run(linger(exchange))
