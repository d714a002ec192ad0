"""`forestage measure` as a user starts it: what it writes, says and refuses."""

import re

import numpy as np
import pytest
import soundfile
from laboratory import LabDriver, Laboratory, Recorder, record_all

from command_line import run
from forestage import load_device
from forestage.acoustics.device_file import device_table
from forestage.measure.device_writer import device_toml
from forestage.measure.plan import load_plan
from measurements import ring_directions, sphere_head, write_sofa

LAB = Laboratory(
    [LabDriver((0.0, 0.14, 0.0)), LabDriver((0.0, -0.14, 0.0), gain_db=-3.0, second=0.2)],
    recorder=Recorder(drift_ppm=60.0, gain=0.05),
)


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    folder = tmp_path_factory.mktemp("desk")
    made = run("measure", "sweeps", "laptop", "-o", "sweeps", "--length", "0.5", "--places", "4", cwd=folder)
    assert made.returncode == 0, made.stderr
    record_all(folder / "sweeps", LAB)
    return folder


def test_sweeps_come_with_a_plan(desk):
    names = {path.name for path in (desk / "sweeps").iterdir()}
    assert names == {"laptop-all.wav", "laptop-left.wav", "laptop-right.wav", "plan.json", "plan.svg", "plan.txt"}
    text = (desk / "sweeps" / "plan.txt").read_text()
    assert "place  1:   50.0 cm ahead,   20.0 cm left,   0.0 cm up" in text
    assert "place  4:   50.0 cm ahead,   20.0 cm right" in text
    assert "Channels: 1 left, 2 right." in text
    assert "<svg" in (desk / "sweeps" / "plan.svg").read_text()


def test_folders_above_are_made(tmp_path):
    made = run("measure", "sweeps", "laptop", "-o", "new/ears/sweeps", "--ears", "--length", "0.5", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert (tmp_path / "new" / "ears" / "sweeps" / "plan.json").is_file()
    (tmp_path / "file").write_text("")
    refused = run("measure", "sweeps", "laptop", "-o", "file/sweeps", cwd=tmp_path)
    assert refused.returncode == 1
    assert "file exists already, and is a file" in refused.stderr


@pytest.mark.slow
def test_take_writes_a_device_and_a_page(desk):
    result = run("measure", "take", "recordings", "-o", "laptop", cwd=desk)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert "laptop: limited: drivers are 3.0 dB apart (left +1.5 dB, right -1.5 dB)" in result.stdout
    assert result.stdout.endswith("next: forestage design laptop/device.toml -o my-preset.json\n")
    device = load_device(desk / "laptop" / "device.toml")
    assert [driver.level_db for driver in device.drivers] == pytest.approx([1.5, -1.5], abs=0.1)
    assert all(driver.directivity is not None and driver.response_db for driver in device.drivers)
    page = (desk / "laptop" / "report.html").read_text()
    assert page.count("<svg") == 4
    assert not re.search(r'(src|href)="?https?:', page)
    assert "right distorts by up to" in page
    again = run("measure", "take", "recordings", "-o", "laptop", cwd=desk)
    assert again.returncode == 1
    assert "laptop holds files already; say --overwrite" in again.stderr
    assert run("measure", "take", "recordings", "-o", "laptop", "--overwrite", cwd=desk).returncode == 0


def test_nothing_is_written_half(desk):
    recording = desk / "recordings" / "place-2.wav"
    kept = recording.read_bytes()
    before = sorted(desk.iterdir())
    soundfile.write(recording, np.zeros(480_000), 48_000)
    result = run("measure", "take", "recordings", "-o", "other", cwd=desk)
    recording.write_bytes(kept)
    assert result.returncode == 1
    assert "place-2.wav: is silent" in result.stderr
    assert sorted(desk.iterdir()) == before


@pytest.mark.slow
def test_a_measured_head_and_ears_of_before(tmp_path):
    """The head's file goes along from device to sweeps to the measured device; ears of before are measured anew."""
    write_sofa(tmp_path / "me.sofa", sphere_head(ring_directions(5.0)))
    rows = [{"file": f"{name}.wav", "driver": name, "position_m": [0.5, 0.0, 0.0]} for name in ("left", "right")]
    for index, row in enumerate(rows):
        impulse = np.zeros((256, 2))
        impulse[40 + index] = 1.0
        soundfile.write(tmp_path / row["file"], impulse, 48_000)
    table = device_table(load_device("laptop"))
    table["listener"] = {"distance_m": 0.5, "head_sofa": "me.sofa", "ear_responses": rows}
    (tmp_path / "own.toml").write_text(device_toml(table))
    assert load_device(tmp_path / "own.toml").listener.ears is not None
    made = run("measure", "sweeps", "own.toml", "-o", "sweeps", "--length", "0.5", "--places", "4", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    listener = load_plan(tmp_path / "sweeps" / "plan.json").device.listener
    assert listener.head.file == "me.sofa"
    assert listener.ears is None
    record_all(tmp_path / "sweeps", LAB)
    taken = run("measure", "take", "recordings", "-o", "laptop", cwd=tmp_path)
    assert taken.returncode == 0, taken.stderr
    assert load_device(tmp_path / "laptop" / "device.toml").listener.head.file == "me.sofa"


def test_drivers_on_a_body_are_measured_as_points(tmp_path):
    assert run("measure", "sweeps", "smart-speaker", "-o", "sweeps", "--length", "0.5", cwd=tmp_path).returncode == 0
    plan = load_plan(tmp_path / "sweeps" / "plan.json")
    assert [driver.position_m for driver in plan.drivers] == [(0.0, 0.09, 0.0), (0.0, -0.09, 0.0), (0.09, 0.0, 0.0)]
    assert soundfile.info(tmp_path / "sweeps" / "smart-speaker-center.wav").channels == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["headphones"], "Headphones: headphones have no place for a microphone"),
        (["laptop", "--sample-rate", "12345"], "sample_rate = 12345: must be one of 44100, 48000"),
        (["laptop", "--repeats", "1"], "repeats = 1: must be within 2..20"),
        (["laptop", "--level", "3"], "level_db = 3.0: must be within -60..0"),
        (["laptop", "--places", "3"], "places = 3: must be within 4..41"),
        (["nowhere.toml"], "no device 'nowhere.toml'"),
    ],
)
def test_sweeps_that_cannot_be_are_refused(tmp_path, options, message):
    result = run("measure", "sweeps", *options, "-o", "sweeps", cwd=tmp_path)
    assert result.returncode == 1
    assert message in result.stderr
    assert not list(tmp_path.iterdir())
