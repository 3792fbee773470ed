"""Letters that a reader may take for a Latin letter or an ASCII sign.

The pairs are facts from Unicode's confusables (UTS 39), from the names of Unicode's characters, and
from the generators of "fancy text" that spammers use. Keys have the form after NFKC and `casefold`,
so one letter stands for both its cases: в is here because В looks like B.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import chain

# Always read as Latin. Within an alphabet that people write in, no two letters share a target, so
# the ordinary words of a language stay distinct. This is why Russian ь and Greek σ are missing.
ALWAYS = {
    "авекмнорстухгіјѕһԁԛԝѵѡӏҽ": "abekmhopctyxrijshdqwvwle",  # Cyrillic
    "αβγεζηικμνορτυχωϳ": "abyezhikmvoptuxwj",  # Greek
    "ազհոսցօք": "wqhnugof",  # Armenian
    "ᎪᏴᏟᎠᎬᎻᎥᎫᏦᏞᎷᏢᎡᏚᎢᏙᎳᎩᏃᎶ": "abcdehijklmprstvwyzg",  # Cherokee, whose folded case is the upper one
    "ꓮꓐꓚꓓꓰꓝꓖꓧꓲꓙꓗꓡꓟꓠꓳꓑꓣꓢꓔꓴꓦꓪꓫꓬꓜ": "abcdefghijklmnoprstuvwxyz",  # Lisu
    "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡʏᴢ": "abcdefghijklmnopqrstuvwyz",  # Latin small capitals
    # Latin letters without a useful name; those below have their letter in their name.
    "ɑɩıłøđħŧƅɯɣỿꭓƽꞵʊŋʉ": "aiilodhtbwyyxsbunu",
    "ⲥⲉⲏⲓⲕⳑⲙⲛⲟⲣⲅⲧⲭⲩⲁⲃⲍ": "cehiklmnopryxyabz",  # Coptic
    "𐐽𐑃𐐬𐑈": "clos",  # Deseret
    "𑣩𑣲𑣆𑣎𑣂𑣃𑣒𑣈𑣕𑣗𑣠𑣁𑣜𑣘𑣀𑣦𑣯𑣬𑣄𑣉𑣥": "cceefiloooostuvwwxyzz",  # Warang Citi
    "𐊠𐊡𐊢𐊥𐋏𐊰𐊫𐊱𐊴𐊲": "abcfhmotxy",  # Carian
    "𐊂𐊆𐊇𐊊𐊒𐊕𐊖𐊗𐊐": "befiopstx",  # Lycian
    "𐌀𐌁𐌂𐌄𐌅𐌇𐌉𐌊𐌋𐌌𐌍𐌏𐌐𐌓𐌔𐌕𐌖𐌗𐌠𐌑𐌢": "abcefhiklmnoprstuximx",  # Old Italic
    "𐔜𐔥𐔘𐔦𐔓𐔖𐔝𐔧": "cfklnovx",  # Elbasan
    "𖽀𖼖𖼨𖼵𖼺𖼊𖽂𖼈𖽃": "alirstuvy",  # Miao
    "ᛕᛁᛖᚷᚱᛒ": "kimxrb",  # runes
    "𐓪𐓜𐓶": "oru",  # Osage
    "𑜆𑜊ꛟ": "vwv",  # Ahom, Bamum
    "".join(
        map(chr, range(0x1F150, 0x1F16A))
    ): "abcdefghijklmnopqrstuvwxyz",  # white in a black circle
    "".join(
        map(chr, range(0x1F170, 0x1F18A))
    ): "abcdefghijklmnopqrstuvwxyz",  # white in a black square
    # alef, yeh and kaf as other countries type them
    "\u0671\u0649\u06cc\u06d0\u06a9": "\u0627\u064a\u064a\u064a\u0643",
}

# Read as Latin only in a second reading of the text, because in these scripts several letters share
# a target, or the signs are common elsewhere. A second reading only adds matches; the first one
# still keeps the script's own words distinct.
SOMETIMES = {
    "ᎯᏗᏰᏏᏨᏣᎴᏧᏋᎰᎦᏀᏳᏂᏐᏝᏁᎾᎧᏫᎮᏅᎤᏒᏕᎿᏖᏬᏌᏉᏯᏔᏇᎲᎽᏎᏮ": "aabbccddeffgghjlnooopqqrsttuuvwwwxyag",  # Cherokee
    "ᗅᗩᗋᑲᖯᗷᗸᑕᑢᑯᗞᗪᗫᗴᕮᘿᖴᖵᘜᕼᕽᒍᒎᒪᒫᗰᗱᑎᘉ": "aaabbbbccddddeeeffghxjjllmmnn",  # Canadian syllabics
    "ᑭᑮᖇᖆᔕᔖᑌᑘᐯᐺᗯᕁ᙭ᘔᓬᓍᘮᘻᒋ": "pprrssuuvvwxxzzouwi",
    "ⴹⵏⵔⵕⴸⵝⵊⵙ": "eioqvxio",  # Tifinagh
    "∪⋃∨⋁⍺⍳⍴℮₳₵₣₲₭₥₦₱₴₮₩฿": "uuvvaipeacfgkmnpstwb",  # signs
    "卂乃匚乇卄凵丂丅乚": "abcehustl",  # ideographs that are rarely used as such
    "".join(
        map(chr, range(0x1F1E6, 0x1F200))
    ): "abcdefghijklmnopqrstuvwxyz",  # regional indicators, which form flags
}

# Read as Latin only inside a word that has Latin letters, too: viagгa, cфsino. Elsewhere they are
# read as themselves.
AMONG_LATIN = {
    "ґьъбзєэипяцшщдчфжђћԍӡ": "rbbbeeennruwwayoxhhge",  # Cyrillic
    "σλδξπθφψ": "oadenoow",  # Greek
    "סםחשוןי": "oonwili",  # Hebrew
    "ოჿყ〇": "ooyo",  # Georgian, the Chinese zero
    "千厶工丨亅长从几口尸尺山乂丫乙フリムレノ": "fgiijkmnoprwxyzjyali",  # ideographs, kana
}

# The names of Latin letters with a stroke, a hook or a tail, of small capitals and of turned
# letters contain the plain letter.
_IN_LATIN = (
    range(0x0180, 0x02B0),
    range(0x1D00, 0x1DC0),
    range(0x2C60, 0x2C80),
    range(0xA720, 0xA800),
    range(0xAB30, 0xAB70),
    range(0x1DF00, 0x1DF2B),
)
_SHAPES = "TURNED|REVERSED|SIDEWAYS|DOTLESS|SCRIPT|INSULAR|BLACKLETTER|BARRED|CLOSED|STIRRUP|HALF"
_NAME = re.compile(
    rf"LATIN (?:SMALL LETTER|LETTER SMALL CAPITAL)(?: (?:{_SHAPES}))* ([A-Z])(?: WITH .*)?"
)


def table(pairs: dict[str, str]) -> dict[int, str | None]:
    """Return the table for `str.translate`: each letter and its target."""
    return {
        ord(letter): target
        for letters, targets in pairs.items()
        for letter, target in zip(letters, targets, strict=True)
    }


def named_latin() -> dict[int, str | None]:
    """Return every variant of a Latin letter that has no decomposition: ⱱ is v, ɍ is r."""
    variants = map(chr, chain.from_iterable(_IN_LATIN))
    named = ((variant, _NAME.fullmatch(unicodedata.name(variant, ""))) for variant in variants)
    return {ord(variant): match[1].lower() for variant, match in named if match}
