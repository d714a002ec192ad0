"""Plugins that are lent to one test after another, and a bundle whose presets are small."""

import json
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pedalboard
import pytest

from forestage import vst3
from forestage.host import plugin_path, plugin_state
from make_preset import SMALL

Lend = Callable[..., pedalboard.VST3Plugin]
# A change of rate prepares a plugin anew; it has played longer than its latency then, as when pedalboard loads one
SILENCE, UNUSUAL_HZ = np.zeros((2, 4096), np.float32), 88_200


@pytest.fixture(scope="session")
def free_plugins() -> dict[Path, list[pedalboard.VST3Plugin]]:
    """Of each bundle. Pedalboard asks a plugin for a thousand texts of each parameter before it gives it: 0.3 s."""
    return defaultdict(list)


@pytest.fixture
def lend(free_plugins) -> Iterator[Lend]:
    """What `load_plugin` gives, but for the programs that the host has seen: tests of those take one of their own."""
    yield from lending(plugin_path("vst3"), free_plugins)


@pytest.fixture
def lend_small(free_plugins, small_bundle) -> Iterator[Lend]:
    """The same with the presets of `SMALL` as programs."""
    yield from lending(small_bundle, free_plugins)


def lending(bundle: Path, free_plugins: dict[Path, list[pedalboard.VST3Plugin]]) -> Iterator[Lend]:
    free, lent = free_plugins[bundle], []

    def lend(preset, b=None, **settings):
        lent.append(free.pop() if free else pedalboard.VST3Plugin(str(bundle)))
        state = json.loads(plugin_state(preset, b, **settings))
        lent[-1].preset_data = vst3.vstpreset(json.dumps({"headphone_eq": None} | state))
        lent[-1].process(SILENCE, UNUSUAL_HZ)
        return lent[-1]

    yield lend
    free.extend(lent)


@pytest.fixture
def bundle(tmp_path) -> Path:
    """A copy of the VST3 bundle, without presets."""
    return bundle_without_presets(tmp_path)


@pytest.fixture(scope="session")
def small_bundle(tmp_path_factory) -> Path:
    """A VST3 bundle with the presets of `SMALL`: its states take a hundredth of the time."""
    bundle = bundle_without_presets(tmp_path_factory.mktemp("small"))
    for name, preset in SMALL.items():
        (bundle / "Contents/Resources/factory" / f"{name}.json").write_text(json.dumps(preset), encoding="utf-8")
    return bundle


def bundle_without_presets(folder: Path) -> Path:
    return shutil.copytree(plugin_path("vst3"), folder / "Forestage.vst3", ignore=shutil.ignore_patterns("*.json"))
