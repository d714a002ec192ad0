"""What a learned gain adds to the upmix's rule, judged on the corpus, of which it has seen nothing.

    .venv/bin/pip install torch
    .venv/bin/python bench/quality/upmix_learned.py [HIGH_QUALITY_NETS LOW_LATENCY_NETS]

Takes five minutes of one core. Nets are those of `upmix_nets.npz`, or newly trained ones, two files that upmix_net.py
leaves; what of those is small is then kept. Not part of `./run quality`, as nothing that is shipped comes from it.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from evidence import Table, write
from upmix import sdr_db
from upmix_corpus import HELD_OUT, corpus
from upmix_net import Frames, Tiles, features_of, make_model
from upmix_tiles import QUALITIES, center_of

NETS = Path(__file__).with_name("upmix_nets.npz")
KEPT = ("net", "constants")


def kept_nets():
    """By quality and name."""
    found = {quality: {} for quality in QUALITIES}
    with np.load(NETS) as file:
        for key in file.files:
            quality, name, parameter = key.split("/")
            found[quality].setdefault(name, {})[parameter] = torch.from_numpy(file[key].astype(np.float32))
    return {quality: with_weights(quality, named) for quality, named in found.items()}


def with_weights(quality, named):
    models = {}
    for name, weights in named.items():
        models[name] = make_model(name, quality)
        models[name].load_state_dict(weights)
    return models


def keep(by_quality):
    """As float16."""
    np.savez_compressed(NETS, **{
        f"{quality}/{name}/{key}": value.numpy().astype(np.float16)
        for quality, models in by_quality.items() for name in KEPT for key, value in models[name].state_dict().items()
    })  # fmt: skip


def gains_db(models, mix, quality):
    """How much nearer to the true centre each net comes than the rule, told from sound."""
    frames = Frames(quality, "cpu")
    ruled = sdr_db(mix.center, center_of(mix.x, quality))
    tiles = Tiles(torch.from_numpy(mix.x.astype(np.float32))[None], frames)
    gains = {}
    for name, model in models.items():
        center = frames.sound(model(tiles, features_of(tiles, model.bands, model.step)), mix.center.size)
        gains[name] = sdr_db(mix.center, center[0].numpy()) - ruled
    return gains


@torch.no_grad()
def rows_of(models, quality, held_out):
    rows = []
    for kind, mixes in held_out.items():
        found = [gains_db(models, mix, quality) for mix in mixes]
        rows.append({"kind": kind} | {
            key: value
            for name in models
            for key, value in ((name, np.mean([each[name] for each in found])),
                               (f"{name}, worse mix", min(each[name] for each in found)))
        })  # fmt: skip
    return [*rows, {"kind": "mean"} | {key: np.mean([row[key] for row in rows]) for key in rows[0] if key != "kind"}]


def main():
    if len(sys.argv) > 1:
        files = dict(zip(QUALITIES, sys.argv[1:], strict=True))
        nets = {quality: with_weights(quality, torch.load(file)) for quality, file in files.items()}
        keep(nets)
    else:
        nets = kept_nets()
    held_out = corpus(HELD_OUT)
    write(
        "upmix-learned",
        "Upmix: what a learned gain would add",
        [Table(f"{name}: SDR of the centre over that of the rule, dB", rows_of(nets[name], quality, held_out))
         for name, quality in QUALITIES.items()],
        text=TEXT.format(weights=sum(p.numel() for p in nets["High Quality"]["net"].parameters())),
    )  # fmt: skip


TEXT = """
A net of {weights} weights hears 28 figures of each of 96 bands, 47 times a second (48 bands, 94 times in Low Latency):
powers of mid and side now, lately and before, their coherence and phase, the pans that were heard and how they spread,
what lies beside the principal axis, tones or noise, and the rule's own gain. Convolutions over bands and GRUs over
bands and over time make of it nine factors for each band, which set the constants of the rule: how narrow its fall is,
how it falls with what lies beside the axis, its power, its floor, how much of the tile itself counts and how much of
the side is taken out (`bench/quality/upmix_net.py`). So every bound of the rule is the net's, too: what has no side is
in the centre, and what is at one side alone is not. "constants" are such factors that are the same at all times.

It has learned from 1.6, later 1.4 hours of speech, of singing made of it, of stems of songs by two soundfonts, of loops
and of music (`bench/quality/upmix_material.py`), which an accelerator mixed at random while it learned: one to four
sources in the centre, one to eight around it, hard, narrow or at any pan, before microphones, double-tracked or wide,
with bleed and reverberation. It heard 25 hours of such mixes
(1480 steps of 20 mixes in High Quality, 2580 of 10 and 12 in
Low Latency, eleven minutes of an H200 for both at once, the last seven after mixes before pairs of microphones were
added), with the SDR of the centre as its aim and twice the weight where it was less than 1 dB over the rule. None of
the kinds, sources or generators of `upmix.md` is among them. But their mixes to tune on were looked at once, between
the two parts, and such pairs and longer halls came in because orchestra lost there; the mixes judged here were not
looked at before. Clips were what could be carried to the accelerator: three quarters, later half of the instruments and
three quarters of the drums and music that `upmix_material.py` leaves, so that who trains anew gets other nets of the
same make. The weights are kept as float16 (`bench/quality/upmix_nets.npz`).

A net was to be shipped if it won 1 dB on every kind that it had not seen. In High Quality it wins 1.2 dB on pop and on
wide guitars, 0.4 to 0.6 dB on three kinds, nothing on the other three, and 0.5 dB in the mean: it fails by 1 dB. In Low
Latency it wins 1.3 dB on pop, 0.1 to 0.9 dB on the others and 0.6 dB in the mean: it fails by 0.9 dB. On no kind does
it lose, but on single mixes up to 0.6 dB. On random mixes, as it met them at the end of learning, it wins 1.7 and
1.5 dB, so that most of what it has learned is the manner of those mixes.

It is not too small: a net of 651949 weights that hears each tile, too (`--models large`), trained beside it, wins
0.2 dB more on random mixes and 0.45 dB in the mean of the kinds, from -0.4 on uniform pans to 1.2 on pop. It would cost
39 million multiply-adds a second in High Quality, beside what it hears.
"""

if __name__ == "__main__":
    main()
