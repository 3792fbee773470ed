"""Reading labelled comments, and telling the user what is wrong with a file."""

from pathlib import Path

import pytest

from models.classifier.training.corpus import BadCorpus, Row, deduplicated, groups, mended, read


def written(folder: Path, content: str, name: str = "own.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode())
    return path


def test_a_file_needs_only_text_and_label(tmp_path: Path) -> None:
    path = written(tmp_path, "text,label\nhello,ham\nbuy now,spam\n")

    assert read([path]) == [Row("hello", False, "", "", "own"), Row("buy now", True, "", "", "own")]


def test_byte_order_marks_are_stripped_from_file_and_text(tmp_path: Path) -> None:
    path = written(tmp_path, '\ufefftext,label,thread,at,lang\n"\ufeffhello\ufeff",ham,psy,,en\n')

    assert read([path]) == [Row("hello", False, "psy", "en", "own")]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (
            "text,label\nhello,ham\nbuy,maybe\n",
            "own.csv, line 3: the label is 'maybe'; it must be spam or ham",
        ),
        ('text,label\n"two\nlines",ham\nbuy,\n', "own.csv, line 4: the label is ''"),
        ("text,label\nhello\n", "own.csv, line 2: the label is ''"),
        ("text,label\n  ,ham\n", "own.csv, line 2: the text is empty"),
        ("comment,label\nhello,ham\n", "own.csv, line 1: no column text"),
        ("", "own.csv, line 1: no column label and text"),
        ('text,label\n"hello,ham\n', "own.csv, line 2: unexpected end of data"),
    ],
)
def test_a_bad_row_is_named_by_file_and_line(tmp_path: Path, content: str, complaint: str) -> None:
    with pytest.raises(BadCorpus) as caught:
        read([written(tmp_path, content)])

    assert complaint in str(caught.value)


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_bytes("text,label\ncafé,ham\n".encode("latin-1"))

    with pytest.raises(BadCorpus, match=r"own\.csv is not UTF-8"):
        read([path])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadCorpus, match=r"none\.csv cannot be read: No such file"):
        read([tmp_path / "none.csv"])


def test_the_same_said_again_counts_once_with_the_label_most_of_it_has() -> None:
    texts = {
        "Check this out!": True,
        "check THIS out": True,
        "check this, out...": False,
        "hello": False,
    }
    rows = [Row(text, spam, "", "", "own") for text, spam in texts.items()]

    assert deduplicated(rows) == [rows[0], rows[3]]


def test_a_text_with_equally_many_labels_of_each_kind_is_dropped() -> None:
    assert deduplicated([Row("hm", True, "", "", "own"), Row("Hm!", False, "", "", "own")]) == []


def test_texts_without_a_letter_stay_different() -> None:
    rows = [Row(text, False, "", "", "own") for text in ("😀", "!!!", "😀")]

    assert deduplicated(rows) == rows[:2]


def test_a_thread_is_never_divided_and_rows_without_one_are_dealt_out_evenly() -> None:
    threaded = [Row("a", True, "psy", "", "own"), Row("b", False, "psy", "", "own")]
    loose = [Row(str(number), number % 2 == 0, "", "", "own") for number in range(20)]

    names = groups(threaded + loose)

    assert names[:2] == ["psy", "psy"]
    for part in set(names[2:]):
        dealt = [row.spam for row, name in zip(loose, names[2:], strict=True) if name == part]
        assert (sum(dealt), len(dealt)) == (2, 4)


@pytest.mark.parametrize(
    ("written_so", "means"),
    [
        (r"Друзья!\n\nПриют ждёт", "Друзья!\nПриют ждёт"),
        (
            "['Добро ', {'type': 'bold', 'text': 'пожаловать'}, '!\\nИ вы']",
            "Добро пожаловать!\nИ вы",
        ),
        (r"see C:\new\nothing", r"see C:\new\nothing"),
        ("nВ is not mended, because somebody typed it", "nВ is not mended, because somebody typed it"),
        ("[{'type' of nonsense", "[{'type' of nonsense"),
    ],
)  # fmt: skip
def test_messages_of_telegram_read_as_their_readers_saw_them(written_so: str, means: str) -> None:
    assert mended(written_so) == means
