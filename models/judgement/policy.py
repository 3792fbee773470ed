"""Turn evidence and a site's policy into a decision. Pure: no clock, no database, no network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from models.judgement.evidence import (
    LITTLE_KNOWN,
    READ_FIRST,
    RESERVED_NAME,
    UNREAD,
    Evidence,
    Outcome,
)
from models.judgement.rules import MOST_RULES, Rule
from models.judgement.scores import ABUSE, SCORES

Entry = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00]+$"),
]
CheckName = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")]
LanguageCode = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]
QueryName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.~:\[\]-]{1,50}$")]
Probability = Annotated[float, Field(ge=0, le=1)]
Then = Literal["approve", "flag", "wait"]
Weight = Literal["ignore", "hint", "flag", "reject"]
WhenAbstaining = Literal["approve", "judge", "flag"]
MayPost = Literal["anyone", "proven", "signed_in"]


MOST_LINKS = MOST_REPEATS = 1000
PAGE_QUERY = ("p", "id", "page_id", "article")


def page_query(kept: Sequence[str] | None) -> tuple[str, ...]:
    """Return a policy's `threads.query` for storing; None if the policy was saved before it had
    this part.
    """
    return PAGE_QUERY if kept is None else tuple(kept)


class Verdict(StrEnum):
    """A decision's outcome, and with the past tense a comment's status."""

    APPROVE = "approve"
    FLAG = "flag"
    REJECT = "reject"


def _of_every_name(schema: dict[str, Any]) -> None:
    """Describe any name. Generators of clients do not understand a pattern for names, and leave
    such values untyped.
    """
    for part in (schema, *schema.get("anyOf", ())):
        if patterns := part.pop("patternProperties", None):
            (part["additionalProperties"],) = patterns.values()


class _Part(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        # A policy in an answer is always complete, and its description says so.
        json_schema_serialization_defaults_required=True,
    )


class SpamPolicy(_Part):
    """A comment that scores `flag_above` or more is held. Greenroom rejects by score only if
    `reject_above` is set.

    In a language that the model knows only a little, comments that are clearly fine go live, and
    Greenroom does not reject by score. In a language that it does not know, links, disguise and
    other signals that do not depend on the language are scored. By default ("judge") such a comment
    is held at the same thresholds; "flag" holds every one, and "approve" relies on the other
    checks.
    """

    flag_above: Probability = 0.5
    flag_above_with_hint: Probability = 0.4
    flag_above_little_known: Probability = 0.2
    reject_above: Probability | None = None
    when_abstaining: WhenAbstaining = "judge"


class AbusePolicy(_Part):
    """A comment that scores `flag_above` or more is held. Greenroom never rejects a comment for its
    abuse score.

    `first_in_languages` lists languages (ISO 639-1 codes) in which a moderator reads every comment
    before it is published.
    """

    flag_above: Probability = 0.5
    when_abstaining: Literal["approve", "flag"] = "approve"
    first_in_languages: tuple[LanguageCode, ...] = Field((), max_length=200, examples=[["tr"]])


class EmailPolicy(_Part):
    impossible: Weight = "reject"
    disposable: Weight = "flag"


class LinksPolicy(_Part):
    """A comment with more than `max_links` links is held. `shorteners` are links that hide their
    target.
    """

    max_links: Annotated[int, Field(ge=0, le=MOST_LINKS, examples=[2])] = 2
    shorteners: Weight = "flag"


class WordsPolicy(_Part):
    """Whole words or phrases, `word*` for any ending, and RE2 patterns. Look-alike characters count
    as the letters that they imitate.

    `plurals` also finds a word with one plural ending (casinos, lotteries). `digits_as_letters`
    also finds it with digits or symbols for letters, or with digits at its ends (c4sino, ca$ino,
    casino2). `split` sets what happens if a comment may contain a listed word with a space inside
    (cas ino).
    """

    blocked: tuple[Entry, ...] = Field((), max_length=5000)
    held: tuple[Entry, ...] = Field((), max_length=5000)
    blocked_patterns: tuple[Entry, ...] = Field((), max_length=200)
    held_patterns: tuple[Entry, ...] = Field((), max_length=200)
    plurals: bool = True
    digits_as_letters: bool = True
    split: Weight = "flag"


class DisguisePolicy(_Part):
    """What happens to a comment with more than `max_letters` letters in disguise: look-alikes of
    another alphabet, decorative alphabets, words spelled letter by letter, and signs or invisible
    characters inside words.
    """

    letters: Weight = "flag"
    max_letters: Annotated[int, Field(ge=0, le=10_000)] = 1


class RepeatsPolicy(_Part):
    """How many earlier comments on the site in the last day may have the same or nearly the same
    text.
    """

    max_same: Annotated[int, Field(ge=0, le=MOST_REPEATS)] = 2
    max_similar: Annotated[int, Field(ge=0, le=MOST_REPEATS)] = 4


class PacePolicy(_Part):
    """How many comments one author or IP address may post on the site before Greenroom holds
    them.
    """

    max_per_minute: Annotated[int, Field(ge=1, le=10_000)] = 5
    max_per_hour: Annotated[int, Field(ge=1, le=100_000)] = 30


class AuthorPolicy(_Part):
    """Email addresses are not verified, so an author's record can hold a comment but never approve
    one.

    `hold_first` holds a new author's comments until this many have been approved. It does not
    verify who is writing: anyone can type a regular commenter's email address.
    """

    hold_after_rejections: Annotated[int, Field(ge=1, le=1000)] = 2
    hold_first: Annotated[int, Field(ge=0, le=100)] = 0


class ReadersPolicy(_Part):
    """Readers whom the site's sign-on or a confirmed email address identifies.

    A reader with `trust_after` approved comments and no rejected one within the last 90 days is
    trusted; null trusts nobody. A trusted reader's comment is held for its spam score only if that
    reaches `trusted_spam_flag_above`, and is not held for having many links or repeating a text.
    The abuse score and all other rules stay.

    `hold_first` holds a known reader's comments until this many have been approved.

    Only readers whom the site signed in can use `reserved_names` and the names of staff, and only
    known readers a known reader's name of two words or more. Greenroom holds other comments under
    these names.
    """

    trust_after: Annotated[int | None, Field(ge=1, le=1000)] = None
    trusted_spam_flag_above: Probability = 0.9
    hold_first: Annotated[int, Field(ge=0, le=100)] = 0
    reserved_names: tuple[Entry, ...] = Field((), max_length=500, examples=[["The editors"]])


class FormPolicy(_Part):
    """Only a bot fills in the honeypot. A quick post or a missing token is weak evidence, because
    script blockers cause both.
    """

    honeypot: Weight = "reject"
    too_quick: Weight = "hint"
    no_token: Weight = "hint"
    min_seconds: Annotated[float, Field(ge=0, le=60)] = 2.0


class PromisesPolicy(_Part):
    """Limits that the owner sets instead of thresholds for the scores.

    Greenroom holds at most 1 in `good_held_back_one_in` good comments, and asks for at most
    `reviews_a_day` reviews. If the first is set, the manual thresholds apply only until the site
    has enough labels, and automatic rejection is off until then.
    """

    good_held_back_one_in: Annotated[int | None, Field(ge=10, le=10_000)] = None
    reviews_a_day: Annotated[int | None, Field(ge=1, le=100_000)] = None

    @property
    def are_made(self) -> bool:
        return self.good_held_back_one_in is not None or self.reviews_a_day is not None


class ThreadsPolicy(_Part):
    """A thread closes `close_after_days` days after its first comment, or after a moderator
    reopened it.

    `query` lists the URL parameters that identify a page of the site. Greenroom removes all others
    from a page's address: it comes from a reader's browser, and other parameters could make it lead
    elsewhere.
    """

    close_after_days: Annotated[int | None, Field(ge=1, le=3650)] = None
    query: tuple[QueryName, ...] = Field(PAGE_QUERY, max_length=20)


class SamplePolicy(_Part):
    """The share of automatic decisions that a moderator judges without seeing the machine's
    verdict.
    """

    share: Probability = 0.01


class QualityPolicy(_Part):
    """Whether everyone may read how often the site's automatic decisions are wrong, without a
    key.
    """

    public: bool = False


def _with_one_key_each(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    if len({rule.key for rule in rules}) < len(rules):
        raise ValueError("Two rules have the same key.")
    return rules


class Policy(_Part):
    """The moderation policy of one site. By default, comments that are clearly fine go live and all
    others are flagged.

    `moderation` "before" holds every comment for a moderator. `identity` says who may post:
    "proven" needs a confirmed email address or the site's own sign-on, "signed_in" the sign-on. A
    published comment whose open reports weigh `reports_to_hold` together is held until a moderator
    decides. `edit_minutes` is how long authors can edit a comment that nobody answered or reported;
    0 turns editing off. `could_not_run` sets for each check what happens if it could not run;
    "wait" keeps the comment pending until it has run. `rules` are the site's rules, which
    rejections name; an empty list stands for one rule per reason in the site's language.
    """

    moderation: Literal["after", "before"] = "after"
    identity: MayPost = "anyone"
    reports_to_hold: Annotated[float, Field(ge=0.5, le=1000, examples=[3])] = 3
    spam: SpamPolicy = SpamPolicy()
    abuse: AbusePolicy = AbusePolicy()
    email: EmailPolicy = EmailPolicy()
    links: LinksPolicy = LinksPolicy()
    words: WordsPolicy = WordsPolicy()
    disguise: DisguisePolicy = DisguisePolicy()
    repeats: RepeatsPolicy = RepeatsPolicy()
    pace: PacePolicy = PacePolicy()
    author: AuthorPolicy = AuthorPolicy()
    readers: ReadersPolicy = ReadersPolicy()
    form: FormPolicy = FormPolicy()
    promises: PromisesPolicy = PromisesPolicy()
    sample: SamplePolicy = SamplePolicy()
    quality: QualityPolicy = QualityPolicy()
    threads: ThreadsPolicy = ThreadsPolicy()
    rules: Annotated[tuple[Rule, ...], AfterValidator(_with_one_key_each)] = Field(
        (), max_length=MOST_RULES
    )
    edit_minutes: Annotated[int, Field(ge=0, le=10_080)] = 15
    could_not_run: dict[CheckName, Then] = Field(
        default_factory=dict, json_schema_extra=_of_every_name, examples=[{"email": "wait"}]
    )


class Decision(NamedTuple):
    """The verdict and every reason for it, worst first. No verdict means that the comment waits and
    is screened again.

    `again` means that some check could not run, so the comment is due for another screening.
    """

    verdict: Verdict | None
    reasons: tuple[str, ...]
    again: bool = False


class _Finding(NamedTuple):
    weight: Weight | Then | WhenAbstaining
    reason: str


def decide(evidence: Iterable[Evidence], policy: Policy) -> Decision:
    """Decide from all the evidence: reject before flag before wait before approve. Every reason is
    kept.
    """
    evidence = list(evidence)
    trusted = [_with_trust(item, evidence) for item in evidence]
    reasons = _reasons_by_weight(_findings(trusted, policy))
    again = any(item.outcome is Outcome.UNAVAILABLE for item in trusted)
    grounds = [weight for weight in _GROUNDS if weight in reasons]
    told = [reason for weight in (*grounds, "hint") for reason in reasons.get(weight, ())]
    if not grounds:
        tolerated = reasons.get("approve", ())
        summary = "no check found a serious problem" if told else "no check found a problem"
        return Decision(Verdict.APPROVE, (summary, *told, *tolerated), again)
    worst = grounds[0]
    return Decision(None if worst == "wait" else Verdict(worst), tuple(told), again)


_GROUNDS = ("reject", "flag", "wait")  # each is worse than the next


def deciding_checks(evidence: Iterable[Evidence], policy: Policy) -> list[str]:
    """Return the checks whose findings lead to the verdict of `decide`. There are none if nothing
    was found, or if the site reviews every comment.
    """
    evidence = list(evidence)
    trusted = [_with_trust(item, evidence) for item in evidence]
    findings = _findings_by_check(trusted, policy)
    weights = {finding.weight for _, finding in findings}
    worst = next((weight for weight in _GROUNDS if weight in weights), None)
    return sorted({check for check, finding in findings if check and finding.weight == worst})


def _findings(evidence: Sequence[Evidence], policy: Policy) -> list[_Finding]:
    return [finding for _, finding in _findings_by_check(evidence, policy)]


def _findings_by_check(evidence: Sequence[Evidence], policy: Policy) -> list[tuple[str, _Finding]]:
    """Return everything that the policy makes of the evidence, each finding with its check. The
    scores come after the hints, which lower the thresholds of the spam score.
    """
    findings: list[tuple[str, _Finding]] = []
    if _is_trusted(evidence, policy):
        policy = _for_trusted(policy)
    for item in evidence:
        if item.check not in SCORES:
            findings += [(item.check, finding) for finding in _weigh(item, policy)]
    hinted = any(finding.weight == "hint" for _, finding in findings)
    for item in evidence:
        if item.check in SCORES:
            limits = _limits(item.check, policy, hinted)
            findings += [(item.check, finding) for finding in _score(item, limits)]
    for item in evidence:
        if item.outcome is Outcome.UNAVAILABLE:
            findings.append((item.check, _missing(item, policy)))
    for item in evidence:
        if UNREAD in item.found:
            findings.append((item.check, _Finding("flag", item.found[UNREAD])))
    if policy.moderation == "before":
        every = _Finding("flag", "this site reviews every comment before publishing it")
        findings.append(("", every))
    return findings


def _is_trusted(evidence: Iterable[Evidence], policy: Policy) -> bool:
    """Whether the author is known and has earned the site's trust. A name or an address that
    anyone can type earns none.
    """
    needed = policy.readers.trust_after
    counts = next((item.counts for item in evidence if item.check == "author"), {})
    if needed is None or not counts.get("known"):
        return False
    return counts.get("approved_lately", 0) >= needed and not counts.get("rejected_lately")


def _for_trusted(policy: Policy) -> Policy:
    """Return the policy for a trusted reader. It is never stricter than for others."""
    spam, least = policy.spam, policy.readers.trusted_spam_flag_above
    raised = {
        "flag_above": max(spam.flag_above, least),
        "flag_above_with_hint": max(spam.flag_above_with_hint, least),
        "flag_above_little_known": max(spam.flag_above_little_known, least),
        "reject_above": None,
    }
    return policy.model_copy(
        update={
            "spam": spam.model_copy(update=raised),
            "links": policy.links.model_copy(update={"max_links": MOST_LINKS}),
            "repeats": RepeatsPolicy(max_same=MOST_REPEATS, max_similar=MOST_REPEATS),
        }
    )


def _reasons_by_weight(findings: Iterable[_Finding]) -> dict[str, list[str]]:
    reasons: dict[str, list[str]] = {}
    for finding in findings:
        reasons.setdefault(finding.weight, []).append(finding.reason)
    return reasons


def _weigh(item: Evidence, policy: Policy) -> Iterable[_Finding]:
    """Apply the policy to one check's findings, including those from before it failed."""
    rule = _RULES.get(item.check)
    return rule(item, policy) if rule else []


class _Limits(NamedTuple):
    """The thresholds of one score for one comment. Without `reject`, no comment is rejected by
    it.
    """

    flag: float
    flag_little_known: float
    reject: float | None
    when_abstaining: WhenAbstaining


def _limits(score: str, policy: Policy, hinted: bool) -> _Limits:
    if score == ABUSE:
        flag = policy.abuse.flag_above
        return _Limits(flag, flag, None, policy.abuse.when_abstaining)
    spam = policy.spam
    flag = _flag_above(spam, hinted)
    little_known = min(spam.flag_above_little_known, flag)
    return _Limits(flag, little_known, spam.reject_above, spam.when_abstaining)


def _score(item: Evidence, limits: _Limits) -> Iterable[_Finding]:
    if item.outcome is Outcome.ABSTAINED and limits.when_abstaining == "judge":
        if item.score is None or item.score >= limits.flag:  # without a score, a human reads it
            yield _Finding("flag", item.detail)
    elif item.outcome is Outcome.ABSTAINED:
        yield _Finding(limits.when_abstaining, item.detail)
    elif item.score is None:
        return
    elif LITTLE_KNOWN in item.found:
        if item.score >= limits.flag_little_known:
            yield _Finding("flag", f"{item.detail}; {item.found[LITTLE_KNOWN]}")
    elif limits.reject is not None and item.score >= limits.reject:
        yield _Finding("reject", item.detail)
    elif item.score >= limits.flag:
        yield _Finding("flag", _reason_to_hold(item, limits.flag))


def _reason_to_hold(item: Evidence, limit: float) -> str:
    """Name the limit if the check calls the score harmless: else the reason contradicts itself."""
    if item.outcome is not Outcome.CLEAR:
        return item.detail
    return f"{item.detail}; this site holds comments that score {limit:.2f} or more"


def _flag_above(policy: SpamPolicy, hinted: bool) -> float:
    """Return the threshold with hints. A hint only lowers it, whatever the owner set."""
    return min(policy.flag_above, policy.flag_above_with_hint) if hinted else policy.flag_above


def _missing(item: Evidence, policy: Policy) -> _Finding:
    return _Finding(policy.could_not_run.get(item.check, "flag"), item.detail)


_ANSWERED = {"links", "author", "repeats", *SCORES}


def _with_trust(item: Evidence, evidence: Iterable[Evidence]) -> Evidence:
    """Remove doubts that a moderator's trust answers: links to a trusted host, a trusted address's
    own record, repeats of a text that was found fine, and the scores of exactly that text. The
    scores still count for a text that is only similar: otherwise a spammer could add a link to an
    approved text.
    """
    blocks = next((other for other in evidence if other.check == "blocks"), None)
    if blocks is None or item.check not in _ANSWERED:
        return item
    if item.check == "repeats":
        return replace(item, counts={}) if blocks.counts.get("like_approved") else item
    if item.check in SCORES:
        is_same = (
            bool(blocks.counts.get("same_as_approved")) and item.outcome is not Outcome.UNAVAILABLE
        )
        return replace(item, score=None, outcome=Outcome.CLEAR) if is_same else item
    if item.check == "author":
        return replace(item, counts={}) if blocks.counts.get("trusted_author") else item
    trusted = blocks.counts.get("trusted_links", 0)
    links = max(0, item.counts.get("links", 0) - trusted)
    return replace(item, counts={**item.counts, "links": links}) if trusted else item


def _blocks(item: Evidence, policy: Policy) -> Iterable[_Finding]:
    yield from _kinds(item, {"blocked": "reject", "like_rejected": "reject", "like_held": "flag"})
    yield from _kinds(item, {"thread": "flag", "slow": "flag"})
    if reason := item.found.get("like_approved"):
        yield _Finding("approve", reason)


def _email(item: Evidence, policy: Policy) -> Iterable[_Finding]:
    return _kinds(
        item, {"impossible": policy.email.impossible, "disposable": policy.email.disposable}
    )


def _links(item: Evidence, policy: Policy) -> Iterable[_Finding]:
    if (count := item.counts.get("links", 0)) > policy.links.max_links:
        noun = "link" if count == 1 else "links"
        yield _Finding("flag", f"{count} {noun}; the limit is {policy.links.max_links}")
    yield from _kinds(item, {"shortener": policy.links.shorteners})


def _words(item: Evidence, policy: Policy) -> Iterable[_Finding]:
    return _kinds(item, {"blocked": "reject", "held": "flag", "split": policy.words.split})


def _disguise(item: Evidence, policy: Policy) -> Iterable[_Finding]:
    if item.counts.get("letters", 0) > policy.disguise.max_letters:
        yield _Finding(policy.disguise.letters, item.detail)


def _page(item: Evidence, policy: Policy) -> Iterable[_Finding]:
    """Hold any problem of the title or address for a human, even blocked words, because they may be
    in the article's own headline.
    """
    return _kinds(item, {"blocked": "flag", "held": "flag", "link": "flag"})


def _repeats(item: Evidence, policy: Policy) -> Iterable[_Finding]:
    for kind, most in (("same", policy.repeats.max_same), ("similar", policy.repeats.max_similar)):
        if item.counts.get(kind, 0) > most:
            yield _Finding("flag", item.found.get(kind, item.detail))


def _pace(item: Evidence, policy: Policy) -> Iterable[_Finding]:
    for kind, most in (("minute", policy.pace.max_per_minute), ("hour", policy.pace.max_per_hour)):
        if (count := item.counts.get(kind, 0)) > most:
            yield _Finding("flag", f"{count} comments in the last {kind}; the limit is {most}")


def _author(item: Evidence, policy: Policy) -> Iterable[_Finding]:
    if item.counts.get("rejected", 0) >= policy.author.hold_after_rejections:
        yield _Finding("flag", item.found.get("rejected", item.detail))
    if reason := item.found.get(RESERVED_NAME):
        yield _Finding("flag", reason)
    hold_first = policy.author.hold_first
    if item.counts.get("known"):
        hold_first = max(hold_first, policy.readers.hold_first)
    approved = item.counts.get("approved")  # a trusted address's record holds nothing
    if approved is not None and approved < hold_first:
        first = "comment" if hold_first == 1 else f"{hold_first} comments"
        yield _Finding(
            "flag",
            f"this site reviews an author's first {first}; {approved} approved so far",
        )


def _form(item: Evidence, policy: Policy) -> Iterable[_Finding]:
    form = policy.form
    return _kinds(
        item, {"honeypot": form.honeypot, "too_quick": form.too_quick, "no_token": form.no_token}
    )


def _language(item: Evidence, policy: Policy) -> Iterable[_Finding]:
    return _kinds(item, {READ_FIRST: "flag"})


def _kinds(item: Evidence, weights: Mapping[str, Weight]) -> Iterable[_Finding]:
    return [
        _Finding(weights[kind], sentence)
        for kind, sentence in item.found.items()
        if kind in weights
    ]


_RULES: dict[str, Callable[[Evidence, Policy], Iterable[_Finding]]] = {
    "email": _email,
    "links": _links,
    "words": _words,
    "disguise": _disguise,
    "page": _page,
    "repeats": _repeats,
    "pace": _pace,
    "author": _author,
    "blocks": _blocks,
    "form": _form,
    "language": _language,
}
