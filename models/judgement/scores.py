"""The scores that can hold a comment. Each has a check of its name, a base model, and thresholds in
the policy; a site may have its own model for each.
"""

from __future__ import annotations

SPAM, ABUSE = "spam", "abuse"
SCORES = (SPAM, ABUSE)
