"""A reader's comment: its shape, checked without coercion, and cleaned."""

from __future__ import annotations

from typing import Annotated, Any

from email_validator import EmailNotValidError
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    field_validator,
)

from models.text.cleaning import MOST_TIMES, clean, clean_line, is_blank
from models.text.email import MOST_EMAIL, parsed_email
from models.text.urls import link

MOST_URL = 2000
MOST_TITLE = 300


def _no_nul(value: object) -> object:
    if isinstance(value, str) and "\0" in value:
        raise ValueError("This contains a NUL character. Remove it.")
    return value


def _empty_is_none(value: object) -> object:
    """Read an empty field of a form as a missing one, as in JSON."""
    return None if isinstance(value, str) and not value.strip() else _no_nul(value)


Text = Annotated[str, BeforeValidator(_no_nul)]
Optional = Annotated[str | None, BeforeValidator(_empty_is_none)]

# For the API's description; lengths are those of the stored text.
NON_BLANK = {"type": "string", "pattern": r"^[^\x00]*[^\s\x00][^\x00]*$"}


def _told(most: int, *, example: str, **more: str) -> WithJsonSchema:
    return WithJsonSchema(NON_BLANK | {"maxLength": most, "examples": [example], **more})


def _told_optional(most: int | None, *, description: str, **more: str) -> WithJsonSchema:
    length = {} if most is None else {"maxLength": most}
    either = [{"type": "string", **length, **more}, {"type": "null"}]
    return WithJsonSchema({"anyOf": either, "description": description})


_URL = (
    "The page's URL, on one of the site's origins. Greenroom keeps only the query parameters "
    "in the policy's `threads.query`."
)
_TITLE = (
    "The page's title, at most 300 characters; a longer title is cut. Greenroom checks it like "
    "the body. The thread keeps the first approved title."
)
_IDENTITY = "The same as the header `Greenroom-Identity`, for a form without JavaScript."
_WEBSITE = "Stored in the form that a browser uses. A URL with a user name is rejected."


class Submission(BaseModel):
    """A comment to post. `homepage_url` is the honeypot: a hidden field that only bots fill in."""

    model_config = ConfigDict(strict=True, extra="ignore")

    thread: Annotated[Text, _told(500, example="/2026/harbour")]
    name: Annotated[Text, _told(80, example="Ann")]
    email: Annotated[Text, _told(MOST_EMAIL, format="email", example="ann@example.org")]
    body: Annotated[Text, _told(10_000, example="The ferry was late *again*.")]
    url: Annotated[Optional, _told_optional(MOST_URL, format="uri", description=_URL)] = None
    title: Annotated[Optional, _told_optional(None, description=_TITLE)] = None
    parent: Annotated[
        Optional, _told_optional(36, description="The id of the comment to reply to.")
    ] = None
    website: Annotated[
        Optional, _told_optional(500, format="uri", pattern="^https?://", description=_WEBSITE)
    ] = None
    token: Optional = None
    homepage_url: Optional = None

    @field_validator("thread")
    @classmethod
    def _thread(cls, value: str) -> str:
        return thread_key(value)

    @field_validator("name")
    @classmethod
    def _name(cls, value: str) -> str:
        return _not_blank(clean_line(value, 80))

    @field_validator("body")
    @classmethod
    def _body(cls, value: str) -> str:
        return comment_text(value)

    @field_validator("email")
    @classmethod
    def _email(cls, value: str) -> str:
        return email_address(value)

    @field_validator("website")
    @classmethod
    def _website(cls, value: str | None) -> str | None:
        return None if value is None else _web_address(value, 500)

    @field_validator("url")
    @classmethod
    def _url(cls, value: str | None) -> str | None:
        return None if value is None else _web_address(value, MOST_URL)

    @field_validator("title")
    @classmethod
    def _title(cls, value: str | None) -> str | None:
        """Shorten the title instead of refusing it: it is the page's own, and the reader cannot
        change it.
        """
        if value is None:
            return None
        try:
            title = clean_line(value.strip()[: MOST_TITLE * MOST_TIMES], MOST_TITLE * MOST_TIMES)[
                :MOST_TITLE
            ]
        except ValueError:
            return None
        return None if is_blank(title) else title


class KnownSubmission(Submission):
    """A comment by a reader who is known, and whose identity may have no email address."""

    email: Text = ""

    @field_validator("email")
    @classmethod
    def _email(cls, value: str) -> str:
        return email_address(value) if clean_line(value, MOST_EMAIL) else ""


def email_address(value: str) -> str:
    """Return an address in its stored form. Raises ValueError, with a message for the writer."""
    value = clean_line(value, MOST_EMAIL)
    if not value:
        raise ValueError("This field is required.")
    return _email_address(value)


def comment_text(value: str) -> str:
    """Return a comment's text in its stored form. Raises ValueError if it is blank, too long, or
    contains NUL.
    """
    _no_nul(value)
    return _not_blank(clean(value, 10_000))


def thread_key(value: str) -> str:
    """Return a thread's key in its stored form. Raises ValueError if it is blank, contains NUL, or
    `clean` refuses it.
    """
    _no_nul(value)
    return _not_blank(clean_line(value, 500))


ThreadArgument = Annotated[
    str,
    AfterValidator(thread_key),
    WithJsonSchema(
        NON_BLANK
        | {"maxLength": 500, "description": "The thread's key.", "examples": ["/2026/harbour"]}
    ),
]


class SubmissionForm(BaseModel):
    """The same comment, sent by an HTML form without JavaScript. An empty field counts as
    missing.
    """

    thread: Annotated[str, _told(500, example="/2026/harbour")]
    name: Annotated[str, _told(80, example="Ann")]
    email: Annotated[str, _told(MOST_EMAIL, format="email", example="ann@example.org")]
    body: Annotated[str, _told(10_000, example="The ferry was late *again*.")]
    url: Annotated[str, Field(max_length=MOST_URL, description=_URL)] = ""
    title: Annotated[str, Field(description=_TITLE)] = ""
    parent: Annotated[str, Field(description="The id of the comment to reply to.")] = ""
    website: Annotated[str, Field(max_length=500, description=_WEBSITE)] = ""
    token: str = ""
    identity: Annotated[str, Field(description=_IDENTITY)] = ""
    homepage_url: str = ""


class NewText(BaseModel):
    """A comment's new text, as Markdown."""

    model_config = ConfigDict(strict=True, extra="ignore")

    body: Annotated[
        str,
        AfterValidator(comment_text),
        WithJsonSchema(
            NON_BLANK | {"maxLength": 10_000, "examples": ["The ferry was late *twice*."]}
        ),
    ]


def _not_blank(value: str) -> str:
    if is_blank(value):
        raise ValueError("This field is required.")
    return value


def _email_address(value: str) -> str:
    try:
        return parsed_email(value).normalized
    except EmailNotValidError as error:
        raise ValueError(f"This is not an email address: {_first_down(str(error))}") from None


def _web_address(value: str, most: int) -> str:
    """Return the URL in the form that is stored and published: normalised, so that a browser opens
    the host that the checks saw.
    """
    value = clean_line(value, most)
    found = None if " " in value else link(value)
    if found is None:
        raise ValueError(
            "This is not a valid web address. It must look like https://example.org, without a "
            "user name."
        )
    if len(found.href) > most:
        raise ValueError(f"This is too long: at most {most:,} characters after URL encoding.")
    return found.href


def _first_down(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def without_token(submission: Submission) -> dict[str, Any]:
    """Return the fields that an Idempotency-Key covers: all except the form's token."""
    return submission.model_dump(exclude={"token"})
