"""Host parameters by their id, with values as people write them."""

from collections.abc import Mapping
from numbers import Real

from . import _core
from .choices import pick

BY_ID: Mapping[str, _core.ParamSpec] = {row.id: row for row in _core.PARAMS}

Value = float | int | bool | str


def raw_value(param_id: str, value: Value) -> float:
    """Turn a value for a parameter into the number the engine takes.

    Parameters
    ----------
    param_id : str
        Id from the parameter table, such as ``"stage_width_deg"``.
    value : float or str
        A number in the parameter's unit, or the text of a choice in any case, such as ``"Speakers"`` or ``"on"``.

    Raises
    ------
    ValueError
        When there is no such parameter, or the value is not one it can take.
    """
    row = BY_ID.get(param_id)
    if row is None:
        raise ValueError(f"no parameter is called {param_id!r}; there are: {', '.join(BY_ID)}")
    if row.is_read_only:
        raise ValueError(f"{param_id} is read-only")
    texts = texts_of(row)
    if hasattr(value, "item"):  # a truth value of NumPy is no number, but one of Python is
        value = value.item()
    if not isinstance(value, str | Real):
        raise TypeError(f"{param_id} is {value!r}; a number or a text would be right")
    if isinstance(value, str):
        text = pick(value, texts)
        if text is None:
            wanted = ", ".join(texts) or f"a number from {row.min_value:g} to {row.max_value:g}"
            raise ValueError(f"{param_id} is {value!r}; right would be: {wanted}")
        return float(texts.index(text))
    if texts and value not in range(len(texts)):
        raise ValueError(f"{param_id} is {value}; right would be: {', '.join(texts)}")
    if not row.min_value <= float(value) <= row.max_value:
        unit = f" {row.unit}" if row.unit else ""
        raise ValueError(f"{param_id} is {value}; {row.min_value:g} to {row.max_value:g}{unit} would be right")
    return float(value)


def session_values(preset: _core.Preset, params: Mapping[str, Value]) -> dict[str, float]:
    """Raw values of all parameters: the table's defaults, over them the preset's, over them what is given."""
    values = {row.id: row.default_value for row in BY_ID.values() if not row.is_read_only}
    given = {param_id: raw_value(param_id, value) for param_id, value in params.items()}
    return values | preset.parameters | given


def texts_of(row: _core.ParamSpec) -> list[str]:
    """Texts of a choice or a toggle in the order of their values; none for a number."""
    return ["Off", "On"] if row.kind == "toggle" else row.choices


def text_value(param_id: str, value: float) -> str:
    """Write a raw value the way a person would: the choice's text, or the number with its unit."""
    row = BY_ID[param_id]
    texts = texts_of(row)
    if texts:
        return texts[round(value)]
    return f"{value:g} {row.unit}".rstrip()
