"""Marks that follow from where a test lies, and a folder for what is made once in a run."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from once import FOLDER

# Workers take files whole: the longest first, so that no worker is left alone with one at the end
LONGEST = ("test_demo.py", "test_beam_devices.py", "test_room_ears.py", "test_report.py", "test_design.py")
PLUGIN = Path(__file__).with_name("plugin")


def pytest_configure(config):
    if not hasattr(config, "workerinput"):  # workers of xdist have it from who started them
        os.environ[FOLDER] = tempfile.mkdtemp(prefix="forestage-tests-")


def pytest_unconfigure(config):
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ.pop(FOLDER))


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.path.name not in LONGEST)
    for item in items:
        if item.path.is_relative_to(PLUGIN):
            item.add_marker(pytest.mark.plugin)
