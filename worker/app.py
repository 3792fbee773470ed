"""The Celery application: `celery -A worker.app worker`, or `greenroom worker`."""

from __future__ import annotations

import warnings
from typing import Any

import structlog
from celery import Celery, bootsteps, signals
from celery.exceptions import CPendingDeprecationWarning
from celery.worker.consumer.tasks import Tasks

from models.garbage import collect_often
from models.logs import configure_logs
from models.store import deadlines
from worker.bell import DELIVER, SCREEN
from worker.broker import RING_OPTIONS, WORK_OPTIONS, common, eviction_policy
from worker.lifeline import watch_up
from worker.mail import sending as mail_sending
from worker.screening.screening import finish_what_the_last_began, warm
from worker.sweep import Sweeper
from worker.watchdog import Watchdog
from worker.webhooks import sending

log = structlog.get_logger()
app = Celery("greenroom", include=["worker.tasks"])
app.conf.update(
    common(),
    broker_transport_options=WORK_OPTIONS,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=4,
    worker_hijack_root_logger=False,
    worker_enable_remote_control=False,
    worker_send_task_events=False,
)


def _no_global_prefetch(*_: object) -> bool:
    """Set the prefetch limit per consumer, which is right for every kind of queue.

    RabbitMQ's quorum queues refuse a limit for the whole channel, and the worker would then run
    without a consumer. Celery recognises only queues that it declares as quorum queues itself, not
    those of a virtual host whose default they are.
    """
    return False


Tasks.qos_global = _no_global_prefetch  # type: ignore[assignment]


class Sweeping(bootsteps.StartStopStep):
    """Runs the sweep beside the consumer, not inside it, because it must continue while the broker
    is down.
    """

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        watchdog = Watchdog(list(parent.app.amqp.queues.consume_from))
        self.sweeper = Sweeper(str(parent.hostname), watchdog)
        signals.task_received.connect(watchdog.heard)

    def start(self, parent: Any) -> None:
        if DELIVER in parent.app.amqp.queues.consume_from:
            sending.sender()
        self.sweeper.start()

    def stop(self, parent: Any) -> None:
        self.sweeper.stop()
        sending.stop()
        mail_sending.stop()


app.steps["worker"].add(Sweeping)


@signals.setup_logging.connect
def _our_logs(**_: object) -> None:
    configure_logs()


@signals.celeryd_after_setup.connect
def _without_warnings_of_the_future(**_: object) -> None:
    """Silence a warning that Celery gives at each loss of a connection, about what a future version
    will cancel: nothing here depends on it.
    """
    warnings.simplefilter("ignore", CPendingDeprecationWarning)


@signals.worker_ready.connect
def _warn(**_: object) -> None:
    """Log a warning if Redis may evict messages to free memory. Nothing is lost by that, but
    everything waits for the sweep.
    """
    with app.connection_for_write(transport_options=RING_OPTIONS) as connection:
        policy = eviction_policy(connection)
    if policy not in {None, "noeviction"}:
        log.warning(
            "broker.may_evict", reason=f"set maxmemory-policy to noeviction: it is {policy}"
        )


@signals.worker_init.connect
def _warm(**_: object) -> None:
    """Load the model before the first comment arrives, whether or not the broker answers."""
    if SCREEN in app.amqp.queues.consume_from:
        warm()
        finish_what_the_last_began()  # before anything here starts a thread


@signals.worker_init.connect
def _begin(**_: object) -> None:
    watch_up()
    deadlines.be_patient(deadlines.WORKER_PATIENCE)
    collect_often()
