"""What messages ask for: thin recipes. Ids in, nothing out."""

from __future__ import annotations

from collections.abc import Sequence

from worker.app import app
from worker.bell import PUBLISH, SCREEN, ring
from worker.gathering import Gathering
from worker.publishing import publish_threads
from worker.screening import screen_now


def screen_and_ring(comment_ids: Sequence[str]) -> None:
    """Judge comments that wait: every check runs, then one decision each; then their pages are owed."""
    settled = screen_now(comment_ids)
    threads = {comment.thread_id for comment in settled if comment.touches_page}
    if threads:
        ring(PUBLISH, sorted(threads))


screening = Gathering(screen_and_ring, most=100)
publishing = Gathering(publish_threads, most=20)


@app.task(name=SCREEN)
def screen(comment_ids: list[str]) -> None:
    screening.do(comment_ids)


@app.task(name=PUBLISH)
def publish(thread_ids: list[int]) -> None:
    publishing.do(thread_ids)
