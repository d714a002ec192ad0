"""Measured heads: head-related impulse responses from a SOFA file, at any direction, distance and frequency.

    response(source) = rest(direction) · delay(direction) · sphere(source) / sphere(measured point)

The delay of every measured direction and ear is taken out before directions are interpolated, so that what is left
varies slowly between them, and put back after. Both are interpolated by spherical harmonics, or along the ring when
all directions lie in the horizontal plane. The rigid sphere whose interaural delays fit best brings a source to the
distance of the measurement: an ear hears it where its line of sight passes through the measured sphere (parallax), and
the ratio of the sphere's responses gives level, delay and near field. In the bass, where many measurements are weak,
the sphere takes over altogether.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import CubicSpline
from scipy.signal.windows import tukey

from forestage.acoustics.covariance import fit_directivity
from forestage.acoustics.direction_gaps import apart_deg
from forestage.acoustics.head import Head
from forestage.acoustics.head_measurement import HeadMeasurement, Progress, read_measurement, with_ears_found
from forestage.acoustics.measured_file import MeasuredFile, measured_file
from forestage.acoustics.sofa import SofaFile
from forestage.acoustics.spherical_harmonics import order_of, real_sh
from forestage.arrays import ComplexArray, FloatArray
from forestage.blas import one_thread
from forestage.constants import SPEED_OF_SOUND_M_S
from forestage.short_repr import ShortRepr

RING_ELEVATION_DEG = 5.0
SAME_DEG = 0.01
# What is heard between directions is then right to about 1 dB (found with spheres, rings and grids of 5 to 30 degrees)
WAVELENGTHS_APART = 0.2
REST_ORDER = 20
DELAY_ORDER = 8
LEAD_S = 0.7e-3
LENGTH_S = 6e-3
SPHERE_FADE_HZ = (150.0, 350.0)
LEVEL_BAND_HZ = (200.0, 600.0)
# Where sources are going to be, unless a caller knows better
USUAL_DISTANCE_M = 2.0
# Share of the work of reading a head that finds its ears
EARS_SHARE = 0.4


class Interpolator(Protocol):
    """Values between measured directions."""

    def __call__(self, directions: FloatArray) -> FloatArray:
        """Values at unit vectors (k, 3), shape (k, ...)."""


@dataclass(frozen=True, eq=False, repr=False)
class OnSphere(ShortRepr):
    """Interpolation by spherical harmonics: coefficients of shape ((order + 1)^2, ...)."""

    coefficients: FloatArray = field(repr=False)

    def __call__(self, directions: FloatArray) -> FloatArray:
        """Values at unit vectors."""
        return np.tensordot(real_sh(directions, order_of(self.coefficients)), self.coefficients, axes=1)


@dataclass(frozen=True, eq=False, repr=False)
class OnRing(ShortRepr):
    """Periodic interpolation over azimuth; other directions are heard on the ring of their cone of confusion."""

    spline: CubicSpline

    def __call__(self, directions: FloatArray) -> FloatArray:
        """Values at unit vectors."""
        ahead = np.where(directions[:, 0] < 0.0, -1.0, 1.0) * np.hypot(directions[:, 0], directions[:, 2])
        return self.spline(np.arctan2(directions[:, 1], ahead) % (2 * np.pi))


@dataclass(frozen=True, eq=False, repr=False)
class MeasuredHead(ShortRepr):
    """A head that was measured; `load_head` makes one.

    Parameters
    ----------
    file : str
        Where it comes from.
    sphere : Head
        The rigid sphere that fits best.
    distance_m : float
        Distance of the measurement.
    sample_rate : float
        Rate of the impulse responses in Hz.
    rest : Interpolator
        Impulse responses without their delays, of shape (k, 2, taps); they begin `LEAD_S` before the onset.
    delay_s : Interpolator
        Delays from the middle of the head, of shape (k, 2).
    bass : tuple of float
        Gain and phase delay in seconds that the measurement has in the bass, over the sphere.
    files : tuple of MeasuredFile
        The file itself.
    highest_hz : float
        Up to where its directions tell what is between them, to about 1 dB: there, they are a fifth of a wavelength
        apart on the head.
    """

    file: str
    sphere: Head
    distance_m: float
    sample_rate: float
    rest: Interpolator
    delay_s: Interpolator
    bass: tuple[float, float]
    files: tuple[MeasuredFile, ...] = field(default=(), repr=False)
    highest_hz: float = np.inf

    @property
    def radius_m(self) -> float:
        """Radius of the sphere that fits best."""
        return self.sphere.radius_m

    def ears(self, frequency_hz: ArrayLike, source_m: ArrayLike) -> ComplexArray:
        """Pressure at both ears for point sources in the head's frame, as `Head.ears`, shape (2, k, n)."""
        frequency = np.atleast_1d(np.asarray(frequency_hz, dtype=np.float64))
        source = np.asarray(source_m, dtype=np.float64)
        moved = self.sphere.ears(frequency, source)
        gain, late_s = self.bass
        low, high = np.log(SPHERE_FADE_HZ)
        share = np.clip((np.log(np.maximum(frequency, 1.0)) - low) / (high - low), 0.0, 1.0)
        in_bass = (1.0 - share) * gain * np.exp(-2j * np.pi * frequency * late_s)
        response = np.empty_like(moved)
        for ear, position in enumerate(self.radius_m * self.sphere.ear_directions()):
            seen = _seen_at(self.distance_m, position, source)
            ratio = self._measured(frequency, seen / self.distance_m, ear) / self.sphere.ears(frequency, seen)[ear]
            response[ear] = moved[ear] * (share * ratio + in_bass)
        return response

    def _measured(self, frequency: FloatArray, directions: FloatArray, ear: int) -> ComplexArray:
        """Pressure at an ear for sources at the measured distance, shape (k, n)."""
        # Above what was measured, the last response is held.
        held = np.minimum(frequency, 0.45 * self.sample_rate)
        impulses = self.rest(directions)[:, ear]
        times = np.arange(impulses.shape[-1]) / self.sample_rate - LEAD_S
        delays = self.delay_s(directions)[:, ear, None] + self.distance_m / SPEED_OF_SOUND_M_S
        late = np.exp(-2j * np.pi * frequency * delays) / self.distance_m
        return impulses @ np.exp(-2j * np.pi * np.outer(times, held)) * late


# One thread, so that the sums do not depend on the number of cores.
@one_thread
def load_head(
    path: str | Path, *, distance_m: float = USUAL_DISTANCE_M, progress: Progress = lambda _: None
) -> MeasuredHead:
    """Read a measured head.

    Parameters
    ----------
    path : str or Path
        A SOFA file of the convention SimpleFreeFieldHRIR, whose directions cover the sphere, or a ring around the
        head. Its sample rate does not matter.
    distance_m : float
        Where sources are going to be: of a head that was measured at several distances, the nearest is taken, and a
        `MeasurementWarning` says which.
    progress : callable, optional
        Told the share of the work that is done.

    Returns
    -------
    MeasuredHead
        The head, at the level of the rigid sphere between 200 and 600 Hz.

    Raises
    ------
    ValueError
        When the file is not such a measurement; the message names the file and what is wrong.

    Warns
    -----
    MeasurementWarning
        When ``ReceiverPosition`` does not tell the ears apart, or wrongly; they are then taken as they fit a head.
    """
    with SofaFile(path, convention="SimpleFreeFieldHRIR") as file:
        measurement = read_measurement(file, distance_m=distance_m)
        measurement, arrivals = with_ears_found(measurement, progress=lambda share: progress(EARS_SHARE * share))
        directions, sphere = measurement.directions, arrivals.sphere
        latency_s = _latency_s(sphere, directions, arrivals.onsets_s)
        coefficients = fit_directivity(directions, arrivals.onsets_s - latency_s, order=DELAY_ORDER).real
        delays_s = real_sh(directions, DELAY_ORDER) @ coefficients
        frequency, rest = _without_delays(
            measurement, delays_s + latency_s, progress=lambda share: progress(EARS_SHARE * (1.0 + share))
        )
    used, edge = _where_spheres_count(frequency)
    ideal = _ideal(sphere, frequency[used], measurement, delays_s)
    rest *= _level(ideal, rest[..., used], frequency[used])
    bass = _bass(ideal[..., edge], rest[..., used][..., edge], float(frequency[used][edge]))
    rest *= np.exp(-2j * np.pi * frequency * LEAD_S)
    is_ring = bool(np.all(np.abs(directions[:, 2]) < np.sin(np.deg2rad(RING_ELEVATION_DEG))))
    head = MeasuredHead(
        file=str(path),
        sphere=sphere,
        distance_m=measurement.distance_m,
        sample_rate=measurement.sample_rate,
        rest=_on_ring(directions, np.fft.irfft(rest)) if is_ring else _on_sphere(directions, rest),
        delay_s=_on_ring(directions, delays_s) if is_ring else OnSphere(coefficients),
        bass=bass,
        files=(measured_file(path),),
        highest_hz=_highest_hz(directions, sphere.radius_m, is_ring=is_ring),
    )
    progress(1.0)
    return head


def _latency_s(sphere: Head, directions: FloatArray, onsets_s: FloatArray) -> float:
    """When sound reaches the middle of the head, by the paths around a sphere of Woodworth's formula."""
    angles = np.arccos(np.clip(directions @ sphere.ear_directions().T, -1.0, 1.0))
    path_m = sphere.radius_m * np.where(angles < np.pi / 2, -np.cos(angles), angles - np.pi / 2)
    return float(np.mean(onsets_s - path_m / SPEED_OF_SOUND_M_S))


def _without_delays(
    measurement: HeadMeasurement, arrivals_s: FloatArray, *, progress: Progress
) -> tuple[FloatArray, ComplexArray]:
    """Responses with their onset at time 0, cut to `LENGTH_S`, and their frequencies."""
    sample_rate, late_s = measurement.sample_rate, arrivals_s - measurement.stated_s
    taps = 2 * round(LENGTH_S * sample_rate / 2)
    frequency = _bins(taps, sample_rate)
    rest = np.empty((len(arrivals_s), 2, len(frequency)), dtype=np.complex128)
    for rows, impulses in measurement.blocks():
        frames = 2 * max(impulses.shape[-1], round(LENGTH_S * sample_rate))
        early = np.exp(2j * np.pi * _bins(frames, sample_rate) * (late_s[rows, :, None] - LEAD_S))
        cut = np.fft.irfft(np.fft.rfft(impulses, frames, axis=-1) * early, frames, axis=-1)[..., :taps]
        rest[rows] = np.fft.rfft(cut * tukey(taps, 0.15), axis=-1)
        progress(rows.stop / len(rest))
    rest *= np.exp(2j * np.pi * frequency * LEAD_S)
    return frequency, rest


def _where_spheres_count(frequency: FloatArray) -> tuple[slice, int]:
    """Bins that are compared with those of a sphere, and the one among them where it takes over."""
    edge = int(np.searchsorted(frequency, SPHERE_FADE_HZ[1]))
    first = min(edge, int(np.searchsorted(frequency, LEVEL_BAND_HZ[0])))
    last = max(edge + 1, int(np.searchsorted(frequency, LEVEL_BAND_HZ[1], side="right")))
    return slice(first, last), edge - first


def _ideal(sphere: Head, frequency: FloatArray, measurement: HeadMeasurement, delays_s: FloatArray) -> ComplexArray:
    """What a sphere would have measured, without the delays, shape (count, 2, n)."""
    distance_m = measurement.distance_m
    late = np.exp(-2j * np.pi * frequency * distance_m / SPEED_OF_SOUND_M_S) / distance_m
    ears = sphere.ears(frequency, distance_m * measurement.directions).swapaxes(0, 1) / late
    return ears * np.exp(2j * np.pi * frequency * delays_s[..., None])


def _bins(frames: int, sample_rate: float) -> FloatArray:
    return np.fft.rfftfreq(frames, 1.0 / sample_rate).astype(np.float64)


def _level(ideal: ComplexArray, measured: ComplexArray, frequency: FloatArray) -> float:
    """Gain that brings measured responses to the level of ideal ones."""
    band = (frequency >= LEVEL_BAND_HZ[0]) & (frequency <= LEVEL_BAND_HZ[1])
    return float(np.sqrt(np.mean(np.abs(ideal[..., band]) ** 2) / np.mean(np.abs(measured[..., band]) ** 2)))


def _bass(ideal: ComplexArray, measured: ComplexArray, frequency_hz: float) -> tuple[float, float]:
    """Gain and phase delay that all measured responses have in common over ideal ones, where the latter take over."""
    common = np.vdot(ideal, measured) / np.sum(np.abs(ideal) ** 2)
    return float(np.abs(common)), float(-np.angle(common) / (2 * np.pi * frequency_hz))


def _highest_hz(directions: FloatArray, radius_m: float, *, is_ring: bool) -> float:
    """Where neighbouring directions, which are as far apart as most are, are too far apart on the head."""
    if is_ring:
        azimuth_deg = np.sort(np.rad2deg(np.arctan2(directions[:, 1], directions[:, 0])))
        gaps_deg = np.diff(np.append(azimuth_deg, azimuth_deg[0] + 360.0))
        step_deg = float(np.median(gaps_deg[gaps_deg > SAME_DEG]))
    else:
        step_deg = apart_deg(directions)
    return float(WAVELENGTHS_APART * SPEED_OF_SOUND_M_S / (radius_m * np.deg2rad(step_deg)))


def _on_sphere(directions: FloatArray, responses: ComplexArray) -> OnSphere:
    coefficients = fit_directivity(directions, responses.reshape(len(directions), -1), order=REST_ORDER)
    return OnSphere(np.fft.irfft(coefficients.reshape(-1, *responses.shape[1:])))


def _on_ring(directions: FloatArray, values: FloatArray) -> OnRing:
    azimuth, first = np.unique(np.arctan2(directions[:, 1], directions[:, 0]).round(6) % (2 * np.pi), return_index=True)
    turn, closed = np.append(azimuth, azimuth[0] + 2 * np.pi), values[np.append(first, first[0])]
    return OnRing(CubicSpline(turn, closed, bc_type="periodic"))


def _seen_at(distance_m: float, ear_m: FloatArray, source_m: FloatArray) -> FloatArray:
    """Where lines from an ear through sources (k, 3) pass through the sphere of the measurement, shape (k, 3)."""
    sight = source_m - ear_m
    sight /= np.linalg.norm(sight, axis=-1, keepdims=True)
    along = sight @ ear_m
    reach = np.sqrt(along**2 + distance_m**2 - ear_m @ ear_m) - along
    return ear_m + reach[:, None] * sight
