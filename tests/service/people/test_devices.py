"""Browsers and systems in words, by the headers that they send."""

from __future__ import annotations

import pytest

from service.people.devices import device_of, within_a_sentence

KHTML = "AppleWebKit/537.36 (KHTML, like Gecko)"
WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
WINDOWS = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {KHTML}"
ANDROID = f"Mozilla/5.0 (Linux; Android 14; Pixel 8) {KHTML}"
IPHONE = f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) {WEBKIT}"
MAC = f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT}"


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (f"{WINDOWS} Chrome/129.0.0.0 Safari/537.36", "Chrome on Windows"),
        (f"{WINDOWS} Chrome/129.0.0.0 Safari/537.36 Edg/129.0.0.0", "Edge on Windows"),
        (f"{WINDOWS} Chrome/129.0.0.0 Safari/537.36 OPR/114.0.0.0", "Opera on Windows"),
        (f"{ANDROID} Chrome/129.0.0.0 Mobile Safari/537.36", "Chrome on Android"),
        (
            f"{ANDROID} SamsungBrowser/26.0 Chrome/122.0.0.0 Mobile Safari/537.36",
            "Samsung Internet on Android",
        ),
        (f"{IPHONE} Version/17.5 Mobile/15E148 Safari/604.1", "Safari on iPhone"),
        (f"{IPHONE} CriOS/129.0.0.0 Mobile/15E148 Safari/604.1", "Chrome on iPhone"),
        (f"{IPHONE} FxiOS/131.0 Mobile/15E148 Safari/605.1.15", "Firefox on iPhone"),
        (f"{MAC} Version/17.5 Safari/605.1.15", "Safari on Mac"),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0",
            "Firefox on Linux",
        ),
        (
            f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {KHTML} Chrome/129.0.0.0 Safari/537.36",
            "Chrome on ChromeOS",
        ),
        ("Something of mine (Windows)", "A browser on Windows"),
        ("curl/8.5.0", "An unknown browser"),
        ("<b>Chrome</b>", "An unknown browser"),
        ("", "An unknown browser"),
    ],
)
def test_a_device_has_a_readable_name(header: str, words: str) -> None:
    assert device_of(header) == words


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("An unknown browser", "an unknown browser"),
        ("A browser on Linux", "a browser on Linux"),
        ("Firefox on Windows", "Firefox on Windows"),
    ],
)
def test_within_a_sentence_only_the_article_changes(name: str, words: str) -> None:
    assert within_a_sentence(name) == words
