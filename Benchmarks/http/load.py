"""Starts the service with a new database and asks it at a constant rate: one JSON document.

usage: load.py --rate N --seconds N --texts known|new [--port N]

What `bench load` prints, and as `empty_route` the same of `GET /livez` at the same rate: what client and HTTP take.
"""

import argparse
import json
import signal
import subprocess
import sys
import tempfile

from service import ROOT, pathlight


def load(port, options, texts, seconds):
    done = subprocess.run(
        [str(ROOT / ".build/release/bench"), "load", "--port", str(port), "--rate", str(options.rate), "--seconds",
         str(seconds), "--texts", texts], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if not done.stdout:
        sys.exit(f"bench load ended with {done.returncode}")
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=100)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--texts", choices=("known", "new"), default="new")
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    # Ends as an exit does, so that the service is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    results = ROOT / "Benchmarks/results"
    results.mkdir(parents=True, exist_ok=True)
    # Beside the results and not under /tmp, which may be in memory: the service's database is to cost what it costs.
    with tempfile.TemporaryDirectory(prefix="load.", dir=results) as folder:
        service = pathlight(f"{folder}/data", f"{folder}/service.log", options.port)
        try:
            empty = load(service.port, options, "empty", min(3, options.seconds))
            answer = load(service.port, options, options.texts, options.seconds)
        finally:
            service.stop()
    kept = ("p50_ms", "p99_ms", "max_ms", "sent_late_p99_ms")
    answer["empty_route"] = {name: value for name, value in empty.items() if name in kept}
    print(json.dumps(answer, indent=2, sort_keys=True))


if __name__ == "__main__":
    main()
