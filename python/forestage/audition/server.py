"""The server of a session: pages, sounds and ratings, for browsers on this machine unless asked otherwise."""

from __future__ import annotations

import hashlib
import json
import secrets
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING, Any

from forestage.files import written_whole

from .draw import Trial, trials
from .results import Results
from .session import SOUNDS, Session, listener_name

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

LOOPBACK = "127.0.0.1"
ADDRESS_FILE = "address.json"
LARGEST_REQUEST = 1 << 20
PAGES = {
    "": ("page.html", "text/html; charset=utf-8"),
    "page.js": ("page.js", "text/javascript; charset=utf-8"),
    "player.js": ("player.js", "text/javascript; charset=utf-8"),
    "fade.js": ("fade.js", "text/javascript; charset=utf-8"),
    "page.css": ("page.css", "text/css; charset=utf-8"),
}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def page_file(name: str) -> bytes:
    """A file of the page."""
    home = "forestage" if name == "fade.js" else __package__  # what pages of others play with, too
    return files(home).joinpath("pages", name).read_bytes()


def public_form(session: Session) -> dict[str, Any]:
    """What the page may know of a session: nothing about what is compared."""
    return {
        "id": session.id,
        "method": session.method,
        "trials": session.trials,
        "songs": [
            {"name": song.name, "sample_rate": song.sample_rate, "seconds": song.frames / song.sample_rate}
            for song in session.songs
        ],
    }


def draw_id(plan: Sequence[Trial]) -> str:
    """What tells one draw from all others, and nothing about it."""
    return hashlib.sha256(json.dumps([trial.form() for trial in plan]).encode()).hexdigest()[:16]


def application(folder: Path, session: Session, results: Results, token: str) -> Starlette:
    """The web application; everything is below the token."""
    _needed()
    from starlette.applications import Starlette
    from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
    from starlette.routing import Route

    def answer(value: Any, status: int = 200) -> Response:
        return JSONResponse(value, status, headers=HEADERS)

    def guarded(handler: Callable[[Request], Any]) -> Callable[[Request], Any]:
        async def checked(request: Request) -> Response:
            if not secrets.compare_digest(request.path_params["token"].encode(), token.encode()):
                return PlainTextResponse("not found", 404, headers=HEADERS)
            try:
                response: Response = await handler(request)
                return response
            except KeyError:
                return answer({"error": "no such listener: begin again with your name"}, 404)
            except ValueError as error:
                return answer({"error": str(error)}, 422)

        return checked

    def page(name: str, kind: str) -> Callable[[Request], Any]:
        async def sent(request: Request) -> Response:
            return Response(page_file(name), media_type=kind, headers=HEADERS)

        return sent

    async def session_json(request: Request) -> Response:
        return answer(public_form(session))

    async def body_of(request: Request) -> dict[str, Any]:
        size = int(request.headers.get("content-length") or 0)
        if size > LARGEST_REQUEST:
            raise ValueError(f"{size} bytes; at most {LARGEST_REQUEST} would be right")
        form = json.loads(await request.body())
        if not isinstance(form, dict):
            raise ValueError("an object would be right")
        return form

    async def listen(request: Request) -> Response:
        name = listener_name((await body_of(request)).get("name"))
        listener = hashlib.sha256(f"{session.id}/{name}".encode()).hexdigest()[:24]
        plan, done = results.begin(listener, name, trials(session, SystemRandom()))
        shown = [{"song": trial.song, "letters": list(trial.sounds)} for trial in plan]
        return answer({"listener": listener, "name": name, "draw": draw_id(plan), "plan": shown, "done": done})

    async def sound(request: Request) -> Response:
        values = request.path_params
        plan = results.plan(values["listener"])
        letters = plan[values["trial"]].sounds if values["trial"] < len(plan) else {}
        if values["letter"] not in letters:
            raise ValueError(f"trial {values['trial']} has no sound {values['letter']!r}")
        return FileResponse(
            folder / SOUNDS / f"{letters[values['letter']]}.flac", media_type="audio/flac", headers=HEADERS
        )

    async def rate(request: Request) -> Response:
        form = await body_of(request)
        answers = form.get("answers")
        if not isinstance(answers, list):
            raise ValueError("answers: a list would be right")
        listener = str(form.get("listener"))
        if form.get("draw") != draw_id(results.plan(listener)):
            raise ValueError("these answers are of another draw: the results of this session were begun anew")
        return answer({"stored": results.rate(listener, answers)})

    return Starlette(
        routes=[
            *(Route(f"/{{token}}/{path}", guarded(page(*file))) for path, file in PAGES.items()),
            Route("/{token}/session.json", guarded(session_json)),
            Route("/{token}/listen", guarded(listen), methods=["POST"]),
            Route("/{token}/sounds/{listener}/{trial:int}/{letter}", guarded(sound)),
            Route("/{token}/ratings", guarded(rate), methods=["POST"]),
        ]
    )


def bound_socket(host: str, port: int) -> socket.socket:
    """A socket to listen on.

    Raises
    ------
    OSError
        When the port is in use, or the machine has no such address.
    """
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        hint = "another --port would be right, or none" if port else "127.0.0.1 would be right"
        reason = str(error.strerror or error).partition(" (while")[0].lower()
        raise OSError(f"{host}:{port}: {reason}; {hint}") from None


def kept_address(folder: Path, host: str, port: int | None) -> tuple[str, socket.socket]:
    """Token and socket of a session: the same as the last time, so that pages that are open go on."""
    path = folder / ADDRESS_FILE
    try:
        kept = json.loads(path.read_text())
        token, last = str(kept["token"]), int(kept["port"])
    except (OSError, ValueError, KeyError, TypeError):
        token, last = secrets.token_urlsafe(16), 0
    if port is None and last:
        try:
            bound = bound_socket(host, last)
        except OSError:  # somebody else has it now
            bound = bound_socket(host, 0)
    else:
        bound = bound_socket(host, port or 0)
    with written_whole(path) as file:
        file.write(json.dumps({"token": token, "port": bound.getsockname()[1]}).encode())
    path.chmod(0o600)
    return token, bound


def serve(folder: Path, session: Session, *, host: str, port: int | None, say: Callable[[str], object]) -> None:
    """Serve a session until Ctrl-C."""
    _needed()
    import uvicorn

    with Results(folder, session) as results:
        token, bound = kept_address(folder, host, port)
        with bound:
            app = application(folder, session, results, token)
            server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
            with suppress(KeyboardInterrupt):  # the way to end it
                say(f"http://{_shown(host)}:{bound.getsockname()[1]}/{token}/")
                server.run(sockets=[bound])


def _shown(host: str) -> str:
    """An address as browsers take it: of a machine that is served on all of its addresses, its name."""
    if host in ("0.0.0.0", "::"):
        return socket.gethostname()
    return f"[{host}]" if ":" in host else host


def _needed() -> None:
    try:
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError:
        raise RuntimeError(
            "the page of an audition needs Starlette and uvicorn: pip install 'forestage[audition]' "
            "(--static needs neither)"
        ) from None
