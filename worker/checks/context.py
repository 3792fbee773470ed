"""The counts that a site's own model sees beside the text: findings of the other checks, and
oddities of the name, the address and the website.
"""

from __future__ import annotations

from collections.abc import Mapping

from models.classifier.context import COUNTS, EDITION, TAKEN, UNKNOWN
from models.judgement.candidate import Candidate
from models.judgement.evidence import Evidence, Outcome
from models.text.mailboxes import FREE_MAILBOXES
from models.text.urls import named_host

_FROM: dict[str, tuple[str, str]] = {
    "hosts new here": ("hosts", "new"),
    "hosts approved here": ("hosts", "approved"),
    "hosts rejected here": ("hosts", "rejected"),
    "links away": ("links", "links"),
    "the same before": ("repeats", "same"),
    "nearly the same before": ("repeats", "similar"),
    "author approved": ("author", "approved"),
    "author rejected": ("author", "rejected"),
}


def counts(candidate: Candidate, known: Mapping[str, Evidence]) -> dict[str, int]:
    """Return the values of `COUNTS`. A count of 0 is left out; one that could not be taken is
    `UNKNOWN`.
    """
    found = {name: _count(known.get(check), kind) for name, (check, kind) in _FROM.items()}
    found |= {**_own(candidate, known.get("links")), **_form(candidate), **_who(candidate)}
    assert found.keys() == set(COUNTS)
    return {TAKEN: EDITION} | {name: count for name, count in found.items() if count}


def _count(item: Evidence | None, kind: str) -> int:
    return (
        UNKNOWN if item is None or item.outcome is Outcome.UNAVAILABLE else item.counts.get(kind, 0)
    )


def _own(candidate: Candidate, links: Evidence | None) -> dict[str, int]:
    """Count the links to the comment's own page and site. Some forms do not say which page they are
    on.
    """
    away, hosts = _count(links, "foreign"), _count(links, "hosts")
    return {
        "links to this page": _count(links, "page") if candidate.page else UNKNOWN,
        "links to this site": UNKNOWN if UNKNOWN in {away, hosts} else hosts - away,
    }


def _form(candidate: Candidate) -> dict[str, int]:
    seconds = candidate.form.seconds
    return {
        "seconds to write": UNKNOWN if seconds is None else round(seconds),
        "no form token": int(candidate.form.token != "valid"),
    }


def _who(candidate: Candidate) -> dict[str, int]:
    name, website = candidate.name, candidate.website or ""
    mailbox, _, domain = candidate.email.lower().partition("@")
    host = named_host(website) if website else ""
    return {
        "digits in the name": _digits(name),
        "the name is an address": int("." in name.strip(". ") and " " not in name.strip()),
        "the name in capitals": int(len(name) > 3 and name.isupper()),
        "gives a website": int(bool(website)),
        "the website in the text": int(bool(host) and host in candidate.body.lower()),
        "a free mailbox": int(domain in FREE_MAILBOXES),
        "digits in the mailbox": _digits(mailbox),
    }


def _digits(text: str) -> int:
    return sum(map(str.isdecimal, text))
