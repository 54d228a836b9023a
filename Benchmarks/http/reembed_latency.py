"""What readers notice of a re-embedding: their times at rest, and while O*NET's 1,016 careers are embedded anew.

usage: reembed_latency.py [--data FOLDER] [--rate N] [--seconds N] [--scenario beside|inside|all] [--json FILE]

Three kinds of requests to `POST /api/results/recommend/` arrive in random order, a third each: a known text, a new one
(16 to 24 tokens), and a sheet of 20 quiz answers that nobody gave before.

open loop    requests arrive at fixed times, whatever became of those before; the time counts from when a request was
             due, so that a stall is paid by all that it made wait
closed loop  one client, the next request as soon as the reply is there

beside       service and clients on the first processor, `pathlight reembed --force` on the second, one thread each
inside       the texts of all careers change, and the running service embeds them itself, on both processors; OpenBLAS
             has one thread
inside, one  the same with the service on the first processor alone

What is measured as “during” begins with the re-embedding and ends two seconds after the service has put it in use.
Times at rest are taken before and after; a noisy neighbour shows as a difference between the two.
"""

import argparse
import http.client
import json
import math
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("PATHLIGHT_BENCH_SERVICE") or str(ROOT / ".build/release/pathlight")
ONET = Path(os.environ.get("PATHLIGHT_SHARED_DATA") or ROOT / "../shared/data").resolve() / "onet"
WORDS = (Path(__file__).parent / "words.txt").read_text("utf-8").split()
ROUTE = "/api/results/recommend/"
KINDS = ("known text", "quiz answers", "new free text")
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("PATHLIGHT_")}
ENVIRONMENT["OPENBLAS_NUM_THREADS"] = "1"
OPEN_WORKERS = 24
WAIT_SECONDS = 600
GOAL = 2.0


def percentile(ordered, percent):
    """By the nearest rank, as everywhere in the report."""
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


class Service:
    """The built service on one or both processors."""

    def __init__(self, data, processors, log):
        self.log = open(log, "wb")
        self.process = subprocess.Popen(
            ["taskset", "-c", processors, PROGRAM, "serve", "--port", "0", "--data", str(data), "--log-level", "notice"],
            cwd=ROOT, stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT,
            env=ENVIRONMENT)
        end = time.monotonic() + WAIT_SECONDS
        while True:
            found = re.search(r"http://127\.0\.0\.1:(\d+)/", Path(log).read_text("utf-8", "replace"))
            if found:
                self.port = int(found.group(1))
                break
            if self.process.poll() is not None or time.monotonic() > end:
                sys.exit(f"the service did not start:\n{Path(log).read_text('utf-8', 'replace')}")
            time.sleep(0.1)

    def connection(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)

    def get(self, path):
        connection = self.connection()
        connection.request("GET", path)
        body = json.loads(connection.getresponse().read())
        connection.close()
        return body

    def stop(self):
        self.process.terminate()
        self.process.wait(60)
        self.log.close()


class Requests:
    """Bodies of every kind; the same seed makes the same ones."""

    def __init__(self, questions, seed):
        self.questions = questions
        self.random = random.Random(seed)
        self.known = "We like " + " ".join(WORDS[:18])

    def next(self):
        kind = self.random.choice(KINDS)
        if kind == "known text":
            body = {"text": self.known}
        elif kind == "new free text":
            body = {"text": "We like " + " ".join(self.random.choices(WORDS, k=self.random.randint(12, 20)))}
        else:
            body = {"answers": {str(question["id"]): self.answer(question) for question in self.questions
                                if question["type"] != "text"}}
        return kind, json.dumps(body).encode()

    def answer(self, question):
        if question["type"] == "choice":
            return self.random.choice(question["choices"])["id"]
        return self.random.randint(question["scale"]["min"], question["scale"]["max"])


def ask(connection, body):
    """Asks once; gives the generation that answered."""
    connection.request("POST", ROUTE, body, {"Content-Type": "application/json"})
    reply = connection.getresponse()
    content = reply.read()
    if reply.status != 200:
        raise RuntimeError(f"{reply.status}: {content[:300]!r}")
    return content


class Readers:
    """Readers in the background until they are asked to stop; notes (kind, due, seconds) of every reply."""

    def __init__(self, service, requests, rate):
        self.service = service
        self.requests = requests
        self.rate = rate
        self.notes = []
        self.errors = []
        self.lock = threading.Lock()
        self.ended = threading.Event()
        self.began = time.perf_counter()
        self.asked = 0
        count = OPEN_WORKERS if rate else 1
        self.threads = [threading.Thread(target=self.work, daemon=True) for _ in range(count)]
        for thread in self.threads:
            thread.start()

    def due(self):
        """The next request and when it is to be sent; in a closed loop at once."""
        with self.lock:
            kind, body = self.requests.next()
            at = self.began + self.asked / self.rate if self.rate else time.perf_counter()
            self.asked += 1
            return kind, body, at

    def work(self):
        connection = self.service.connection()
        while not self.ended.is_set():
            kind, body, at = self.due()
            wait = at - time.perf_counter()
            if wait > 0:
                time.sleep(wait)
            if not self.rate:
                at = time.perf_counter()
            try:
                ask(connection, body)
            except (OSError, http.client.HTTPException, RuntimeError) as error:
                self.errors.append(str(error))
                connection.close()
            self.notes.append((kind, at, time.perf_counter() - at))

    def stop(self):
        self.ended.set()
        for thread in self.threads:
            thread.join(120)
        return self.notes


def read_for(service, requests, rate, seconds):
    readers = Readers(service, requests, rate)
    time.sleep(seconds)
    return readers.stop(), readers.errors


def run(*arguments, processor="1"):
    done = subprocess.run(
        ["taskset", "-c", processor, PROGRAM, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True,
        env=ENVIRONMENT, check=False)
    if done.returncode != 0:
        sys.exit(f"{arguments} ended with {done.returncode}: {done.stderr}")
    return done.stdout


def wait_until(condition, what):
    end = time.monotonic() + WAIT_SECONDS
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"{what} was not reached in {WAIT_SECONDS} s")
        time.sleep(0.25)


def generation_served(service):
    connection = service.connection()
    content = json.loads(ask(connection, b'{"abilities":[1,2,3,4,5,6,7,8,9,1,2,3,4,5,6]}'))
    connection.close()
    return content["generation"]


def changed_texts(data, folder, mark):
    """A file of all careers with another sentence in each description."""
    careers = json.loads(run("export", "careers", "-", "--format", "json", "--data", data, processor="0,1"))
    for career in careers["careers"]:
        career["description"] = re.sub(r" Seen in [a-z0-9]+\.$", "", career["description"]) + f" Seen in {mark}."
    file = folder / f"changed-{mark}.json"
    file.write_text(json.dumps(careers))
    return file


class Case:
    """One scenario: at rest, during, at rest again, for each kind of loop."""

    def __init__(self, name, processors, data, folder, options):
        self.name = name
        self.processors = processors
        self.data = data
        self.folder = folder
        self.options = options

    def disturb(self, service, number):
        """Has everything embedded anew and returns when the service has it in use."""
        before = generation_served(service)
        if self.name.startswith("beside"):
            run("reembed", "--force", "--data", self.data)
            wait_until(lambda: generation_served(service) > before, "the new generation")
        else:
            mark = f"{self.name.replace(' ', '').replace(',', '')}{number}{random.randrange(10**6)}"
            file = changed_texts(self.data, self.folder, mark)
            run("import", "careers", file, "--no-embed", "--only", "--data", self.data)
            # The changed texts are one generation, their vectors the next.
            wait_until(lambda: generation_served(service) >= before + 2, "the new generation")

    def measure(self):
        service = Service(self.data, self.processors, self.folder / "service.log")
        try:
            questions = service.get("/api/quiz/questions/")["items"]
            requests = Requests(questions, self.options.seed)
            for _ in range(3):
                read_for(service, requests, None, 1)
            rows = []
            for number, rate in enumerate((self.options.rate, None)):
                rest, errors = read_for(service, requests, rate, self.options.seconds)
                readers = Readers(service, requests, rate)
                began = time.perf_counter()
                self.disturb(service, number)
                time.sleep(2)
                seconds = time.perf_counter() - began
                during = readers.stop()
                after, more = read_for(service, requests, rate, self.options.seconds)
                errors += readers.errors + more
                rows += self.rows("open" if rate else "closed", rest, during, after, seconds, errors)
            return rows
        finally:
            service.stop()

    def rows(self, loop, rest, during, after, seconds, errors):
        for kind in KINDS + ("all",):
            def times(notes):
                return sorted(1_000 * took for name, _, took in notes if kind in (name, "all"))
            quiet, busy = sorted(times(rest) + times(after)), times(during)
            row = {
                "scenario": self.name, "loop": loop, "request": kind, "seconds": round(seconds, 1),
                "requests_at_rest": len(quiet), "requests_during": len(busy),
                "errors": len(errors) if kind == "all" else 0,
            }
            for percent in (50, 99):
                row[f"rest_p{percent}_ms"] = percentile(quiet, percent)
                row[f"during_p{percent}_ms"] = percentile(busy, percent)
                row[f"ratio_p{percent}"] = percentile(busy, percent) / percentile(quiet, percent)
            row["before_p99_ms"] = percentile(times(rest), 99)
            row["after_p99_ms"] = percentile(times(after), 99)
            row["during_max_ms"] = busy[-1]
            if errors and kind == "all":
                print(f"{self.name}, {loop}: {len(errors)} errors, the first: {errors[0]}", file=sys.stderr)
            # The slowest requests and when they were due tell what they waited for.
            slow = sorted(((took, at) for _, at, took in during), reverse=True)[:5]
            start = min(at for _, at, _ in during)
            row["slowest"] = [(round(at - start, 2), round(1_000 * took, 1)) for took, at in slow]
            yield row


def table(rows):
    print("| scenario | loop | request | at rest p50 ms | p99 | during p50 ms | p99 | max | ratio p50 | ratio p99 "
          "| requests | errors |")
    print("| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for row in rows:
        print(
            f"| {row['scenario']} | {row['loop']} | {row['request']} | {row['rest_p50_ms']:.2f} | {row['rest_p99_ms']:.2f} | "
            f"{row['during_p50_ms']:.2f} | {row['during_p99_ms']:.2f} | {row['during_max_ms']:.0f} | {row['ratio_p50']:.2f} | "
            f"{row['ratio_p99']:.2f} | {row['requests_during']:,} | {row['errors']} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="a folder to keep between runs; filled where it is empty")
    parser.add_argument("--rate", type=float, default=50.0, help="requests a second of the open loop")
    parser.add_argument("--seconds", type=float, default=20.0, help="each time at rest")
    parser.add_argument("--scenario", choices=("beside", "inside", "all"), default="all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="where to write the figures")
    options = parser.parse_args()
    if not ONET.is_dir():
        sys.exit(f"{ONET} is missing: PATHLIGHT_SHARED_DATA names the folder that has onet/")
    if os.cpu_count() < 2:
        sys.exit("two processors are needed: one for the service, one for the re-embedding")
    with tempfile.TemporaryDirectory(prefix="pathlight-latency-", dir=options.data and options.data.parent) as folder:
        folder = Path(folder)
        data = options.data or folder / "data"
        if not (data / "pathlight.db").exists():
            run("import", "onet", ONET, "--only", "--data", data, processor="0,1")
        run("reembed", "--data", data, processor="0,1")
        # This program shares the service's processor: what it costs is in both figures.
        os.sched_setaffinity(0, {0})
        cases = [("beside", "0")] if options.scenario != "inside" else []
        if options.scenario != "beside":
            cases += [("inside", "0,1"), ("inside, one", "0")]
        rows = []
        print(f"load average at the start {' '.join(f'{value:.2f}' for value in os.getloadavg())}")
        for name, processors in cases:
            rows += Case(name, processors, data, folder, options).measure()
        table(rows)
        if options.json:
            options.json.write_text(json.dumps(rows, indent=2))
        missed = [row for row in rows if row["scenario"] == "beside" and row["ratio_p99"] > GOAL]
        for row in missed:
            print(f"missed: {row['loop']}, {row['request']}: p99 during is {row['ratio_p99']:.2f} × that at rest")
        sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
