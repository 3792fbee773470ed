"""`greenroom sso`: the secrets of a site's own sign-on."""

# ruff: noqa: PLC0415 — imported by the command that needs it

from __future__ import annotations

import click

from service.commands.database import checked

_BY = "the command line"


@click.group()
def sso() -> None:
    """Manage the secrets with which sites sign the tokens of their readers."""


@sso.command("create")
@click.option("--site", "site_key", metavar="KEY", required=True, help="The site that signs.")
def create_secret(site_key: str) -> None:
    """Create a secret and print it. It is not shown again. Two secrets can be live at once, so that
    you can replace one without signing readers out.
    """
    with checked():
        from service.readers import sign_on

        click.echo(sign_on.create_secret(sign_on.site_id_of(site_key), by=_BY))


@sso.command("list")
@click.option("--site", "site_key", metavar="KEY", help="List only the secrets of this site.")
@click.option("--all", "ended", is_flag=True, help="Also list revoked secrets.")
def list_secrets(site_key: str | None, ended: bool) -> None:
    """List the secrets, oldest first, one per line. Each line begins with the secret's id."""
    with checked():
        from service.readers import sign_on

        site_id = sign_on.site_id_of(site_key) if site_key else None
        for secret in sign_on.list_secrets(site_id):
            if ended or secret.revoked_at is None:
                click.echo(sign_on.line(secret))


@sso.command("revoke")
@click.argument("kid", metavar="KID")
def revoke_secret(kid: str) -> None:
    """Revoke the secret KID immediately and permanently."""
    with checked():
        from service.readers import sign_on

        if not sign_on.revoke_secret(kid, by=_BY):
            raise click.ClickException(f"There is no live secret {kid!r}. See greenroom sso list.")
