"""Every module has a test file at the mirrored place, or a line here that names the test for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
ROOT = TESTS.parent
PACKAGES = ("service", "worker", "models")
WITHOUT_TESTS_OF_THEIR_OWN = ("models/migrations/versions/", "models/records/")

# Modules that other tests reach, mostly through HTTP or a command.
COVERED = {
    # Calls of the API are tested where their rules are.
    "service/api/appeals.py": "service/readers/test_appeals.py",
    "service/api/blocks.py": "service/moderation/test_blocks.py",
    "service/api/comments.py": "service/api/test_decisions.py",
    "service/api/examples/receiver.py": "service/webhooks/test_tools.py",
    "service/api/lists.py": "service/api/test_every_call.py",
    "service/api/log.py": "service/moderation/test_log.py",
    "service/api/model_versions.py": "service/sites/test_model_versions.py",
    "service/api/notes.py": "service/moderation/test_notes.py",
    "service/api/people.py": "service/people/test_team.py",
    "service/api/public.py": "service/comments/test_accepting.py",
    "service/api/notices.py": "service/readers/test_notices.py",
    "service/api/quality.py": "service/sites/test_quality.py",
    "service/api/receipts.py": "service/comments/test_receipts.py",
    "service/api/reports.py": "service/readers/test_reports.py",
    "service/api/threads.py": "service/moderation/test_threads.py",
    "service/api/mailing.py": "service/readers/test_proving.py",
    "service/embed/confirming.py": "service/readers/test_proving.py",
    "service/readers/reader_keys.py": "service/readers/test_proving.py",
    "service/readers/following.py": "service/readers/test_mail_choices.py",
    "service/embed/mail.py": "service/readers/test_mail_choices.py",
    "models/mailing/choices.py": "service/readers/test_mail_choices.py",
    "models/text/disposable.py": "service/readers/test_proving.py",
    "service/api/transparency.py": "service/moderation/test_transparency.py",
    "service/api/webhooks.py": "service/webhooks/test_webhooks.py",
    "service/app.py": "service/test_routes.py",
    "service/commands/error_rates.py": "service/sites/test_error_rates.py",
    "service/commands/database.py": "service/commands/test_commands.py",
    "service/commands/key.py": "service/people/test_api_keys.py",
    "service/commands/main.py": "service/commands/test_commands.py",
    "service/commands/moderator.py": "service/commands/test_commands.py",
    "service/commands/site.py": "service/commands/test_commands.py",
    "service/commands/operations.py": "service/operations/test_backup.py",
    "service/commands/transparency.py": "service/moderation/test_transparency.py",
    "service/commands/site_model.py": "service/sites/test_model_versions.py",
    "service/commands/webhook.py": "service/webhooks/test_tools.py",
    # Pages of the console.
    "service/console/blocks.py": "service/console/test_people.py",
    "service/console/blueprint.py": "service/test_routes.py",
    "service/console/calls.py": "browser/test_console.py",
    "service/console/log.py": "service/console/test_people.py",
    "service/console/news.py": "service/moderation/test_news.py",
    "service/console/notices.py": "service/console/test_objections.py",
    "service/console/notes.py": "service/console/test_people.py",
    "service/console/pages.py": "service/console/test_queue.py",
    "service/console/quality.py": "service/sites/test_quality.py",
    "service/console/scores.py": "service/moderation/test_explaining.py",
    "service/console/sessions.py": "service/console/test_getting_in.py",
    "service/console/settings.py": "service/console/test_people.py",
    "service/console/shortcuts.py": "browser/test_console.py",
    "service/console/signing_in.py": "service/console/test_getting_in.py",
    "service/console/team.py": "service/console/test_people.py",
    "service/console/threads.py": "service/moderation/test_threads.py",
    "service/console/transparency.py": "service/moderation/test_transparency.py",
    "models/settling/edits.py": "models/settling/test_editing.py",
    "service/readers/mine.py": "service/embed/test_mine.py",
    "service/comments/owning.py": "models/settling/test_editing.py",
    "service/embed/receipts.py": "service/embed/test_pages.py",
    "service/http/sharing.py": "service/comments/test_accepting.py",
    # The record of a rejection, from its rule to the appeal.
    "models/judgement/rules.py": "service/readers/test_appeals.py",
    "models/settling/appeals.py": "service/readers/test_appeals.py",
    "models/settling/site_rules.py": "service/readers/test_appeals.py",
    "models/settling/statements.py": "service/readers/test_appeals.py",
    # Types and constants, or a frame around a module with its own test.
    "service/gate/rsgi.py": "service/gate/test_environ.py",
    "service/http/body_sizes.py": "service/gate/test_app.py",
    "service/http/api_types.py": "service/api/test_openapi.py",
    "service/operations/violation.py": "service/operations/test_doctor.py",
    "service/wsgi.py": "service/up/test_supervisor.py",
    # Uses the fixtures of the checks that it runs.
    "worker/lots.py": "worker/webhooks/test_retention.py",
    "worker/screening/examination.py": "worker/checks/test_examination.py",
    "models/abuse/training/card.py": "models/abuse/training/test_measuring.py",
    "models/judgement/candidate.py": "worker/checks/test_context.py",
    "models/classifier/explained.py": "models/classifier/test_explanation.py",
    "models/judgement/scores.py": "models/classifier/test_file.py",
    "models/store/published.py": "worker/publishing/test_publishing.py",
    "worker/learning/__main__.py": "worker/learning/test_learner.py",
    "worker/learning/material.py": "worker/learning/test_training.py",
    "worker/learning/outcomes.py": "worker/learning/test_site_cards.py",
    "worker/screening/isolated.py": "worker/screening/test_isolation.py",
    # One test for a whole feature.
    "service/moderation/objections.py": "service/readers/test_reports.py",
    "service/http/api_keys.py": "service/api/test_every_call.py",
    "service/operations/lost_keys.py": "models/store/test_keyring.py",
    "service/operations/restore.py": "service/operations/test_backup.py",
    "service/operations/rules.py": "service/operations/test_doctor.py",
    "service/operations/strays.py": "service/operations/test_doctor.py",
    "service/people/mail.py": "service/people/test_passwords.py",
    "service/sites/lookup.py": "models/store/test_deadlines.py",
    "service/sites/quality_csv.py": "service/sites/test_quality.py",
    "service/sites/quality_rows.py": "service/sites/test_quality.py",
    "service/sites/policy_words.py": "service/moderation/test_news.py",
    "service/up/valkey.py": "service/up/test_supervisor.py",
    "service/webhooks/delivery_log.py": "service/webhooks/test_webhooks.py",
    "service/webhooks/endpoints.py": "service/webhooks/test_webhooks.py",
    "service/webhooks/redelivery.py": "service/webhooks/test_webhooks.py",
    "service/webhooks/shapes.py": "service/webhooks/test_webhooks.py",
    "worker/app.py": "worker/test_brokers.py",
    "worker/publishing/pages.py": "worker/publishing/test_publishing.py",
    "worker/resolver.py": "worker/checks/test_email.py",
    "worker/screening/careful.py": "worker/screening/test_isolation.py",
    "worker/screening/waiting.py": "worker/screening/test_isolation.py",
    "worker/mail/rounds.py": "worker/mail/test_sending.py",
    "worker/mail/followers.py": "worker/mail/test_letters.py",
    "models/settling/mailing.py": "worker/mail/test_letters.py",
    "models/store/receipts.py": "service/comments/test_receipts.py",
    "worker/webhooks/sending.py": "service/webhooks/test_webhooks.py",
    "models/judgement/language.py": "worker/checks/test_language.py",
    "models/judgement/words.py": "worker/checks/test_words.py",
    "models/migrations/env.py": "models/migrations/test_migrations.py",
    "models/migrations/repeatable.py": "models/migrations/test_killed.py",
    "models/settling/contacts.py": "service/readers/test_notices.py",
    "models/settling/drafts.py": "models/settling/test_settling.py",
    "models/settling/events.py": "models/settling/test_settling.py",
    "models/settling/site_scores.py": "worker/learning/test_watching.py",
    "models/settling/picks.py": "worker/learning/test_teaching.py",
    "models/settling/notice_mails.py": "story/test_notice.py",
    "models/settling/reports.py": "models/settling/test_objecting.py",
    "models/settling/rows.py": "models/settling/test_settling.py",
    "models/classifier/site_card.py": "worker/learning/test_site_cards.py",
    "models/store/migrate.py": "models/migrations/test_migrations.py",
    "models/store/postgresql.py": "models/store/test_deadlines.py",
    "models/store/signed_ids.py": "service/readers/test_reports.py",
    "models/store/storage.py": "worker/publishing/test_publishing.py",
}


def mirrored(module: str) -> Path:
    """Return where the tests of a module belong: `service/up/part.py` has
    `tests/service/up/test_part.py`.
    """
    path = Path(module)
    return TESTS / path.parent / f"test_{path.name}"


def modules() -> Iterator[str]:
    """Return every module that may need tests, as a path from the project's root."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            module = path.relative_to(ROOT).as_posix()
            if path.name != "__init__.py" and not module.startswith(WITHOUT_TESTS_OF_THEIR_OWN):
                yield module


def untested(names: Iterator[str]) -> list[str]:
    return [name for name in names if not mirrored(name).exists() and name not in COVERED]


def test_every_module_has_tests_that_are_found_by_its_name() -> None:
    """Write `tests/<folder>/test_<name>.py`; a line in `COVERED` is the second-best answer."""
    assert untested(modules()) == []


def test_a_new_module_without_tests_is_noticed() -> None:
    assert untested(iter(["service/up/brand_new.py"])) == ["service/up/brand_new.py"]
    assert untested(iter(["service/up/part.py"])) == []


@pytest.mark.parametrize("module", COVERED)
def test_a_line_of_the_table_is_true(module: str) -> None:
    """If this fails, remove the line: the module is gone or has a test file of its own."""
    assert (ROOT / module).exists()
    assert (TESTS / COVERED[module]).exists()
    assert not mirrored(module).exists()
