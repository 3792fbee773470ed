"""A policy's settings in words for moderators, for the settings page and for messages about
changes.
"""

from __future__ import annotations

CHOICES = {"ignore": "nothing", "hint": "look closer", "flag": "hold it", "reject": "reject it"}
NUMBERS = {
    "spam.flag_above": "Hold a comment from this spam score on",
    "spam.flag_above_with_hint": "Hold it from this one on, where something else is odd",
    "spam.flag_above_little_known": (
        "Hold it from this one on in a language the model knows little of"
    ),
    "spam.reject_above": "Reject it from this score on",
    "links.max_links": "Links that are fine in one comment",
    "repeats.max_same": "Times the same words may be said in a day",
    "repeats.max_similar": "Times nearly the same may be said in a day",
    "pace.max_per_minute": "Comments an author may write in a minute",
    "pace.max_per_hour": "Comments an author may write in an hour",
    "author.hold_after_rejections": "Hold an author's comments after this many rejections",
    "author.hold_first": "Hold an author's first comments, so many",
    "promises.good_held_back_one_in": "Hold back at most 1 in so many good comments",
    "promises.reviews_a_day": "Ask for at most so many reviews a day",
    "threads.close_after_days": "Close a thread after so many days",
    "sample.share": "The share of automatic decisions that one of you judges blindly",
}
LEFT_EMPTY = {
    "spam.reject_above": "never by the score alone",
    "promises.good_held_back_one_in": "no such promise",
    "promises.reviews_a_day": "as many as there are",
    "threads.close_after_days": "never by itself",
}
WEIGHTS = {
    "links.shorteners": "A link shortener that hides where it leads",
    "email.disposable": "A throw-away email address",
    "email.impossible": "An email address that takes no mail",
    "words.split": "A listed word with a blank inside, like “via gra” for viagra",
    "form.honeypot": "The field that only machines fill in",
    "form.too_quick": "Sent quicker than anyone types",
    "form.no_token": "Came without the form",
}
SWITCHES = {
    "words.plurals": "Also find a word with one plural ending: casinos, boxes, lotteries",
    "words.digits_as_letters": (
        "Also find a word with digits or signs for letters: c4sino, ca$ino, casino2"
    ),
}
LISTS = {
    "words.blocked": "Words that reject a comment",
    "words.held": "Words that hold a comment",
    "words.blocked_patterns": "Patterns that reject a comment",
    "words.held_patterns": "Patterns that hold a comment",
}
OTHERS = {
    "moderation": "New comments",
    "spam.when_abstaining": "A language the model has not learned",
    "threads.query": "Parameters that tell one page of the site from another",
    "form.min_seconds": "Seconds that are quicker than anyone types",
    "could_not_run": "What follows when a check could not run",
}
SAID = {
    **CHOICES,
    "after": "go live when nothing is found",
    "before": "are always read by a moderator first",
    "approve": "let the other checks decide",
}

NAMES = NUMBERS | WEIGHTS | SWITCHES | LISTS | OTHERS  # every setting of a policy has one
