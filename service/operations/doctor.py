"""`greenroom doctor`: check the rules of the service on live data. It only reads, unless it is
asked to repair.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from time import monotonic

from cryptography.exceptions import InvalidTag
from sqlalchemy import String, cast, func, select, update
from sqlalchemy.orm import Session

from models.records import Comment, Thread
from models.settings import settings
from models.store import storage
from models.store.database import begin, now, reading
from models.store.keyring import check_keys
from models.store.secrets import WrongKeys, decrypt_email, key_of, secrets, source
from service.operations import page_rules, strays
from service.operations.publishing import publish
from service.operations.rules import RULES, Rule
from service.operations.violation import NOTHING, Violation, dashed

MOST_A_RULE = 1000  # violations listed in full; more of the same rule are only counted
ROWS_AT_ONCE = 5_000
READERS = 16  # an object store answers many requests at once
Step = Callable[[str, int, int], None]  # the step, how far it is, of how many


@dataclass
class Examination:
    """What was checked and found: the first thousand violations of each rule, and how many there
    are in all.
    """

    comments: int = 0
    threads: int = 0
    found: list[Violation] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    began: float = field(default_factory=monotonic)
    seconds: float = 0.0

    def add(self, violations: Iterable[Violation]) -> None:
        for violation in violations:
            self.counts[violation.rule] += 1
            if self.counts[violation.rule] <= MOST_A_RULE:
                self.found.append(violation)


def examine(step: Step = lambda *_: None) -> Examination:
    """Check everything, in one pass over the rows for each rule and one over the pages."""
    examination = Examination(*_sizes())
    examination.add(_keys())
    for number, rule in enumerate(RULES):
        step("rows", number, len(RULES))
        examination.add(broken(rule))
    examination.add(_sealed(step, examination.comments))
    with ThreadPoolExecutor(READERS) as readers:
        is_folder = settings().published_url.startswith("file:")
        read: page_rules.Read = (
            (lambda names: map(storage.look, names)) if is_folder else _by(readers)
        )
        for number, row in enumerate(page_rules.threads()):
            step("pages", number, examination.threads)
            examination.add(page_rules.examine(row.Thread.id, read))
    examination.add(strays.find())
    examination.seconds = monotonic() - examination.began
    return examination


def _one_by_one(names: Iterable[str]) -> Iterable[page_rules.Found]:
    return map(storage.look, names)


def _by(readers: ThreadPoolExecutor) -> page_rules.Read:
    return lambda names: readers.map(storage.look, names)


def _sizes() -> tuple[int, int]:
    with reading() as session:
        comments = session.scalar(select(func.count(Comment.id)))
        return comments or 0, session.scalar(select(func.count(Thread.id))) or 0


def broken(rule: Rule) -> Iterator[Violation]:
    with reading() as session:
        for row in session.execute(
            rule.broken(now()), execution_options={"yield_per": ROWS_AT_ONCE}
        ):
            id_, named = dashed(row[0]), dict(row._mapping)
            command = rule.command.format(id=id_)
            yield Violation(rule.name, rule.subject, id_, rule.words.format_map(named), command)


def _keys() -> Iterator[Violation]:
    """Check that the keys are the database's; otherwise no process would start."""
    try:
        check_keys(secrets(), may_record=False)
    except WrongKeys as error:
        yield Violation("keys", "installation", "keys", str(error).removesuffix("."), NOTHING)


def _sealed(step: Step, comments: int) -> Iterator[Violation]:
    """Check that every address can be decrypted with the keys, if there are any."""
    try:
        place = source() if secrets() else ""
    except WrongKeys:
        return
    wanted = select(cast(Comment.id, String(36)), Comment.email).where(Comment.email.is_not(None))
    with reading() as session:
        for number, (id_, email) in enumerate(
            session.execute(wanted, execution_options={"yield_per": ROWS_AT_ONCE})
        ):
            if number % ROWS_AT_ONCE == 0:
                step("addresses", number, comments)
            assert email is not None  # guaranteed by the query
            try:
                decrypt_email(email)
            except (InvalidTag, KeyError, ValueError):
                words = f"its email can't be decrypted with key {key_of(email)!r} from {place}"
                yield Violation("addresses", "comment", dashed(id_), words, NOTHING)


def mend(found: Iterable[Violation]) -> None:
    """Repair what needs no human decision: each kind by its own rule, then the pages of every
    thread named.
    """
    by_rule: dict[str, list[str]] = {}
    for violation in found:
        by_rule.setdefault(violation.rule, []).append(violation.id)
    for rule in RULES:
        for ids in _chunks(by_rule.get(rule.name, [])):
            if rule.mend:
                with begin() as session:
                    rule.mend(session, ids)
    with begin() as session:
        for id_ in by_rule.get("counts", []):
            _recount(session, int(id_))
    strays.remove(by_rule.get(strays.RULE, []))
    publish(
        sorted(
            {
                int(violation.id)
                for violation in found
                if violation.command.startswith("greenroom publish")
            }
        )
    )


def _chunks(ids: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), 500):
        yield ids[start : start + 500]


def _recount(session: Session, thread_id: int) -> None:
    session.execute(select(Thread.id).where(Thread.id == thread_id).with_for_update())
    shown = (
        (Comment.thread_id == thread_id)
        & (Comment.status == "approved")
        & Comment.place.is_not(None)
    )
    approved = select(func.count(Comment.id)).where(shown)
    counted = update(Thread).where(Thread.id == thread_id)
    changed = {
        "count": approved.scalar_subquery(),
        "revision": Thread.revision + 1,
        "publish_due": now(),
    }
    session.execute(counted.values(changed))
