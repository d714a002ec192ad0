"""Beam of the centre channel in RTF form: one complex ratio r(f) of the side drivers over the centre drivers.

The ratio starts from the closed form with nulls at +-90 degrees and is then fitted, as a smooth curve over the
logarithm of frequency, to what matters: power to the front over power to the sides, an even front window, and drive.
Below the band it fades to the plain in-phase mix of all drivers, above to the centre drivers alone. The beam has a flat
magnitude on axis, at the level of plain stereo in the bass, and the phase of the plain stereo sum there, shifted to
arrive at each ear together with the near stereo driver.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import CubicSpline
from scipy.optimize import least_squares

from forestage.acoustics.device import Device
from forestage.acoustics.head import ComplexArray, FloatArray
from forestage.acoustics.plant import Plant, directivity
from forestage.design.filters import MASTER_RATE, delay_for, fit_firs, grid_for, log_fade, response_of, taps_for

FRONT_DEG = np.arange(-45.0, 46.0, 5.0)
SIDES_DEG = np.concatenate([-np.arange(70.0, 111.0, 5.0)[::-1], np.arange(70.0, 111.0, 5.0)])
KNOTS = 8
END_PRICE = 10.0
TIGHTENINGS = 12
LEAD_OVER_PLAIN_DB = 0.3
MAX_GAIN = 4.0


@dataclass(frozen=True)
class BeamTarget:
    """What the beam of the centre aims at.

    Parameters
    ----------
    on_off_db : float
        Mean power within +-45 degrees over mean power within 70 to 110 degrees on both sides.
    window_db : tuple of float
        Bounds of the level within +-45 degrees, relative to the axis.
    white_noise_gain_db : float
        Least power on axis over driver power, relative to the strongest single driver.
    band_hz : tuple of float
        Where all this is asked for, as far as the device can.
    sure_hz : tuple of float
        Where the exported filters are held to it: the ratio is tightened until they follow.
    fade_hz : tuple of float
        The plain in-phase mix up to the first, the centre drivers alone from the second.
    """

    on_off_db: float = 9.1
    window_db: tuple[float, float] = (-2.9, 0.6)
    white_noise_gain_db: float = -5.0
    band_hz: tuple[float, float] = (280.0, 1600.0)
    sure_hz: tuple[float, float] = (290.0, 1300.0)
    fade_hz: tuple[float, float] = (60.0, 2600.0)

    def __post_init__(self) -> None:
        edges = (self.fade_hz[0], *self.band_hz, self.fade_hz[1])
        if edges[0] <= 0.0 or np.any(np.diff(edges) <= 0.0) or edges[-1] > 20_000.0:
            raise ValueError(f"fade_hz = {self.fade_hz}, band_hz = {self.band_hz}: the band must lie inside the fade")
        if not self.window_db[0] < 0.0 < self.window_db[1]:
            raise ValueError(f"window_db = {self.window_db}: must be below and above 0")


@dataclass(frozen=True)
class BeamRatio:
    """The ratio of side over centre drivers as a smooth curve.

    Attributes
    ----------
    knots_hz : ndarray, shape (k,)
        Frequencies at which ``ratio`` is held.
    ratio : ndarray of complex, shape (k,)
        Side over centre.
    """

    knots_hz: FloatArray
    ratio: ComplexArray
    fade_hz: tuple[float, float]

    def at(self, frequency_hz: ArrayLike) -> ComplexArray:
        """Ratio at any frequencies, shape (n,): 1 in the bass, 0 in the treble."""
        frequency = np.asarray(frequency_hz, dtype=np.float64)
        low, high = self.knots_hz[0], self.knots_hz[-1]
        inside = np.log(np.clip(frequency, low, high))
        ratio = CubicSpline(np.log(self.knots_hz), self.ratio)(inside) * (
            1.0 - log_fade(frequency, high, self.fade_hz[1])
        )
        in_band = log_fade(frequency, self.fade_hz[0], low)
        return ratio * in_band + (1.0 - in_band)


@dataclass(frozen=True)
class _Goals:
    """What the ratio is fitted to, per frequency; at first the target, then what the exported filters need."""

    frequency_hz: FloatArray
    on_off_db: FloatArray
    floor_db: FloatArray

    def raised(self, on_off_db: FloatArray, floor_db: FloatArray) -> _Goals:
        """Goals further up."""
        return replace(self, on_off_db=self.on_off_db + on_off_db, floor_db=self.floor_db + floor_db)


def _first_goals(device: Device, target: BeamTarget) -> _Goals:
    """The target, and in any case better than mixing to all drivers or to the stereo drivers."""
    low, high = np.log(target.band_hz)
    frequency = np.exp(np.linspace(low, high, 2 + int(14 * (high - low) / np.log(2.0))))
    side, centre = _groups(device, directivity(device, frequency, np.concatenate([FRONT_DEG, SIDES_DEG])))
    plain_db = np.maximum(_on_off_db(side), _on_off_db(side + centre)) + LEAD_OVER_PLAIN_DB
    return _Goals(frequency, np.maximum(plain_db, target.on_off_db), np.full_like(frequency, target.window_db[0]))


def _on_off_db(pattern: ComplexArray) -> FloatArray:
    """Front over sides of a pattern over FRONT_DEG, then SIDES_DEG."""
    power = np.abs(pattern) ** 2
    count = len(FRONT_DEG)
    return 10 * np.log10(power[:count].mean(axis=0) / power[count:].mean(axis=0))


def _beam_ratio(device: Device, goals: _Goals, *, target: BeamTarget, start: ComplexArray | None = None) -> BeamRatio:
    """Find the ratio for a device with at least one centre driver."""
    frequency = goals.frequency_hz
    low, high = np.log(frequency[[0, -1]])
    azimuth = np.concatenate([[0.0], FRONT_DEG, SIDES_DEG, [-90.0, 90.0]])
    side, centre = _groups(device, directivity(device, frequency, azimuth))
    strongest = np.max(np.abs(directivity(device, frequency, [0.0])[:, 0]) ** 2, axis=0)
    share = len(device.drivers) - 2
    knots = np.linspace(low, high, KNOTS)
    basis = CubicSpline(knots, np.eye(KNOTS))(np.log(frequency))
    front = slice(1, 1 + len(FRONT_DEG))
    sides = slice(front.stop, front.stop + len(SIDES_DEG))

    def misses(values: FloatArray) -> FloatArray:
        knot_ratio = values[:KNOTS] + 1j * values[KNOTS:]
        ratio = basis @ knot_ratio
        power = np.abs(ratio * side + centre) ** 2
        gain_db = 10 * np.log10(power[0] / (share + 2 * np.abs(ratio) ** 2) / strongest)
        on_off_db = 10 * np.log10(power[front].mean(axis=0) / power[sides].mean(axis=0))
        window = power[front] / power[0]
        bend = np.diff(knot_ratio, 2)
        return np.concatenate(
            [
                6.0 * np.maximum(goals.on_off_db - on_off_db, 0.0),
                0.1 * np.maximum(goals.on_off_db + 5.0 - on_off_db, 0.0),
                40.0 * np.maximum(10 ** (goals.floor_db / 10) - window, 0.0).ravel(),
                40.0 * np.maximum(window - 10 ** (target.window_db[1] / 10), 0.0).ravel(),
                3.0 * np.maximum(target.white_noise_gain_db - gain_db, 0.0),
                bend.real,
                bend.imag,
            ]
        )

    if start is None:
        # 0.7 of the closed form for nulls at +-90 degrees: the window is then about right
        null = -0.7 * centre[-2:].mean(axis=0) / side[-2:].mean(axis=0)
        start = CubicSpline(np.log(frequency), null)(knots)
    found = least_squares(misses, np.concatenate([start.real, start.imag]), max_nfev=60).x
    return BeamRatio(np.exp(knots), found[:KNOTS] + 1j * found[KNOTS:], target.fade_hz)


@dataclass(frozen=True)
class BeamPlan:
    """Beam of one device: its ratio, its level, and how much earlier the centre drivers arrive.

    Attributes
    ----------
    ratio : BeamRatio
        Side over centre.
    lead_s : float
        How much earlier the centre drivers reach the listener than the stereo drivers.
    near_lead_s : float
        How much earlier a stereo driver reaches its near ear than the middle of the head.
    """

    device: Device
    ratio: BeamRatio
    lead_s: float
    near_lead_s: float = 0.0

    def align_frames(self, sample_rate: int) -> tuple[int, int]:
        """Extra delay of the (cancel, beam) path in frames; one of them is 0."""
        frames = round(self.lead_s * sample_rate)
        return max(-frames, 0), max(frames, 0)

    def advance_s(self, sample_rate: int) -> float:
        """What the filters are early by because of the alignment delays, in seconds."""
        cancel_frames, beam_frames = self.align_frames(sample_rate)
        return (beam_frames - cancel_frames) / sample_rate

    def responses(self, frequency_hz: ArrayLike) -> ComplexArray:
        """Filters of all drivers, without modelling delay, shape (drivers, n).

        At each ear they arrive together with the near stereo driver; no alignment delay is assumed beside them.
        """
        frequency = np.minimum(np.asarray(frequency_hz, dtype=np.float64), 20_000.0)
        side, centre = (group[0] for group in _groups(self.device, directivity(self.device, frequency, [0.0])))
        level = np.abs(_groups(self.device, directivity(self.device, [100.0], [0.0]))[0][0, 0])
        ratio = self.ratio.at(frequency)
        beam = ratio * side + centre
        phase = np.exp(1j * (np.angle(side) - np.angle(beam) + 2 * np.pi * frequency * self.near_lead_s))
        gain = level / np.maximum(np.abs(beam), 1e-9 * level)
        # Soft limit: a driver that hardly reaches the axis, say in the treble, is not forced to.
        common = phase * gain / (1.0 + (gain / MAX_GAIN) ** 8) ** 0.125
        is_stereo = np.isin(np.arange(len(self.device.drivers)), self.device.stereo)
        return np.where(is_stereo[:, None], ratio * common, common)


def _missed(plan: BeamPlan, goals: _Goals, *, target: BeamTarget) -> tuple[FloatArray, FloatArray]:
    """How far filters at 48 kHz stay below the goals: front over sides, and level within the window, in dB."""
    firs = beam_firs(plan, sample_rate=48_000)
    frequency = goals.frequency_hz
    azimuth = np.concatenate([[0.0], FRONT_DEG, SIDES_DEG])
    filters = response_of(firs, frequency, sample_rate=48_000)
    pattern = np.einsum("daf,df->af", directivity(plan.device, frequency, azimuth), filters)
    lowest_db = 20 * np.log10(np.abs(pattern[1 : 1 + len(FRONT_DEG)]).min(axis=0) / np.abs(pattern[0]))
    sure = (frequency >= target.sure_hz[0]) & (frequency <= target.sure_hz[1])
    return (
        np.where(sure, np.maximum(goals.on_off_db - _on_off_db(pattern[1:]), 0.0), 0.0),
        np.where(sure, np.maximum(goals.floor_db - lowest_db, 0.0), 0.0),
    )


def plan_beam(device: Device, plant: Plant, *, target: BeamTarget) -> BeamPlan:
    """Find the ratio and the alignment of a device's centre beam."""
    frequency = np.linspace(1000.0, 8000.0, 200)
    side, centre = (group[0] for group in _groups(device, directivity(device, frequency, [0.0])))
    slope = np.polyfit(2 * np.pi * frequency, np.unwrap(np.angle(centre / side)), 1)[0]
    # Whole frames of the usual rate, so that the filters hardly move between rates.
    lead_s = round(float(slope) * 48_000) / 48_000
    wanted = goals = _first_goals(device, target)
    plan = BeamPlan(device, _beam_ratio(device, goals, target=target), lead_s)
    for _ in range(TIGHTENINGS):
        missed = _missed(plan, wanted, target=target)
        if max(map(np.max, missed)) < 0.01:
            break
        goals = goals.raised(*missed)
        plan = replace(plan, ratio=_beam_ratio(device, goals, target=target, start=plan.ratio.ratio))
    response = plant.at(frequency)
    ears = np.einsum("edf,df->ef", response, plan.responses(frequency))
    near = np.stack([response[ear, index] for ear, index in enumerate(device.stereo)])
    ahead = np.unwrap(np.angle(near / ears), axis=-1).mean(axis=0)
    return replace(plan, near_lead_s=float(np.polyfit(2 * np.pi * frequency, ahead, 1)[0]))


def beam_firs(plan: BeamPlan, *, sample_rate: int = MASTER_RATE) -> FloatArray:
    """Fitted filters, shape (drivers, taps), to be played with the plan's alignment delays at that rate.

    Side and centre filters are fitted together, to the pattern that they make: what cancels in the air costs nothing.
    """
    device = plan.device
    frequency = grid_for(sample_rate)
    # Above 20 kHz the response is held, so that only the delay goes on.
    responses = plan.responses(frequency) * np.exp(2j * np.pi * frequency * plan.advance_s(sample_rate))
    wanted = np.stack([responses[device.stereo[0]], responses[device.index("center")]])
    kernel = _pattern_kernel(device, frequency, plan)
    firs = fit_firs(
        wanted, kernel=kernel, taps=taps_for(sample_rate), delay_frames=delay_for(sample_rate), end_price=END_PRICE
    )
    return np.stack([firs[0] if driver.channel != "center" else firs[1] for driver in device.drivers])


def _pattern_kernel(device: Device, frequency: FloatArray, plan: BeamPlan) -> ComplexArray:
    azimuth = np.arange(-108.0, 109.0, 9.0)
    coarse = np.arange(0.0, 20_001.0, 100.0)
    groups = np.stack(_groups(device, directivity(device, coarse, azimuth)))
    pattern = CubicSpline(coarse, groups, axis=-1)(np.minimum(frequency, coarse[-1]))
    pattern /= np.abs(pattern[0, len(azimuth) // 2, 1])
    weight = np.where(azimuth == 0.0, 20.0, 1.0)
    kernel = np.einsum("a,iaf,jaf->ijf", weight, pattern.conj(), pattern)
    # A little weight on the filters themselves where the pattern leaves them open: bass and treble.
    low, high = plan.ratio.knots_hz[0], plan.ratio.knots_hz[-1]
    own = 0.01 + 30.0 * (1.0 - log_fade(frequency, 70.0, 250.0)) + 0.3 * log_fade(frequency, high, 1.6 * high)
    kernel[0, 0] += 2.0 * own
    kernel[1, 1] += own
    in_band = log_fade(frequency, 0.7 * low, low) * (1.0 - log_fade(frequency, 0.8 * high, high))
    return kernel * (0.3 + 10.0 * in_band) / np.sqrt(np.clip(frequency, 100.0, 20_000.0))


def _groups(device: Device, pattern: ComplexArray) -> tuple[ComplexArray, ComplexArray]:
    """Sum of the stereo drivers and sum of the centre drivers, each of shape (azimuths, n)."""
    centre = [index for index, driver in enumerate(device.drivers) if driver.channel == "center"]
    return pattern[device.stereo].sum(axis=0), pattern[centre].sum(axis=0)
