"""What DNS says about a domain's mail, asked of the system's resolvers or of `GREENROOM_DNS`, and
how sure that is.

A comment may be rejected because its email domain does not exist, so a "no" is believed only of a
resolver that shows it would know: a network without DNS, or one that says "no such domain" to
everything, must cost nobody a comment.
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

AT_ONCE = 64  # look-ups under way together
REMEMBERED = 10_000  # domains
KNOWN_SECONDS = 3600
IMPOSSIBLE_SECONDS = 600  # someone may be setting the domain up right now
UNKNOWN_SECONDS = 30
SILENCES = 3  # look-ups in a row without an answer before the resolver itself is doubted

_Kind = TypeVar("_Kind", bound=dns.resolver.BaseResolver)


class Mail(NamedTuple):
    """Whether a domain takes mail, None where nobody knows. `why` continues "the domain …", or says
    what was wrong.
    """

    takes: bool | None
    why: str


class UnansweredError(Exception):
    """There is no answer to believe; the message says why, in words a moderator can use."""


class SilenceError(UnansweredError):
    """Nothing came back in time."""


@part
def resolver() -> Resolver:
    """This process's own: its locks must not be carried over a fork."""
    return Resolver(settings().dns, seconds=settings().dns_seconds)


class Resolver:
    """Asks `servers` ("host:port"; none: the system's), each domain for at most
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
        """Whether each domain (ASCII) takes mail: remembered, or looked up all at once, each one
        once.
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
        """The records of a kind, none if there are none, or None where the name does not exist.

        `until` is a time of `monotonic()`. Raises UnansweredError.
        """
        left = until - monotonic()
        if left <= 0:
            raise SilenceError(f"the resolver did not answer in {self._seconds:g} s")
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
            raise SilenceError(f"the resolver did not answer in {self._seconds:g} s") from error
        except dns.resolver.NoResolverConfiguration as error:
            raise UnansweredError("this machine has no resolver") from error
        except dns.resolver.NoNameservers as error:
            raise UnansweredError(
                "the resolver could not be reached or could not find out"
            ) from error
        except (dns.exception.DNSException, OSError, ValueError) as error:
            raise UnansweredError("the resolver could not be asked") from error
        return list(answer.rrset or ())

    def _asking(self) -> dns.resolver.Resolver:
        return asking(dns.resolver.Resolver, self._servers, seconds=self._seconds)

    def _look_up(self, domain: str) -> Mail:
        if self._doubt.in_force():
            return Mail(None, f"the resolver did not answer in {self._seconds:g} s")
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
        """RFC 5321, 5.1: the MX records, or without any the address itself. RFC 7505: an MX of "."
        means no mail.
        """
        exchanges = self.ask(domain, "MX", until=until)
        if exchanges:
            refuses = all(record.exchange == dns.name.root for record in exchanges)
            return Mail(False, "takes no mail") if refuses else Mail(True, "takes mail")
        addresses = self.ask(domain, "A", until=until)
        missing = exchanges is None and addresses is None
        if addresses or (not missing and self.ask(domain, "AAAA", until=until)):
            return Mail(True, "takes mail at its own address")
        top = domain.rpartition(".")[2]
        if not self._knows(top, until=until):
            return Mail(None, f"this resolver knows nothing of .{top}")
        return Mail(False, "does not exist" if missing else "takes no mail")

    def _knows(self, top: str, *, until: float) -> bool:
        """Whether this resolver has the top-level domain, and so would have had the domain below
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
        # It has the name but no record of it. Some answer so to everything; this one is believed if
        # it can say no.
        return self.ask(f"no-such-name-as-this.{top}.", "A", until=until) is None

    def _is_silent(self) -> bool:
        """Whether even the root's servers, which any living resolver can name, stay unnamed."""
        try:
            self.ask(".", "NS", until=monotonic() + self._seconds / 2)
        except UnansweredError as error:
            return isinstance(error, SilenceError)
        return False


def _seconds_to_keep(answer: bool | None) -> float:
    """How long an answer counts: yes, no, or nobody knows."""
    return {True: KNOWN_SECONDS, False: IMPOSSIBLE_SECONDS, None: UNKNOWN_SECONDS}[answer]


def asking(kind: type[_Kind], servers: tuple[str, ...], *, seconds: float) -> _Kind:
    """dnspython's resolver, made anew each time: it is cheap, and `resolv.conf` may
    have changed.
    """
    made = kind() if not servers else kind(configure=False)
    if servers:
        made.nameservers = [_nameserver(server) for server in servers]
    made.timeout = seconds / 2  # so that one lost packet, or one dead server of two, is survived
    return made


class _Doubt:
    """Several silences in a row, and not even the root answers: nobody waits for this resolver for
    a while.

    Asking for the root tells a dead resolver from a stranger's slow domain, which must not stop
    everyone's look-ups.
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
