"""A policy's settings in words for moderators, for the settings page and for messages about
changes.
"""

from __future__ import annotations

CHOICES = {
    "ignore": "ignore this",
    "hint": "use the lower spam threshold",
    "flag": "hold the comment",
    "reject": "reject the comment",
}
NUMBERS = {
    "edit_minutes": "Let authors edit a comment for this many minutes",
    "reports_to_hold": "Weight of the reports that hold a published comment",
    "spam.flag_above": "Hold comments with at least this spam score",
    "spam.flag_above_with_hint": (
        "Hold comments with at least this score if another check found something"
    ),
    "spam.flag_above_little_known": (
        "Hold comments with at least this score in a language that the model has seen little of"
    ),
    "spam.reject_above": "Reject comments with at least this spam score",
    "abuse.flag_above": "Hold comments with at least this abuse score",
    "links.max_links": "Links allowed in one comment",
    "disguise.max_letters": "Letters in disguise allowed in one comment",
    "repeats.max_same": "Earlier comments with the same text allowed per day",
    "repeats.max_similar": "Earlier comments with nearly the same text allowed per day",
    "pace.max_per_minute": "Comments allowed per author per minute",
    "pace.max_per_hour": "Comments allowed per author per hour",
    "author.hold_after_rejections": "Hold an author's comments after this many rejections",
    "author.hold_first": "Hold a new author's comments until this many have been approved",
    "readers.trust_after": "Trust a known reader with this many approved comments and no rejection",
    "readers.trusted_spam_flag_above": (
        "Hold a trusted reader's comments with at least this spam score"
    ),
    "readers.hold_first": "Hold a known reader's comments until this many have been approved",
    "promises.good_held_back_one_in": "Hold or reject at most 1 in this many good comments",
    "promises.reviews_a_day": "Ask for at most this many reviews a day",
    "threads.close_after_days": "Close threads this many days after the first comment",
    "sample.share": "Share of automatic decisions to check in a blind sample",
}
LEFT_EMPTY = {
    "spam.reject_above": "never by score alone",
    "readers.trust_after": "nobody",
    "promises.good_held_back_one_in": "no limit",
    "promises.reviews_a_day": "no limit",
    "threads.close_after_days": "never automatically",
}
WEIGHTS = {
    "links.shorteners": "A link shortener that hides the target",
    "email.disposable": "A disposable email address",
    "email.impossible": "An email address that accepts no mail",
    "words.split": "A listed word with a space inside, like “via gra” for viagra",
    "disguise.letters": "More letters in disguise than that",
    "form.honeypot": "The hidden field that only bots fill in",
    "form.too_quick": "Posted faster than a person can type",
    "form.no_token": "No valid form token",
}
SWITCHES = {
    "words.plurals": "Also find words with a plural ending: casinos, boxes, lotteries",
    "words.digits_as_letters": (
        "Also find words with digits or symbols in place of letters: c4sino, ca$ino, casino2"
    ),
    "quality.public": "Publish the quality figures",
}
LISTS = {
    "words.blocked": "Words that reject a comment",
    "words.held": "Words that hold a comment",
    "words.blocked_patterns": "Patterns that reject a comment",
    "words.held_patterns": "Patterns that hold a comment",
}
OTHERS = {
    "moderation": "New comments",
    "identity": "Who may post",
    "readers.reserved_names": "Reserved names",
    "spam.when_abstaining": "Comments in a language that the spam model does not know",
    "abuse.when_abstaining": "Comments in a language that the abuse model does not know",
    "abuse.first_in_languages": "Languages in which a moderator reads every comment first",
    "threads.query": "URL parameters that identify a page of the site",
    "form.min_seconds": "Seconds that count as faster than a person can type",
    "rules": "Rules of the site",
    "could_not_run": "What happens if a check cannot run",
}
MAY_POST = {
    "anyone": "anyone",
    "proven": "readers with a confirmed address, and those who signed in",
    "signed_in": "only readers whom the site signed in",
}
SAID = {
    **CHOICES,
    **MAY_POST,
    "after": "go live if no check finds a problem",
    "before": "wait for a moderator",
    "approve": "rely on the other checks",
}
UNKNOWN_LANGUAGE = {
    "judge": "score only links and disguise",
    "flag": "hold them",
    "approve": "rely on the other checks",
}

NAMES = NUMBERS | WEIGHTS | SWITCHES | LISTS | OTHERS  # every setting of a policy has one
