"""Known providers of disposable email addresses."""

from __future__ import annotations


def disposable_host(domain: str) -> str | None:
    """Return the provider that this domain belongs to: the domain itself or a parent of it."""
    # The list takes half a megabyte, and not every process asks.
    from disposable_email_domains import blocklist  # noqa: PLC0415

    return next((parent for parent in parents(domain)[:-1] if parent in blocklist), None)


def parents(domain: str) -> list[str]:
    """Return the domain and its parents: for a.b.c, these are a.b.c, b.c and c."""
    labels = domain.split(".")
    return [".".join(labels[start:]) for start in range(len(labels))]
