"""The demo: its files, and that the page says what the files and the core say."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pyloudnorm
import pytest
import soundfile
from click.testing import CliRunner

import forestage
from browser import CUT_ON_A_TELEPHONE, WIDER_THAN_ITS_PLACE, evaluate, needs_browser
from designs import designed
from forestage import plots
from forestage.audio_file import read_stereo
from forestage.catalogue import EXCERPT
from forestage.demo import make_demo
from forestage.demo.__main__ import cli
from forestage.demo.content import Demo, Track
from forestage.demo.measure import FREQUENCY_HZ, measure_design
from forestage.demo.page import decibels, render
from forestage.demo.sound import Levels, true_peak_dbfs
from forestage.presets import save_preset
from kinds import MONITORS
from make_preset import with_room

SECONDS = 2.0


class Links(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found = set()
        self.feed(text)

    def handle_starttag(self, _tag, attributes):
        self.found |= {value for name, value in attributes if name in ("src", "href")} - {"#files"}
        self.found |= {f"sounds/{value}.js" for name, value in attributes if name == "data-sound"}


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    path = tmp_path_factory.mktemp("music") / "two seconds.flac"
    audio, sample_rate = read_stereo(EXCERPT)
    start = 6 * sample_rate
    soundfile.write(path, audio[:, start : start + round(SECONDS * sample_rate)].T, sample_rate)
    return path


@pytest.fixture(scope="module")
def demo(music, tmp_path_factory):
    """With the designs that other tests look at."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("forestage.demo.make.design", lambda device, progress: designed(device.slug))
        return make_demo(music, tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="module")
def text(demo):
    return demo.page.read_text(encoding="utf-8")


@pytest.mark.slow
def test_page_refers_only_to_files_that_exist(demo, text):
    links = Links(text).found
    sounds = {link for link in links if link.endswith(".wav")}
    assert len(sounds) == 1 + 6 + 2 * (4 + 3)
    for link in links:
        assert (demo.page.parent / link).is_file(), link
    assert not list(demo.page.parent.glob("tmp*")), "the files of floats were taken away"


@pytest.mark.slow
def test_page_needs_no_network(text):
    addresses = set(re.findall(r"https?://[^\"'\s<>)]+", text))
    assert all(address.startswith("http://www.w3.org/") for address in addresses), addresses


@pytest.mark.slow
def test_files_have_sound_and_the_length_of_the_music(demo):
    for device in demo.devices:
        drivers = len(device.design.device.drivers)
        for track in (*device.tracks.values(), *device.room_tracks.values()):
            audio, sample_rate = soundfile.read(track.path, always_2d=True)
            assert sample_rate == demo.sample_rate
            assert audio.shape == (round(SECONDS * sample_rate), drivers if track.monitor == "Speakers" else 2)
            assert (np.sqrt(np.mean(audio**2, axis=0)) > 1e-4).all(), "every channel plays"
            assert np.abs(audio).max() < 1.0


@pytest.mark.slow
def test_paths_of_the_upmix_add_up_to_the_music(demo, music):
    audio, sample_rate = read_stereo(music)
    tracks = [soundfile.read(demo.paths[name].path)[0].T for name in ("Left", "Center", "Right")]
    gain = 10 ** (demo.original.gain_db / 20)
    assert np.abs(sum(tracks) - gain * audio).max() <= 3 / 2**23  # each file is rounded to 24 bits
    others = {
        "Center, Low Latency": forestage.upmix(audio, sample_rate=sample_rate, quality="Low Latency")[2],
        "Center, Magnitude Difference": forestage.upmix(
            audio, sample_rate=sample_rate, gain_rule="magnitude_difference"
        )[2],
        "Mid": audio.mean(axis=0),
    }
    for name, center in others.items():
        np.testing.assert_allclose(soundfile.read(demo.paths[name].path)[0], gain * center[:, None] * [1, 1], atol=2e-7)


def heard(demo):
    """All that the page's players switch between, by place and version."""
    tracks = {"original": demo.original}
    for device in demo.devices:
        for place in (device.tracks, device.room_tracks):
            tracks |= {track.path.stem: track for track in place.values() if track.monitor != "Speakers"}
    return tracks


@pytest.mark.slow
def test_versions_are_equally_loud_on_this_very_music_and_none_clips(demo):
    loudness = {}
    for name, track in heard(demo).items():
        audio, sample_rate = soundfile.read(track.path)
        loudness[name] = pyloudnorm.Meter(sample_rate).integrated_loudness(audio)
        assert true_peak_dbfs(track.path) <= -0.99, name
    assert len(loudness) == 1 + 2 * 6
    assert max(loudness.values()) - min(loudness.values()) <= 0.1, loudness


@pytest.mark.slow
def test_gains_are_on_the_page(demo, text):
    for track in heard(demo).values():
        row = re.search(rf'<a href="{track.path.name}" download>.*?</tr>', text, re.DOTALL)[0]
        assert f">{decibels(track.gain_db, 2)}</td>" in row
    assert all(device.tracks["Speakers"].gain_db == 0.0 for device in demo.devices)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("monitor", "in_room"), [(monitor, False) for monitor in MONITORS] + [(monitor, True) for monitor in MONITORS[1:]]
)
def test_files_are_what_the_core_plays_aligned_with_the_music(demo, music, monitor, in_room):
    audio, sample_rate = read_stereo(music)
    for device in demo.devices:
        renderer = forestage.Renderer(device.preset, sample_rate=sample_rate, monitor=monitor, room=in_room)
        late = renderer.latency_frames
        wanted = renderer.process(np.concatenate([audio, np.zeros((2, late), np.float32)], axis=1))[:, late:]
        tracks = device.room_tracks if in_room else device.tracks
        wanted = wanted * 10 ** (tracks[monitor].gain_db / 20)
        played = soundfile.read(tracks[monitor].path, always_2d=True)[0].T
        # 24 bits round to 2^-24, which is -144 dB
        assert 20 * np.log10(np.abs(played - wanted).max()) <= -120.0


@pytest.mark.slow
def test_levels_on_the_page_are_those_of_the_files(demo, text):
    for device in demo.devices:
        for track in (*device.tracks.values(), *device.room_tracks.values()):
            audio, sample_rate = soundfile.read(track.path, always_2d=True)
            row = re.search(rf'<a href="{track.path.name}" download>.*?</tr>', text, re.DOTALL)[0]
            for peak in np.abs(audio).max(axis=0):
                assert decibels(20 * np.log10(peak)) in row
            if track.monitor != "Speakers":
                loudness = pyloudnorm.Meter(sample_rate).integrated_loudness(audio)
                assert f">{decibels(loudness)}</td>" in row


# Everything is scheduled while an offline context stands still, as it is by the page while the sound goes on
SWITCHES = """
const context = new OfflineAudioContext(1, 48000, 48000);
const buffers = [0, 1, 2].map(index => {
  const buffer = new AudioBuffer({length: 48000, sampleRate: 48000});
  buffer.copyToChannel(Float32Array.from({length: 48000}, (_, frame) => frame / 48000 + index), 0);
  return buffer;
});
const versions = new Versions(context, buffers);
versions.start(0.25, 0);
versions.hear(0, 0);
for (const [time, index] of [[0.1, 1], [0.2, 2], [0.208, 0], [0.3, 1]])
  context.suspend(time).then(() => { versions.hear(index, context.currentTime + LEAD_S); context.resume(); });
context.suspend(0.5).then(() => { versions.stop(context.currentTime); context.resume(); });
return [...(await context.startRendering()).getChannelData(0)];
"""


@pytest.mark.slow
@needs_browser
def test_player_fades_from_version_to_version_in_time_and_without_a_gap(demo, tmp_path):
    played = np.array(evaluate(demo.page, SWITCHES, folder=tmp_path))
    time_s = np.arange(48_000) / 48_000
    quantum_s = 128 / 48_000
    version = played - (time_s + 0.25)  # which of 0, 1 and 2 is heard, where the gains add up to 1
    is_whole = (time_s > 0.021) & (time_s < 0.5)
    assert (np.abs(np.diff(version[is_whole])) <= 2 / 960 * 1.02).all(), "no step: at most two versions in 20 ms"
    for start_s, end_s, heard_index in ((0.021, 0.119, 0), (0.143, 0.219, 1), (0.252, 0.319, 0), (0.343, 0.5, 1)):
        inside = (time_s > start_s) & (time_s < end_s)
        np.testing.assert_allclose(version[inside], heard_index, atol=1e-5)
    # a line of 20 ms from version 0 to 1, from 20 ms after the switch, which a browser rounds to its blocks
    start_s = time_s[np.argmax(is_whole & (version > 0.5))] - 0.01
    assert 0.12 <= start_s <= 0.12 + quantum_s
    fade = (time_s > start_s + 0.001) & (time_s < start_s + 0.019)
    np.testing.assert_allclose(version[fade], (time_s[fade] - start_s) / 0.02, atol=2e-3)
    assert np.abs(played[time_s > 0.5 + 0.02 + quantum_s]).max() == 0.0


@pytest.mark.slow
@needs_browser
def test_player_has_the_very_samples_of_the_files(demo, tmp_path):
    script = """
    const context = new OfflineAudioContext(2, 8, Number(document.body.dataset.sampleRate));
    const found = {};
    for (const name of new Set(players.flatMap(player => player.versions.map(version => version.dataset.sound)))) {
      const buffer = await load(context, name);
      found[name] = [0, 1].map(channel => [...buffer.getChannelData(channel).filter((_, frame) => frame % 997 === 0)]);
    }
    return found;"""
    found = evaluate(demo.page, script, folder=tmp_path)
    tracks = heard(demo) | {track.path.stem: track for track in demo.paths.values()}
    assert found.keys() == {*tracks}
    for name, samples in found.items():
        audio = soundfile.read(tracks[name].path)[0]
        np.testing.assert_allclose(np.array(samples).T, audio[::997], atol=2e-7)


@pytest.mark.slow
@needs_browser
def test_player_plays_at_a_press_and_switches_by_keys_and_buttons(demo, tmp_path):
    script = """
    const press = (key, target = document.body) =>
      target.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
    const pressed = player => player.buttons.map(button => button.getAttribute("aria-pressed")).indexOf("true");
    const seen = [pressed(players[0])];
    press("2");
    seen.push(pressed(players[0]));
    players[1].buttons[3].click();
    press("1");
    press("7");
    seen.push(pressed(players[0]), pressed(players[1]), players[1].isPlaying);
    press(" ");
    seen.push(players[1].isPlaying);
    for (let tries = 0; tries < 100 && !players[1].running; ++tries) await new Promise(done => setTimeout(done, 50));
    seen.push(players[1].running.sources.length, players[1].playButton.textContent);
    press(" ", players[1].buttons[0]);
    seen.push(players[1].isPlaying);
    players[0].playButton.click();
    seen.push(players[0].isPlaying, players[1].isPlaying, players[1].running);
    players[0].toggle();
    seen.push(players[0].isPlaying);
    return seen;"""
    wanted = [2, 1, 1, 0, False, True, 4, "Pause", True, True, False, None, False]
    assert evaluate(demo.page, script, folder=tmp_path) == wanted


@pytest.mark.slow
@needs_browser
def test_nothing_is_cut_on_a_telephone(demo, tmp_path):
    page = demo.page.with_name("with-licence.html")
    page.write_text(render(replace(demo, source=EXCERPT)), encoding="utf-8")
    assert evaluate(page, CUT_ON_A_TELEPHONE, folder=tmp_path, size=(390, 900)) == [0, 390, []]
    page.unlink()


@pytest.mark.slow
@needs_browser
@pytest.mark.parametrize("width", [1200, 1000, 800])
def test_tables_fit_their_places(demo, tmp_path, width):
    assert evaluate(demo.page, WIDER_THAN_ITS_PLACE, folder=tmp_path, size=(width, 900)) == [0, []]


@pytest.mark.slow
def test_a_channel_without_sound_is_silent(text):
    left = text[text.index(">upmix-left.wav<") :]
    assert re.search(r"−[0-9.]+ · silent</td>", left[: left.index("</tr>")])
    assert "−200.0" not in text


@pytest.mark.slow
def test_every_figure_is_said_in_words_and_numbers(text):
    assert text.count('class="figure"') == 3 + 7
    said = re.findall(r'class="figure" role="img" aria-label="([^"]*)"', text)
    assert len(said) == len(re.findall("<summary>As a table", text)) == 3 + 7
    assert all(re.search(r": .* from −?[\d.]+ to −?[\d.]+ dB", words) for words in said)


@pytest.mark.slow
def test_table_of_a_figure_has_its_values(demo, text):
    for device in demo.devices:
        at = text.index(f'<h2 id="{device.preset.stem}">')
        row = re.search(r"<tr><td>1k</td><td>(.*?)</td><td>(.*?)</td><td>(.*?)</td></tr>", text[at:])
        curves = (device.facts.separation[name] for name in ("plain", "processed", "target"))
        assert row.groups() == tuple(decibels(np.interp(1000.0, FREQUENCY_HZ, curve)) for curve in curves)


@pytest.mark.slow
def test_devices_are_shown_from_above(demo, text):
    for device in demo.devices:
        assert f"{device.design.name} from above</title>" in text
        assert f"{len(device.design.device.drivers)} drivers, from the middle of the device" in text


@pytest.mark.slow
def test_separation_on_the_page_is_that_of_the_preset(demo, text):
    for device in demo.devices:
        seen = device.design.simulate(frequency_hz=np.geomspace(1000 / 2**0.5, 1000 * 2**0.5, 50))
        ears = np.abs(seen.processed[0])
        separation_db = np.mean(20 * np.log10([ears[0, 0] / ears[1, 0], ears[1, 1] / ears[0, 1]]))
        said = float(re.search(rf'id="{device.preset.stem}".*?<b>([\d.]+) dB</b> separation', text, re.DOTALL)[1])
        # the page measures at other frequencies within the octave, and rounds to 0.1 dB
        assert said == pytest.approx(separation_db, abs=0.2)


@pytest.mark.slow
def test_reported_latency_is_where_plain_stereo_comes_out(demo):
    for device in demo.devices:
        assert device.facts.arrival_frames == device.facts.latency_frames


@pytest.mark.slow
def test_beam_is_ahead_of_the_plain_mix_in_its_band(demo):
    beam = next(device.facts.beam for device in demo.devices if device.facts.beam is not None)
    assert beam.in_band(beam.beam_on_off_db).mean() > beam.in_band(beam.plain_on_off_db).mean()


@pytest.mark.slow
def test_facts_of_a_device_are_those_of_its_preset(tmp_path):
    preset = with_room("laptop", duration_s=0.2)
    facts = measure_design(save_preset(preset, tmp_path / "laptop.json"), designed("laptop"))
    curve = next(curve for curve in preset["analysis"] if curve["name"] == "separation_processed")
    expected = np.interp(np.log(FREQUENCY_HZ), np.log(curve["frequency_hz"]), curve["values"])
    judged = (FREQUENCY_HZ > 300.0) & (FREQUENCY_HZ < 4000.0)
    np.testing.assert_allclose(facts.separation["processed"][judged], expected[judged], atol=0.5)
    assert facts.latency_frames == facts.arrival_frames
    assert facts.beam is None


def test_the_page_says_which_music_and_room_it_has(tmp_path):
    original = Track(tmp_path / "original.wav", "", Levels(-20.0, (-3.0, -3.0), -1.0))
    demo = Demo(tmp_path / "index.html", EXCERPT, 48_000, 2.0, 10.0, original, {}, ())
    assert demo.is_excerpt
    assert demo.room == "Dry living room"
    assert not replace(demo, source=tmp_path / "song.wav").is_excerpt


def test_true_peak_of_a_sine_between_its_samples(tmp_path):
    frames = np.arange(48_000)
    fade = np.minimum(1.0, np.minimum(frames, frames[::-1]) / 4800)
    sine = 0.5 * fade * np.sin(np.pi / 2 * frames + np.pi / 4)  # its samples stay 3 dB below its peak
    soundfile.write(tmp_path / "sine.wav", sine, 48_000, subtype="FLOAT")
    assert true_peak_dbfs(tmp_path / "sine.wav") == pytest.approx(20 * np.log10(0.5), abs=0.1)


def test_excerpt_is_short_small_and_licensed():
    audio, sample_rate = read_stereo(EXCERPT)
    assert 15 <= audio.shape[1] / sample_rate <= 20
    assert np.abs(audio).max() < 1.0
    assert EXCERPT.stat().st_size < 1.5e6
    assert "Permission is hereby granted" in (EXCERPT.parent / "excerpt-licence.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("shape", "value", "message"),
    [((4800, 6), 0.1, "6 channels"), ((4800, 2), np.nan, "NaN"), ((0, 2), 0.1, "no sound")],
)
def test_music_that_cannot_be_played_is_an_error_that_names_it(tmp_path, shape, value, message):
    path = tmp_path / "music.wav"
    soundfile.write(path, np.full(shape, value), 48_000, subtype="FLOAT")
    with pytest.raises(ValueError, match=rf"music\.wav.*{message}"):
        make_demo(path, tmp_path / "demo")
    assert not (tmp_path / "demo").exists()


def test_command_names_a_missing_file_and_has_help(tmp_path):
    missing = CliRunner().invoke(cli, [str(tmp_path / "missing.wav")])
    assert missing.exit_code == 2
    assert "missing.wav" in missing.output
    assert "--output" in CliRunner().invoke(cli, ["--help"]).output


def test_plots_return_the_axes_they_were_given():
    hz = np.geomspace(100, 10_000, 20)
    first = plots.lines(hz, {"flat": np.zeros(20)}, ylabel="gain (dB)")
    assert plots.separation(hz, plain_db=hz * 0, processed_db=hz * 0, target_db=hz * 0, ax=first) is first
    pattern = plots.beam_pattern(hz, np.arange(-180, 181, 45), np.zeros((9, 20)) + np.linspace(-12, 12, 20))
    assert pattern.get_xscale() == "log"
    assert pattern.collections[0].get_clim() == (-18.0, 18.0)
