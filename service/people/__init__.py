"""Moderators: accounts, roles, invitations, passwords, mail."""
