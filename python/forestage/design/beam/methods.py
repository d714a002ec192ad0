"""All beam methods, in one form: from a problem to the weights of its voices, shape (voices, n), with 1 on axis.

Examples
--------
>>> sorted(METHODS)
['exact-ratio', 'lcmv', 'null-shape', 'plain-mix', 'ratio-search', 'rayleigh', 'superdirective']
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from forestage.arrays import ComplexArray
from forestage.design.beam import closed_form
from forestage.design.beam.problem import BeamProblem
from forestage.design.beam.search import ratio_search

Method = Callable[[BeamProblem], ComplexArray]

METHODS: Mapping[str, Method] = {
    "plain-mix": closed_form.plain_mix,
    "lcmv": closed_form.lcmv,
    "rayleigh": closed_form.rayleigh,
    "exact-ratio": closed_form.exact_ratio,
    "null-shape": closed_form.null_shape,
    "superdirective": closed_form.superdirective,
    "ratio-search": ratio_search,
}


def check_method(method: str) -> None:
    """Refuse a method that there is not."""
    if method not in METHODS:
        raise ValueError(f'method = "{method}": must be one of {", ".join(METHODS)}')


def solve(problem: BeamProblem, method: str) -> ComplexArray:
    """Weights of the voices by one of the methods, within the bound of the white noise gain.

    Raises
    ------
    ValueError
        When there is no such method.
    """
    check_method(method)
    return closed_form.bounded(problem, METHODS[method](problem))
