"""The browser and system that a User-Agent header names, in words: "Firefox on Windows".

A few rules for what people use. Nothing that a stranger sends is kept: a header that no rule knows
is "an unknown browser".
"""

from __future__ import annotations

# Most browsers also name the ones that they want to be taken for, so the first match counts.
BROWSERS = (
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("Vivaldi/", "Vivaldi"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("DuckDuckGo/", "DuckDuckGo"),
    ("Ddg/", "DuckDuckGo"),
    ("YaBrowser/", "Yandex Browser"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Version/", "Safari"),
)
# Safari on an iPad says that it is on a Mac, and nothing in the header tells the two apart.
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
)


def device_of(user_agent: str) -> str:
    browser = _first_match(BROWSERS, user_agent)
    system = _first_match(SYSTEMS, user_agent)
    if browser and system:
        return f"{browser} on {system}"
    return browser or (f"A browser on {system}" if system else "An unknown browser")


def within_a_sentence(device: str) -> str:
    """Lower the article: "an unknown browser". The names of browsers stay as they are."""
    article, _, rest = device.partition(" ")
    return f"{article.lower()} {rest}" if article in {"A", "An"} else device


def _first_match(rules: tuple[tuple[str, str], ...], user_agent: str) -> str:
    return next((name for sign, name in rules if sign in user_agent), "")
