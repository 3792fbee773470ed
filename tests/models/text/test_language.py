"""The detector names a language when it is sure, and otherwise says "und"."""

import pytest

from models.text.language import detect


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Thank you for this careful piece; I grew up two streets from the harbour.", "en"),
        ("I don't think that is how it works", "en"),
        ("Vielen Dank für diesen schönen Artikel, ich habe viel gelernt.", "de"),
        ("Merci beaucoup pour cet article très intéressant et bien écrit.", "fr"),
        ("Muchas gracias por el artículo, me ha gustado mucho leerlo.", "es"),
        ("Obrigado pelo artigo, gostei muito de ler sobre a minha cidade.", "pt"),
        ("Tack för en fin artikel om min hemstad och människorna där.", "sv"),
        ("Спасибо большое за эту прекрасную статью!", "ru"),
        ("Дуже дякую за цю чудову статтю!", "uk"),
        ("شكرا جزيلا على هذا المقال الرائع", "ar"),
        ("این مقاله بسیار خوب بود، سپاسگزارم", "fa"),
        ("תודה רבה על המאמר", "he"),
        ("좋은 기사 감사합니다", "ko"),
        ("日本語が好きです", "ja"),
        ("カラオケ", "ja"),
        ("感谢这篇文章", "zh"),
        ("Ευχαριστώ", "el"),
        ("ขอบคุณ", "th"),
    ],
)
def test_a_sentence_is_in_its_language(text: str, language: str) -> None:
    assert detect([text]) == [language]


@pytest.mark.parametrize(
    "text",
    [
        "nice song!!",
        "First",
        "lol check this",
        "Agreed.",
        "omg",
        "Well said!",
        "so good",
        "haha yes",
        "Great stuff mate",
    ],
)
def test_a_short_english_comment_is_never_taken_for_a_rarer_language(text: str) -> None:
    assert detect([text])[0] in {"en", "und"}


@pytest.mark.parametrize(
    "text",
    ["", "   ", "😀😀😀", "12345 !!!", "https://example.com/some/german/wörter", "@ann @bob", "ok", "hm",
     "mixed текст half наполовину of оба sorts слов"],
)  # fmt: skip
def test_a_text_that_says_too_little_has_no_language(text: str) -> None:
    assert detect([text]) == ["und"]


def test_links_and_names_do_not_count_as_words() -> None:
    assert detect(
        ["@anna https://example.com/thank-you-for-this Спасибо большое за статью #thanks"]
    ) == ["ru"]


def test_every_text_gets_an_answer_in_its_place() -> None:
    assert detect([]) == []
    assert detect(["תודה", "", "감사합니다"]) == ["he", "und", "ko"]


@pytest.mark.parametrize(
    ("text", "page", "language"),
    [
        ("super", "de", "de"),
        ("Gut so", "de", "de"),
        ("Danke!", "de", "de"),
        ("Bravo!", "fr", "fr"),
        ("muito bom", "pt", "pt"),
        ("The ferry was late again, as it is every morning in winter.", "de", "en"),
        ("Спасибо большое за статью", "de", "ru"),
        ("😀", "de", "und"),
    ],
)
def test_a_short_comment_is_in_the_language_of_its_page_if_it_may_be(
    text: str, page: str, language: str
) -> None:
    assert detect([text], [{page}]) == [language]


@pytest.mark.parametrize("text", ["Moi", "ja ok", "Skål!!", "Tack", "Kiva juttu"])
def test_a_word_or_two_without_a_page_to_go_by_is_not_guessed(text: str) -> None:
    assert detect([text]) == ["und"]
