"""Check for the owner's listed words. The search is part of the judgement
(`models/judgement/words.py`), because the console tries words and replays policies with it.
"""

from models.judgement.words import check, uses

__all__ = ["check", "uses"]
