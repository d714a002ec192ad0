"""What is loaded, and when: numpy, scipy and their like only where they compute something."""

import ast
import functools
import os
import subprocess
import sys

import pytest

import forestage
from forestage import choices
from forestage.acoustics.shoebox import ROOMS
from forestage.design.cancel import METHODS, CancelTarget
from forestage.design.variants import VARIANTS
from forestage.design.virtual_pair import VirtualPair

PACKAGES = "print(sorted({name.split('.')[0] for name in sys.modules} - sys.stdlib_module_names), file=sys.stderr)"
COMMANDS = (
    "audition",
    "design",
    "ears",
    "render",
    "validate",
    "export",
    "report",
    "presets",
    "install-plugin",
    "measure",
    "verify",
)


def packages_after(code, **environment):
    """Packages that are loaded when the code has run, and what it printed."""
    program = f"import atexit, sys\natexit.register(lambda: {PACKAGES})\n{code}"
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=os.environ | environment
    )
    *_, packages = result.stderr.splitlines()
    return set(ast.literal_eval(packages)), result.stdout


@functools.cache
def packages_of_bare_python():
    return packages_after("")[0]


def packages_added(code):
    return packages_after(code)[0] - packages_of_bare_python()


def command_line(*arguments):
    return f"from forestage.cli import main\nsys.argv[1:] = {list(arguments)}\nmain()"


def test_the_package_loads_nothing_but_itself():
    assert packages_added("import forestage; forestage.PARAMS, dir(forestage)") == {"forestage"}


def test_what_plays_loads_numpy_alone():
    names = "Renderer, load_preset, upmix, load_plugin, load_headphone_eq"
    assert packages_added(f"from forestage import {names}") <= {"forestage", "numpy"}


def test_version_and_help_load_click_alone():
    """All in one process: nothing that one of them loads is taken away again."""
    lines = [["--version"], ["--help"], *([command, "--help"] for command in COMMANDS)]
    each = "import contextlib, sys\nfrom forestage.cli import main\n" + "".join(
        f"with contextlib.suppress(SystemExit):\n    sys.argv[1:] = {line}\n    main()\n" for line in lines
    )
    packages, printed = packages_after(each)
    assert packages - packages_of_bare_python() == {"forestage", "click"}
    assert printed.count("Usage: ") == 1 + len(COMMANDS)


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("", "install-plugin"),
        ("design --", "--method"),
        ("design --method ", "minimax"),
        ("design --variant ", "wide-zone"),
        ("ears laptop --room ", "kitchen"),
        ("render a b --monitor ", "Speakers"),
    ],
)
def test_completion_loads_click_alone(words, completed):
    line = f"forestage {words}"
    shell = {"COMP_WORDS": line, "COMP_CWORD": str(line.count(" ")), "_FORESTAGE_COMPLETE": "bash_complete"}
    packages, printed = packages_after(command_line(), **shell)
    assert packages - packages_of_bare_python() == {"forestage", "click"}
    assert completed in [line.split(",")[1] for line in printed.splitlines()]


def test_every_public_name_is_there():
    assert set(forestage.__all__) <= set(dir(forestage))
    assert all(getattr(forestage, name) is not None for name in dir(forestage))
    with pytest.raises(AttributeError, match="module 'forestage' has no attribute 'rendering'"):
        forestage.rendering  # noqa: B018


@pytest.mark.slow
def test_functions_are_not_hidden_by_modules_of_their_name():
    """In either order, each in a fork of one process that has what takes long to load."""
    cases = []
    for first in ("forestage.design.designer", "forestage.design.cancel", "forestage.center"):
        cases.append(f"import {first}, forestage\nassert callable(forestage.design) and callable(forestage.upmix)")
        cases.append(f"import forestage\nforestage.design, forestage.upmix\nimport {first}\nforestage.design.__call__")
    program = f"""
import os, numpy, scipy.signal, scipy.optimize
for case in {cases!r}:
    child = os.fork()
    if child == 0:
        exec(case)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0, case
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_choices_are_those_of_what_they_choose():
    assert list(METHODS) == list(choices.METHODS)
    assert list(ROOMS) == list(choices.ROOMS)
    assert list(VARIANTS) == list(choices.VARIANTS)
    assert (CancelTarget().method, CancelTarget().drive_cap_db) == (choices.METHOD, choices.DRIVE_CAP_DB)
    assert VirtualPair().width_deg == choices.WIDTH_DEG
