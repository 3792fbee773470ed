"""Check the title and address that a comment would give its thread. They come from the reader's
browser, like the comment's text.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple
from urllib.parse import unquote

from sqlalchemy.orm import Session

from models.judgement.candidate import Candidate
from models.judgement.evidence import Evidence, Outcome
from models.text.urls import host_of, is_under, parse, shown, typed_in
from worker.checks import blocks, words

_NOTHING = Evidence(
    check="page", outcome=Outcome.CLEAR, detail="the comment has no page title or address"
)


class _Part(NamedTuple):
    """A title or an address in the form of a comment, for the checks that read a comment's body."""

    of: str
    name: str
    alone: Candidate


def check(batch: Sequence[Candidate], session: Session, now: datetime) -> list[Evidence]:
    """Check the batch. `counts` has "title" or "address" for each that must not be published."""
    parts = [part for candidate in batch for part in _parts(candidate)]
    if not parts:
        return [_NOTHING] * len(batch)
    alone = [part.alone for part in parts]
    looked = zip(parts, words.check(alone), blocks.check(alone, session, now), strict=True)
    found = defaultdict[str, list[_Found]](list)
    for part, listed, barred in looked:
        found[part.of].append(_Found(part, listed, barred))
    return [
        _evidence(found[candidate.id]) if candidate.id in found else _NOTHING for candidate in batch
    ]


def _parts(candidate: Candidate) -> Iterator[_Part]:
    for name, text in (
        ("title", candidate.new_title),
        ("address", _readable(candidate.new_address)),
    ):
        if text:
            alone = replace(
                candidate,
                body=text,
                name="",
                website=None,
                email_index="",
                address="",
                slow_seconds=None,
            )
            yield _Part(candidate.id, name, alone)


class _Found(NamedTuple):
    part: _Part
    words: Evidence
    blocks: Evidence

    def sentences(self) -> Iterator[tuple[str, str]]:
        """Return a sentence for each kind of problem."""
        yield from self.words.found.items()
        if "blocked" in self.blocks.found:
            yield "blocked", self.blocks.found["blocked"]
        if hosts := _linked(self.part.alone.body, self.part.alone.origins):
            yield "link", f"mentions {', '.join(map(shown, hosts))}"


def _evidence(parts: Sequence[_Found]) -> Evidence:
    found = defaultdict[str, list[str]](list)
    counts: dict[str, int] = {}
    for part in parts:
        for kind, sentence in part.sentences():
            found[kind].append(f"the page's {part.part.name} {sentence}")
            counts[part.part.name] = counts.get(part.part.name, 0) + 1
    sentences = {kind: "; ".join(several) for kind, several in found.items()}
    rules = [
        part.blocks.rule for part in parts if part.blocks.rule and "blocked" in part.blocks.found
    ]
    return Evidence(
        check="page",
        outcome=Outcome.FOUND if found else Outcome.CLEAR,
        detail="; ".join(sentences.values()) or "no problem with the page's title and address",
        found=sentences,
        counts=counts,
        rule=min(rules, default=None),
    )


def _linked(text: str, origins: Sequence[str]) -> list[str]:
    """Return the hosts of URLs in it, except the site's own. A title may name a shop.example, as
    headlines do.
    """
    bare = [host_of(word) for word in text.split() if word.lower().startswith("www.")]
    own = [host_of(origin) for origin in origins]
    hosts = dict.fromkeys([*(url.host for url in typed_in(text)), *bare])
    return [host for host in hosts if host and not any(is_under(host, parent) for parent in own)][
        :3
    ]


def _readable(address: str | None) -> str:
    """Return the path and query as they were before a browser escaped them with %."""
    url = parse(address) if address else None
    return unquote(f"{url.path} {url.query}").strip() if url else ""
