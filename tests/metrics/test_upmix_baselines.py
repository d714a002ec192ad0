"""What the upmix is compared with: what each method does with simple sounds, and how its widths are chosen."""

import numpy as np
import pytest
import upmix_baselines
from upmix_baselines import Family, families, frames_of, spectral, tuned, vickers

from signals import noise, rms_db

NAMES = [(name, choice) for name, one in families().items() for choice in one.rules]


class Mix:
    def __init__(self, center, sides):
        self.center, self.sides, self.x = center, sides, center + sides


def mix(seed, *, pan):
    """Noise in the centre, and noise that is panned to the left."""
    center, side = noise(frames=12_000, seed=seed).astype(float)
    return Mix(center, np.stack([side, (1 - pan) * side]))


@pytest.mark.parametrize(("name", "choice"), [each for each in NAMES if each[0] != "linear MMSE"])
def test_baselines_pass_a_pure_centre(name, choice):
    """But for the linear estimate, whose formula is 0 / 0 where there are no sides."""
    mono = noise(frames=12_000).astype(float)[[0, 0]]
    left, _, center = families()[name].method(choice)(mono)
    inside = slice(4096, -4096)
    assert rms_db(left[inside]) - rms_db(mono[0, inside]) <= -30
    assert np.allclose(left + center, mono[0])


@pytest.mark.parametrize(("name", "choice"), NAMES)
def test_baselines_keep_most_of_a_hard_panned_sound_out(name, choice):
    hard = noise(frames=12_000).astype(float) * [[1], [0]]
    center = families()[name].method(choice)(hard)[2]
    assert rms_db(center[4096:-4096]) - rms_db(hard[0, 4096:-4096]) <= -12


@pytest.mark.slow
def test_factorisation_tells_the_centre_from_the_sides():
    """Of a melody in the centre it keeps most, of one at the left little."""
    melody = np.repeat([300.0, 500.0, 700.0, 400.0], 6000)
    tone = 0.2 * np.sin(2 * np.pi * np.cumsum(melody) / 48_000)
    method, inside = spectral(upmix_baselines.factorised), slice(4096, -4096)
    kept, leaked = (method(tone * np.array(gains))[2][inside] for gains in ([[1], [1]], [[1], [0]]))
    assert rms_db(kept) - rms_db(leaked) >= 12


def test_magnitude_difference_is_the_formula_of_vickers():
    left, right = np.array([[1.0, 1.0, 1.0]]), np.array([[1.0, 0.0, 0.5]])
    np.testing.assert_allclose(vickers(left, right, 1), [[1.0, 0.0, 0.5]], atol=1e-12)


def test_spectra_and_back_is_the_sound():
    x = noise(frames=12_345).astype(float)
    assert frames_of(x, 2048).shape[::2] == (2, 1025)
    np.testing.assert_allclose(spectral(lambda left, _right, _hop: left)(x)[2], x[0], atol=1e-12)


def test_widths_for_a_kind_are_the_best_on_the_other_kinds(monkeypatch):
    """Taking all of mid is best where sides are quiet, taking half of it where they are loud."""
    rules = {
        "all": lambda left, right, _hop: (left + right) / 2,
        "half": lambda left, right, _hop: (left + right) / 4,
    }
    monkeypatch.setattr(upmix_baselines, "families", lambda: {"gain": Family(2048, rules)})
    quiet = mix(1, pan=1.0)
    loud = Mix(0.1 * quiet.center, quiet.sides)
    found = tuned({"quiet sides": [Mix(quiet.center, 0.1 * quiet.sides)], "loud sides": [loud]})
    assert found == {"gain": {"quiet sides": "half", "loud sides": "all"}}
