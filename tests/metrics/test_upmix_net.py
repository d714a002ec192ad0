"""Nets of the upmix's trial: they begin as the rule, keep its bounds, and learn from mixes of a known centre."""

import numpy as np
import pytest
import soundfile

from forestage.constants import SAMPLE_RATE
from signals import rms_db

torch = pytest.importorskip("torch", reason="torch is not installed: pip install torch")

import upmix_net as trial  # noqa: E402
from upmix_learned import kept_nets  # noqa: E402
from upmix_tiles import QUALITIES, center_of  # noqa: E402

FRAMES = 12_000


def mixed(left, right):
    """A voice in the centre, and noise as loud at the left and at the right."""
    rng = np.random.default_rng(0)
    center, noise = 0.1 * np.sign(np.sin(np.arange(FRAMES) * 0.06)), 0.1 * rng.standard_normal((2, FRAMES))
    return center + np.stack([left * noise[0], right * noise[1]])


@torch.no_grad()
def centers(x, quality, models):
    frames = trial.Frames(QUALITIES[quality], "cpu")
    tiles = trial.Tiles(torch.from_numpy(x.astype(np.float32))[None], frames)
    found = {"rule": frames.sound(tiles.rule(), FRAMES)[0].numpy()}
    for name, model in models.items():
        features = trial.features_of(tiles, model.bands, model.step)
        found[name] = frames.sound(model(tiles, features), FRAMES)[0].numpy()
    return found


def test_the_rule_is_that_of_the_upmix_but_for_its_turns():
    x = mixed(1, 0.5)
    ours = centers(x, "Low Latency", {})["rule"]
    theirs = center_of(x, QUALITIES["Low Latency"])
    assert rms_db(ours - theirs) < rms_db(theirs) - 30


def test_an_untrained_net_is_the_rule():
    models = {name: trial.make_model(name, "High Quality") for name in ("net", "constants")}
    found = centers(mixed(1, 0.5), "High Quality", models)
    for name in ("net", "constants"):
        assert rms_db(found[name] - found["rule"]) < rms_db(found["rule"]) - 30


@pytest.mark.parametrize("quality", QUALITIES)
def test_trained_nets_keep_the_bounds_of_the_rule(quality):
    nets = kept_nets()[quality]
    plain = centers(mixed(1, 0.5), quality, nets)
    louder = centers(8 * mixed(1, 0.5), quality, nets)
    mono, hard = mixed(0, 0), mixed(1, 0) - mixed(0, 0)
    only, beside = centers(mono, quality, nets), centers(hard, quality, nets)
    exchanged = centers(mixed(1, 0.5)[::-1].copy(), quality, nets)
    for name in nets:
        assert rms_db(plain[name] - plain["rule"]) > rms_db(plain["rule"]) - 40, "it has learned something"
        assert rms_db(only[name] - mono[0]) < rms_db(mono[0]) - 100
        assert rms_db(beside[name]) < rms_db(hard[0]) - 60
        assert rms_db(exchanged[name] - plain[name]) < rms_db(plain[name]) - 60
        assert rms_db(louder[name] / 8 - plain[name]) < rms_db(plain[name]) - 60


def test_nets_are_small():
    for nets in kept_nets().values():
        assert sum(parameter.numel() for parameter in nets["net"].parameters()) < 50_000


def test_what_is_learned_from_is_a_mix_of_a_known_centre(tmp_path):
    rng = np.random.default_rng(1)
    for kind in trial.KINDS:
        clip = 0.1 * rng.standard_normal(2 * SAMPLE_RATE)
        soundfile.write(tmp_path / f"{kind}-0.opus", clip, SAMPLE_RATE, format="OGG", subtype="OPUS")
    bank = trial.Bank(tmp_path, torch.device("cpu"))
    truth, x = trial.random_mixes(bank, 4, 9600, torch.Generator().manual_seed(0))
    again = trial.random_mixes(bank, 4, 9600, torch.Generator().manual_seed(0))
    assert torch.equal(x, again[1])
    assert truth.shape == (4, 9600)
    assert torch.isfinite(x).all()
    left, right = (x - truth[:, None]).unbind(1)
    assert (truth.std(-1) > 1e-3).any()
    assert (left - right).std(-1).min() > 1e-4, "something is beside the centre of each"
    # What is in the centre is alike on both channels: it has gone from the difference
    assert torch.allclose(x[:, 0] - x[:, 1], left - right, atol=1e-6)
