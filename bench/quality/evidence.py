"""Evidence: the tables of results under docs/evidence, each written by one script of this folder.

A script calls `write` once. It prints the tables and writes them as NAME.json, for programs, and NAME.md, for readers.
Neither holds a time or the name of a machine, and figures are rounded to six digits, so that the same code writes the
same bytes again.

    from evidence import Table, write
    write("beam", "Centre beams", [Table("On/off power ratio in dB", rows)], text="What was compared, and how.")
"""

import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs" / "evidence"
PACKAGES = ("forestage", "numpy", "scipy")


@dataclass(frozen=True)
class Table:
    """A table of results.

    Parameters
    ----------
    title : str
        What the figures are, with their unit.
    rows : sequence of mapping
        One mapping a row, from the column's name to a number or a text. A row may leave columns out.
    note : str
        What a reader must know to trust the table: conditions, and what it shows.
    """

    title: str
    rows: Sequence[Mapping[str, float | str]]
    note: str = ""

    @property
    def columns(self) -> list[str]:
        """Names of the columns, in the order in which the rows bring them."""
        return list(dict.fromkeys(column for row in self.rows for column in row))


def write(name: str, title: str, tables: Sequence[Table], *, text: str, folder: Path = DOCS) -> None:
    """Print the tables of bench/quality/NAME.py, and write them to ``folder`` as NAME.json and NAME.md.

    Parameters
    ----------
    name : str
        Name of the files: the script's own, with hyphens.
    title : str
        Heading of the page.
    tables : sequence of Table
        The results.
    text : str
        Markdown under the heading: what was done, and what came out.
    folder : Path
        Where the files go.
    """
    command = f".venv/bin/python bench/quality/{name.replace('-', '_')}.py"
    versions = {package: version(package) for package in PACKAGES}
    made_by = f"Made by `{command}` with {', '.join(f'{package} {number}' for package, number in versions.items())}."
    page = "\n\n".join([f"# {title}", text.strip(), made_by, *map(markdown, tables)]) + "\n"
    content = {
        "title": title,
        "command": command,
        "versions": versions,
        "tables": [
            {"title": table.title, "note": table.note, "rows": [_plain_row(row) for row in table.rows]}
            for table in tables
        ],
    }
    sys.stdout.write(page)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / f"{name}.md").write_text(page, encoding="utf-8")


def markdown(table: Table) -> str:
    """The table under its title, in columns that line up."""
    cells = [table.columns, *([_cell(row.get(column, "")) for column in table.columns] for row in table.rows)]
    cells = [[text.replace("|", "\\|") for text in line] for line in cells]
    widths = [max(3, *(len(line[k]) for line in cells)) for k in range(len(table.columns))]
    lines = [" | ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) for line in cells]
    lines.insert(1, " | ".join("-" * width for width in widths))
    parts = [f"## {table.title}", "\n".join(f"| {line} |" for line in lines), table.note.strip()]
    return "\n\n".join(part for part in parts if part)


def _cell(value: float | str) -> str:
    """A number as it is when two decimals hold it, else three significant digits and the whole part."""
    if isinstance(value, str):
        return value
    if not math.isfinite(value):
        return "–"
    if value == round(value, 2):
        return f"{value:.12g}"
    if abs(value) < 1e-3:
        return f"{value:.1e}"
    return f"{value:.{min(max(2 - math.floor(math.log10(abs(value))), 0), 4)}f}"


def _plain_row(row: Mapping[str, float | str]) -> dict[str, float | str | None]:
    return {column: _plain(value) for column, value in row.items()}


def _plain(value: float | str) -> float | str | None:
    """What JSON can hold: six digits of a number, and nothing for one that is not finite."""
    if isinstance(value, str):
        return value
    return float(f"{value:.6g}") if math.isfinite(value) else None
