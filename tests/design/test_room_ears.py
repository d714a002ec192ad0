"""Do the headphones monitors play a room? Its responses in a preset: in time, in level, and equally loud."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.signal import fftconvolve

import forestage
from command_line import run
from forestage.acoustics.device_file import load_device
from forestage.acoustics.device_in_room import DeviceInRoom, Rendering, usual_position_m
from forestage.acoustics.head import Head
from forestage.acoustics.seat import Listener
from forestage.acoustics.shoebox import ROOMS, Room, named_room
from forestage.cli import cli
from forestage.design.ears import DELAY_FRAMES, ear_firs, room_ear_firs
from forestage.design.preset_device import preset_device
from forestage.design.room_preset import room_preset
from forestage.firs import decode_fir
from forestage.metrics.level import loud_programme
from forestage.metrics.loudness import loudness_lufs, programme
from forestage.presets import preset_path
from places import DEVICES
from signals import noise

SPEAKER = load_device(DEVICES / "smart-speaker.toml")
SHORT = Rendering(length_s=0.08, highest_hz=2000.0)


def scene(device=SPEAKER, room=ROOMS["living-room"]):
    return DeviceInRoom(device, room, usual_position_m(room))


@pytest.fixture(scope="module")
def preset():
    return json.loads(preset_path("smart-speaker").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def in_room(preset):
    return room_preset(preset, "kitchen", seat_m=(1.5, 0.2, 0.0), yaw_deg=10.0, rendering=SHORT)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["smart-speaker", "five-driver-speaker"])
def test_room_without_reflections_is_the_free_field(name):
    """-40 dB: the room's responses are longer, and their band ends earlier; with drivers to equalise, too."""
    device = load_device(DEVICES / f"{name}.toml")
    open_air = scene(device, Room("Anechoic", (8.0, 8.0, 3.0), 1.0))
    ours, free = room_ear_firs(open_air, device.listener.seat, rendering=SHORT), ear_firs(device)
    assert ours.delay_frames == free.delay_frames
    frequency = np.geomspace(200.0, 12_000.0, 100)
    for a, b in ((ours.device, free.device), (ours.reference, free.reference)):
        spectra = [x @ np.exp(-2j * np.pi * np.outer(np.arange(x.shape[-1]), frequency) / 48_000) for x in (a, b)]
        assert 10 * np.log10(np.sum(np.abs(spectra[0] - spectra[1]) ** 2) / np.sum(np.abs(spectra[1]) ** 2)) <= -40


@pytest.mark.slow
def test_plain_right_arrives_at_the_right_ear_when_it_is_said_to_on_a_head_that_is_turned_to_its_left():
    firs = room_ear_firs(scene(), replace(SPEAKER.listener.seat, yaw_deg=30.0), rendering=SHORT)
    assert firs.device.shape == (2, 3, round(0.08 * 48_000))
    before_reflections = slice(0, 100)
    assert np.argmax(np.abs(firs.device[1, SPEAKER.index("right"), before_reflections])) == firs.delay_frames
    assert np.argmax(np.abs(firs.reference[1, 1, before_reflections])) == firs.delay_frames


@pytest.mark.slow
def test_room_rings_on_after_the_direct_sound():
    firs = room_ear_firs(scene(), SPEAKER.listener.seat, rendering=SHORT).device[0, 0]
    late = np.sum(firs[DELAY_FRAMES + 480 :] ** 2)
    assert late > 0.2 * np.sum(firs**2)


@pytest.mark.slow
@pytest.mark.parametrize("room", ROOMS)
def test_room_lets_infrasound_out_and_keeps_the_bass(room):
    """Sealed mirror walls would carry 24 dB more at 2 Hz than in the middle, which guards and headphones would pay."""
    here = scene(room=ROOMS[room])
    heard = here.ears(here.device.listener.seat, Rendering(highest_hz=1000.0))[0, 0]
    power, frequency = np.abs(np.fft.rfft(heard, 48_000)) ** 2, np.fft.rfftfreq(48_000, 1 / 48_000)

    def level_db(low_hz, high_hz):
        return 10 * np.log10(np.mean(power[(frequency >= low_hz) & (frequency <= high_hz)]))

    middle_db = level_db(50.0, 500.0)
    assert max(level_db(low, 2 * low) for low in (1.0, 2.0, 4.0, 8.0)) <= middle_db + 8.0
    assert min(level_db(low, 2 * low) for low in (16.0, 32.0, 64.0)) >= middle_db - 6.0


def test_room_preset_says_where_it_plays(in_room, preset):
    assert in_room["design"]["room"] | {"head": None} == {
        "room": "kitchen",
        "position_m": list(usual_position_m(ROOMS["kitchen"])),
        "azimuth_deg": 0.0,
        "seat_m": [1.5, 0.2, 0.0],
        "yaw_deg": 10.0,
        "head": None,
    }
    assert in_room["room"]["name"] == "Kitchen"
    for key in ("name", "filters", "ears", "loudness", "analysis", "maps"):
        assert in_room[key] == preset[key]


@pytest.mark.slow
def test_engine_plays_the_responses_of_the_room(in_room):
    """Plain stereo at the ears is the convolution with the left and the right driver's responses; -80 dB for float."""
    x = noise(frames=9600)
    renderer = forestage.Renderer(
        in_room, monitor="Headphones Plain", room="On", level_match=False, safe_headroom="Off"
    )
    late = renderer.latency_frames
    played = renderer.process(np.pad(x, ((0, 0), (0, late))))[:, late:]
    left, right = (np.stack([decode_fir(row[index]) for row in in_room["room"]["ears"]["device"]]) for index in (0, 1))
    ahead = in_room["room"]["ears"]["delay_frames"]
    expected = np.stack([fftconvolve(x[0], left[ear]) + fftconvolve(x[1], right[ear]) for ear in (0, 1)])
    expected = expected[:, ahead : ahead + x.shape[1]]
    gain = np.sum(played * expected) / np.sum(expected**2)
    assert 10 * np.log10(np.sum((played - gain * expected) ** 2) / np.sum(played**2)) <= -80


@pytest.mark.slow
def test_monitors_of_a_room_are_equally_loud(in_room):
    audio = programme()
    levels = [
        loudness_lufs(
            forestage.Renderer(in_room, monitor=monitor, room=room, safe_headroom="Off").process(audio),
            sample_rate=48_000,
        )
        for monitor in ("Headphones Plain", "Headphones Reference")
        for room in ("Off", "On")
    ]
    np.testing.assert_allclose(levels, loudness_lufs(audio, sample_rate=48_000), atol=0.1)


@pytest.mark.slow
def test_design_in_a_room_is_as_loud_as_plain_stereo_there(in_room):
    """In the middle of loud programme, some of which is louder and some softer."""
    over = [
        np.subtract(
            *(
                loudness_lufs(
                    forestage.Renderer(in_room, monitor=monitor, room="On", safe_headroom="Off").process(audio),
                    sample_rate=48_000,
                )
                for monitor in ("Headphones", "Headphones Plain")
            )
        )
        for audio in loud_programme()
    ]
    assert max(over) == pytest.approx(-min(over), abs=0.02)


# Bad input


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"room": "bathroom"}, "room = 'bathroom': must be a Room, or one of living-room, lively-living-room, kitchen"),
        ({"seat_m": (-1.0, 0.0, 0.0)}, "seat.position_m = .*behind the device"),
        ({"seat_m": (9.0, 0.0, 0.0)}, "seat.position_m = .*would not be inside"),
        ({"position_m": (0.45, 9.0, 1.0)}, "position_m = .*outside the room"),
        ({"seat_m": (3.5, 0.0, 0.0), "room": "kitchen"}, r"reference pair at \+-30 degrees"),
        ({"rendering": replace(SHORT, length_s=0.004)}, "length_s = 0.004: must be above 0.00"),
        ({"rendering": replace(SHORT, length_s=2.5)}, "length_s = 2.5: must be at most 2, which a preset holds"),
        ({"rendering": replace(SHORT, sample_rate=44_100)}, "rendering.sample_rate = 44100: must be 48000"),
    ],
)
def test_mistakes_are_named(preset, change, words):
    with pytest.raises(ValueError, match=words):
        room_preset(preset, **({"room": "living-room", "rendering": SHORT} | change))


def test_preset_that_does_not_know_its_device_is_refused(preset):
    with pytest.raises(ValueError, match=r"design.device: missing"):
        room_preset({key: value for key, value in preset.items() if key != "design"}, "kitchen")


@pytest.mark.slow
def test_command_writes_a_preset(tmp_path):
    target = tmp_path / "laptop-kitchen.json"
    result = run("ears", "laptop", "--room", "kitchen", "--seat", "0.6,0.1", "--length", "0.1", "-o", target)
    assert result.returncode == 0, result.stderr
    written = json.loads(target.read_text())
    assert len(decode_fir(written["room"]["ears"]["device"][0][0])) == 4800
    assert written["design"]["room"]["seat_m"] == [0.6, 0.1, 0.0]
    assert forestage.load_preset(target).room == "Kitchen"


@pytest.mark.slow
def test_command_designs_for_a_device_file_and_names_the_room(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(cli, ["ears", str(DEVICES / "laptop.toml"), "--length", "0.1"])
    assert result.exit_code == 0, result.output
    assert forestage.load_preset(tmp_path / "laptop-living-room.json").room == "Dry living room"


@pytest.mark.slow
def test_command_says_what_is_wrong_with_a_preset(tmp_path):
    (tmp_path / "broken.json").write_text("{")
    result = run("ears", tmp_path / "broken.json", "-o", tmp_path / "x.json")
    assert result.returncode == 1
    assert "broken.json: not JSON" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(("--seat", "near"), "2.0,0.3 would be right"), (("--place", "1,2"), "0.45,1.9,1.0 would be right")],
)
def test_command_says_what_would_be_right(tmp_path, arguments, words):
    result = run("ears", "laptop", *arguments, "-o", tmp_path / "x.json")
    assert result.returncode == 2
    assert words in result.stderr


@pytest.mark.slow
def test_head_that_is_given_takes_the_place_of_a_file_that_is_gone(preset):
    device = dict(preset["design"]["device"]) | {"listener": {"distance_m": 0.9, "head_sofa": "gone.sofa"}}
    away = dict(preset) | {"design": {"device": device}}
    assert preset_device(away, head=Head(0.09)).listener == Listener(0.9, Head(0.09))


@pytest.mark.slow
def test_error_says_which_file_is_missing_and_where_it_was_looked_for(preset, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    device = dict(preset["design"]["device"]) | {"listener": {"distance_m": 0.9, "head_sofa": "gone.sofa"}}
    with pytest.raises(ValueError, match="gone.sofa; looked in .*elsewhere and in .*" + tmp_path.name):
        preset_device({"design": {"device": device}}, folder=tmp_path / "elsewhere")


@pytest.mark.parametrize("name", ["lively-living-room", "Lively Living Room", "LIVELY_LIVING_ROOM"])
def test_rooms_are_found_by_any_spelling_of_their_name(name):
    room = ROOMS["lively-living-room"]
    assert named_room(name) is named_room(room) is room
    place = usual_position_m(room)
    assert DeviceInRoom(SPEAKER, name, place).room is room


@pytest.mark.parametrize("room", ["hall", 3, None])
def test_a_room_that_is_none_is_refused_everywhere(room, preset):
    words = re.escape(f"room = {room!r}: must be a Room, or one of living-room, lively-living-room, kitchen")
    with pytest.raises(ValueError, match=words):
        named_room(room)
    with pytest.raises(ValueError, match=words):
        DeviceInRoom(SPEAKER, room, (0.5, 1.5, 1.0))
    with pytest.raises(ValueError, match=words):
        room_preset(preset, room)


@pytest.mark.slow
@pytest.mark.parametrize(("room", "key"), [(Room("My Den", (4.0, 3.5, 2.5), 0.3), "My Den"), ("Kitchen", "kitchen")])
def test_presets_take_rooms_as_devices_do(room, key, preset):
    result = room_preset(preset, room, rendering=SHORT, render=lambda _preset, audio, _monitor: audio)
    assert result["design"]["room"]["room"] == key
    assert result["room"]["name"] == named_room(room).name
