"""Which modules of the package a run of tests executes: a plugin of pytest, for `./run test --fast --covers`."""

import ast
import inspect
import os
import sys
import threading
from pathlib import Path

import pytest

import forestage
from once import FOLDER

PACKAGE = Path(forestage.__file__).parent
PROCESSES = ("__main__.py", "make_excerpt.py", "sofa_trial.py")  # are started by themselves, where nobody looks
_seen = set()


def _note(frame, event, argument):
    _seen.add(frame.f_code)  # no line by line: nothing is returned


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol():
    sys.settrace(_note)
    threading.settrace(_note)
    try:
        return (yield)
    finally:
        sys.settrace(None)
        threading.settrace(None)


def pytest_sessionfinish():
    """Workers leave theirs in the folder of the run."""
    files = {code.co_filename for code in _seen if code.co_flags & inspect.CO_OPTIMIZED}  # functions
    Path(os.environ[FOLDER], f"covers-{os.getpid()}").write_text("\n".join(files), encoding="utf-8")


def pytest_terminal_summary(terminalreporter):
    run = {line for path in Path(os.environ[FOLDER]).glob("covers-*") for line in path.read_text().splitlines()}
    left = [path for path in sorted(PACKAGE.rglob("*.py")) if str(path) not in run and _has_functions(path)]
    for path in left:
        terminalreporter.line(f"no test ran any function of {path.relative_to(PACKAGE)}", red=True)
    terminalreporter.line(f"covers: {len(left)} modules left out")
    if left:
        terminalreporter._session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _has_functions(path: Path) -> bool:
    if path.name in PROCESSES:
        return False
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return any(isinstance(node, ast.FunctionDef) and not _only_says(node) for node in ast.walk(tree))


def _only_says(function: ast.FunctionDef) -> bool:
    """Of protocols: a docstring or dots."""
    return all(isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant) for line in function.body)
