"""A net that hears bands of mid and side and says how the upmix's rule should weigh each tile, and what it learns from.

    .venv/bin/pip install torch
    .venv/bin/python bench/quality/upmix_net.py MATERIAL OUT --quality "High Quality" --minutes 11

Needs the clips that upmix_material.py leaves, and an accelerator: a step of 20 mixes, which takes one 0.2 to 0.4 s, is
two minutes of a core with ``--device cpu``. Mixes are made at random while it learns: what is in the centre is known,
as it was put there. Nothing of the corpus is among them.
"""

import argparse
import math
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import soundfile
import torch
from torch import nn
from torch.nn import functional
from upmix_tiles import CENTRAL_PAN2, DOUBT, LEAK_AVERAGE_S, LEAK_RIDGE, PAN_AVERAGE_S, PAN_BINS, QUALITIES, WIDE_PAN2

from forestage.constants import SAMPLE_RATE

SILENCE = 1e-20
KINDS = ("voice", "instrument", "bass", "kick", "drums", "music")
CENTERS, SIDES = 4, 8  # sources of a mix, at most
FFT_FRAMES = 196_608
BLOCK = 2 * PAN_BINS  # neighbouring bins that share what is known of pans, in order of frequency
SLOW_S = 0.4
RATES = {"High Quality": (4, 96), "Low Latency": (16, 48)}  # hops of a step, and bands


# ---- Mixes


class Bank:
    """All clips as one long sound, with where each begins, how long it is and of what kind it is."""

    def __init__(self, folder, device):
        files = sorted(Path(folder).glob("*.opus"))
        with ThreadPoolExecutor() as pool:
            clips = [*pool.map(lambda file: soundfile.read(file, dtype="float32")[0], files)]
        self.sound = torch.from_numpy(np.concatenate(clips).astype(np.float16)).to(device)
        length = torch.tensor([clip.size for clip in clips], device=device)
        self.length, self.start = length, torch.cumsum(length, 0) - length
        kinds = [KINDS.index(file.name.split("-")[0]) for file in files]
        self.of_kind = [torch.tensor([i for i, k in enumerate(kinds) if k == kind], device=device)
                        for kind in range(len(KINDS))]  # fmt: skip

    def choose(self, shares, shape, generator):
        """Clips, each kind as often as its share says."""
        device = self.sound.device
        weights = torch.tensor([shares.get(kind, 0.0) for kind in KINDS], device=device)
        kinds = torch.multinomial(weights.expand(math.prod(shape), -1), 1, generator=generator)[:, 0]
        within = torch.rand(math.prod(shape), generator=generator, device=device)
        clips = torch.zeros_like(kinds)
        for kind, members in enumerate(self.of_kind):
            if len(members):
                clips = torch.where(kinds == kind, members[(within * len(members)).long()], clips)
        return clips.reshape(shape)

    def read(self, clips, frames, generator, *, semitones=3.0):
        """A part of each clip, transposed at random, all of one level."""
        speed = 2 ** (uniform(generator, self.sound, clips.shape, -semitones, semitones) / 12)
        length = self.length[clips]
        room = (length - frames * speed - 2).clamp(min=0)
        offset = uniform(generator, self.sound, clips.shape, 0, 1) * room
        at = offset[..., None].double() + speed[..., None].double() * torch.arange(frames, device=speed.device)
        whole = at.long()
        part = (at - whole).float()
        base, size = self.start[clips][..., None], length[..., None]
        first, second = (self.sound[base + (whole + k) % size].float() for k in (0, 1))
        return levelled(first + part * (second - first))


def uniform(generator, like, shape, low, high):
    return low + (high - low) * torch.rand(shape, generator=generator, device=like.device)


def levelled(x):
    """The louder half has 0.1."""
    power = x[..., : x.shape[-1] // 480 * 480].unflatten(-1, (-1, 480)).square().mean(-1)
    loud = power.sort(dim=-1).values[..., power.shape[-1] // 2 :].mean(-1)
    return torch.where(loud > 1e-7, 0.1 / (loud + 1e-12).sqrt(), torch.zeros_like(loud))[..., None] * x


def gain(db):
    return 10 ** (db / 20)


def equaliser(generator, like, shape, spread_db):
    """Smooth random gains over frequency."""
    points = torch.randn((math.prod(shape), 1, 7), generator=generator, device=like.device) * spread_db
    hz = torch.linspace(1, SAMPLE_RATE / 2, FFT_FRAMES // 2 + 1, device=like.device)
    at = (torch.log2(hz / 60).clamp(0, 8.2) / 8.2 * 2 - 1)[None, None, :, None]
    grid = torch.stack([at.squeeze(0), torch.zeros_like(at.squeeze(0))], -1).squeeze(2)
    curve = functional.grid_sample(points[:, :, None], grid[None].expand(len(points), -1, -1, -1),
                                   align_corners=True)[:, 0, 0]  # fmt: skip
    return gain(curve).reshape(*shape, -1)


def tails(generator, like, shape, decay_s, frames, onset_frames=0):
    """Spectra of decaying noise with unit energy; decay_s of -60 dB, with shape."""
    t = torch.arange(frames, device=like.device) / SAMPLE_RATE
    noise = torch.randn((*shape, frames), generator=generator, device=like.device)
    noise = noise * torch.exp(-6.9 * t / decay_s[..., None]) * (t >= onset_frames / SAMPLE_RATE)
    spectra = torch.fft.rfft(noise, FFT_FRAMES)
    hz = torch.linspace(0, SAMPLE_RATE / 2, spectra.shape[-1], device=like.device)
    dull = 1 / (1 + (hz / uniform(generator, like, (*shape[:1], *[1] * len(shape)), 2000, 9000)) ** 2).sqrt()
    spectra = spectra * dull
    return spectra / spectra.abs().square().mean(-1, keepdim=True).sqrt()


def delays(seconds):
    hz = torch.linspace(0, SAMPLE_RATE / 2, FFT_FRAMES // 2 + 1, device=seconds.device)
    return torch.exp(-2j * math.pi * hz * seconds[..., None])


def chance(generator, like, shape, probability):
    return torch.rand(shape, generator=generator, device=like.device) < probability


def pan_angles(generator, like, count):
    """Degrees from the centre, 45 is one side alone; each mix has a manner of its own."""
    shape = (count, SIDES)
    manner = torch.randint(0, 5, (count, 1), generator=generator, device=like.device)
    some = torch.tensor([12.0, 15, 22.5, 30, 35, 45], device=like.device)
    lists = [
        torch.where(chance(generator, like, shape, 0.7), 45.0, uniform(generator, like, shape, 10, 45)),
        uniform(generator, like, shape, 4, 45),
        uniform(generator, like, shape, 3, 20),
        some[torch.randint(0, len(some), shape, generator=generator, device=like.device)],
        45 * uniform(generator, like, shape, 0.1, 1).sqrt(),
    ]
    angles = sum(torch.where(manner == k, each, 0.0) for k, each in enumerate(lists))
    return angles * torch.where(chance(generator, like, shape, 0.5), 1.0, -1.0)


CENTER_SHARES = (
    {"voice": 6, "instrument": 3, "drums": 0.5, "music": 0.3},
    {"bass": 1},
    {"kick": 2, "drums": 1},
    {"instrument": 2, "voice": 1},
)
CENTER_CHANCES = (0.95, 0.35, 0.35, 0.15)
SIDE_SHARES = {"instrument": 6, "drums": 1.5, "music": 1.2, "voice": 1, "bass": 0.4, "kick": 0.2}


def random_mixes(bank, count, frames, generator):
    """True centres (count, frames) and mixes (count, 2, frames)."""
    like = bank.sound
    lead = torch.stack([bank.choose(shares, (count,), generator) for shares in CENTER_SHARES], 1)
    dry = bank.read(lead, frames, generator)
    plays = torch.stack([chance(generator, like, (count,), each) for each in CENTER_CHANCES], 1)
    loud = gain(uniform(generator, like, (count, CENTERS), -8, 4)) * plays
    loud[:, 0] = plays[:, 0]
    center = torch.fft.rfft(dry * loud[..., None], FFT_FRAMES) * equaliser(generator, like, (count, CENTERS), 2.5)
    center = center.sum(1)

    clips = bank.choose(SIDE_SHARES, (count, SIDES), generator)
    number = torch.randint(1, SIDES + 1, (count, 1), generator=generator, device=like.device)
    level = uniform(generator, like, (count, 1), -6, 3) + uniform(generator, like, (count, SIDES), -9, 3)
    level = gain(level) * (torch.arange(SIDES, device=like.device) < number)
    shape = (count, SIDES)
    curve = equaliser(generator, like, shape, 2.5) * level[..., None]
    first = torch.fft.rfft(bank.read(clips, frames, generator), FFT_FRAMES) * curve
    second = torch.fft.rfft(bank.read(clips, frames, generator), FFT_FRAMES) * curve
    angle = torch.deg2rad(45 + pan_angles(generator, like, count))
    left, right = torch.cos(angle), torch.sin(angle)
    manner = torch.rand(shape, generator=generator, device=like.device)
    all_spaced = chance(generator, like, (count, 1), 0.15)  # as before a pair of microphones
    is_spaced = (manner < 0.1) | all_spaced
    is_double, is_wide = ~is_spaced & (manner < 0.25), ~is_spaced & (manner > 0.85)
    late_s = torch.where(is_spaced, uniform(generator, like, shape, -0.002, 0.002), 0.0)
    near = uniform(generator, like, shape, 0.3, 0.7)
    left, right = torch.where(is_spaced, near, left), torch.where(is_spaced, 1 - near, right)
    to_left, to_right = left[..., None] * delays(-late_s.clamp(max=0)), right[..., None] * delays(late_s.clamp(min=0))
    blur = torch.where(is_wide, uniform(generator, like, shape, 0.2, 1), 0.0)
    decay_s = uniform(generator, like, (count, SIDES, 2), 0.01, 0.2)
    around = tails(generator, like, (count, SIDES, 2), decay_s, 9600)
    keep, blur = (1 - blur**2).sqrt()[..., None], blur[..., None] * 0.7
    narrow = uniform(generator, like, shape, 0, 0.35)[..., None]  # of a double: how much of each is at the other side
    twice = is_double[..., None]
    sides = torch.stack([
        torch.where(twice, 0.7 * (first + narrow * second), first * (keep * to_left + blur * around[:, :, 0])).sum(1),
        torch.where(twice, 0.7 * (second + narrow * first), first * (keep * to_right + blur * around[:, :, 1])).sum(1),
    ], 1)  # fmt: skip

    # Bleed: microphones hear others' sources, late
    bleeds = chance(generator, like, (count, 1), 0.15)
    share = gain(uniform(generator, like, shape, -26, -8)) * bleeds
    leaked = (first * delays(uniform(generator, like, shape, 0.002, 0.02)) * share[..., None]).sum(1)
    back = tails(generator, like, (count, 2), uniform(generator, like, (count, 2), 0.1, 0.5), 24_000, 100)
    sides = sides + center[:, None] * back * (gain(uniform(generator, like, (count, 1), -22, -8)) * bleeds)[..., None]
    center = center + leaked

    # A room that belongs to the sides
    decay_s = 0.3 * 10 ** uniform(generator, like, (count, 1), 0, 0.95)
    room = tails(generator, like, (count, 2), decay_s.expand(-1, 2), min(frames, 120_000), 600)
    send = (sides.sum(1) + center * chance(generator, like, (count, 1), 0.8))[:, None]
    wet = gain(uniform(generator, like, (count, 1), -26, -8)) * chance(generator, like, (count, 1), 0.8)
    sides = sides + send * room * wet[..., None]
    truth = torch.fft.irfft(center, FFT_FRAMES)[..., :frames]
    return truth, truth[:, None] + torch.fft.irfft(sides, FFT_FRAMES)[..., :frames]


# ---- Tiles


def average(values, frames, time_s):
    """Exponential, over hops of so many frames; values of shape (mixes, hops, anything)."""
    size, keep = 64, math.exp(-frames / SAMPLE_RATE / time_s)
    count = values.shape[1]
    blocks = functional.pad(values, (0, 0, 0, -count % size)).unflatten(1, (-1, size))
    n = torch.arange(size, device=values.device)
    power = (n[:, None] - n).clamp(min=0)
    inside = (1 - keep) * keep**power * (n[:, None] >= n)
    found = torch.einsum("ij,bcjk->bcik", inside, blocks)
    decay = (keep ** (n + 1))[:, None]
    state = torch.zeros_like(found[:, 0, 0])
    for block in found.unbind(1):
        block += decay * state[:, None]
        state = block[:, -1].clone()
    return found.flatten(1, 2)[:, :count]


def before(values):
    """What was known before each hop."""
    return functional.pad(values[:, :-1], (0, 0, 1, 0))


class Frames:
    """Spectra as the upmix takes them, bins in order of frequency, and sound from them."""

    def __init__(self, quality, device):
        self.quality = quality
        self.order = torch.from_numpy(np.argsort(quality.frequency_hz)).to(device)
        self.back = torch.argsort(self.order)
        self.analysis, self.synthesis = (torch.from_numpy(window).to(device) for window in quality._windows)
        self.turn = torch.from_numpy(quality._turn).to(device)

    def spectra(self, x):
        q = self.quality
        count = -(-(x.shape[-1] + q.synthesis) // q.hop)
        padded = functional.pad(x, (q.frame - q.hop, count * q.hop - x.shape[-1]))
        frames = padded.unfold(-1, q.frame, q.hop)[..., :count, :] * self.analysis
        folded = torch.complex(frames[..., : q.bins], -frames[..., q.bins :]) * self.turn
        return torch.fft.fft(folded)[..., self.order]

    def sound(self, spectra, frames):
        q = self.quality
        late = torch.fft.ifft(spectra[..., self.back])[..., -q.synthesis :] * self.turn[-q.synthesis :].conj()
        parts = (-late.imag * self.synthesis).unflatten(-1, (-1, q.hop))
        hops = parts.shape[-2]
        heard = sum(functional.pad(parts[..., k, :], (0, 0, k, hops - k)) for k in range(hops))
        return heard.flatten(-2)[..., q.synthesis - q.hop :][..., :frames]


class Tiles:
    """What is known of each tile of a mix."""

    def __init__(self, x, frames):
        q = self.quality = frames.quality
        self.mid, self.side = frames.spectra(x.mean(1)), frames.spectra((x[:, 0] - x[:, 1]) / 2)
        self.now = [self.mid.abs().square(), self.side.abs().square(), (self.mid * self.side.conj()).real]
        self.means = [average(each, q.hop, q.average_s) for each in self.now]
        self.slow = [average(each, q.hop, SLOW_S) for each in self.now]
        self.axis_powers = self.mixed(q.tile_share)
        self.axis = axis_of(*self.axis_powers)
        self.k = self.narrowness(self.axis_powers[0])
        self.slow_tilt = (self.slow[2] / (self.slow[1] + SILENCE)).clamp(-1, 1)

    def mixed(self, share):
        """Averages, of which the tile itself is a share."""
        return [mean + share * (now - mean) for mean, now in zip(self.means, self.now, strict=True)]

    def narrowness(self, mid_power):
        q = self.quality
        _, common2, spread, lead2, _ = self.axis
        clear = (1 - q.clear * spread).clamp(min=0)
        common4, lead4 = common2.square(), lead2.square()
        wide = WIDE_PAN2**2 * lead4
        weight = mid_power * clear**2 * common4 / ((common4 + CENTRAL_PAN2**2 * lead4) * (common4 + wide) + 1e-30)
        panned, narrow, everything = (
            before(average(each.unflatten(-1, (-1, BLOCK)).sum(-1), q.hop, PAN_AVERAGE_S))
            for each in (weight * (common4 + wide), weight * wide, mid_power)
        )
        self.pans = panned, narrow, everything
        unknown = DOUBT * everything + SILENCE
        share = (narrow + q.narrow_unless_known * unknown) / (panned + unknown)
        return (q.narrowness[0] + q.narrowness[1] * share.square()).repeat_interleave(BLOCK, -1)

    def rule(self):
        """The upmix's own centre, but for falls that are slow."""
        return self.center(rule_gain(self), self.tilt())

    def tilt(self):
        q = self.quality
        _, common2, spread, _, tilt = self.axis
        return tilt * (q.sure_projection + (1 - q.sure_projection) * common2 / (common2 + spread + 1e-12))

    def center(self, gain, tilt):
        found = gain * (self.mid - tilt * self.side)
        if not self.quality.remembers:
            return found
        with torch.no_grad():
            leak = average((found * self.side.conj()).real, self.quality.hop, LEAK_AVERAGE_S)
            power = average(self.now[1] + LEAK_RIDGE * found.abs().square(), self.quality.hop, LEAK_AVERAGE_S)
            share = before(leak) / (before(power) + SILENCE)
        return found - share * self.side


def axis_of(mid, side, cross):
    """sideways, common2, spread, lead2 and the plain tilt of powers."""
    part = 1 / (mid + SILENCE)
    sideways = ((side + SILENCE) * part).clamp(max=1)
    common2 = torch.minimum(sideways, (cross * part).square())
    return sideways, common2, sideways - common2, (1 - sideways).square(), (cross / (side + SILENCE)).clamp(-1, 1)


def rule_gain(tiles):
    q = tiles.quality
    _, common2, spread, lead2, _ = tiles.axis
    near, far = q.spread
    fall = (lead2 + tiles.k * common2 + 1e-12) * (1 + spread * (near + far * spread))
    return torch.maximum((lead2 / fall).square(), q.floor * (2 * spread).clamp(max=1))


# ---- The net


class Bands:
    """Overlapping triangles, evenly spaced over a scale that is linear below and logarithmic above."""

    def __init__(self, quality, count, device):
        linear_hz = 700 if quality.bins > 1000 else 1200
        warp = np.arcsinh(np.sort(quality.frequency_hz) / linear_hz)
        centers = np.linspace(warp[0], np.arcsinh(19_000 / linear_hz), count)
        least = np.searchsorted(warp, centers)
        least = np.maximum(least, np.arange(count))  # at least one bin each
        centers = np.maximum(centers, warp[np.minimum(least, warp.size - 1)])
        up = np.stack([np.interp(warp, centers, row) for row in np.eye(count)])
        self.spread = torch.from_numpy(up.astype(np.float32)).to(device)  # bands to bins
        self.count = count

    def sums(self, values):
        return values @ self.spread.T

    def to_bins(self, values):
        """Of shape (..., bands)."""
        return values @ self.spread


def features_of(tiles, bands, step):
    """What the net hears of each band once in ``step`` hops, shape (mixes, steps, bands, features)."""
    now_mid, now_side, now_cross = tiles.now
    mid, side, cross = tiles.means
    sideways, common2, spread, lead2, _ = tiles.axis

    def sums(values):
        return bands.sums(values) + 1e-16

    power, slow_power, now_power = sums(mid + side), sums(tiles.slow[0] + tiles.slow[1]), sums(now_mid + now_side)
    mids, sides, slow_mids = sums(mid), sums(side), sums(tiles.slow[0])
    common = (mids * sides).sqrt()
    pan = common2 / (common2 + lead2 + 1e-9)
    mean_pan = bands.sums(pan * mid) / mids
    panned, narrow, everything = (bands.sums(each.repeat_interleave(BLOCK, -1)) for each in tiles.pans)
    rule = rule_gain(tiles)
    beside = (tiles.mid * tiles.side.conj()).imag
    flat = torch.exp(bands.sums(torch.log(now_mid + 1e-12)) / bands.sums(torch.ones_like(now_mid)))
    histogram = [
        (bands.sums(mid * ((pan >= low) & (pan < high)))) / mids
        for low, high in ((0, 0.003), (0.003, 0.02), (0.02, 0.1), (0.1, 0.35))
    ]
    slow_pan = average(pan * mid, tiles.quality.hop, 1.0)
    slow_axis = axis_of(*tiles.slow)
    known = [
        torch.log(power / power.sum(-1, keepdim=True) + 1e-7) / 4 + 1.5,
        torch.log(now_power / power + 1e-3).clamp(-4, 4) / 2,
        torch.log(power / slow_power + 1e-3).clamp(-4, 4) / 2,
        torch.log((sums(now_mid) / mids + 1e-3) / (sums(now_side) / sides + 1e-3)).clamp(-4, 4) / 2,
        torch.log(mids / sides).clamp(-8, 8) / 4,
        torch.log(slow_mids / sums(tiles.slow[1])).clamp(-8, 8) / 4,
        torch.log(sums(now_mid) / sums(now_side)).clamp(-8, 8) / 4,
        bands.sums(cross).abs() / common,
        bands.sums(cross.abs()) / common,
        bands.sums(now_cross.abs()) / (sums(now_mid) * sums(now_side)).sqrt(),
        bands.sums(beside.abs()) / (sums(now_mid) * sums(now_side)).sqrt(),
        bands.sums(tiles.slow[2].abs()) / (slow_mids * sums(tiles.slow[1])).sqrt(),
        bands.sums(spread * mid) / mids,
        mean_pan,
        (bands.sums(pan.square() * mid) / mids - mean_pan.square()).clamp(min=0).sqrt(),
        bands.sums(slow_pan) / (sums(average(mid, tiles.quality.hop, 1.0))),
        bands.sums(slow_axis[2] * tiles.slow[0]) / slow_mids,
        narrow / (panned + 1e-16),
        panned / (everything + 1e-16),
        bands.sums(rule * mid) / mids,
        bands.sums(rule * now_mid) / sums(now_mid),
        torch.log(flat / sums(now_mid) * bands.sums(torch.ones_like(now_mid)) + 1e-4) / 4,
        *histogram,
    ]
    place = torch.linspace(-1, 1, bands.count, device=power.device).expand_as(power)
    found = torch.stack([*known, place, place.square()], -1)
    return found[:, ::step].clamp(-4, 4)


FEATURES = 28


class BandNet(nn.Module):
    """Strided convolutions over bands, then in turns GRUs over bands and over time, and back to all bands."""

    def __init__(self, width, outputs, blocks=2, features=FEATURES):
        super().__init__()
        self.first = nn.Conv1d(features, width, 5, stride=2, padding=2)
        self.second = nn.Conv1d(width, width, 5, stride=2, padding=2)
        self.across = nn.ModuleList(
            nn.GRU(width, width // 2, batch_first=True, bidirectional=True) for _ in range(blocks)
        )
        self.over = nn.ModuleList(nn.GRU(width, width, batch_first=True) for _ in range(blocks))
        self.mix = nn.ModuleList(nn.Linear(width, width) for _ in range(2 * blocks))
        self.up = nn.ConvTranspose1d(width, width, 4, stride=2, padding=1)
        self.last = nn.ConvTranspose1d(width, width, 4, stride=2, padding=1)
        self.plain = nn.Linear(features, width)
        self.say = nn.Linear(width, outputs)

    def forward(self, features):
        """(mixes, steps, bands, features) to (mixes, steps, bands, outputs)."""
        mixes, steps, bands, _ = features.shape
        heard = torch.relu(self.first(features.flatten(0, 1).transpose(1, 2)))
        x = torch.relu(self.second(heard)).transpose(1, 2)  # (mixes * steps, places, width)
        places = x.shape[1]
        for k, (across, over) in enumerate(zip(self.across, self.over, strict=True)):
            x = x + self.mix[2 * k](across(x)[0])
            y = x.reshape(mixes, steps, places, -1).transpose(1, 2).flatten(0, 1)
            y = self.mix[2 * k + 1](over(y)[0])
            x = x + y.reshape(mixes, places, steps, -1).transpose(1, 2).flatten(0, 1)
        x = torch.relu(self.up(x.transpose(1, 2)) + heard)
        x = self.last(x).transpose(1, 2).reshape(mixes, steps, bands, -1)
        return self.say(torch.relu(x + self.plain(features)))


class Still(nn.Module):
    """In the place of a net: the same for each band at all times."""

    def __init__(self, bands, outputs):
        super().__init__()
        self.say = nn.Linear(1, bands * outputs)
        self.shape = bands, outputs

    def forward(self, features):
        said = self.say.bias.reshape(*self.shape)
        return said.expand(*features.shape[:2], *self.shape)


class RuleNet(nn.Module):
    """Sets the constants of the rule: for each band and step one factor of each."""

    outputs = 9

    def __init__(self, quality, width, bands, device, step):
        super().__init__()
        self.bands, self.step = Bands(quality, bands, device), step
        self.net = BandNet(width, self.outputs) if width else Still(bands, self.outputs)
        nn.init.zeros_(self.net.say.weight)
        nn.init.zeros_(self.net.say.bias)
        self.net.say.bias.data.view(-1, self.outputs)[:, 6] = 4.0

    def forward(self, tiles, features):
        q = tiles.quality
        said = self.net(features).transpose(2, 3)  # (mixes, steps, outputs, bands)
        hops = tiles.mid.shape[1]

        def of_bins(k, scale=1.0, limit=4.0):
            by_step = self.bands.to_bins((scale * said[:, :, k]).clamp(-limit, limit))
            return by_step.repeat_interleave(self.step, 1)[:, :hops]

        share = 0.2 * torch.exp(of_bins(0)).clamp(max=5)
        axis = axis_of(*tiles.mixed(share))
        _, common2, spread, lead2, tilt = axis
        near, far = q.spread
        fall = (lead2 + tiles.k * torch.exp(2 * of_bins(1)) * common2 + 1e-12) * (
            1 + torch.exp(of_bins(2)) * spread * (near + far * spread)
        )
        gain = (lead2 / fall + 1e-9) ** (2 * torch.exp(of_bins(3, limit=1.5)))
        sideways = axis[0]
        gain = gain * (1 - torch.sigmoid(-of_bins(6, limit=8)) * sideways / (sideways + 0.003))
        floor = q.floor * torch.exp(of_bins(7))
        gain = torch.maximum(gain, floor.clamp(max=0.5) * (2 * spread).clamp(max=1))
        coherence2 = common2 / (common2 + spread + 1e-12)
        sure = q.sure_projection
        tilt = tilt * (sure + (1 - sure) * coherence2 + of_bins(4, 0.3) + of_bins(8, 0.3) * (1 - coherence2))
        tilt = tilt + tiles.slow_tilt * of_bins(5, 0.3)
        return tiles.center(gain, tilt)


class TileNet(nn.Module):
    """Hears each tile too: a hidden layer of its own, which bands tell what to do."""

    def __init__(self, quality, width, bands, device, step, hidden=16):
        super().__init__()
        self.bands, self.step, self.hidden = Bands(quality, bands, device), step, hidden
        self.net = BandNet(width, hidden)
        self.hear = nn.Linear(16, hidden)
        self.say = nn.Linear(hidden, 5)
        nn.init.zeros_(self.say.weight)
        nn.init.zeros_(self.say.bias)
        self.say.bias.data[0] = 3.0

    def forward(self, tiles, features):
        said = self.net(features).transpose(2, 3)
        hops = tiles.mid.shape[1]
        with torch.no_grad():
            rule, own = rule_gain(tiles), tiles.tilt()
            heard = self.of_tiles(tiles, rule)
        told = self.bands.to_bins(said).transpose(2, 3).repeat_interleave(self.step, 1)[:, :hops]
        found = self.say(torch.relu(self.hear(heard) + told))
        sideways = tiles.axis[0]
        share, free = torch.sigmoid(found[..., 0]), torch.sigmoid(found[..., 4])
        gain = share * rule + (1 - share) * free * (1 - sideways)  # of the rule's and a free one
        tilt = own * (1 + found[..., 1]) + tiles.axis[4] * found[..., 2] + tiles.slow_tilt * found[..., 3]
        return tiles.center(gain, tilt)

    def of_tiles(self, tiles, rule):
        now, mean, slow = (axis_of(*powers) for powers in (tiles.now, tiles.axis_powers, tiles.slow))
        rise = torch.log((tiles.now[0] + 1e-16) / (tiles.means[0] + 1e-16)).clamp(-4, 4) / 2
        last = torch.log((tiles.means[0] + 1e-16) / (tiles.slow[0] + 1e-16)).clamp(-4, 4) / 2
        around = self.bands.to_bins(self.bands.sums(tiles.means[0]) / self.bands.spread.sum(1))
        peak = torch.log((tiles.means[0] + 1e-16) / (around + 1e-16)).clamp(-4, 4) / 2
        columns = [rule, rise, last, peak]
        for axis in (now, mean, slow):
            columns += [axis[0].sqrt(), (axis[1] + 1e-12) ** 0.25, (axis[2] + 1e-12).sqrt(), axis[4].abs()]
        return torch.stack(columns, -1)


# ---- Learning


def decibels_of_error(truth, found, mid):
    reference = truth.square().sum(-1) + 1e-3 * mid.square().sum(-1) + 1e-6
    return 10 * torch.log10((truth - found).square().sum(-1) / reference + 1e-5)


def make_model(name, quality_name, device="cpu"):
    """What can be trained: the net, the same constants at all times, and a net that may be as large as it likes."""
    quality, (step, bands) = QUALITIES[quality_name], RATES[quality_name]
    if name == "large":
        return TileNet(quality, 128, bands, device, step, hidden=24).to(device)
    return RuleNet(quality, {"net": 24, "constants": 0}[name], bands, device, step).to(device)


def learn(args):
    device = torch.device(args.device)
    torch.manual_seed(args.seed)
    quality = QUALITIES[args.quality]
    frames = Frames(quality, device)
    bank = Bank(args.material, device)
    print(f"{bank.sound.numel() / SAMPLE_RATE / 60:.0f} min of clips", flush=True)
    length = round(args.seconds * SAMPLE_RATE)
    models = {name: make_model(name, args.quality, device) for name in args.models.split(",")}
    step, count = RATES[args.quality]
    bands = Bands(quality, count, device)
    for name, model in models.items():
        print(name, sum(p.numel() for p in model.parameters()), "weights", flush=True)
    if args.start:
        known = torch.load(args.start, map_location=device)
        for name, model in models.items():
            if name in known:
                model.load_state_dict(known[name])
    optimisers = {name: torch.optim.Adam(model.parameters(), args.rate) for name, model in models.items()}
    generator = torch.Generator(device).manual_seed(args.seed)
    begin, steps, lately, shown = time.monotonic(), 0, {name: [] for name in models}, 0.0
    while (part := (time.monotonic() - begin) / (60 * args.minutes)) < 1 and steps < args.steps:
        rate = args.rate * min(1, (steps + 1) / 50) * (0.02 + 0.98 * (0.5 + 0.5 * math.cos(math.pi * part)))
        with torch.no_grad():
            truth, x = random_mixes(bank, args.batch, length, generator)
            mid = x.mean(1)
            tiles = Tiles(x, frames)
            base = decibels_of_error(truth, frames.sound(tiles.rule(), length), mid)
            features = features_of(tiles, bands, step)
        for name, model in models.items():
            for group in optimisers[name].param_groups:
                group["lr"] = rate
            center = model(tiles, features)
            ahead = decibels_of_error(truth, frames.sound(center, length), mid) - base
            loss = ahead.mean() + args.worst * torch.relu(ahead + 1).mean()
            optimisers[name].zero_grad()
            loss.backward()
            norm = nn.utils.clip_grad_norm_(model.parameters(), 3.0)
            if torch.isfinite(norm):
                optimisers[name].step()
                lately[name].append(ahead.detach().mean())
        steps += 1
        if steps in (1, 5) or time.monotonic() - begin - shown > args.show_s:
            shown = time.monotonic() - begin
            recent = {name: f"{-torch.stack(some[-50:]).mean().item():.2f}" for name, some in lately.items()}
            print(f"{shown:5.0f} s, {steps} steps: {recent}", flush=True)
    Path(args.out).mkdir(parents=True, exist_ok=True)
    torch.save({name: model.state_dict() for name, model in models.items()}, Path(args.out) / "nets.pt")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("material")
    parser.add_argument("out")
    parser.add_argument("--quality", default="High Quality")
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--batch", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--worst", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--models", default="net,constants")
    parser.add_argument("--start", default="")
    parser.add_argument("--show-s", type=float, default=20.0)
    learn(parser.parse_args())


if __name__ == "__main__":
    main()
