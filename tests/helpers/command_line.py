"""The command line as a user starts it, in this process: starting Python takes longer than most commands."""

import contextlib
import io
import signal
import subprocess
import warnings

from forestage.cli import cli
from forestage.command import run_command

UNHEARD = (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning)  # by Python's own default


def run(*arguments, cwd=None):
    """What a process of its own would return: exit status, standard output and error."""
    words = list(map(str, arguments))
    output, errors = io.StringIO(), io.StringIO()
    code = 0
    with (
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(errors),
        contextlib.chdir(cwd or "."),
        warnings.catch_warnings(),
    ):
        warnings.resetwarnings()
        for category in UNHEARD:
            warnings.simplefilter("ignore", category)
        try:
            run_command(cli, name="forestage", arguments=words)
        except SystemExit as end:
            code = end.code or 0
    return subprocess.CompletedProcess(words, code, output.getvalue(), errors.getvalue())


def mind_interrupts():
    """In a child before it begins: Ctrl-C ends it, also where whoever runs the tests has been told to ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
