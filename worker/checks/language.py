"""Check the language of a comment. The rules are part of the judgement
(`models/judgement/language.py`), because replaying a policy applies them again.
"""

from models.judgement.language import check, name_of

__all__ = ["check", "name_of"]
