"""Azimuth of a virtual loudspeaker by the two cues, beside a published model of a listener.

Needs `pip install bayesian_listener==0.3.0`, which brings numba and pandas: some 700 MB, so nothing else depends on it.
"""

from importlib.metadata import version

import numpy as np
import sofar
from bayesian_listener import BayesianListener
from evidence import Table, write

from forestage.acoustics.head import Head
from forestage.acoustics.spherical_harmonics import fibonacci_quadrature
from forestage.constants import SAMPLE_RATE, SPEED_OF_SOUND_M_S
from forestage.design.virtual_pair import closed_form_far_ear
from forestage.metrics.localisation import LEVEL_HZ, TIME_HZ, Localiser

DISTANCE_M = 2.0
FRAMES = 1024
FREQUENCY_HZ = np.fft.rfftfreq(FRAMES, 1 / SAMPLE_RATE)
DIRECTIONS = 1500
RING_DEG = np.arange(-90.0, 91.0, 2.0)
TRIALS = 300
CHUNK = 64
WIDTHS_DEG = (10.0, 20.0, 30.0, 45.0)
SEPARATIONS_DB = (np.inf, 20.0, 15.0, 12.0, 9.0, 6.0)
DEVICE_DEG = 2.6  # how far to the side each driver of a speaker of 18 cm stands at 2 m

TEXT = f"""
A sound comes from a virtual loudspeaker to the left. The ears get the crosstalk of the virtual pair, and some that a
cancellation has left: that of a real source at {DEVICE_DEG} degrees, turned down until the ears are the given
separation apart at every frequency. The head is a rigid sphere, the sound white.

"by time" and "by level" are the two figures of `forestage.metrics.localisation`. The listener is the Bayesian model of
Barumerli et al. (Acta Acustica 7:12, 2023), bayesian_listener {version("bayesian_listener")}, with its published noise:
median and spread of the lateral angle over {TRIALS} seeded trials, template and sounds from the same sphere, spectra
brought to the same mean level.

It is no substitute for the two figures. It has one time for all bands, from envelopes and in whole frames (21 us, 2.4
degrees in front), one level difference for the whole band, and a random answer; it cannot say that the cues disagree.
Where they agree, it agrees with both within two of its steps; where they part, it follows now one, now the other.
"""


def sphere(directions, frequency_hz):
    """Ears of the sphere for far sources, without the way to them, shape (2, k, n)."""
    parts = np.split(directions, range(CHUNK, len(directions), CHUNK))
    ears = np.concatenate([Head().ears(frequency_hz, DISTANCE_M * part) for part in parts], axis=1)
    return ears * DISTANCE_M * np.exp(2j * np.pi * np.asarray(frequency_hz) * DISTANCE_M / SPEED_OF_SOUND_M_S)


def on_ring(azimuth_deg):
    angle = np.deg2rad(np.atleast_1d(azimuth_deg))
    return np.stack([np.cos(angle), np.sin(angle), np.zeros_like(angle)], axis=-1)


def virtual(frequency_hz, *, width_deg, separation_db):
    """Ears of the left virtual loudspeaker through a cancellation that leaves some crosstalk, shape (2, n)."""
    near, far = sphere(on_ring(DEVICE_DEG), frequency_hz)[:, 0]
    left_over = far / near / np.abs(far / near) * 10 ** (-separation_db / 20)
    pair = closed_form_far_ear(width_deg, frequency_hz)
    return near * np.stack([1.0 + left_over * pair, left_over + pair])


def impulses(ears):
    """Impulse responses 3 ms late, shape (k, 2, frames)."""
    ears = ears * np.exp(-2j * np.pi * FREQUENCY_HZ * 3e-3)
    return np.fft.irfft(ears, FRAMES, axis=-1).swapaxes(0, 1)


def listener(ears, directions):
    """Bayesian listener with the features of some sounds (2, k, n) as its target."""
    data = sofar.Sofa("SimpleFreeFieldHRIR")
    data.Data_IR, data.Data_SamplingRate = impulses(ears), float(SAMPLE_RATE)
    azimuth_deg = np.rad2deg(np.arctan2(directions[:, 1], directions[:, 0])) % 360.0
    elevation_deg = np.rad2deg(np.arcsin(np.clip(directions[:, 2], -1.0, 1.0)))
    data.SourcePosition = np.stack([azimuth_deg, elevation_deg, np.full(len(directions), DISTANCE_M)], axis=-1)
    model = BayesianListener(data)
    model.compute_target(use_cache=False, reference="none")
    return model


def heard_deg(ears, template, directions):
    """Median and standard deviation of the lateral angle heard, each of shape (k,)."""
    model = listener(ears, np.tile([[1.0, 0.0, 0.0]], (ears.shape[1], 1)))
    spectra = model.target.spectral_cues
    model.target.spectral_cues = spectra - spectra.mean(axis=(1, 2), keepdims=True) + template.spectral_cues.mean()
    model.target.__post_init__()  # gathers the features anew
    model.template = template
    lateral_deg = np.rad2deg(np.arcsin(directions[:, 1]))[model.infer(repetitions=TRIALS, seed=0)]
    return np.median(lateral_deg, axis=1), lateral_deg.std(axis=1)


def rows_of(sounds, template, directions):
    """One row per sound: a mapping of what it is, and a function from frequencies to its ears."""
    ours = Localiser.of(Head(), distance_m=DISTANCE_M)
    time_deg, level_deg = (
        azimuth_deg(np.stack([sound(frequency) for _, sound in sounds], axis=1))
        for frequency, azimuth_deg in ((TIME_HZ, ours.time_azimuth_deg), (LEVEL_HZ, ours.level_azimuth_deg))
    )
    audible = np.maximum(FREQUENCY_HZ, 20.0)
    median_deg, spread_deg = heard_deg(np.stack([sound(audible) for _, sound in sounds], axis=1), template, directions)
    columns = ("by time", "by level", "listener, median", "listener, spread")
    return [
        what | {name: round(float(value), 1) for name, value in zip(columns, values, strict=True)}
        for (what, _), *values in zip(sounds, time_deg, level_deg, median_deg, spread_deg, strict=True)
    ]


def main():
    directions = np.concatenate([fibonacci_quadrature(DIRECTIONS).directions, on_ring(RING_DEG)])
    template = listener(sphere(directions, np.maximum(FREQUENCY_HZ, 20.0)), directions).target
    real = [
        ({"azimuth": f"{azimuth:g}°"}, lambda frequency, azimuth=azimuth: sphere(on_ring(azimuth), frequency)[:, 0])
        for azimuth in (3.0, 10.0, 20.0, 30.0, 45.0, 60.0)
    ]
    staged = [
        (
            {"stage width": f"±{width:g}°", "separation left": "all" if np.isinf(left) else f"{left:g} dB"},
            lambda frequency, width=width, left=left: virtual(frequency, width_deg=width, separation_db=left),
        )
        for width in WIDTHS_DEG
        for left in SEPARATIONS_DB
    ]
    tables = [
        Table("A real source, in degrees", rows_of(real, template, directions)),
        Table("A virtual loudspeaker, in degrees", rows_of(staged, template, directions)),
    ]
    write("localisation", "Where a virtual loudspeaker is heard", tables, text=TEXT)


if __name__ == "__main__":
    main()
