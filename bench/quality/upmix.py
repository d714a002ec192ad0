"""How well centres are found: the upmix in both qualities against published methods, on the same mixes in one run.

    .venv/bin/python bench/quality/upmix.py

Needs the Debian packages that upmix_recordings.py names, and `pip install .[quality]`.
"""

from functools import cache

import fast_bss_eval
import numpy as np
from evidence import Table, write
from scipy import signal
from upmix_baselines import FRAME, SAMPLE_RATE, baselines, families, tuned
from upmix_corpus import HELD_OUT, TUNE, corpus
from upmix_instruments import at_level, pad, pan, pluck, rms, sing
from upmix_recordings import guitars, plain_music
from upmix_tiles import QUALITIES as FRAMES
from upmix_tiles import best_gain, tiles_of

from forestage import _core
from forestage.metrics.panning import CENTER_GAIN, PANS, SIDE_GAIN, pan_gains

BANDS_HZ = np.geomspace(100, 16_000, 25)
QUALITIES = ("High Quality", "Low Latency")
RULES = ("principal_axis", "magnitude_difference")
MID = "passive mid"
# Artefacts on songs are told of these
SHOWN = (*QUALITIES, "magnitude difference (Vickers)", "principal component", "similarity (Avendano-Jot)")
BEFORE_FRAMES = 960  # 20 ms

TEXT = """
The centre of mixes of eight kinds with a known centre, found by every method from the same samples
(`bench/quality/upmix_corpus.py`). Two mixes of each kind were tuned on, seeds {tune}, and two others are judged here,
seeds {held_out}:

- hard pans: a sung voice between two to five instruments, most of them at one side alone; reverberation, in all
  synthetic kinds, belongs to the sides
- uniform pans: the same at any pan of 5° to 45°, where 45° is one side alone
- pop: voice, bass and kick in the centre; guitars, keys, a snare near the centre and a shaker around them
- orchestra: a soloist between sections before spaced microphones, in a long hall
- wide guitars: recorded double-tracked guitars around singing, speech or a vocal
- electronic: demo projects of LMMS, of whose tracks those are the centre that have no side
- live room: a band in one room of the project's own room kernel, each microphone hears all, the singer's is the centre
- pop recording: stems of one pop mix around its vocal; its bass and kick are in the middle, too, and count as wrong.
  The vocal is 7 dB below the rest, so that a centre of nothing at all would be 7 dB "over mid": factorisation is that

Baselines are written from their formulas (`bench/quality/upmix_baselines.py`), with frames of 43 ms, as the same
latency allows, or as their names say. Where a paper leaves widths open, the choice for a kind is the best one on the
mixes to tune on of the seven other kinds: no method has seen the kind that it is judged by. The constants of High
Quality and Low Latency, which follow the pans of a mix, were chosen on the mixes to tune on of all kinds and on eight
mixes of random sources: the kinds are not new to them, and the mixes judged here were looked at when the last choice
was made, of what counts where little is known of pans.
SDR is plain: power of the true centre over power of the error, nothing forgiven; "over mid" subtracts
that of (left + right) / 2. `BSS SAR` is of BSS Eval, which forgives filters of 512 taps.

{found}
"""


def streaming(quality, rule=""):
    """The core's upmix, latency taken out."""

    def play(x):
        processor = _core.Upmix(SAMPLE_RATE, 1.0, quality, rule)
        late = processor.latency_frames
        padded = np.pad(x, ((0, 0), (0, late))).astype(np.float32)
        return processor.process(padded)[:, late:].astype(float)

    return play


def sdr_db(truth, estimate):
    return 10 * np.log10(np.sum(truth**2) / (np.sum((truth - estimate) ** 2) + 1e-30))


def level_db(x, reference):
    return 20 * np.log10((rms(x) + 1e-30) / rms(reference))


def correlation(y, x):
    """Mean over bands of the correlation of y with left - right."""
    frequency_hz, _, spectra = signal.stft(np.stack([y, x[0] - x[1]]), SAMPLE_RATE, nperseg=4096)
    found = []
    for low, high in zip(BANDS_HZ, BANDS_HZ[1:], strict=False):
        a, b = spectra[:, (frequency_hz >= low) & (frequency_hz < high)]
        found.append(abs(np.sum((a * b.conj()).real)) / np.sqrt(np.sum(abs(a) ** 2) * np.sum(abs(b) ** 2) + 1e-30))
    return np.mean(found)


def score(method, mix, *, with_sar):
    """Figures of one method on one mix; BSS Eval takes most of the time."""
    x = mix.x
    left, right, center = method(x)
    mid = x.mean(axis=0)
    figures = {
        "SDR over mid": sdr_db(mix.center, center) - sdr_db(mix.center, mid),
        "SDR of sides": sdr_db(mix.sides, np.stack([left, right])),
        "correlation / mid's": correlation(center, x) / correlation(mid, x),
    }
    if with_sar:
        truth, found = np.stack([mix.center, *mix.sides]), np.stack([center, left, right]) + 1e-9 * x[[0, 0, 1]]
        of_bss = fast_bss_eval.bss_eval_sources(truth, found, compute_permutation=False, use_cg_iter=15)
        figures["BSS SAR"] = of_bss[2][0]
    return figures


def score_sdr(method, mix):
    return {"SDR over mid": sdr_db(mix.center, method(mix.x)[2]) - sdr_db(mix.center, mix.x.mean(axis=0))}


def share_in_center(method, around, source):
    """How much of the mid of a stereo source the centre holds, inside a mix with what is around it."""
    mid = source.mean(axis=0)
    center = method(around + source)[2]
    _, _, (ours, theirs) = signal.stft(np.stack([center, mid]), SAMPLE_RATE, nperseg=2048)
    return np.sum((ours * theirs.conj()).real) / np.sum(np.abs(theirs) ** 2)


@cache
def hard_panned(seed):
    """A voice in the centre, and an instrument at each side, all of one level; each (2, frames)."""
    rng, frames = np.random.default_rng(seed), 3 * SAMPLE_RATE
    voice, plucked, bowed = (at_level(play(rng, frames), -20) for play in (sing, pluck, pad))
    return np.stack([voice, voice]), pan(plucked, -45), pan(bowed, 45)


def hard_leak(method):
    """Share of the mid of hard-panned instruments that is left in the centre, between a voice and each other."""
    found = []
    for seed in HELD_OUT:
        voice, left, right = hard_panned(seed)
        found += [share_in_center(method, voice + right, left), share_in_center(method, voice + left, right)]
    return np.mean(found)


def selectivity(method, *, in_mix):
    """Share of the mid of noise that is in the centre, over pans; in a mix as in `forestage.metrics.panning`."""
    noise = 0.1 * np.random.default_rng(20).standard_normal((4, 2 * SAMPLE_RATE))
    center = np.sqrt(0.5) * CENTER_GAIN * noise[1]
    around = in_mix * np.stack([center + SIDE_GAIN * noise[2], center + SIDE_GAIN * noise[3]])
    return {f"{share} %": share_in_center(method, around, pan_gains(share)[:, None] * noise[0]) for share in PANS}


@cache
def drum_and_others():
    """A drum, where it is hit, and 12 dB below a chord and a voice."""
    rng = np.random.default_rng(0)
    frames = 3 * SAMPLE_RATE
    drum, starts = np.zeros(frames), np.arange(24_000, frames - 12_000, 9137)
    for start in starts:
        drum[start : start + 4800] += 0.6 * rng.standard_normal(4800) * np.exp(-np.arange(4800) / 960)
    return drum, starts, at_level(pad(rng, frames), -20), at_level(sing(rng, frames), -20)


def pre_echo_db(method):
    """What a drum adds to the centre in the 20 ms before it, over the drum's 20 ms after it: the worst of all onsets.

    The drum is 12 dB over what sounds before. It is central over a hard-panned chord, and hard-panned over a voice.
    """
    drum, starts, chord, voice = drum_and_others()
    found = []
    for sound, steady in ((np.stack([drum, drum]), pan(chord, 45)), (pan(drum, 45), np.stack([voice, voice]))):
        added = method(sound + steady)[2] - method(steady)[2]
        for start in starts:
            after = np.max([rms(channel[start : start + BEFORE_FRAMES]) for channel in sound])
            found.append(20 * np.log10(rms(added[start - BEFORE_FRAMES : start]) / after + 1e-15))
    return max(found)


def musical_noise(found, x):
    """Kurtosis of the spectral power of the sides over that of the input, in logarithms (Uemura et al. 2008)."""

    def kurtosis(x):
        power = np.abs(signal.stft(x, SAMPLE_RATE, nperseg=1024)[2]) ** 2
        power = power[np.mean(power, axis=1) > 1e-12]
        return np.mean(np.mean(power**2, axis=1) / np.mean(power, axis=1) ** 2)

    return np.mean([np.log(kurtosis(side) / kurtosis(channel)) for side, channel in zip(found[:2], x, strict=True)])


def gain_change_db(found, x):
    """95th percentile of the change of the centre's gain from one 10 ms to the next, weighted by what it acts on."""
    center, mid = (np.abs(signal.stft(y, SAMPLE_RATE, nperseg=1920, noverlap=1440)[2])
                   for y in (found[2], x.mean(axis=0)))  # fmt: skip
    gain = 20 * np.log10(np.clip(center / (mid + 1e-9), 0.01, 1))
    change, weight = np.abs(np.diff(gain)).ravel(), (mid[:, 1:] ** 2).ravel()
    order = np.argsort(change)
    total = np.cumsum(weight[order])
    return change[order][np.searchsorted(total, 0.95 * total[-1])]


def artefacts(methods):
    """Gain change on each piece of recorded music, and musical noise over all."""
    music = plain_music() | guitars()
    rows = []
    for name in SHOWN:
        found = {piece: methods[name](x) for piece, x in music.items()}
        noise = np.mean([musical_noise(found[piece], x) for piece, x in music.items()])
        changes = {piece: gain_change_db(found[piece], x) for piece, x in music.items()}
        rows.append({"method": name, "musical noise": noise} | changes)
    return rows


def properties(method):
    """What a method does with simple sounds."""
    rng = np.random.default_rng(1)
    noise = 0.1 * rng.standard_normal((2, 2 * SAMPLE_RATE))
    mono, hard = np.stack([noise[0], noise[0]]), np.stack([noise[0], 0 * noise[0]])
    inside = slice(9600, -9600)
    left, right, center = method(mono)
    both = method(noise)
    return {
        "hard-panned in C": level_db(method(hard)[2][inside], noise[0]),
        "centre in sides": level_db(np.stack([left, right])[:, inside], noise[0]),
        "antiphase in C": max(level_db(method(np.stack([noise[0], -noise[0]]))[2][inside], noise[0]), -200.0),
        "diffuse in C / mid": level_db(both[2][inside], noise.mean(axis=0)),
        "re-summation": 20 * np.log10(np.max(np.abs(both[:2] + both[2] - noise)) + 1e-15),
        "pre-echo": pre_echo_db(method),
    }


def latency_ms(name):
    if name in QUALITIES:
        return 1000 * _core.Upmix(SAMPLE_RATE, quality=name).latency_frames / SAMPLE_RATE
    if name.startswith(("passive", "steered")):
        return 0.0
    if "whole piece" in name:
        return np.inf
    return 1000 / SAMPLE_RATE * (2 * FRAME if name.startswith("FFmpeg") or name.endswith("85 ms") else FRAME)


def scored(fixed, choices, mixes):
    """Scores of every method, by kind: of families with the choice that has not seen the kind."""
    chosen = families()
    return {
        name: {
            kind: [
                score(fixed.get(name) or chosen[name].method(choices[name][kind]), mix, with_sar=mix is some[0])
                for mix in some
            ]
            for kind, some in mixes.items()
        }
        for name in (*fixed, *choices)
    }


def means(scores, key):
    """Mean of a figure by kind."""
    return {kind: np.mean([each[key] for each in some if key in each]) for kind, some in scores.items()}


def kinds_table(scores):
    """SDR over mid by kind, best method first."""
    rows = []
    for name, found in scores.items():
        by_kind = means(found, "SDR over mid")
        rows.append({"method": name} | by_kind | {"mean": np.mean([*by_kind.values()]), "worst": min(by_kind.values())})
    return sorted(rows, key=lambda row: -row["mean"])


def figures_table(scores, leaks):
    """Everything but SDR, as means over the kinds, in the order of `kinds_table`."""
    rows = []
    for row in kinds_table(scores):
        name = row["method"]
        figures = {key: np.mean([*means(scores[name], key).values()])
                   for key in ("SDR of sides", "BSS SAR", "correlation / mid's")}  # fmt: skip
        worst = max(means(scores[name], "correlation / mid's").values())
        rows.append({"method": name} | figures | {"worst kind's": worst, "hard-panned mid in C": leaks[name],
                                                  "latency ms": latency_ms(name)})  # fmt: skip
    return rows


def leads_table(scores):
    """Each quality against the best baseline of each kind, mix by mix."""
    rows = []
    for quality in QUALITIES:
        for kind, ours in scores[quality].items():
            others = {name: found[kind] for name, found in scores.items() if name not in QUALITIES}
            best = max(others, key=lambda name: np.mean([each["SDR over mid"] for each in others[name]]))
            lead = [a["SDR over mid"] - b["SDR over mid"] for a, b in zip(ours, others[best], strict=True)]
            rows.append({"quality": quality, "kind": kind, "best baseline": best, "lead": np.mean(lead),
                         "least": np.min(lead)})  # fmt: skip
    return rows


def widths_table(choices):
    """What was chosen, and for how many of the kinds."""
    rows = []
    for name, by_kind in choices.items():
        values = [*by_kind.values()]
        rows += [{"method": name, "widths": one, "chosen for": f"{values.count(one)} of {len(values)}"}
                 for one in dict.fromkeys(values)]  # fmt: skip
    return rows


def rules_table(mixes):
    rules = {f"{quality}, {rule}": streaming(quality, rule) for quality in QUALITIES for rule in RULES}
    return kinds_table({
        name: {kind: [score_sdr(method, mix) for mix in some] for kind, some in mixes.items()}
        for name, method in rules.items()
    })  # fmt: skip


def score_bound(quality, mix):
    """Of the best real gain of mid between 0 and 1 for each tile, told by the truth."""
    center = best_gain(quality.spectra(mix.center), tiles_of(mix.x, quality))
    found = quality.sound(center, mix.center.size)
    return {"SDR over mid": sdr_db(mix.center, found) - sdr_db(mix.center, mix.x.mean(axis=0))}


def bounds_table(mixes):
    return kinds_table({
        f"{name}, bound": {kind: [score_bound(quality, mix) for mix in some] for kind, some in mixes.items()}
        for name, quality in FRAMES.items()
    })  # fmt: skip


def main():
    ours = {quality: streaming(quality) for quality in QUALITIES}
    fixed = ours | baselines()
    choices = tuned(corpus(TUNE))
    mixes = corpus(HELD_OUT)
    scores = scored(fixed, choices, mixes)
    usual = {name: max(by_kind.values(), key=[*by_kind.values()].count) for name, by_kind in choices.items()}
    methods = fixed | {name: families()[name].method(choice) for name, choice in usual.items()}
    leaks = {name: hard_leak(method) for name, method in methods.items()}
    simple = [{"method": name} | properties(method) for name, method in methods.items()]
    curves = [{"quality": quality, "heard": heard} | selectivity(method, in_mix=heard == "in a mix")
              for quality, method in ours.items() for heard in ("alone", "in a mix")]  # fmt: skip
    write(
        "upmix",
        "Upmix: how well a centre is found",
        [
            Table("SDR over mid by kind, dB", kinds_table(scores), "Worst is the kind that the method is worst at."),
            Table("Lead over the best baseline of each kind, dB", leads_table(scores)),
            Table("Other figures, means over the kinds", figures_table(scores, leaks), FIGURES_NOTE),
            Table("Share of a sound's mid that is in the centre, by its pan", curves, CURVES_NOTE),
            Table("Gain rules: SDR over mid by kind, dB", rules_table(mixes)),
            Table("Bounds: SDR over mid by kind, dB", bounds_table(mixes), BOUNDS_NOTE),
            Table("Simple sounds", simple, SIMPLE_NOTE),
            Table("Artefacts on recorded music: gain change in dB", artefacts(methods), ARTEFACTS_NOTE),
            Table("Widths that were chosen", widths_table(choices)),
        ],
        text=TEXT.format(tune=spoken_range(TUNE), held_out=spoken_range(HELD_OUT), found=FOUND.strip()),
    )


def spoken_range(seeds):
    return f"{seeds[0]} to {seeds[-1]}"


FOUND = """
What came out: High Quality leads on hard pans by 0.8 dB and on orchestra by 0.6 dB, is level with the best baseline of
each kind within 0.15 dB on the others (0.05 dB behind on uniform pans), and 5.3 dB behind the factorisation on the pop
recording, see above. In the mean over the kinds it is 0.2 dB ahead of the principal component with frames of 85 ms, and
0.6 dB ahead of the best of those as late as it is. Low Latency is behind on all, by 1 to 2.8 dB.

Wanted were 6 dB over mid on every synthetic kind in High Quality, 1.5 dB more than the best baseline, and 4 dB over mid
in Low Latency: the first is reached on hard and uniform pans, the second nowhere, the third on hard pans, orchestra and
wide guitars. Who knows the truth would reach 13.1 and 9.4 dB in the mean with real gains on the same frames, so what is
missing is knowledge of the sources, not resolution. The correlation of High Quality's centre with left - right is 0.34
of mid's (0.35 was wanted); of a hard-panned instrument's mid it leaves 5 %, Low Latency 12 % (10 and 20 % were the
bounds), but of noise in a mix of noise 16 and 24 %. Alone, a sound leaves the centre by degrees. On recorded music the
gain changes less than Vickers' on all double-tracked guitars and one whole mix. On the other three mixes it changes 1.8
to 2 times as much in High Quality, and on two of them 1.06 and 1.25 times in Low Latency: the price of gains that tell
sources apart.
"""

FIGURES_NOTE = """
SDR of sides and `BSS SAR` in dB, the latter of the first mix of each kind. Correlation is that of the centre with
left - right, mean over bands of a third of an octave, over that of mid. "Hard-panned mid in C": of instruments at one
side alone, between a voice and each other.
"""

CURVES_NOTE = """
Noise at constant power from the centre (0 %) to one side alone (100 %). In a mix: with a centre as loud and each side
half as loud.
"""

BOUNDS_NOTE = """
The best real gain of mid in each tile, 0 to 1, on the frames of each quality, for who knows the truth.
"""

SIMPLE_NOTE = """
Levels in dB. Pre-echo: what a drum 12 dB over the rest adds to the centre in the 20 ms before it, worst onset. What the
upmix costs is in the tables of `./run bench`.
"""

ARTEFACTS_NOTE = """
Gain change: of the centre's gain from one 10 ms to the next, 95th percentile by energy, for each piece. Musical noise:
logarithm of the kurtosis of spectral power, sides over input (Uemura et al. 2008), mean over the pieces, 0 = none.
"""

if __name__ == "__main__":
    main()
