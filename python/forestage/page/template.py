"""Templates of pages, all of which extend ``base.html.jinja``."""

from __future__ import annotations

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from forestage._core import __version__


def environment(package: str) -> Environment:
    """Where the templates of a package are; what they are not told is an error, and texts are never markup."""
    made = Environment(
        loader=ChoiceLoader([PackageLoader(package, "."), PackageLoader("forestage.page", ".")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["version"] = __version__
    return made
