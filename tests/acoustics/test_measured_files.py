"""Does a measurement that cannot be used come back as the file, what in it is wrong, and what would be right?"""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import netCDF4
import numpy as np
import pytest
import soundfile

from forestage.acoustics.device_file import load_device, parse_device
from forestage.acoustics.fields import PointSource
from forestage.acoustics.measured_driver import load_directivity, read_impulse
from forestage.acoustics.measured_ears import _read_two_ears
from forestage.acoustics.measured_head import load_head
from measurements import (
    change_sofa,
    copy_sofa,
    directivity,
    grid_directions,
    impulses_of,
    ring_directions,
    sphere_head,
    write_sofa,
)

RING = ring_directions(15.0)
GRID = grid_directions(30.0)
SOURCE = PointSource((0.0, 0.0, 0.0))
MICROPHONES = np.array([[2.0, y, 0.0] for y in (-0.3, 0.0, 0.3, 0.6)])


@cache
def bytes_of(make) -> bytes:
    """A good file, which libraries take long to write."""
    with TemporaryDirectory() as folder:
        return write_sofa(Path(folder) / "good.sofa", make()).read_bytes()


def good_head():
    return sphere_head(RING)


def good_speaker(directions=GRID):
    frequency = np.arange(200.0, 2001.0, 200.0)
    return directivity(SOURCE, directions, azimuth_deg=0.0, frequency_hz=frequency)


def head(path: Path, **changes) -> Path:
    path.write_bytes(bytes_of(good_head))
    return change_sofa(path, **changes)


def speaker(path: Path, **changes) -> Path:
    path.write_bytes(bytes_of(good_speaker))
    return change_sofa(path, **changes)


def truncated(path: Path) -> Path:
    head(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


def text(path: Path) -> Path:
    path.write_text("This is not a measurement.")
    return path


def empty(path: Path) -> Path:
    path.write_bytes(b"")
    return path


def without(path: Path, variable: str, make=head) -> Path:
    """A copy of a good file that lacks a variable."""
    return copy_sofa(path, make(path.with_name("good.sofa")), leave=variable)


def endless(path: Path) -> Path:
    """A file whose heap has an object of the number that means "free", at which the HDF5 library waits for ever."""
    data = bytearray(path.read_bytes())
    place = data.index(b"GCOL") + 16  # a head, then objects of 16 bytes and what they hold
    second = place + 16 + int.from_bytes(data[place + 8 : place + 16], "little")
    data[second : second + 2] = b"\0\0"
    path.write_bytes(data)
    return path


def claiming(path: Path, make=head, *, kind: str = "f8", **sizes: int) -> Path:
    """A file whose header tells of more than is there: where nothing was written, it takes no space."""
    with netCDF4.Dataset(make(path.with_name("good.sofa"))) as source, netCDF4.Dataset(path, "w") as target:
        source.set_auto_mask(False)
        target.setncatts({name: source.getncattr(name) for name in source.ncattrs()})
        for name, size in source.dimensions.items():
            target.createDimension(name, sizes.get(name, len(size)))
        for name, values in source.variables.items():
            chunks = [min(size.size, 64) or 1 for size in values.get_dims()]
            own = kind if name == "Data.IR" else values.dtype
            target.createVariable(name, own, values.dimensions, chunksizes=chunks, zlib=True)
            target[name].setncatts({key: values.getncattr(key) for key in values.ncattrs()})
            if name != "Data.IR" and not sizes.keys() & set(values.dimensions):
                target[name][...] = values[...]
    return path


def with_ears(path: Path, count: int) -> Path:
    sofa = sphere_head(RING)
    sofa.Data_IR = np.repeat(sofa.Data_IR, 2, axis=1)[:, :count]
    sofa.ReceiverPosition, sofa.Data_Delay = np.eye(3)[[0, 1, 2]][:count], np.zeros((1, count))
    return write_sofa(path, sofa)


def from_directions(path: Path, directions, distance_m=1.4) -> Path:
    return write_sofa(path, sphere_head(directions, distance_m=distance_m))


def at_two_distances(path: Path) -> Path:
    """Half a head at each."""
    sofa = sphere_head(RING)
    sofa.SourcePosition[: len(RING) // 2, 2] = 0.7
    return write_sofa(path, sofa)


def with_wandering_distance(path: Path) -> Path:
    sofa = sphere_head(RING)
    sofa.SourcePosition[:, 2] = np.linspace(0.7, 1.4, len(RING))
    return write_sofa(path, sofa)


def with_a_nan(path: Path) -> Path:
    impulses = sphere_head(RING).Data_IR
    impulses[3, 1, 7] = np.nan
    return head(path, Data_IR=impulses)


def with_silence(path: Path) -> Path:
    impulses = sphere_head(RING).Data_IR
    impulses[5, 0] = 0.0
    return head(path, Data_IR=impulses)


def with_shuffled_directions(path: Path) -> Path:
    impulses = np.random.default_rng(0).permutation(sphere_head(RING).Data_IR)
    return head(path, Data_IR=impulses)


HEADS = {
    "no file": (lambda path: path, "no such file"),
    "a folder": (lambda path: path.parent, "is a folder; a file would be right"),
    "empty": (empty, "not a readable SOFA file"),
    "text": (text, "not a readable SOFA file"),
    "truncated": (truncated, "not a readable SOFA file"),
    "another convention": (speaker, 'GLOBAL_SOFAConventions = "FreeFieldDirectivityTF": must be SimpleFreeFieldHRIR'),
    "no convention": (lambda path: head(path, GLOBAL_SOFAConventions=None), "not a readable SOFA file|is missing"),
    "no units": (lambda path: head(path, SourcePosition_Units=None), "SourcePosition_Units is missing"),
    "wrong units": (lambda path: head(path, SourcePosition_Units="foot"), 'Units = "foot": must be degree, degree'),
    "no coordinates": (lambda path: head(path, SourcePosition_Type=None), "SourcePosition_Type is missing"),
    "odd coordinates": (lambda path: head(path, SourcePosition_Type="polar"), '= "polar": must be cartesian or sph'),
    "a single direction": (lambda path: from_directions(path, RING[:1]), "gives 1 directions: must be at least 12"),
    "the front alone": (
        lambda path: from_directions(path, ring_directions(5.0)[:36]),
        "leaves a gap around azimuth 270 degrees: must surround the head",
    ),
    "two distances": (at_two_distances, r"SourcePosition leaves a gap around azimuth \d+ degrees"),
    "distances without shells": (with_wandering_distance, r"is 0\.70\.\.1\.40 m away: must be one distance"),
    "far away": (lambda path: head(path, SourcePosition=1e8 * np.ones((24, 3))), r"must be one .* and below 50 m"),
    "nothing written": (
        lambda path: head(path, SourcePosition=1e30),
        r"SourcePosition\[0, 0\] = 1e\+30: must be within",
    ),
    "delays of hours": (lambda path: head(path, Data_Delay=1e8), r"Data_Delay has 2083\.33 s: must be within 1 s"),
    "a structure without an end": (lambda path: endless(head(path)), "not a readable SOFA file .* reading it does not"),
    "huge": (lambda path: head(path, Data_IR=1e30), r"Data_IR\[0, 0, 0\] = 1e\+30: must be within \+-1e\+09"),
    "too many directions": (lambda path: claiming(path, M=10**6), "must be at most 65536 directions, 65536 taps and"),
    "too many taps": (lambda path: claiming(path, N=10**9), "must be at most 65536 directions, 65536 taps and"),
    "texts": (lambda path: claiming(path, kind="S1"), "Data_IR holds .S1: must be numbers"),
    "a source at the head": (lambda path: from_directions(path, RING, 0.1), r"must be one distance above 0\.2 m"),
    "not a number": (with_a_nan, r"Data_IR\[3, 1, 7\] = nan: must be finite"),
    "silence": (with_silence, r"Data_IR\[5, 0\] is silent"),
    "one ear": (lambda path: with_ears(path, 1), r"Data_IR has the shape \(24, 1, 256\), for 1 receivers: must be 2"),
    "three ears": (lambda path: with_ears(path, 3), "for 3 receivers: must be 2 ears"),
    "no sample rate": (lambda path: without(path, "Data.SamplingRate"), "Data_SamplingRate is missing"),
    "sample rate 0": (
        lambda path: head(path, Data_SamplingRate=0.0),
        r"Data_SamplingRate = \[0\.0\]: must be",
    ),
    "no responses": (lambda path: without(path, "Data.IR"), "Data_IR is missing"),
    "no head": (with_shuffled_directions, "delays between the ears that are not a head's"),
    "up is ahead": (lambda path: head(path, ListenerUp=[1.0, 0.0, 0.0]), "ListenerUp = .*must not point along"),
}


def assert_refused_by_name(load, path: Path, message: str) -> None:
    with pytest.raises(ValueError, match=message) as error:
        load(path)
    assert str(error.value).startswith(str(path))


UNREADABLE = ("no file", "a folder", "empty", "text", "truncated", "no convention", "a structure without an end")


@pytest.fixture
def tried(request, monkeypatch):
    """Only what the library cannot read needs the trial in a process of its own."""
    if request.getfixturevalue("name") not in UNREADABLE:
        monkeypatch.setattr("forestage.acoustics.sofa._try", lambda path: None)


@pytest.mark.slow
@pytest.mark.usefixtures("tried")
@pytest.mark.parametrize("name", HEADS)
def test_head_that_cannot_be_used_is_refused_by_name(name, tmp_path):
    make, message = HEADS[name]
    assert_refused_by_name(load_head, make(tmp_path / "head.sofa"), message)


def silent(path: Path) -> Path:
    shape = (1, len(GRID), 10)
    return speaker(path, Data_Real=np.zeros(shape), Data_Imag=np.zeros(shape))


def of_two_emitters(path: Path) -> Path:
    sofa = directivity(SOURCE, GRID, azimuth_deg=0.0, frequency_hz=np.array([500.0, 1000.0]))
    sofa.EmitterPosition = [[0.0, 0.0, 0.0], [0.1, 0.0, 0.0]]
    return write_sofa(path, sofa)


def of_many_notes(path: Path) -> Path:
    sofa = directivity(SOURCE, GRID, azimuth_deg=0.0, frequency_hz=np.array([500.0, 1000.0]))
    sofa.Data_Real, sofa.Data_Imag = (np.repeat(part, 3, axis=0) for part in (sofa.Data_Real, sofa.Data_Imag))
    return write_sofa(path, sofa)


def of_one_frequency(path: Path) -> Path:
    return write_sofa(path, directivity(SOURCE, GRID, azimuth_deg=0.0, frequency_hz=np.array([500.0])))


DRIVERS = {
    "another convention": (head, "must be FreeFieldDirectivityTF"),
    "a single direction": (
        lambda path: write_sofa(path, good_speaker(GRID[:1])),
        "gives 1 directions: must be at least 4",
    ),
    "no frequencies": (lambda path: without(path, "N", speaker), "N is missing"),
    "a structure without an end": (
        lambda path: endless(speaker(path)),
        "not a readable SOFA file .* reading it does n",
    ),
    "one frequency": (of_one_frequency, "N has 1 frequencies: must be two or more"),
    "falling frequencies": (lambda path: speaker(path, N=np.arange(2000.0, 0.0, -200.0)), "rising frequencies"),
    "frequencies of light": (
        lambda path: speaker(path, N=np.linspace(1.0, 1e8, 10)),
        "frequencies within 0..200000 Hz",
    ),
    "far away": (
        lambda path: speaker(path, ReceiverPosition=np.full((len(GRID), 3), 1e6)),
        r"puts a receiver 1e\+06 m away: must be at most 100 m",
    ),
    "too many frequencies": (lambda path: claiming(path, speaker, N=10**6), "has 1000000 frequencies: must be two or"),
    "too many directions": (lambda path: claiming(path, speaker, R=10**6), "tells 1000000 directions: must be at most"),
    "no receivers' units": (lambda path: speaker(path, ReceiverPosition_Units=None), "ReceiverPosition_Units is miss"),
    "receivers in the driver": (
        lambda path: speaker(path, ReceiverPosition=np.zeros((len(GRID), 3))),
        "ReceiverPosition puts a receiver at the driver itself",
    ),
    "infinite": (lambda path: speaker(path, Data_Imag=np.full((1, len(GRID), 10), np.inf)), r"Data_Imag\[0, 0, 0\] = "),
    "silent": (silent, "Data_Real is silent"),
    "levels alone": (
        lambda path: speaker(path, Data_Imag=np.zeros((1, len(GRID), 10))),
        "Data_Imag is 0 throughout: levels without phases",
    ),
    "two emitters": (of_two_emitters, "EmitterPosition tells of 2 emitters: a driver is one"),
    "many measurements": (of_many_notes, "has 3 measurements of one arrangement: which one counts"),
}


@pytest.mark.slow
@pytest.mark.usefixtures("tried")
@pytest.mark.parametrize("name", DRIVERS)
def test_directivity_that_cannot_be_used_is_refused_by_name(name, tmp_path):
    make, message = DRIVERS[name]
    assert_refused_by_name(load_directivity, make(tmp_path / "driver.sofa"), message)


def table(**driver) -> dict:
    """A measured left driver and a point."""
    return {
        "name": "Half Measured",
        "listener": {"distance_m": 2.0},
        "driver": [
            {"name": "l", "channel": "left", "position_m": [0.0, 0.1, 0.0], **driver},
            {"name": "r", "channel": "right", "position_m": [0.0, -0.1, 0.0]},
        ],
    }


def impulses(folder: Path, *, change=lambda samples: samples, count: int = 4) -> list[dict]:
    """Entries of a device file for responses of which the last one is changed."""
    points = MICROPHONES[:count]
    responses = impulses_of(lambda f: SOURCE.field(f, points), sample_rate=48_000, frames=1024, delay_s=1e-3)
    entries = []
    for index, (samples, point) in enumerate(zip(responses, points, strict=True)):
        path = folder / f"{index}.wav"
        soundfile.write(path, change(samples) if index == count - 1 else samples, 48_000, subtype="FLOAT")
        entries.append({"file": path.name, "position_m": point.tolist()})
    return entries


def broken(samples: np.ndarray) -> np.ndarray:
    return np.where(np.arange(len(samples)) == 100, np.nan, samples)


def at_rate(entries: list[dict], folder: Path, sample_rate: int) -> list[dict]:
    """Entries whose last file claims another sample rate."""
    path = folder / entries[-1]["file"]
    data = bytearray(path.read_bytes())
    data[24:28] = sample_rate.to_bytes(4, "little")
    path.write_bytes(data)
    return entries


def hours(entries: list[dict], folder: Path) -> list[dict]:
    """Entries whose last file takes no space on a disk, as nothing was written there."""
    path = folder / entries[-1]["file"]
    frames = 16_000_000
    soundfile.write(path, np.zeros(1, dtype=np.int16), 8000, subtype="PCM_U8")
    data = bytearray(path.read_bytes()[:44])
    data[40:44] = frames.to_bytes(4, "little")
    path.write_bytes(data)
    with path.open("r+b") as file:
        file.truncate(44 + frames)
    return entries


WAVS = {
    "good": (lambda folder: impulses(folder), None),
    "silent": (lambda folder: impulses(folder, change=np.zeros_like), r"impulse_responses: .*3\.wav: is silent"),
    "not a number": (lambda folder: impulses(folder, change=broken), r"3\.wav: sample 100 is not finite"),
    "stereo": (lambda folder: impulses(folder, change=lambda x: np.stack([x, x], 1)), "has 2 channels; an impulse"),
    "missing": (lambda folder: [*impulses(folder), {"file": "x.wav", "position_m": [1, 0, 0]}], r"x\.wav: no such f"),
    "not audio": (
        lambda folder: [*impulses(folder), {"file": text(folder / "x.wav").name, "position_m": [1, 0, 0]}],
        r"x\.wav: not a readable audio file",
    ),
    "too few": (lambda folder: impulses(folder, count=1), "1 of them; must be at least 4"),
    "too many": (lambda folder: 2000 * impulses(folder), "8000 of them; must be at least 4 and at most 4096"),
    "far away": (
        lambda folder: [*impulses(folder), {"file": "0.wav", "position_m": [1e9, 0.0, 0.0]}],
        r"a microphone is 1e\+09 m away: must be at most 100 m",
    ),
    "rate of 1 Hz": (
        lambda folder: at_rate(impulses(folder), folder, 1),
        r"3\.wav: its sample rate is 1 Hz; must be w",
    ),
    "rate of GHz": (lambda folder: at_rate(impulses(folder), folder, 2**31 - 1), "its sample rate is 2147483647 Hz"),
    "hours": (
        lambda folder: hours(impulses(folder), folder),
        "has 16000000 frames; an impulse response has at most 60",
    ),
    "at the driver": (
        lambda folder: [*impulses(folder), {"file": "0.wav", "position_m": [0.0, 0.1, 0.0]}],
        r"position_m = \[0\.0, 0\.1, 0\.0\]: a microphone is at the driver itself",
    ),
    "no position": (
        lambda folder: [{"file": "0.wav"}],
        r"impulse_responses\[0\]\.position_m is missing: must be a list",
    ),
    "no file": (lambda folder: [{"position_m": [1, 0, 0]}], r"impulse_responses\[0\]\.file is missing: must be a text"),
    "unknown key": (lambda folder: [{"file": "0.wav", "gain": 1}], r"impulse_responses\[0\]\.gain = 1: unknown key"),
    "not a list": (lambda folder: "0.wav", r"driver\[0\]\.impulse_responses = '0\.wav': must be a list"),
}


@pytest.mark.parametrize("name", WAVS)
def test_impulse_responses_that_cannot_be_used_are_refused_by_name(name, tmp_path):
    make, message = WAVS[name]
    row = table(impulse_responses=make(tmp_path))
    if message is None:
        assert parse_device(row, tmp_path).drivers[0].directivity is not None
        return
    with pytest.raises(ValueError, match=message) as error:
        parse_device(row, tmp_path)
    assert str(error.value).startswith("driver[0].impulse_responses")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (table(directivity_sofa="x.sofa"), r"driver\[0\]\.directivity_sofa: .*x\.sofa: no such file"),
        (table(directivity_sofa=3), r"driver\[0\]\.directivity_sofa = 3: must be a text"),
        (
            table(directivity_sofa="x", impulse_responses=[]),
            r"impulse_responses = \[\]: a driver with dir",
        ),
        (table(directivity_sofa="x", cap_half_angle_deg=10), "cap_half_angle_deg = 10: a driver with directivity_sofa"),
        (table(impulse_responses=[], azimuth_deg=10), "azimuth_deg = 10: impulse_responses tell positions"),
        (
            table() | {"listener": {"distance_m": 2.0, "head_sofa": "x.sofa"}},
            r"listener\.head_sofa: .*x\.sofa: no",
        ),
        (
            table() | {"listener": {"distance_m": 2.0, "head_sofa": "x.sofa", "head_radius_m": 0.09}},
            r"listener\.head_radius_m = 0\.09: a measured head \(head_sofa\) has its own",
        ),
    ],
)
def test_device_file_that_names_measurements_wrongly_is_refused(row, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        parse_device(row, tmp_path)


def test_measurements_are_sought_beside_the_device_file(tmp_path):
    speaker(tmp_path / "left.sofa")
    (tmp_path / "half.toml").write_text(
        """
        name = "Half"
        listener = { distance_m = 2.0 }
        [[driver]]
        name = "l"
        channel = "left"
        position_m = [0.0, 0.1, 0.0]
        directivity_sofa = "left.sofa"
        [[driver]]
        name = "r"
        channel = "right"
        position_m = [0.0, -0.1, 0.0]
        """
    )
    assert load_device(tmp_path / "half.toml").drivers[0].directivity is not None


def test_a_measurement_that_is_cut_off_is_refused(tmp_path):
    for channels, read in ((1, read_impulse), (2, _read_two_ears)):
        path = tmp_path / f"{channels}.wav"
        soundfile.write(path, np.ones((4800, channels)), 48_000)
        raw = path.read_bytes()
        path.write_bytes(raw[: len(raw) // 2])
        with pytest.raises(ValueError, match=r"wav: is cut off: 0\.05 s are there, and its header announces 0\.10 s"):
            read(path)
