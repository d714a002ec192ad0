"""Every shipped preset: it plays, it is what its device file makes, and the figures that it carries are true."""

import json
from functools import cache

import numpy as np
import pytest

from forestage import Renderer, catalogue, factory_presets, load_preset, presets
from forestage._core import parse_preset
from forestage.acoustics.device_file import load_device, parse_device
from forestage.acoustics.plant import directivity, plant
from forestage.design.variants import VARIANTS
from forestage.firs import decode_fir, response_of
from forestage.metrics.width import SEPARATION_HZ
from kinds import first_fast
from make_preset import make_preset
from places import DEVICES, ROOT
from signals import noise

NAMES = sorted(factory_presets())
# Round bodies across a room: sides that may lose 9 dB of direct over reverberant sound can stand at 12 to 13 degrees at
# most (docs/evidence/room-bound.md), at half the distance at 21
NARROWED_DEG = {
    "smart-speaker": 11.4,
    "smart-speaker-up": 11.0,
    "smart-speaker-close": 21.2,
    "five-driver-speaker": 12.6,
    "five-driver-speaker-wide-zone": 12.4,
    "five-driver-speaker-close": 19.7,
}
OCTAVES_HZ = [(200 * 2**k, 400 * 2**k) for k in range(5)]


def content(name):
    return json.loads(factory_presets()[name].read_text())


@cache
def loaded(name):
    return load_preset(name)


def firs_at(preset, key, sample_rate=48_000):
    filters = next(row for row in preset["filters"] if row["sample_rate"] == sample_rate)
    taps = max(len(decode_fir(text)) for row in filters[key] for text in np.atleast_1d(row))
    rows = [[decode_fir(text) if text else np.zeros(taps) for text in np.atleast_1d(row)] for row in filters[key]]
    return np.array(rows)


def test_every_device_has_its_standard_preset():
    assert {path.stem for path in DEVICES.glob("*.toml")} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_shipped_file_is_what_the_core_writes(name):
    path = ROOT / "presets" / "factory" / f"{name}.json"
    text = path.read_text(encoding="utf-8")
    assert text == parse_preset(text).to_json(), "to write it anew: ./run update --presets"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("monitor", first_fast(["Speakers", "Headphones"]))
def test_preset_plays(name, monitor):
    x = noise(frames=9600)
    y = Renderer(loaded(name), monitor=monitor).process(x)
    assert y.shape[0] == (len(loaded(name).drivers) if monitor == "Speakers" else 2)
    assert np.isfinite(y).all()
    assert np.abs(y).max() > 1e-3


@pytest.mark.parametrize("name", NAMES)
def test_preset_is_made_for_the_device_of_its_file(name):
    preset = content(name)
    variant = VARIANTS[preset["design"]["variant"]]
    path = max((path for path in DEVICES.glob("*.toml") if name.startswith(path.stem)), key=lambda path: len(path.stem))
    device = load_device(path)
    assert preset["name"] == f"{device.name} {variant.title}".strip()
    made_for = parse_device(preset["design"]["device"])
    assert made_for.drivers == device.drivers
    assert preset["text"].startswith(device.text)
    seat = "" if device.is_headphones else f"{made_for.listener.distance_m:g} m."
    assert preset["text"].endswith(seat)
    assert (made_for.listener.distance_m < device.listener.distance_m) == variant.is_close


@pytest.mark.parametrize("name", NAMES)
def test_preset_carries_its_figures_and_what_they_hold_for(name):
    preset = content(name)
    figures = preset["design"]["metrics"]
    assert {"field", "seat_m", "head", "filters"} <= set(figures["conditions"])
    azimuth = figures["width"]["azimuth_by_time_deg"]
    wanted_deg = preset["parameters"]["stage_width_deg"]
    if name in NARROWED_DEG:
        assert azimuth["processed"] == pytest.approx(NARROWED_DEG[name], abs=0.7)
    else:
        assert azimuth["processed"] == pytest.approx(wanted_deg, abs=4.0)
    if name != "headphones":
        assert figures["effort"]["most_drive_db"]["cancelled"] <= 9.1
        assert {row["name"] for row in preset["maps"]} >= {"separation_plain", "separation_processed"}


@pytest.mark.parametrize("name", ["smart-speaker", "laptop", "five-driver-speaker", "soundbar-7", "tv-close"])
def test_stated_separation_is_that_of_the_filters(name):
    """Octave means of the near over the far ear, from the file's own filters and a plant computed anew."""
    preset = content(name)
    stated = preset["design"]["metrics"]["width"]["separation_db"]["processed"]
    seat = plant(parse_device(preset["design"]["device"]))
    ears = np.einsum(
        "edf,dcf->ecf",
        seat.at(SEPARATION_HZ),
        response_of(firs_at(preset, "cancel"), SEPARATION_HZ, sample_rate=48_000),
    )
    separation = 20 * np.log10(np.abs([ears[0, 0] / ears[1, 0], ears[1, 1] / ears[0, 1]]))
    inside = [(low <= SEPARATION_HZ) & (high > SEPARATION_HZ) for low, high in OCTAVES_HZ]
    means = [separation[:, octave].mean(axis=1).min() for octave in inside]
    np.testing.assert_allclose(means, stated, atol=0.02)


@pytest.mark.parametrize("name", ["smart-speaker", "soundbar-3", "soundbar-7-wide-zone"])
def test_stated_center_ripple_is_that_of_the_beam(name):
    """Mono programme on axis, against the unfiltered level in the bass."""
    preset = content(name)
    device = parse_device(preset["design"]["device"])
    frequency = np.geomspace(100.0, 10_000.0, 300)
    beam = firs_at(preset, "beam")[:, 0]
    response = response_of(beam, frequency, sample_rate=48_000)
    level = 20 * np.log10(np.abs(np.sum(directivity(device, frequency, [0.0])[:, 0] * response, axis=0)))
    stated = preset["design"]["metrics"]["colour"]["center_ripple_db"]["processed"]
    assert stated <= 1.0
    assert 0.5 * np.ptp(level) <= stated + 0.5


def test_factory_presets_are_also_where_they_were():
    assert presets.factory_presets() == factory_presets()


def test_factory_preset_is_read_once_until_its_file_changes(monkeypatch, tmp_path):
    for module in (catalogue, presets):
        monkeypatch.setattr(module, "data_folder", lambda _name: tmp_path)
    file = tmp_path / "tiny.json"
    file.write_text(json.dumps(make_preset()))
    first = load_preset("tiny")
    assert load_preset("tiny") is first
    file.write_text(json.dumps(make_preset() | {"name": "Another"}))
    assert load_preset("tiny").name == "Another"
