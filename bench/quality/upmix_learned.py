"""What a tiny learned gain would add to the upmix's rule, judged on kinds of mixes that it has not seen.

    .venv/bin/pip install torch
    .venv/bin/python bench/quality/upmix_learned.py

Takes a quarter of an hour of one core. Not part of `./run quality`, as nothing that is shipped comes from it.

A net hears what is known of 32 bands, 47 times a second, and says for each how much of nine candidates to add up. So it
sets the gain and the projection of every band, and learns from the very error that SDR counts: that of a sum of
candidates in a band is a square form of their products, of which each excerpt keeps the sums.
"""

from dataclasses import dataclass

import numpy as np
import torch
from evidence import Table, write
from scipy import ndimage
from torch import nn
from upmix import sdr_db
from upmix_corpus import HELD_OUT, KINDS, TUNE, Mix, corpus
from upmix_tiles import PAN_BINS, QUALITIES, SILENCE, axis_gain, gain_of, narrowness, projected, rule, tiles_of

from forestage.constants import SAMPLE_RATE

QUALITY = QUALITIES["High Quality"]
BANDS = 32
FRAMES = 4  # of 5 ms, in which weights stay
WIDTH = 32
SECONDS = 3.0
TRAIN = range(200, 216)
STEPS, BATCH, RATE = 200, 8, 4e-3
RECORDED = {"wide guitars", "electronic", "pop recording"}  # six seconds each, of which parts are taken
K_WIDE, K_NARROW = np.float32(0.3), np.float32(40.0)  # of gains beside the rule's
TINY = 1e-20

ORDER = np.argsort(QUALITY.frequency_hz)


def band_starts():
    """First bin of each band, in order of frequency: as wide as auditory filters (Glasberg & Moore 1990)."""
    erb = 21.4 * np.log10(1 + 0.00437 * QUALITY.frequency_hz[ORDER])
    edges = np.linspace(erb[0], 21.4 * np.log10(1 + 0.00437 * 20_000), BANDS + 1)[1:-1]
    starts = np.searchsorted(erb, edges)
    return np.maximum(np.concatenate([[0], starts]), np.arange(BANDS) * 2)


STARTS = band_starts()


def in_bands(values):
    """Sums over bands and so many frames, from bins in order of frequency."""
    bands = np.add.reduceat(values, STARTS, axis=1)
    whole = len(bands) // FRAMES * FRAMES
    return bands[:whole].reshape(-1, FRAMES, BANDS).sum(axis=1)


def candidates_of(tile):
    """What a centre is summed from, bins in order of frequency; the rule's centre is the first."""
    k = narrowness(tile, QUALITY)
    power_ratio = (tile.powers[1] + SILENCE) / (tile.powers[0] + SILENCE)
    gain = gain_of(tile, QUALITY)
    gains = [
        gain**2,
        axis_gain(tile, QUALITY, K_WIDE),
        axis_gain(tile, QUALITY, K_NARROW),
        (tile.lead2 / (tile.lead2 + k * tile.common2 + 1e-12)) ** 2,  # whatever lies beside the axis
        np.maximum(0, 1 - np.sqrt(power_ratio)),  # of the tile alone
        np.ones_like(gain),
    ]
    mid = projected(tile)
    around = ndimage.uniform_filter1d(gain[:, ORDER], 9, axis=1) * mid[:, ORDER]
    each = [rule(tile, QUALITY), *(other * mid for other in gains), tile.tilt * tile.side]
    return [*(center[:, ORDER] for center in each), around]


def summed(candidates, weights):
    """By weights of shape (steps, bands, candidates), which stay until the next step."""
    frames = len(candidates[0])
    late = np.pad(weights, ((0, frames // FRAMES + 1 - len(weights)), (0, 0), (0, 0)), mode="edge")
    by_frame = np.repeat(late, FRAMES, axis=0)[:frames]
    widths = np.diff([*STARTS, QUALITY.bins])
    found = np.empty_like(candidates[0])
    found[:, ORDER] = sum(np.repeat(by_frame[..., i], widths, axis=1) * each for i, each in enumerate(candidates))
    return found


def features_of(tile, candidates):
    """What the net hears of each band: powers, coherence, phase, axis, pans that were heard, and the candidates'."""
    mid, side = (power[:, ORDER] for power in tile.powers[:2])
    mean_mid, mean_side, cross = (each[:, ORDER] for each in (tile.mid_power, tile.side_power, tile.cross))
    beside = (tile.mid * tile.side.conj()).imag[:, ORDER]
    power, mean_power = in_bands(mid + side), in_bands(mean_mid + mean_side) + TINY
    common = np.sqrt(in_bands(mean_mid) * in_bands(mean_side)) + TINY
    panned, narrow, heard = (
        in_bands(np.repeat(each, PAN_BINS, axis=1)[:, ORDER]) for each in (tile.panned, tile.narrow, tile.all)
    )
    # None tells left from right, nor loud from soft
    known = [
        np.log(mean_power / mean_power.sum(axis=1, keepdims=True) + 1e-8) / 4 + 1,
        np.log((power + TINY) / mean_power).clip(-4, 4),
        in_bands(mean_side) / mean_power,
        np.abs(in_bands(cross)) / common,
        in_bands(np.abs(cross)) / common,
        np.abs(in_bands(beside)) / common,
        in_bands(tile.spread[:, ORDER] * mean_mid) / (in_bands(mean_mid) + TINY),
        narrow / (panned + TINY),
        panned / (heard + TINY),
        *(np.sqrt(in_bands(np.abs(each) ** 2) / (in_bands(mid) + TINY)) for each in candidates[:6]),
    ]
    return np.stack(known, axis=-1).astype(np.float32)


@dataclass(frozen=True)
class Excerpt:
    """Features, and sums of products by step and band: of candidates with each other, and with the true centre."""

    features: torch.Tensor
    own: torch.Tensor
    with_truth: torch.Tensor
    truth: torch.Tensor

    def error(self, weights):
        """Power of the true centre minus the sum of candidates, over that of the centre; any leading dimensions."""
        square = torch.einsum("...i,...ij,...j->...", weights, self.own, weights)
        tiles = square - 2 * (weights * self.with_truth).sum(-1) + self.truth
        return tiles.sum((-2, -1)) / self.truth.sum((-2, -1))

    @staticmethod
    def stack(excerpts):
        columns = zip(*((e.features, e.own, e.with_truth, e.truth) for e in excerpts), strict=True)
        return Excerpt(*(torch.stack(column) for column in columns))


def excerpt_of(mix):
    tile = tiles_of(mix.x, QUALITY)
    candidates = candidates_of(tile)
    truth = QUALITY.spectra(mix.center)[:, ORDER]
    rows = [[in_bands(product(a, b)) for b in candidates[: i + 1]] for i, a in enumerate(candidates)]
    own = np.stack([np.stack([rows[max(i, j)][min(i, j)] for j in range(len(rows))], -1) for i in range(len(rows))], -2)
    with_truth = np.stack([in_bands(product(truth, each)) for each in candidates], -1)
    parts = features_of(tile, candidates), own, with_truth, in_bands(product(truth, truth))
    return Excerpt(*(torch.from_numpy(np.ascontiguousarray(part, np.float32)) for part in parts))


def product(a, b):
    return a.real * b.real + a.imag * b.imag


class Net(nn.Module):
    """Convolutions over bands and GRUs over time, both the same for all bands; it begins as the rule itself."""

    def __init__(self, features, candidates):
        super().__init__()
        self.hear = nn.Conv1d(features, WIDTH, 5, padding=2)
        self.recall = nn.GRU(WIDTH, WIDTH, batch_first=True)
        self.compare = nn.Conv1d(WIDTH, WIDTH, 5, padding=2)
        self.settle = nn.GRU(WIDTH, WIDTH, batch_first=True)
        self.say = nn.Linear(WIDTH, candidates)
        nn.init.zeros_(self.say.weight)
        nn.init.zeros_(self.say.bias)
        rule = torch.zeros(candidates)
        rule[0] = 1
        self.register_buffer("rule", rule)

    def forward(self, features):
        """Weights of the candidates, shape (excerpts, steps, bands, candidates)."""
        shape = features.shape[:3]
        heard = over_time(self.recall, torch.relu(over_bands(self.hear, features, shape)), shape)
        settled = over_time(self.settle, torch.relu(over_bands(self.compare, heard, shape)), shape)
        return self.rule + self.say(settled)


def over_bands(layer, values, shape):
    excerpts, steps, bands = shape
    return layer(values.reshape(excerpts * steps, bands, -1).transpose(1, 2)).transpose(1, 2).reshape(*shape, -1)


def over_time(layer, values, shape):
    excerpts, steps, bands = shape
    by_band = values.transpose(1, 2).reshape(excerpts * bands, steps, -1)
    return layer(by_band)[0].reshape(excerpts, bands, steps, -1).transpose(1, 2)


def train(excerpts, *, steps=STEPS):
    """A net for excerpts, by kind: of each kind as many are taken."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    first = next(iter(excerpts.values()))[0]
    net = Net(first.features.shape[-1], first.own.shape[-1])
    optimiser = torch.optim.Adam(net.parameters(), RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, steps)
    kinds = list(excerpts)
    for _ in range(steps):
        some = [excerpts[kinds[k]] for k in rng.permutation(BATCH) % len(kinds)]
        batch = Excerpt.stack([of_kind[rng.integers(len(of_kind))] for of_kind in some])
        loss = torch.log(batch.error(net(batch.features)) / batch.error(net.rule)).mean()
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        schedule.step()
    return net


def training_mixes(kind):
    """Of a kind, all as long; recorded ones are parts of the mixes to tune on."""
    frames = round(SECONDS * SAMPLE_RATE)
    for seed in TRAIN:
        if kind not in RECORDED:
            yield KINDS[kind](seed, SECONDS)
            continue
        mix = KINDS[kind](TUNE[seed % len(TUNE)] if kind == "electronic" else seed, 6.0)
        start = np.random.default_rng(seed).integers(mix.center.size - frames)
        part = slice(start, start + frames)
        yield Mix(mix.name, mix.center[part], mix.sides[:: (-1) ** seed, part])


def gain_db(net, mix):
    """How much nearer to the true centre the net comes than the rule, told from sound."""
    tile = tiles_of(mix.x, QUALITY)
    candidates = candidates_of(tile)
    with torch.no_grad():
        weights = net(torch.from_numpy(features_of(tile, candidates))[None])[0].numpy()
    learned = QUALITY.sound(summed(candidates, weights), mix.center.size)
    return sdr_db(mix.center, learned) - sdr_db(mix.center, QUALITY.sound(rule(tile, QUALITY), mix.center.size))


def main():
    excerpts = {kind: [excerpt_of(mix) for mix in training_mixes(kind)] for kind in KINDS}
    write_table(excerpts, corpus(HELD_OUT))


def write_table(excerpts, held_out):
    everything = train(excerpts)
    rows = []
    for kind, mixes in held_out.items():
        others = train({other: some for other, some in excerpts.items() if other != kind})
        unseen, seen = ([gain_db(net, mix) for mix in mixes] for net in (others, everything))
        rows.append({"kind": kind, "kind not seen": np.mean(unseen), "worse mix": min(unseen),
                     "kind seen": np.mean(seen)})  # fmt: skip
    average = {key: np.mean([row[key] for row in rows]) for key in rows[0] if key != "kind"}
    weights = sum(parameter.numel() for parameter in everything.parameters())
    write(
        "upmix-learned",
        "Upmix: what a learned gain would add",
        [Table("SDR of the centre over that of the rule, dB", [*rows, {"kind": "mean"} | average])],
        text=TEXT.format(weights=weights, each=len(TRAIN), seconds=SECONDS),
    )


TEXT = """
A net of {weights} weights, two convolutions over bands and two GRUs over time, hears of 32 bands, 47 times a second,
the powers of mid and side, their coherence and phase, how much lies beside the principal axis, which pans were heard
lately, and the gains of rules; for each band it says how much of nine candidates to add up: the rule's centre, other
gains of the same mid, that mid, and its projection on the side (`bench/quality/upmix_learned.py`). It begins as the
rule itself and was trained on {each} excerpts of {seconds:g} s of each kind, with the SDR of the centre as its aim.
Judged are the mixes of `upmix.md`, by nets that have not seen their kind, and by one that has seen all kinds, but none
of these mixes.

A net was to be shipped if it won 1 dB on every kind that it had not seen. It won 0.3 to 0.8 dB on three of eight, lost
0.4 to 6 dB on the other five, and 1.2 dB in the mean. Having seen the kinds it won 0.8 dB in the mean, nearly all of it
on the pop recording, of which it had heard other parts, and lost on four.
"""

if __name__ == "__main__":
    main()
