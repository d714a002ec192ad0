"""The bench that holds this tree's chain against an older one: what it makes of what the two tell it."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def against():
    spec = importlib.util.spec_from_file_location("against", ROOT / "bench/against.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Player:
    """Takes ``ns`` a frame, and longer in some turns, as long as the other one of the same turns."""

    def __init__(self, ns):
        self.ns, self.asked = ns, []

    def play_ns(self, case):
        self.asked.append(case)
        return self.ns * (1 + len(self.asked) % 7)


def test_a_ratio_is_that_of_turns_that_were_as_slow_as_each_other(against):
    before, now = Player(300.0), Player(80.0)
    rows = list(against.rows([before, now]))
    assert [row["name"] for row in rows] == list(against.CASES)
    assert all(row["times_as_fast"] == pytest.approx(300 / 80) for row in rows)
    assert before.asked == now.asked
    assert len(now.asked) == against.TURNS * len(against.CASES)


def test_a_commit_that_is_not_in_the_clone_gives_no_rows(against, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["against.py", "build/release/bench", "0" * 40])
    against.main()
    output = capsys.readouterr()
    assert output.out == ""
    assert "no commit " + "0" * 40 in output.err
