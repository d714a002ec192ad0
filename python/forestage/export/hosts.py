"""Files of the plugin's own state, for hosts."""

from pathlib import Path

from .. import host, vst3
from ..files import checked_target, written_whole
from ..headphone_eq import HeadphoneEqLike
from ..presets import PresetLike


def export_vstpreset(
    preset: PresetLike,
    path: str | Path,
    *,
    b: PresetLike | None = None,
    headphone_eq: HeadphoneEqLike | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a VST3 preset file that any host can load: the preset in slot A of the plugin, and ``b`` in slot B.

    With an equaliser, the headphones get it, too; without, they keep the one they have there.
    """
    target = checked_target(path, overwrite=overwrite)
    state = host.plugin_state(preset, b, headphone_eq=headphone_eq)
    with written_whole(target) as file:
        file.write(vst3.vstpreset(state))
    return target
