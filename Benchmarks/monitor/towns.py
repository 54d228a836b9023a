"""How much a list would change if the town that somebody comes from were part of what is searched by.

Asks a service of its own for ten careers by interests and a course, then the same with the name of a town behind it, and
counts the careers that are others. Prints one JSON document. docs/decisions/0024 says what was made of it.

usage: towns.py
"""

import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("PATHLIGHT_BENCH_SERVICE") or str(ROOT / ".build/release/pathlight")
INTERESTS = ["painting", "old books", "machine learning", "cooking", "guitar", "statistics", "football", "gardening",
             "photography", "chess", "robotics", "poetry", "dance", "travel", "history", "biology", "yoga", "coding", "design",
             "film"]
COURSES = ["Fine Arts", "B.Tech Computer Science", "B.Com", "B.Sc Physics", "Hotel Management", "Law", "Nursing", "Agriculture"]
TOWNS = ["Pune", "Leh", "Kochi", "Varanasi", "Goa", "Jaipur", "Mumbai", "Shillong", "Surat", "Puri"]


def careers(port, text):
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/results/recommend/", json.dumps({"text": text, "top_n": 10}).encode(),
        {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as reply:
        return [item["career_id"] for item in json.load(reply)["recommendations"]]


def wait(port):
    for _ in range(600):
        try:
            return careers(port, "painting")
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
    sys.exit("the service did not start")


def measure(port):
    generator = random.Random(3)
    said = [", ".join(generator.sample(INTERESTS, 3)) + "\n" + generator.choice(COURSES) for _ in range(40)]
    others, firsts, between = [], [], []
    for text in said:
        without = careers(port, text)
        lists = [careers(port, f"{text}\n{town}") for town in TOWNS]
        others += [len(set(found) - set(without)) for found in lists]
        firsts += [found[0] != without[0] for found in lists]
        one, other = generator.sample(lists, 2)
        between.append(len(set(one) - set(other)))
    return {
        "lists": len(said), "towns": len(TOWNS), "careers_of_ten_that_a_town_changes": sum(others) / len(others),
        "share_of_lists_whose_first_it_changes": sum(firsts) / len(firsts),
        "careers_of_ten_that_differ_between_two_towns": sum(between) / len(between)}


def main():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="pathlight-towns-") as folder:
        service = subprocess.Popen(
            [PROGRAM, "serve", "--port", str(port), "--data", folder], cwd=ROOT, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        try:
            wait(port)
            print(json.dumps(measure(port), indent=2))
        finally:
            service.terminate()
            service.wait(30)


if __name__ == "__main__":
    main()
