"""Many songs by many presets, on the cores of one machine or on a cluster: `render`.

What is done is known by what it was made of, so that a run that was stopped goes on where it was, and what changed is
done again. Nothing here schedules: tasks go to Dask, to a cluster of this machine or to any other.
"""

from forestage.extras import needed

with needed("scale"):
    from .runner import Summary, render

__all__ = ["Summary", "render"]
