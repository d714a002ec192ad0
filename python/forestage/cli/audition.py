"""``forestage audition``: parse, call, print."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forestage.command import AnyCase, progress_bar, settings_of
from forestage.params import BY_ID

from .options import CHAIN, HEADPHONE_EQ, WithDefault, WithLists, chain_of

if TYPE_CHECKING:
    from forestage.audition.make import Plan
    from forestage.audition.session import Session

METHODS = ("preference", "abx", "mushra")
LOOPBACK = "127.0.0.1"


@click.group(cls=WithDefault, default="new", subcommand_metavar="SONGS... | COMMAND [ARGS]...")
def audition() -> None:
    """Compare presets blind, equally loud and aligned to the sample, in a browser.

    Makes a session of SONGS, or goes on with it when the folder holds just that one, and serves its page:
    forestage audition song.flac --presets laptop tablet -o evening

    What came out: forestage audition results evening
    """


def _served(command: Any) -> Any:
    command = click.option(
        "--host", default=LOOPBACK, show_default=True, help="Address to serve on; this machine alone by default."
    )(command)
    return click.option("--port", type=click.IntRange(1, 65535), help="Port; a free one by default.")(command)


@audition.command("new", cls=WithLists, hidden=True)
@click.argument("songs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--presets", multiple=True, metavar="PRESET...", help="Factory names or preset files, one or more.")
@click.option("-o", "--output", "folder", type=click.Path(path_type=Path), required=True, help="Folder of the session.")
@click.option("--method", type=AnyCase(METHODS), default="preference", show_default=True, help="How to compare.")
@click.option("--trials", type=click.IntRange(1, 1000), help="Per listener; 12 by default, one a song in MUSHRA.")
@click.option(
    "-m", "--monitor", type=AnyCase(BY_ID["monitor"].choices[:2]), default="Headphones", show_default=True,
    help="At the ears, or for devices with two drivers their feeds.",
)  # fmt: skip
@click.option("--room", is_flag=True, help="In the room of the presets.")
@click.option("--plain", is_flag=True, help="Compare the unaided device of the first preset, too.")
@click.option("--start", "start_s", type=click.FloatRange(0), default=0.0, help="Where excerpts begin, in seconds.")
@click.option("--seconds", "length_s", type=click.FloatRange(0.4, 300), help="Length of excerpts; all by default.")
@click.option("-s", "--set", "pairs", multiple=True, metavar="ID=VALUE", help="Any parameter of Forestage; repeatable.")
@HEADPHONE_EQ
@CHAIN
@click.option("--static", type=click.Path(path_type=Path), metavar="FOLDER", help="Write a page that needs no server.")
@click.option("--webmushra", type=click.Path(path_type=Path), metavar="FOLDER", help="Write what webMUSHRA takes.")
@click.option("--no-serve", is_flag=True, help="End when the session is made.")
@_served
def new_command(
    songs: tuple[Path, ...],
    presets: tuple[str, ...],
    folder: Path,
    method: str,
    trials: int | None,
    monitor: str,
    room: bool,
    plain: bool,
    start_s: float,
    length_s: float | None,
    pairs: tuple[str, ...],
    headphone_eq: Path | None,
    chain_file: Path | None,
    static: Path | None,
    webmushra: Path | None,
    no_serve: bool,
    host: str,
    port: int | None,
) -> None:
    """Make a session of SONGS, or go on with it when the folder holds just that one, and serve its page."""
    from forestage.audition.make import Plan

    if not presets:
        raise click.UsageError("--presets: which ones to compare; --presets laptop tablet would be right")
    if webmushra is not None:
        from forestage.audition.webmushra import check_method

        check_method(method)
    settings: dict[str, Any] = settings_of(pairs)
    if room:
        settings["room"] = "On"
    if headphone_eq is not None:
        settings["headphone_eq"] = headphone_eq
    plan = Plan(
        songs,
        presets,
        method=method,
        trials=trials,
        monitor=monitor,
        has_plain=plain,
        start_s=start_s,
        length_s=length_s,
        settings=settings,
        chain=chain_of(chain_file),
    )
    session = _session(plan, folder)
    _written(session, folder, static, webmushra)
    if static is None and webmushra is None and not no_serve:
        _serve(folder, session, host, port)


def _session(plan: Plan, folder: Path) -> Session:
    """The session of a folder when it is the one that is asked for; otherwise a new one, where none is."""
    from forestage.audition.make import made_of, make_session
    from forestage.audition.session import FILE, load_session

    if (folder / FILE).exists():
        session = load_session(folder)
        wanted = json.loads(json.dumps(made_of(plan)))
        other = [key for key, value in wanted.items() if session.made_of.get(key) != value]
        if other:
            raise FileExistsError(
                f"{folder} holds a session with other {', '.join(other)}; another folder would be right, or "
                f"`forestage audition serve {folder}` to go on with it"
            )
        click.echo(f"{folder}: going on with its session")
        return session
    if folder.is_dir() and any(folder.iterdir()):
        raise FileExistsError(f"{folder}: is not empty, and holds no session; a new folder would be right")
    notes: list[str] = []
    try:
        with progress_bar(f"Rendering {len(plan.songs)} × {len(plan.presets)}") as progress:
            session = make_session(plan, folder, progress=progress, say=notes.append)
    finally:
        for note in notes:
            click.echo(note, err=True)
    spread = max(
        max(sound.lufs for sound in song.sounds.values()) - min(sound.lufs for sound in song.sounds.values())
        for song in session.songs
    )
    click.echo(f"{folder}: {len(session.songs)} × {len(session.versions)} sounds, equally loud within {spread:.2f} LU")
    return session


def _written(session: Session, folder: Path, static: Path | None, webmushra: Path | None) -> None:
    if static is not None:
        from forestage.audition.static import write_static

        click.echo(f"{write_static(folder, session, static)}: open it in a browser, from any place")
    if webmushra is not None:
        from forestage.audition.webmushra import write_webmushra

        click.echo(f"{write_webmushra(folder, session, webmushra)}: the folder goes into configs of webMUSHRA")


def _serve(folder: Path, session: Session, host: str, port: int | None) -> None:
    from forestage.audition.server import serve

    if host != LOOPBACK:
        click.echo(f"served to whoever reaches {host}, and has the address; not encrypted", err=True)
    serve(folder, session, host=host, port=port, say=lambda url: click.echo(f"Open {url} (Ctrl-C ends)"))


@audition.command("serve")
@click.argument("folder", metavar="SESSION", type=click.Path(path_type=Path))
@click.option("--static", type=click.Path(path_type=Path), metavar="FOLDER", help="Write a page that needs no server.")
@click.option("--webmushra", type=click.Path(path_type=Path), metavar="FOLDER", help="Write what webMUSHRA takes.")
@_served
def serve_command(folder: Path, static: Path | None, webmushra: Path | None, host: str, port: int | None) -> None:
    """Go on with a SESSION: serve its page again, at the same address."""
    from forestage.audition.session import load_session

    session = load_session(folder)
    _written(session, folder, static, webmushra)
    if static is None and webmushra is None:
        _serve(folder, session, host, port)


@audition.command("results")
@click.argument("folder", metavar="SESSION", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Everything as JSON.")
@click.option("--csv", "as_csv", is_flag=True, help="All ratings as CSV, one a line.")
@click.option("--plot", type=click.Path(path_type=Path), metavar="FILE", help="Plot; SESSION/results.png by default.")
def results_command(folder: Path, as_json: bool, as_csv: bool, plot: Path | None) -> None:
    """Say what the ratings of a SESSION come to: tables, exact tests, intervals of confidence, a plot."""
    if as_json and as_csv:
        raise click.UsageError("--json or --csv: one of them would be right")
    from forestage.audition.analysis import summary
    from forestage.audition.results import Results
    from forestage.audition.session import load_session

    session = load_session(folder)
    with Results(folder, session) as results:
        ratings, listeners = results.ratings(), results.listeners()
    if as_json:
        click.echo(json.dumps(finite(summary(session, ratings, listeners)), indent=1, ensure_ascii=False))
    if as_csv or not as_json:
        from forestage.audition import show

        if as_csv:
            click.echo(show.csv_text(session, ratings, listeners), nl=False)
            return
        click.echo(show.text(session, ratings, listeners))
        if ratings:
            click.echo(show.save_plot(session, ratings, listeners, plot or folder / "results.png"))
    elif plot is not None and ratings:
        from forestage.audition import show

        show.save_plot(session, ratings, listeners, plot)


def finite(value: Any) -> Any:
    """The same with null for what is no number, which JSON has no word for."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and value != value else value


@audition.command("merge")
@click.argument("folder", metavar="SESSION", type=click.Path(path_type=Path))
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
def merge_command(folder: Path, files: tuple[Path, ...]) -> None:
    """Take FILES that listeners saved from a page without a server into a SESSION; twice does no harm."""
    from forestage.audition.results import Results, merge
    from forestage.audition.session import load_session

    session = load_session(folder)
    is_bad = False
    with Results(folder, session) as results:
        for path in files:
            try:
                name, rows, new = merge(results, session, path)
            except (OSError, ValueError) as error:
                is_bad = True
                click.echo(f"forestage: {error}", err=True)
            else:
                click.echo(f"{path}: {name}, {rows} ratings, {new} of them new")
    if is_bad:
        raise SystemExit(1)
