"""Receivers that a team could have written, run as the servers they would run.

They live in `tests/receivers`, know nothing of hookproof, and take one planted mistake each by
name (`BUGS`), so that a test can say of a rule: this is what it must find, and this it must not.
"""

import functools
import http.client
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from support.planted import BUGS, exposed_by

RECEIVERS = Path(__file__).resolve().parent.parent / "receivers"
SECRET = "hookproof-secret-0001"

START_SECONDS = 60.0
STOP_SECONDS = 30.0
COLLISIONS_BORNE = 5


class DidNotStartError(RuntimeError):
    """The receiver ended, or did not answer in time; the words hold what it printed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningReceiver:
    """A receiver that answers on a loopback port of its own."""

    kind: str
    url: str
    effects_url: str
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """How one kind of receiver is started, and what each worker prints when it is ready.

    `ignores_replays` says that it acknowledges what it has seen, unless it is told otherwise.
    `may_warn` holds the ids of the rules at SHOULD that it breaks, and is right all the same.
    """

    command: Callable[[int, int], tuple[str, ...]]
    ready: str
    workers: int
    missing: Callable[[], str | None]
    ignores_replays: bool = False
    may_warn: frozenset[str] = frozenset()


# --- what can run here ---------------------------------------------------------------------------


def _missing_modules(*names: str) -> str | None:
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    return f"not installed: {', '.join(missing)}" if missing else None


@functools.cache
def _missing_php() -> str | None:
    if shutil.which("php") is None:
        return "php is not installed (apt-get install php-cli php-sqlite3)"
    listed = subprocess.run(["php", "-m"], capture_output=True, text=True, check=False, timeout=20)
    if "pdo_sqlite" not in listed.stdout.split():
        return "php has no pdo_sqlite (apt-get install php-sqlite3)"
    return None


def _missing_express() -> str | None:
    if shutil.which("node") is None:
        return "node is not installed (apt-get install nodejs npm)"
    if not (RECEIVERS / "express/node_modules/express/package.json").is_file():
        return f"express is not installed (npm install in {RECEIVERS / 'express'})"
    return None


# --- how it is started ---------------------------------------------------------------------------


def _php(port: int, _workers: int) -> tuple[str, ...]:
    # The development settings would print warnings into the answer, and turn a 500 into a 200.
    quiet = ("-d", "display_errors=0", "-d", "log_errors=1", "-d", "html_errors=0")
    return ("php", *quiet, "-S", f"127.0.0.1:{port}", str(RECEIVERS / "php/receiver.php"))


def _gunicorn(*options: str, app: str = "flask_app:app") -> Callable[[int, int], tuple[str, ...]]:
    def command(port: int, workers: int) -> tuple[str, ...]:
        # The control socket has one place per user, which parallel tests would fight over.
        bound = ("--bind", f"127.0.0.1:{port}", "--workers", str(workers), "--no-control-socket")
        # Loaded before the fork, all workers serve at once: no race is left to the first of them.
        chosen = ("--preload", "--chdir", str(RECEIVERS), *options, app)
        return (sys.executable, "-m", "gunicorn", *bound, *chosen)

    return command


def _uvicorn(port: int, workers: int) -> tuple[str, ...]:
    bound = ("--host", "127.0.0.1", "--port", str(port), "--workers", str(workers))
    return (sys.executable, "-m", "uvicorn", *bound, "--app-dir", str(RECEIVERS), "fastapi_app:app")


def _node(_port: int, workers: int) -> tuple[str, ...]:
    if workers != 1:
        raise ValueError("the Express receiver keeps its nonces in memory: one process only")
    return ("node", str(RECEIVERS / "express/app.js"))


def _script(name: str) -> Callable[[int, int], tuple[str, ...]]:
    def command(_port: int, workers: int) -> tuple[str, ...]:
        if workers != 1:
            raise ValueError(f"{name} keeps its nonces in memory: one process only")
        return (sys.executable, str(RECEIVERS / name))

    return command


def _missing_flask() -> str | None:
    return _missing_modules("flask", "gunicorn")


_NO_CHUNKS = frozenset({"valid-chunked"})

SERVERS: Mapping[str, Server] = MappingProxyType(
    {
        "php": Server(
            command=_php,
            ready="Development Server",
            workers=4,
            missing=_missing_php,
            ignores_replays=True,
        ),
        "flask": Server(
            command=_gunicorn(),
            ready="Booting worker",
            workers=3,
            missing=_missing_flask,
        ),
        "flask-gthread": Server(
            command=_gunicorn("--worker-class", "gthread", "--threads", "4"),
            ready="Booting worker",
            workers=2,
            missing=_missing_flask,
        ),
        "fastapi": Server(
            command=_uvicorn,
            ready="Application startup complete",
            workers=1,
            missing=lambda: _missing_modules("fastapi", "uvicorn"),
            ignores_replays=True,
        ),
        "express": Server(
            command=_node,
            ready="listening on",
            workers=1,
            missing=_missing_express,
        ),
        "django": Server(
            command=_gunicorn(app="django_app:app"),
            ready="Booting worker",
            workers=2,
            missing=lambda: _missing_modules("django", "gunicorn"),
            may_warn=_NO_CHUNKS,
        ),
        "aiohttp": Server(
            command=_script("aiohttp_app.py"),
            ready="listening",
            workers=1,
            missing=lambda: _missing_modules("aiohttp"),
            ignores_replays=True,
        ),
        "http.server": Server(
            command=_script("httpserver_app.py"),
            ready="listening on",
            workers=1,
            missing=lambda: None,
            may_warn=_NO_CHUNKS,
        ),
    }
)
KINDS = tuple(SERVERS)


def available(kind: str) -> str | None:
    """Why receivers of this kind cannot run here, in words for `pytest.skip`; None if they can."""
    return SERVERS[kind].missing()


@contextmanager
def running(
    kind: str,
    *,
    store: Path,
    bug: str = "",
    workers: int = 0,
    replay: str = "",
    secret: str = SECRET,
    tolerance: int = 3600,
) -> Iterator[RunningReceiver]:
    """A real server of this kind on a free port, ended with all its children afterwards.

    `store` is the SQLite file, made if it does not exist: the same file again is a restart.
    `workers` 0 and `replay` "" leave the choice to the receiver.

    Raises:
        DidNotStartError: it ended or was silent; the words hold its output.
        KeyError: no such kind. ValueError: this kind has no such bug.
    """
    if bug and kind not in BUGS[bug].kinds:
        raise ValueError(f"{kind} has no bug {bug!r}")
    settings = {
        "WEBHOOK_SECRET": secret,
        "STORE": str(store.resolve()),
        "TOLERANCE": str(tolerance),
        "REPLAY": replay,
        "BUG": bug,
    }
    workers = workers or SERVERS[kind].workers
    with tempfile.TemporaryDirectory(prefix="receiver-") as folder:
        started = _start(kind, workers, settings, Path(folder) / "output")
        origin = f"http://127.0.0.1:{started.port}"
        try:
            yield RunningReceiver(
                kind=kind,
                url=f"{origin}/webhook",
                effects_url=f"{origin}/effects",
                secret=secret,
            )
        finally:
            _stop(started.process, started.port)


@dataclass(frozen=True, slots=True)
class _Started:
    process: subprocess.Popen[bytes]
    port: int


def _start(kind: str, workers: int, settings: Mapping[str, str], output: Path) -> _Started:
    """Tries again on another port when somebody took ours between the choice and the start."""
    for _ in range(COLLISIONS_BORNE):
        port = _free_port()
        process = _spawn(SERVERS[kind].command(port, workers), port, workers, settings, output)
        try:
            if _comes_up(process, port, SERVERS[kind].ready, workers, output):
                return _Started(process, port)
        except BaseException:
            _stop(process, port)
            raise
        _stop(process, port)
        if "in use" not in _text(output):
            break
    raise DidNotStartError(f"the {kind} receiver did not start:\n{_text(output)}")


def _free_port() -> int:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        return int(chosen.getsockname()[1])


def _spawn(
    command: tuple[str, ...], port: int, workers: int, settings: Mapping[str, str], output: Path
) -> subprocess.Popen[bytes]:
    """In a session of its own, so that its process group is the server and all its workers."""
    # Only what a service manager would hand over: the settings of the test run are not its own.
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    chosen = {"PORT": str(port), "PHP_CLI_SERVER_WORKERS": str(workers), "NODE_ENV": "production"}
    with output.open("wb") as log:
        return subprocess.Popen(
            command,
            env={**inherited, **chosen, **settings},
            cwd=output.parent,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _comes_up(
    process: subprocess.Popen[bytes], port: int, ready: str, workers: int, output: Path
) -> bool:
    """Its own words come first: an answer alone might be another server's, on a port it lost.

    And the words of all workers: a race that meets the first one only is none.
    """
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        printed = _text(output)
        if "in use" in printed:
            return False
        status = _effects_status(port) if printed.count(ready) >= workers else None
        if status is not None:
            return status == 200
        time.sleep(0.01)
    return False


def _effects_status(port: int) -> int | None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
    try:
        connection.request("GET", "/effects")
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _text(output: Path) -> str:
    return output.read_text(errors="replace")


def _stop(process: subprocess.Popen[bytes], port: int) -> None:
    """At once and for the whole group: a receiver that hangs would not heed a polite request."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=STOP_SECONDS)
    # Workers are not our children to wait for; the port is free when the last of them is gone.
    deadline = time.monotonic() + STOP_SECONDS
    while _is_listening(port) and time.monotonic() < deadline:
        time.sleep(0.005)


def _is_listening(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


def exposed_by_status(kind: str, bug: str) -> frozenset[str]:
    """The ids of the rules at MUST that fail where no probe tells of effects."""
    match BUGS[bug].unseen:
        case "always":
            return frozenset()
        case "where replays are ignored" if SERVERS[kind].ignores_replays:
            return frozenset()
    return exposed_by(kind, bug)
