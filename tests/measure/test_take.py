"""What recordings tell of a device, against the laboratory that they were made in."""

import re
import shutil
from dataclasses import dataclass, replace

import numpy as np
import pytest
import sofar
import soundfile
from laboratory import LabDriver, Laboratory, Recorder, record_all
from scipy.signal import lfilter

from forestage import design, load_device
from forestage.acoustics.driver_response import driver_responses
from forestage.acoustics.measured_ears import load_ears_sofa
from forestage.acoustics.plant import geometry
from forestage.acoustics.room import room_response
from forestage.acoustics.seat import Seat
from forestage.acoustics.shoebox import ROOMS
from forestage.constants import SPEED_OF_SOUND_M_S
from forestage.firs import response_of
from forestage.measure.against_model import over_model_db, rulers_design
from forestage.measure.colour import Heard, colour
from forestage.measure.plan import Plan, as_by_ruler, load_plan, places_for
from forestage.measure.quality import THIRDS_HZ
from forestage.measure.sweep import Sweep
from forestage.measure.take import measure
from forestage.measure.words import findings
from forestage.measure.written import write_measurement, write_sweeps
from forestage.metrics.separation import separation_db

pytestmark = pytest.mark.slow  # recordings of a whole laboratory

LEFT = LabDriver((0.0, 0.14, 0.0), corner_hz=150.0, second=0.08)
RIGHT = LabDriver(
    (0.0, -0.14, 0.0), gain_db=-2.0, late_s=1e-4, is_inverted=True, corner_hz=180.0, resonance=(1800.0, 3.0, 2.0)
)
FLOOR = (2, -0.9, 0.6)
LAB = Laboratory([LEFT, RIGHT], [FLOOR], Recorder(drift_ppm=-200.0, noise_dbfs=-70.0))
LEVEL = 10 ** (-6 / 20)


def sweeps_of(folder, **options):
    device = as_by_ruler(load_device("laptop"))
    is_ears = options.get("is_ears", False)
    count = options.pop("count", 3 if is_ears else 5)
    plan = Plan(device, places_for(device, count=count, is_ears=is_ears), **{"length_s": 1.0} | options)
    write_sweeps(plan, folder / "sweeps")
    return folder / "sweeps"


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """Folder with sweeps and recordings, of which place 2 is 1 cm off."""
    folder = tmp_path_factory.mktemp("desk")
    record_all(sweeps_of(folder), LAB, off_m={2: (0.0, 0.01, 0.0)})
    return folder


@pytest.fixture(scope="module")
def measured(desk):
    return measure(desk / "recordings")


@pytest.fixture
def copy(desk, tmp_path):
    shutil.copytree(desk, tmp_path, dirs_exist_ok=True)
    return tmp_path


def change(path, how):
    audio, sample_rate = soundfile.read(path, always_2d=True)
    soundfile.write(path, how(audio), sample_rate, subtype="FLOAT")


def test_a_harmonic_of_a_sweep_is_the_sweep_earlier():
    """What deconvolution rests on: sin(2 phi(t)) is sin(phi(t + L ln 2)) within the band of both."""
    sweep = Sweep(20.0, 20_000.0, 1.0, 48_000)
    time_s = np.arange(20_000, 30_000) / 48_000

    def phase(t):
        return 2 * np.pi * sweep.low_hz * sweep.rate_s * np.exp(t / sweep.rate_s)

    assert np.abs(np.sin(2 * phase(time_s)) - np.sin(phase(time_s + sweep.early_s(2)))).max() < 1e-8
    middle = sweep.samples()[20_000:30_000]
    assert np.abs(middle - np.sin(phase(time_s))).max() < 1e-12


def test_responses_are_those_of_the_laboratory_within_0_3_db_and_5_us(measured):
    """Clock 200 ppm slow, noise, a driver with 2 % of distortion, a wall: where noise is 30 dB down, all is found."""
    points = np.array(measured.places_m)
    frequency = np.arange(1.5 / measured.window_s, 12_000.0, 20.0)
    frames = np.arange(measured.gated.shape[-1])
    turns = np.exp(-2j * np.pi * np.outer(frequency, frames) / 48_000)
    compared = 0
    apart_s = []
    for index, driver in enumerate(LAB.drivers):
        for place, point in enumerate(points):
            found = turns @ measured.gated[index, place, 0]
            truth = LAB.recorder.gain * LAB.response(driver, point, frequency, is_direct=True)
            flight_s = measured.flights_s()[place]
            ratio = found / truth * np.exp(-2j * np.pi * frequency * (flight_s - 0.02))
            is_heard = np.interp(frequency, THIRDS_HZ, measured.spectra[index][place][0].snr_db) > 30.0
            compared += is_heard.sum()
            assert np.abs(20 * np.log10(np.abs(ratio[is_heard]))).max() < 0.3
            apart_s.append(-np.unwrap(np.angle(ratio)) / (2 * np.pi * frequency))
    apart_s = np.array(apart_s)[:, frequency > 1000.0]
    assert compared > 0.99 * 10 * len(frequency)
    assert np.abs(apart_s - np.median(apart_s)).max() < 5e-6  # one latency for all of them


def test_the_clock_is_found(measured):
    for heading in measured.headings:
        assert heading.clock.drift_ppm == pytest.approx(-200.0, abs=0.1)


@pytest.fixture(scope="module")
def anechoic(tmp_path_factory):
    lab = Laboratory([LEFT, RIGHT], [], Recorder(noise_dbfs=-60.0))
    return measure(record_all(sweeps_of(tmp_path_factory.mktemp("anechoic")), lab))


def test_distortion_is_that_of_the_polynomial(anechoic):
    """x + b x^2 makes b A / 2 of the second harmonic, which the driver plays at its own frequency."""
    inside = (THIRDS_HZ > 150) & (THIRDS_HZ < 5000)
    hz = THIRDS_HZ[inside]
    expected = LEFT.second * LEVEL / 2 * np.abs(LEFT.response(2 * hz) / LEFT.response(hz))
    assert np.abs(20 * np.log10(anechoic.distortion[0].found[inside] / expected)).max() < 1.0  # with noise 60 dB down
    assert expected.max() > 0.02
    assert anechoic.distortion[1].found[inside].max() < 0.002  # noise alone


def test_signal_over_noise_is_that_of_the_recorder(anechoic):
    """A sweep concentrates the energy of its band: L / 4 of it is at each frequency, over the frequency."""
    place = 2
    sweep = Sweep(16.0, 0.49 * 48_000, 1.0, 48_000)
    density = LEVEL**2 * sweep.rate_s / (4 * THIRDS_HZ)  # |X(f)|^2, in continuous time
    noise = 10 ** (-60 / 10) / 48_000 / 2  # of the mean of two sweeps
    response = LAB.recorder.gain * LAB.response(LEFT, anechoic.places_m[place], THIRDS_HZ, is_direct=True)
    expected_db = 10 * np.log10(np.abs(response) ** 2 * density / noise)  # over the energy of the window in seconds
    inside = (THIRDS_HZ > 300) & (THIRDS_HZ < 10_000)
    window_db = 10 * np.log10(0.02)
    assert anechoic.window_s == 0.02
    assert (anechoic.spectra[0][place][0].snr_db - expected_db + window_db)[inside] == pytest.approx(0.0, abs=1.5)


def test_the_first_reflection_is_found_and_left_out(measured):
    """By the way over the floor, of the driver and place where it comes first."""
    ways = [
        np.linalg.norm(np.subtract(point, mirror)) - np.linalg.norm(np.subtract(point, driver.position_m))
        for driver in LAB.drivers
        for point in measured.places_m
        for mirror, _ in [LAB.paths(driver)[1]]
    ]
    late_s, level_db, _, _ = measured.reflections[0]
    assert late_s == pytest.approx(min(ways) / SPEED_OF_SOUND_M_S, abs=0.1e-3)
    assert level_db == pytest.approx(20 * np.log10(0.6 * 0.54 / 1.87), abs=3.0)
    assert measured.window_s < late_s


def test_the_report_says_what_is_wrong(measured):
    text = "\n".join(map(str, findings(measured)))
    assert "right is inverted against left" in text
    assert "place 2 is 1.0 cm farther to the listener's left" in text
    assert text.count("not where it was said") == 1
    assert "reflection at 3.8 ms" in text
    assert "left distorts by up to" in text
    assert re.search(r"drivers are 2.\d dB apart \(left \+1.\d dB, right -1.\d dB\)", text)
    assert "clock runs -200 ppm" in text


def test_noise_is_told_by_its_band(copy):
    """A rumble that falls by 6 dB an octave from 40 Hz on."""
    rng = np.random.default_rng(3)
    for path in (copy / "recordings").glob("*.wav"):
        change(path, lambda audio: audio + lfilter([0.01], [1.0, -0.995], rng.standard_normal(audio.shape), axis=0))
    text = [str(finding) for finding in findings(measure(copy / "recordings"))]
    assert any(line.startswith("poor: too much noise for left below") for line in text), text


def test_files_of_single_drivers_keep_times_between_them(tmp_path, measured):
    sweeps = sweeps_of(tmp_path)
    for name, late in (("left", 0.1), ("right", 0.7)):
        lab = replace(LAB, recorder=replace(LAB.recorder, late_s=late))
        record_all(sweeps, lab, off_m={2: (0.0, 0.01, 0.0)}, name=name)
    found = measure(tmp_path / "recordings")
    assert np.abs(found.late_s - measured.late_s).max() < 1e-6
    assert found.inverted == [False, True]
    frames = found.gated.shape[-1]
    frequency = np.fft.rfftfreq(frames, 1 / 48_000)
    inside = (frequency > 500) & (frequency < 10_000)
    ratio = (np.fft.rfft(found.gated[1]) / np.fft.rfft(measured.gated[1]))[..., inside]
    assert np.abs(np.unwrap(np.angle(ratio)) / (2 * np.pi * frequency[inside])).max() < 5e-6


@pytest.fixture(scope="module")
def at_the_ears(tmp_path_factory):
    """A device measured at the ears of a head, at three places, and what was written."""
    folder = tmp_path_factory.mktemp("ears")
    lab = Laboratory([replace(LEFT, corner_hz=60.0), replace(RIGHT, corner_hz=60.0)], [FLOOR], Recorder(drift_ppm=90.0))
    found = measure(record_all(sweeps_of(folder, is_ears=True), lab, is_ears=True))
    write_measurement(found, folder / "laptop")
    return lab, found, folder


@pytest.mark.parametrize("place", range(3))
def test_ears_become_the_plant_of_a_device(at_the_ears, place):
    """Behind equalisers, and but for one latency and level: the drivers and ears of the laboratory."""
    lab, measured, folder = at_the_ears
    device = load_device(folder / "laptop" / "device.toml")
    assert [driver.inverted for driver in device.drivers] == [False, True]
    seat = Seat(measured.plan.places_m[place])
    frequency = np.geomspace(1.5 / measured.window_s, 8000.0, 100)
    found = geometry(device, seat).at(frequency) * driver_responses(device, frequency)
    hz = np.concatenate([[0.0], frequency])
    truth = np.stack([lab.ears(each, seat.position_m, hz, is_direct=True)[:, 1:] for each in lab.drivers], axis=1)
    ratio = found / truth
    ratio = ratio / np.exp(np.mean(np.log(np.abs(ratio))))
    together = np.sum(ratio, axis=(0, 1))
    assert np.abs(20 * np.log10(np.abs(ratio))).max() < 0.5
    assert np.abs(np.angle(ratio * together.conj()) / (2 * np.pi * frequency)).max() < 5e-6


def test_the_report_shows_the_model_against_the_ears(at_the_ears):
    """Level of each driver at the seat's ears over a sphere and flat points: what the laboratory's drivers do."""
    lab, measured, folder = at_the_ears
    inside = (1.6 / measured.window_s < THIRDS_HZ) & (THIRDS_HZ < 7000)
    found = over_model_db(measured)[..., inside]
    expected = np.array([20 * np.log10(np.abs(each.response(THIRDS_HZ[inside]))) for each in lab.drivers])[:, None]
    apart = found - expected
    assert np.ptp(apart - apart.mean()) < 1.0
    page = (folder / "laptop" / "report.html").read_text()
    assert "Measured over model" in page
    assert "right, left ear" in page


def test_the_report_says_how_far_the_rulers_design_is_off(at_the_ears):
    """Promised as the design itself has it; reached as the laboratory's own plant has it."""
    lab, measured, _ = at_the_ears
    made = design(measured.plan.device, sample_rates=(48_000,), render=None)
    filters = made.filter_set(48_000)
    hz = np.concatenate([[0.0], np.geomspace(1.5 / measured.window_s, 7000.0, 100)])
    weights = response_of(filters.cancel, hz, sample_rate=48_000, delay_frames=filters.delay_frames)
    truth = np.stack([lab.ears(each, (0.5, 0.0, 0.0), hz, is_direct=True) for each in lab.drivers], axis=1)
    reached, promised = (
        separation_db(np.einsum("edf,dcf->ecf", each, weights))[:, 1:].mean() for each in (truth, made.plant.at(hz))
    )
    found = rulers_design(measured)
    assert found.promised_db == pytest.approx(promised, abs=0.3)
    assert found.reached_db == pytest.approx(reached, abs=0.5)
    assert f"would promise {found.promised_db:.1f} dB" in "\n".join(map(str, findings(measured)))


def test_equalisers_stay_within_their_limits():
    """Colour is undone up to +6 and -12 dB; nothing is boosted where a driver distorts, or is hardly heard."""
    driver = load_device("laptop").drivers[0]
    level = np.where(THIRDS_HZ < 300, -20.0, np.where(THIRDS_HZ > 3000, 20.0, 0.0))
    quiet, clean = np.full(31, 60.0), np.zeros(31)
    points = dict(colour(driver, Heard(level, quiet, clean), 0.0, 20e-3))
    assert (points[199.53], points[1000.0], points[5011.9]) == (-6.0, 0.0, 12.0)
    distorted = dict(colour(driver, Heard(level, quiet, np.where(THIRDS_HZ < 150, 0.05, 0.0)), 0.0, 20e-3))
    noisy = dict(colour(driver, Heard(level, np.where(THIRDS_HZ < 150, 10.0, 60.0), clean), 0.0, 20e-3))
    for limited in (distorted, noisy):
        assert [limited[hz] for hz in limited if hz < 150] == [0.0] * sum(hz < 150 for hz in limited)
        assert limited[199.53] == -6.0
    assert min(dict(colour(driver, Heard(level, quiet, clean), 0.0, 4e-3))) > 370.0  # below, the window tells nothing
    tweeter = replace(driver, low_hz=2000.0)
    assert min(dict(colour(tweeter, Heard(level, quiet, clean), 0.0, 20e-3))) > 1900.0


def test_ears_come_with_their_noise(at_the_ears):
    _, measured, folder = at_the_ears
    device = load_device(folder / "laptop" / "device.toml")
    expected = 10 ** (-np.clip(measured.snr_by_place_db.min(axis=0), 0, 90) / 20)
    assert len(expected) == len(device.listener.ears.places)
    assert device.listener.ears.noise(THIRDS_HZ) == pytest.approx(expected, rel=0.02)


def test_a_sofa_file_says_what_the_device_file_says(at_the_ears, tmp_path):
    """Read back as ears, it is the same plant."""
    _, measured, folder = at_the_ears
    write_measurement(measured, tmp_path / "laptop", sofa=True)
    found = load_ears_sofa(tmp_path / "laptop" / "responses.sofa")
    ears = load_device(folder / "laptop" / "device.toml").listener.ears
    assert found.places == ears.places
    np.testing.assert_allclose(found.impulses, ears.impulses, atol=1e-6 * np.abs(ears.impulses).max())
    assert found.sample_rate == ears.sample_rate
    assert not (folder / "laptop" / "responses.sofa").exists()


def test_a_sofa_file_of_one_microphone_has_one_receiver(measured, tmp_path):
    write_measurement(measured, tmp_path / "laptop", sofa=True)
    file = sofar.read_sofa(str(tmp_path / "laptop" / "responses.sofa"), verbose=False)
    assert file.GLOBAL_SOFAConventions == "SingleRoomMIMOSRIR"
    assert file.Data_IR.shape[:2] + file.Data_IR.shape[3:] == (len(measured.plan.places_m), 1, 2)
    x, y, z = measured.places_m[0]
    np.testing.assert_allclose(file.ListenerPosition[0], [x, -y, z], atol=1e-9)
    audio, _ = soundfile.read(tmp_path / "laptop" / "right-2.wav")
    np.testing.assert_allclose(file.Data_IR[1, 0, :, 1], audio, atol=1e-6 * np.abs(audio).max())


def test_recordings_of_ears_in_mono_are_refused(at_the_ears, tmp_path):
    shutil.copytree(at_the_ears[2], tmp_path, dirs_exist_ok=True)
    change(tmp_path / "recordings" / "place-2.wav", lambda a: a[:, :1])
    with pytest.raises(ValueError, match="place-2.wav: is mono: a recording of two ears has two channels"):
        measure(tmp_path / "recordings")


BAD = {
    "clipped": ("place-1.wav", lambda a: np.clip(a / 0.16, -0.5, 0.5), "is clipped at .* dBFS.*gain down"),
    "silent": ("place-2.wav", lambda a: 1e-6 * a, "is silent .*choose the microphone"),
    "two channels": ("place-3.wav", lambda a: np.hstack([a, a[::-1]]), "two different channels.*record in mono"),
    "a gap": ("place-1.wav", lambda a: np.delete(a, slice(150_000, 150_480), 0), r"lost 48[01] samples \(10.0 ms\)"),
    "cut at the end": ("place-5.wav", lambda a: a[:-120_000], "ends before the sweeps do.*record again"),
    "cut at the beginning": ("place-5.wav", lambda a: a[80_000:], "the first chirp is missing"),
    "something else": (
        "place-4.wav",
        lambda a: 0.1 * np.random.default_rng(1).standard_normal(a.shape),
        "has no markers: not a recording of these sweeps",
    ),
    "30 minutes": ("place-1.wav", lambda a: np.pad(a, ((0, 48_000 * 1800), (0, 0))), "is 30 minutes long.*cut it"),
    "automatic gain": ("place-1.wav", lambda a: a * np.linspace(1.0, 0.7, len(a))[:, None], "changes its level by"),
    "another speed": ("place-1.wav", lambda a: np.repeat(a, 2, 0), "another speed"),
    "not finite": ("place-1.wav", lambda a: np.where(np.arange(len(a))[:, None] == 7, np.nan, a), "NaN or infinite"),
    "two samples": ("place-1.wav", lambda a: a[:2] + 0.1, "shorter than one chirp"),
    "one sweep louder": (
        "place-2.wav",
        lambda a: a * np.where(np.arange(len(a)) // 40_000 == 4, 1.3, 1.0)[:, None],
        "place-2.wav: sweeps of left disagree by .* record that place again",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_recordings_are_named_with_what_to_do(copy, case):
    name, how, message = BAD[case]
    if case == "30 minutes":  # by its header alone: nothing of it is read
        soundfile.write(copy / "recordings" / name, np.zeros(48_000 * 1800, np.int16), 48_000, subtype="PCM_U8")
    else:
        change(copy / "recordings" / name, how)
    with pytest.raises(ValueError, match=f"{name}.*{message}" if not message.startswith("place") else message):
        measure(copy / "recordings")


def test_a_recording_at_another_rate_is_refused(copy):
    audio, _ = soundfile.read(copy / "recordings" / "place-1.wav")
    soundfile.write(copy / "recordings" / "place-1.wav", audio, 44_100)
    with pytest.raises(ValueError, match="place-1.wav: is recorded at 44100 Hz.* set the recorder to 48000 Hz"):
        measure(copy / "recordings")


def test_a_recording_that_is_cut_off_is_refused(copy):
    path = copy / "recordings" / "place-1.wav"
    path.write_bytes(path.read_bytes()[:-4800])
    with pytest.raises(ValueError, match=r"place-1\.wav: is cut off: .* copy it again, or record again"):
        measure(copy / "recordings")


def test_two_takes_that_disagree_are_refused(copy):
    audio, rate = soundfile.read(copy / "recordings" / "place-1.wav")
    soundfile.write(copy / "recordings" / "place-1-take-2.wav", 1.3 * audio, rate, subtype="FLOAT")
    with pytest.raises(ValueError, match=r"place-1-take-2.wav and place-1.wav: sweeps of \w+ disagree by 2.3 dB"):
        measure(copy / "recordings")


def test_drivers_in_another_order_are_told(tmp_path):
    lab = replace(LAB, drivers=[RIGHT, LEFT])
    with pytest.raises(ValueError, match="left sounds from where right is, right sounds from where left is"):
        measure(record_all(sweeps_of(tmp_path, count=4, length_s=0.5), lab))


def test_what_is_missing_is_told(copy):
    (copy / "recordings" / "place-4.wav").unlink()
    with pytest.raises(ValueError, match="no recording of left at place 4; place-4.wav of laptop-all.wav"):
        measure(copy / "recordings")
    with pytest.raises(FileNotFoundError, match="--sweeps FOLDER"):
        measure(copy / "recordings", sweeps=copy)
    (copy / "recordings" / "kitchen.wav").write_bytes(b"")
    with pytest.raises(ValueError, match=r"kitchen.wav: names no recording of the plan; place-1.wav to place-5.wav"):
        measure(copy / "recordings")


def test_a_plan_is_read_as_it_was_written(desk):
    plan = load_plan(desk / "sweeps" / "plan.json")
    assert plan.form() == load_plan(desk / "sweeps" / "plan.json").form()
    assert plan.places_m == places_for(plan.device)
    audio, rate = soundfile.read(desk / "sweeps" / "laptop-right.wav")
    assert (rate, audio.shape[1]) == (48_000, 2)
    assert np.array_equal(audio.T.astype(np.float32), plan.audio([1]))
    assert np.abs(audio).max() == pytest.approx(LEVEL, abs=1e-3)


ON_THE_TABLE = np.array([2.6, 2.0, 1.1])


@dataclass(frozen=True)
class LivingRoom(Laboratory):
    """The laboratory in a furnished room, by the room kernel: all walls, to any order."""

    def response(self, driver, point_m, frequency_hz, *, is_direct=False):
        if is_direct:
            return super().response(driver, point_m, frequency_hz, is_direct=True)
        frames = round(48_000 / frequency_hz[1])
        places = [ON_THE_TABLE + np.asarray(each) * [1.0, -1.0, 1.0] for each in (driver.position_m, point_m)]
        impulse = room_response(ROOMS["living-room"], source_m=places[0], receiver_m=places[1], length_s=0.4, threads=1)
        return np.fft.rfft(impulse[0, 0], frames)[: len(frequency_hz)] * driver.response(frequency_hz)


def test_a_real_room_is_left_out(tmp_path):
    """A laptop on a table in a living room: what is left is its direct sound, whatever comes later."""
    lab = LivingRoom([LEFT, RIGHT], recorder=Recorder(drift_ppm=40.0, noise_dbfs=-80.0))
    found = measure(record_all(sweeps_of(tmp_path), lab))
    late_s = found.reflections[0][0]
    floor = [
        np.linalg.norm(np.subtract(point, [*driver.position_m[:2], -2 * ON_THE_TABLE[2]]))
        - np.linalg.norm(np.subtract(point, driver.position_m))
        for driver in lab.drivers
        for point in found.places_m
    ]
    assert late_s == pytest.approx(min(floor) / SPEED_OF_SOUND_M_S, abs=0.2e-3)
    frequency = np.arange(1.5 / found.window_s, 12_000.0, 20.0)
    turns = np.exp(-2j * np.pi * np.outer(frequency, np.arange(found.gated.shape[-1])) / 48_000)
    ratios = []
    for index, driver in enumerate(lab.drivers):
        for place, point in enumerate(found.places_m):
            truth = lab.response(driver, point, frequency, is_direct=True)
            late = np.exp(-2j * np.pi * frequency * (found.flights_s()[place] - 0.02))
            ratios.append(turns @ found.gated[index, place, 0] / truth * late)
    ratios = np.array(ratios)
    level_db = 20 * np.log10(np.abs(ratios))
    assert np.abs(level_db - level_db.mean()).max() < 0.3
    delay_s = -np.unwrap(np.angle(ratios)) / (2 * np.pi * frequency)
    delay_s = delay_s[:, frequency > 1000]
    assert np.abs(delay_s - np.median(delay_s)).max() < 5e-6
