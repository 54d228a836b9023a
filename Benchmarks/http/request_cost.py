"""What a request costs beyond its recommendation: who asks, whether columns are sealed, whether traces go out.

One client asks the recommend route for a known text, so that nothing is embedded, of services that differ in one thing.
They are asked in turns, block by block, so that what else the machine does falls on all of them. Prints one JSON document.

usage: request_cost.py [--blocks 40] [--requests 50]
"""

import argparse
import http.client
import json
import shutil
import statistics
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from service import ENVIRONMENT, PROGRAM, Process, run_program

ROUTE = "/api/results/recommend/"
BODY = json.dumps({"text": "I like to repair bicycles and to teach children"}).encode()


class Collector(BaseHTTPRequestHandler):
    """Takes traces and forgets them."""

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Way:
    """One service and one kept connection to it."""

    def __init__(self, name, folder, data, headers=None, **settings):
        self.name = name
        own = folder / name.replace(" ", "-")
        shutil.copytree(data, own)
        self.service = Process(
            [PROGRAM, "serve", "--port", "0", "--data", own], folder / f"{own.name}.log",
            environment={**ENVIRONMENT, "LOG_LEVEL": "notice", **settings})
        self.headers = {"Content-Type": "application/json", **(headers(own) if headers else {})}
        self.connection = http.client.HTTPConnection("127.0.0.1", self.service.port, timeout=30)
        self.medians = []

    def block(self, requests):
        times = []
        for _ in range(requests):
            start = time.perf_counter()
            self.connection.request("POST", ROUTE, BODY, self.headers)
            reply = self.connection.getresponse()
            reply.read()
            times.append((time.perf_counter() - start) * 1e6)
            if reply.status != 200:
                sys.exit(f"{self.name}: {reply.status}")
        self.medians.append(statistics.median(times))


def key(data):
    secret = run_program("keys", "create", "--role", "service", "--data", data).strip()
    return {"Authorization": f"Bearer {secret}"}


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--blocks", type=int, default=40)
    options.add_argument("--requests", type=int, default=50)
    options = options.parse_args()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/v1/traces"
    ways = []
    with tempfile.TemporaryDirectory(prefix="pathlight-cost-") as name:
        folder = Path(name)
        first = Process([PROGRAM, "serve", "--port", "0", "--data", folder / "first"], folder / "first.log")
        first.stop()
        try:
            for way, settings in (
                    ("as it comes", {}), ("nothing sealed", {"PATHLIGHT_ENCRYPTION": "off"}),
                    ("with a key", {"headers": key}),
                    ("one in 100 traced", {"PATHLIGHT_TRACING_URL": url}),
                    ("each traced", {"PATHLIGHT_TRACING_URL": url, "PATHLIGHT_TRACING_EVERY": "1"})):
                ways.append(Way(way, folder, folder / "first", **settings))
            for way in ways:
                way.block(4 * options.requests)
                way.medians.clear()
            for _ in range(options.blocks):
                for way in ways:
                    way.block(options.requests)
        finally:
            for way in ways:
                way.service.stop()
    base = ways[0]
    print(json.dumps({
        "route": ROUTE, "blocks": options.blocks, "requests_a_block": options.requests,
        "ways": [{
            "name": way.name, "median_us": round(statistics.median(way.medians), 1),
            "ratio_to_the_first": round(statistics.median(
                own / first for own, first in zip(way.medians, base.medians)), 4),
        } for way in ways],
    }, indent=2))


if __name__ == "__main__":
    main()
