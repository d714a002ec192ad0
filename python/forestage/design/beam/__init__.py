"""The centre beam: every method in one form, and the plan and filters of a device.

`plan_beam` finds the smooth ratios between the drivers of a device, `beam_firs` makes filters of them. The methods that
can be chosen, or compared on arrays of one's own, are in `METHODS`.
"""

from forestage.design.beam.find import plan_beam
from forestage.design.beam.firs import beam_firs
from forestage.design.beam.methods import METHODS, solve
from forestage.design.beam.plan import BeamPlan
from forestage.design.beam.problem import BeamProblem, beam_problem
from forestage.design.beam.target import BeamTarget
from forestage.design.beam.tolerance import spread_on_off_db

__all__ = [
    "METHODS",
    "BeamPlan",
    "BeamProblem",
    "BeamTarget",
    "beam_firs",
    "beam_problem",
    "plan_beam",
    "solve",
    "spread_on_off_db",
]
