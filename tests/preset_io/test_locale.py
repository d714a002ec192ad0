"""What the language of a system makes of numbers changes nothing that is read or written."""

import json
import locale
import subprocess

import numpy as np
import pytest

from forestage import Renderer, _core
from headphone_eqs import parametric
from make_preset import make_preset


@pytest.fixture
def comma_locale(tmp_path, monkeypatch):
    """With a comma before the decimals, as C sees it."""
    made = ["localedef", "-i", "de_DE", "-f", "ISO-8859-1", "--no-archive", str(tmp_path / "de_DE")]
    try:
        subprocess.run(made, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no locale can be made: {error}")
    monkeypatch.setenv("LOCPATH", str(tmp_path))
    before = locale.setlocale(locale.LC_ALL)
    locale.setlocale(locale.LC_ALL, "de_DE")
    assert locale.localeconv()["decimal_point"] == ","
    yield
    locale.setlocale(locale.LC_ALL, before)


def written():
    """Every text the core makes of numbers, and the filters that it reads from one."""
    preset = _core.parse_preset(json.dumps(make_preset()))
    eq = parametric()
    state = _core.parse_state(_core.write_state(preset, None, {"amount": 12.25, "output_trim_db": -3.5}))
    read = [_core.write_state(state["a"], None, state["parameters"]), state["parameters"], preset.to_json()]
    with pytest.raises(ValueError, match="sample_rate is") as refused:
        Renderer(preset, sample_rate=5000.5)
    with pytest.raises(ValueError, match="Gain") as too_loud:
        parametric("Filter 1: ON PK Fc 100 Hz Gain 300.5 dB Q 1.5")
    return read, np.array(eq.firs(sample_rate=48_000)).tobytes(), str(refused.value), str(too_loud.value)


def test_a_comma_before_decimals_changes_no_bit(comma_locale):
    with_comma = written()
    locale.setlocale(locale.LC_ALL, "C")
    assert with_comma == written()
    assert "sample_rate is 5000.5 Hz" in with_comma[2]
    assert "300.5" in with_comma[3]
