"""What listeners said: a SQLite file, one row a rating, which outlives closed tabs and killed servers."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any, Self

from .draw import Trial
from .session import RESULTS, Session, listener_name

VERSION = 1
BUSY_S = 30.0
_TABLES = """
CREATE TABLE session (id TEXT NOT NULL);
CREATE TABLE listeners (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, plan TEXT NOT NULL, begun_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE ratings (
  listener TEXT NOT NULL REFERENCES listeners (id), trial INTEGER NOT NULL, item TEXT NOT NULL, song INTEGER NOT NULL,
  options TEXT NOT NULL, value TEXT NOT NULL, truth TEXT, seconds REAL, rated_at TEXT NOT NULL,
  PRIMARY KEY (listener, trial, item)
) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Rating:
    """One row.

    Attributes
    ----------
    listener, name : str
        Who, and what they call themselves.
    trial : int
        Which of their trials, from 0.
    item : str
        Id of the version that was rated; empty where a trial has one answer.
    song : int
        Index of the song.
    options : tuple of str
        Ids of the versions to choose from.
    value : str
        Id of the version that was chosen, or points from 0 to 100.
    truth : str or None
        In ABX, id of the version that X was.
    """

    listener: str
    name: str
    trial: int
    item: str
    song: int
    options: tuple[str, ...]
    value: str
    truth: str | None
    seconds: float | None
    rated_at: str


class Results:
    """The results of a session; any thread may call.

    Parameters
    ----------
    folder : str or Path
        Of the session.
    session : Session
        What the ratings are of.

    Raises
    ------
    ValueError
        When the file is damaged, of another version or of another session. It is left as it is.
    """

    def __init__(self, folder: str | Path, session: Session) -> None:
        self.path = Path(folder) / RESULTS
        self._session = session
        self._lock = Lock()
        self._plans: dict[str, list[Trial]] = {}  # what was read once; plans never change
        self._connection = sqlite3.connect(self.path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            self._open()
        except sqlite3.DatabaseError as error:
            self.close()
            raise ValueError(
                f"{self.path}: not a file of results that can be read ({error}); it was left as it is: move it away, "
                "and the session goes on with a new one"
            ) from None
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        execute = self._connection.execute
        execute("PRAGMA journal_mode = WAL")
        execute("PRAGMA synchronous = FULL")
        with self._transaction():
            if not execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                for statement in filter(str.strip, _TABLES.split(";")):
                    execute(statement)
                execute(f"PRAGMA user_version = {VERSION}")
                execute("INSERT INTO session VALUES (?)", (self._session.id,))
        (version,) = execute("PRAGMA user_version").fetchone()
        if version != VERSION:
            raise ValueError(f"{self.path}: results of version {version}; this Forestage reads version {VERSION}")
        (found,) = execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise sqlite3.DatabaseError(found)
        owners = [row[0] for row in execute("SELECT id FROM session")]
        if owners != [self._session.id]:
            raise ValueError(
                f"{self.path}: results of another session; move it away, and this one goes on with a new one"
            )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All of what is inside, or nothing; what is done when this ends is on the disk."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def begin(self, listener: str, name: str, plan: Sequence[Trial]) -> tuple[list[Trial], list[int]]:
        """Begin with a listener, or go on: returns their trials, and which of them are answered.

        The plan that was stored first stands.
        """
        form = json.dumps([trial.form() for trial in plan])
        with self._transaction():
            self._connection.execute(
                "INSERT INTO listeners VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", (listener, name, form, _now())
            )
        done = self._connection.execute("SELECT DISTINCT trial FROM ratings WHERE listener = ?", (listener,)).fetchall()
        return self.plan(listener), sorted(row[0] for row in done)

    def plan(self, listener: str) -> list[Trial]:
        """Trials of a listener.

        Raises
        ------
        KeyError
            When there is no such listener.
        """
        if listener not in self._plans:
            row = self._connection.execute("SELECT plan FROM listeners WHERE id = ?", (listener,)).fetchone()
            if row is None:
                raise KeyError(listener)
            self._plans[listener] = [Trial(**trial) for trial in json.loads(row[0])]
        return self._plans[listener]

    def rate(self, listener: str, answers: Sequence[Any]) -> int:
        """Store answers, all of them or none; what comes again changes nothing. Returns how many rows are new.

        Raises
        ------
        KeyError
            When there is no such listener.
        ValueError
            When an answer is not one of its trial.
        """
        plan = self.plan(listener)
        rows = [row for answer in answers for row in _rows(self._session, plan, answer)]
        before = self._connection.total_changes
        with self._transaction():
            self._connection.executemany(
                "INSERT INTO ratings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                [(listener, *row) for row in rows],
            )
            return self._connection.total_changes - before

    def ratings(self) -> list[Rating]:
        """All rows, by listener and trial."""
        rows = self._connection.execute(
            "SELECT listener, name, trial, item, song, options, value, truth, seconds, rated_at "
            "FROM ratings JOIN listeners ON listeners.id = listener ORDER BY begun_at, listener, trial, item"
        )
        return [Rating(*fields) for fields in ((*row[:5], tuple(json.loads(row[5])), *row[6:]) for row in rows)]

    def count(self) -> int:
        """How many rows there are."""
        found: int = self._connection.execute("SELECT count(*) FROM ratings").fetchone()[0]
        return found

    def listeners(self) -> dict[str, str]:
        """Names by id, in the order in which they began; of several by one name the later ones have a number."""
        found: dict[str, str] = {}
        seen: dict[str, int] = {}
        for listener, name in self._connection.execute("SELECT id, name FROM listeners ORDER BY begun_at, id"):
            seen[name] = seen.get(name, 0) + 1
            found[listener] = name if seen[name] == 1 else f"{name} ({seen[name]})"
        return found


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _rows(session: Session, plan: Sequence[Trial], answer: Any) -> list[tuple[Any, ...]]:
    """Rows of one answer, as the table has them after the listener."""
    if not isinstance(answer, Mapping):
        raise ValueError(f"answer {answer!r}; an object would be right")
    index = answer.get("trial")
    if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < len(plan):
        raise ValueError(f"trial {index!r}; 0 to {len(plan) - 1} would be right")
    trial = plan[index]
    version = {letter: session.version_of(trial.song, sound) for letter, sound in trial.sounds.items()}
    seconds = answer.get("seconds")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < 1e7:
        seconds = None
    told = answer.get("rated_at")
    rated_at = told if isinstance(told, str) and len(told) <= 40 else _now()
    if session.method == "mushra":
        points = answer.get("ratings")
        letters = [letter for letter in trial.sounds if letter != "Reference"]
        if not isinstance(points, Mapping) or set(points) != set(letters) or not all(map(_is_points, points.values())):
            raise ValueError(f"ratings {points!r}; 0 to 100 for each of {', '.join(letters)} would be right")
        options = json.dumps([version[letter] for letter in letters])
        return [
            (index, version[letter], trial.song, options, f"{float(points[letter]):g}", None, seconds, rated_at)
            for letter in letters
        ]
    choices = [letter for letter in trial.sounds if session.method == "preference" or letter != "X"]
    if answer.get("choice") not in choices:
        raise ValueError(f"choice {answer.get('choice')!r}; {' or '.join(choices)} would be right")
    options = json.dumps([version[letter] for letter in choices])
    truth = version["X"] if session.method == "abx" else None
    return [(index, "", trial.song, options, version[answer["choice"]], truth, seconds, rated_at)]


def _is_points(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 100


FILE_KIND = "forestage audition results"


def merge(results: Results, session: Session, path: Path) -> tuple[str, int, int]:
    """Take in a file that a page from ``--static`` made: returns the listener's name, rows in it, and how many are new.

    Raises
    ------
    ValueError
        When it is not such a file, of another session, or damaged; nothing of it is taken then.
    """
    try:
        form = json.loads(path.read_text(encoding="utf-8"))
        if form["kind"] != FILE_KIND or form["version"] != VERSION:
            raise ValueError(f"kind {form['kind']!r}, version {form['version']!r}")
        owner, listener, name = form["session"], form["listener"], listener_name(form["name"])
        plan = [Trial(int(trial["song"]), dict(trial["sounds"])) for trial in form["plan"]]
        answers = list(form["answers"])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: not a file of results that can be read ({error}); nothing of it was taken") from None
    if owner != session.id:
        raise ValueError(f"{path}: results of another session; nothing of it was taken")
    try:
        if not isinstance(listener, str) or not 8 <= len(listener) <= 64:
            raise ValueError(f"listener {listener!r}")
        rows = sum(len(_rows(session, plan, answer)) for answer in answers)  # before anything is written
    except ValueError as error:
        raise ValueError(f"{path}: {error}; nothing of it was taken") from None
    results.begin(listener, name, plan)
    return name, rows, results.rate(listener, answers)
