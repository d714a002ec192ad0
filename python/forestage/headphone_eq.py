"""Equalisers of the listener's headphones, for the headphones monitors."""

from pathlib import Path

from . import _core
from .files import checked_path, no_file

HeadphoneEqLike = _core.HeadphoneEq | str | Path


def load_headphone_eq(eq: HeadphoneEqLike) -> _core.HeadphoneEq:
    """Read an equaliser, as AutoEq has them for thousands of headphones.

    Parameters
    ----------
    eq : str, Path or HeadphoneEq
        A ``.txt`` file with an equaliser (AutoEq, Equalizer APO, Room EQ Wizard), for both ears or for each, a ``.wav``
        file with impulse responses of up to half a second at any sample rate, mono or stereo, or an equaliser already
        in memory. Of impulse responses the magnitude is used, in minimum phase, so that they cost no latency.

    Raises
    ------
    ValueError
        When the file is not right; the message has the line and what would be right.
    FileNotFoundError
        When there is no such file.
    """
    if isinstance(eq, _core.HeadphoneEq):
        return eq
    path = checked_path(eq, "headphone_eq", "a path, or a HeadphoneEq")
    if path.suffix.lower() in (".txt", ".wav") and not path.is_file():
        raise FileNotFoundError(no_file(path))
    try:
        return _core.load_headphone_eq(path)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
