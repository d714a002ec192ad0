"""Marks that follow from where a test lies."""

from pathlib import Path

import pytest

PLUGIN = Path(__file__).with_name("plugin")


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.is_relative_to(PLUGIN):
            item.add_marker(pytest.mark.plugin)
