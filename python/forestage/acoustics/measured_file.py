"""What is kept of a measurement's file, so that a preset can hold it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

# Of all files of a device together: in base64, they fit into a preset beside the longest filters and ears
MOST_HELD_BYTES = 24 << 20
# Of any measurement
SAMPLE_RATES_HZ = (8_000.0, 400_000.0)
MOST_IMPULSES = 4096
LONGEST_IMPULSE_S = 60.0


@dataclass(frozen=True)
class MeasuredFile:
    """A file of a measurement.

    Parameters
    ----------
    sha256 : str
        Hash of its bytes.
    data : bytes or None
        The bytes; none of a file of more than `MOST_HELD_BYTES`.
    """

    sha256: str
    data: bytes | None = field(repr=False)


def measured_file(path: str | Path) -> MeasuredFile:
    """Read a file, of which little is kept when it is large."""
    with Path(path).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        data = file.read(MOST_HELD_BYTES + 1)
    return MeasuredFile(digest, data if len(data) <= MOST_HELD_BYTES else None)
