"""Policies merge as RFC 7396 says, by the examples of its appendix."""

from __future__ import annotations

from typing import Any

import pytest

from models.judgement.policy import Policy
from service.sites.policies import PolicyPatch, merged


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_a_patch_is_merged_as_the_rfc_says(target: Any, patch: Any, result: Any) -> None:
    assert merged(target, patch) == result


def test_merging_leaves_the_target_as_it_was() -> None:
    target = {"a": {"b": 1}}
    merged(target, {"a": {"b": None, "c": 2}})
    assert target == {"a": {"b": 1}}


def test_every_field_of_a_policy_may_be_patched_or_set_to_null() -> None:
    policy = Policy().model_dump(mode="json")
    for part, value in policy.items():
        assert PolicyPatch.model_validate({part: value}).model_fields_set == {part}
        assert PolicyPatch.model_validate({part: None})
        for name in value if isinstance(value, dict) else ():
            assert PolicyPatch.model_validate({part: {name: None}})
