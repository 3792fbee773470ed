"""What readers load: the embed's files, and the pages that work without JavaScript."""

from service.embed import confirming, mail, objections, pages, receipts
from service.embed.blueprint import embed

__all__ = ["confirming", "embed", "mail", "objections", "pages", "receipts"]
