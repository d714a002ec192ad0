"""What a SOFA file tells of a head: responses at one distance, and which of them are the left ear's.

Files are often wrong about the ears: receivers are unlabelled, at the middle of the head, on the wrong axis, or named
the wrong way round. So the ears are taken as the delays between them fit a rigid sphere, and what the file says counts
only while it fits.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.signal import resample
from scipy.signal.windows import tukey

from forestage.acoustics.head import Head
from forestage.acoustics.measured_file import SAMPLE_RATES_HZ
from forestage.acoustics.sofa import MeasurementWarning, SofaFile
from forestage.arrays import FloatArray
from forestage.short_repr import ShortRepr

LEAST_DIRECTIONS = 12
WIDEST_GAP_DEG = 60.0
DISTANCES_M = (0.2, 50.0)
MOST_SPREAD = 0.1
MOST_DIRECTIONS = 2**16
MOST_TAPS = 2**16
MOST_IN_ALL = 2**28
LONGEST_DELAY_S = 1.0
# So many values are worked on at a time
BLOCK = 2**18
ONSET_SHARE = 0.15
ONSET_OVERSAMPLING = 8
ONSET_FRAMES = (64, 256)
RADIUS_BAND_HZ = (300.0, 1500.0)
PLAUSIBLE_RADIUS_M = (0.06, 0.12)
MOST_DISAGREEMENT = 0.3
# Enough directions to tell how a head stands
TELLING_DIRECTIONS = 720

Progress = Callable[[float], None]


@dataclass(frozen=True, repr=False)
class HeadMeasurement(ShortRepr):
    """Responses of a head from directions at one distance.

    Parameters
    ----------
    file : SofaFile
        Where they are.
    rows : ndarray of bool, shape (measurements,)
        Which of the file's measurements are meant.
    directions : ndarray, shape (count, 3)
        Unit vectors to the sources in the head's frame.
    distance_m : float
        Distance of the sources.
    sample_rate : float
        In Hz.
    stated_s : ndarray, shape (count, 2)
        Delays that the file states beside the responses, of the (left, right) ear.
    is_left_first : bool
        Whether the file has the left ear first.
    """

    file: SofaFile
    rows: np.ndarray
    directions: FloatArray
    distance_m: float
    sample_rate: float
    stated_s: FloatArray
    is_left_first: bool = True

    def blocks(self) -> Iterator[tuple[slice, FloatArray]]:
        """Responses a few directions at a time: which directions, and (directions, (left, right), taps)."""
        count, ears, taps = self.file.shape("Data_IR", dimensions=3)
        step = max(1, BLOCK // (ears * taps))
        done = 0
        for start in range(0, count, step):
            rows = slice(start, min(start + step, count))
            if not self.rows[rows].any():
                continue
            block = self.file.values("Data_IR", dimensions=3, rows=rows)
            _check_sound(self.file, block, start)
            block = block[self.rows[rows], :: 1 if self.is_left_first else -1]
            yield slice(done, done + len(block)), block
            done += len(block)

    def other_way_round(self) -> HeadMeasurement:
        """The same with the ears exchanged."""
        return replace(self, stated_s=self.stated_s[:, ::-1], is_left_first=not self.is_left_first)

    def turned(self, yaw_deg: float) -> HeadMeasurement:
        """The same of a head that is turned to its left in the file's frame."""
        yaw = np.deg2rad(yaw_deg)
        turn = np.array([[np.cos(yaw), np.sin(yaw), 0.0], [-np.sin(yaw), np.cos(yaw), 0.0], [0.0, 0.0, 1.0]])
        return replace(self, directions=self.directions @ turn.T)


@dataclass(frozen=True, repr=False)
class Arrivals(ShortRepr):
    """When sound arrives.

    Parameters
    ----------
    onsets_s : ndarray, shape (count, 2)
        When each response first reaches a share of its peak, between samples, with the stated delays.
    sphere : Head
        The rigid sphere whose phase differences between the ears agree best.
    """

    onsets_s: FloatArray
    sphere: Head


def read_measurement(file: SofaFile, *, distance_m: float) -> HeadMeasurement:
    """Check all of a file but its responses, and choose the distance next to ``distance_m``; ears are as labelled."""
    count, ears, taps = file.shape("Data_IR", dimensions=3)
    receivers = _receivers(file)
    if ears != 2 or (receivers is not None and len(receivers) > 2):
        told = "" if receivers is None else f", for {len(receivers)} receivers"
        raise file.error("Data_IR", f"has the shape {(count, ears, taps)}{told}: must be 2 ears")
    if count > MOST_DIRECTIONS or taps > MOST_TAPS or count * ears * taps > MOST_IN_ALL:
        raise file.error(
            "Data_IR",
            f"has the shape {(count, ears, taps)}: must be at most {MOST_DIRECTIONS} directions, {MOST_TAPS} taps and "
            f"{MOST_IN_ALL} values",
        )
    rates = np.unique(file.values("Data_SamplingRate", dimensions=1))
    low, high = SAMPLE_RATES_HZ
    if len(rates) != 1 or not low <= rates[0] <= high:
        raise file.error("Data_SamplingRate", f"= {rates[:3].tolist()}: must be one rate within {low:g}..{high:g} Hz")
    delays = file.values("Data_Delay", dimensions=2)
    if delays.shape[0] not in (1, count) or delays.shape[1] not in (1, 2):
        raise file.error("Data_Delay", f"has the shape {delays.shape}: must be one for each response, or for each ear")
    stated_s = np.broadcast_to(delays, (count, 2)) / rates[0]
    worst_s = float(np.abs(stated_s).max())
    if worst_s > LONGEST_DELAY_S:
        raise file.error("Data_Delay", f"has {worst_s:g} s: must be within {LONGEST_DELAY_S:g} s, in samples")
    source = _sources(file, count)
    rows, chosen_m = _shell(file, source, distance_m)
    directions = source[rows] / np.linalg.norm(source[rows], axis=-1, keepdims=True)
    return HeadMeasurement(file, rows, directions, chosen_m, float(rates[0]), stated_s[rows])


def with_ears_found(
    measurement: HeadMeasurement, *, progress: Progress = lambda _: None
) -> tuple[HeadMeasurement, Arrivals]:
    """Tell the ears apart, as labelled where that fits a head, else with a `MeasurementWarning`."""
    frequency = np.geomspace(*RADIUS_BAND_HZ, 20)
    count = len(measurement.directions)
    onsets_s, phases = np.empty((count, 2)), np.empty((count, len(frequency)))
    for rows, impulses in measurement.blocks():
        onsets_s[rows] = _onsets_s(impulses, measurement.sample_rate)
        phases[rows] = _interaural_phases(impulses, frequency, measurement.sample_rate)
        progress(rows.stop / count)
    phases -= 2 * np.pi * frequency * np.subtract(*measurement.stated_s.T)[:, None]
    telling = np.sort(np.random.default_rng(0).permutation(count)[:TELLING_DIRECTIONS])
    found = _as_it_fits(measurement, frequency, phases[telling], telling)
    if found.is_left_first != measurement.is_left_first:
        phases, onsets_s = -phases, onsets_s[:, ::-1]
    points = found.distance_m * found.directions[telling]
    sphere = _best_sphere(found.file, frequency, phases[telling], points)
    return found, Arrivals(onsets_s + found.stated_s, sphere)


def _receivers(file: SofaFile) -> FloatArray | None:
    return file.local_positions("ReceiverPosition") if file.has("ReceiverPosition") else None


def _check_sound(file: SofaFile, impulses: FloatArray, first: int) -> None:
    silent = np.argwhere(~np.any(impulses, axis=-1))
    if len(silent):
        raise file.error(f"Data_IR[{first + silent[0][0]}, {silent[0][1]}]", "is silent")


def _sources(file: SofaFile, count: int) -> FloatArray:
    """Positions of the sources in the head's frame, shape (count, 3)."""
    away = file.positions("SourcePosition", count) - file.positions("ListenerPosition", count)
    source = (file.frames("Listener", count) @ away[..., None])[..., 0]
    return np.broadcast_to(source, (count, 3))


def _shell(file: SofaFile, source: FloatArray, wanted_m: float) -> tuple[np.ndarray, float]:
    """Which sources share the distance to be used, and that distance."""
    distance = np.linalg.norm(source, axis=-1)
    # What is out of range is of no use, and so makes few shells.
    within = np.clip(distance, 0.5 * DISTANCES_M[0], 2.0 * DISTANCES_M[1])
    ordered = np.sort(within)
    steps = ordered[1:][ordered[1:] > (1.0 + MOST_SPREAD) * ordered[:-1]]
    shell_of = np.searchsorted(steps, within, side="right")
    shells = [shell_of == shell for shell in range(len(steps) + 1)]
    faults = [_fault(source[rows], distance[rows]) for rows in shells]
    usable = [(float(np.median(distance[rows])), rows) for rows, fault in zip(shells, faults, strict=True) if not fault]
    if not usable:
        fullest = int(np.argmax([rows.sum() for rows in shells]))
        raise file.error("SourcePosition", faults[fullest])
    chosen_m, rows = min(usable, key=lambda shell: abs(np.log(shell[0] / wanted_m)))
    if len(shells) > 1:
        others = ", ".join(f"{at_m:.2f}" for at_m, _ in usable)
        warnings.warn(
            f"{file.path}: SourcePosition is {distance.min():.2f}..{distance.max():.2f} m away, with heads at {others} "
            f"m: that at {chosen_m:.2f} m is taken, the nearest to {wanted_m:.2f} m",
            MeasurementWarning,
            stacklevel=2,
        )
    return rows, chosen_m


def _fault(source: FloatArray, distance: FloatArray) -> str:
    """What is wrong with sources that are to be at one distance, all around a head; empty for nothing."""
    nearest_m, farthest_m = DISTANCES_M
    middle = float(np.median(distance))
    if not nearest_m <= middle <= farthest_m or np.ptp(distance) > MOST_SPREAD * middle:
        return (
            f"is {distance.min():.2f}..{distance.max():.2f} m away: must be one distance above {nearest_m} m and below "
            f"{farthest_m:g} m, or several that each surround the head"
        )
    if len(source) < LEAST_DIRECTIONS:
        return f"gives {len(source)} directions: must be at least {LEAST_DIRECTIONS}"
    azimuth = np.deg2rad(np.arange(0.0, 360.0, 5.0))
    ring = np.stack([np.cos(azimuth), np.sin(azimuth), np.zeros_like(azimuth)], axis=-1)
    nearest = np.max(ring @ (source / distance[:, None]).T, axis=1)
    nearest_deg = np.rad2deg(np.arccos(np.clip(nearest, -1.0, 1.0)))
    if nearest_deg.max() > WIDEST_GAP_DEG / 2:
        return (
            f"leaves a gap around azimuth {5 * int(nearest_deg.argmax())} degrees: must surround the head, with a "
            f"direction at least every {WIDEST_GAP_DEG:g} degrees"
        )
    return ""


def _onsets_s(impulses: FloatArray, sample_rate: float) -> FloatArray:
    """When each response first reaches a share of its peak, between samples."""
    before, frames = ONSET_FRAMES
    peak = np.abs(impulses).max(axis=-1, keepdims=True)
    coarse = np.argmax(np.abs(impulses) > 0.5 * ONSET_SHARE * peak, axis=-1)
    # Only what is around the onset needs to be known between samples.
    first = np.clip(coarse - before, 0, max(impulses.shape[-1] - frames, 0))
    frames = min(frames, impulses.shape[-1])
    near = np.take_along_axis(impulses, first[..., None] + np.arange(frames), axis=-1)
    if frames < impulses.shape[-1]:
        near = near * tukey(frames, 0.25)
    fine = np.abs(resample(near, ONSET_OVERSAMPLING * frames, axis=-1))
    reached = fine > ONSET_SHARE * np.maximum(fine.max(axis=-1, keepdims=True), peak)
    return (first + np.argmax(reached, axis=-1) / ONSET_OVERSAMPLING) / sample_rate


def _interaural_phases(impulses: FloatArray, frequency: FloatArray, sample_rate: float) -> FloatArray:
    """Phase of the left over the right ear, shape (count, n)."""
    turns = np.exp(-2j * np.pi * np.outer(np.arange(impulses.shape[-1]), frequency) / sample_rate)
    left, right = (impulses @ turns.real + 1j * (impulses @ turns.imag)).swapaxes(0, 1)
    return np.angle(left * right.conj())


def _disagreement(sphere: Head, frequency: FloatArray, phases: FloatArray, points_m: FloatArray) -> float:
    """How far phases between the ears are from those of a sphere: 0 for not at all, 1 for having nothing in common."""
    left, right = sphere.ears(frequency, points_m)
    return 1.0 - float(np.mean(np.cos(phases - np.angle(left * right.conj()))))


def _best_sphere(file: SofaFile, frequency: FloatArray, phases: FloatArray, points_m: FloatArray) -> Head:
    """The sphere whose phase differences between the ears agree best."""
    found = minimize_scalar(
        lambda radius_m: _disagreement(Head(radius_m), frequency, phases, points_m),
        bounds=PLAUSIBLE_RADIUS_M,
        method="bounded",
    )
    if found.fun > MOST_DISAGREEMENT:
        raise file.error(
            "Data_IR",
            "has (with Data_Delay, in samples) delays between the ears that are not a head's in these directions, "
            "whichever way round ReceiverPosition is read",
        )
    return Head(float(found.x))


def _as_it_fits(
    measurement: HeadMeasurement, frequency: FloatArray, phases: FloatArray, telling: np.ndarray
) -> HeadMeasurement:
    """The way to read the ears under which delays are most like a sphere's; as labelled if that is a head at all."""
    receivers = _receivers(measurement.file)
    stated = _labels(receivers)
    readings: dict[str, tuple[HeadMeasurement, FloatArray]] = {
        "the first receiver is taken for the left ear": (measurement, phases),
        "the second receiver is taken for the left ear": (measurement.other_way_round(), -phases),
        "the first receiver is taken for the left ear of a head that looks along y": (measurement.turned(90.0), phases),
        "the first receiver is taken for the left ear of a head that looks along -y": (
            measurement.turned(-90.0),
            phases,
        ),
    }

    def misfit(text: str) -> float:
        reading, seen = readings[text]
        return _disagreement(Head(), frequency, seen, reading.distance_m * reading.directions[telling])

    left, right, *_ = readings
    labelled = {True: left, False: right}.get(stated) if stated is not None else None
    if labelled is not None and misfit(labelled) < MOST_DISAGREEMENT:
        return readings[labelled][0]
    best = min(readings, key=misfit)
    if misfit(best) < MOST_DISAGREEMENT:
        told = "is missing" if receivers is None else f"= {receivers.round(4).tolist()} m"
        fault = "does not tell left from right" if stated is None else "is the wrong way round, or azimuth is"
        warnings.warn(
            f"{measurement.file.path}: ReceiverPosition {told} {fault}: {best}, as the delays between them fit a head",
            MeasurementWarning,
            stacklevel=2,
        )
    return readings[best][0]


def _labels(receivers: FloatArray | None) -> bool | None:
    """Whether the first receiver stands to the left of the second; None where neither does."""
    if receivers is None or len(receivers) != 2:
        return None
    away = receivers[0] - receivers[1]
    return None if abs(away[1]) <= 0.5 * np.linalg.norm(away) else bool(away[1] > 0.0)
