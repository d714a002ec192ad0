"""The bundles as files."""

import os

from forestage.host import plugin_path


def test_vst3_is_a_bundle():
    assert list((plugin_path("vst3") / "Contents").glob("*/Forestage.*"))


def test_standalone_is_a_program():
    assert os.access(plugin_path("standalone"), os.X_OK)
