"""What readers load: the embed's files, and the pages that work without JavaScript."""

from service.embed import appeals, confirming, mail, objections, pages, receipts
from service.embed.blueprint import embed

__all__ = ["appeals", "confirming", "embed", "mail", "objections", "pages", "receipts"]
