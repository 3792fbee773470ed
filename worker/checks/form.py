"""Check how the comment was sent. The rules are part of the judgement (`models/judgement/form.py`),
because replaying a policy applies them again.
"""

from models.judgement.form import check

__all__ = ["check"]
