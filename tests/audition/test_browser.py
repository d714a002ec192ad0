"""Whole sessions in a real browser: by keys alone, over reloads and killed servers, in sync to the sample."""

import json
import time

import numpy as np
import pytest
import soundfile

from auditions import RATE, tone_session
from browser import needs_browser
from command_line import run
from forestage.audition.analysis import counts
from forestage.audition.results import Results
from forestage.audition.static import write_static
from playing import PATIENCE_S, begin, browser, floats, page_of, ready, served
from signals import db, noise

pytestmark = [pytest.mark.slow, needs_browser]


@pytest.fixture(scope="module")
def chromium():
    with browser() as chromium:
        yield chromium


def ratings_of(folder, session):
    with Results(folder, session) as results:
        return results.ratings(), results.listeners()


def wait_for_rows(folder, session, count):
    end = time.monotonic() + PATIENCE_S
    while len(ratings_of(folder, session)[0]) < count and time.monotonic() < end:
        time.sleep(0.1)
    return ratings_of(folder, session)


def hear_all(page, count):
    page.keyboard.press("Space")
    for number in range(1, count + 1):
        page.keyboard.press(str(number))
        page.locator(f"#versions button:nth-child({number})[aria-pressed=true]").wait_for()


@pytest.mark.parametrize("method", ["preference", "abx"])
def test_a_session_of_two_presets_by_keys_alone(chromium, tmp_path, method):
    session = tone_session(tmp_path, method)
    letter = "Y" if method == "preference" else "B"
    with served(tmp_path) as server, page_of(chromium, server.address) as page:
        begin(page, "Ann")
        for trial in range(1, 13):
            ready(page, trial)
            assert page.locator("#answers button").first.is_disabled()  # not before all is heard
            hear_all(page, 2 if method == "preference" else 3)
            page.keyboard.press(f"Shift+{letter}")
        page.get_by_role("heading", name="Thank you").wait_for()
        ratings, listeners = wait_for_rows(tmp_path, session, 12)
        with Results(tmp_path, session) as results:
            plan = results.plan(ratings[0].listener)
    assert [rating.trial for rating in ratings] == list(range(12))
    assert [session.songs[0].sounds[rating.value].id for rating in ratings] == [trial.sounds[letter] for trial in plan]
    assert counts(session, ratings, listeners)[0].trials == 12
    assert run("audition", "results", tmp_path).returncode == 0


def test_mushra_by_keys_alone(chromium, tmp_path):
    session = tone_session(tmp_path, "mushra", songs=("a.wav", "b.wav"))
    with served(tmp_path) as server, page_of(chromium, server.address) as page:
        begin(page, "Ann")
        for trial in (1, 2):
            ready(page, trial)
            hear_all(page, 6)
            for letter in "ABCDE":
                page.keyboard.press(f"Shift+{letter}")
                page.locator(f"#points-{letter}:focus").wait_for()
                page.keyboard.press("End" if letter == "A" else "Home")
                page.keyboard.press("ArrowLeft" if letter == "A" else "ArrowRight")
            page.locator("#answers button:not([disabled])").wait_for()
            page.keyboard.press("Enter")
        page.get_by_role("heading", name="Thank you").wait_for()
        ratings, _ = wait_for_rows(tmp_path, session, 10)
        with Results(tmp_path, session) as results:
            plan = results.plan(ratings[0].listener)
    points = {(rating.trial, rating.item): rating.value for rating in ratings}
    for trial, each in enumerate(plan):
        of = {letter: session.version_of(each.song, sound) for letter, sound in each.sounds.items()}
        assert {letter: points[trial, of[letter]] for letter in "ABCDE"} == dict(zip("ABCDE", "91111", strict=True)) | {
            "A": "99"
        }


def test_reload_closed_tabs_and_a_killed_server_lose_nothing(chromium, tmp_path):
    """Answers given while the server is away stay in the browser, over a reload, and arrive once."""
    session = tone_session(tmp_path, "preference")
    with served(tmp_path) as server, page_of(chromium, server.address) as page:
        begin(page, "Ann")
        ready(page, 1)
        page.locator("#loop-to").fill("0.5")
        page.locator("#loop-to").blur()
        for trial in (1, 2):
            ready(page, trial)
            hear_all(page, 2)
            page.keyboard.press("Shift+X")
        ready(page, 3)
        page.reload()
        ready(page, 3)
        assert page.locator("#loop-to").input_value() == "0.5"  # a loop belongs to the song
        hear_all(page, 2)
        wait_for_rows(tmp_path, session, 2)
        server.kill()
        page.keyboard.press("Shift+X")
        page.get_by_text("1 answer is kept in this browser").wait_for()
        page.get_by_text("The server does not answer").wait_for()
        assert len(ratings_of(tmp_path, session)[0]) == 2
        address = server.address
        server.start()
        assert server.address == address
        ready(page, 4)
        ratings, _ = wait_for_rows(tmp_path, session, 3)
        assert [rating.trial for rating in ratings] == [0, 1, 2]
        hear_all(page, 2)
        server.kill()
        page.keyboard.press("Shift+Y")
        page.get_by_text("1 answer is kept in this browser").wait_for()
        kept = page.context.storage_state()
    with served(tmp_path) as server, page_of(chromium, server.address, storage_state=kept) as page:  # a closed tab
        assert server.address == address
        ready(page, 5)
        ratings, _ = wait_for_rows(tmp_path, session, 4)
    assert [rating.trial for rating in ratings] == [0, 1, 2, 3]


def test_two_listeners_take_turns_in_one_browser(chromium, tmp_path):
    """What one of them could not send yet is still sent for them while the other one listens."""
    session = tone_session(tmp_path, "preference", trials=2)
    with served(tmp_path) as server, page_of(chromium, server.address) as page:
        begin(page, "Ann")
        ready(page, 1)
        hear_all(page, 2)
        server.kill()
        page.keyboard.press("Shift+X")
        page.get_by_text("1 answer is kept in this browser").wait_for()
        page.get_by_role("button", name="Someone else").click()
        server.start()
        begin(page, "Ben")
        ready(page, 1)
        ratings, _ = wait_for_rows(tmp_path, session, 1)
        assert [(rating.name, rating.trial) for rating in ratings] == [("Ann", 0)]
        hear_all(page, 2)
        page.keyboard.press("Shift+X")
        wait_for_rows(tmp_path, session, 2)
        page.get_by_role("button", name="Someone else").click()
        begin(page, "Ann")
        ready(page, 2)


def noise_session(folder, **options):
    """Versions that are noises of their own, so that a frame tells which one it is of."""
    session = tone_session(folder, "preference", seconds=2.0, **options)
    for index, sound in enumerate(session.songs[0].sounds.values()):
        x = noise(frames=2 * RATE, seed=index)
        soundfile.write(folder / "sounds" / f"{sound.id}.flac", x.T, RATE, subtype="PCM_24")
    return session


def test_switching_is_in_sync_to_the_sample(chromium, tmp_path):
    """The page's own graph, rendered offline, against the files: before, after and within the cross-fade of 10 ms."""
    session = noise_session(tmp_path)
    with served(tmp_path) as server, page_of(chromium, server.address, bypass_csp=True) as page:
        begin(page, "Ann")
        ready(page, 1)
        script = "switches => playedOffline(versions.sound, 3, switches, { loop: [0.5, 1.5] })"
        heard = floats(page, script, [[0, 0], [0.25, 1], [2.0, 0]])
        with Results(tmp_path, session) as results:
            plan = results.plan(next(iter(results.listeners())))
    first, second = (
        soundfile.read(tmp_path / "sounds" / f"{plan[0].sounds[letter]}.flac", dtype="float32")[0].T for letter in "XY"
    )
    place = np.concatenate([np.arange(0, 72_000), np.arange(24_000, 72_000), np.arange(24_000, 48_000)])
    time_s = np.arange(3 * RATE) / RATE
    share = np.clip((time_s - 0.25) / 0.01, 0, 1) - np.clip((time_s - 2.0) / 0.01, 0, 1)
    expected = (1 - share) * first[:, place] + share * second[:, place]
    begin_fade = np.clip(time_s / 0.01, 0, 1)
    assert np.max(db(heard - begin_fade * expected)) <= -90
    whole = (share == 0) | (share == 1)
    assert np.max(db((heard - expected)[:, whole & (time_s > 0.02)])) <= -120  # as the files are, to 24 bits


def test_a_steady_tone_stays_steady_over_switches_and_loops(chromium, tmp_path):
    """Both versions are the same tone: the envelope moves by 0.1 dB at most, fast switching and back included."""
    session = tone_session(tmp_path, "preference", seconds=2.0)
    for sound in session.songs[0].sounds.values():
        x = 0.25 * np.sin(2 * np.pi * 1000 * np.arange(2 * RATE) / RATE)
        soundfile.write(tmp_path / "sounds" / f"{sound.id}.flac", np.stack([x, x]).T, RATE, subtype="PCM_24")
    with served(tmp_path) as server, page_of(chromium, server.address, bypass_csp=True) as page:
        begin(page, "Ann")
        ready(page, 1)
        switches = [[0, 0], [0.5, 1], [0.504, 0], [0.509, 1], [1.1, 0], [1.7, 1]]
        heard = floats(page, "s => playedOffline(versions.sound, 2.5, s, { loop: [0.25, 1.25] })", switches)
    from scipy.signal import hilbert

    envelope = db(np.abs(hilbert(heard[0].astype(float))))[960:-960]
    assert np.ptp(envelope) <= 0.1


@pytest.mark.parametrize("width", [390, 1100])
def test_nothing_is_cut_on_a_telephone(chromium, tmp_path, width):
    name = "a-song-with-a-name-that-has-no-end-" * 5 + "<b>.wav"
    tone_session(tmp_path, "mushra", songs=(name,))
    cut = """() => [document.documentElement.scrollWidth, innerWidth,
      [...document.querySelectorAll("body *")].filter(each => each.clientWidth && !each.closest("[hidden], canvas")
        && (each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).display !== "inline"
            || each.getBoundingClientRect().right > innerWidth)).map(each => each.outerHTML.slice(0, 120))]"""
    options = {"bypass_csp": True, "viewport": {"width": width, "height": 800}}
    with served(tmp_path) as server, page_of(chromium, server.address, **options) as page:
        begin(page, "<script>alert(1)</script>")
        ready(page, 1)
        page.locator("#keys summary").click()
        assert page.get_by_text("next, when all sliders are set").is_visible()
        assert page.get_by_text("answer with it").is_hidden()  # not in this method
        wide, inner, cuts = page.evaluate(cut)
        assert (wide <= inner, cuts) == (True, [])
        assert page.locator("#song").text_content() == name
        assert page.locator("#who").text_content() == "<script>alert(1)</script>"


def test_every_control_has_a_name_and_enough_contrast(chromium, tmp_path):
    """Names by the browser's own tree of accessibility; contrast of texts after WCAG, in both colour schemes."""
    tone_session(tmp_path, "mushra")
    with served(tmp_path) as server:
        for scheme in ("light", "dark"):
            options = {"bypass_csp": True, "color_scheme": scheme}
            with page_of(chromium, server.address, **options) as page:
                begin(page, scheme)
                ready(page, 1)
                for role in ("button", "slider", "spinbutton", "progressbar"):
                    for control in page.get_by_role(role).all():
                        assert control.evaluate(ACCESSIBLE_NAME), control.evaluate("each => each.outerHTML")
                assert page.evaluate(LEAST_CONTRAST) >= 4.5


ACCESSIBLE_NAME = """each => (each.getAttribute("aria-label") || each.textContent.trim()
  || [...(each.labels ?? [])].map(label => label.textContent).join(" ")).trim()"""
LEAST_CONTRAST = """() => {
  const numbers = colour => colour.match(/[0-9.]+/g).map(Number);
  const linear = value => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const under = each => { for (; each; each = each.parentElement) {
    const colour = numbers(getComputedStyle(each).backgroundColor);
    if (colour.length < 4 || colour[3] > 0) return colour;
  } };
  const texts = [...document.querySelectorAll("h1, h2, p, label, legend, button:not(:disabled), output, summary, span")]
    .filter(each => each.textContent.trim() && each.getClientRects().length);
  return Math.min(...texts.map(each => {
    const [high, low] = [numbers(getComputedStyle(each).color), under(each)].map(light).sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  }));
}"""


def test_a_switch_begins_within_20_ms_of_its_key(chromium, tmp_path):
    """From the event of the key to the end of the cross-fade, on the clock of the sound.

    That clock moves by whole buffers: where a busy machine halts between the two readings, one of them is later.
    """
    session = noise_session(tmp_path)
    assert session.songs
    with served(tmp_path) as server, page_of(chromium, server.address, bypass_csp=True) as page:
        begin(page, "Ann")
        ready(page, 1)
        page.keyboard.press("Space")
        page.evaluate(
            """() => {
              window.delays = [];
              document.addEventListener("keydown", () => { window.pressed = context.currentTime; }, { capture: true });
              const hear = Versions.prototype.hear;
              Versions.prototype.hear = function (index, when) {
                window.delays.push(when + FADE_S - window.pressed);
                return hear.call(this, index, when);
              };
            }"""
        )
        for number in range(20):
            page.keyboard.press(str(1 + number % 2))
        delays = page.evaluate("window.delays")
    assert len(delays) == 20
    assert np.median(delays) <= 0.0201


@pytest.mark.parametrize(("method", "name"), [("preference", "Zoë <b>"), ("mushra", "__proto__")])
def test_a_page_from_the_disk_plays_and_its_file_is_merged(chromium, tmp_path, method, name):
    session = tone_session(tmp_path, method, trials=2 if method == "preference" else None, songs=("a.wav", "b.wav"))
    page_file = write_static(tmp_path, session, tmp_path / "stick")
    with page_of(chromium, page_file.as_uri()) as page:
        begin(page, name)
        for trial in (1, 2):
            ready(page, trial)
            hear_all(page, 2 if method == "preference" else 6)
            if method == "preference":
                page.keyboard.press("Shift+X")
            else:
                for letter in "ABCDE":
                    page.locator(f"#points-{letter}").focus()
                    page.keyboard.press("ArrowRight")
                page.keyboard.press("Enter")
            if trial == 1:
                page.reload()
        page.get_by_role("heading", name="Thank you").wait_for()
        with page.expect_download() as download:
            page.get_by_role("button", name="Save results").click()
        file = tmp_path / download.value.suggested_filename
        download.value.save_as(file)
    told = run("audition", "merge", tmp_path, file)
    assert told.returncode == 0, told.stderr
    rows = 2 if method == "preference" else 10
    assert told.stdout == f"{file}: {name}, {rows} ratings, {rows} of them new\n"
    assert json.loads(run("audition", "results", tmp_path, "--json").stdout)["listeners"] == [
        {"name": name, "trials_done": 2}
    ]
