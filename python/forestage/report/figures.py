"""The figures that a preset carries, as rows of tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .carried import NOT_FIGURES

GROUPS = ("width", "room", "zone", "depth", "colour", "effort", "level")
UNITS = {"_db": "dB", "_lu": "LU", "_deg": "°", "_m": "m", "_cm2": "cm²", "_m3": "m³", "_s": "s"}
VERSIONS = {
    "plain": "unaided device",
    "processed": "design",
    "cancelled": "cancellation alone",
    "staged": "with the virtual pair",
    "reference": "real loudspeakers",
}


@dataclass(frozen=True)
class Row:
    """One figure of every preset.

    Attributes
    ----------
    group, name, unit, version : str
        What it is: "width", "separation", "dB", "design".
    values : tuple
        Per preset the figure, its list over the octaves, or None where the preset does not have it.
    """

    group: str
    name: str
    unit: str
    version: str
    values: tuple[float | Sequence[float] | None, ...]

    @property
    def is_per_octave(self) -> bool:
        """Whether the values are lists."""
        return any(isinstance(value, Sequence) for value in self.values)

    @property
    def difference(self) -> float | list[float] | None:
        """Second preset minus first, where both have the figure."""
        if len(self.values) != 2 or self.values[0] is None or self.values[1] is None:
            return None
        first, second = self.values
        if isinstance(first, Sequence) and isinstance(second, Sequence):
            return [b - a for a, b in zip(first, second, strict=True)]
        return second - first  # type: ignore[operator]


def rows(presets: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Rows of all figures that any of the presets has, group by group.

    Parameters
    ----------
    presets : sequence of mapping
        Presets in their JSON form; figures are those under ``design/metrics``.

    Examples
    --------
    >>> preset = {"design": {"metrics": {"zone": {"sweet_spot_m": {"plain": 0.0, "processed": 0.25}}}}}
    >>> for row in rows([preset]):
    ...     print(row.group, row.name, row.unit, row.version, row.values)
    zone sweet spot m unaided device (0.0,)
    zone sweet spot m design (0.25,)
    """
    found = [dict(_figures(metrics_of(preset))) for preset in presets]
    ranks = {group: rank for rank, group in enumerate(GROUPS)}
    keys = sorted({key for figures in found for key in figures}, key=lambda key: (ranks.get(key[0], len(ranks)), key))
    return [
        Row(
            group,
            *name_and_unit(key),
            VERSIONS.get(version, version),
            tuple(each.get((group, key, version, is_list)) for each in found),
        )
        for group, key, version, is_list in keys
    ]


def conditions(preset: Mapping[str, Any]) -> dict[str, str]:
    """What the figures of a preset hold for, as name and text.

    Examples
    --------
    >>> conditions({"design": {"metrics": {"conditions": {"seat_m": [2.0, 0.0, 0.0], "field": "free field"}}}})
    {'seat': '2, 0, 0 m', 'field': 'free field'}
    """
    found = {}
    for key, value in metrics_of(preset).get("conditions", {}).items():
        name, unit = name_and_unit(key)
        values = value if isinstance(value, list) else [value]
        text = ", ".join(item if isinstance(item, str) else f"{item:g}" for item in values)
        found[name] = f"{text} {unit}".strip()
    return found


def metrics_of(preset: Mapping[str, Any]) -> Mapping[str, Any]:
    """Metrics of a preset; empty where it has none."""
    return preset.get("design", {}).get("metrics", {})


def _figures(metrics: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str, str, bool], Any]]:
    for group, figures in metrics.items():
        if group in NOT_FIGURES:
            continue
        for key, versions in figures.items():
            if key in NOT_FIGURES:
                continue
            for version, value in versions.items():
                yield (group, key, version, isinstance(value, list)), value


def name_and_unit(key: str) -> tuple[str, str]:
    """Name of a figure as text, and its unit, from a key such as ``sweet_spot_m``."""
    for suffix, unit in UNITS.items():
        if key.endswith(suffix):
            return key.removesuffix(suffix).replace("_", " "), unit
    return key.replace("_", " "), ""
