"""The recommend route of Pathlight and of a service made with FastAPI, request by request in turn, over HTTP.

Both serve the same careers, O*NET's 1,016 where its release is there and the built-in ones otherwise, to one client with
one connection. Texts are new ones. Pathlight stores each result before it answers; the other keeps it in memory.
"""

import json
import random
import socket
import sys
import tempfile
from pathlib import Path

from turns import ROOT, in_turn, summary, timed

sys.path.insert(0, str(ROOT / "Benchmarks/http"))

from service import Connection, Process, pathlight, run_program  # noqa: E402

ROUTE = "/api/results/recommend/"
WORDS = (ROOT / "Benchmarks/http/words.txt").read_text("utf-8").split()
PEER = "FastAPI service"
BURST = 10
WARM = 5


def body(kind, number):
    """The same number asks the same of both; another run asks something else."""
    chooser = random.Random(f"{kind} {number}")
    document = {"text": "We like " + " ".join(chooser.choices(WORDS, k=chooser.randint(12, 20)))}
    if kind.endswith("abilities"):
        document["abilities"] = [round(chooser.uniform(0, 10), 1) for _ in range(15)]
    return json.dumps(document).encode()


def ask(connection, kind):
    def once(number):
        request = body(kind, number)
        ms, (status, content) = timed(lambda: connection.post(ROUTE, request))
        if status != 200:
            raise SystemExit(f"{kind}: {status}: {content[:500]!r}")
        found = json.loads(content)["recommendations"]
        if len(found) != 5:
            raise SystemExit(f"{kind}: {len(found)} recommendations and not 5")
        return ms, found
    return once


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run(options):
    results = ROOT / "Benchmarks/results"
    results.mkdir(parents=True, exist_ok=True)
    # Beside the results and not under /tmp, which may be in memory: the service's database is to cost what it costs.
    with tempfile.TemporaryDirectory(prefix="peers.", dir=results) as folder:
        folder = Path(folder)
        data, careers = folder / "data", folder / "careers.json"
        onet = ROOT / options.onet
        if onet.is_dir():
            print("importing O*NET's careers", file=sys.stderr)
            run_program("import", "onet", onet, "--only", "--data", data)
        else:
            # An export makes no database.
            run_program("keys", "create", "--role", "service", "--data", data)
        careers.write_text(run_program("export", "careers", "-", "--format", "json", "--data", data))
        count = len(json.loads(careers.read_text())["careers"])
        ours = pathlight(data, folder / "ours.log", options.port)
        try:
            port = options.port + 1 if options.port else free_port()
            other = Process(
                [sys.executable, ROOT / "Benchmarks/peers/fastapi_service.py", "--careers", careers, "--model",
                 ROOT / options.model, "--port", port, "--threads", options.threads], folder / "other.log", port)
            try:
                return measure(options, count, ours, other)
            finally:
                other.stop()
        finally:
            ours.stop()


def measure(options, count, ours, other):
    lines = []
    seed = random.randrange(1 << 32)
    print(f"recommend: {count} careers, seed {seed}", file=sys.stderr)
    for work, kind in (("recommend, new text", "text"), ("recommend, new text and abilities", "text and abilities")):
        print(work, file=sys.stderr)
        connections = {"Pathlight": Connection(ours.port), PEER: Connection(other.port)}
        sides = {name: ask(connection, f"{seed} {kind}") for name, connection in connections.items()}
        times = in_turn(sides, options.http_turns, BURST, WARM)
        for name, line in summary(times, ["Pathlight"]).items():
            lines.append({"work": work, "careers": count, "side": name, **line, "fidelity": None})
        for connection in connections.values():
            connection.close()
    return lines
