"""Where most readers have their mail."""

from __future__ import annotations

_FREE_AND_WELL_KNOWN = (
    "gmail.com", "googlemail.com", "yahoo.com", "yahoo.co.uk", "yahoo.fr", "yahoo.de",
    "ymail.com", "hotmail.com", "hotmail.co.uk", "hotmail.fr", "outlook.com", "outlook.de",
    "live.com", "msn.com", "icloud.com", "aol.com", "gmx.de", "gmx.net", "gmx.at", "web.de",
    "freenet.de", "protonmail.com", "proton.me", "zoho.com", "laposte.net", "libero.it",
    "virgilio.it", "bol.com.br", "mail.ru", "yandex.ru", "rambler.ru", "ukr.net", "seznam.cz",
    "onet.pl", "interia.pl", "naver.com", "daum.net", "qq.com", "163.com", "126.com",
    "rediffmail.com",
)  # fmt: skip
# So short, or so close to another name, that they would often be a wrong correction.
_FREE_BUT_NOT_SUGGESTED = (
    "me.com", "mail.com", "bk.ru", "inbox.ru", "list.ru", "yandex.com", "tutanota.com",
)  # fmt: skip
# For paying customers, most of them of a line to the Internet.
_PAID_FOR = (
    "t-online.de", "fastmail.com", "comcast.net", "verizon.net", "orange.fr", "wanadoo.fr",
    "free.fr", "terra.com.br", "uol.com.br", "btinternet.com", "bigpond.com",
)  # fmt: skip

# Anyone gets an address at these domains for nothing.
FREE_MAILBOXES = frozenset(_FREE_AND_WELL_KNOWN + _FREE_BUT_NOT_SUGGESTED)
# What a slip of the finger was probably meant to be.
SUGGESTED_DOMAINS = _FREE_AND_WELL_KNOWN + _PAID_FOR
