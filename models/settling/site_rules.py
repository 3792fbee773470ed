"""The rules of a site: its own, or else one for each reason in the site's language."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.judgement.policy import Verdict
from models.judgement.rules import REASONS, Rule, rule_for, rule_named
from models.locales.words import words_for
from models.records import Site
from models.settling.changes import Change

_OWN = select(Site.policy["rules"], Site.locale)


def default_rules(locale: str) -> tuple[Rule, ...]:
    """Return one rule for each reason, in this language or in English."""
    words = words_for(locale).appeal
    return tuple(
        Rule(
            key=reason,
            title=words[f"rule_{reason}_title"],
            text=words[f"rule_{reason}_text"],
            reason=reason,
        )
        for reason in REASONS
    )


def rules_of(own: Sequence[Rule], locale: str) -> tuple[Rule, ...]:
    return tuple(own) or default_rules(locale)


def site_rules(session: Session, site_id: int) -> tuple[Rule, ...]:
    stored, locale = session.execute(_OWN.where(Site.id == site_id)).one()
    return rules_of([Rule.model_validate(rule) for rule in stored or ()], locale)


class RulesInUse:
    """The rules that the decisions of one transaction apply. Each site's rules are read once, when
    they are first needed.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._of: dict[int, tuple[Rule, ...]] = {}

    def applied(self, change: Change, site_id: int) -> Rule | None:
        """Return the rule that the decision names, or the rule of a rejection's reason. Undoing a
        decision applies none.
        """
        if change.undoes or not (change.rule or change.verdict is Verdict.REJECT):
            return None
        if site_id not in self._of:
            self._of[site_id] = site_rules(self._session, site_id)
        rules = self._of[site_id]
        if change.rule:
            return rule_named(rules, change.rule)
        return rule_for(rules, change.reason or "other")
