"""Check whether the hosts that a comment links to were seen on this site before, and what became of
the comments that linked to them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache

from sqlalchemy import (
    CTE,
    ColumnElement,
    Integer,
    Join,
    Select,
    String,
    Uuid,
    and_,
    func,
    literal,
    select,
    true,
)
from sqlalchemy.orm import Session, aliased

from models.judgement.candidate import Candidate
from models.judgement.evidence import Evidence, Outcome
from models.records import Comment, LinkedHost
from models.settling.rows import LinkedHostRow
from models.text.urls import shown
from worker.checks.batch_table import Columns, Question, asked, dialect_of, packed
from worker.checks.links import hosts_of

MOST = 20  # earlier comments read for each host, the newest first
_SHOWN = 4
_COLUMNS: Columns = {"n": Integer(), "site": Integer(), "host": String(), "id": Uuid(as_uuid=False)}
_NO_ID = "00000000-0000-0000-0000-000000000000"
_Fates = Mapping[str, Counter[str]]


def check(batch: Sequence[Candidate], session: Session, now: datetime) -> list[Evidence]:
    """Check the batch. `counts` count hosts: those "new" to this site, and of those seen before,
    the "approved" and the "rejected" ones, by the outcome of most comments that linked to them.
    Only earlier comments count.
    """
    linked = [hosts_of(candidate) for candidate in batch]
    fates = _fates(session, batch, linked)
    return [_evidence(hosts, fates[n]) for n, hosts in enumerate(linked)]


def rows(batch: Sequence[Candidate]) -> list[LinkedHostRow]:
    """Return rows for the table of hosts."""
    return [
        {"site_id": candidate.site_id, "host": host, "comment_id": candidate.id}
        for candidate in batch
        for host in hosts_of(candidate)
    ]


def _evidence(hosts: Sequence[str], fates: _Fates) -> Evidence:
    new = [host for host in hosts if not fates[host]]
    rejected = [host for host in hosts if fates[host]["rejected"] > fates[host]["approved"]]
    approved = [host for host in hosts if fates[host]["approved"] > fates[host]["rejected"]]
    sentences = [_sentence(host, fates[host]) for host in [*rejected, *approved][:_SHOWN]]
    sentences += (
        [f"{'1 host is' if len(new) == 1 else f'{len(new)} hosts are'} new to this site"]
        if new
        else []
    )
    return Evidence(
        check="hosts",
        outcome=Outcome.FOUND if rejected else Outcome.CLEAR,
        detail="; ".join(sentences)
        or (
            "no decision yet on earlier comments with these hosts"
            if hosts
            else ("no links to other sites")
        ),
        counts={"new": len(new), "approved": len(approved), "rejected": len(rejected)},
    )


def _sentence(host: str, fate: Counter[str]) -> str:
    told = [f"{fate[status]} {status}" for status in ("rejected", "approved") if fate[status]]
    return f"earlier comments with {shown(host)}: {', '.join(told)}"


def _fates(
    session: Session, batch: Sequence[Candidate], linked: Sequence[Sequence[str]]
) -> Sequence[_Fates]:
    """Return for each comment the outcomes of the newest earlier ones that linked to the same
    host.
    """
    fates: list[defaultdict[str, Counter[str]]] = [defaultdict(Counter) for _ in batch]
    questions: list[Question] = [
        {"n": n, "site": candidate.site_id, "host": host, "id": _plain(candidate.id, session)}
        for n, candidate in enumerate(batch)
        for host in linked[n]
    ]
    if questions:
        dialect = dialect_of(session)
        for n, host, status, count in session.execute(
            _counting(dialect), packed(dialect, questions)
        ):
            fates[n][host][status] = count
    return fates


def _plain(id_: str, session: Session) -> str:
    """Return an id in the form that the database stores: SQLite's have only the hexadecimal
    digits.
    """
    return id_.replace("-", "") if dialect_of(session) == "sqlite" else id_


@cache
def _counting(dialect: str) -> Select[int, str, str, int]:
    """Count only the newest comments for each host. PostgreSQL needs LATERAL, or it reads the whole
    table because it does not know that they are few. SQLite has no LATERAL.
    """
    table = asked(dialect, _COLUMNS)
    linking = _newest_by_lateral(table) if dialect == "postgresql" else _newest_by_range(table)
    counted = select(table.c.n, table.c.host, Comment.status, func.count())
    return counted.select_from(linking).group_by(table.c.n, table.c.host, Comment.status)


def _earlier(table: CTE, other: type[LinkedHost]) -> ColumnElement[bool]:
    return and_(
        other.site_id == table.c.site, other.host == table.c.host, other.comment_id < table.c.id
    )


def _newest_by_lateral(table: CTE) -> Join:
    newest = select(LinkedHost.comment_id).where(_earlier(table, LinkedHost))
    found = (
        newest.order_by(LinkedHost.comment_id.desc()).limit(MOST).correlate(table).lateral("found")
    )
    return table.join(found, true()).join(Comment, Comment.id == found.c.comment_id)


def _newest_by_range(table: CTE) -> Join:
    other = aliased(LinkedHost)
    first = select(other.comment_id).where(_earlier(table, other)).order_by(other.comment_id.desc())
    oldest = first.offset(MOST - 1).limit(1).correlate(table).scalar_subquery()
    is_newest = LinkedHost.comment_id >= func.coalesce(oldest, literal(_NO_ID, Uuid(as_uuid=False)))
    linking = table.join(LinkedHost, _earlier(table, LinkedHost) & is_newest)
    return linking.join(Comment, Comment.id == LinkedHost.comment_id)
