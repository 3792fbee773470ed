"""Sending the mail that is owed to readers: `sending.py` makes the attempts, `rounds.py` claims
mails and records results, `letters.py` writes what they say.
"""
