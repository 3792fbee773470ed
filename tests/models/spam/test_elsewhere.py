"""Ordinary comments under the news, and spam that every site knows, as an outside tester would
post.

All texts are our own and never trained on. LOOKED_AT was read with its scores when the default
policy was last changed. UNSEEN was written in the same hour, and nothing was changed because of its
results, except that the threshold for languages of which the model has read a little was later
raised to .2 and not to .25, so that most of its advertisements are still held. The comments are judged by text alone, with the default
policy. Run as a script, this prints the mistakes in LOOKED_AT.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from models.identifiers import new_id
from models.judgement.candidate import Candidate, Form
from models.judgement.policy import Policy, Verdict, decide
from models.text.language import detect
from worker.checks import links, spam


class Posted(NamedTuple):
    """Comments of readers and of spammers, by language."""

    readers: dict[str, list[str]]
    spammers: dict[str, list[str]]


LOOKED_AT = Posted(
    readers={
        "en": [
            (
                "I used to deliver milk on that street, and every second house had a dog that "
                "hated me. Lovely to see it again."
            ),
            (
                "Three billion for a tunnel nobody asked for, while our school has buckets under "
                "the roof."
            ),
            "Could somebody explain why the vote was moved to a Friday evening in August?",
            "She was my chemistry teacher. Strict, fair, and she never once forgot a name.",
            "This is the second correction this week. Do you still employ sub-editors?",
            (
                "My grandmother kept her savings in a biscuit tin and lost less than the pension "
                "fund did."
            ),
            "Not sure I follow. If demand fell, why did the price go up?",
            (
                "The bakery on the corner closed after forty years because of the rent. That tells "
                "you everything about this budget."
            ),
            "Great save in the last minute, but the defence was asleep again.",
            (
                "I don't own a car and I still pay for the ring road. Fair enough, I also use the "
                "ambulance."
            ),
            "How on earth did that get planning permission?",
            "Please, please, please bring back the crossword in the old format.",
            (
                "We cycled it last autumn. Bring two spare tubes and do not trust the campsite at "
                "kilometre sixty."
            ),
            "So the minister is 'deeply sorry'. I will believe it when somebody resigns.",
            "I bought the book after your review and read it in one night. Thank you for that.",
            "They promised fibre by 2020. It is now quicker to walk the file over to my neighbour.",
            "Has the coroner said anything yet? The article stops rather suddenly.",
            "The chart starts at 40 per cent. Draw it from zero and the drama is gone.",
        ],
        "de": [
            (
                "Bei uns im Dorf gibt es seit dem Sommer keinen Arzt mehr, und der nächste nimmt "
                "keine neuen Patienten."
            ),
            "Ich verstehe die Aufregung nicht. Das stand doch alles schon im Koalitionsvertrag.",
            "Schöner Nachruf. Ich habe bei ihm noch Latein gelernt und bis heute nichts vergessen.",
            "Und wer bezahlt das am Ende? Die Mieter natürlich.",
        ],
        "fr": [
            (
                "Le dernier boulanger du village a fermé en mars, et la mairie parle de pistes "
                "cyclables."
            ),
            "Je ne suis pas convaincue : un seul sondage ne prouve rien du tout.",
            "Très bel article, merci. Mon père travaillait dans cette usine.",
        ],
        "es": [
            (
                "En mi barrio llevamos dos semanas sin agua por las noches y nadie nos da una "
                "explicación."
            ),
            "No estoy de acuerdo con el autor, aunque reconozco que lo explica muy bien.",
            "Qué bonito recuerdo. Yo también aprendí a nadar en esa playa.",
        ],
        "ru": [
            "У нас во дворе третий месяц копают, и никто не знает, когда закончат.",
            "Автор прав только наполовину: зарплаты подняли, но цены выросли ещё сильнее.",
            "Хороший был человек, учил меня физике в восьмом классе.",
        ],
        "pt": [
            (
                "A escola da minha filha não tem professor de matemática desde outubro. Isso "
                "ninguém escreve."
            )
        ],
        "it": [
            (
                "Il treno delle sette è in ritardo ogni giorno da un anno, e il biglietto è "
                "aumentato di nuovo."
            )
        ],
        "nl": ["Bij ons in de straat staan al drie winkels leeg en de huur gaat toch weer omhoog."],
        "pl": ["Na moim osiedlu czekamy na przychodnię od pięciu lat, a budują kolejny parking."],
    },
    spammers={
        "en": [
            (
                "Turn $200 into $3,000 in seven days with our mining pool. Ask for Mr Frank on "
                "WhatsApp +1 555 010 7788"
            ),
            (
                "Best crypto presale of the year, 100x guaranteed, buy before listing: "
                "moon-presale.example.io"
            ),
            (
                "I never believed in forex until Mrs Helen Brooks managed my account, now I get "
                "paid weekly. Telegram: @helenbrooksfx"
            ),
            (
                "Royal Spin Casino gives 150 free spins without deposit, register here "
                "https://royalspin.example.com/ref=881"
            ),
            (
                "Your site needs more visitors! We build 5,000 backlinks for only $49, see "
                "www.rank-rocket.example.net"
            ),
            (
                "Nice article. I also write about this on my blog, please visit "
                "https://best-vacuum-reviews.example.com"
            ),
            "check out my channel guys i make funny videos every week",
            (
                "Generic cialis 20mg without prescription, fast shipping worldwide, order at "
                "pharma-direct.example.com"
            ),
            (
                "Lonely tonight? Real girls near you want to chat, no card needed: "
                "http://meet-now.example.xyz"
            ),
            (
                "Your mailbox is almost full. Verify your account within 24 hours or it will be "
                "closed: http://mail-verify.example.top/login"
            ),
            "Urgent loan 3% interest, no collateral, worldwide. Apply by WhatsApp: +44 7700 900456",
            "Сheар rеplica hаndbags аnd wаtches, 80% оff tоday, visit luxury-bags . com",
            (
                "Work 2 hours a day from your phone and earn $400. Go to easy-income . net and "
                "register free"
            ),
            (
                "Spell caster Baba Zulu brought my wife back after two days, email him on "
                "babazulu@example.com"
            ),
            "Free Robux and V-bucks generator, no survey, works 2026!!! >>> freebux.example.gg",
            "Sub to me and I sub back, drop your channel name below!!!",
            "Get your diploma and degree without exams, contact us at fastdegree@example.org",
            "Hacked Instagram account recovered in 1 hour, contact @cyber_rescue_pro, he is legit",
        ],
        "de": [
            (
                "Verdiene 3.000 Euro im Monat bequem von zu Hause! Jetzt anmelden: "
                "www.geld-zuhause.example.de"
            ),
            (
                "Online Casino mit 200 Freispielen ohne Einzahlung, hier klicken: "
                "https://gluecksrad.example.com"
            ),
            "Kredit ohne Schufa in 10 Minuten, schreiben Sie per WhatsApp +49 151 23456789",
        ],
        "fr": [
            (
                "Gagnez 500 € par jour sans rien faire, inscrivez-vous ici : "
                "http://argent-facile.example.fr"
            ),
            (
                "Besoin d'un prêt rapide entre particuliers ? Contactez-moi par WhatsApp au +33 6 "
                "12 34 56 78"
            ),
            "Viagra pas cher sans ordonnance, livraison discrète : www.pharma-pas-cher.example.com",
        ],
        "es": [
            "Gana dinero desde casa, 300 dólares al día, escríbeme al WhatsApp +52 55 1234 5678",
            (
                "Los mejores bonos de casino en línea, 100 giros gratis: "
                "https://casino-feliz.example.com"
            ),
            "Suscríbete a mi canal y te devuelvo la suscripción, subo vídeos todos los días",
        ],
        "ru": [
            "Заработок от 5000 рублей в день без вложений, пишите в телеграм @rabota_doma_77",
            "Лучшее онлайн казино, бонус 30000 за регистрацию: https://vulkan-bonus.example.ru",
            "Кредит без отказа за 15 минут, даже с плохой историей. Звоните +7 900 123-45-67",
        ],
        "pt": [
            "Ganhe R$ 2.000 por semana trabalhando em casa, chame no WhatsApp +55 11 91234-5678"
        ],
        "it": ["Prestiti veloci senza busta paga, rispondo subito su WhatsApp +39 333 1234567"],
        "nl": [
            (
                "Verdien 500 euro per dag met bitcoin, meld je nu gratis aan op "
                "www.snel-rijk.example.nl"
            )
        ],
        "pl": [
            "Szybka pożyczka bez BIK w 15 minut, kliknij tutaj: https://pozyczka-teraz.example.pl"
        ],
    },
)

UNSEEN = Posted(
    readers={
        "en": [
            (
                "The old ferry captain in the picture is my uncle. He would have hated the "
                "headline and loved the photograph."
            ),
            "Why is the fine for parking higher than the fine for dumping oil in the river?",
            (
                "I was on jury service for a case like this. It is never as simple as the comments "
                "make it."
            ),
            "Agree with every word, and I say that as somebody who voted the other way.",
            "Page two says 1987, the caption says 1978. Which is it?",
            (
                "My brother waited nineteen hours in that corridor. The nurses were angels, the "
                "system is not."
            ),
            (
                "Hard to feel sorry for a club that spent 80 million on a striker who cannot head "
                "a ball."
            ),
            "We planted forty oaks after the storm. Two survived the deer. Still worth it.",
            "Nobody mentions the buses. There is one at 6:40 and one at 18:10, and that is all.",
            "What a beautiful piece of writing. I read it aloud to my wife.",
            "Oh come on, the mayor opened that same playground twice already.",
            "I run a small shop. The new till rules cost me four evenings and changed nothing.",
            "Is there a reason the interview leaves out the lawsuit?",
            (
                "Moved here in 2009, and it was the neighbours who taught me the language, not the "
                "course."
            ),
            "Wrong. The lighthouse was automated in the nineties, my father switched off the lamp.",
            "A year from now everybody will say they were against it.",
            "The soup recipe needs half the salt, otherwise perfect for this weather.",
            "Thanks for printing the whole speech and not only the shouting.",
        ],
        "de": [
            (
                "Mein Vater hat vierzig Jahre in der Zeche gearbeitet, der würde über diese "
                "Rechnung nur lachen."
            ),
            "Warum fährt der Bus nach neun Uhr abends nicht mehr? Das fragt hier jeder.",
            "Endlich schreibt das mal jemand. Danke an die Redaktion.",
            "Die Überschrift passt nicht zum Text, bitte noch einmal lesen.",
        ],
        "fr": [
            "On a attendu six heures aux urgences avec un enfant de deux ans. Voilà la réalité.",
            "La photo n'est pas de cette année, le vieux pont n'existe plus depuis longtemps.",
            "Quelle belle équipe, et quel dommage pour ce penalty à la dernière minute !",
        ],
        "es": [
            "Mi padre trabajó treinta años en el puerto y nunca vio un verano tan seco.",
            "¿Y los jubilados? De eso no dice nada el artículo.",
            "El partido fue malo, pero el gol del final valió la entrada.",
        ],
        "ru": [
            "Бабушка рассказывала, что раньше здесь был яблоневый сад до самой реки.",
            "Почему об этом пишут только сейчас, когда всё уже решили?",
            "Автобус опять отменили, дети идут в школу пешком по трассе.",
        ],
        "pt": ["O meu pai foi pescador a vida inteira e diz que nunca viu o mar assim."],
        "it": ["Mia nonna faceva il pane in quel forno, oggi ci vendono telefoni."],
        "nl": ["Mijn moeder werkte in die fabriek en kreeg na dertig jaar een bos bloemen."],
        "pl": ["Dziadek opowiadał, że kiedyś przez tę rzekę pływał prom za darmo."],
    },
    spammers={
        "en": [
            (
                "My broker Mr Daniel made me $9,700 profit last month, message him on Telegram "
                "@daniel_trades_live"
            ),
            (
                "Claim 0.5 ETH now, limited airdrop for the first 500 wallets: "
                "https://eth-drop.example.app/claim"
            ),
            "Double your bitcoin in 24h, minimum 0.01, instant payout, www.btc-x2.example.biz",
            (
                "Mega Jackpot slots, 300% welcome bonus, play with real dealers at "
                "jackpot-city.example.bet"
            ),
            (
                "Guest posts and do-follow links on DA 70 sites, cheap prices, mail "
                "seo.links@example.com"
            ),
            (
                "Great information shared here, keep it up! For cheap flights visit "
                "http://fly-cheap-deals.example.com"
            ),
            "yo check my new mixtape on my channel, link in my profile, subscribe for more",
            (
                "Order Xanax, Tramadol and Adderall online, overnight delivery, no script needed. "
                "www.meds-247.example.su"
            ),
            "Sexy cam girls live now, free registration https://hotcams.example.cam",
            (
                "PayPal: your account has been limited. Confirm your identity at "
                "http://paypal-secure.example.info/confirm"
            ),
            (
                "Do you need a business or personal loan? We give out from $5,000 to $1,000,000, "
                "WhatsApp +1 (555) 010-9911"
            ),
            "Вuy Yоutube viеws аnd likеs, 1000 fоr $2, go to fast-smm . com",
            "Stay at home mum makes $7,450 a month on her laptop, see how: www.momjobs.example.com",
            (
                "Powerful love spells and lottery numbers that win, call Prophet Musa on +27 71 "
                "000 0000"
            ),
            "Download cracked Photoshop 2026 full version free: crackzone.example.to/ps2026",
            "FOLLOW ME AND I FOLLOW BACK!!! who wants more subscribers?? visit my page",
            (
                "Real documents, passports, driver licence, registered in the database. "
                "docs_real@example.org"
            ),
            "Earn passive income with our AI bot, 2% daily, join the VIP group t.me/ai_profit_vip",
        ],
        "de": [
            (
                "Mit diesem Trick verdiene ich 250 € am Tag, schau auf meine Seite: "
                "http://trick-geld.example.com"
            ),
            "Potenzmittel rezeptfrei und diskret bestellen: www.apotheke-24.example.de",
            "Abonniert meinen Kanal, ich abonniere zurück! Jeden Tag neue Videos!!!",
        ],
        "fr": [
            (
                "Casino en ligne : 100 tours gratuits sans dépôt, cliquez ici "
                "https://casino-vip.example.fr"
            ),
            "Grand voyant marabout, retour de l'être aimé en 3 jours, WhatsApp +229 90 00 00 00",
            "Investissez 200 € dans le bitcoin et recevez 2000 € en une semaine, contactez-moi",
        ],
        "es": [
            "Préstamos urgentes sin aval, respuesta inmediata por WhatsApp +34 600 123 456",
            (
                "Invierte en criptomonedas con mi ayuda y duplica tu dinero en una semana, "
                "Telegram @cripto_maria"
            ),
            "Compra seguidores y likes baratos en www.mas-seguidores.example.com",
        ],
        "ru": [
            "Ищем людей на удалённую работу, 3000 рублей в день, пишите в личку",
            "Прогнозы на спорт, проходимость 95%, подписывайся на канал t.me/stavki_vip_win",
            "Купить диплом с занесением в реестр недорого, www.diplom-gos.example.ru",
        ],
        "pt": [
            "Cassino online com bônus de 500 reais no cadastro, clique: https://sorte-ja.example.br"
        ],
        "it": [
            (
                "Guadagna 400 euro al giorno con il trading automatico, iscriviti gratis: "
                "www.soldi-subito.example.it"
            )
        ],
        "nl": ["Goedkope volgers en likes kopen? Kijk op https://meer-volgers.example.nl"],
        "pl": ["Zarabiaj 500 zł dziennie na kryptowalutach, napisz na WhatsApp +48 500 100 200"],
    },
)


# Written after the threshold for languages that the model knows a little had been raised from .1 to
# .2 for such comments; it was not changed again.
WITH_A_LINK_OR_A_PRICE = [
    "Die Stadt hat den Plan schon 2024 veröffentlicht: https://www.stadt.example/verkehr/plan.pdf",
    "Mein Abo kostet inzwischen 49 € im Monat, vor zwei Jahren waren es noch 29.",
    "Den Bericht vom letzten Jahr findet man hier: https://www.zeitung.example/archiv/bericht",
    "Für 12,50 Euro bekommt man in der Kantine nicht einmal mehr einen Nachtisch.",
    "In der Statistik (https://www.amt.example/miete) steht etwas anderes als im Artikel.",
    "Die Sanierung sollte 3,2 Millionen Euro kosten, am Ende waren es neun.",
    "A prefeitura publicou o edital aqui: https://www.cidade.example/editais/ponte",
    "Pago 80 reais por mês de ônibus e ele quase nunca chega na hora.",
    "O relatório completo está em https://www.instituto.example/relatorios/agua-2025",
    "Um café por 4 euros no centro é um absurdo, no meu bairro custa 1,20.",
    "Segundo https://www.jornal.example/2019/obra a obra já devia estar pronta.",
    "A reforma da escola custou R$ 300 mil e ainda chove na sala da minha filha.",
    "El informe está aquí: https://www.ayuntamiento.example/informes/ruido y dice lo contrario.",
    "Mi alquiler subió de 600 a 850 euros en dos años.",
    "Il verbale si trova qui: https://www.comune.example/verbali e vale la pena leggerlo.",
    "Il biglietto costa 2,20 euro e l'autobus passa una volta all'ora.",
]


def held(texts: list[str]) -> list[str]:
    """Return the comments that the default policy does not publish, each posted by someone who took
    their time.
    """
    at, form = datetime(2026, 3, 3, tzinfo=UTC), Form(token="valid", seconds=40)
    batch = [
        Candidate(
            new_id(), 1, 1, "Ann", "ann@paper.example", text, at, language=language, form=form
        )
        for text, language in zip(texts, detect(texts), strict=True)
    ]
    evidence = zip(links.check(batch), spam.check(batch), strict=True)
    verdicts = [decide(found, Policy()).verdict for found in evidence]
    return [
        text
        for text, verdict in zip(texts, verdicts, strict=True)
        if verdict is not Verdict.APPROVE
    ]


def test_ordinary_comments_go_live_in_every_language_it_has_read() -> None:
    for part in (LOOKED_AT, UNSEEN):
        assert len(held(every(part.readers))) <= 1


def test_few_readers_who_give_a_source_or_a_price_are_held() -> None:
    assert len(held(WITH_A_LINK_OR_A_PRICE)) <= 4  # 6 with .1


def test_hardly_any_plain_spam_goes_live() -> None:
    assert len(held(every(LOOKED_AT.spammers))) >= 31
    assert len(held(every(UNSEEN.spammers))) >= 31


def every(of: dict[str, list[str]]) -> list[str]:
    return [text for texts in of.values() for text in texts]


if __name__ == "__main__":
    for name, part in (("LOOKED_AT", LOOKED_AT), ("UNSEEN", UNSEEN)):
        for kind in ("readers", "spammers"):
            posted: dict[str, list[str]] = getattr(part, kind)
            count = {
                language: f"{len(held(texts))}/{len(texts)}" for language, texts in posted.items()
            }
            print(name, kind, f"{len(held(every(posted)))} of {len(every(posted))} held", count)  # noqa: T201
            if part is LOOKED_AT:
                wrong = (
                    held(every(posted))
                    if kind == "readers"
                    else sorted(set(every(posted)) - set(held(every(posted))))
                )
                print(*wrong, sep="\n  ")  # noqa: T201
