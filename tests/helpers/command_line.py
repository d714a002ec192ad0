"""The command line as a user starts it, in this process: starting Python takes longer than most commands."""

import contextlib
import io
import os
import subprocess
import sys
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


def run_alone(*arguments, **options):
    """The same in a process of its own, for what is about processes."""
    words = [sys.executable, "-m", "forestage", *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, check=False, env=os.environ, **options)
