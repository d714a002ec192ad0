"""A plant measured at the ears: as files tell it, against the laboratory they come from."""

from dataclasses import replace

import numpy as np
import pytest
import sofar
import soundfile
from laboratory import LabDriver, Laboratory

from forestage import design, load_device
from forestage.acoustics.device_file import device_table, parse_device
from forestage.acoustics.ears_over_model import noise_at, shares
from forestage.acoustics.fields import ears
from forestage.acoustics.measured_ears import load_ears_sofa
from forestage.acoustics.plant import geometry
from forestage.acoustics.seat import Seat
from forestage.design.cancel import METHODS, CancelTarget, cancel_problem, solve
from forestage.design.preset_device import device_form, preset_device
from forestage.design.zone import Zone
from forestage.firs import response_of
from measurements import change_sofa, copy_sofa, impulses_of, write_sofa
from signals import complex_normal

LAB = Laboratory(
    [
        LabDriver((0.0, 0.14, 0.0), gain_db=2.0, corner_hz=40.0, resonance=(1500.0, 2.0, 1.5)),
        LabDriver((0.0, -0.14, 0.0), gain_db=-2.0, late_s=2e-4, corner_hz=40.0, resonance=(3000.0, -2.0, 1.5)),
    ]
)
PLACES = np.array([[0.5, 0.0, 0.0], [0.5, 0.04, 0.0], [0.5, -0.04, 0.0]])
FREQUENCY_HZ = np.geomspace(200.0, 8000.0, 120)
LATE_S = 4e-3


def impulses(places=PLACES, laboratory=LAB):
    """Impulse responses as a laboratory hands them over, shape (places, 2, drivers, frames)."""
    found = [
        [
            impulses_of(
                lambda hz, point=point, driver=driver: laboratory.ears(driver, point, hz),
                sample_rate=48_000,
                frames=1024,
                delay_s=LATE_S,
            )
            for driver in laboratory.drivers
        ]
        for point in places
    ]
    return 0.3 * np.array(found).swapaxes(1, 2)


def table_of(folder, responses, places=PLACES):
    """Device table whose listener has WAV files of the responses."""
    table = device_table(load_device("laptop"))
    rows = table["listener"]["ear_responses"] = []
    for place, position in enumerate(places):
        for index, name in enumerate(("left", "right")):
            file = f"{name}-{place + 1}.wav"
            soundfile.write(folder / file, responses[place, :, index].T, 48_000, subtype="FLOAT")
            rows.append({"file": file, "driver": name, "position_m": position.tolist()})
    return table


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("ears")


@pytest.fixture(scope="module")
def device(folder):
    return parse_device(table_of(folder, impulses()), folder)


def truth_at(point):
    hz = np.concatenate([[0.0], FREQUENCY_HZ])
    return np.stack([LAB.ears(driver, point, hz)[:, 1:] for driver in LAB.drivers], axis=1)


def apart(found, truth):
    """Level and time by which two plants differ, but for what all of it has in common."""
    ratio = found / truth
    ratio = ratio / np.exp(np.mean(np.log(np.abs(ratio))))
    level_db = 20 * np.log10(np.abs(ratio))
    # Between drivers and ears at each frequency
    turn = np.angle(ratio / (np.sum(ratio, axis=(0, 1)) / np.abs(np.sum(ratio, axis=(0, 1)))))
    return np.abs(level_db).max(), np.abs(turn / (2 * np.pi * FREQUENCY_HZ)).max()


@pytest.mark.parametrize("place", range(3))
def test_the_plant_is_the_measured_one_where_it_was_measured(device, place):
    found = geometry(device, Seat(tuple(PLACES[place]))).at(FREQUENCY_HZ)
    level_db, time_s = apart(found, truth_at(PLACES[place]))
    assert level_db < 0.3
    assert time_s < 5e-6


def test_elsewhere_the_model_follows_the_measurement(device):
    """Between measured places it is far nearer to the truth than the ruler is."""
    point = (0.52, 0.02, 0.0)
    measured = apart(geometry(device, Seat(point)).at(FREQUENCY_HZ), truth_at(point))
    ruler = apart(geometry(load_device("laptop"), Seat(point)).at(FREQUENCY_HZ), truth_at(point))
    assert measured[0] < 0.3 < 2.0 < ruler[0]
    assert measured[1] < 5e-6 < 40e-6 < ruler[1]


def separation_db(made):
    """What a design reaches in the laboratory, in the mean over places, sides and 300 Hz to 7 kHz."""
    filters = made.filter_set(48_000)
    inside = (FREQUENCY_HZ > 300) & (FREQUENCY_HZ < 7000)
    weights = response_of(filters.cancel, FREQUENCY_HZ, sample_rate=48_000, delay_frames=filters.delay_frames)
    ears = np.abs(np.stack([np.einsum("edf,dcf->ecf", truth_at(point), weights) for point in PLACES]))[..., inside]
    return float(20 * np.mean(np.log10([ears[:, 0, 0] / ears[:, 1, 0], ears[:, 1, 1] / ears[:, 0, 1]])))


@pytest.mark.slow
def test_a_design_from_the_ears_reaches_what_one_from_the_truth_does(device, monkeypatch):
    """Drivers +-2 dB and +-0.1 ms apart, which the ruler does not know; the truth is the laboratory at every head."""
    quick = {"sample_rates": (48_000,), "render": None}
    ruler, measured = (separation_db(design(each, **quick)) for each in (load_device("laptop"), device))

    def truth_of(fields, seat, frequency_hz):
        return ears(fields, seat, frequency_hz) * np.stack([each.response(frequency_hz) for each in LAB.drivers])

    monkeypatch.setattr("forestage.acoustics.plant.ears", truth_of)
    truth = separation_db(design(load_device("laptop"), **quick))
    assert measured > 0.9 * truth > 8.0
    assert measured > ruler + 3.0


@pytest.mark.parametrize(
    ("late_ms", "window_ms", "step_hz"), [(2.0, 8.0, 200.0), (6.0, 8.0, 200.0), (14.0, 20.0, 100.0)]
)
def test_reflections_that_count_are_in_the_plant_between_its_grid(tmp_path, late_ms, window_ms, step_hz):
    """Of a mirror below, at a head of the zone that was measured: both drivers against each other, as measured."""
    below_m = np.sqrt((0.52 + late_ms * 0.343) ** 2 - 0.52**2) / 2
    room = replace(LAB, walls=[(2, -below_m, 0.6)])
    table = table_of(tmp_path, impulses(laboratory=room))
    table["listener"]["ears_window_ms"] = window_ms
    device = parse_device(table, tmp_path)
    assert device_table(device)["listener"].get("ears_window_ms", 8.0) == window_ms
    measured = device.listener.ears.responses(FREQUENCY_HZ)[1]
    found = geometry(device, Seat(tuple(PLACES[1])), step_hz=step_hz).at(FREQUENCY_HZ)
    heard = FREQUENCY_HZ > 300.0
    apart_db = 20 * np.log10(np.abs(found[:, 0] / found[:, 1] / (measured[:, 0] / measured[:, 1])))[:, heard]
    assert np.abs(apart_db).max() < 0.3


@pytest.mark.parametrize("window_ms", [0.5, 31.0, "long"])
def test_a_window_that_cannot_be_is_refused(folder, device, window_ms):
    table = device_table(device)
    table["listener"]["ears_window_ms"] = window_ms
    with pytest.raises(ValueError, match=r"listener\.ears_window_ms = "):
        parse_device(table, folder)


def sofa_of(convention, responses, turned=False):
    """The same as a SOFA file: the device at (1, 2, 1) m, looking along y."""
    sofa = sofar.Sofa(convention)
    sofa.Data_IR = (responses[:, ::-1] if turned else responses).swapaxes(2, 3)
    sofa.Data_SamplingRate = 48_000.0
    is_room = convention == "SingleRoomMIMOSRIR"
    sofa.Data_Delay = np.zeros((1, 2, 1 if is_room else 2))
    sofa.SourcePosition_Type, sofa.SourcePosition_Units = "cartesian", "metre"
    sofa.SourcePosition = np.repeat([[1.0, 2.0, 1.0]], len(responses), axis=0)
    # Ahead of the device is along y, and its left, which is the listener's right, against x
    sofa.ListenerPosition = [[1.0 + y, 2.0 + x, 1.0 + z] for x, y, z in PLACES]
    ears = np.array([[0.0, 0.09, 0.0], [0.0, -0.09, 0.0]])
    sofa.ReceiverPosition_Type, sofa.ReceiverPosition_Units = "cartesian", "metre"
    sofa.ReceiverPosition = ears[::-1] if turned else ears
    sofa.EmitterPosition_Type, sofa.EmitterPosition_Units = "cartesian", "metre"
    sofa.EmitterPosition = [[0.0, -0.14, 0.0], [0.0, 0.14, 0.0]]
    if is_room:
        for name in ("ReceiverView", "ReceiverUp", "EmitterView", "EmitterUp"):
            setattr(sofa, name, np.repeat([[1.0, 0.0, 0.0] if "View" in name else [0.0, 0.0, 1.0]], 2, axis=0))
        sofa.MeasurementDate = np.zeros(len(responses))
        sofa.ListenerView, sofa.ListenerUp = [[0.0, -1.0, 0.0]], [[0.0, 0.0, 1.0]]
        sofa.SourceView, sofa.SourceUp = [[0.0, 1.0, 0.0]], [[0.0, 0.0, 1.0]]
    return sofa


def written(convention, folder, turned):
    """A file of a convention; the old one, which sofar writes no more, by its rules."""
    if convention != "MultiSpeakerBRIR":
        return write_sofa(folder / "ears.sofa", sofa_of(convention, impulses(), turned))
    new = write_sofa(folder / "new.sofa", sofa_of("SingleRoomMIMOSRIR", impulses(), turned))
    values = impulses()[:, ::-1] if turned else impulses()
    path = copy_sofa(folder / "ears.sofa", new, leave="SourceView", **{"Data.IR": (("M", "R", "E", "N"), values)})
    return change_sofa(path, GLOBAL_SOFAConventions=convention, GLOBAL_DataType="FIRE")


@pytest.mark.parametrize("convention", ["SingleRoomMIMOSRIR", "MultiSpeakerBRIR", "GeneralFIR-E"])
@pytest.mark.parametrize("turned", [False, True], ids=["left first", "right first"])
def test_sofa_files_say_the_same(device, tmp_path, convention, turned):
    found = load_ears_sofa(written(convention, tmp_path, turned))
    assert [place.position_m for place in found.places] == [pytest.approx(tuple(place)) for place in PLACES]
    assert [place.yaw_deg for place in found.places] == [0.0] * 3
    np.testing.assert_allclose(found.impulses, device.listener.ears.impulses, atol=1e-7)
    table = device_table(load_device("laptop"))
    table["listener"]["ears_sofa"] = "ears.sofa"
    read = parse_device(table, tmp_path)
    assert read.listener.ears.origin == {"ears_sofa": "ears.sofa"}


def test_a_sofa_file_without_positions_is_refused(tmp_path):
    sofa = sofa_of("SingleRoomMIMOSRIR", impulses())
    sofa.ListenerPosition = sofa.SourcePosition
    path = write_sofa(tmp_path / "ears.sofa", sofa)
    with pytest.raises(ValueError, match="ListenerPosition is where SourcePosition is: must say where heads were"):
        load_ears_sofa(path)


def test_noise_makes_drivers_err_more(folder, device):
    """10 % of noise beside errors of 0.5 dB and 3 degrees; none beyond."""
    table = device_table(device)
    table["listener"]["ears_snr_db"] = [[1000.0, 20.0], [1001.0, 80.0]]
    noisy = parse_device(table, folder)
    hz = np.array([500.0, 4000.0])
    target = CancelTarget()
    usual, more = (
        np.abs(cancel_problem(each, geometry(each), hz, target=target).driver_errors - 1) for each in (device, noisy)
    )
    np.testing.assert_allclose(more[:, 0] ** 2, usual[:, 0] ** 2 + 0.01, rtol=1e-6)
    np.testing.assert_allclose(more[:, 1], usual[:, 1], rtol=1e-3)


def test_every_place_has_its_own_noise(folder, device):
    """A head where it was measured has that noise; one between two places that of both, in power."""
    table = device_table(device)
    table["listener"]["ears_snr_db"] = [[[1000.0, 10.0]], [[1000.0, 20.0]], [[1000.0, 40.0]]]
    measured = parse_device(table, folder).listener.ears
    places, hz = [Seat(place.position_m) for place in measured.places], np.array([500.0, 4000.0])
    for place, noise in zip(places, 10.0 ** (np.array([-10, -20, -40]) / 20), strict=True):
        np.testing.assert_allclose(noise_at(measured, place, hz), noise, rtol=5e-3)
    between = Seat(tuple(np.mean([place.position_m for place in places[:2]], axis=0)))
    share = shares(measured, between)
    assert share[0] == pytest.approx(share[1])
    expected = np.sqrt(share @ [10.0**-1, 10.0**-2, 10.0**-4])
    np.testing.assert_allclose(noise_at(measured, between, hz), expected, rtol=1e-6)
    assert device_table(parse_device(table, folder))["listener"]["ears_snr_db"] == table["listener"]["ears_snr_db"]


def test_a_zone_keeps_to_the_noise_of_its_places(folder, device):
    """Noise at a place beside the seat is that of heads there, and hardly of the seat."""
    table = device_table(device)
    table["listener"]["ears_snr_db"] = [[[1000.0, 60.0]], [[1000.0, 0.0]], [[1000.0, 60.0]]]
    noisy = parse_device(table, folder)
    problem = cancel_problem(noisy, geometry(noisy), np.array([1000.0]), target=CancelTarget())
    seats = CancelTarget().zone.seats(noisy)
    nearest = int(np.argmin([np.linalg.norm(np.subtract(each.position_m, PLACES[1])) for each in seats]))
    assert problem.noise.shape == (len(seats), 1)
    assert problem.noise[0] < 0.02
    assert problem.noise[nearest] == problem.noise.max() > 0.5


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([[[1000.0, 10.0]], [[1000.0, 20.0]]], "of 2 places; must be one for all, or of 3"),
        ([[[1000.0, 10.0]], 3.0], r"ears_snr_db\[1\] = 3.0: must be a list of \[hz, db\] pairs"),
    ],
)
def test_noise_of_other_places_is_refused(folder, device, value, message):
    table = device_table(device)
    table["listener"]["ears_snr_db"] = value
    with pytest.raises(ValueError, match=message):
        parse_device(table, folder)


KNOW_THE_PLANT = sorted(set(METHODS) - {"race", "camilladsp", "easyeffects"})
AT_HZ = np.array([300.0, 700.0, 1500.0])


def problem_of(device, *, noise):
    target = CancelTarget(zone=Zone(yaw_deg=0.0, head_radii_m=())).in_free_field()
    problem = cancel_problem(device, geometry(device), AT_HZ, target=target, zone=[])
    high = {"target_db": np.full(len(AT_HZ), 60.0), "drive_cap_db": np.full(len(AT_HZ), 40.0)}
    return replace(problem, noise=np.full((1, len(AT_HZ)), noise), beside=problem.beside[:0], **high)


def left_by(weights, problem, noise):
    """Power at the far ear in the mean over plants that noise changed, over that wanted at the near one, in dB."""
    random = complex_normal(400, *problem.response[0].shape, seed=3)
    ears = np.einsum("sedf,dcf->secf", problem.response[0] * (1.0 + noise * random), weights)
    near = problem.ears(weights, seat=0)[0, 0]
    return 10 * np.log10(np.mean(np.abs(ears[:, 1, 0]) ** 2, axis=0) / np.abs(near) ** 2)


@pytest.mark.parametrize("method", KNOW_THE_PLANT)
def test_every_method_that_knows_the_plant_knows_its_noise(device, method):
    """With noise of -8 dB, what it leaves at the far ear is less than what a design leaves that believes the plant."""
    known, believed = (problem_of(device, noise=noise) for noise in (0.4, 0.0))
    if method == "minimax":
        errors = believed.driver_errors
        known = replace(known, driver_errors=1.0 + (errors - 1.0) * np.sqrt(1.0 + (0.4 / np.abs(errors - 1.0)) ** 2))
    with_noise, without = (left_by(solve(each, method), believed, 0.4) for each in (known, believed))
    assert np.all(with_noise <= without + 0.05)
    assert (without - with_noise).max() > 0.2
    usual = solve(replace(believed, noise=np.full((1, len(AT_HZ)), 1e-9)), method)
    np.testing.assert_allclose(usual, solve(believed, method), rtol=1e-6, atol=1e-9)


def test_least_squares_are_those_of_the_mean_over_noise(device):
    """No weights with the same near ear and less drive leave less: the normal equations, solved here by themselves."""
    problem = problem_of(device, noise=0.3)
    weights = solve(problem, "least-squares")[:, 0]
    near, far = problem.response[0][:, :, None, :][:, :, 0]
    for k in range(len(AT_HZ)):
        a, b = near[:, k], far[:, k]
        matrix = np.outer(b.conj(), b) + 0.3**2 * np.diag(np.abs(b) ** 2)
        best = np.linalg.solve(matrix, a.conj())
        best *= problem.wanted[0, k] / (a @ best)
        np.testing.assert_allclose(weights[:, k], best, rtol=1e-3)


def test_a_preset_holds_the_ears(device, tmp_path):
    form = device_form(device)
    again = preset_device({"design": form}, folder=tmp_path)
    np.testing.assert_array_equal(again.listener.ears.impulses, device.listener.ears.impulses)
    assert again.listener.ears.places == device.listener.ears.places


BAD = {
    "no such driver": (lambda rows: rows[0].update(driver="middle"), r'driver = "middle": must be one of left, right'),
    "a driver missing": (lambda rows: rows.pop(), r"driver 2 has none at \[0.5, -0.04, 0.0\]: every place needs all"),
    "no place": (lambda rows: rows[0].pop("position_m"), r"\[0\].position_m is missing: must be a list of 3 numbers"),
    "no file": (lambda rows: rows[0].update(file="nothing.wav"), "nothing.wav: no such file"),
    "unknown": (lambda rows: rows[0].update(ear="left"), r"\[0\].ear = 'left': unknown key"),
}


@pytest.mark.parametrize("case", BAD)
def test_mistakes_are_named(folder, device, case):
    how, message = BAD[case]
    table = device_table(device)
    table["listener"]["ear_responses"] = rows = [dict(row) for row in table["listener"]["ear_responses"]]
    how(rows)
    with pytest.raises(ValueError, match=f"listener.ear_responses: .*{message}"):
        parse_device(table, folder)


def test_a_device_with_other_drivers_is_refused(device):
    with pytest.raises(ValueError, match="2 drivers were measured at the ears, the device has 3"):
        replace(device, drivers=(*device.drivers, replace(device.drivers[0], name="third", position_m=(0.0, 0.0, 0.0))))
