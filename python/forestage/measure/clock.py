"""The recorder's clock against the player's: where a recording begins, how fast it runs, what it lost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.fft import next_fast_len
from scipy.ndimage import maximum_filter1d
from scipy.signal import hilbert, oaconvolve

from forestage.arrays import FloatArray
from forestage.measure.plan import Plan

# Around where the first guess has it, a marker is sought so far: more than any card loses at a time
REACH_S = 0.25
# Of the correlation's peak over its median: below, there is no marker
LEAST_PEAK = 12.0
# Of one marker against the others
LEAST_SHARE = 0.1
# Of clocks; two hundred millionths are much for a sound card
MOST_DRIFT = 4e-4
# What cannot be drift or noise
LEAST_LOST_S = 0.1e-3
MOST_LEVEL_CHANGE_DB = 0.5


@dataclass(frozen=True)
class Clock:
    """Frame n of a recording is frame ``(n - offset) / rate`` of what was played.

    Attributes
    ----------
    offset : float
        Frames of the recording before what was played, flight included.
    rate : float
        Frames recorded for one that was played.
    """

    offset: float
    rate: float

    @property
    def drift_ppm(self) -> float:
        """How much faster the recorder's clock is."""
        return (self.rate - 1.0) * 1e6


def find_clock(recording: FloatArray, plan: Plan, drivers: list[int]) -> Clock:
    """Find the markers of a recording, shape (frames,), in which so many drivers play.

    Raises
    ------
    ValueError
        When there are no markers, some are missing, samples were lost, the rate is another or the level has changed.
    """
    if len(recording) < len(plan.marker()):
        raise ValueError(f"is {len(recording) / plan.sample_rate:.2f} s long, shorter than one chirp; record again")
    # A clock that is off moves the peaks of chirps upwards and downwards apart, so that the chirps follow it
    clock = _clock(recording, plan, drivers, speed=1.0)
    return _clock(recording, plan, drivers, speed=clock.rate)


def _clock(recording: FloatArray, plan: Plan, drivers: list[int], *, speed: float) -> Clock:
    rate = plan.sample_rate
    played = np.array([part.frame for part in plan.parts(drivers) if part.driver is None])
    upwards, downwards = (_envelope(recording, plan.marker(is_last=is_last, speed=speed)) for is_last in (False, True))
    heard = [upwards] * (len(played) - 1) + [downwards]
    found, heights = _peaks(heard, played, round(REACH_S * rate))
    silence = float(np.median(upwards))
    if heights.max() < LEAST_PEAK * silence:
        raise ValueError(
            "has no markers: not a recording of these sweeps, too noisy, or made through something that takes "
            "out steady sounds (noise suppression, echo cancellation); switch that off and record again"
        )
    missing = (heights < max(LEAST_SHARE * heights.max(), LEAST_PEAK * silence)) | ~np.isfinite(found)
    if missing[-1]:
        needed_s, has_s = plan.frames(drivers) / rate, len(recording) / rate
        raise ValueError(
            f"ends before the sweeps do: it is {has_s:.1f} s long, and they take {needed_s:.1f} s; record again, and "
            "stop the recorder after the last chirp"
        )
    if missing[0]:
        raise ValueError("begins after the sweeps: the first chirp is missing; start the recorder before the player")
    if missing.any():
        at_s = played[int(np.argmax(missing))] / rate
        raise ValueError(
            f"lacks the chirp at {at_s:.1f} s, or runs at another speed; record again at {rate} Hz, and keep quiet "
            "meanwhile"
        )
    return _fitted(found, played, heights, rate)


def _fitted(found: FloatArray, played: FloatArray, heights: FloatArray, sample_rate: int) -> Clock:
    """The clock of markers, after it is known that nothing was lost between them."""
    steps = np.diff(found) / np.diff(played)
    off = np.abs(steps - 1.0)
    if off.min() > MOST_DRIFT and np.ptp(steps) < MOST_DRIFT and len(steps) > 1:
        speed = float(steps.mean())
        raise ValueError(
            f"runs at {speed:.4f} of the speed at which the sweeps were played: another sample rate on the way; set "
            f"player and recorder to {sample_rate} Hz, and record again"
        )
    # Where one stretch has lost something, another tells how fast the clock is
    speed = float(steps[int(np.argmin(off))]) if off.min() <= MOST_DRIFT else 1.0
    lost = speed * np.diff(played) - np.diff(found)
    worst = int(np.argmax(np.abs(lost)))
    if abs(lost[worst]) > LEAST_LOST_S * sample_rate:
        begin_s, end_s = played[worst] / sample_rate, played[worst + 1] / sample_rate
        what = "lost" if lost[worst] > 0.0 else "has extra"
        raise ValueError(
            f"{what} {abs(lost[worst]):.0f} samples ({1000 * abs(lost[worst]) / sample_rate:.1f} ms) between "
            f"{begin_s:.1f} and {end_s:.1f} s; close other programs, take a larger buffer and record again"
        )
    changes_db = 20 * np.log10(heights / np.median(heights))
    if np.ptp(changes_db) > MOST_LEVEL_CHANGE_DB:
        raise ValueError(
            f"changes its level by {np.ptp(changes_db):.1f} dB from chirp to chirp: automatic gain, noise suppression "
            "or a limiter; switch it off, and record again"
        )
    slope, offset = np.polyfit(played, found, 1)
    return Clock(float(offset), float(slope))


def _envelope(recording: FloatArray, chirp: FloatArray) -> FloatArray:
    """Envelope of the correlation with the chirp; its peaks are where chirps begin."""
    correlation = oaconvolve(recording, chirp[::-1])[len(chirp) - 1 :]
    return np.abs(hilbert(correlation, next_fast_len(len(correlation)))[: len(correlation)])


def _peaks(heard: list[FloatArray], played: FloatArray, reach: int) -> tuple[FloatArray, FloatArray]:
    """Where each marker begins, and how strong it is; NaN and 0 for one outside of the recording.

    Of the first markers and the last one, each in the envelope of its own chirp.
    """
    last, frames = int(played[-1]), len(heard[0])
    wide = {id(each): maximum_filter1d(each, 2 * reach + 1) for each in heard}
    total = np.zeros(frames + last)
    for frame, each in zip(played.tolist(), heard, strict=True):
        padded = np.concatenate([np.zeros(last), wide[id(each)], np.zeros(last)])
        # Each counts, and none for all of them
        total += np.sqrt(padded[frame : frame + len(total)])
    start = int(np.argmax(total)) - last
    first = _best(heard, [start + int(frame) for frame in played], reach)
    offset = float(np.median([peak - frame for peak, frame in zip(first, played, strict=True) if np.isfinite(peak)]))
    places = [round(offset + frame) for frame in played]
    found = np.array(_best(heard, places, reach))
    heights = np.array(
        [each[round(peak)] if np.isfinite(peak) else 0.0 for peak, each in zip(found, heard, strict=True)]
    )
    return found, heights


def _best(heard: list[FloatArray], places: list[int], reach: int) -> list[float]:
    return [_peak(each, place - reach, place + reach) for each, place in zip(heard, places, strict=True)]


def _peak(heard: FloatArray, begin: int, end: int) -> float:
    """Place of the highest value in a stretch, by the parabola through its logarithm; NaN outside."""
    begin, end = max(begin, 1), min(end, len(heard) - 1)
    if end - begin < 3:
        return float("nan")
    top = begin + int(np.argmax(heard[begin:end]))
    if top + 1 >= len(heard) or not heard[top] > 0.0:
        return float("nan")
    before, here, after = np.log(np.maximum(heard[top - 1 : top + 2], 1e-30))
    curve = before - 2.0 * here + after
    return top + (0.5 * (before - after) / curve if curve < 0.0 else 0.0)
