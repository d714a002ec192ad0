"""Equalisers of the listener's headphones, for the headphones monitors."""

from pathlib import Path

from . import _core

HeadphoneEqLike = _core.HeadphoneEq | str | Path


def load_headphone_eq(eq: HeadphoneEqLike) -> _core.HeadphoneEq:
    """Read an equaliser, as AutoEq has them for thousands of headphones.

    Parameters
    ----------
    eq : str, Path or HeadphoneEq
        A ``.txt`` file with a parametric equaliser (AutoEq, Equalizer APO), a ``.wav`` file with impulse responses of
        up to half a second at any sample rate, mono or stereo, or an equaliser already in memory. Of impulse responses
        the magnitude is used, in minimum phase, so that they cost no latency.

    Raises
    ------
    ValueError
        When the file is not right; the message has the line and what would be right.
    FileNotFoundError
        When there is no such file.
    """
    if isinstance(eq, _core.HeadphoneEq):
        return eq
    path = Path(eq)
    name = path.stem.encode("utf-8", "replace").decode()
    kind = path.suffix.lower()
    if kind not in (".txt", ".wav"):
        raise ValueError(f"{path}: a parametric equaliser (.txt) or impulse responses (.wav) would be right")
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    if kind == ".wav":
        from .audio_file import read_stereo  # soundfile takes its time to load

        taps, sample_rate = read_stereo(path)
    try:
        if kind == ".wav":
            return _core.headphone_eq_from_firs(taps, sample_rate=sample_rate, name=name)
        return _core.parse_parametric_eq(path.read_bytes(), name=name)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
