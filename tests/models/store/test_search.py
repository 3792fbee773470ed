"""Full-text search finds the comments that contain all the words, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from models.records import Site
from models.settling.erasing import erase
from models.store.database import begin, reading
from models.store.search import LONGEST, MOST_WORDS, is_of_the_records, matching, terms
from service.sites import registering
from tests.caller import COMMENT, Client, posted, screen_all
from tests.models.settling.deciding import ANN


def found(words: str, site: str = "demo") -> set[str]:
    with reading() as session:
        site_id = session.scalars(select(Site.id).where(Site.key == site)).one()
        query = matching(session, words, site_id)
        return set(session.scalars(query)) if query is not None else set()


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("Ferry, LATE!", ["ferry", "late"]),
        ("näher c'est", ["näher", "c", "est"]),
        ("  ,;! ", []),
        ("", []),
        ('" OR 1=1 -- *', ["or", "1", "1"]),
    ],
)
def test_a_query_is_made_of_its_words_alone(words: str, wanted: list[str]) -> None:
    assert terms(words) == wanted


def test_a_long_query_is_cut() -> None:
    assert len(terms("a " * 100)) == MOST_WORDS
    assert terms("x" * (2 * LONGEST)) == ["x" * LONGEST]


def test_every_word_must_occur_and_the_last_one_may_be_incomplete(client: Client) -> None:
    late = posted(client, body="The ferry was late again.")
    early = posted(client, body="The ferry was early, for once.")
    screen_all()
    assert found("ferry") == {late, early}
    assert found("ferry late") == {late}
    assert found("FERRY ear") == {early}
    assert found("fer late") == set()
    assert found("bus") == set()
    assert found("...") == set()


def test_authors_are_found_by_their_name(client: Client) -> None:
    comment = posted(client, name="Björn Ågren")
    screen_all()
    assert found("björn") == {comment}


def test_an_operator_of_the_database_is_a_word_like_any_other(client: Client) -> None:
    comment = posted(client, body="Ferry AND harbour, not bus.")
    screen_all()
    assert found("and NOT bus") == {comment}
    assert found('ferry" OR "late') == set()
    assert found("ferry & !harbour") == {comment}


def test_another_site_is_not_searched(client: Client) -> None:
    registering.add_site("other", ["https://paper.example"])
    answer = client.post("/v1/sites/other/comments", json=COMMENT)
    assert answer.json
    screen_all()
    assert found("ferry") == set()
    assert found("ferry", "other") == {str(answer.json["id"])}


def test_an_erased_comment_is_not_found(client: Client) -> None:
    comment = posted(client)
    screen_all()
    assert found("ferry") == {comment}
    with begin() as session:
        erase(session, comment, by=ANN)
    assert found("ferry") == set()
    assert found("ann") == set()


@pytest.mark.parametrize(
    ("name", "kind", "described"),
    [
        ("comments", "table", True),
        ("searched", "table", False),
        ("searched_words_data", "table", False),
        ("ix_comments_words", "index", False),
        ("ix_comments_unread", "index", True),
        ("searched", "column", True),
        (None, "table", True),
    ],
)
def test_migrations_leave_the_tables_of_the_search_alone(
    name: str | None, kind: str, described: bool
) -> None:
    assert is_of_the_records(name, kind) is described
