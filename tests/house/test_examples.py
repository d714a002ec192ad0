"""The examples of the documentation run as they stand."""

import subprocess
import sys

import pytest

from forestage import load_preset
from places import ROOT

EXAMPLES = sorted((ROOT / "docs" / "examples").glob("*.py"))


@pytest.mark.slow
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_example_runs(example, tmp_path):
    result = subprocess.run(
        [sys.executable, "-W", "error", example], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert "is heard at" in result.stdout
    assert load_preset(tmp_path / "shelf-box.json").name == "Shelf Box Drive 8 dB"
    assert (tmp_path / "shelf-box.png").stat().st_size > 50_000
