"""`/metrics` for Prometheus. Requests are counted when they are answered; everything else is read
from the database at scrape time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import cache
from ipaddress import IPv6Address, ip_address
from time import monotonic, perf_counter
from typing import TYPE_CHECKING, Annotated, NamedTuple

from flask import Flask, Response, request
from prometheus_client import (
    CONTENT_TYPE_PLAIN_0_0_4,
    CollectorRegistry,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from pydantic import Field
from sqlalchemy import Select, Text, cast, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from models.identifiers import first_id
from models.judgement.evidence import CHECKS as EVERY_CHECK
from models.judgement.evidence import SCREENING
from models.records import (
    Comment,
    Delivery,
    Endpoint,
    Heartbeat,
    Mail,
    Review,
    Screening,
    Site,
    Thread,
)
from models.records.review import WAITS
from models.settings import settings
from models.store.database import now, reading
from service.http import csp_reports
from service.http.api_keys import opens_metrics
from service.http.calls import Noun
from service.http.problems import Problem
from service.operations.health import silent_seconds
from worker import bell

RECENT = timedelta(minutes=5)
LATELY = timedelta(hours=1)
MOST_SCREENINGS = 500  # of the newest screenings
MOST_THREADS = 200  # of the threads due for publishing, those that have been due longest
COUNT_SECONDS = 600.0  # numbers that need a long count are counted this often
if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

CHECKS = (*EVERY_CHECK, SCREENING)
MetricsText = Annotated[str, Field(examples=["greenroom_comments_total 12\n"])]
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5)

api = Noun("metrics", "Operations", "Whether this Greenroom works, and its metrics.")


@api.call(
    "GET",
    "/metrics",
    summary="Read metrics",
    says="Metrics in Prometheus's text format.",
    answers={403: "The request came from another machine without a key of the scope `metrics`."},
    answer=MetricsText,
    answer_type="text/plain",
)
def read_metrics() -> Response:
    """Read metrics in Prometheus's text format, from this machine or with a key of the scope
    `metrics` (`greenroom key create --scope metrics`). They cover all sites, so a site's own key
    cannot read them.
    """
    if not _is_local() and not opens_metrics(request.headers.get("Authorization", "")):
        raise Problem(
            403,
            "Metrics cover all sites. Read them from this machine, or create a key with "
            "`greenroom key create --scope metrics` and send `Authorization: Bearer gr_…`.",
        )
    return Response(
        generate_latest(registry()), headers={"Cache-Control": "no-store"}, content_type=_TYPE
    )


_TYPE = CONTENT_TYPE_PLAIN_0_0_4


def _is_local() -> bool:
    """Whether the direct peer is this machine, whatever its headers say; a proxy on it speaks for
    strangers.
    """
    if settings().proxy_hops and "X-Forwarded-For" in request.headers:
        return False
    peer = request.environ.get("werkzeug.proxy_fix.orig", request.environ).get("REMOTE_ADDR", "")
    try:
        address = ip_address(peer)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def watch(app: Flask) -> None:
    """Count and time every request of this app, by rule, method and status. This takes about 3 µs
    each.
    """
    inner = app.wsgi_app

    def timed(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ[_BEGAN] = perf_counter()
        return inner(environ, start_response)

    app.wsgi_app = timed  # type: ignore[method-assign]
    app.after_request(_count)


_BEGAN = "greenroom.began"


def _count(answer: Response) -> Response:
    asked = request._get_current_object()  # type: ignore[attr-defined]
    rule = asked.url_rule
    method = (
        asked.method if asked.method in METHODS else "other"
    )  # the method of a stranger's request may be any word
    count(
        rule.rule if rule else "none",
        method,
        answer.status_code,
        perf_counter() - asked.environ[_BEGAN],
    )
    return answer


def count(route: str, method: str, status: int, seconds: float) -> None:
    """Count one request and record its duration."""
    _kind(route, method, status).observe(seconds)


@cache
def _requests() -> Histogram:
    # a third series for each, which nobody queries
    disable_created_metrics()  # type: ignore[no-untyped-call]
    about = "Requests and how long they took, by route, method and status."
    labels = ("route", "method", "status")
    return Histogram(
        "greenroom_http_request_seconds", about, labels, registry=None, buckets=BUCKETS
    )


@cache
def _kind(rule: str, method: str, status: int) -> Histogram:
    """Return the counter for these labels from a cache: looking it up by its labels would double
    the cost.
    """
    return _requests().labels(rule, method, str(status))


@cache
def registry() -> CollectorRegistry:
    made = CollectorRegistry()
    ProcessCollector(registry=made)
    for collector in (_requests(), _Bell(), _CspReports(), _Rows()):
        made.register(collector)
    return made


class _Bell(Collector):
    def collect(self) -> Iterator[Metric]:
        dropped = CounterMetricFamily(
            "greenroom_bell_dropped",
            ("Notifications to workers that were dropped, by reason. The sweep makes up for them."),
            None,
            ("why",),
        )
        for why, count in bell.dropped.items():
            dropped.add_metric([why], count)
        yield dropped


class _CspReports(Collector):
    def collect(self) -> Iterator[Metric]:
        about = "Violations of our Content-Security-Policy that browsers reported."
        reports = CounterMetricFamily("greenroom_csp_reports", about, None, ("page", "directive"))
        for kind, count in csp_reports.counted().all().items():
            reports.add_metric([kind.page, kind.directive], count)
        yield reports


class _Rows(Collector):
    """Numbers from the database, by few and indexed queries."""

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        answers = True
        try:
            with reading() as session:
                yield from [metric for measure in _MEASURES for metric in measure(session, now())]
        except (DBAPIError, PoolTimeout):
            answers = False
        yield GaugeMetricFamily(
            "greenroom_database_answers", "1 if the database responds, else 0.", int(answers)
        )


def _ages(session: Session, at: datetime) -> Iterator[Metric]:
    """Return the age in seconds of the oldest waiting item of each kind; 0 if nothing waits."""
    oldest = {name: session.execute(statement).scalar() for name, statement in _OLDEST.items()}
    for name, since in oldest.items():
        age = max(0.0, (at - since).total_seconds()) if since else 0.0
        yield GaugeMetricFamily(f"greenroom_{name}", _ABOUT[name], age)


def _workers(session: Session, at: datetime) -> Iterator[Metric]:
    alive = select(func.count()).where(Heartbeat.at > at - timedelta(seconds=silent_seconds()))
    yield GaugeMetricFamily(
        "greenroom_workers", "Workers that reported recently.", session.scalar(alive)
    )
    swept = session.scalar(select(func.max(Heartbeat.swept_at)))
    since = max(0.0, (at - swept).total_seconds()) if swept else math.inf
    yield GaugeMetricFamily(
        "greenroom_sweep_last_seconds",
        ("Time since the last sweep by any worker; +Inf if there was none."),
        since,
    )


def _checks(session: Session, at: datetime) -> Iterator[Metric]:
    """Return by check how many of the recent screenings it could not run in."""
    unavailable = dict.fromkeys(CHECKS, 0)
    recent = select(Screening.evidence).where(Screening.id > first_id(at - RECENT))
    recent = recent.order_by(Screening.id.desc()).limit(MOST_SCREENINGS)
    newest = recent.subquery()
    for evidence in session.scalars(
        select(newest.c.evidence).where(cast(newest.c.evidence, Text).contains(_NO))
    ):
        for found in evidence:
            unavailable[found["check"]] = unavailable.get(found["check"], 0) + (
                found["outcome"] == _NO
            )
    about = f"Screenings of the last {RECENT.seconds // 60} minutes in which a check could not run."
    told = GaugeMetricFamily("greenroom_checks_unavailable", about, None, ("check",))
    for check, count in unavailable.items():
        told.add_metric([check], count)
    yield told


_NO = "unavailable"


def _comments(session: Session, at: datetime) -> Iterator[Metric]:
    """Return the comments by status. The few that wait are counted now; the many others were
    counted a while ago.
    """
    counts = {status: session.scalar(_of_status(status)) for status in ("pending", "flagged")}
    told = GaugeMetricFamily(
        "greenroom_comments",
        "Comments by status; settled ones every 10 minutes.",
        None,
        ("status",),
    )
    for status, count in {**counts, **_settled(session)}.items():
        told.add_metric([status], count or 0)
    yield told


def _mails(session: Session, at: datetime) -> Iterator[Metric]:
    """Return the mails that are owed, those of them that failed before, and those that died."""
    owed = select(func.count(Mail.id)).where(Mail.due.is_not(None))
    retried = owed.where(Mail.attempts > 0)
    dead = select(func.count(Mail.id)).where(Mail.state == "dead", Mail.ended_at > at - LATELY)
    told = GaugeMetricFamily(
        "greenroom_mails",
        "Emails to readers: owed, failed but still owed, and given up within the last hour.",
        None,
        ("state",),
    )
    told.add_metric(["owed"], session.scalar(owed) or 0)
    told.add_metric(["retried"], session.scalar(retried) or 0)
    told.add_metric(["dead"], session.scalar(dead) or 0)
    yield told


class _Counted(NamedTuple):
    at: float
    counts: Mapping[str, int]


_NOTHING_YET = _Counted(at=-math.inf, counts={})
_counted = _NOTHING_YET


def count_anew() -> None:
    """Forget the counts, so that the next scrape counts again. For tests."""
    global _counted  # noqa: PLW0603 — one per process
    _counted = _NOTHING_YET


def _settled(session: Session) -> Mapping[str, int]:
    """Return the settled comments, counted again every `COUNT_SECONDS`."""
    global _counted  # noqa: PLW0603 — one per process
    if monotonic() - _counted.at > COUNT_SECONDS:
        statuses = ("rejected", "deleted")
        counts = {status: session.scalar(_of_status(status)) or 0 for status in statuses}
        counts["approved"] = session.scalar(select(func.sum(Thread.count))) or 0
        _counted = _Counted(monotonic(), counts)
    return _counted.counts


def _of_status(status: str) -> Select[int]:
    """Count site by site, in the order of the index, so that no comment itself is read."""
    of_a_site = select(func.count(Comment.id)).where(
        Comment.site_id == Site.id, Comment.status == status
    )
    return select(func.sum(of_a_site.scalar_subquery()))


def _oldest_pending() -> Select[datetime | None]:
    of_a_site = select(Comment.at).where(Comment.site_id == Site.id, Comment.status == "pending")
    return select(func.min(of_a_site.order_by(Comment.id).limit(1).scalar_subquery())).select_from(
        Site
    )


def _oldest_review() -> Select[datetime | None]:
    of_a_site = select(func.min(Review.opened_at)).where(Review.site_id == Site.id, WAITS)
    return select(func.min(of_a_site.scalar_subquery())).select_from(Site)


def _oldest_unpublished() -> Select[datetime | None]:
    """Return when the first change was made that readers do not see yet. The due time does not
    tell, because every sweep moves it.
    """
    due = Thread.publish_due.is_not(None)
    owed = select(Thread.id, Thread.published_revision, Thread.publish_due).where(due)
    oldest = owed.order_by(Thread.publish_due).limit(MOST_THREADS).subquery()
    changed = select(func.coalesce(Comment.erased_at, Comment.settled_at)).where(
        Comment.thread_id == oldest.c.id
    )
    first = (
        changed.where(Comment.revision > oldest.c.published_revision)
        .order_by(Comment.revision)
        .limit(1)
    )
    return select(func.min(func.coalesce(first.scalar_subquery(), oldest.c.publish_due)))


def _oldest_due() -> Select[datetime | None]:
    """Return the oldest due time by endpoint, in the order of the index. A disabled endpoint has
    nothing due.
    """
    of_an_endpoint = select(func.min(Delivery.due)).where(Delivery.endpoint_id == Endpoint.id)
    return (
        select(func.min(of_an_endpoint.scalar_subquery()))
        .select_from(Endpoint)
        .where(Endpoint.is_enabled)
    )


_ABOUT = {
    "oldest_pending_seconds": "Age of the oldest comment without a decision.",
    "oldest_review_seconds": "Age of the oldest open review.",
    "publish_lag_seconds": "Age of the oldest change that the published pages do not show.",
    "webhook_oldest_due_seconds": "Time since the oldest unsent webhook was due.",
    "mail_oldest_due_seconds": "Time since the oldest unsent mail to a reader was due.",
}
_OLDEST = dict(
    zip(
        _ABOUT,
        (
            _oldest_pending(),
            _oldest_review(),
            _oldest_unpublished(),
            _oldest_due(),
            select(func.min(Mail.due)),
        ),
        strict=True,
    )
)
_MEASURES = (_ages, _workers, _checks, _comments, _mails)
