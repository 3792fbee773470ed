"""Whether mail could reach the commenter, with a DNS server that answers, lies, fails or stays
silent.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from models.judgement.evidence import Evidence, Outcome
from models.judgement.policy import Policy, Verdict, decide
from tests.fakes.dns_server import DnsServer, Mode
from tests.worker.checks.conftest import Comes
from worker.checks import email
from worker.resolver import Resolver


def test_a_domain_with_a_mail_server_is_clear(dns: DnsServer, comes: Comes) -> None:
    assert _look(comes, "ann@paper.test").detail == "paper.test accepts mail"


def test_a_reader_whom_the_site_knows_needs_no_address(dns: DnsServer, comes: Comes) -> None:
    evidence = _look(comes, "")
    assert (evidence.outcome, evidence.found) == (Outcome.CLEAR, {})
    assert evidence.detail == "the site vouches for this reader and gave no address"


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        # The domain does not exist, and this resolver knows .test.
        ("ann@missing.test", "the email domain missing.test does not exist"),
        # The owner says that it accepts no mail (RFC 7505).
        ("ann@null.test", "the email domain null.test accepts no mail"),
        # The domain exists, perhaps for the web, without a mail server or an address.
        ("ann@web.test", "the email domain web.test accepts no mail"),
        # A typing mistake.
        ("ann@gmial.com", "the email domain gmial.com does not exist; did you mean gmail.com?"),
        # Letters of other languages.
        ("ann@mücher.test", "the email domain mücher.test does not exist"),
        # Older rows may contain anything.
        ("nobody", "this is not a valid email address"),
        ("ann@localhost", "this is not a valid email address"),
    ],
)
def test_an_impossible_address_is_named_by_its_domain(
    dns: DnsServer, comes: Comes, address: str, reason: str
) -> None:
    evidence = _look(comes, address)
    assert evidence.found["impossible"] == reason
    assert evidence.found.get("suggestion") == ("gmail.com" if "gmial" in address else None)
    assert decide([evidence], Policy()).verdict is Verdict.REJECT


@pytest.mark.parametrize("address", ["ann@old.test", "ann@six.test"])
def test_without_a_mail_server_mail_goes_to_the_address_itself(
    dns: DnsServer, comes: Comes, address: str
) -> None:
    assert _look(comes, address).outcome is Outcome.CLEAR


def test_a_domain_in_another_alphabet_is_looked_up_by_its_ascii_name(
    dns: DnsServer, comes: Comes
) -> None:
    assert _look(comes, "ann@bücher.test").detail == "bücher.test accepts mail"


@pytest.mark.parametrize(
    "domain", ["example.com", "mail.example.org", "paper.example", "example.net", "example.edu"]
)
def test_example_domains_are_neutral_and_never_looked_up(
    dns: DnsServer, comes: Comes, domain: str
) -> None:
    evidence = _look(comes, f"ann@{domain}")
    assert evidence.detail == f"{domain} is reserved for examples, so it was not looked up"
    assert (evidence.outcome, dns.queries) == (Outcome.CLEAR, 0)


@pytest.mark.parametrize("domain", ["mailinator.com", "deep.below.mailinator.com"])
def test_throw_away_addresses_are_found_below_their_domain_too(
    dns: DnsServer, comes: Comes, domain: str
) -> None:
    dns.zone[domain] = {"MX": ["10 mx.mailinator.com."]}
    evidence = _look(comes, f"ann@{domain}")
    assert evidence.found == {"disposable": "mailinator.com provides disposable email addresses"}


def test_throw_away_addresses_are_held_also_while_they_cannot_be_looked_up(
    dns: DnsServer, comes: Comes
) -> None:
    dns.mode = Mode.SERVFAIL
    evidence = _look(comes, "ann@mailinator.com")
    assert evidence.outcome is Outcome.UNAVAILABLE
    assert (
        "mailinator.com provides disposable email addresses" in decide([evidence], Policy()).reasons
    )


@pytest.mark.parametrize(
    ("mode", "why"),
    [
        (Mode.NXDOMAIN, "the DNS server does not know the top-level domain .test"),
        (Mode.SERVFAIL, "the DNS server could not be reached or has no answer"),
        (Mode.SILENCE, "the DNS server did not answer within 0.4 s"),
    ],
)
def test_a_resolver_that_lies_fails_or_is_silent_never_causes_a_rejection(
    dns: DnsServer, impatient: None, comes: Comes, mode: Mode, why: str
) -> None:
    dns.mode = mode
    evidence = _look(comes, "ann@paper.test")
    assert evidence.outcome is Outcome.UNAVAILABLE
    assert evidence.detail == f"could not look up paper.test: {why}"
    decision = decide([evidence], Policy())
    assert (decision.verdict, decision.again) == (Verdict.FLAG, True)
    assert decide([evidence], Policy(could_not_run={"email": "approve"})).verdict is Verdict.APPROVE


def test_a_resolver_with_only_empty_answers_never_causes_a_rejection(
    dns: DnsServer, comes: Comes
) -> None:
    dns.zone = {name: {} for name in ("paper.test", "test", "no-such-name-as-this.test")}
    assert (
        _look(comes, "ann@paper.test").detail
        == "could not look up paper.test: the DNS server does not know the top-level domain .test"
    )


def test_a_resolver_without_records_of_a_top_level_domain_that_can_say_no_is_believed(
    dns: DnsServer, comes: Comes
) -> None:
    del dns.zone["test"]
    assert _look(comes, "ann@missing.test").found == {
        "impossible": "the email domain missing.test does not exist"
    }


def test_a_missing_domain_under_an_unknown_top_level_is_unknown_and_a_correction_is_offered(
    dns: DnsServer, comes: Comes
) -> None:
    evidence = _look(comes, "ann@gmail.con")
    assert evidence.outcome is Outcome.UNAVAILABLE
    assert evidence.detail.endswith(
        "the DNS server does not know the top-level domain .con; did you mean gmail.com?"
    )


@pytest.mark.parametrize("address", ["127.0.0.1:9", "[::1]:9", "no-such-host.invalid:53"])
def test_a_missing_resolver_never_causes_a_rejection(
    set_env: Callable[[str, str], None], comes: Comes, address: str
) -> None:
    set_env("GREENROOM_DNS_SECONDS", "0.4")
    set_env("GREENROOM_DNS", address)
    evidence = _look(comes, "ann@paper.test")
    assert evidence.outcome is Outcome.UNAVAILABLE
    assert decide([evidence], Policy()).verdict is Verdict.FLAG


def test_a_machine_without_resolv_conf_is_no_reason_to_crash(
    comes: Comes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dns.resolver.Resolver.read_resolv_conf", _no_resolv_conf)
    assert (
        _look(comes, "ann@paper.test").detail
        == "could not look up paper.test: this machine has no DNS server configured"
    )


def test_each_domain_of_a_batch_is_looked_up_once_and_then_remembered(
    dns: DnsServer, comes: Comes
) -> None:
    batch = [
        comes(email=f"reader{n}@{domain}")
        for n in range(5)
        for domain in ("paper.test", "old.test")
    ]
    first, second = email.check(batch), email.check(batch)
    assert [item.detail for item in first] == [item.detail for item in second]
    assert dns.asked == {("paper.test", "MX"): 1, ("old.test", "MX"): 1, ("old.test", "A"): 1}


def test_the_lookups_of_a_batch_run_side_by_side(
    dns: DnsServer, impatient: None, comes: Comes
) -> None:
    slow = {f"slow{n}.test" for n in range(20)}
    dns.zone |= dict.fromkeys(slow, Mode.SILENCE)
    email.check([comes(email=f"ann@{domain}") for domain in slow])
    assert slow <= {
        name for name, _ in dns.asked
    }  # one after the other, they would stop asking after a few silences


def test_an_unknown_answer_is_remembered_so_the_next_batch_does_not_wait(
    dns: DnsServer, impatient: None, comes: Comes
) -> None:
    dns.mode = Mode.SILENCE
    _look(comes, "ann@paper.test")
    asked = dns.queries
    _look(comes, "bob@paper.test")
    assert dns.queries == asked


def test_after_several_silences_look_ups_stop_waiting_for_this_resolver(
    dns: DnsServer, impatient: None, comes: Comes
) -> None:
    dns.mode = Mode.SILENCE
    email.check([comes(email=f"ann@domain{n}.test") for n in range(3)])
    asked = dns.queries
    evidence = _look(comes, "ann@paper.test")
    assert dns.queries == asked
    assert (
        evidence.detail
        == "could not look up paper.test: the DNS server did not answer within 0.4 s"
    )


def test_a_strangers_slow_domains_do_not_stop_the_lookups_of_others(
    dns: DnsServer, comes: Comes, set_env: Callable[[str, str], None]
) -> None:
    set_env("GREENROOM_DNS_SECONDS", "3")  # some wait in vain, the last does not
    dns.zone |= {f"slow{n}.test": Mode.SILENCE for n in range(6)}
    email.check([comes(email=f"ann@slow{n}.test") for n in range(6)])
    assert _look(comes, "ann@paper.test").outcome is Outcome.CLEAR


def test_a_second_resolver_answers_when_the_first_is_silent(dns: DnsServer) -> None:
    with DnsServer(mode=Mode.SILENCE) as silent:
        asking = Resolver((silent.address, dns.address), seconds=4)
        assert asking.mail(["paper.test"])["paper.test"].takes is True


def test_evidence_never_shows_the_part_before_the_at(dns: DnsServer, comes: Comes) -> None:
    addresses = (
        "secretive@missing.test",
        "secretive@null.test",
        "secretive@paper.test",
        "secretive@@paper.test",
    )
    for address in addresses:
        assert "secretive" not in str(_look(comes, address))


def _look(comes: Comes, address: str) -> Evidence:
    [evidence] = email.check([comes(email=address)])
    return evidence


def _no_resolv_conf(*_: object) -> None:
    import dns.resolver

    raise dns.resolver.NoResolverConfiguration()  # type: ignore[no-untyped-call]
