"""The moderators' pages."""

from service.console import calls, keys, pages, signing_in
from service.console.blueprint import console

__all__ = ["calls", "console", "keys", "pages", "signing_in"]
