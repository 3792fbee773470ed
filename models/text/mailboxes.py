"""Domains where most readers have their mailbox."""

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
# So short, or so close to another name, that a suggested correction would often be wrong.
_FREE_BUT_NOT_SUGGESTED = (
    "me.com", "mail.com", "bk.ru", "inbox.ru", "list.ru", "yandex.com", "tutanota.com",
)  # fmt: skip
# For paying customers, mostly of an Internet provider.
_PAID_FOR = (
    "t-online.de", "fastmail.com", "comcast.net", "verizon.net", "orange.fr", "wanadoo.fr",
    "free.fr", "terra.com.br", "uol.com.br", "btinternet.com", "bigpond.com",
)  # fmt: skip

# Domains that give anyone an address for free.
FREE_MAILBOXES = frozenset(_FREE_AND_WELL_KNOWN + _FREE_BUT_NOT_SUGGESTED)
# What a typing mistake in a domain probably meant.
SUGGESTED_DOMAINS = _FREE_AND_WELL_KNOWN + _PAID_FOR
