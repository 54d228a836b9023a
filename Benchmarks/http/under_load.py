"""Measures a running service while texts come together: lists, many clients, single texts beside a long list.

usage: under_load.py PORT WORDS     one JSON object a line; texts are new, so that no cache helps
"""

import http.client
import json
import math
import random
import sys
import threading
import time

EMBEDDINGS = "/v1/embeddings"
RECOMMEND = "/api/results/recommend/"


def percentile(times, percent):
    """By the nearest rank, as everywhere in the report; in milliseconds."""
    ordered = sorted(times)
    return round(1000 * ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)], 1)


class Load:
    def __init__(self, port, words):
        self.port = port
        self.words = words

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def text(self, count):
        return "We like " + " ".join(random.choices(self.words, k=count))

    def post(self, connection, path, document):
        """Returns the seconds that the reply took."""
        start = time.perf_counter()
        connection.request("POST", path, json.dumps(document), {"Content-Type": "application/json"})
        reply = connection.getresponse()
        reply.read()
        if reply.status != 200:
            sys.exit(f"{path} answered {reply.status}")
        return time.perf_counter() - start

    def recommend(self, connection):
        return self.post(connection, RECOMMEND, {"text": self.text(15), "top_n": 5})

    def embed(self, connection, count, words):
        texts = [self.text(words) for _ in range(count)]
        return self.post(connection, EMBEDDINGS, {"input": texts, "encoding_format": "base64"})

    def lists(self, count, words, runs):
        connection = self.connect()
        times = [self.embed(connection, count, words) for _ in range(runs)]
        return {"what": f"a list of {count} texts of about {words} tokens", "p50_ms": percentile(times, 50),
                "p90_ms": percentile(times, 90)}

    def clients(self, count, seconds):
        times = []
        start = time.perf_counter()

        def run():
            connection = self.connect()
            while time.perf_counter() - start < seconds:
                times.append(self.recommend(connection))

        threads = [threading.Thread(target=run) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return {"what": f"{count} clients, new text", "requests_per_second": round(len(times) / seconds, 1),
                "p50_ms": percentile(times, 50), "p99_ms": percentile(times, 99)}

    def beside(self, count, words):
        """Single texts while a list is embedded."""
        took = []
        thread = threading.Thread(target=lambda: took.append(self.embed(self.connect(), count, words)))
        thread.start()
        time.sleep(0.1)
        connection = self.connect()
        times = []
        while thread.is_alive():
            times.append(self.recommend(connection))
        thread.join()
        return {"what": f"one client beside a list of {count} texts of about {words} tokens", "requests": len(times),
                "p50_ms": percentile(times, 50), "p99_ms": percentile(times, 99), "list_seconds": round(took[0], 2)}


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[2], encoding="utf-8") as file:
        load = Load(int(sys.argv[1]), file.read().split())
    connection = load.connect()
    for _ in range(10):
        load.recommend(connection)
    for measure in (
        lambda: load.clients(1, 2), lambda: load.clients(16, 3), lambda: load.clients(64, 3), lambda: load.lists(2, 15, 30),
        lambda: load.lists(16, 60, 6), lambda: load.beside(150, 60),
    ):
        print(json.dumps(measure()), flush=True)


if __name__ == "__main__":
    main()
