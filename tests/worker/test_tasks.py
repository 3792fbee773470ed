"""Each task passes its ids to the function that does the work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from worker import tasks
from worker.app import app
from worker.bell import DELIVER, LEARN, MAIL, PUBLISH, SCREEN, TEACH
from worker.gathering import Gathering


class Taken:
    """Records ids instead of working on them."""

    def __init__(self) -> None:
        self.ids: list[Sequence[Any]] = []

    def take(self, ids: Sequence[Any]) -> None:
        self.ids.append(list(ids))

    do = __call__ = take

    def wake(self, ids: Sequence[Any] = (1,)) -> None:
        self.take(ids)


@pytest.mark.parametrize(
    ("name", "part", "ids"),
    [
        (SCREEN, "screening", ["0190-a", "0190-b"]),
        (PUBLISH, "publishing", [1, 2]),
        (LEARN, "learn_soon", [1]),
        (TEACH, "draw_picks_of", [1, 2]),
        (DELIVER, "sender", ["0190-e"]),
        (MAIL, "mail_sending", [1]),
    ],
)
def test_a_message_reaches_its_work(
    monkeypatch: pytest.MonkeyPatch, name: str, part: str, ids: list[Any]
) -> None:
    taken = Taken()
    monkeypatch.setattr(tasks, part, (lambda: taken) if part == "sender" else taken)
    assert app.tasks[name](ids) is None
    assert taken.ids == [ids]


def test_no_other_task_is_ours() -> None:
    ours = {name for name in app.tasks if not name.startswith("celery.")}
    assert ours == {SCREEN, PUBLISH, LEARN, TEACH, DELIVER, MAIL}


@pytest.mark.parametrize(("gathering", "most"), [(tasks.screening, 100), (tasks.publishing, 20)])
def test_a_batch_is_small_enough_for_one_transaction(gathering: Any, most: int) -> None:
    sizes: list[int] = []
    Gathering[int](lambda items: sizes.append(len(items)), most=gathering._most).do(range(most + 1))
    assert sizes == [most, 1]
