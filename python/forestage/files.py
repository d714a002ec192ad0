"""Files that are about to be written, and texts that are read."""

import codecs
from pathlib import Path

MOST_TEXT_BYTES = 64 << 20
MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


def checked_target(path: str | Path, *, overwrite: bool) -> Path:
    """Return the path when it may be written."""
    target = Path(path)
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{target}: the folder {target.parent} does not exist")
    if target.exists() and not overwrite:
        raise FileExistsError(f"{target} exists already; say --overwrite (overwrite=True) to replace it")
    return target


def read_text(path: str | Path) -> str:
    """Read a text file in UTF-8 or UTF-16, with a byte order mark, as Windows editors write one, or without."""
    with Path(path).open("rb") as file:
        data = file.read(MOST_TEXT_BYTES + 1)
    if len(data) > MOST_TEXT_BYTES:
        raise ValueError(f"has more than {MOST_TEXT_BYTES} bytes; at most that many are read")
    mark, encoding = _encoding(data)
    try:
        return data[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        raise ValueError(
            f"byte {len(mark) + error.start} is no text in {encoding}; UTF-8 or UTF-16 would be right"
        ) from error


def _encoding(data: bytes) -> tuple[bytes, str]:
    for mark, encoding in MARKS.items():
        if data.startswith(mark):
            return mark, encoding
    # The first character of a device file or a preset is ASCII, so that a zero beside it tells of UTF-16.
    return b"", {0: "utf-16-be", 1: "utf-16-le"}.get(data[:2].find(0), "utf-8")
