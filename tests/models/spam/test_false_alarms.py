"""Ordinary readers whom a filter often accuses: those who give a source, who only agree, or who
write another language.

All texts are our own, written before the model was trained and never trained on. The test counts
how many of them the default thresholds would hold back. Run as a script, this prints every score.
"""

from collections.abc import Sequence

import pytest

from models.classifier.model import base_model
from models.judgement.policy import SpamPolicy

WITH_A_SOURCE = {
    "en": [
        ("The figures are on the statistics office's site: "
"https://www.statistics.example.org/rents/2024"),
        ("That is not what the judgment says, see https://courts.example.org/judgments/4411 "
"page 12."),
        "Source: https://en.wikipedia.org/wiki/Severn_Bridge",
        ("There is a longer report about it here https://www.bbc.co.uk/news/uk-england-67890123 "
"and it agrees with the author."),
        "Here is the study, for those who asked: https://doi.org/10.1000/182",
        ("I looked it up (https://www.gov.uk/government/publications/bus-fares), the cap ends "
"in December."),
        "The council's own minutes contradict this: www.northtown.gov.example/minutes/march.pdf",
        ("The old timetable is still online at timetables.example.org, if anybody is as "
"nostalgic as I am."),
        "@Tom the map you mean is this one: https://www.openstreetmap.org/#map=15/51.5/-0.1",
        ("As the minister said in parliament in May "
"(https://hansard.parliament.uk/commons/2024-05-14), there was never a plan."),
        "https://www.theguardian.com/environment/2023/rivers – they had the same story a year ago.",
        ("My photos from that day: https://www.flickr.com/photos/northtown/4711, the water "
"stood up to the windows."),
    ],
    "de": [
        "Die Zahlen stehen beim Statistischen Bundesamt: https://www.destatis.de/mieten",
        ("Das Urteil im Wortlaut: https://www.bundesgerichtshof.de/urteile/2024-17. Es steht "
"dort genau andersherum."),
        "Quelle: https://de.wikipedia.org/wiki/Elbtunnel",
        ("Der Bericht der Kommission ist hier zu finden: "
"https://www.kommission.example.de/bericht.pdf, Seite 14."),
    ],
    "fr": [
        "Les chiffres sont sur le site de l'Insee : https://www.insee.fr/fr/statistiques/123",
        "Voir aussi https://fr.wikipedia.org/wiki/Pont_de_Normandie",
        ("Le rapport est en ligne ici : https://www.senat.fr/rapports/r23-100.html, lisez la "
"page 40."),
    ],
    "es": [
        "Los datos están en la página del instituto: https://www.ine.es/alquileres",
        "Fuente: https://es.wikipedia.org/wiki/Puente_de_Triana",
    ],
    "pt": ["Os números estão aqui: https://www.ine.pt/rendas, e não batem certo com o artigo."],
    "it": [("La sentenza si trova qui: https://www.cortecostituzionale.it/sentenza-12, vale la "
"pena leggerla.")],
    "nl": [("De cijfers staan bij het CBS: https://www.cbs.nl/huren, en die zijn anders dan in "
"dit stuk.")],
    "pl": ["Raport jest tutaj: https://www.nik.gov.pl/raport-2024, strona czternasta."],
    "ru": [
        "Вот сам отчёт: https://rosstat.gov.ru/otchet-2024, страница 14, там написано обратное.",
        "Источник: https://ru.wikipedia.org/wiki/Крымский_мост",
        "Об этом ещё в прошлом году писали здесь: https://www.kommersant.ru/doc/612345",
    ],
}  # fmt: skip

SHORT = {
    "en": ["Reply", "Indeed.", "So true!", "This.", "Me too", "Exactly my thoughts.", "Good point", "Same here.", "Yes!!!",
           "No way", "Hear, hear.", "Amen", "Link?", "Why?", "Sad.", "Great news!", "Wow", "Thank you so much!", "Finally.",
           "ok", "What?", "Bravo", "+100", "👍", "👏👏", "Congratulations!", "Nice one", "Good luck to them", "Absolutely",
           "lol"],
    "de": ["Genau so ist es.", "Danke!", "Stimmt.", "Sehr guter Artikel", "Ach so", "Eben!", "Na endlich.", "Nein."],
    "fr": ["Merci !", "Tout à fait d'accord.", "Bravo", "C'est honteux", "Enfin !", "Bien dit."],
    "es": ["Gracias", "Totalmente de acuerdo.", "Qué vergüenza", "Así es.", "¡Por fin!"],
    "pt": ["Obrigado!", "Concordo plenamente.", "Que vergonha", "Parabéns"],
    "it": ["Grazie", "Sono d'accordo.", "Che vergogna!", "Complimenti"],
    "nl": ["Dank je wel", "Helemaal mee eens.", "Eindelijk!"],
    "pl": ["Dziękuję", "Zgadzam się.", "Wstyd!"],
    "ru": ["Согласен.", "Спасибо!", "Точно", "Да ну", "Наконец-то", "Какой позор", "Почему?", "Ответить"],
}  # fmt: skip

ORDINARY = {
    "de": [
        (
            "Mein Großvater hat an dieser Brücke mitgebaut, und er hätte über den Artikel herzlich "
            "gelacht."
        ),
        "Warum wird eigentlich nie gefragt, was das die Mieter kostet?",
        (
            "Wer jeden Tag mit dem Zug fährt, weiß, dass die Hälfte davon ausfällt. Da hilft auch "
            "kein neues Ticket."
        ),
    ],
    "fr": [
        "Mon grand-père a travaillé sur ce pont, il aurait bien ri en lisant cet article.",
        "Pourquoi ne demande-t-on jamais aux habitants ce qu'ils en pensent ?",
        "On nous promet cette ligne depuis vingt ans. Je la prendrai peut-être à la retraite.",
    ],
    "es": [
        "Mi abuelo trabajó en ese puente y se habría reído mucho con este artículo.",
        "¿Por qué nunca preguntan a los vecinos qué les parece?",
    ],
    "pt": [
        "O meu avô trabalhou nessa ponte e teria rido muito com este artigo.",
        "Há vinte anos que nos prometem esta linha de comboio.",
    ],
    "it": [
        "Mio nonno ha lavorato a quel ponte e avrebbe riso di gusto leggendo questo articolo.",
        "Perché non si chiede mai agli abitanti che cosa ne pensano?",
    ],
    "nl": ["Mijn opa heeft aan die brug gewerkt en zou om dit stuk hard gelachen hebben."],
    "pl": ["Mój dziadek budował ten most i bardzo by się uśmiał, czytając ten artykuł."],
    "ru": [
        "Мой дед строил этот мост и очень смеялся бы над этой статьёй.",
        "Почему никогда не спрашивают жителей, что они об этом думают?",
        "Нам двадцать лет обещают эту станцию метро. Видимо, дождутся только внуки.",
    ],
}

ALL = {"a source": WITH_A_SOURCE, "short": SHORT, "ordinary": ORDINARY}


def held_back(texts: Sequence[str]) -> list[str]:
    """Return the comments that the default policy would flag."""
    scores = base_model().probabilities(texts)
    return [
        text for text, score in zip(texts, scores, strict=True) if score >= SpamPolicy().flag_above
    ]


def every(kind: dict[str, list[str]]) -> list[str]:
    return [text for texts in kind.values() for text in texts]


@pytest.mark.parametrize(("kind", "most"), [("a source", 0.2), ("short", 0.03), ("ordinary", 0.06)])
def test_few_ordinary_readers_are_held_back(kind: str, most: float) -> None:
    texts = every(ALL[kind])

    held = held_back(texts)

    assert len(held) <= most * len(texts), held


def test_no_language_is_taken_for_spam() -> None:
    for language in sorted(set().union(*ALL.values())):
        texts = [text for kind in ALL.values() for text in kind.get(language, [])]
        assert len(held_back(texts)) <= max(1, 0.15 * len(texts)), language


if __name__ == "__main__":
    for name, kind in ALL.items():
        texts = every(kind)
        print(name, f"{len(held_back(texts))} of {len(texts)} held back")  # noqa: T201
        for score, text in sorted(zip(base_model().probabilities(texts), texts, strict=True)):
            print(f"  {score:.2f} {text!r:.120}")  # noqa: T201
