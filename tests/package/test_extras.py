"""Parts of the package that need something besides say how to install it."""

import subprocess
import sys

import pytest

HIDDEN = "import sys; sys.modules[{!r}] = None; "


def told(missing, code):
    """What a Python without a package says at the end."""
    result = subprocess.run([sys.executable, "-c", HIDDEN.format(missing) + code], capture_output=True, text=True)
    return result.returncode, result.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize("missing", ["pyarrow", "distributed"])
@pytest.mark.parametrize("code", ["import forestage.batch", "import forestage; forestage.sweep"])
def test_scale_is_asked_for_by_name(missing, code):
    error = f"ModuleNotFoundError: {missing} is not installed: pip install 'forestage[scale]'"
    assert told(missing, code) == (1, error)


@pytest.mark.parametrize("command", ["batch songs -p laptop -o out", "sweep space.toml -o out"])
def test_commands_say_the_same_without_a_traceback(command):
    code = f"sys.argv[1:] = {command.split()!r}; import forestage.cli; forestage.cli.main()"
    status, error = told("pyarrow", code)
    assert status == 1
    assert error.endswith("pyarrow is not installed: pip install 'forestage[scale]'")
