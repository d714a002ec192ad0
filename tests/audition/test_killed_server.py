"""Ten thousand ratings by twenty listeners at once, with servers that are killed in between: none lost, none twice."""

import threading
import time

import httpx2
import pytest

from auditions import tone_session
from forestage.audition.results import Results
from playing import served

pytestmark = pytest.mark.slow

LISTENERS = 20
TRIALS = 100
ROWS = 5  # versions to rate in a trial
KILLS = 2
POINTS = {"A": 0, "B": 11, "C": 22, "D": 33, "E": 44}


def patient(client, url, form, problems):
    """Ask until there is an answer."""
    while True:
        try:
            answer = client.post(url, json=form)
        except httpx2.HTTPError:
            time.sleep(0.05)
            continue
        if answer.status_code != 200:
            problems.append(answer.text)
        return answer.json()


def rate_all(server, name, problems):
    """A listener who tries each answer until the server has it, and now and then sends one again."""
    with httpx2.Client(timeout=10) as client:
        begun = patient(client, f"{server.address}listen", {"name": name}, problems)
        for trial in range(TRIALS):
            form = {
                **{key: begun[key] for key in ("listener", "draw")},
                "answers": [{"trial": trial, "ratings": POINTS | {"A": trial}}],
            }
            for _ in range(1 + (trial % 10 == 0)):
                patient(client, f"{server.address}ratings", form, problems)


def test_ten_thousand_ratings_survive_killed_servers(tmp_path):
    session = tone_session(tmp_path, "mushra", trials=TRIALS, seconds=0.1)
    problems = []
    with served(tmp_path) as server:
        threads = [
            threading.Thread(target=rate_all, args=(server, f"listener {number}", problems), daemon=True)
            for number in range(LISTENERS)
        ]
        for thread in threads:
            thread.start()
        for kill in range(1, KILLS + 1):
            with Results(tmp_path, session) as results:
                while results.count() < kill * LISTENERS * TRIALS * ROWS // (KILLS + 1):
                    time.sleep(0.1)
            server.kill()
            server.start()
        for thread in threads:
            thread.join(timeout=300)
            assert not thread.is_alive()
    assert problems == []
    with Results(tmp_path, session) as results:
        ratings = results.ratings()
        plans = {listener: results.plan(listener) for listener in results.listeners()}
    assert len(ratings) == LISTENERS * TRIALS * ROWS == 10_000
    assert len({(rating.name, rating.trial, rating.item) for rating in ratings}) == 10_000
    for rating in ratings:
        sound = session.songs[rating.song].sounds[rating.item].id
        sounds = plans[rating.listener][rating.trial].sounds
        letter = next(letter for letter in "ABCDE" if sounds[letter] == sound)
        assert float(rating.value) == (POINTS | {"A": rating.trial})[letter]
