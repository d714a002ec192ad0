"""What several commands have in common: options, lists of presets, and a command that goes without its name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from forestage.chain import Chain

POOR = 3  # what --strict ends with

HEADPHONE_EQ = click.option(
    "--headphone-eq",
    type=click.Path(path_type=Path),
    help="Equaliser of your headphones: parametric text (.txt, AutoEq) or impulse responses (.wav).",
)

OVERWRITE = click.option("--overwrite", is_flag=True, help="Replace existing files.")

CHAIN = click.option(
    "--chain",
    "chain_file",
    type=click.Path(path_type=Path),
    help="Effects before and after Forestage, as on a track of a DAW: a TOML file (docs/chain.md).",
)


def chain_of(path: Path | None) -> Chain | None:
    """Read what ``--chain`` names."""
    if path is None:
        return None
    from forestage.chain import load_chain

    return load_chain(path)


class WithDefault(click.Group):
    """A group that runs its command `default` when what comes first names no other.

    What is hidden there shows its options in the help of the group.
    """

    def __init__(self, *args: Any, default: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.default = default

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the name of the command in front."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [self.default, *args]
        return super().parse_args(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Show the options of that command, where it has no line of its own."""
        if not self.commands[self.default].hidden:
            super().format_options(ctx, formatter)
            return
        self.commands[self.default].format_options(ctx, formatter)
        self.format_commands(ctx, formatter)


class WithLists(click.Command):
    """A command whose ``--presets`` takes all words up to the next option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Repeat the option for each of its words."""
        words: list[str] = []
        is_list = False
        for word in args:
            if word.startswith("-"):
                is_list = word == "--presets"
                words += [] if is_list else [word]
            else:
                words += ["--presets", word] if is_list else [word]
        return super().parse_args(ctx, words)
