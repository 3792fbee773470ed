"""Ask DNS, through the system's resolvers or `GREENROOM_DNS`, whether a domain accepts mail, and
how certain the answer is.

A comment may be rejected because its email domain does not exist. So "no such domain" is believed
only from a resolver that proves to know existing domains: a network without DNS, or a resolver that
says "no such domain" to everything, must not cost a reader the comment.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Any, NamedTuple, TypeVar

import dns.exception
import dns.name
import dns.nameserver
import dns.resolver
from cachetools import TLRUCache

from models.runtime import part
from models.settings import host_and_port, settings

AT_ONCE = 64  # look-ups at the same time
REMEMBERED = 10_000  # domains
KNOWN_SECONDS = 3600
IMPOSSIBLE_SECONDS = 600  # someone may be setting up the domain right now
UNKNOWN_SECONDS = 30
SILENCES = 3  # look-ups in a row without an answer before Greenroom doubts the resolver itself

_Kind = TypeVar("_Kind", bound=dns.resolver.BaseResolver)


class Mail(NamedTuple):
    """Whether a domain accepts mail; None if unknown. `why` completes a sentence that begins "the
    domain …", or states what went wrong.
    """

    takes: bool | None
    why: str


class UnansweredError(Exception):
    """Raised if there is no answer to trust. The message explains why to moderators."""


class SilenceError(UnansweredError):
    """Raised if no answer arrived in time."""


@part
def resolver() -> Resolver:
    """Return the resolver of this process: its locks must not be shared after a fork."""
    return Resolver(settings().dns, seconds=settings().dns_seconds)


class Resolver:
    """Asks `servers` ("host:port"; if there are none, the system's). Each domain takes at most
    `seconds` in all.
    """

    def __init__(self, servers: tuple[str, ...] = (), *, seconds: float = 2.5) -> None:
        self._servers = servers
        self._seconds = seconds
        self._lock = threading.Lock()  # for both caches
        self._mails: TLRUCache[str, Mail] = TLRUCache(
            REMEMBERED, lambda _, mail, now: now + _seconds_to_keep(mail.takes)
        )
        self._tops: TLRUCache[str, bool] = TLRUCache(
            REMEMBERED, lambda _, is_known, now: now + _seconds_to_keep(is_known or None)
        )
        self._doubt = _Doubt()

    def mail(self, domains: Iterable[str]) -> dict[str, Mail]:
        """Return whether each domain (in ASCII) accepts mail. Answers are cached; all other domains
        are looked up at the same time, each one once.
        """
        wanted = dict.fromkeys(domains)
        with self._lock:
            found = {domain: self._mails[domain] for domain in wanted if domain in self._mails}
        asked = [domain for domain in wanted if domain not in found]
        if asked:
            with ThreadPoolExecutor(min(len(asked), AT_ONCE), thread_name_prefix="dns") as pool:
                found |= zip(asked, pool.map(self._look_up, asked), strict=True)
        return found

    def ask(self, name: str, kind: str, *, until: float) -> list[Any] | None:
        """Return the records of a kind. The list is empty if there are none; None means that the
        name does not exist.

        `until` is a time of `monotonic()`. Raises UnansweredError.
        """
        left = until - monotonic()
        if left <= 0:
            raise SilenceError(f"the DNS server did not answer within {self._seconds:g} s")
        try:
            answer = self._asking().resolve(
                dns.name.from_text(name),
                kind,
                lifetime=left,
                raise_on_no_answer=False,
                search=False,
            )
        except dns.resolver.NXDOMAIN:
            return None
        except dns.exception.Timeout as error:
            raise SilenceError(
                f"the DNS server did not answer within {self._seconds:g} s"
            ) from error
        except dns.resolver.NoResolverConfiguration as error:
            raise UnansweredError("this machine has no DNS server configured") from error
        except dns.resolver.NoNameservers as error:
            raise UnansweredError("the DNS server could not be reached or has no answer") from error
        except (dns.exception.DNSException, OSError, ValueError) as error:
            raise UnansweredError("the DNS query failed") from error
        return list(answer.rrset or ())

    def _asking(self) -> dns.resolver.Resolver:
        return asking(dns.resolver.Resolver, self._servers, seconds=self._seconds)

    def _look_up(self, domain: str) -> Mail:
        if self._doubt.in_force():
            return Mail(None, f"the DNS server did not answer within {self._seconds:g} s")
        try:
            mail = self._mail(domain, until=monotonic() + self._seconds)
            self._doubt.answered()
        except UnansweredError as error:
            mail = Mail(None, str(error))
            if isinstance(error, SilenceError):
                self._doubt.silent(self._is_silent)
        with self._lock:
            self._mails[domain] = mail
        return mail

    def _mail(self, domain: str, *, until: float) -> Mail:
        """Look for MX records, or without any for the address itself (RFC 5321, 5.1). An MX of "."
        means that the domain accepts no mail (RFC 7505).
        """
        exchanges = self.ask(domain, "MX", until=until)
        if exchanges:
            refuses = all(record.exchange == dns.name.root for record in exchanges)
            return Mail(False, "accepts no mail") if refuses else Mail(True, "accepts mail")
        addresses = self.ask(domain, "A", until=until)
        missing = exchanges is None and addresses is None
        if addresses or (not missing and self.ask(domain, "AAAA", until=until)):
            return Mail(True, "accepts mail at its own address, without an MX record")
        top = domain.rpartition(".")[2]
        if not self._knows(top, until=until):
            return Mail(None, f"the DNS server does not know the top-level domain .{top}")
        return Mail(False, "does not exist" if missing else "accepts no mail")

    def _knows(self, top: str, *, until: float) -> bool:
        """Whether this resolver knows the top-level domain, and so would know the domain below
        it.
        """
        with self._lock:
            known = self._tops.get(top)
        if known is None:
            known = self._has(top, until=until)
            with self._lock:
                self._tops[top] = known
        return known

    def _has(self, top: str, *, until: float) -> bool:
        answers = [self.ask(f"{top}.", kind, until=until) for kind in ("NS", "SOA")]
        if any(answers) or all(answer is None for answer in answers):
            return any(answers)
        # It has the name but no record of it. Some resolvers answer this to everything; this one is
        # believed if it can also say no.
        return self.ask(f"no-such-name-as-this.{top}.", "A", until=until) is None

    def _is_silent(self) -> bool:
        """Whether the resolver cannot even name the root servers, which any working resolver
        can.
        """
        try:
            self.ask(".", "NS", until=monotonic() + self._seconds / 2)
        except UnansweredError as error:
            return isinstance(error, SilenceError)
        return False


def _seconds_to_keep(answer: bool | None) -> float:
    """Return how long to keep an answer: yes, no, or unknown."""
    return {True: KNOWN_SECONDS, False: IMPOSSIBLE_SECONDS, None: UNKNOWN_SECONDS}[answer]


def asking(kind: type[_Kind], servers: tuple[str, ...], *, seconds: float) -> _Kind:
    """Return dnspython's resolver, made again for each use: that is cheap, and `resolv.conf` may
    have changed.
    """
    made = kind() if not servers else kind(configure=False)
    if servers:
        made.nameservers = [_nameserver(server) for server in servers]
    made.timeout = seconds / 2  # to survive one lost packet, or one dead server of two
    return made


class _Doubt:
    """After several silences in a row, and if not even the root answers, no look-up waits for this
    resolver for a while.

    Asking for the root distinguishes a dead resolver from one stranger's slow domain, which must
    not stop all look-ups.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._silences = 0
        self._until = 0.0

    def in_force(self) -> bool:
        return monotonic() < self._until

    def answered(self) -> None:
        self._silences = 0

    def silent(self, confirm: Callable[[], bool]) -> None:
        with self._lock:
            self._silences += 1
            if self._silences < SILENCES or self.in_force():
                return
            self._silences = 0
            if confirm():
                self._until = monotonic() + UNKNOWN_SECONDS


def _nameserver(server: str) -> dns.nameserver.Do53Nameserver:
    address = socket.getaddrinfo(*host_and_port(server), type=socket.SOCK_DGRAM)[0][4]
    return dns.nameserver.Do53Nameserver(str(address[0]), int(address[1]))
