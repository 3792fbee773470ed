"""Evidence and a policy make a decision: one row per rule."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from models.judgement.evidence import (
    CHECKS,
    LITTLE_KNOWN,
    READ_FIRST,
    UNREAD,
    Evidence,
    Outcome,
    from_stored,
)
from models.judgement.policy import (
    AbusePolicy,
    AuthorPolicy,
    Decision,
    EmailPolicy,
    FormPolicy,
    LinksPolicy,
    PacePolicy,
    Policy,
    RepeatsPolicy,
    SpamPolicy,
    Verdict,
    decide,
    deciding_checks,
)

APPROVE, FLAG, REJECT = Verdict.APPROVE, Verdict.FLAG, Verdict.REJECT
CLEAN = "no check found a problem"
HARMLESS = "no check found a serious problem"  # with the small ones behind it


def clear(check: str, **more: Any) -> Evidence:
    return Evidence(check=check, outcome=Outcome.CLEAR, detail=f"{check} is clear", **more)


def found(check: str, *kinds: str, **counts: int) -> Evidence:
    sentences = {kind: f"{check}: {kind}" for kind in kinds}
    return Evidence(
        check=check,
        outcome=Outcome.FOUND,
        detail=f"{check} found it",
        found=sentences,
        counts=counts,
    )


def spam(score: float) -> Evidence:
    return Evidence(check="spam", outcome=Outcome.FOUND, detail=f"spam score {score}", score=score)


def little_known(score: float) -> Evidence:
    return replace(spam(score), found={LITTLE_KNOWN: "it has read little of it"})


def failed(check: str) -> Evidence:
    return Evidence(
        check=check, outcome=Outcome.UNAVAILABLE, detail=f"the {check} check could not run"
    )


def abuse(score: float, *kinds: str) -> Evidence:
    told = f"abuse score {score}: probably abusive ({', '.join(kinds)})"
    sentences = {kind: f"reads like: {kind}" for kind in kinds}
    return Evidence("abuse", Outcome.FOUND, told, score=score, found=sentences)


def abstained(check: str = "spam", score: float | None = None) -> Evidence:
    return Evidence(check, Outcome.ABSTAINED, "not learned yet", score)


DEFAULT = Policy()

RULES = [
    # No check found a problem.
    ([clear("email"), clear("links")], DEFAULT, APPROVE, [CLEAN]),
    # The owner wants to read everything first.
    (
        [clear("email")],
        Policy(moderation="before"),
        FLAG,
        ["this site reviews every comment before publishing it"],
    ),
    # An impossible address is a bot or a typing mistake; either way no mail would arrive.
    ([found("email", "impossible")], DEFAULT, REJECT, ["email: impossible"]),
    (
        [found("email", "impossible")],
        Policy(email=EmailPolicy(impossible="flag")),
        FLAG,
        ["email: impossible"],
    ),
    (
        [found("email", "impossible")],
        Policy(email=EmailPolicy(impossible="ignore")),
        APPROVE,
        [CLEAN],
    ),
    # A throw-away address is no crime, but a human looks at it.
    ([found("email", "disposable")], DEFAULT, FLAG, ["email: disposable"]),
    # The machine flags comments that read like spam, and rejects only if the owner allows it.
    ([spam(0.49)], DEFAULT, APPROVE, [CLEAN]),
    ([spam(0.5)], DEFAULT, FLAG, ["spam score 0.5"]),
    ([spam(1.0)], DEFAULT, FLAG, ["spam score 1.0"]),
    # A score that the check itself calls harmless is held with the limit that it exceeds.
    (
        [replace(spam(0.12), outcome=Outcome.CLEAR)],
        Policy(spam=SpamPolicy(flag_above=0.1)),
        FLAG,
        ["spam score 0.12; this site holds comments that score 0.10 or more"],
    ),
    ([spam(0.99)], Policy(spam=SpamPolicy(reject_above=0.98)), REJECT, ["spam score 0.99"]),
    ([spam(0.97)], Policy(spam=SpamPolicy(reject_above=0.98)), FLAG, ["spam score 0.97"]),
    # A human decides in a language that the model has not learned, unless the owner trusts the
    # other checks.
    # Without a score, only a human can say.
    ([abstained()], DEFAULT, FLAG, ["not learned yet"]),
    # In a language that the model does not know, signs that need no language decide.
    ([abstained(score=0.2)], DEFAULT, APPROVE, [CLEAN]),
    ([abstained(score=0.6)], DEFAULT, FLAG, ["not learned yet"]),
    (
        [abstained(score=0.45), found("form", "no_token")],
        DEFAULT,
        FLAG,
        ["not learned yet", "form: no_token"],
    ),
    (
        [abstained(score=0.2)],
        Policy(spam=SpamPolicy(when_abstaining="flag")),
        FLAG,
        ["not learned yet"],
    ),
    (
        [abstained()],
        Policy(spam=SpamPolicy(when_abstaining="approve")),
        APPROVE,
        [CLEAN, "not learned yet"],
    ),
    # In a language that it has learned a little, clearly fine comments are published, a human
    # decides all others, and none is rejected.
    ([little_known(0.19)], DEFAULT, APPROVE, [CLEAN]),
    ([little_known(0.2)], DEFAULT, FLAG, ["spam score 0.2; it has read little of it"]),
    (
        [little_known(0.99)],
        Policy(spam=SpamPolicy(reject_above=0.9)),
        FLAG,
        ["spam score 0.99; it has read little of it"],
    ),
    ([little_known(0.3)], Policy(spam=SpamPolicy(flag_above_little_known=0.4)), APPROVE, [CLEAN]),
    (
        [little_known(0.3)],
        Policy(spam=SpamPolicy(flag_above=0.2, flag_above_little_known=1)),
        FLAG,
        ["spam score 0.3; it has read little of it"],
    ),
    # Abuse holds a comment by the same rules, and its reason names the kind.
    ([abuse(0.4999, "insult")], DEFAULT, APPROVE, [CLEAN]),
    (
        [abuse(0.87, "insult")],
        DEFAULT,
        FLAG,
        ["abuse score 0.87: probably abusive (insult)"],
    ),
    ([abuse(0.6)], Policy(abuse=AbusePolicy(flag_above=0.7)), APPROVE, [CLEAN]),
    # A harmless score over the owner's limit is told with the limit.
    (
        [replace(abuse(0.3), outcome=Outcome.CLEAR, detail="abuse score 0.30: possibly abusive")],
        Policy(abuse=AbusePolicy(flag_above=0.2)),
        FLAG,
        [
            "abuse score 0.30: possibly abusive; this site holds comments that score 0.20 or more",
        ],
    ),
    # The machine never rejects for abuse, even on a site that rejects by the spam score.
    (
        [abuse(1.0, "threat")],
        Policy(spam=SpamPolicy(reject_above=0.5)),
        FLAG,
        ["abuse score 1.0: probably abusive (threat)"],
    ),
    # Spam and abuse may both have a reason, and the spam score may still reject.
    (
        [spam(0.9), abuse(0.9, "insult")],
        DEFAULT,
        FLAG,
        ["spam score 0.9", "abuse score 0.9: probably abusive (insult)"],
    ),
    (
        [spam(0.99), abuse(0.9, "insult")],
        Policy(spam=SpamPolicy(reject_above=0.98)),
        REJECT,
        ["spam score 0.99", "abuse score 0.9: probably abusive (insult)"],
    ),
    # A hint does not lower the limit for abuse.
    (
        [abuse(0.45), found("form", "too_quick")],
        DEFAULT,
        APPROVE,
        [HARMLESS, "form: too_quick"],
    ),
    # In a language that the abuse model has not learned, the other checks decide, unless the owner
    # wants a human to.
    ([abstained("abuse")], DEFAULT, APPROVE, [CLEAN, "not learned yet"]),
    (
        [abstained("abuse")],
        Policy(abuse=AbusePolicy(when_abstaining="flag")),
        FLAG,
        ["not learned yet"],
    ),
    # An owner may want to read every comment in a language first.
    ([found("language", READ_FIRST)], DEFAULT, FLAG, ["language: read_first"]),
    # Links: two are fine, three are too many.
    ([found("links", links=2)], DEFAULT, APPROVE, [CLEAN]),
    ([found("links", links=9)], DEFAULT, FLAG, ["9 links; the limit is 2"]),
    (
        [found("links", links=1)],
        Policy(links=LinksPolicy(max_links=0)),
        FLAG,
        ["1 link; the limit is 0"],
    ),
    ([found("links", "shortener", links=1)], DEFAULT, FLAG, ["links: shortener"]),
    # A human decides if a check did not read to the end, whatever the owner allows.
    ([found("links", UNREAD)], Policy(links=LinksPolicy(max_links=1000)), FLAG, ["links: unread"]),
    # The owner's words.
    ([found("words", "blocked")], DEFAULT, REJECT, ["words: blocked"]),
    ([found("words", "held")], DEFAULT, FLAG, ["words: held"]),
    # Repeats: twice may be a mistake, three times is a campaign.
    ([found("repeats", "same", same=2)], DEFAULT, APPROVE, [CLEAN]),
    ([found("repeats", "same", same=3)], DEFAULT, FLAG, ["repeats: same"]),
    ([found("repeats", "similar", similar=5)], DEFAULT, FLAG, ["repeats: similar"]),
    (
        [found("repeats", "same", same=1)],
        Policy(repeats=RepeatsPolicy(max_same=0)),
        FLAG,
        ["repeats: same"],
    ),
    # Too many in a short time.
    ([found("pace", minute=5, hour=30)], DEFAULT, APPROVE, [CLEAN]),
    (
        [found("pace", minute=6, hour=6)],
        DEFAULT,
        FLAG,
        ["6 comments in the last minute; the limit is 5"],
    ),
    (
        [found("pace", minute=3, hour=4)],
        Policy(pace=PacePolicy(max_per_minute=2, max_per_hour=3)),
        FLAG,
        [
            "3 comments in the last minute; the limit is 2",
            "4 comments in the last hour; the limit is 3",
        ],
    ),
    # A bad record holds a comment back; a good one earns nothing.
    ([found("author", "rejected", rejected=1)], DEFAULT, APPROVE, [CLEAN]),
    ([found("author", "rejected", rejected=2)], DEFAULT, FLAG, ["author: rejected"]),
    (
        [found("author", "rejected", rejected=1)],
        Policy(author=AuthorPolicy(hold_after_rejections=1)),
        FLAG,
        ["author: rejected"],
    ),
    ([clear("author", counts={"approved": 900}), spam(0.5)], DEFAULT, FLAG, ["spam score 0.5"]),
    # The form: only the honeypot is enough alone. The others are still reported.
    ([found("form", "honeypot")], DEFAULT, REJECT, ["form: honeypot"]),
    (
        [found("form", "too_quick", "no_token")],
        DEFAULT,
        APPROVE,
        [HARMLESS, "form: too_quick", "form: no_token"],
    ),
    (
        [found("form", "no_token")],
        Policy(form=FormPolicy(no_token="flag")),
        FLAG,
        ["form: no_token"],
    ),
    # A hint lowers the threshold of the model, wherever its check is in the list.
    ([spam(0.4), found("form", "no_token")], DEFAULT, FLAG, ["spam score 0.4", "form: no_token"]),
    ([spam(0.29), found("form", "no_token")], DEFAULT, APPROVE, [HARMLESS, "form: no_token"]),
    # … and never raises it, whatever the policy says.
    (
        [spam(0.6), found("form", "no_token")],
        Policy(spam=SpamPolicy(flag_above=0.5, flag_above_with_hint=0.9)),
        FLAG,
        ["spam score 0.6", "form: no_token"],
    ),
    # A failure never approves by accident; only the owner may allow it.
    ([failed("email")], DEFAULT, FLAG, ["the email check could not run"]),
    ([failed("spam")], DEFAULT, FLAG, ["the spam check could not run"]),
    ([failed("one of tomorrow's")], DEFAULT, FLAG, ["the one of tomorrow's check could not run"]),
    (
        [failed("email")],
        Policy(could_not_run={"email": "wait"}),
        None,
        ["the email check could not run"],
    ),
    (
        [failed("email")],
        Policy(could_not_run={"email": "approve"}),
        APPROVE,
        [CLEAN, "the email check could not run"],
    ),
    # Findings from before a check failed still count.
    (
        [replace(failed("email"), found={"disposable": "throw-away"})],
        Policy(could_not_run={"email": "approve"}),
        FLAG,
        ["throw-away"],
    ),
    # The worst verdict wins, and every reason is kept, worst first.
    (
        [found("links", links=3), found("words", "held", "blocked"), spam(0.8), failed("email")],
        Policy(could_not_run={"email": "wait"}),
        REJECT,
        [
            "words: blocked",
            "3 links; the limit is 2",
            "words: held",
            "spam score 0.8",
            "the email check could not run",
        ],
    ),
    # Holding is worse than waiting, and waiting is worse than approving.
    (
        [found("links", links=3), failed("email")],
        Policy(could_not_run={"email": "wait"}),
        FLAG,
        ["3 links; the limit is 2", "the email check could not run"],
    ),
    # A moderator's rule for a comment applies to all similar ones, and only a human's rule rejects.
    ([found("blocks", "like_rejected")], DEFAULT, REJECT, ["blocks: like_rejected"]),
    ([found("blocks", "like_held")], DEFAULT, FLAG, ["blocks: like_held"]),
    # A rule to approve: repeats are no doubt any more, and the model's score is ignored only for
    # exactly the same text.
    (
        [found("blocks", "like_approved", like_approved=1), found("repeats", "same", same=9)],
        DEFAULT,
        APPROVE,
        [CLEAN, "blocks: like_approved"],
    ),
    (
        [found("blocks", "like_approved", like_approved=1), spam(0.9)],
        DEFAULT,
        FLAG,
        ["spam score 0.9"],
    ),
    (
        [found("blocks", "like_approved", like_approved=1, same_as_approved=1), spam(0.9)],
        DEFAULT,
        APPROVE,
        [CLEAN, "blocks: like_approved"],
    ),
    (
        [
            found("blocks", "like_approved", like_approved=1, same_as_approved=1),
            abuse(0.9, "insult"),
        ],
        DEFAULT,
        APPROVE,
        [CLEAN, "blocks: like_approved"],
    ),
    # A link that was added to the text is held as usual.
    (
        [found("blocks", "like_approved", like_approved=1), found("links", links=3)],
        DEFAULT,
        FLAG,
        ["3 links; the limit is 2"],
    ),
    # An author's first comments are read. Only approved earlier comments count, not all that were
    # written.
    (
        [clear("author", counts={"approved": 1, "rejected": 0, "flagged": 7})],
        Policy(author=AuthorPolicy(hold_first=3)),
        FLAG,
        ["this site reviews an author's first 3 comments; 1 approved so far"],
    ),
    (
        [clear("author", counts={"approved": 3})],
        Policy(author=AuthorPolicy(hold_first=3)),
        APPROVE,
        [CLEAN],
    ),
    # A trusted author is not held for having few comments.
    (
        [clear("author", counts={"approved": 0}), found("blocks", "trusted", trusted_author=1)],
        Policy(author=AuthorPolicy(hold_first=3)),
        APPROVE,
        [CLEAN],
    ),
    # A check that this policy does not know informs a moderator and decides nothing.
    ([found("weather", "rain")], DEFAULT, APPROVE, [CLEAN]),
]


@pytest.mark.parametrize(("evidence", "policy", "verdict", "reasons"), RULES)
def test_a_rule(
    evidence: list[Evidence], policy: Policy, verdict: Verdict | None, reasons: list[str]
) -> None:
    again = any(item.outcome is Outcome.UNAVAILABLE for item in evidence)
    assert decide(evidence, policy) == Decision(verdict, tuple(reasons), again)


@pytest.mark.parametrize(("evidence", "policy", "verdict", "reasons"), RULES)
def test_the_order_of_the_checks_changes_no_verdict(
    evidence: list[Evidence], policy: Policy, verdict: Verdict | None, reasons: list[str]
) -> None:
    turned = decide(reversed(evidence), policy)
    assert (turned.verdict, sorted(turned.reasons)) == (verdict, sorted(reasons))


KINDS = {
    "email": ["impossible", "disposable"],
    "links": ["shortener"],
    "words": ["blocked", "held"],
    "repeats": ["same", "similar"],
    "author": ["rejected"],
    "form": ["honeypot", "too_quick", "no_token"],
}
COUNTS = ["links", "same", "similar", "minute", "hour", "rejected", "approved"]
probabilities = st.floats(0, 1)
weights = st.sampled_from(["ignore", "hint", "flag", "reject"])
thens = st.sampled_from(["approve", "flag", "wait"])
checks = st.sampled_from(
    [
        "email",
        "spam",
        "abuse",
        "links",
        "words",
        "repeats",
        "pace",
        "author",
        "blocks",
        "form",
        "language",
        "page",
    ]
)


@st.composite
def pieces(draw: st.DrawFn) -> Evidence:
    check = draw(checks)
    kinds = draw(st.sets(st.sampled_from(KINDS[check]))) if check in KINDS else set()
    return Evidence(
        check=check,
        outcome=draw(st.sampled_from(Outcome)),
        detail=f"{check} says",
        score=draw(st.none() | probabilities),
        found={kind: f"{check}: {kind}" for kind in kinds},
        counts=draw(st.dictionaries(st.sampled_from(COUNTS), st.integers(0, 50))),
    )


policies = st.builds(
    Policy,
    moderation=st.sampled_from(["after", "before"]),
    spam=st.builds(
        SpamPolicy,
        flag_above=probabilities,
        flag_above_with_hint=probabilities,
        flag_above_little_known=probabilities,
        reject_above=st.none() | probabilities,
        when_abstaining=st.sampled_from(["approve", "judge", "flag"]),
    ),
    abuse=st.builds(
        AbusePolicy,
        flag_above=probabilities,
        when_abstaining=st.sampled_from(["approve", "flag"]),
    ),
    email=st.builds(EmailPolicy, impossible=weights, disposable=weights),
    links=st.builds(LinksPolicy, max_links=st.integers(0, 10), shorteners=weights),
    author=st.builds(
        AuthorPolicy, hold_after_rejections=st.integers(1, 9), hold_first=st.integers(0, 9)
    ),
    form=st.builds(FormPolicy, honeypot=weights, too_quick=weights, no_token=weights),
    could_not_run=st.dictionaries(checks, thens),
)
evidences = st.lists(pieces(), max_size=6)

SEVERITY = {APPROVE: 0, None: 1, FLAG: 2, REJECT: 3}


@settings(deadline=None, max_examples=300)
@given(evidences, evidences, policies)
def test_more_evidence_never_makes_a_verdict_milder(
    one: list[Evidence], more: list[Evidence], policy: Policy
) -> None:
    before, after = decide(one, policy), decide([*one, *more], policy)
    assert SEVERITY[after.verdict] >= SEVERITY[before.verdict]
    assert set(before.reasons) - {CLEAN, HARMLESS} <= set(after.reasons) | {
        item.detail for item in one
    }


@settings(deadline=None, max_examples=300)
@given(evidences, policies)
def test_every_decision_has_a_reason_and_says_whether_a_check_is_due(
    one: list[Evidence], policy: Policy
) -> None:
    decision = decide(one, policy)
    assert decision.reasons
    assert decision.again == any(item.outcome is Outcome.UNAVAILABLE for item in one)


@settings(deadline=None, max_examples=200)
@given(evidences, policies)
def test_stored_evidence_can_be_decided_again_later(one: list[Evidence], policy: Policy) -> None:
    stored = [from_stored(item) for item in orjson.loads(orjson.dumps(one))]
    assert decide(stored, Policy.model_validate_json(policy.model_dump_json())) == decide(
        one, policy
    )


@pytest.mark.parametrize(
    "typed",
    [
        {"spam": {"flag_above": 1.2}},
        {"links": {"max_links": -1}},
        {"abuse": {"reject_above": 0.9}},
        {"abuse": {"first_in_languages": ["Turkish"]}},
        {"email": {"impossible": "shrug"}},
        {"speling": 1},
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(typed: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Policy.model_validate(typed)


TRUSTED = {"like_approved": 1, "same_as_approved": 1, "trusted_author": 1, "trusted_links": 9}


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize(
    "trust",
    [{}, {"like_approved": 1, "same_as_approved": 1, "trusted_author": 1, "trusted_links": 9}],
)
def test_no_check_that_could_not_finish_approves(check: str, trust: dict[str, int]) -> None:
    evidence = [
        Evidence(check=name, outcome=Outcome.CLEAR, detail="", score=0.0)
        for name in CHECKS
        if name != check
    ]
    evidence = [
        replace(item, counts=trust) if item.check == "blocks" else item for item in evidence
    ]
    evidence.append(Evidence(check=check, outcome=Outcome.UNAVAILABLE, detail="could not run"))
    decision = decide(evidence, Policy())
    assert (decision.verdict, decision.again) == (Verdict.FLAG, True)


@pytest.mark.parametrize(
    ("evidence", "policy", "checks"),
    [
        # Only the findings that lead to the verdict count, not hints.
        ([found("links", links=9), found("form", "no_token"), spam(0.1)], Policy(), ["links"]),
        # Several checks can hold a comment, but a rejection needs none of those.
        ([found("links", links=9), spam(0.9)], Policy(), ["links", "spam"]),
        ([found("links", links=9), found("form", "honeypot")], Policy(), ["form"]),
        # A check that could not run holds the comment, too.
        ([Evidence("email", Outcome.UNAVAILABLE, "no answer"), spam(0.1)], Policy(), ["email"]),
        # No check holds a comment on a site that reviews all of them.
        ([clear("links"), spam(0.1)], Policy(moderation="before"), []),
        ([clear("links"), spam(0.1)], Policy(), []),
    ],
)
def test_the_checks_that_decide_are_named(
    evidence: list[Evidence], policy: Policy, checks: list[str]
) -> None:
    assert deciding_checks(evidence, policy) == checks
