"""README and all pages of docs do what they say, from top to bottom, in a folder with only what a user brings."""

import os
import re
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import soundfile
from laboratory import LabDriver, Laboratory, Recorder, record_all

from command_line import mind_interrupts
from headphone_eqs import AUTO_EQ
from places import ROOT
from signals import noise

PAGES = ["README.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$|^((?: {4}\S[^\n]*\n)+)", re.DOTALL | re.MULTILINE)
SETS_UP = ("./run ", "python3 -m venv", "pip install", "systemctl ")  # what made the environment that this runs in
SPACING = 'device = "laptop"\n[[vary]]\nname = "design.width_deg"\nvalues = [20, 30]\n'
SERVES = re.compile(r"forestage audition (?!results|merge)(?!.*--(no-serve|static|webmushra))")


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """Folder of a user, with a song, an equaliser from AutoEq, a chain of effects, a sweep, and somebody's ears."""
    soundfile.write(tmp_path / "song.flac", noise(frames=48_000).T, 48_000)
    (tmp_path / "songs").mkdir()
    soundfile.write(tmp_path / "songs" / "one.flac", noise(frames=48_000, seed=1).T, 48_000)
    (tmp_path / "HD 650 ParametricEQ.txt").write_text(AUTO_EQ)
    (tmp_path / "chain.toml").write_text('[[before]]\neffect = "Limiter"\n')
    (tmp_path / "spacing.toml").write_text(
        'device = "laptop"\n[[vary]]\nname = "design.width_deg"\nvalues = [20, 30]\n'
    )
    found = next(Path("/usr/share").rglob("hrirs_kemar.wav"), None)
    if found is not None:
        (tmp_path / "hrirs_kemar.wav").symlink_to(found)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


def run(words):
    result = subprocess.run(words, capture_output=True, text=True, check=False, timeout=300)
    assert result.returncode == 0, f"{words[-1]}\n{result.stdout}{result.stderr}"


def serve(line):
    """Start what serves a page, and end it as a user does when it has said where."""
    command = ["bash", "-c", f"exec {line}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=mind_interrupts) as process:
        said = next((told for told in process.stdout if told.startswith("Open http://127.0.0.1:")), None)
        process.send_signal(signal.SIGINT)
    assert (said is not None, process.returncode) == (True, 0), line


LAB = Laboratory(
    [LabDriver((0.0, 0.14, 0.0)), LabDriver((0.0, -0.14, 0.0), gain_db=-2.0, late_s=1e-4)],
    walls=[(2, -0.9, 0.6)],
    recorder=Recorder(drift_ppm=80.0),
)


def answer(command):
    """What a user does after a command of docs/measure.md: sweeps are played, and recorded."""
    if not (target := re.search(r"forestage measure (sweeps|through) .*-o (\S+)", command)):
        return
    folder = Path(target[2])
    if target[1] == "sweeps":
        record_all(folder, LAB, is_ears="--ears" in command)
        return
    audio, rate = soundfile.read(folder / "check.wav")
    Path("proof").mkdir()
    (sound,) = LAB.record(audio.T, rate, [(0.5, 0.0, 0.0)], is_ears=True)
    soundfile.write("proof/place-1.wav", sound.T, rate, subtype="PCM_24")


def play(language, text):
    """One block of a page: a file to save, a fragment of one, a script, or commands."""
    first = text.partition("\n")[0]
    if language == "toml":
        assert tomllib.loads(text)
        assert re.fullmatch(r"# (Fragment|[\w-]+\.toml)", first), f"neither a file nor marked as a fragment: {first}"
        if first != "# Fragment":
            Path(first[2:]).write_text(text)
    elif language == "python":
        if not first.startswith("# Fragment"):
            Path("example.py").write_text(text)  # as users have it: processes that it spawns import it
            run([sys.executable, "-W", "error", "example.py"])
    elif language is None:
        for line in text.splitlines():
            if SERVES.match(line.strip()):
                serve(line.strip())
            elif not line.strip().startswith(SETS_UP):
                if "ears/" in line:
                    Path("ears").mkdir(exist_ok=True)
                run(["bash", "-c", line.strip()])
                answer(line)
    elif language == "text":
        pass  # what a command said
    else:
        raise AssertionError(f"a block of {language}, which nothing here tries")


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_a_page_does_what_it_says(desk, page):
    for block in BLOCK.finditer((ROOT / page).read_text()):
        play(block[1], block[2] or block[3])


def test_pages_link_to_what_is_there():
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#:]+)\)", (ROOT / page).read_text()):
            assert ((ROOT / page).parent / link).exists(), f"{page}: {link}"
