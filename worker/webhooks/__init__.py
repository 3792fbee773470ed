"""Sending webhooks: claim what is due, post it safely, record each attempt."""
