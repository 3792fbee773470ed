"""Advertisements in disguise, made for measuring: nine languages, ten ways to hide a word.

The model never learned these sentences, and the disguises are drawn with a fixed seed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple, TypeAlias

_Hide: TypeAlias = Callable[[str, Random], str]

# The words in braces are hidden.
_ADVERTISEMENTS = {
    "en": (
        "Claim your {bonus} at the best {casino} tonight",
        "Cheap {viagra} and {cialis} without a doctor",
        "I doubled my {bitcoin} in a week, ask my {broker} how",
        "Write to me if you want {easy} {money} from home",
    ),
    "de": (
        "Hol dir heute deinen {Bonus} im besten {Casino}",
        "{Potenzmittel} ohne Rezept und {diskret} geliefert",
        "Mein {Bitcoin} hat sich verdoppelt, frag meinen {Broker}",
        "Schreib mir, wenn du {schnelles} {Geld} von zu Hause willst",
    ),
    "fr": (
        "Récupère ton {bonus} au meilleur {casino} ce soir",
        "{Viagra} pas cher et {livraison} discrète",
        "J'ai doublé mes {bitcoins}, demande à mon {courtier}",
        "Écris-moi si tu veux de l'{argent} {facile} sans bouger",
    ),
    "es": (
        "Reclama tu {bono} en el mejor {casino} esta noche",
        "{Viagra} barata sin {receta} a domicilio",
        "Doblé mis {bitcoins} en una semana con este {asesor}",
        "Escríbeme si quieres {dinero} {rapido} desde casa",
    ),
    "it": (
        "Prendi il tuo {bonus} nel miglior {casino} stasera",
        "{Viagra} senza {ricetta} a casa tua",
        "Ho raddoppiato i miei {bitcoin} con questo {consulente}",
        "Scrivimi se vuoi {soldi} {facili} da casa",
    ),
    "pt": (
        "Pegue seu {bonus} no melhor {cassino} hoje",
        "{Viagra} barato sem {receita} em casa",
        "Dobrei meus {bitcoins} com este {corretor}",
        "Fale comigo se quer {dinheiro} {facil} em casa",
    ),
    "nl": (
        "Pak vanavond je {bonus} bij het beste {casino}",
        "{Viagra} zonder {recept} thuisbezorgd",
        "Mijn {bitcoin} is verdubbeld, vraag mijn {makelaar}",
        "Stuur me een bericht als je {snel} {geld} wilt",
    ),
    "pl": (
        "Odbierz {bonus} w najlepszym {kasynie} dzisiaj",
        "{Viagra} bez {recepty} do domu",
        "Moje {bitcoiny} podwoione, zapytaj mojego {maklera}",
        "Napisz do mnie po {szybkie} {pieniadze} z domu",
    ),
    "ru": (
        "Забери свой {бонус} в лучшем {казино} сегодня",
        "{Виагра} без рецепта и {доставка} на дом",
        "Удвоил {биткоины} за неделю, спроси моего {брокера}",
        "Напиши мне, если нужен {быстрый} {заработок} дома",
    ),
}  # fmt: skip
_WORD = re.compile(r"\{(\w+)\}")
_LIKE_LATIN = dict(zip("aceopxyiskABCEHKMOPTX", "асеорхуіѕкАВСЕНКМОРТХ", strict=True))
_LIKE_CYRILLIC = {cyrillic: latin for latin, cyrillic in _LIKE_LATIN.items()}
_GREEK = dict(zip("aoviunkptx", "αονιυηκρτχ", strict=True))
_LEET = dict(zip("aeiosаеоз", "431054003", strict=True))
_STRUCK, _PILED = "\u0336", "\u0337\u0353\u0301"


class Disguised(NamedTuple):
    """An advertisement with hidden words: how they are hidden, and the text as it is posted."""

    language: str
    how: str
    text: str


def advertisements(seed: int = 7) -> Iterator[Disguised]:
    """Yield each advertisement in each disguise that its alphabet allows."""
    rng = Random(seed)  # noqa: S311 — it draws examples
    for language, sentences in _ADVERTISEMENTS.items():
        for sentence in sentences:
            for how, hide in _DISGUISES.items():
                if language == "ru" and how in _LATIN_ONLY:
                    continue
                yield Disguised(language, how, _hidden(sentence, hide, rng))


def _hidden(sentence: str, hide: _Hide, rng: Random) -> str:
    return _WORD.sub(lambda word: hide(word[1], rng), sentence)


def _some(table: dict[str, str], word: str, rng: Random) -> str:
    """Replace most letters that the table has, and at least the first of them inside the word."""
    possible = [at for at, letter in enumerate(word) if letter in table]
    inside = next((at for at in possible if 0 < at < len(word) - 1), None)
    chosen = {at for at in possible if rng.random() < 0.7} | {inside}
    return "".join(table[letter] if at in chosen else letter for at, letter in enumerate(word))


def _look_alikes(word: str, rng: Random) -> str:
    return _some(_LIKE_CYRILLIC if word.lower() > "а" else _LIKE_LATIN, word, rng)


def _spelled(word: str, rng: Random) -> str:
    return rng.choice((" ", ".", "-", "*", "_", " - ")).join(word)


def _moved(first_capital: int, first_small: int) -> _Hide:
    """Return a disguise by an alphabet that starts at these characters."""

    def hide(word: str, rng: Random) -> str:
        letters = []
        for letter in word:
            first, of = (first_capital, "A") if letter.isupper() else (first_small, "a")
            letters.append(chr(first + ord(letter) - ord(of)))
        return "".join(letters)

    return hide


def _flags(word: str, rng: Random) -> str:
    return " ".join(chr(0x1F1E6 + ord(letter) - ord("A")) for letter in word.upper())


def _unseen(word: str, rng: Random) -> str:
    places = {rng.randrange(1, len(word)) for _ in range(3)} | {1}
    nothing = rng.choice("\u200b\u200c\u2060\ufeff")
    return "".join(nothing * (at in places) + letter for at, letter in enumerate(word))


_DISGUISES: dict[str, _Hide] = {
    "letters of another alphabet": _look_alikes,
    "Greek letters": lambda word, rng: _some(_GREEK, word, rng),
    "spelled letter by letter": _spelled,
    "digits for letters": lambda word, rng: _some(_LEET, word, rng),
    "a mathematical alphabet": _moved(0x1D400, 0x1D41A),
    "a full-width alphabet": _moved(0xFF21, 0xFF41),
    "letters in circles": _moved(0x24B6, 0x24D0),
    "flags": _flags,
    "invisible characters": _unseen,
    "soft hyphens": lambda word, rng: "\u00ad".join(word),
    "struck-out letters": lambda word, rng: "".join(letter + _STRUCK for letter in word),
    "piled marks": lambda word, rng: word[:2] + _PILED + word[2:-1] + _PILED + word[-1],
}
_LATIN_ONLY = frozenset(
    {
        "Greek letters",
        "a mathematical alphabet",
        "a full-width alphabet",
        "letters in circles",
        "flags",
    }
)
