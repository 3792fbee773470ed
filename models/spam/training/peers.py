"""Measures two mail filters that anyone could use instead on the same comments: bogofilter and
SpamAssassin's Bayes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np

from models.classifier.model import Floats
from models.classifier.training.base_model import Flags
from models.classifier.training.corpus import Row
from models.classifier.training.evaluation import Judged
from models.classifier.training.parts import near_duplicates, parts


class Mails(NamedTuple):
    """Files to learn as spam and as ham, files to judge, and a folder for the filter's data."""

    home: Path
    spam: list[Path]
    ham: list[Path]
    judged: list[Path]


Filter: TypeAlias = Callable[[Mails], dict[str, float]]  # the probability of spam by path

_LEAST = 1e-12
_SECONDS = 900  # for one part

# SpamAssassin's own programs take a second to start for each message, and print the probability
# only roughly. This program learns the files of spam and ham, and prints the probability that its
# Bayes gives to each of the others.
_SPAMASSASSIN = r"""
use strict; use Mail::SpamAssassin; use Mail::SpamAssassin::PerMsgStatus;
my ($home) = @ARGV;
my $sa = Mail::SpamAssassin->new({
    local_tests_only => 1, dont_copy_prefs => 1,
    userstate_dir => $home, userprefs_filename => "$home/none",
    site_rules_filename => "$home/none", rules_filename => "$home/none",
    config_text => "loadplugin Mail::SpamAssassin::Plugin::Bayes\nuse_bayes 1\n"
        . "bayes_path $home/bayes\n"
        . "bayes_min_ham_num 1\nbayes_min_spam_num 1\nbayes_auto_learn 0\nbayes_auto_expire 0\n"
        . "util_rb_tld com net org info biz ru de uk\n",
});
$sa->init(1);
my ($bayes) = grep { ref eq 'Mail::SpamAssassin::Plugin::Bayes' } @{$sa->{plugins}{plugins}};
$sa->init_learner({ wait_for_lock => 1, caller_will_untie => 1 });
while (my $line = <STDIN>) {
    chomp $line;
    my ($what, $path) = split /\t/, $line, 2;
    open my $file, '<:raw', $path or die $!;
    my $message = $sa->parse([<$file>]);
    if ($what eq 'judge') {
        my $status = Mail::SpamAssassin::PerMsgStatus->new($sa, $message);
        $status->extract_message_metadata();
        my $p = $bayes->scan($status, $message);
        print "$path\t", defined $p ? $p : 0.5, "\n";
        $status->finish;
    } else {
        $sa->learn($message, undef, $what eq 'spam' ? 1 : 0, 0)->finish;
    }
    $message->finish;
}
$sa->finish_learner;
"""


def installed() -> dict[str, Filter]:
    """Return the filters that are installed on this machine, by name."""
    found: dict[str, Filter] = {}
    if shutil.which("bogofilter"):
        found["bogofilter"] = _bogofilter
    if shutil.which("sa-learn") and shutil.which("perl"):
        found["SpamAssassin's Bayes"] = _spamassassin
    return found


def judge(
    rows: Sequence[Row], by: Filter, *, each: Callable[[Iterable[str]], Iterable[str]] = iter
) -> Judged:
    """Let the filter score each part of the rows after it learned the other parts, as
    `evaluation.judge` does with our model.
    """
    part = np.array(parts(rows))
    spam, scores = np.array([row.spam for row in rows], bool), np.zeros(len(rows))
    for name in each(sorted(set(part.tolist()))):
        out = part == name
        scores[out] = _log_odds(rows, out, by)
    return Judged(part, spam, scores, near_duplicates([row.text for row in rows], part.tolist()))


def _log_odds(rows: Sequence[Row], out: Flags, by: Filter) -> Floats:
    """Return the log-odds of the rows that are left out."""
    with tempfile.TemporaryDirectory(prefix="greenroom-peers-") as folder:
        mails = Mails(Path(folder), [], [], [])
        for number, (row, is_out) in enumerate(zip(rows, out.tolist(), strict=True)):
            kind = mails.judged if is_out else mails.spam if row.spam else mails.ham
            kind.append(_mail(mails.home / f"{number}.eml", row.text))
        found = by(mails)
        probabilities = np.clip([found[str(mail)] for mail in mails.judged], _LEAST, 1 - _LEAST)
        return np.asarray(np.log(probabilities / (1 - probabilities)), float)


def _mail(path: Path, text: str) -> Path:
    """Write the comment as the body of a mail with as few headers as possible."""
    head = (
        "MIME-Version: 1.0\nContent-Type: text/plain; "
        "charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
    )
    path.write_text(f"{head}{text}\n", encoding="utf-8")
    return path


def _bogofilter(mails: Mails) -> dict[str, float]:
    command = ["bogofilter", "-C", "-d", str(mails.home), "-b"]
    for kind, paths in (("-s", mails.spam), ("-n", mails.ham)):
        _run([*command, kind], _lines(map(str, paths)), mails.home)
    found = {}
    for line in _run([*command, "-TT"], _lines(map(str, mails.judged)), mails.home):
        path, *_, probability = line.split()
        found[path] = float(probability)
    return found


def _spamassassin(mails: Mails) -> dict[str, float]:
    kinds = (("spam", mails.spam), ("ham", mails.ham), ("judge", mails.judged))
    orders = _lines(f"{kind}\t{path}" for kind, paths in kinds for path in paths)
    found = {}
    for line in _run(["perl", "-e", _SPAMASSASSIN, str(mails.home)], orders, mails.home):
        path, probability = line.split("\t")
        found[path] = float(probability)
    return found


def _lines(words: Iterable[str]) -> str:
    return "".join(f"{word}\n" for word in words)


def _run(command: Sequence[str], lines: str, home: Path) -> list[str]:
    environment = os.environ | {"HOME": str(home), "LC_ALL": "C.UTF-8"}
    done = subprocess.run(  # noqa: S603 — fixed programs
        command,
        input=lines,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        env=environment,
        check=False,
    )
    is_bogofilters_verdict = command[0] == "bogofilter" and done.returncode <= 2
    if done.returncode and not is_bogofilters_verdict:
        raise OSError(f"{command[0]} failed: {done.stderr.strip()[-300:]}")
    return done.stdout.splitlines()
