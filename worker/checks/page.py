"""The title and address that a comment would give its thread: they come from the reader's browser, like its words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from urllib.parse import unquote

from sqlalchemy.orm import Session

from models.evidence import Evidence, Outcome
from models.urls import host_of, is_under, parse, shown, typed_in
from worker.checks import blocks, words
from worker.checks.candidate import Candidate

_NOTHING = Evidence(check="page", outcome=Outcome.CLEAR, detail="gives its page no title or address")


def check(batch: Sequence[Candidate], session: Session, now: datetime) -> list[Evidence]:
    """`counts` has "title" or "address" for each that must not be published."""
    return [_evidence(candidate, session, now) for candidate in batch]


def _evidence(candidate: Candidate, session: Session, now: datetime) -> Evidence:
    parts = {"title": candidate.new_title or "", "address": _readable(candidate.new_address or "")}
    if not any(parts.values()):
        return _NOTHING
    found: dict[str, list[str]] = {}
    counts: dict[str, int] = {}
    rules: list[str] = []
    for part, text in parts.items():
        for kind, sentence, by in _look(candidate, text, session, now) if text else ():
            found.setdefault(kind, []).append(f"{sentence} in the page's {part}")
            counts[part] = counts.get(part, 0) + 1
            rules += [by] if by else []
    sentences = {kind: "; ".join(several) for kind, several in found.items()}
    return Evidence(
        check="page",
        outcome=Outcome.FOUND if found else Outcome.CLEAR,
        detail="; ".join(sentences.values()) or "nothing against the page's title and address",
        found=sentences,
        counts=counts,
        rule=min(rules, default=None),
    )


def _look(candidate: Candidate, text: str, session: Session, now: datetime) -> Iterator[tuple[str, str, str | None]]:
    """What is found, in the words of the checks that look at a comment's body, and whose rule it is."""
    alone = replace(candidate, body=text, name="", website=None, email_index="", address="")
    [listed] = words.check([alone])
    for kind, sentence in listed.found.items():
        yield kind, sentence, None
    [barred] = blocks.check([alone], session, now)
    if "blocked" in barred.found:
        yield "blocked", barred.found["blocked"], barred.rule
    if hosts := _linked(text, candidate.origins):
        yield "link", f"names {', '.join(map(shown, hosts))}", None


def _linked(text: str, origins: Sequence[str]) -> list[str]:
    """The hosts of URLs in it, but not the site's own. A title may name a shop.example, as headlines do."""
    bare = [host_of(word) for word in text.split() if word.lower().startswith("www.")]
    own = [host_of(origin) for origin in origins]
    hosts = dict.fromkeys([*(url.host for url in typed_in(text)), *bare])
    return [host for host in hosts if host and not any(is_under(host, parent) for parent in own)][:3]


def _readable(address: str) -> str:
    """The path and query as they were before a browser wrote them with %."""
    url = parse(address)
    return unquote(f"{url.path} {url.query}").strip() if url else ""
