"""Starts, stops and talks to the built program, with nothing but the standard library."""

import fcntl
import http.client
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("PATHLIGHT_BINARY") or ROOT / ".build/release/pathlight")
MODELS = ROOT / "models"
# The general model, which is fetched, and the one that a start takes where nothing is said.
MODEL = "all-MiniLM-L6-v2"
DEFAULT_MODEL = "all-MiniLM-L6-v2-occupations"
SHARED_DATA = Path(os.environ.get("PATHLIGHT_SHARED_DATA") or ROOT / "../shared/data").resolve()

# Commands run in an empty folder: a pathlight.yaml or data folder in the checkout must not reach into the tests.
EMPTY_FOLDER = tempfile.TemporaryDirectory(prefix="pathlight-blackbox-")
# A service that finds no model here starts at once: it embeds nothing.
NO_MODELS = {"PATHLIGHT_MODELS": EMPTY_FOLDER.name}

START_SECONDS = 120
STOP_SECONDS = 30
REPLY_SECONDS = 30


def clean_environment(**settings):
    """The caller's environment without the product's own settings, plus those given."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(("PATHLIGHT_", "OPENAI_", "GEMINI_"))
            and name not in ("DATABASE_URL", "LOG_LEVEL", "OPENAPI_KEY")}
    return {**kept, "PATHLIGHT_MODELS": str(MODELS), **settings}


def run_command(*arguments, stdin="", timeout=120, **settings):
    """Runs `pathlight ARGUMENTS` to its end; output comes back as text."""
    return subprocess.run([str(BINARY), *map(str, arguments)], input=stdin, capture_output=True, text=True,
                          timeout=timeout, cwd=EMPTY_FOLDER.name, env=clean_environment(**settings), check=False)


def make_database(folder, **settings):
    """Makes a database as a first start does, with nothing in it: commands that look do not make any."""
    made = run_command("keys", "create", "--role", "service", "--data", folder, **settings)
    assert made.returncode == 0, made.stderr
    with sqlite3.connect(Path(folder) / "pathlight.db") as database:
        assert database.execute("DELETE FROM api_keys").rowcount == 1
    database.close()
    return folder


def common_folder():
    """A folder for all processes of a run; the first, which starts those that run tests, takes it away at its end."""
    if "PYTEST_XDIST_WORKER" in os.environ and "PATHLIGHT_TESTS_COMMON" in os.environ:
        return None, Path(os.environ["PATHLIGHT_TESTS_COMMON"])
    folder = tempfile.TemporaryDirectory(prefix="pathlight-common-")
    os.environ["PATHLIGHT_TESTS_COMMON"] = folder.name
    # The folder lives as long as what names it.
    return folder, Path(folder.name)


COMMON_OWNER, COMMON_FOLDER = common_folder()


def made_once(name, make):
    """What `make(path)` makes, of whichever process comes first; to be copied."""
    made = COMMON_FOLDER / name
    with open(COMMON_FOLDER / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            unfinished = COMMON_FOLDER / f"{name}.unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            make(unfinished)
            unfinished.rename(made)
    return made


# Below those that the system gives to clients; each process that runs tests takes a block of them for itself.
FIRST_PORT, LAST_PORT, BLOCK = 12_000, 28_000, 50
# Not by TMPDIR: what all runs of a user share, those of other checkouts too.
PORTS_FOLDER = Path(f"/tmp/pathlight-ports-{os.getuid()}")
# As long as they are open, the blocks are this process's: the system lets go of them with the process, however it ends.
HELD_BLOCKS = []


def claim_block():
    """A block of ports that no other process of this user has."""
    PORTS_FOLDER.mkdir(mode=0o700, exist_ok=True)
    for first in range(FIRST_PORT, LAST_PORT, BLOCK):
        lock = open(PORTS_FOLDER / f"{first}.lock", "w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            continue
        HELD_BLOCKS.append(lock)
        return range(first, first + BLOCK)
    raise AssertionError(f"all blocks of ports are taken: who holds the files in {PORTS_FOLDER}?")


def own_ports():
    """The ports of this process, in turn: one comes again when it is long let go of."""
    ports = []
    while True:
        ports += claim_block()
        served = len(ports)
        while served > 0:  # Round after round, until a whole one had no port that was free.
            served = 0
            for port in ports:
                if is_free(port):
                    served += 1
                    yield port


def is_free(port):
    with socket.socket() as probe:
        # As servers bind: connections of the last one that linger are in nobody's way.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


PORTS = own_ports()
PORTS_LOCK = threading.Lock()


def free_port():
    with PORTS_LOCK:
        return next(PORTS)


def listens(process, port):
    """Whether it is `process` itself that listens on `port`: another service there would answer as well."""
    sockets = set()
    for table in ("tcp", "tcp6"):
        for line in Path("/proc/net", table).read_text().splitlines()[1:]:
            _, local, _, state, *rest = line.split()
            if state == "0A" and int(local.rpartition(":")[2], 16) == port:
                sockets.add(f"socket:[{rest[5]}]")
    if not sockets:
        return False
    try:
        return any(os.readlink(file) in sockets for file in Path(f"/proc/{process.pid}/fd").iterdir())
    except OSError:  # It has closed a file meanwhile, or ended.
        return False


class Reply:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def media_type(self):
        return (self.headers.get("content-type") or "").split(";")[0].strip()

    @property
    def json(self):
        return json.loads(self.body)

    def expect(self, status):
        """The body as JSON, after making sure of the status."""
        assert self.status == status, f"expected {status}, got {self.status}: {self.body[:2000]!r}"
        return self.json

    def expect_problem(self, status=None, code=None):
        """The body as a problem document (RFC 9457), after making sure that it is one."""
        assert 400 <= self.status < 600, f"expected a problem, got {self.status}: {self.body[:2000]!r}"
        assert self.media_type == "application/problem+json", f"{self.media_type}: {self.body[:500]!r}"
        problem = self.json
        for name, kind in (("type", str), ("title", str), ("status", int), ("detail", str), ("code", str)):
            assert isinstance(problem.get(name), kind), f"{name} is missing or wrong in {problem}"
        assert problem["status"] == self.status
        assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", problem["code"]), problem["code"]
        if status is not None:
            assert self.status == status, f"expected {status}, got {self.status}: {problem}"
        if code is not None:
            assert problem["code"] == code, problem
        return problem

    def expect_named(self, name, *statuses):
        """A problem (422 where no status is given) that says which field, question or choice it objects to."""
        problem = self.expect_problem()
        assert problem["status"] in (statuses or (422,)), problem
        assert str(name) in problem["detail"] + json.dumps(problem.get("errors", [])), f"{name} is not named: {problem}"
        return problem


class Client:
    """One connection, kept alive between requests."""

    def __init__(self, port, timeout=REPLY_SECONDS):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.connection.close()

    def request(self, method, path, body=None, headers=None):
        try:
            self.connection.request(method, path, body=body, headers=headers or {})
        except (BrokenPipeError, ConnectionResetError):
            pass  # The service may refuse a body before all of it has been sent; its reply is there to be read.
        response = self.connection.getresponse()
        return Reply(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())

    def get(self, path, **headers):
        return self.request("GET", path, headers=headers)

    def post(self, path, document):
        return self.post_text(path, json.dumps(document))

    def post_text(self, path, text, media_type="application/json"):
        body = text if isinstance(text, bytes) else text.encode("utf-8")
        return self.request("POST", path, body=body, headers={"Content-Type": media_type})

    @property
    def is_connected(self):
        """Whether the last reply left the connection open."""
        return self.connection.sock is not None


# With these, another first start than the usual one is wanted.
FIRST_START = ("PATHLIGHT_MODEL", "PATHLIGHT_EMBEDDING_PRECISION", "PATHLIGHT_ENCRYPTION")


def first_data():
    """The data folder of a service that has started once, so that its careers have their vectors; to be copied."""
    def make(data):
        service = Service(data, COMMON_FOLDER / "first.log").start()
        assert service.terminate() == 0, service.log_tail()

    return made_once("first", make)


def seed(data):
    """Makes a data folder as a first start leaves it, without the seconds that embedding takes."""
    shutil.copytree(first_data(), data)
    return data


class Service:
    """A running `pathlight serve`."""

    host = "127.0.0.1"

    def __init__(self, data, log, is_seeded=False, **settings):
        """With `is_seeded`, a folder that is not there begins as a copy of `first_data()`: embedding takes seconds."""
        if is_seeded and not Path(data).exists() and not any(name.startswith(FIRST_START) for name in settings):
            seed(data)
        self.data = Path(data)
        self.log = Path(log)
        self.settings = settings
        self.port = None
        self.process = None

    def launch(self):
        """Starts the program without waiting for it."""
        self.port = free_port()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [str(BINARY), "serve", "--host", self.host, "--port", str(self.port), "--data", str(self.data)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=EMPTY_FOLDER.name,
                env=clean_environment(**self.settings))

    def start(self):
        """Starts the program and waits until it says that it is ready."""
        self.launch()
        deadline = time.monotonic() + START_SECONDS
        while True:
            if self.process.poll() is not None:
                raise AssertionError(f"the service ended with {self.process.returncode}:\n{self.log_tail()}")
            if listens(self.process, self.port) and self.is_ready():
                return self
            if time.monotonic() > deadline:
                self.kill()
                raise AssertionError(f"the service was not ready in {START_SECONDS} s:\n{self.log_tail()}")
            time.sleep(0.02)

    def is_ready(self):
        try:
            with self.client(timeout=5) as client:
                return client.get("/readyz").status == 200
        except (OSError, http.client.HTTPException):
            return False

    def client(self, timeout=REPLY_SECONDS):
        return Client(self.port, timeout)

    def socket(self, timeout=REPLY_SECONDS):
        return socket.create_connection(("127.0.0.1", self.port), timeout=timeout)

    def kill(self):
        """Ends the process as a power cut would: no handler runs, nothing is flushed."""
        self.process.send_signal(signal.SIGKILL)
        return self.process.wait(STOP_SECONDS)

    def terminate(self):
        """Asks the process to end and returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)

    def stop(self):
        if self.process is None or self.process.poll() is not None:
            return
        try:
            self.terminate()
        except subprocess.TimeoutExpired:
            self.kill()

    def log_tail(self, lines=40):
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-lines:])


def copy_models(target, altered=None):
    """A models folder like the installed one, made of links; `altered` names a file of the model to damage."""
    folder = target / MODEL
    for source in (MODELS / MODEL).rglob("*"):
        if source.is_file():
            link = folder / source.relative_to(MODELS / MODEL)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(source)
    shutil.copy(MODELS / "manifest.json", target)
    if altered is not None:
        file = folder / altered
        content = bytearray(file.read_bytes())
        file.unlink()
        content[len(content) // 2] ^= 0x01
        file.write_bytes(content)
    return target
