"""Simulate a site whose moderators work only the review queue, and measure what its models then
hold of *all* comments: `python -m bench.queue_only [DECISIONS]`.

The site has 5 % spam and 3 % abuse in three languages, written from our own templates. Moderators
make a mistake in 3 % of their decisions. Training, comparison and traffic check are those of
`worker.learning`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

import numpy as np
from rich.console import Console

from models.classifier.context import EDITION, TAKEN
from models.classifier.model import LinearModel
from models.classifier.opinion import opinions
from models.classifier.place import on_site
from models.classifier.site_model import Seen
from models.classifier.training.base_model import Untrainable
from models.classifier.training.site_model import Label, compare, train
from models.judgement.policy import Policy
from models.judgement.promises import Scores
from models.judgement.scores import SCORES
from models.settling.labels import lessons_of
from worker.learning.champions import Champion
from worker.learning.material import load_bases
from worker.learning.traffic import Flags, check_traffic, rule_of

DECISIONS, EVERY = 500, 100  # decisions, and after how many of them the site learns
SPAM_SHARE, ABUSE_SHARE, MISTAKES = 0.05, 0.03, 0.03
AT_ONCE = 500  # comments that are posted between two looks at the queue
UNSEEN = 1000
MOST_POSTED = 30_000
MOST_EXTRA = 0.005  # of the good comments in any language
POLICY = Policy()
PLACE = on_site(("https://paper.example",))


class Written(NamedTuple):
    """A comment, its language, and what it is: "good", "spam" or "abuse"."""

    text: str
    language: str
    kind: str
    context: Mapping[str, int]


class Extra(NamedTuple):
    """How many of the good comments in one language are held, by the base models and by the
    site's.
    """

    language: str
    good: int
    by_base: float
    by_site: float

    @property
    def more(self) -> float:
        return self.by_site - self.by_base


def write(chance: Random, count: int) -> list[Written]:
    """Return that many comments in three languages."""
    return [_one(chance) for _ in range(count)]


def _one(chance: Random) -> Written:
    language = chance.choices(("en", "de", "pt"), (5, 3, 2))[0]
    drawn = chance.random()
    kind = "spam" if drawn < SPAM_SHARE else "abuse" if drawn < SPAM_SHARE + ABUSE_SHARE else "good"
    words = WORDS[language]
    sentences = chance.sample(TEMPLATES[language, kind], 1 if kind == "spam" else 2)
    if kind == "abuse":
        sentences = [sentences[0], chance.choice(TEMPLATES[language, "good"])]
    text = " ".join(sentences).format(
        thing=chance.choice(words),
        other=chance.choice(words),
        number=chance.randint(2, 400),
        site=f"{chance.choice(WORDS['en'])}{chance.randint(1, 99)}",
    )
    return Written(text, language, kind, _context(chance, kind))


def _context(chance: Random, kind: str) -> dict[str, int]:
    is_spam = kind == "spam"
    return {
        TAKEN: EDITION,
        "links away": int(is_spam),
        "hosts new here": int(is_spam),
        "author approved": 0 if is_spam else chance.choice((0, 0, 1, 3, 8)),
        "seconds to write": chance.randint(2, 20) if is_spam else chance.randint(8, 300),
        "a free mailbox": int(chance.random() < 0.6),
        "digits in the mailbox": int(chance.random() < (0.6 if is_spam else 0.3)),
    }


@dataclass
class Site:
    """A site with its models, its labels and the comments that went live unseen."""

    bases: Mapping[str, LinearModel]
    champions: dict[str, Champion] = field(default_factory=dict)
    labels: dict[str, list[Label]] = field(default_factory=lambda: {score: [] for score in SCORES})
    unseen: list[Written] = field(default_factory=list)
    went_live: int = 0

    def __post_init__(self) -> None:
        for score, base in self.bases.items():
            self.champions[score] = Champion(None, base.version, frozenset())

    def seen(self, comments: Sequence[Written], score: str) -> list[Seen]:
        texts = [(each.text, each.language) for each in comments]
        thoughts = opinions(self.bases[score], texts, PLACE)
        return [
            Seen(each.text, thought, each.context)
            for each, thought in zip(comments, thoughts, strict=True)
        ]

    def holds(
        self, comments: Sequence[Written], champions: Mapping[str, Champion] | None = None
    ) -> dict[str, Flags]:
        """Return by score which comments it holds."""
        return {
            score: self._holds(comments, score, (champions or self.champions)[score])
            for score in self.bases
        }

    def _holds(self, comments: Sequence[Written], score: str, champion: Champion) -> Flags:
        scores = {score: champion.scores} if champion.scores else {}
        rule = rule_of(
            POLICY, score, self.bases[score], scores=scores, languages=champion.languages
        )
        languages = [each.language for each in comments]
        probabilities = champion.probabilities(self.seen(comments, score), languages)
        return rule.holds(probabilities, languages)

    def decide(self, comment: Written, found: frozenset[str], chance: Random, number: int) -> None:
        """Decide as a moderator who reads it, with the mistakes of one."""
        bad = comment.kind != "good"
        if chance.random() < MISTAKES:
            bad = not bad
        reason = comment.kind if comment.kind != "good" else None
        lessons = lessons_of("reject" if bad else "approve", reason if bad else None, found)
        for score in set(lessons) & set(self.bases):
            [seen] = self.seen([comment], score)
            label = Label(str(number), lessons[score], comment.language, seen, 1.0)
            self.labels[score].append(label)

    def learn(self) -> None:
        """Train each score as the learner does, and let the model live if it passes."""
        for score in self.bases:
            self._learn(score)

    def _learn(self, score: str) -> None:
        labels, base, champion = self.labels[score], self.bases[score], self.champions[score]
        unseen = self.unseen[-UNSEEN:]
        anchors = self.seen(unseen, score)
        try:
            trained = train(labels, base.version, str(len(labels)), anchors)
        except Untrainable:
            return
        known = champion.probabilities(
            [label.seen for label in labels], [label.language for label in labels]
        )
        is_new = np.array([label.comment not in champion.seen for label in labels], bool)
        result = compare(labels, trained, known, is_new)
        challenger = Champion(
            trained.model,
            trained.model.version,
            frozenset(label.comment for label in labels),
            scores=Scores(),
        )
        traffic = check_traffic(
            [each.text for each in unseen],
            [each.language for each in unseen],
            self._holds(unseen, score, champion),
            self._holds(unseen, score, challenger),
        )
        if result.challenger_wins and traffic["passed"]:
            self.champions[score] = challenger
            self.went_live += 1


def simulate(decisions: int = DECISIONS, *, seed: int = 1, order: str = "newest first") -> Site:
    """Return the site after so many decisions, all of them on the queue."""
    chance = Random(seed)
    site = Site(load_bases())
    queue: list[tuple[Written, frozenset[str]]] = []
    posted = decided = 0
    while decided < decisions and posted < MOST_POSTED:
        comments = write(chance, AT_ONCE)
        posted += len(comments)
        held = site.holds(comments)
        for at, comment in enumerate(comments):
            found = frozenset(score for score, flags in held.items() if flags[at])
            if found:
                queue.append((comment, found))
            else:
                site.unseen.append(comment)
        if order == "at random":
            chance.shuffle(queue)
        while queue and decided < decisions:
            comment, found = queue.pop()
            site.decide(comment, found, chance, decided)
            decided += 1
            if decided % EVERY == 0:
                site.learn()
    return site


def extra(site: Site, *, seed: int = 1000, count: int = 3000) -> list[Extra]:
    """Compare what base models and the site's models hold of good comments nobody has seen."""
    comments = [each for each in write(Random(seed), count) if each.kind == "good"]
    base = {score: Champion(None, each.version, frozenset()) for score, each in site.bases.items()}
    by_base = np.logical_or.reduce(list(site.holds(comments, base).values()))
    by_site = np.logical_or.reduce(list(site.holds(comments).values()))
    languages = np.array([each.language for each in comments])
    return [
        Extra(
            language,
            int((languages == language).sum()),
            float(by_base[languages == language].mean()),
            float(by_site[languages == language].mean()),
        )
        for language in sorted(set(languages.tolist()))
    ]


WORDS = {
    "en": "council harbour school ferry budget library bridge museum market station election "
    "hospital orchestra bakery river stadium factory mayor tram garden".split(),
    "de": "Stadtrat Hafen Schule Fähre Haushalt Bibliothek Brücke Museum Markt Bahnhof Wahl "
    "Krankenhaus Orchester Bäckerei Fluss Stadion Fabrik Garten Theater".split(),
    "pt": "câmara porto escola balsa orçamento biblioteca ponte museu mercado estação eleição "
    "hospital orquestra padaria rio estádio fábrica jardim teatro".split(),
}
TEMPLATES = {
    ("en", "good"): [
        "I have lived near the {thing} for {number} years and never saw it this busy.",
        "Thank you for the report about the {thing}, it explains a lot.",
        "Who pays for the {thing}? The {other} already cost {number} million!",
        "The {thing} opened late again yesterday, and nobody told the passengers.",
        "My daughter works at the {thing}; she says the {other} is worse.",
        "This is nonsense: the {thing} was closed in May, not in June.",
        "Does anyone know when the {thing} reopens?",
        "I disagree strongly. The {thing} is a disaster and the mayor should resign.",
        "There is a longer study at https://{site}.example/report about the {thing}.",
        "You can get tickets for the {thing} at the {other}, they cost {number} euros.",
        "Good piece, but the number of visitors to the {thing} is wrong: it was {number}.",
        "We walked from the {thing} to the {other} on Sunday and loved it.",
    ],
    ("en", "spam"): [
        "Earn {number} dollars a day from home, click https://{site}.example/win now",
        "Best casino bonus!!! {number} free spins at https://{site}.example",
        "Buy cheap pills online without prescription https://{site}.example/meds",
        "Check out my channel and subscribe for free gift cards https://{site}.example",
        "I recovered my lost bitcoin thanks to an expert, write to {site}@mail.example",
        "Hot singles near the {thing} want to meet you tonight https://{site}.example",
        "Our agency in {site} offers SEO backlinks, rank first in {number} days!",
    ],
    ("en", "abuse"): [
        "You are a stupid worthless idiot and everyone hates you.",
        "Shut up, you disgusting piece of trash.",
        "I will find you and break your fucking legs.",
        "People like you should be shot, you filthy scum.",
        "What a moronic asshole you are.",
        "Go kill yourself, loser.",
    ],
    ("de", "good"): [
        "Ich wohne seit {number} Jahren neben dem {thing} und habe so etwas nie erlebt.",
        "Danke für den Artikel über {thing} und {other}, das war mir neu.",
        "Wer bezahlt das alles? {thing} hat schon {number} Millionen gekostet!",
        "Gestern war {thing} wieder zu spät offen, und niemand hat Bescheid gesagt.",
        "Meine Tochter arbeitet dort; sie sagt, {other} sei noch schlimmer.",
        "Das ist Unsinn: {thing} wurde im Mai geschlossen, nicht im Juni.",
        "Weiß jemand, wann {thing} wieder öffnet?",
        "Da bin ich ganz anderer Meinung. {thing} ist eine Katastrophe, der Chef soll gehen.",
        "Eine längere Studie dazu steht unter https://{site}.example/bericht zum Nachlesen.",
        "Karten für {thing} gibt es am Schalter, sie kosten {number} Euro.",
        "Guter Text, aber die Zahl der Besucher stimmt nicht: es waren {number}.",
        "Wir sind am Sonntag von {thing} bis {other} gelaufen, herrlich.",
    ],
    ("de", "spam"): [
        "Verdiene {number} Euro am Tag von zu Hause, klicke https://{site}.example/geld",
        "Bester Casino Bonus!!! {number} Freispiele auf https://{site}.example",
        "Billige Pillen ohne Rezept kaufen https://{site}.example/pillen",
        "Kredit ohne Schufa, {number} Euro sofort, schreib an {site}@mail.example",
        "Heiße Frauen in deiner Nähe warten auf dich https://{site}.example",
        "Abonniere meinen Kanal und gewinne ein iPhone https://{site}.example",
    ],
    ("de", "abuse"): [
        "Du bist ein dummer wertloser Idiot und alle hassen dich.",
        "Halt die Fresse, du ekelhaftes Stück Dreck.",
        "Ich finde dich und breche dir die Beine, du Arschloch.",
        "Leute wie dich sollte man erschießen, du Abschaum.",
        "Was bist du nur für ein verblödeter Wichser.",
        "Geh sterben, du Missgeburt.",
    ],
    ("pt", "good"): [
        "Moro perto da {thing} há {number} anos e nunca vi nada assim.",
        "Obrigado pela reportagem sobre {thing} e {other}, explica muita coisa.",
        "Quem paga isso tudo? A {thing} já custou {number} milhões!",
        "Ontem a {thing} abriu tarde outra vez, e ninguém avisou os passageiros.",
        "Minha filha trabalha lá; ela diz que a {other} é pior.",
        "Isso não faz sentido: a {thing} fechou em maio, não em junho.",
        "Alguém sabe quando a {thing} volta a abrir?",
        "Não concordo nada. A {thing} é um desastre e o prefeito devia sair.",
        "Há um estudo mais longo em https://{site}.example/estudo para quem quiser ler.",
        "Os bilhetes para a {thing} custam {number} euros na {other}.",
        "Bom texto, mas o número de visitantes está errado: foram {number}.",
        "No domingo fomos a pé da {thing} até a {other}, foi lindo.",
    ],
    ("pt", "spam"): [
        "Ganhe {number} reais por dia em casa, clique https://{site}.example/ganhar",
        "Melhor bônus de cassino!!! {number} rodadas grátis em https://{site}.example",
        "Compre remédios baratos sem receita https://{site}.example/remedios",
        "Empréstimo na hora sem consulta, {number} mil, escreva para {site}@mail.example",
        "Mulheres quentes perto de você querem te conhecer https://{site}.example",
        "Inscreva-se no meu canal e ganhe um iPhone https://{site}.example",
    ],
    ("pt", "abuse"): [
        "Você é um idiota inútil e todo mundo te odeia.",
        "Cala a boca, seu lixo nojento.",
        "Vou te achar e quebrar as tuas pernas, filho da puta.",
        "Gente como você devia levar um tiro, seu verme.",
        "Que imbecil de merda você é.",
        "Se mata logo, seu desgraçado.",
    ],
}


def main(decisions: int) -> int:
    """Print one line per run and language; return 1 if any holds too much."""
    is_met = True
    for order in ("newest first", "at random"):
        for seed in (1, 2):
            site = simulate(decisions, seed=seed, order=order)
            for each in extra(site):
                is_met = is_met and each.more <= MOST_EXTRA
                Console().print(
                    f"{order}, seed {seed}, {each.language}: base {each.by_base:.2%}, "
                    f"site {each.by_site:.2%} of {each.good} good comments "
                    f"({site.went_live} models went live)"
                )
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main(int((sys.argv[1:] or [DECISIONS])[0])))
