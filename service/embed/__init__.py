"""What readers load: the embed's files, and the pages that work without JavaScript."""

from service.embed import appeals, confirming, mail, mine, objections, pages, receipts
from service.embed.blueprint import embed

__all__ = ["appeals", "confirming", "embed", "mail", "mine", "objections", "pages", "receipts"]
