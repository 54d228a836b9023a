"""Asks the recommend route one request after another, as one person's browser would, and writes rows of the report.

usage: one_client.py wait PORT PID       wait until the service answers; prints why it is degraded, if it is
       one_client.py measure PORT WORDS  200 new texts, then 200 times a known one: one JSON object a line
"""

import http.client
import json
import math
import os
import random
import sys
import time

ROUTE = "/api/results/recommend/"
REQUESTS = 200
WAIT_SECONDS = 120


def post(connection, text):
    """Returns the reply to one text as a value, or None where the service refused it."""
    body = json.dumps({"text": text}).encode()
    connection.request("POST", ROUTE, body, {"Content-Type": "application/json"})
    reply = connection.getresponse()
    content = reply.read()
    return json.loads(content) if reply.status == 200 else None


def wait(port, process):
    end = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            connection.request("GET", "/livez")
            alive = connection.getresponse().status == 200
            connection.close()
            if alive:
                break
        except OSError:
            pass
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            sys.exit("the service ended before it answered")
        if time.monotonic() > end:
            sys.exit(f"the service did not answer within {WAIT_SECONDS} s")
        time.sleep(0.1)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    reply = post(connection, "I like to repair bicycles and to teach children")
    if reply is None:
        sys.exit(f"{ROUTE} refused a plain text")
    degraded = reply.get("degraded")
    if degraded:
        print(json.dumps(degraded, ensure_ascii=False))


def percentile(ordered, percent):
    """By the nearest rank, as everywhere in the report."""
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def measure(name, connection, texts):
    times = []
    errors = 0
    for text in texts:
        start = time.perf_counter()
        if post(connection, text) is None:
            errors += 1
        times.append((time.perf_counter() - start) * 1000)
    times.sort()
    row = {
        "name": name,
        "client": "person",
        "connections": 1,
        "errors": errors,
        "requests_per_second": 1000 * len(times) / sum(times),
        "time": {
            "runs": len(times),
            "p50_ms": percentile(times, 50),
            "p90_ms": percentile(times, 90),
            "p99_ms": percentile(times, 99),
            "max_ms": times[-1],
        },
    }
    print(json.dumps(row))


def main():
    if len(sys.argv) == 4 and sys.argv[1] == "wait":
        wait(int(sys.argv[2]), int(sys.argv[3]))
    elif len(sys.argv) == 4 and sys.argv[1] == "measure":
        with open(sys.argv[3], encoding="utf-8") as file:
            words = file.read().split()
        connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[2]), timeout=60)
        chooser = random.Random()
        # 16 to 24 tokens: every word is one, and two frame the text.
        new = ["We like " + " ".join(chooser.choices(words, k=chooser.randint(12, 20))) for _ in range(REQUESTS)]
        known = "We like " + " ".join(words[:18])
        for text in new[:5]:
            # A first few to warm up, with texts of their own.
            post(connection, text + " warm")
        measure("new free text, one client", connection, new)
        post(connection, known)
        measure("known text, one client", connection, [known] * REQUESTS)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
