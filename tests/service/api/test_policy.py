"""A policy is replaced as a whole or changed in parts; nothing is reset by mistake."""

from __future__ import annotations

import json
from typing import Any

import pytest

from models.judgement.policy import Policy
from tests.caller import Caller

MERGE_PATCH = "application/merge-patch+json"


@pytest.fixture
def policy(moderator: Caller) -> Any:
    """The site's policy, with one number that is not the default."""
    saved = moderator.call("PATCH", "/policy", json={"links": {"max_links": 7}})
    assert saved.status_code == 200
    return saved.json


def patched(moderator: Caller, patch: object, content_type: str = MERGE_PATCH) -> Any:
    answer = moderator.call("PATCH", "/policy", data=json.dumps(patch), content_type=content_type)
    assert answer.status_code == 200, answer.text
    return answer.json


@pytest.mark.parametrize("content_type", ["application/json", MERGE_PATCH])
def test_a_patch_changes_parts_and_returns_the_whole(
    moderator: Caller, policy: Any, content_type: str
) -> None:
    becomes = patched(moderator, {"spam": {"flag_above": 0.7}}, content_type)
    assert becomes["version"] == policy["version"] + 1
    assert becomes["spam"] == {**policy["spam"], "flag_above": 0.7}
    unchanged = {*Policy.model_fields} - {"spam"}
    assert {name: becomes[name] for name in unchanged} == {name: policy[name] for name in unchanged}
    assert moderator.call("GET", "/policy").json == becomes


def test_the_part_about_abuse_is_changed_like_the_others(moderator: Caller) -> None:
    becomes = patched(moderator, {"abuse": {"flag_above": 0.8, "first_in_languages": ["tr"]}})
    assert becomes["abuse"] == {
        "flag_above": 0.8,
        "when_abstaining": "approve",
        "first_in_languages": ["tr"],
    }
    refused = moderator.call("PATCH", "/policy", json={"abuse": {"reject_above": 0.9}})
    assert refused.status_code == 422  # no comment is rejected for its abuse score


def test_promises_are_told_with_the_threshold_of_each_score(moderator: Caller) -> None:
    fitted = patched(moderator, {"promises": {"good_held_back_one_in": 200}})["fitted"]
    assert fitted["flag_above"] == Policy().spam.flag_above
    assert fitted["abuse"]["flag_above"] == Policy().abuse.flag_above
    assert fitted["abuse"]["held_back"]["of"] == 0


def test_null_sets_a_part_or_a_number_to_its_default(moderator: Caller, policy: Any) -> None:
    assert policy["links"]["max_links"] == 7
    assert patched(moderator, {"links": {"max_links": None}})["links"]["max_links"] == 2
    patched(moderator, {"links": {"max_links": 7, "shorteners": "reject"}})
    assert patched(moderator, {"links": None})["links"] == {"max_links": 2, "shorteners": "flag"}
    held = patched(moderator, {"could_not_run": {"email": "wait", "links": "approve"}})
    assert held["could_not_run"] == {"email": "wait", "links": "approve"}
    assert patched(moderator, {"could_not_run": {"email": None}})["could_not_run"] == {
        "links": "approve"
    }


def test_a_list_is_replaced_as_a_whole(moderator: Caller) -> None:
    patched(moderator, {"words": {"held": ["casino", "lottery"]}})
    assert patched(moderator, {"words": {"held": ["poker"]}})["words"]["held"] == ["poker"]


def test_a_patch_with_a_version_counts_only_over_that_version(
    moderator: Caller, policy: Any
) -> None:
    version = policy["version"]
    assert patched(moderator, {"moderation": "before", "version": version})["version"] > version
    late = moderator.call("PATCH", "/policy", json={"moderation": "after", "version": version})
    assert late.status_code == 409
    assert moderator.call("GET", "/policy").json["moderation"] == "before"


@pytest.mark.parametrize(
    ("patch", "field"),
    [
        ({"links": {"max_links": -1}}, "links.max_links"),
        ({"links": {"most": 3}}, "links.most"),
        ({"links": 3}, "links"),
        ({"moderation": "never"}, "moderation"),
        ({"nothing": 1}, "nothing"),
        ({"could_not_run": {"emial": "approve"}}, "could_not_run.emial"),
        ({"words": {"held_patterns": ["(unclosed"]}}, "words"),
    ],
)
def test_a_wrong_patch_is_explained_and_changes_nothing(
    moderator: Caller, policy: Any, patch: Any, field: str
) -> None:
    answer = moderator.call("PATCH", "/policy", json=patch)
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json["errors"]] == [field]
    assert moderator.call("GET", "/policy").json == policy


def test_an_empty_patch_is_refused(moderator: Caller) -> None:
    answer = moderator.call("PATCH", "/policy", json={})
    assert answer.status_code == 422
    assert "Send the parts to change" in answer.json["detail"]


def test_an_empty_put_is_refused_with_advice(moderator: Caller, policy: Any) -> None:
    answer = moderator.call("PUT", "/policy", json={})
    assert answer.status_code == 422
    assert "use PATCH" in answer.json["detail"]
    assert moderator.call("GET", "/policy").json == policy


def test_leaving_parts_out_of_a_put_needs_the_version(moderator: Caller, policy: Any) -> None:
    part = {"moderation": "before"}
    refused = moderator.call("PUT", "/policy", json=part)
    assert refused.status_code == 422
    assert refused.json["errors"][0]["field"] == "version"
    assert "links" in refused.json["detail"]
    stale = moderator.call("PUT", "/policy", json={**part, "version": policy["version"] - 1})
    assert stale.status_code == 409
    assert moderator.call("GET", "/policy").json == policy
    meant = moderator.call("PUT", "/policy", json={**part, "version": policy["version"]})
    assert meant.status_code == 200
    assert meant.json["moderation"] == "before"
    assert meant.json["links"]["max_links"] == 2


def test_a_whole_policy_needs_no_version(moderator: Caller, policy: Any) -> None:
    whole = {name: policy[name] for name in Policy.model_fields}
    saved = moderator.call("PUT", "/policy", json={**whole, "moderation": "before"})
    assert saved.status_code == 200
    assert saved.json["links"]["max_links"] == 7


def test_a_policy_is_saved_as_it_was_read(moderator: Caller, policy: Any) -> None:
    patched(moderator, {"promises": {"good_held_back_one_in": 200}})
    read = moderator.call("GET", "/policy").json
    assert read is not None
    assert read["fitted"]
    assert moderator.call("PUT", "/policy", json=read).status_code == 200
