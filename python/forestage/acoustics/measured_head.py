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
from scipy.optimize import minimize_scalar
from scipy.signal import resample
from scipy.signal.windows import tukey
from threadpoolctl import threadpool_limits

from forestage.acoustics.covariance import fit_directivity
from forestage.acoustics.head import SPEED_OF_SOUND_M_S, ComplexArray, FloatArray, Head
from forestage.acoustics.sofa import SofaFile
from forestage.acoustics.spherical_harmonics import order_of, real_sh

LEAST_DIRECTIONS = 12
WIDEST_GAP_DEG = 60.0
RING_ELEVATION_DEG = 5.0
REST_ORDER = 20
DELAY_ORDER = 8
ONSET_SHARE = 0.15
ONSET_OVERSAMPLING = 8
LEAD_S = 0.7e-3
LENGTH_S = 6e-3
SPHERE_FADE_HZ = (150.0, 350.0)
LEVEL_BAND_HZ = (200.0, 600.0)
RADIUS_BAND_HZ = (300.0, 1500.0)
PLAUSIBLE_RADIUS_M = (0.06, 0.12)
MOST_DISAGREEMENT = 0.3


class Interpolator(Protocol):
    """Values between measured directions."""

    def __call__(self, directions: FloatArray) -> FloatArray:
        """Values at unit vectors (k, 3), shape (k, ...)."""


@dataclass(frozen=True, eq=False)
class OnSphere:
    """Interpolation by spherical harmonics: coefficients of shape ((order + 1)^2, ...)."""

    coefficients: FloatArray = field(repr=False)

    def __call__(self, directions: FloatArray) -> FloatArray:
        """Values at unit vectors."""
        return np.tensordot(real_sh(directions, order_of(self.coefficients)), self.coefficients, axes=1)


@dataclass(frozen=True, eq=False)
class OnRing:
    """Periodic interpolation over azimuth; other directions are heard on the ring of their cone of confusion."""

    spline: CubicSpline

    def __call__(self, directions: FloatArray) -> FloatArray:
        """Values at unit vectors."""
        ahead = np.where(directions[:, 0] < 0.0, -1.0, 1.0) * np.hypot(directions[:, 0], directions[:, 2])
        return self.spline(np.arctan2(directions[:, 1], ahead) % (2 * np.pi))


@dataclass(frozen=True, eq=False)
class MeasuredHead:
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
    """

    file: str
    sphere: Head
    distance_m: float
    sample_rate: float
    rest: Interpolator
    delay_s: Interpolator
    bass: tuple[float, float]

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
@threadpool_limits.wrap(limits=1, user_api="blas")
def load_head(path: str | Path) -> MeasuredHead:
    """Read a measured head.

    Parameters
    ----------
    path : str or Path
        A SOFA file of the convention SimpleFreeFieldHRIR, whose directions cover the sphere, or a ring around the
        head. Its sample rate does not matter.

    Returns
    -------
    MeasuredHead
        The head, at the level of the rigid sphere between 200 and 600 Hz.

    Raises
    ------
    ValueError
        When the file is not such a measurement; the message names the file and what is wrong.
    """
    file = SofaFile(path, convention="SimpleFreeFieldHRIR")
    impulses, sample_rate, stated_s = _impulses(file)
    directions, distance_m = _directions(file, len(impulses))
    is_ring = bool(np.all(np.abs(directions[:, 2]) < np.sin(np.deg2rad(RING_ELEVATION_DEG))))
    onsets_s = _onsets_s(impulses, sample_rate) + stated_s
    sphere = _best_sphere(file, impulses, stated_s, sample_rate, distance_m * directions)
    latency_s = _latency_s(sphere, directions, onsets_s)
    coefficients = fit_directivity(directions, onsets_s - latency_s, order=DELAY_ORDER).real
    delays_s = real_sh(directions, DELAY_ORDER) @ coefficients
    frequency, rest = _without_delays(impulses, sample_rate, delays_s + latency_s - stated_s)
    late = np.exp(-2j * np.pi * frequency * distance_m / SPEED_OF_SOUND_M_S) / distance_m
    ideal = sphere.ears(frequency, distance_m * directions).swapaxes(0, 1) / late
    ideal *= np.exp(2j * np.pi * frequency * delays_s[..., None])
    rest *= _level(ideal, rest, frequency)
    bass = _bass(ideal, rest, frequency)
    rest *= np.exp(-2j * np.pi * frequency * LEAD_S)
    return MeasuredHead(
        file=str(path),
        sphere=sphere,
        distance_m=distance_m,
        sample_rate=sample_rate,
        rest=_on_ring(directions, np.fft.irfft(rest)) if is_ring else _on_sphere(directions, rest),
        delay_s=_on_ring(directions, delays_s) if is_ring else OnSphere(coefficients),
        bass=bass,
    )


def _impulses(file: SofaFile) -> tuple[FloatArray, float, FloatArray]:
    """Impulse responses (measurements, (left, right), taps), their sample rate, and delays that are stated beside."""
    impulses = file.values("Data_IR", dimensions=3)
    receivers = file.local_positions("ReceiverPosition")
    if impulses.shape[1] != 2 or len(receivers) != 2:
        raise file.error("Data_IR", f"has the shape {impulses.shape}, for {len(receivers)} receivers: must be 2 ears")
    rates = np.unique(file.values("Data_SamplingRate", dimensions=1))
    if len(rates) != 1 or not 8_000.0 <= rates[0] <= 400_000.0:
        raise file.error("Data_SamplingRate", f"= {rates.tolist()}: must be one rate within 8000..400000 Hz")
    silent = np.argwhere(~np.any(impulses, axis=-1))
    if len(silent):
        raise file.error(f"Data_IR[{silent[0][0]}, {silent[0][1]}]", "is silent")
    delays = file.values("Data_Delay", dimensions=2)
    if delays.shape[0] not in (1, len(impulses)) or delays.shape[1] not in (1, 2):
        raise file.error("Data_Delay", f"has the shape {delays.shape}: must be one for each response, or for each ear")
    stated_s = np.broadcast_to(delays, impulses.shape[:2]) / rates[0]
    left_first = slice(None, None, 1 if receivers[0, 1] > receivers[1, 1] else -1)
    return impulses[:, left_first], float(rates[0]), stated_s[:, left_first]


def _directions(file: SofaFile, count: int) -> tuple[FloatArray, float]:
    """Unit vectors to the sources in the head's frame, and their common distance."""
    away = file.positions("SourcePosition", count) - file.positions("ListenerPosition", count)
    source = (file.frames("Listener", count) @ away[..., None])[..., 0]
    distance = np.linalg.norm(source, axis=-1)
    middle = float(np.median(distance))
    if middle < 0.2 or np.ptp(distance) > 0.1 * middle:
        raise file.error(
            "SourcePosition", f"is {distance.min():.2f}..{distance.max():.2f} m away: must be one distance above 0.2 m"
        )
    directions = source / distance[:, None]
    _check_cover(file, directions)
    return directions, middle


def _check_cover(file: SofaFile, directions: FloatArray) -> None:
    if len(directions) < LEAST_DIRECTIONS:
        raise file.error("SourcePosition", f"gives {len(directions)} directions: must be at least {LEAST_DIRECTIONS}")
    azimuth = np.deg2rad(np.arange(0.0, 360.0, 5.0))
    ring = np.stack([np.cos(azimuth), np.sin(azimuth), np.zeros_like(azimuth)], axis=-1)
    nearest_deg = np.rad2deg(np.arccos(np.clip(np.max(ring @ directions.T, axis=1), -1.0, 1.0)))
    if nearest_deg.max() > WIDEST_GAP_DEG / 2:
        raise file.error(
            "SourcePosition",
            f"leaves a gap around azimuth {5 * int(nearest_deg.argmax())} degrees: must surround the head, with a "
            f"direction at least every {WIDEST_GAP_DEG:g} degrees",
        )


def _onsets_s(impulses: FloatArray, sample_rate: float) -> FloatArray:
    """When each response first reaches a share of its peak, between samples."""
    fine = np.abs(resample(impulses, ONSET_OVERSAMPLING * impulses.shape[-1], axis=-1))
    reached = fine > ONSET_SHARE * fine.max(axis=-1, keepdims=True)
    return np.argmax(reached, axis=-1) / (ONSET_OVERSAMPLING * sample_rate)


def _best_sphere(
    file: SofaFile, impulses: FloatArray, stated_s: FloatArray, sample_rate: float, points_m: FloatArray
) -> Head:
    """The sphere whose phase differences between the ears agree best."""
    frequency = np.geomspace(*RADIUS_BAND_HZ, 20)
    turns = np.exp(-2j * np.pi * np.outer(np.arange(impulses.shape[-1]), frequency) / sample_rate)
    left, right = (impulses @ turns * np.exp(-2j * np.pi * frequency * stated_s[..., None])).swapaxes(0, 1)
    measured = np.exp(1j * np.angle(left / right))

    def disagreement(radius_m: float) -> float:
        left, right = Head(radius_m).ears(frequency, points_m)
        return 1.0 - float(np.mean((measured * np.exp(-1j * np.angle(left / right))).real))

    found = minimize_scalar(disagreement, bounds=PLAUSIBLE_RADIUS_M, method="bounded")
    if found.fun > MOST_DISAGREEMENT:
        raise file.error("Data_IR", "has delays between the ears that are not a head's in these directions")
    return Head(float(found.x))


def _latency_s(sphere: Head, directions: FloatArray, onsets_s: FloatArray) -> float:
    """When sound reaches the middle of the head, by the paths around a sphere of Woodworth's formula."""
    angles = np.arccos(np.clip(directions @ sphere.ear_directions().T, -1.0, 1.0))
    path_m = sphere.radius_m * np.where(angles < np.pi / 2, -np.cos(angles), angles - np.pi / 2)
    return float(np.mean(onsets_s - path_m / SPEED_OF_SOUND_M_S))


def _without_delays(impulses: FloatArray, sample_rate: float, delays_s: FloatArray) -> tuple[FloatArray, ComplexArray]:
    """Responses with their onset at time 0, cut to `LENGTH_S`, and their frequencies."""
    count = impulses.shape[-1]
    frames = 2 * max(count, round(LENGTH_S * sample_rate))
    frequency = _bins(frames, sample_rate)
    early = np.exp(2j * np.pi * frequency * (delays_s[..., None] - LEAD_S))
    taps = 2 * round(LENGTH_S * sample_rate / 2)
    cut = np.fft.irfft(np.fft.rfft(impulses, frames, axis=-1) * early, frames, axis=-1)[..., :taps]
    cut *= tukey(taps, 0.15)
    frequency = _bins(taps, sample_rate)
    rest: ComplexArray = np.fft.rfft(cut, axis=-1) * np.exp(2j * np.pi * frequency * LEAD_S)
    return frequency, rest


def _bins(frames: int, sample_rate: float) -> FloatArray:
    return np.fft.rfftfreq(frames, 1.0 / sample_rate).astype(np.float64)


def _level(ideal: ComplexArray, measured: ComplexArray, frequency: FloatArray) -> float:
    """Gain that brings measured responses to the level of ideal ones."""
    band = (frequency >= LEVEL_BAND_HZ[0]) & (frequency <= LEVEL_BAND_HZ[1])
    return float(np.sqrt(np.mean(np.abs(ideal[..., band]) ** 2) / np.mean(np.abs(measured[..., band]) ** 2)))


def _bass(ideal: ComplexArray, measured: ComplexArray, frequency: FloatArray) -> tuple[float, float]:
    """Gain and phase delay that all measured responses have in common over ideal ones, where the latter take over."""
    edge = int(np.searchsorted(frequency, SPHERE_FADE_HZ[1]))
    common = np.vdot(ideal[..., edge], measured[..., edge]) / np.sum(np.abs(ideal[..., edge]) ** 2)
    return float(np.abs(common)), float(-np.angle(common) / (2 * np.pi * frequency[edge]))


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
