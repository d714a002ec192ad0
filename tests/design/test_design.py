"""Is a design complete, repeatable, and what it claims to be: file, ears, loudness, driver equalisation?"""

import base64
import hashlib
import json

import numpy as np
import pytest

from designs import designed, preset_of
from forestage import PresetError, _core, load_preset
from forestage.acoustics.device import Device as DeviceSpec
from forestage.acoustics.device_file import load_device, parse_device
from forestage.acoustics.driver import Driver
from forestage.acoustics.driver_response import minimum_phase
from forestage.acoustics.plant import plant
from forestage.acoustics.seat import Listener, Seat
from forestage.design.calibrate import calibrate
from forestage.design.designer import design
from forestage.design.filters import SAMPLE_RATES, delay_for, fit_firs, grid_for, sample_firs, to_fir
from forestage.design.result import Design
from forestage.firs import response_of
from forestage.metrics.level import loud_programme
from forestage.metrics.loudness import loudness_lufs, programme
from forestage.metrics.separation import separation_db
from forestage.presets import save_preset
from kinds import first_fast
from places import DEVICES


@pytest.fixture(scope="module")
def laptop() -> Design:
    return designed("laptop")


@pytest.fixture(scope="module")
def speaker() -> Design:
    return designed("smart-speaker")


@pytest.fixture(params=first_fast(["laptop", "smart-speaker"]))
def name(request) -> str:
    return request.param


@pytest.fixture
def finished(name) -> Design:
    return designed(name)


@pytest.fixture
def preset(name) -> dict:
    return preset_of(name)


@pytest.fixture(scope="module")
def small() -> Design:
    """Headphones as loud as they come: for what is about files."""
    return design(DEVICES / "headphones.toml", render=None)


@pytest.fixture(scope="module")
def again() -> tuple[Design, list]:
    """The laptop once more, and what its progress said."""
    seen = []
    return design(DEVICES / "laptop.toml", progress=lambda *step: seen.append(step)), seen


def taps(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype="<f4").astype(np.float64)


def test_preset_is_accepted_by_the_parser_and_has_all_rates(finished, preset):
    text = json.dumps(preset)
    parsed = _core.parse_preset(text)
    assert parsed.name == finished.device.name
    assert [table["sample_rate"] for table in json.loads(text)["filters"]] == list(SAMPLE_RATES)


@pytest.mark.slow
def test_preset_holds_the_exported_filters(speaker):
    preset = preset_of("smart-speaker")
    table = preset["filters"][1]
    filters = speaker.filter_set(48_000)
    np.testing.assert_array_equal(taps(table["cancel"][0][1]), filters.cancel[0, 1])
    np.testing.assert_array_equal(taps(table["beam"][2]), filters.beam[2])
    np.testing.assert_array_equal(taps(table["phantom"][2]), filters.phantom[2])
    np.testing.assert_array_equal(taps(table["cancel"][2][0]), filters.cancel[2, 0])
    assert table["beam_align_frames"] == filters.beam_align_frames
    assert [(d["name"], d["plain_left_gain"], d["plain_right_gain"]) for d in preset["drivers"]] == [
        ("left", 1.0, 0.0),
        ("right", 0.0, 1.0),
        ("center", 0.0, 0.0),
    ]


@pytest.mark.slow
def test_same_device_gives_the_same_bytes(again, tmp_path):
    save_preset(preset_of("laptop"), tmp_path / "first.json")
    again[0].save(tmp_path / "second.json")
    assert (tmp_path / "first.json").read_bytes() == (tmp_path / "second.json").read_bytes()


def test_saved_preset_is_what_the_core_writes(small, tmp_path):
    path = small.save(tmp_path / "preset.json")
    assert path.read_bytes() == load_preset(path).to_json().encode()
    saved, made = json.loads(path.read_text()), small.preset()
    assert saved["filters"] == [{key: item for key, item in table.items() if item != []} for table in made["filters"]]
    assert saved["ears"] == made["ears"]
    assert saved["design"] == json.loads(json.dumps(made["design"]))


def test_what_could_not_be_read_back_is_not_written(small, tmp_path):
    preset, path = small.preset(), tmp_path / "preset.json"
    with pytest.raises(PresetError, match=r"/loudness/processed_db: is 61\.0; must be a number from -60 to 60 dB"):
        save_preset(preset | {"loudness": preset["loudness"] | {"processed_db": 61.0}}, path)
    assert not path.exists()


def test_save_does_not_overwrite_unless_asked(small, tmp_path):
    path = tmp_path / "preset.json"
    path.write_text("mine")
    with pytest.raises(FileExistsError, match=r"preset\.json"):
        small.save(path)
    assert path.read_text() == "mine"
    small.save(path, overwrite=True)
    assert load_preset(path).name == small.name


def test_provenance_makes_the_same_device_again_and_its_hash_is_of_the_filters(finished, preset):
    assert parse_device(preset["design"]["device"]) == finished.device
    digest = hashlib.sha256()
    for table in preset["filters"]:
        for row in (table["crosstalk"], *table["cancel"], table["beam"], table["phantom"], table["driver_eq"]):
            for text in row:
                digest.update(text.encode() + b"\n")
    assert preset["design"]["filters_sha256"] == digest.hexdigest()
    assert preset["design"]["forestage"] == _core.__version__


def test_analysis_curves_are_what_the_filters_do(finished, preset):
    curves = {curve["name"]: curve for curve in preset["analysis"]}
    frequency = np.array(curves["separation_processed"]["frequency_hz"])
    seen = finished.simulate(frequency_hz=frequency)
    np.testing.assert_allclose(curves["separation_processed"]["values"], separation_db(seen.processed[0])[0], atol=0.01)
    np.testing.assert_allclose(curves["separation_plain"]["values"], separation_db(seen.plain[0])[0], atol=0.01)
    assert max(curves["drive"]["values"]) <= 9.0
    assert all(curve["unit"] == "dB" for curve in curves.values())
    assert ("beam_on_off" in curves) == finished.device.can_beam


@pytest.mark.slow
def test_progress_rises_from_0_to_1(again):
    _, seen = again
    fractions = [fraction for fraction, _ in seen]
    assert fractions[0] == 0.0
    assert fractions[-1] == 1.0
    assert fractions == sorted(fractions)
    assert all(text for _, text in seen)


def test_separation_falls_off_the_seat_but_not_to_nothing(laptop):
    frequency = np.geomspace(800.0, 4000.0, 60)
    seats = [[0.5, 0.0, 0.0], [0.5, 0.04, 0.0], [0.6, 0.0, 0.0]]
    seen = laptop.simulate(seats, frequency_hz=frequency)
    on_seat, aside, behind = (separation_db(ears).mean() for ears in seen.processed)
    default = separation_db(laptop.simulate(frequency_hz=frequency).processed[0]).mean()
    assert on_seat == pytest.approx(default, abs=0.01)
    assert on_seat > aside
    assert aside > separation_db(seen.plain[1]).mean()
    assert behind > separation_db(seen.plain[2]).mean()


def test_near_ear_peaks_at_the_stated_frame_at_0_db(finished, preset):
    ears = preset["ears"]
    assert (ears["sample_rate"], ears["delay_frames"]) == (48_000, 20)
    left = finished.device.index("left")
    for firs, column in ((ears["device"], left), (ears["reference"], 0)):
        near = taps(firs[0][column])
        assert np.argmax(np.abs(near)) == 20
        level = np.abs(near @ np.exp(-2j * np.pi * 200.0 / 48_000 * np.arange(len(near))))
        assert 20 * np.log10(level) == pytest.approx(0.0, abs=0.3)
        far = taps(firs[1][column])
        assert np.argmax(np.abs(far)) > 20
        assert max(np.abs(near[[0, -1]]).max(), np.abs(far[[0, -1]]).max()) < 1e-3


def test_ear_responses_are_the_plant(finished, preset):
    frequency = np.geomspace(50.0, 16_000.0, 100)
    firs = np.array([[taps(text) for text in row] for row in preset["ears"]["device"]])
    ours, expected = response_of(firs, frequency, sample_rate=48_000), finished.plant.at(frequency)
    change = ours / expected
    flat = np.abs(change) / np.abs(change[0, finished.device.index("left"), 20])
    strong = np.abs(expected) > 0.03 * np.abs(expected).max()
    assert np.max(np.abs(20 * np.log10(flat[strong]))) < 0.5


def test_reference_pair_is_at_30_degrees(finished, preset):
    firs = np.array([[taps(text) for text in row] for row in preset["ears"]["reference"]])
    frequency = np.array([120.0])
    near, far = response_of(firs[:, 0], frequency, sample_rate=48_000)[:, 0]
    itd_s = np.angle(near / far) / (2 * np.pi * frequency[0])
    kuhn_s = 3 * 0.0875 / 343.0 * np.sin(np.deg2rad(30.0))
    assert itd_s == pytest.approx(kuhn_s, rel=0.12)
    np.testing.assert_allclose(firs[0, 0], firs[1, 1], atol=1e-6)


def test_monitors_are_equally_loud_after_calibration(finished, preset):
    from forestage.render import Renderer

    audio = programme(seed=7)
    source = loudness_lufs(audio, sample_rate=48_000)
    played = {
        monitor: Renderer(preset, sample_rate=48_000, monitor=monitor, safe_headroom="Off")
        for monitor in ("Headphones", "Headphones Plain", "Headphones Reference")
    }
    for monitor in ("Headphones Plain", "Headphones Reference"):
        ears = played[monitor].process(audio)
        assert loudness_lufs(ears, sample_rate=48_000) == pytest.approx(source, abs=0.5), monitor
    over = []
    for loud in loud_programme():
        for renderer in played.values():
            renderer.reset()
        design, plain = (
            loudness_lufs(played[monitor].process(loud), sample_rate=48_000)
            for monitor in ("Headphones", "Headphones Plain")
        )
        over.append(design - plain)
    assert [max(over), -min(over)] == pytest.approx([finished.loudness.match_lu] * 2, abs=0.02)
    assert finished.loudness.processed_db != 0.0


def test_calibration_measures_what_it_is_given():
    """Monitors that change the level and nothing else: the loud programme has 0 dBTP, so peaks are known."""
    level_db = {"Headphones": 5.0, "Headphones Plain": 3.0, "Headphones Reference": -4.0, "Speakers": 4.5}

    def render(preset, audio, monitor):
        assert preset["parameters"]["safe_headroom"] == 0
        gains = preset["loudness"]
        own = {
            "Speakers": gains["processed_db"],
            "Headphones": gains["processed_db"] + gains["device_ears_db"],
            "Headphones Plain": gains["device_ears_db"],
            "Headphones Reference": gains["reference_ears_db"],
        }
        return audio * 10 ** ((level_db[monitor] + own[monitor]) / 20)

    gains = calibrate({"loudness": {"processed_db": 9.0}, "parameters": {}}, render=render)
    assert gains.processed_db == pytest.approx(-2.0, abs=0.01)
    assert gains.device_ears_db == pytest.approx(-3.0, abs=0.01)
    assert gains.reference_ears_db == pytest.approx(4.0, abs=0.01)
    # feeds of 4.5 - 2 dB, of which the limiter may take half a dB; at the ears it is 0 dB
    assert gains.headroom_db == pytest.approx(-2.0, abs=0.05)
    assert gains.limited_db == pytest.approx(0.5, abs=0.05)
    assert gains.match_lu == pytest.approx(0.0, abs=0.01)


@pytest.mark.slow
def test_calibration_lies_between_the_kinds_of_loud_programme():
    """A design that plays what is alike in both channels 3 dB lower than the rest: half of that is its error."""

    def render(preset, audio, monitor):
        is_alike = np.abs(audio[0] - audio[1]).max() < 1e-6
        low_db = -3.0 if is_alike and monitor in ("Headphones", "Speakers") else 0.0
        return audio * 10 ** ((low_db + preset["loudness"]["processed_db"] * (monitor == "Headphones")) / 20)

    gains = calibrate({"loudness": {}, "parameters": {}}, render=render)
    assert gains.processed_db == pytest.approx(1.5, abs=0.01)
    assert gains.match_lu == pytest.approx(1.5, abs=0.01)
    assert set(gains.form()) == {"processed_db", "device_ears_db", "reference_ears_db", "headroom_db"}


def test_loudness_of_a_997_hz_sine_is_as_bs_1770_says():
    """A full-scale sine in one channel reads -3.01 LUFS."""
    sine = np.sin(2 * np.pi * 997.0 * np.arange(96_000) / 48_000)
    stereo = np.stack([sine, np.zeros_like(sine)])
    assert loudness_lufs(stereo, sample_rate=48_000) == pytest.approx(-3.01, abs=0.05)


def test_programme_is_repeatable_and_leaves_headroom():
    audio = programme()
    np.testing.assert_array_equal(audio, programme())
    assert audio.shape == (2, 384_000)
    assert audio.dtype == np.float32
    assert np.abs(audio).max() < 0.5
    assert 0.3 < np.corrcoef(audio)[0, 1] < 0.9


@pytest.mark.slow
def test_drivers_with_a_response_are_equalised_within_12_db():
    dip = ((300.0, 0.0), (1000.0, -6.0), (3000.0, 0.0), (8000.0, -20.0))
    drivers = (
        Driver("l", "left", (0.0, 0.1, 0.0), response_db=dip),
        Driver("r", "right", (0.0, -0.1, 0.0)),
    )
    finished = design(DeviceSpec("Eq", drivers, Listener(1.0)), sample_rates=[44_100, 48_000], render=None)
    frequency = np.array([150.0, 300.0, 1000.0, 3000.0, 10_000.0])
    for rate in (44_100, 48_000):
        firs = finished.filter_set(rate).driver_eq
        level_db = 20 * np.log10(np.abs(response_of(firs, frequency, sample_rate=rate)))
        np.testing.assert_allclose(level_db[0], [0.0, 0.0, 6.0, 0.0, 12.0], atol=0.4)
        np.testing.assert_allclose(level_db[1], 0.0, atol=1e-3)
        assert np.argmax(np.abs(firs[0])) == 0
    near = response_of(finished.ears.device[0, 0], frequency, sample_rate=48_000)
    flat = response_of(finished.ears.device[1, 1], frequency, sample_rate=48_000)
    np.testing.assert_allclose(20 * np.log10(np.abs(near / flat)), [0, 0, -6, 0, -20], atol=0.4)


@pytest.mark.parametrize("rate", [0, 4_000, 384_000])
def test_sample_rate_out_of_range_is_refused(rate):
    with pytest.raises(ValueError, match=f"sample_rates: {rate} is out of range"):
        design(DEVICES / "laptop.toml", sample_rates=[rate], render=None)


def test_unknown_filter_set_names_the_rates(laptop):
    with pytest.raises(ValueError, match=r"sample_rate = 50000: the design has 44100, 48000"):
        laptop.filter_set(50_000)


@pytest.mark.slow
def test_asymmetric_device_is_cancelled_on_both_sides_and_put_right():
    drivers = (Driver("l", "left", (0.0, 0.2, 0.0)), Driver("r", "right", (0.05, -0.1, 0.0)))
    finished = design(DeviceSpec("Skewed", drivers, Listener(0.8)), sample_rates=[48_000], render=None)
    frequency = np.geomspace(400.0, 1600.0, 100)
    seen = finished.simulate(frequency_hz=frequency)
    assert not np.allclose(*separation_db(seen.plain[0]), atol=0.2)
    assert separation_db(seen.processed[0]).mean(axis=-1).min() > separation_db(seen.plain[0]).max() + 5.0

    def skew_us(ears):
        phase = np.unwrap(np.angle(ears[0, 0] / ears[1, 1]))
        return 1e6 * np.polyfit(2 * np.pi * frequency, phase, 1)[0]

    assert abs(skew_us(seen.plain[0])) > 50.0
    assert abs(skew_us(seen.processed[0])) < 5.0


@pytest.mark.parametrize("sample_rate", SAMPLE_RATES)
def test_sampling_a_master_keeps_its_response_and_time(sample_rate):
    """A smooth pulse between two frames, told by its formula."""
    times = (np.arange(1024) - 256) / 192_000
    late_s, width_s = 0.31e-3, 60e-6
    master = np.exp(-0.5 * ((times - late_s) / width_s) ** 2)
    sampled = sample_firs(master, sample_rate=sample_rate, advance_s=0.11e-3)
    here = (np.arange(len(sampled)) - delay_for(sample_rate)) / sample_rate
    expected = np.exp(-0.5 * ((here - late_s + 0.11e-3) / width_s) ** 2) * 192_000 / sample_rate
    np.testing.assert_allclose(sampled, expected, atol=1e-6)


def test_windowed_fir_of_a_delay_is_that_delay():
    response = np.exp(-2j * np.pi * grid_for(48_000) * 5 / 48_000)
    fir = to_fir(response, taps=64, delay_frames=16)
    np.testing.assert_allclose(fir, np.eye(64)[21], atol=1e-12)


@pytest.mark.parametrize("taps", [0, 1, 63, 64, 65, 200])
def test_response_of_filters_is_their_transform(taps):
    firs = np.random.default_rng(taps).standard_normal((2, 3, taps))
    frequency = np.array([0.0, 10.0, 999.0, 23_000.0])
    expected = firs @ np.exp(-2j * np.pi * np.outer(np.arange(taps) - 7.5, frequency) / 48_000)
    found = response_of(firs, frequency, sample_rate=48_000, delay_frames=7.5)
    np.testing.assert_allclose(found, expected, atol=1e-11)


def test_joint_fit_lets_errors_cancel_that_no_one_hears():
    """Two filters heard as their sum: the sum is fitted far better than windowing each could."""
    frequency = grid_for(48_000)
    long_tail = 1.0 / (1.0 + 1j * frequency / 30.0)
    wanted = np.stack([1.0 + long_tail, 0.5 - long_tail])
    kernel = np.ones((2, 2, len(frequency))) + 1e-6 * np.eye(2)[:, :, None]
    heard = {}
    for name, firs in (
        ("joint", fit_firs(wanted, kernel=kernel, taps=128, delay_frames=32)),
        ("apart", to_fir(wanted[:1], taps=128, delay_frames=32)),
    ):
        total = response_of(firs, frequency[1:400], sample_rate=48_000, delay_frames=32).sum(axis=0)
        goal = wanted.sum(axis=0)[1:400] if name == "joint" else wanted[0, 1:400]
        heard[name] = np.max(np.abs(total - goal))
    assert heard["joint"] < 1e-3
    assert heard["apart"] > 0.05


def test_fit_solves_the_normal_equations_of_all_bins():
    """Written out as one dense problem: a row for each filter, bin and root of the kernel."""
    random = np.random.default_rng(6)
    taps, delay, frequency = 24, 6, np.fft.rfftfreq(256, 1 / 48_000)
    wanted = np.fft.rfft(random.standard_normal((2, 40)), 256) * np.exp(2j * np.pi * frequency * 3e-4)
    root = random.standard_normal((2, 2, len(frequency))) + 1j * random.standard_normal((2, 2, len(frequency)))
    root[..., [0, -1]] = root[..., [0, -1]].real
    kernel = np.einsum("kif,kjf->ijf", root.conj(), root)
    waves = np.exp(-2j * np.pi / 48_000 * np.outer(frequency, np.arange(taps) - delay))
    twice = np.where((frequency == 0.0) | (frequency == 24_000.0), 1.0, np.sqrt(2.0))
    rows = np.einsum("f,kif,ft->kfit", twice, root, waves).reshape(-1, 2 * taps)
    goal = np.einsum("f,kif,if->kf", twice, root, wanted).ravel()
    dense = np.linalg.lstsq(np.concatenate([rows.real, rows.imag]), np.concatenate([goal.real, goal.imag]), rcond=None)
    found = fit_firs(wanted, kernel=kernel, taps=taps, delay_frames=delay, end_price=0.0)
    np.testing.assert_allclose(found.ravel(), dense[0], atol=1e-5 * np.abs(dense[0]).max())


def test_minimum_phase_keeps_the_magnitude_and_is_causal():
    frequency = grid_for(48_000)
    magnitude = 1.0 / np.sqrt(1.0 + (frequency / 800.0) ** 2)
    response = minimum_phase(magnitude)
    np.testing.assert_allclose(np.abs(response), magnitude, rtol=1e-6)
    impulse = np.fft.irfft(response)
    assert np.sum(impulse[len(impulse) // 2 :] ** 2) < 1e-8 * np.sum(impulse**2)


def test_displaced_plant_is_the_plant_of_the_displaced_device(laptop):
    """Moving the head by +x is the same as a listener further away."""
    drivers = laptop.device.drivers
    moved = plant(laptop.device, Seat((0.7, 0.0, 0.0)), step_hz=500.0)
    direct = plant(DeviceSpec("Far", drivers, Listener(0.7)), step_hz=500.0)
    np.testing.assert_allclose(moved.response, direct.response, rtol=1e-9)
    assert load_device(DEVICES / "laptop.toml") == laptop.device
