"""The upmix's own tiles and gain in numpy, for what the core does not tell: bounds, and what others could make of them.

Constants are those of `cpp/core/upmix/upmix.cpp`; a test holds the centre found here against the core's.
"""

from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace

import numpy as np
from scipy import fft, signal

from forestage.constants import SAMPLE_RATE

SILENCE = np.float32(1e-20)
PAN_BINS = 16
HIGHEST_HEARD_HZ = 20_000
PAN_AVERAGE_S = LEAK_AVERAGE_S = 0.8
GAIN_FALL_S, LEAK_RIDGE = 0.012, 1.5
DOUBT, CENTRAL_PAN2, WIDE_PAN2 = 0.003, 0.12, 3.0


@dataclass(frozen=True)
class Quality:
    """A quality's frames at 48 kHz, and the constants of its gain."""

    hop: int
    frame: int
    synthesis: int
    fall: int
    weight_turns: int
    slow_turns: int
    tile_share: float
    remembers: bool
    sure_projection: float
    narrowness: tuple[float, float]
    spread: tuple[float, float]
    floor: float
    clear: float
    narrow_unless_known: float
    average_s: float = 0.05

    @property
    def bins(self):
        return self.frame // 2

    @cached_property
    def frequency_hz(self):
        """Of each bin, in the order of the right-angle transform: every second one up, and the others down again."""
        up = np.arange(self.bins // 2) * 2 + 0.5
        return np.concatenate([up, up[::-1] + 1]) * SAMPLE_RATE / self.frame

    @cached_property
    def _windows(self):
        rise = self.frame - self.fall
        n = np.arange(self.frame)
        phase = np.where(n < rise, (n + 0.5) / rise, (self.frame - n - 0.5) / self.fall)
        analysis = np.sin(np.pi / 2 * phase)
        hann2 = np.sin(np.pi * (np.arange(self.synthesis) + 0.5) / self.synthesis) ** 4
        synthesis = self.hop / (0.375 * self.synthesis) * hann2 / analysis[-self.synthesis :]
        return analysis.astype(np.float32), synthesis.astype(np.float32)

    @cached_property
    def _turn(self):
        return np.exp(-0.5j * np.pi * np.arange(self.bins) / self.bins).astype(np.complex64)

    def spectra(self, x):
        """Of sound, shape (frames,), by frame and bin."""
        count = -(-(x.size + self.synthesis) // self.hop)
        padded = np.pad(x.astype(np.float32), (self.frame - self.hop, count * self.hop - x.size))
        frames = np.lib.stride_tricks.sliding_window_view(padded, self.frame)[:: self.hop] * self._windows[0]
        return fft.fft((frames[:, : self.bins] - 1j * frames[:, self.bins :]) * self._turn, overwrite_x=True)

    def sound(self, spectra, frames):
        """The end of each frame, overlapped."""
        late = -(fft.ifft(spectra)[:, -self.synthesis :] * self._turn[-self.synthesis :].conj()).imag
        parts = (late * self._windows[1]).reshape(len(spectra), -1, self.hop)
        hops = parts.shape[1]
        heard = np.zeros((len(parts) + hops, self.hop), np.float32)
        for k in range(hops):
            heard[k : k + len(parts)] += parts[:, k]
        return heard.ravel()[self.synthesis - self.hop :][:frames]


QUALITIES = {
    "High Quality": Quality(256, 4096, 1792, 512, 1, 4, 0.2, True, 0.0, (0.3, 14.0), (2.1, 4.0), 0.1, 50.0, 0.6),
    "Low Latency": Quality(32, 1024, 96, 96, 2, 4, 0.0, False, 0.4, (0.15, 6.0), (1.1, 0.8), 0.1, 100.0, 0.2),
}


def average(values, frames, time_s):
    """Exponential, over hops of so many frames."""
    keep = np.float32(np.exp(-frames / SAMPLE_RATE / time_s))
    return signal.lfilter(np.array([1 - keep]), np.array([1, -keep]), values, axis=0)


def tiles_of(x, quality):
    """Spectra of mid and side, and what is known of each tile when its gain is found."""
    mid, side = quality.spectra(x.mean(axis=0)), quality.spectra((x[0] - x[1]) / 2)
    powers = [np.abs(mid) ** 2, np.abs(side) ** 2, (mid * side.conj()).real]
    means = [average_in_turns(power, quality) for power in powers]
    mixed = [mean + np.float32(quality.tile_share) * (power - mean) for power, mean in zip(powers, means, strict=True)]
    part = 1 / (mixed[0] + SILENCE)
    sideways = np.minimum(1, (mixed[1] + SILENCE) * part)
    common2 = np.minimum(sideways, (mixed[2] * part) ** 2)
    coherence2 = common2 / (sideways + np.float32(1e-12))
    counts = np.float32(quality.sure_projection) + np.float32(1 - quality.sure_projection) * coherence2
    tile = SimpleNamespace(
        mid=mid, side=side, powers=powers, mid_power=mixed[0], side_power=mixed[1], cross=mixed[2],
        common2=common2, spread=sideways - common2, lead2=(1 - sideways) ** 2,
        tilt=np.clip(mixed[2] / (mixed[1] + SILENCE), -1, 1) * counts,
    )  # fmt: skip
    tile.panned, tile.narrow, tile.all = pans_heard(tile, quality)
    return tile


def last_turns(frames, quality):
    """Frame in which a block of bins has last found its weights, by frame and turn; in the first one all do."""
    frame, turn = np.arange(frames)[:, np.newaxis], np.arange(quality.weight_turns)
    return np.maximum(frame - (frame - turn) % quality.weight_turns, 0)


def in_blocks(values):
    """Bins by block, as a view."""
    return values.reshape(len(values), -1, PAN_BINS)


def average_in_turns(values, quality):
    """Averages that move on in the frames in which a block finds its weights."""
    turns, found = quality.weight_turns, np.empty_like(values)
    for turn, last in enumerate(last_turns(len(values), quality).T):
        frames, at = np.unique(last, return_inverse=True)
        means = average(in_blocks(values)[frames][:, turn::turns], turns * quality.hop, quality.average_s)
        in_blocks(found)[:, turn::turns] = means[at]
    return found


def held_in_turns(values, quality):
    """What a block has found at its last turn."""
    turns, found = quality.weight_turns, np.empty_like(values)
    for turn, last in enumerate(last_turns(len(values), quality).T):
        in_blocks(found)[:, turn::turns] = in_blocks(values)[last][:, turn::turns]
    return found


def pans_heard(tile, quality):
    """Power that is panned, that is panned narrowly, and all, as known before each frame, by frame and block."""
    clear = np.maximum(0, 1 - quality.clear * tile.spread)
    common4, lead4 = tile.common2**2, tile.lead2**2
    wide = np.float32(WIDE_PAN2**2) * lead4
    not_central = common4 + np.float32(CENTRAL_PAN2**2) * lead4
    weight = tile.mid_power * clear**2 * common4 / (not_central * (common4 + wide) + 1e-30)
    return [
        known_in_turns(in_blocks(each).sum(axis=-1), quality, quality.slow_turns, PAN_AVERAGE_S)
        for each in (weight * (common4 + wide), weight * wide, tile.mid_power)
    ]


def known_in_turns(values, quality, turns, time_s):
    """Averages of blocks of which each is heard once in so many frames; what was known before a frame, by block."""
    known = np.zeros_like(values)
    for turn in range(turns):
        means = average(values[turn::turns, turn::turns], turns * quality.hop, time_s)
        known[turn + 1 :, turn::turns] = np.repeat(means, turns, axis=0)[: len(values) - turn - 1]
    return known


def narrowness(tile, quality):
    """k of each bin."""
    unknown = np.float32(DOUBT) * tile.all + SILENCE
    share = (tile.narrow + np.float32(quality.narrow_unless_known) * unknown) / (tile.panned + unknown)
    return np.repeat(quality.narrowness[0] + quality.narrowness[1] * share**2, PAN_BINS, axis=1)


def axis_gain(tile, quality, k):
    near, far = quality.spread
    fall = (tile.lead2 + k * tile.common2 + 1e-12) * (1 + tile.spread * (near + far * tile.spread))
    return (tile.lead2 / fall) ** 2


def held(gain, quality):
    """Rises at once, and falls slowly."""
    coefficient = np.float32(1 - np.exp(-quality.hop / SAMPLE_RATE / GAIN_FALL_S))
    found = np.empty_like(gain)
    last = np.zeros_like(gain[0])
    for new, now in zip(gain, found, strict=True):
        last = np.maximum(new, last + coefficient * (new - last), out=now)
    return found


def gain_of(tile, quality):
    """The gain that the core finds."""
    gain = axis_gain(tile, quality, narrowness(tile, quality))
    gain = np.maximum(gain, quality.floor * np.minimum(1, 2 * tile.spread))
    return held(gain, quality) if quality.remembers else held_in_turns(gain, quality)


def projected(tile):
    """The mid without what the side predicts of it."""
    return tile.mid - tile.tilt * tile.side


def leak_share(center, tile, quality):
    """Of the side: what centre and side had in common before each frame."""
    leak, power = (
        known_in_turns(in_blocks(each), quality, quality.slow_turns, LEAK_AVERAGE_S).reshape(each.shape)
        for each in ((center * tile.side.conj()).real, tile.powers[1] + np.float32(LEAK_RIDGE) * np.abs(center) ** 2)
    )
    return leak / (power + SILENCE)


def with_heard_weights(weights):
    """Above hearing, those of the highest heard block."""
    blocks = in_blocks(weights).copy()
    count = blocks.shape[1]
    heard = int(np.ceil(HIGHEST_HEARD_HZ / SAMPLE_RATE * count))
    blocks[:, heard : count - heard] = blocks[:, [heard - 1]]
    return blocks.reshape(weights.shape)


def rule(tile, quality):
    """The core's centre."""
    gain = gain_of(tile, quality)
    side_gain = gain * tile.tilt
    if quality.remembers:
        side_gain = side_gain + leak_share(gain * projected(tile), tile, quality)
    return with_heard_weights(gain) * tile.mid - with_heard_weights(side_gain) * tile.side


def best_gain(truth, tile):
    """The centre that a real gain of mid and no projection can come nearest to, told by the truth, spectra of it."""
    return np.clip((truth * tile.mid.conj()).real / (tile.powers[0] + SILENCE), 0, 1) * tile.mid


def center_of(x, quality):
    return quality.sound(rule(tiles_of(x, quality), quality), x.shape[1])
