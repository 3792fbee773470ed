"""What messages ask for: thin recipes. Ids in, nothing out."""

from __future__ import annotations

from worker.app import app
from worker.bell import PUBLISH, SCREEN, ring
from worker.publishing import publish_thread
from worker.screening import screen_now


@app.task(name=SCREEN)
def screen(comment_ids: list[str]) -> None:
    """Judge comments that wait: every check runs, then one decision each; then their pages are owed."""
    settled = screen_now(comment_ids)
    threads = {comment.thread_id for comment in settled if comment.touches_page}
    if threads:
        ring(PUBLISH, sorted(threads))


@app.task(name=PUBLISH)
def publish(thread_ids: list[int]) -> None:
    """Bring storage up to date, thread by thread."""
    for thread_id in thread_ids:
        publish_thread(thread_id)
