"""Which rows are left out together, and which texts are near-duplicates of another part's."""

from __future__ import annotations

from models.classifier.training.parts import near_duplicates, parts, pieces, similarity
from tests.models.classifier.training.made_up_rows import rows


def test_a_near_duplicate_counts_only_across_parts() -> None:
    texts = [
        "please check out my new channel",
        "Please check out my new channel!!",
        "an old ferry in the harbour",
    ]

    assert near_duplicates(texts, ["a", "b", "b"]).tolist() == [True, True, False]
    assert near_duplicates(texts, ["a", "a", "b"]).tolist() == [False, False, False]


def test_without_threads_there_are_five_parts_and_with_very_many_ten_bundles() -> None:
    assert len(set(parts(rows(threads=False)))) == 5
    assert len(set(parts([row._replace(thread="only") for row in rows()]))) == 5
    assert len(set(parts([row._replace(thread=row.text) for row in rows()]))) == 10


def test_a_part_is_a_thread() -> None:
    assert parts(rows()) == [row.thread for row in rows()]


def test_rows_without_a_thread_form_groups_beside_threads() -> None:
    some = [row._replace(thread="" if row.thread == "west" else row.thread) for row in rows()]

    assert set(parts(some)) == {"north", "south", *(f"part {n}" for n in range(1, 6))}


def test_a_bundle_holds_whole_threads() -> None:
    many = [row._replace(thread=f"thread {number // 2}") for number, row in enumerate(rows())]
    bundles = dict(zip([row.thread for row in many], parts(many), strict=True))

    assert len(bundles) == 30
    assert [bundles[row.thread] for row in many] == parts(many)


def test_pieces_are_runs_of_five_letters_of_the_normalised_text() -> None:
    assert pieces("Ferry!") == {"ferry"}
    assert pieces("FERRIES") == {"ferri", "errie", "rries"}
    assert pieces("ok") == {"ok"}
    assert pieces("") == {""}


def test_similarity_is_the_share_of_common_pieces() -> None:
    assert similarity({"a", "b"}, {"a", "b"}) == 1
    assert similarity({"a", "b"}, {"b", "c"}) == 1 / 3
    assert similarity({"a"}, {"b"}) == 0
