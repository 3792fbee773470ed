"""The labelled comments of others, with the columns that each file has."""

from pathlib import Path

import pytest

from models.abuse.training.sources import family, read
from models.classifier.training.corpus import BadCorpus


def _file(folder: Path, name: str, *lines: str) -> Path:
    path = folder / f"{name}.csv"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def test_news_comments_lose_case_and_punctuation_and_disputed_rows(tmp_path: Path) -> None:
    path = _file(
        tmp_path,
        "civil_toxic_spans_en",
        "text,label,lang,raters,raters_not_toxic,disputed,raters_insult,raters_profane,"
        "raters_identity_attack,raters_threat,raters_other",
        '"You\'re an IDIOT, Sir!",toxic,en,3,0,0,3,1,0,0,0',
        "Hm.,toxic,en,3,2,1,1,0,0,0,0",
    )
    (row,) = read([path])
    assert row.text == "youre an idiot  sir "
    assert (row.spam, row.lang, row.kinds) == (True, "en", frozenset({"insult"}))
    assert family(row.source) == family("civil_wiki_normalised_en") != row.source


def test_kinds_are_those_that_a_file_names_none_for_good_comments_else_unknown(
    tmp_path: Path,
) -> None:
    talk = _file(
        tmp_path,
        "wiki_talk_en",
        "text,label,lang,severe_toxic,obscene,threat,insult,identity_hate",
        "a,toxic,en,0,1,1,0,0",
        "b,toxic,en,,,,,",
        "c,ok,en,,,,,",
    )
    korean = _file(tmp_path, "kmhas_ko", "text,label,lang,classes", "d,toxic,ko,physical profanity")
    other = _file(tmp_path, "korean", "text,label,lang", "[email] e,toxic,ko")
    assert [(row.text, row.kinds) for row in read([talk, korean, other])] == [
        ("a", {"profanity", "threat"}),
        ("b", None),
        ("c", frozenset()),
        ("d", {"insult", "profanity"}),
        ("e", None),
    ]


def test_another_label_is_refused(tmp_path: Path) -> None:
    path = _file(tmp_path, "mine", "text,label,lang", "a,spam,en")
    with pytest.raises(BadCorpus, match="the label is 'spam', not toxic or ok"):
        read([path])
