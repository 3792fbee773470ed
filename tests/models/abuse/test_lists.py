"""The starter word lists."""

import pytest

from models.abuse.lists import CATEGORIES, WordList, word_lists
from models.judgement.candidate import Candidate
from models.judgement.policy import Policy, WordsPolicy
from models.judgement.words import check, problems
from models.store.database import now

EVERY = word_lists()


def test_each_language_has_a_list_of_each_category() -> None:
    languages = {each.language for each in EVERY}
    assert languages == {"en", "de", "fr", "es", "pt", "it", "nl", "pl", "ru"}
    names = [f"{category}-{language}" for language in languages for category in CATEGORIES]
    assert sorted(each.name for each in EVERY) == sorted(names)


@pytest.mark.parametrize("each", EVERY, ids=lambda each: each.name)
def test_a_list_has_words_that_a_policy_takes(each: WordList) -> None:
    assert len(set(each.words)) == len(each.words) >= 3
    assert not problems(WordsPolicy(held=each.words))


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("I know where you live", True),
        ("Ich weiß, wo du wohnst", True),
        ("The grass needs cutting in Scunthorpe", False),
        ("My neighbour is gay, Jewish and from Pakistan", False),
        ("Der Neckar fließt durch Stuttgart", False),
    ],
)
def test_the_lists_find_a_threat_and_pass_harmless_words(text: str, is_found: bool) -> None:
    words = WordsPolicy(held=tuple(word for each in EVERY for word in each.words))
    candidate = Candidate("c", 0, 0, "", "", text, now(), policy=Policy(words=words))
    assert (check([candidate])[0].outcome == "found") is is_found
