"""Results as rows: one for each job, in Parquet, never lost and never twice.

Rows are written some moments after they come, into a file below ``results`` that is written anew with more of them
until it has its fill; at the end of a run all become one file. The last row of a name counts, so that a row may stand
in two files for a moment.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from .store import Place, written

FOLDER = "results"
ROWS_A_FILE = 1000  # some hundred kB: soon written, and 10^5 jobs are 100 files to read after a run that was killed
SECONDS_AT_A_TIME = 2.0
LATER = {"note"}  # columns that folders of 0.2 lack

_COLUMNS: list[tuple[str, pa.DataType, str]] = [
    ("key", pa.string(), "hash of the song's content, preset, settings and version"),
    ("status", pa.string(), "done, or failed"),
    ("error", pa.string(), "why it failed"),
    ("note", pa.string(), "what is worth knowing about the song: that it is cut off"),
    ("source", pa.string(), "address of the song"),
    ("source_sha256", pa.string(), "hash of its content"),
    ("source_stamp", pa.string(), "tells it from the same one after a change, unread"),
    ("preset", pa.string(), "name of the preset"),
    ("preset_sha256", pa.string(), "hash of its text"),
    ("settings", pa.string(), "parameters as JSON"),
    ("forestage", pa.string(), "version of the engine"),
    ("target", pa.string(), "address of the sound"),
    ("target_bytes", pa.int64(), "its size"),
    ("channels", pa.int32(), "of the sound"),
    ("sample_rate", pa.int32(), "in Hz"),
    ("frames", pa.int64(), "length"),
    ("loudness_in_lufs", pa.float64(), "integrated loudness of the song"),
    ("loudness_out_lufs", pa.float64(), "of the sound, all channels weighed alike"),
    ("true_peak_out_dbtp", pa.float64(), "highest true peak of the sound"),
    ("gain_db", pa.float64(), "what safe_headroom took"),
    ("reduction_db", pa.float64(), "the most that the limiter took besides"),
    ("limited_share", pa.float64(), "share of the blocks (65536 frames) in which it took more than 1 dB"),
    ("side_in_db", pa.float64(), "power of left - right over left + right in the song"),
    ("side_out_db", pa.float64(), "the same at the ears; of driver feeds, of the outer two channels"),
    ("correlation_in", pa.float64(), "of left and right in the song"),
    ("correlation_out", pa.float64(), "the same at the ears"),
    ("cpu_s", pa.float64(), "processor time"),
    ("finished", pa.timestamp("us", tz="UTC"), "when"),
]  # fmt: skip
SCHEMA = pa.schema([pa.field(name, kind, metadata={"text": text}) for name, kind, text in _COLUMNS])

Row = dict[str, Any]


class Rows:
    """Rows of a folder: those of earlier runs, and those that come.

    Parameters
    ----------
    output : Place
        The folder.
    schema : pyarrow.Schema
        Columns; among them ``finished``.
    name : str
        The column that names what a row is of: its last row counts.
    """

    def __init__(self, output: Place, schema: pa.Schema, *, name: str) -> None:
        self._output, self._schema, self._name = output, schema, name
        self._fresh: list[Row] = []
        self._file: Place | None = None  # that holds the first of them
        self._is_sorted = True
        self._written_at = time.monotonic()
        self.table = read(output, schema, name=name)

    def __enter__(self) -> Rows:
        return self

    def __exit__(self, *_error: object) -> None:
        self.flush()

    def add(self, row: Mapping[str, Any]) -> None:
        """Take a row; it is on the disk some moments later."""
        self._fresh.append(dict(row))
        self._is_sorted = False
        if len(self._fresh) >= ROWS_A_FILE or time.monotonic() - self._written_at >= SECONDS_AT_A_TIME:
            self.flush()

    def flush(self) -> None:
        """Write what has come."""
        self._written_at = time.monotonic()
        if not self._fresh:
            return
        before, self._file = self._file, self._write(pa.Table.from_pylist(self._fresh, schema=self._schema))
        if before is not None:
            _remove(before)
        if len(self._fresh) >= ROWS_A_FILE:
            self._fresh, self._file = [], None

    def finish(self) -> pa.Table:
        """Make one file of all, sorted by name; returns the table."""
        self.flush()
        self._fresh, self._file = [], None
        parts = _parts(self._output)
        self.table = read(self._output, self._schema, name=self._name)
        if len(parts) > 1 or not self._is_sorted:
            self._write(self.table)
            self._is_sorted = True
            for part in parts:
                _remove(Place(self._output.fs, part))
        return self.table

    def _write(self, table: pa.Table) -> Place:
        place = self._output / f"{FOLDER}/{time.time_ns()}-{uuid.uuid4().hex[:8]}.parquet"
        with written(place) as path:
            pq.write_table(table, path)
        return place


def _remove(place: Place) -> None:
    with suppress(FileNotFoundError):  # a folder may have gone
        place.fs.rm_file(place.path)


def read(output: Place, schema: pa.Schema, *, name: str) -> pa.Table:
    """All rows below an output folder, the last one of each name, sorted by name.

    Raises
    ------
    ValueError
        When there are results of something else.
    """
    tables = []
    for path in _parts(output):
        with output.fs.open(path, "rb") as file:
            try:
                table = pq.read_table(file)
                for later in LATER.intersection(schema.names).difference(table.column_names):
                    table = table.append_column(later, pa.nulls(len(table)))
                tables.append(table.select(schema.names).cast(schema))
            except (pa.ArrowInvalid, KeyError) as error:
                raise ValueError(f"{Place(output.fs, path).address}: other results than these ({error})") from None
    if not tables:
        return schema.empty_table()
    table = pa.concat_tables(tables).sort_by([(name, "ascending"), ("finished", "ascending")])
    names = table[name].to_pylist()
    return table.take([i for i, each in enumerate(names) if i + 1 == len(names) or names[i + 1] != each])


def _parts(output: Place) -> list[str]:
    return sorted(path for path in (output / FOLDER).files() if path.endswith(".parquet"))
