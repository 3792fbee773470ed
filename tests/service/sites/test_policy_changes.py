"""The changes in a new policy, for the log and the news."""

from __future__ import annotations

from typing import Any

import pytest

from models.judgement.policy import LinksPolicy, Policy, SpamPolicy, WordsPolicy
from service.sites.policy_changes import (
    MOST_ENTRIES,
    SettingChange,
    _leaves,
    changes_of,
    in_one_sentence,
)
from service.sites.policy_words import NAMES, SAID

LINKS = "“Links allowed in one comment”"


def said(was: Policy, becomes: Policy, most: int | None = None) -> str:
    return in_one_sentence(changes_of(was, becomes), most)


@pytest.mark.parametrize(
    ("becomes", "sentence"),
    [
        ({}, "nothing, but saved the settings"),
        ({"links": LinksPolicy(max_links=3)}, f"{LINKS} from 2 to 3"),
        ({"moderation": "before", "links": LinksPolicy(max_links=3)},
         f"“New comments” from “{SAID['after']}” to “{SAID['before']}” and {LINKS} from 2 to 3"),
        ({"spam": SpamPolicy(reject_above=0.98)},
         "“Reject comments with at least this spam score” from “never by score alone” to 0.98"),
        ({"spam": SpamPolicy(when_abstaining="approve")},
         "“Comments in a language that the spam model does not know” from “score only links and disguise” to “rely on the other checks”"),
        (
            {"words": WordsPolicy(plurals=False)},
            "“Also find words with a plural ending: casinos, boxes, lotteries” from yes to no",
        ),
        ({"words": WordsPolicy(blocked=("casino", "pills"))}, "“Words that reject a comment” (added “casino”, “pills”)"),
    ],
)  # fmt: skip
def test_a_change_of_the_settings_is_one_sentence(becomes: dict[str, Any], sentence: str) -> None:
    assert said(Policy(), Policy(**becomes)) == sentence


def test_every_setting_has_a_name() -> None:
    assert set(_leaves(Policy())) <= set(NAMES)


def test_each_change_has_its_old_and_new_value() -> None:
    becomes = Policy(links=LinksPolicy(max_links=3), could_not_run={"email": "wait"})
    assert changes_of(Policy(), becomes) == [
        SettingChange("links.max_links", 2, 3),
        SettingChange("could_not_run", {}, {"email": "wait"}),
    ]
    assert said(Policy(), becomes).endswith("(email from nothing to wait)")


def test_a_list_names_what_it_gained_and_lost() -> None:
    was = Policy(words=WordsPolicy(held=("casino", "pills")))
    becomes = Policy(words=WordsPolicy(held=("pills", "poker")))
    label = "“Words that hold a comment”"
    assert said(was, becomes) == f"{label} (added “poker”, removed “casino”)"
    turned = Policy(words=WordsPolicy(held=("pills", "casino")))
    assert said(was, turned) == f"{label} (in another order)"
    long = Policy(words=WordsPolicy(held=tuple(f"word{n}" for n in range(MOST_ENTRIES + 5))))
    assert said(Policy(), long).endswith("“word19” and 5 more)")


def test_the_news_counts_what_it_does_not_name() -> None:
    words = WordsPolicy(blocked=("a",), held=("b",), plurals=False)
    becomes = Policy(links=LinksPolicy(max_links=3), words=words)
    assert said(Policy(), becomes, most=3).endswith("and 2 more")
