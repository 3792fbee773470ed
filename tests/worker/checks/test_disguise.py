"""The check of disguise says in words what it found."""

import pytest

from models.judgement.evidence import Outcome
from models.judgement.policy import DisguisePolicy, Policy, Verdict, decide
from tests.worker.checks.conftest import Comes
from worker.checks.disguise import check


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ("PЯINGrαgђ sells vіаgrа", "letters from 3 alphabets inside words, 6 look-alikes"),
        ("сasino", "letters from 2 alphabets inside words, 1 look-alike"),
        ("𝐜𝐚𝐬𝐢𝐧𝐨", "6 letters of decorative alphabets"),
        ("b o n u s", "5 letters of words spelled letter by letter"),
        ("v1agra", "1 digit or symbol in place of a letter"),
        ("vi\u200bag\u200bra", "2 invisible characters inside words"),
        ("v\u0336i\u0336a\u0336gra", "3 letters with marks that no language uses"),
        ("Всё это б о н у с вам, m0n3y", "5 letters of words spelled letter by letter; 2 digits or symbols in place of letters"),
    ],
)  # fmt: skip
def test_it_says_what_is_in_disguise(comes: Comes, body: str, detail: str) -> None:
    [item] = check([comes(body=body)])

    assert (item.outcome, item.detail) == (Outcome.FOUND, detail)


def test_ordinary_text_is_clear(comes: Comes) -> None:
    [item] = check([comes(body="An ordinary comment 👩‍🚀 about our NASA-программа.")])

    assert (item.outcome, item.detail, item.counts) == (
        Outcome.CLEAR,
        "no letters in disguise",
        {},
    )


@pytest.mark.parametrize(
    ("body", "policy", "verdict"),
    [
        ("Get your b o n u s", DisguisePolicy(), Verdict.FLAG),
        (
            "My cat is called l33t0",
            DisguisePolicy(),
            Verdict.APPROVE,
        ),  # a single word proves little
        ("Get your b o n u s", DisguisePolicy(max_letters=5), Verdict.APPROVE),
        ("Get your b o n u s", DisguisePolicy(letters="ignore"), Verdict.APPROVE),
        ("Get your b o n u s", DisguisePolicy(letters="reject"), Verdict.REJECT),
    ],
)
def test_the_policy_says_how_much_is_allowed(
    comes: Comes, body: str, policy: DisguisePolicy, verdict: Verdict
) -> None:
    assert decide(check([comes(body=body)]), Policy(disguise=policy)).verdict is verdict
