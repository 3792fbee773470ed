"""Rows that are easy to tell apart, for tests of the training."""

from models.classifier.training.corpus import Row

_TOXIC = ("you are a stupid idiot number", "I will kill you tonight, fool number")
_GOOD = ("thank you for the article number", "I disagree with the mayor about bus number")
_NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def made_up_rows(count: int = 600) -> list[Row]:
    """Return as many rows, half of them toxic: insults, threats, thanks and civil objections."""
    rows = []
    for number in range(count):
        is_toxic, which = number % 2 == 0, number // 2 % 2
        text = (_TOXIC if is_toxic else _GOOD)[which]
        name = " ".join(_NAMES[int(digit)] for digit in str(number))
        kinds = frozenset({("insult", "threat")[which]}) if is_toxic else frozenset()
        rows.append(Row(f"{text} {name}", is_toxic, "", "en", "made up", kinds=kinds))
    return rows
