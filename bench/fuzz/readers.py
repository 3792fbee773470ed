"""Every function that reads a stranger's text. To add one, add a line; tests/bench/test_fuzz.py
fails if one is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial
from typing import Any, NamedTuple
from urllib.parse import quote

import orjson
from email_validator import EmailNotValidError

from models.classifier import explanation, features, place
from models.classifier import text as spam_text
from models.classifier.model import base_model
from models.identifiers import new_id
from models.judgement.candidate import Candidate
from models.judgement.policy import Policy
from models.store import search
from models.store.database import now
from models.text import cleaning, disguise, email, folding, language, markdown, urls
from service.api import public
from service.comments import submission
from service.console import item
from service.http.form_tokens import is_page_token, read_form_token
from service.http.problems import Problem, shaped
from service.moderation import campaigns
from worker.checks import blocks, context, links, repeats, words
from worker.checks import disguise as disguise_check
from worker.checks import email as email_check
from worker.publishing import feeds
from worker.webhooks import chats

BODY, FIELD, REQUEST = (
    10_000,
    2000,
    30_000,
)  # characters: of a comment, of another field, of a whole request
POLICY = Policy.model_validate(
    {
        "words": {
            "blocked": ["casino", "free money", "viagra*", "赌场", "สล็อต"],
            "held": ["loan", "cheap pills"],
            "blocked_patterns": [r"\bbuy\s+now\b", r"(a|b)*c{2,9}d"],
        }
    }
)


# A long list, and a text that uses many of its words with a space inside.
LONG_LIST = Policy.model_validate(
    {
        "words": {
            "blocked": [
                f"{one}{other}{one}{other}"
                for one in "bcdfgjkqvwxz"
                for other in ("ra", "ko", "mu", "ly")
            ]
        }
    }
)
OF_A_HOST = tuple(
    f"models.text.urls.{name}" for name in ("authority_of", "is_under", "named_host", "without_www")
)
_DISGUISES = (
    "across_blanks joined may_stand_for_letters parts rare_across_blanks "
    "signed_words skeleton skeletons"
)
DISGUISES = tuple(
    f"models.judgement.disguises.{name}"
    for name in (*_DISGUISES.split(), "spelled_out", "undigited")
)


class Reader(NamedTuple):
    """`reads` are the functions that it covers, by module and name."""

    name: str
    read: Callable[[str], object]
    longest: int = BODY
    reads: tuple[str, ...] = ()


def candidate(body: str, **more: Any) -> Candidate:
    """Return a comment with that body, in the form that the checks get."""
    given = {"name": "Ann", "email": "ann@example.org", "website": None, "policy": POLICY} | more
    return Candidate(
        new_id(), 1, 1, body=body, at=now(), origins=("https://paper.example",), **given
    )


def _as_json(field: str, text: str) -> None:
    """Return a request that posts a comment with the stranger's text in this field."""
    said = {"thread": "/a", "name": "Ann", "email": "ann@example.org", "body": "Hello."} | {
        field: text
    }
    with suppress(Problem):
        shaped(submission.Submission, orjson.dumps(said))


def _wrong_email(text: str) -> None:
    with suppress(EmailNotValidError):
        email.parsed_email(text)


def _wrong(function: Callable[[str], object], text: str) -> None:
    with suppress(ValueError):
        function(text)


def _chat(format_: str, text: str) -> None:
    comment = {"name": text[:80], "html": markdown.render(text), "website": None}
    data = {
        "comment": comment,
        "thread": {"title": text[:300], "key": text[:500]},
        "decision": {"reasons": [text[:500]]},
    }
    chats.message(format_, [{"data": data}])


def _feed(text: str) -> None:
    about = {
        "at": "2026-01-01T00:00:00Z",
        "edited_at": None,
        "name": text[:80],
        "html": text,
        "replies": [],
    }
    feeds.feed(
        "demo",
        text[:500],
        [{"id": new_id(), **about}],
        title=text[:300],
        since="2026-01-01T00:00:00Z",
    )


def _campaign(text: str) -> None:
    campaigns.outliers_first({str(n): text[n:] for n in range(20)})


def _listed(text: str) -> None:
    """Half of the text is the stranger's, and half is the list's words, split in two."""
    halves = " ".join(f"{word[:3]} {word[3:]}" for word in LONG_LIST.words.blocked)
    split = (f"{halves} " * (len(text) // len(halves) + 1))[: len(text) // 2]
    words.check([candidate(split + text[: len(text) // 2], policy=LONG_LIST)])


def _tokens_of_the_page(text: str) -> None:
    where = place.Place(page=["https://paper.example/a?b=c"], site=["paper.example"])
    place.away(text, spam_text.read(text), where)


@cache
def _warm() -> None:
    """Make the parts that a process makes only once, so that they do not count towards the cost of
    a comment.
    """
    language.detect(["A first comment.", "Первый комментарий"])
    explanation.explain(base_model(), "A first comment.")


READERS = [
    Reader(
        "cleaning",
        partial(_wrong, lambda said: cleaning.clean(said, BODY)),
        REQUEST,
        (
            "models.text.cleaning.clean",
            "models.text.cleaning.clean_line",
            "models.text.cleaning.has_too_many_marks",
        ),
    ),
    Reader(
        "normalising",
        partial(cleaning.normalized, "NFKC"),
        REQUEST,
        ("models.text.cleaning.normalized",),
    ),
    Reader("blank", cleaning.is_blank, reads=("models.text.cleaning.is_blank",)),
    *(
        Reader(
            f"a post's {field}",
            partial(_as_json, field),
            REQUEST,
            ("service.comments.submission.Submission",),
        )
        for field in (
            "thread",
            "name",
            "email",
            "body",
            "url",
            "title",
            "parent",
            "website",
            "token",
        )
    ),
    Reader(
        "the plain form",
        lambda said: public.typed(f"body={quote(said)}".encode()),
        REQUEST,
        ("service.api.public.typed",),
    ),
    Reader(
        "an edited text",
        partial(_wrong, submission.comment_text),
        REQUEST,
        ("service.comments.submission.comment_text",),
    ),
    Reader(
        "a thread's key",
        partial(_wrong, submission.thread_key),
        REQUEST,
        ("service.comments.submission.thread_key",),
    ),
    Reader(
        "a form's token",
        lambda said: read_form_token("demo", said, honeypot=False),
        REQUEST,
        ("service.http.form_tokens.read_form_token",),
    ),
    Reader(
        "a page's token",
        lambda said: is_page_token(said, "report"),
        REQUEST,
        ("service.http.form_tokens.is_page_token",),
    ),
    Reader(
        "a typed email",
        partial(_wrong, submission.email_address),
        REQUEST,
        ("service.comments.submission.email_address",),
    ),
    Reader("an email", _wrong_email, REQUEST, ("models.text.email.parsed_email",)),
    Reader(
        "folding",
        folding.fold,
        reads=(
            "models.text.folding.fold",
            "models.text.folding.fold_text",
            "models.text.folding.says_enough",
        ),
    ),
    Reader(
        "disguise",
        disguise.disguises.__wrapped__,
        reads=("models.text.disguise.disguises",),
    ),
    Reader(
        "the check of disguise",
        lambda said: disguise_check.check([candidate(said)]),
        reads=("worker.checks.disguise.check",),
    ),
    Reader(
        "language", lambda said: language.detect([said]), reads=("models.text.language.detect",)
    ),
    Reader(
        "Markdown",
        markdown.render,
        reads=("models.text.markdown.render", "models.text.markdown.as_typed"),
    ),
    Reader(
        "Markdown's words",
        markdown.shown,
        reads=("models.text.markdown.shown", "models.text.markdown.words_of"),
    ),
    Reader(
        "a rendering's links",
        lambda said: markdown.links(markdown.render(said)),
        reads=("models.text.markdown.links",),
    ),
    Reader("a URL", urls.parse, REQUEST, ("models.text.urls.parse",)),
    Reader(
        "a URL to publish",
        lambda said: urls.link(f"http://{said}"),
        REQUEST,
        ("models.text.urls.link", "models.text.urls.origin_of"),
    ),
    Reader(
        "a host",
        urls.host_of,
        REQUEST,
        ("models.text.urls.host_of", "models.text.urls.parse_loosely", *OF_A_HOST),
    ),
    Reader(
        "a page's address",
        lambda said: urls.page_address(f"http://a.com/{said}", ["p"]),
        FIELD,
        ("models.text.urls.page_address",),
    ),
    Reader("words of a long list", _listed, reads=("models.text.folding.readings",)),
    Reader(
        "typed URLs", lambda said: list(urls.typed_in(said)), reads=("models.text.urls.typed_in",)
    ),
    Reader(
        "a host's letters",
        lambda said: urls.shown(urls.host_of(said)),
        FIELD,
        ("models.text.urls.shown",),
    ),
    Reader("links", links.urls_of, reads=("worker.checks.links.urls_of",)),
    Reader(
        "links' evidence",
        lambda said: links.check([candidate(said, page="https://paper.example/a")]),
        reads=("worker.checks.links.check", "models.classifier.place.is_same"),
    ),
    Reader("every host", links.every_host, reads=("worker.checks.links.every_host",)),
    Reader(
        "a website",
        lambda said: links.check([candidate("Hello", website=f"http://{said}")]),
        500,
        ("worker.checks.links.hosts_of",),
    ),
    Reader(
        "words",
        lambda said: words.check([candidate(said)]),
        reads=("models.judgement.words.check", "models.judgement.words.uses", *DISGUISES),
    ),
    Reader("a name", lambda said: words.check([candidate("Hello", name=said)]), FIELD),
    Reader(
        "an email's domain",
        lambda said: email_check.check([candidate("Hello", email=f"a@{said}.example")]),
        240,
        ("worker.checks.email.check",),
    ),
    Reader(
        "hosts of blocks",
        lambda said: blocks._named(candidate(said)),
        reads=("worker.checks.blocks.check",),
    ),
    Reader("words of blocks", lambda said: blocks._used(candidate(said), ["casino"])),
    Reader(
        "fingerprints",
        lambda said: repeats.fingerprints([candidate(said)]),
        reads=("worker.checks.repeats.fingerprints", "worker.checks.repeats.check"),
    ),
    Reader(
        "likeness",
        lambda said: repeats.likeness(said, said[1:]),
        reads=("worker.checks.repeats.likeness",),
    ),
    Reader(
        "counts",
        lambda said: context.counts(candidate("Hello", name=said[:80], website=said[:500]), {}),
        FIELD,
        ("worker.checks.context.counts",),
    ),
    Reader(
        "tokens",
        spam_text.read,
        reads=("models.classifier.text.read", "models.classifier.text.reads_all"),
    ),
    Reader("tokens away", _tokens_of_the_page, reads=("models.classifier.place.away",)),
    Reader(
        "features",
        lambda said: features.features([said]),
        reads=(
            "models.classifier.features.features",
            "models.classifier.features.sparse_features",
            "models.classifier.features.features_of",
            "models.classifier.features.pieces",
            "models.classifier.features.seen",
            "models.classifier.features.counted",
        ),
    ),
    Reader(
        "explaining",
        lambda said: explanation.explain(base_model(), said),
        reads=(
            "models.classifier.explanation.explain",
            "models.classifier.explanation.explain_for_site",
            "models.classifier.explanation.explain_counts",
            "models.classifier.features.spans_of_counted",
        ),
    ),
    *(
        Reader(
            f"a message to {format_}",
            partial(_chat, format_),
            reads=("worker.webhooks.chats.message", "worker.webhooks.chats.defanged"),
        )
        for format_ in chats._SHAPES
    ),
    Reader("a feed", _feed, reads=("worker.publishing.feeds.feed",)),
    Reader("a campaign", _campaign, reads=("service.moderation.campaigns.outliers_first",)),
    Reader(
        "a snippet",
        lambda said: item.snippet(markdown.render(said), said),
        reads=("service.console.item.snippet", "service.console.item.hosts_in"),
    ),
    Reader(
        "a search",
        search.terms,
        REQUEST,
        ("models.store.search.terms", "models.store.search.matching"),
    ),
]


def warm() -> None:
    _warm()
    for reader in READERS:
        reader.read("Hello, see http://shop.example/a and [this](https://paper.example).")
