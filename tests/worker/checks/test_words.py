"""The owner's words are found whole, in any dress, and quickly; patterns are RE2's."""

from __future__ import annotations

from time import thread_time

import pytest

from models.evidence import Evidence, Outcome
from models.policy import Policy, Verdict, WordsPolicy, decide
from tests.worker.checks.conftest import Comes
from worker.checks import words


@pytest.mark.parametrize(
    ("entry", "body"),
    [
        ("cialis", "Buy Cialis!"),
        ("cialis", "*cialis*, _cialis_"),
        ("cialis", "сіаlіs"),  # Cyrillic look-alikes
        ("cialis", "c.i.a.l.i.s"),
        ("cialis", "C I A L I S here"),
        ("cialis", "cia**lis**"),  # as it is shown, too
        ("cialis", "ci&#97;lis"),
        ("cialis", "cia[lis](https://pills.example)"),
        ("casino*", "two casinos"),
        ("casino*", "a casino"),
        ("free money", "FREE,   money"),
        ("free mon*", "free\nmonkeys"),
        ("e-mail list", "our e-mail list"),
        ("straße", "STRASSE"),
        ("مرحبا", "مـرحـبـا"),  # tatweel
        ("مرحبا", "مَرْحَبًا"),  # harakat
        ("赌场", "最好的赌场在这里"),  # no blanks between words
        ("赌场", "赌 场"),
        ("คาสิโน", "เล่นคาสิโนออนไลน์"),
        ("カジノ*", "オンラインカジノ"),
        ("हिन्दी", "यह हिन्दी है"),
    ],
)
def test_a_word_is_found(comes: Comes, entry: str, body: str) -> None:
    evidence = _look(comes, body, WordsPolicy(blocked=(entry,)))
    assert evidence.found == {"blocked": f"uses the blocked word “{entry}”"}


@pytest.mark.parametrize(
    ("entry", "body"),
    [
        ("cialis", "a specialist, especially socialism"),
        ("casino", "two casinos"),
        ("casino*", "the minicasino"),
        ("free money", "money, free"),
        ("ass", "pass the assembly"),
        ("हिन्दी", "हिन्दीभाषी"),
        ("a b", "a, c, b"),
        ("!!!", "well!!!"),
        ("*", "anything"),
    ],
)
def test_a_word_is_not_found_inside_another(comes: Comes, entry: str, body: str) -> None:
    assert _look(comes, body, WordsPolicy(blocked=(entry,))).outcome is Outcome.CLEAR


@pytest.mark.parametrize("field", [{"name": "Cialis Shop"}, {"website": "https://cialis-shop.example"}])
def test_name_and_website_are_searched_too(comes: Comes, field: dict[str, str]) -> None:
    comment = comes("Good.", policy=Policy(words=WordsPolicy(held=("cialis",))), **field)
    [evidence] = words.check([comment])
    assert evidence.found == {"held": "uses the held word “cialis”"}


def test_no_phrase_runs_from_one_field_into_the_next(comes: Comes) -> None:
    comment = comes("all is free", name="Money", policy=Policy(words=WordsPolicy(blocked=("free money",))))
    assert words.check([comment])[0].outcome is Outcome.CLEAR


def test_everything_that_matched_is_named_as_the_owner_wrote_it(comes: Comes) -> None:
    lists = WordsPolicy(blocked=("Cialis", "Casino*"), held=("Bonus",), held_patterns=(r"\bwin\s+\d+",))
    evidence = _look(comes, "cialis, casinos, bonus: WIN 500", lists)
    assert evidence.found == {
        "blocked": "uses the blocked words “Casino*”, “Cialis”",
        "held": r"uses the held word “Bonus” and matches the held pattern “\bwin\s+\d+”",
    }
    assert decide([evidence], Policy()).verdict is Verdict.REJECT


@pytest.mark.parametrize(
    ("pattern", "body"),
    [
        (r"v.?[i1!]agra", "V1AGRA"),
        (r"^buy", "Buy now"),
        (r"café n", "CAFE\u0301 noir"),  # decomposed; the pattern is composed
        (r"\p{Cyrillic}{3}", "да, привет"),
    ],
)
def test_a_pattern_sees_the_text_as_written_in_any_case(comes: Comes, pattern: str, body: str) -> None:
    evidence = _look(comes, body, WordsPolicy(blocked_patterns=(pattern,)))
    assert evidence.found == {"blocked": f"matches the blocked pattern “{pattern}”"}


def test_a_broken_pattern_is_said_and_the_others_still_work(comes: Comes) -> None:
    broken = WordsPolicy(held_patterns=("(", "win"))
    evidence = _look(comes, "hello", broken)
    assert evidence.outcome is Outcome.UNAVAILABLE
    assert evidence.detail == "could not look for “(”: not a pattern RE2 understands"
    assert _look(comes, "win", broken).found == {"held": "matches the held pattern “win”"}


def test_problems_are_told_before_a_policy_is_saved() -> None:
    good = WordsPolicy(blocked=("casino*", "free money", "赌场"), held_patterns=(r"\d+",))
    assert words.problems(good) == []
    first, second, third = words.problems(WordsPolicy(blocked=("ca*no",), held=("!!!",), blocked_patterns=("(",)))
    assert first == "“ca*no”: * may stand only at the end"
    assert second == "“!!!” has no letter or digit to look for"
    assert third.startswith("“(” is not a pattern RE2 understands: ")


def test_each_site_of_a_batch_has_its_own_words(comes: Comes) -> None:
    one, other = Policy(words=WordsPolicy(held=("tea",))), Policy(words=WordsPolicy(held=("coffee",)))
    batch = [comes("tea", policy=one), comes("tea", site_id=2, policy=other)]
    assert [item.outcome for item in words.check(batch)] == [Outcome.FOUND, Outcome.CLEAR]


def test_five_thousand_words_are_looked_for_in_no_time(comes: Comes) -> None:
    lists = WordsPolicy(
        blocked=tuple(f"word{n}" + "*" * (n % 2) for n in range(4000)) + tuple(f"two words{n}" for n in range(1000)),
        held=tuple(chr(0x4E00 + n) + "赌" for n in range(5000)),
    )
    batch = [comes("a perfectly plain comment " * 15, policy=Policy(words=lists)) for _ in range(300)]
    words.check(batch[:1])
    started = thread_time()
    words.check(batch)
    assert thread_time() - started < 1.5  # one after the other, they would take minutes


def _look(comes: Comes, body: str, lists: WordsPolicy) -> Evidence:
    [evidence] = words.check([comes(body, policy=Policy(words=lists))])
    return evidence
