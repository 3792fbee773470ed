"""Check whether mail could reach the commenter: the form of the address, its domain, and known
providers of disposable addresses.

Many people may see the evidence, so it names the domain and never the part before the @.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple

from email_validator import EmailNotValidError

from models.judgement.candidate import Candidate
from models.judgement.evidence import Evidence, Outcome
from models.text.disposable import disposable_host, parents
from models.text.email import parsed_email
from models.text.mailboxes import SUGGESTED_DOMAINS
from worker.resolver import Mail, resolver

_EXAMPLES = frozenset(
    {"example.com", "example.net", "example.org", "example.edu", "example"}
)  # RFC 2606, and IANA's .edu


class _Domain(NamedTuple):
    ascii: str
    shown: str


def check(batch: Sequence[Candidate]) -> list[Evidence]:
    domains = [_domain(candidate.email) for candidate in batch]
    mail = resolver().mail(
        domain.ascii for domain in domains if domain and not _is_example(domain.ascii)
    )
    return [
        _judge(candidate.email, domain, mail)
        for candidate, domain in zip(batch, domains, strict=True)
    ]


def _judge(email: str, domain: _Domain | None, mail: Mapping[str, Mail]) -> Evidence:
    if domain:
        return _evidence(domain, mail.get(domain.ascii))
    return _misshapen() if email else _no_address()


def _no_address() -> Evidence:
    """Only an identity of the site's own sign-on can be without an address."""
    detail = "the site vouches for this reader and gave no address"
    return Evidence(check="email", outcome=Outcome.CLEAR, detail=detail, found={})


def _domain(email: str) -> _Domain | None:
    """Return the part after the @, or None if this cannot be an address. The rules are those for
    accepting comments.
    """
    try:
        checked = parsed_email(email)
    except EmailNotValidError:
        return None
    return _Domain(checked.ascii_domain.lower(), checked.domain.lower())


def _evidence(domain: _Domain, mail: Mail | None) -> Evidence:
    found, meant = {}, _meant(domain) if mail and not mail.takes else None
    correction = f"; did you mean {meant}?" if meant else ""
    if mail and mail.takes is False:
        found["impossible"] = f"the email domain {domain.shown} {mail.why}{correction}"
    elif host := disposable_host(domain.ascii):
        found["disposable"] = f"{host} provides disposable email addresses"
    unknown = mail is not None and mail.takes is None
    outcome = Outcome.UNAVAILABLE if unknown else Outcome.FOUND if found else Outcome.CLEAR
    detail = "; ".join(
        [_looked_up(domain, mail) + correction] * (unknown or not found) + list(found.values())
    )
    if "impossible" in found and meant:
        found["suggestion"] = meant  # only the domain, for a form to suggest
    return Evidence(check="email", outcome=outcome, detail=detail, found=found)


def _looked_up(domain: _Domain, mail: Mail | None) -> str:
    if mail is None:
        return f"{domain.shown} is reserved for examples, so it was not looked up"
    if mail.takes is None:
        return f"could not look up {domain.shown}: {mail.why}"
    return f"{domain.shown} {mail.why}"


def _misshapen() -> Evidence:
    reason = "this is not a valid email address"
    return Evidence(
        check="email", outcome=Outcome.FOUND, detail=reason, found={"impossible": reason}
    )


def _is_example(domain: str) -> bool:
    return any(parent in _EXAMPLES for parent in parents(domain))


def _meant(domain: _Domain) -> str | None:
    close = get_close_matches(domain.ascii, SUGGESTED_DOMAINS, n=1, cutoff=0.82)
    return close[0] if close and close[0] != domain.ascii else None
