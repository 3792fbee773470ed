"""Webhooks: claim deliveries that are due, post them safely, record each attempt."""
