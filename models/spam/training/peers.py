"""Two mail filters that anybody could run instead, on the same comments: bogofilter and
SpamAssassin's Bayes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np

from models.spam.training.base_model import Floats
from models.spam.training.corpus import Row
from models.spam.training.evaluation import Judged, near_duplicates, parts

Filter: TypeAlias = Callable[
    [Path, Sequence[Path], Sequence[Path], Sequence[Path]], dict[str, float]
]

_LEAST = 1e-12
_SECONDS = 900  # for one fold

# SpamAssassin's own programs take a second to start for each message, and say the probability in
# steps only. This learns files of spam and ham and prints the probability that its Bayes gives each
# of the others.
_SPAMASSASSIN = r"""
use strict; use Mail::SpamAssassin; use Mail::SpamAssassin::PerMsgStatus;
my ($home) = @ARGV;
my $sa = Mail::SpamAssassin->new({
    local_tests_only => 1, dont_copy_prefs => 1, userstate_dir => $home, userprefs_filename => "$home/none",
    site_rules_filename => "$home/none", rules_filename => "$home/none",
    config_text => "loadplugin Mail::SpamAssassin::Plugin::Bayes\nuse_bayes 1\nbayes_path $home/bayes\n"
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
    """Those that are here, by name."""
    found: dict[str, Filter] = {}
    if shutil.which("bogofilter"):
        found["bogofilter"] = _bogofilter
    if shutil.which("sa-learn") and shutil.which("perl"):
        found["SpamAssassin's Bayes"] = _spamassassin
    return found


def judge(
    rows: Sequence[Row], by: Filter, *, each: Callable[[Iterable[str]], Iterable[str]] = iter
) -> Judged:
    """Every row judged by the filter after it learned the other parts, as `evaluation.judge` does
    with our model.
    """
    part, spam = np.array(parts(rows)), np.array([row.spam for row in rows], bool)
    scores = np.zeros(len(rows))
    for name in each(sorted(set(part.tolist()))):
        out = part == name
        scores[out] = _fold(rows, out.tolist(), by)
    return Judged(part, spam, scores, near_duplicates([row.text for row in rows], part))


def _fold(rows: Sequence[Row], out: Sequence[bool], by: Filter) -> Floats:
    with tempfile.TemporaryDirectory(prefix="greenroom-peers-") as folder:
        home = Path(folder)
        mails = [_mail(home / f"{number}.eml", row.text) for number, row in enumerate(rows)]
        spam = [
            mail for mail, row, held in zip(mails, rows, out, strict=True) if row.spam and not held
        ]
        ham = [
            mail for mail, row, held in zip(mails, rows, out, strict=True) if not (row.spam or held)
        ]
        judged = [mail for mail, held in zip(mails, out, strict=True) if held]
        found = by(home, spam, ham, judged)
        probabilities = np.clip([found[str(mail)] for mail in judged], _LEAST, 1 - _LEAST)
        return np.asarray(np.log(probabilities / (1 - probabilities)), float)


def _mail(path: Path, text: str) -> Path:
    """The comment as the body of a mail that says nothing else."""
    head = (
        "MIME-Version: 1.0\nContent-Type: text/plain; "
        "charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
    )
    path.write_text(f"{head}{text}\n", encoding="utf-8")
    return path


def _bogofilter(
    home: Path, spam: Sequence[Path], ham: Sequence[Path], judged: Sequence[Path]
) -> dict[str, float]:
    for kind, mails in (("-s", spam), ("-n", ham)):
        _run(["bogofilter", "-C", "-d", str(home), kind, "-b"], _lines(map(str, mails)), home)
    said = _run(["bogofilter", "-C", "-d", str(home), "-b", "-TT"], _lines(map(str, judged)), home)
    return {
        path: float(score)
        for path, score in (line.split()[:: len(line.split()) - 1] for line in said)
    }


def _spamassassin(
    home: Path, spam: Sequence[Path], ham: Sequence[Path], judged: Sequence[Path]
) -> dict[str, float]:
    kinds = (("spam", spam), ("ham", ham), ("judge", judged))
    lines = _lines(f"{what}\t{mail}" for what, mails in kinds for mail in mails)
    said = _run(["perl", "-e", _SPAMASSASSIN, str(home)], lines, home)
    return {path: float(score) for path, score in (line.split("\t") for line in said)}


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
    if done.returncode > 2 or (
        done.returncode and command[0] == "perl"
    ):  # bogofilter's 0, 1 and 2 are its verdicts
        raise OSError(f"{command[0]} failed: {done.stderr.strip()[-300:]}")
    return done.stdout.splitlines()
