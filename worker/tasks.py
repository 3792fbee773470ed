"""The Celery tasks, as short recipes: ids in, nothing out."""

from __future__ import annotations

from worker.app import app
from worker.bell import DELIVER, LEARN, MAIL, PUBLISH, SCREEN, TEACH
from worker.gathering import Gathering
from worker.learning.learner import learn_soon
from worker.learning.teaching import draw_picks_of
from worker.mail import sending as mail_sending
from worker.publishing.publishing import publish_threads
from worker.screening.screening import screen_and_ring
from worker.webhooks.sending import sender

screening = Gathering(screen_and_ring, most=100)
publishing = Gathering(publish_threads, most=20)


@app.task(name=SCREEN)
def screen(comment_ids: list[str]) -> None:
    screening.do(comment_ids)


@app.task(name=PUBLISH)
def publish(thread_ids: list[int]) -> None:
    publishing.do(thread_ids)


@app.task(name=LEARN)
def learn(site_ids: list[int]) -> None:
    learn_soon(site_ids)


@app.task(name=TEACH)
def teach(site_ids: list[int]) -> None:
    draw_picks_of(site_ids)


@app.task(name=DELIVER)
def deliver(endpoint_ids: list[str]) -> None:
    sender().wake(
        endpoint_ids
    )  # runs in its own thread, so that no slow endpoint delays screening or publishing


@app.task(name=MAIL)
def mail(_: list[int]) -> None:
    mail_sending.wake()  # runs in its own thread, too
