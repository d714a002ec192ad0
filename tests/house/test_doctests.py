"""The examples in docstrings give what they say."""

import doctest
import importlib
import pkgutil

import pytest

import forestage

MODULES = ["forestage", *(module.name for module in pkgutil.walk_packages(forestage.__path__, "forestage."))]
EXAMPLES = {
    name: tests
    for name in MODULES
    if not name.endswith("__main__")
    and (tests := [test for test in doctest.DocTestFinder().find(importlib.import_module(name)) if test.examples])
}


@pytest.mark.parametrize("module", EXAMPLES)
def test_examples_of_a_module_run(module, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    for example in EXAMPLES[module]:
        runner.run(example)
    assert runner.summarize(verbose=False).failed == 0, capsys.readouterr().out


def test_there_are_examples():
    assert sum(map(len, EXAMPLES.values())) >= 40
