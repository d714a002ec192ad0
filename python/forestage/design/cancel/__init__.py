"""Crosstalk cancellation: every method in one form, from a problem to the weights of the drivers."""

from collections.abc import Callable, Mapping

import numpy as np

from forestage.arrays import ComplexArray
from forestage.design.cancel import baselines, robust
from forestage.design.cancel.beside import kept_beside
from forestage.design.cancel.closed_form import closed_form
from forestage.design.cancel.problem import CancelProblem, cancel_problem, zone_plants
from forestage.design.cancel.target import CancelTarget

Method = Callable[[CancelProblem, int], ComplexArray]

METHODS: Mapping[str, Method] = {
    "exact": baselines.exact_inverse,
    "kirkeby": baselines.kirkeby,
    "choueiri": baselines.choueiri,
    "race": baselines.race,
    "camilladsp": baselines.camilladsp,
    "easyeffects": baselines.easyeffects,
    "closed-form": closed_form,
    "least-squares": robust.least_squares,
    "rayleigh": robust.rayleigh,
    "null-steering": robust.null_steering,
    "minimax": robust.minimax,
}

# Those that keep to the drive cap
CAPPED = ("closed-form", "least-squares", "null-steering", "minimax")

__all__ = ["CAPPED", "METHODS", "CancelProblem", "CancelTarget", "Method", "cancel_problem", "solve", "zone_plants"]


def solve(problem: CancelProblem, method: str) -> ComplexArray:
    """Weights of all drivers for both channels, shape (drivers, 2, n).

    Raises
    ------
    ValueError
        When there is no such method.
    """
    if method not in METHODS:
        raise ValueError(f'method = "{method}": must be one of {", ".join(METHODS)}')
    left = METHODS[method](problem, 0)
    right = METHODS[method](problem, 1) if problem.images is None else left[problem.images]
    weights = np.stack([left, right], axis=1)
    if method == "minimax" and len(problem.beside):
        weights = kept_beside(problem, weights)
    return weights
