"""Finds what the recommend route can do with new texts, then offers a multiple of it: one JSON document.

usage: overload.py [--times 4] [--seconds 60] [--probe-seconds 4] [--connections 600] [--set NAME=VALUE …]

1. Closed loops of 1, 2, 4 … clients, each asking again as soon as it is answered, until more bring no more answers.
   Capacity is the most answers a second; its latencies are those of the smallest number of clients that comes to
   within 5 % of it, asked anew.
2. So many times that rate for a minute at fixed times, whatever became of the requests before. Times of accepted
   requests count from when each was due, so that what made the client late is in them; times to 429 from when it was
   sent, and from when it was due beside.

Goals: 99 % of refusals under 50 ms, the 99th percentile of what is accepted within 3 times that at capacity, memory
flat, no crash, no other answer than 200 and 429, and no request that could not be sent. Ends with 1 where one is missed;
memory that was not seen often enough is one.

The client is one thread over epoll in Python. It shares the processors with the service: what it used is in the
document (`client_cpu`), and capacity beside it is less than that of the machine alone.
"""

import argparse
import collections
import json
import os
import random
import re
import resource
import select
import signal
import socket
import sys
import tempfile
import time
from pathlib import Path

from service import ENVIRONMENT, PROGRAM, ROOT, Process

WORDS = (ROOT / "Benchmarks/http/words.txt").read_text("utf-8").split()
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
CLOSES = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
GOAL_REFUSAL_MS = 50
GOAL_ACCEPTED_TIMES = 3
# Of what is given up unsent: nobody waits longer for a connection.
LONGEST_UNSENT_SECONDS = 2


class Texts:
    """Whole requests, each with a text that was not asked before."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.ready = collections.deque()

    def prepare(self, count):
        """Makes them before the clock runs."""
        while len(self.ready) < count:
            self.ready.append(self.make())

    def take(self):
        return self.ready.popleft() if self.ready else self.make()

    def make(self):
        words = self.random.choices(WORDS, k=self.random.randint(12, 20))
        body = b'{"text":"We like %s"}' % " ".join(words).encode()
        return (b"POST /api/results/recommend/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                b"Content-Length: %d\r\n\r\n" % len(body)) + body


class Connection:
    __slots__ = ("socket", "number", "due", "sent", "received", "wanted", "status", "closes", "is_busy")

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.number = self.socket.fileno()
        self.is_busy = False

    def send(self, request, due):
        self.is_busy = True
        self.due = due
        self.received = b""
        self.wanted = None
        self.sent = time.perf_counter()
        # A request is far smaller than an empty socket's buffer.
        return self.socket.send(request) == len(request)

    def receive(self):
        """The status once the answer is whole, None before, 0 where the connection has ended."""
        try:
            part = self.socket.recv(1 << 18)
        except BlockingIOError:
            return None
        except OSError:
            return 0
        if not part:
            return 0
        if self.wanted is None:
            self.received += part
            head = self.received.find(b"\r\n\r\n")
            if head < 0:
                return None
            length = LENGTH.search(self.received, 0, head + 2)
            self.status = int(self.received[9:12])
            self.closes = CLOSES.search(self.received, 0, head + 2) is not None
            self.wanted = int(length.group(1)) - (len(self.received) - head - 4) if length else 0
            self.received = b""
        else:
            self.wanted -= len(part)
        return self.status if self.wanted <= 0 else None


class Outcome:
    """What became of the requests of one run; times in seconds."""

    def __init__(self):
        self.accepted = []
        self.refused = []
        self.refused_since_due = []
        self.late = []
        self.errors = collections.Counter()
        self.unsent = 0

    def note(self, connection, status, now):
        if status == 200:
            self.accepted.append(now - connection.due)
        elif status == 429:
            self.refused.append(now - connection.sent)
            self.refused_since_due.append(now - connection.due)
        else:
            self.errors[str(status) if status else "connection"] += 1


class Client:
    def __init__(self, process, texts):
        self.process = process
        self.port = process.port
        self.texts = texts
        self.poll = select.epoll()
        self.connections = {}
        self.memory = []
        self.next_sample = 0.0

    def connect(self):
        connection = Connection(self.port)
        self.connections[connection.number] = connection
        self.poll.register(connection.number, select.EPOLLIN)
        return connection

    def drop(self, connection):
        self.poll.unregister(connection.number)
        del self.connections[connection.number]
        connection.number = -1
        connection.socket.close()

    def close(self):
        for connection in list(self.connections.values()):
            self.drop(connection)

    def answered(self, seconds):
        """Connections whose answer has come, each with its status; those that end while idle are dropped."""
        for number, _ in self.poll.poll(seconds):
            connection = self.connections.get(number)
            status = connection.receive() if connection else None
            if status is None:
                continue
            if connection.is_busy:
                connection.is_busy = False
                yield connection, status
            else:
                self.drop(connection)

    def closed_loop(self, clients, seconds):
        """Every client asks again once it is answered."""
        outcome = Outcome()
        for _ in range(clients):
            self.connect().send(self.texts.take(), time.perf_counter())
        start = time.perf_counter()
        end = start + seconds
        busy = clients
        while busy:
            for connection, status in self.answered(1.0):
                now = time.perf_counter()
                outcome.note(connection, status, now)
                if status == 0 or connection.closes:
                    self.drop(connection)
                    connection = self.connect() if now < end else None
                if now < end and self.process.process.poll() is None:
                    connection.send(self.texts.take(), now)
                else:
                    busy -= 1
            if time.perf_counter() > end + 60:
                outcome.errors["no answer"] += busy
                break
        self.close()
        return outcome, time.perf_counter() - start

    def open_loop(self, rate, seconds, most):
        """Requests at fixed times over as many connections as it takes, up to `most`."""
        outcome = Outcome()
        idle = [self.connect() for _ in range(min(64, most))]
        waiting = collections.deque()
        count = int(rate * seconds)
        start = time.perf_counter() + 0.05
        next_arrival = 0
        busy = 0
        while next_arrival < count or busy or waiting:
            now = time.perf_counter()
            due = start + next_arrival / rate
            pause = max(0.0, due - now) if next_arrival < count else 0.1
            for connection, status in self.answered(min(pause, 0.1)):
                now = time.perf_counter()
                outcome.note(connection, status, now)
                busy -= 1
                if status == 0 or connection.closes:
                    self.drop(connection)
                else:
                    idle.append(connection)
            now = time.perf_counter()
            while next_arrival < count and start + next_arrival / rate <= now:
                waiting.append(start + next_arrival / rate)
                next_arrival += 1
            while waiting:
                if now - waiting[0] > LONGEST_UNSENT_SECONDS:
                    waiting.popleft()
                    outcome.unsent += 1
                    continue
                if not idle:
                    if len(self.connections) >= most:
                        break
                    try:
                        idle.append(self.connect())
                    except OSError as error:
                        outcome.errors[type(error).__name__] += 1
                        waiting.popleft()
                        continue
                connection = idle.pop()
                if connection.number < 0:
                    continue
                due = waiting.popleft()
                try:
                    whole = connection.send(self.texts.take(), due)
                except OSError:
                    whole = False
                if not whole:
                    # Closed by the other side while it was idle: the request goes out on another.
                    self.drop(connection)
                    waiting.appendleft(due)
                    continue
                outcome.late.append(connection.sent - due)
                busy += 1
            self.sample(now - start)
            if self.process.process.poll() is not None or now > start + seconds + 60:
                outcome.errors["no answer"] += busy + len(waiting)
                break
        self.close()
        return outcome

    def sample(self, seconds):
        """The service's memory, once a second."""
        if seconds < self.next_sample:
            return
        self.next_sample = seconds + 1
        try:
            pages = int(Path(f"/proc/{self.process.process.pid}/statm").read_text("ascii").split()[1])
        except (OSError, IndexError):
            return
        self.memory.append(round(pages * os.sysconf("SC_PAGESIZE") / (1 << 20), 1))


def percentiles(values):
    """By the nearest rank, in milliseconds."""
    if not values:
        return None
    ordered = sorted(values)

    def at(share):
        return round(ordered[min(len(ordered) - 1, max(0, -(-len(ordered) * share // 100) - 1))] * 1000, 3)

    return {"count": len(ordered), "p50_ms": at(50), "p99_ms": at(99), "max_ms": round(ordered[-1] * 1000, 3)}


def capacity(client, seconds, tries):
    """The most answers a second, and the smallest number of clients that brings about as many."""
    rates = {}
    clients = 1
    without_gain = 0
    # Texts that wait together are embedded together, so that few clients say little about many.
    while clients <= 512 and (clients <= 64 or without_gain < 2):
        outcome, took = client.closed_loop(clients, seconds)
        rate = len(outcome.accepted) / took
        without_gain = without_gain + 1 if rates and rate < 1.05 * max(rates.values()) else 0
        rates[clients] = rate
        tries.append({"clients": clients, "per_second": round(rate, 1),
                      "p99_ms": (percentiles(outcome.accepted) or {}).get("p99_ms"),
                      "refused": len(outcome.refused), "errors": sum(outcome.errors.values())})
        # Turned away, it would ask again at once, and again.
        if outcome.refused:
            break
        clients *= 2
    best = max(rates.values())
    return best, min(clients for clients, rate in rates.items() if rate >= 0.95 * best)


def is_flat(memory):
    """Whether the last quarter holds no more than 5 % and 16 MB above the second, caches being filled by then; not where
    there are too few samples to tell."""
    if len(memory) < 8:
        return False
    quarter = len(memory) // 4
    early, late = sorted(memory[quarter:2 * quarter]), sorted(memory[-quarter:])
    return late[len(late) // 2] <= early[len(early) // 2] * 1.05 + 16


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=float, default=4)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--probe-seconds", type=float, default=4)
    parser.add_argument("--connections", type=int, default=600, help="at most; below the service's max_connections")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a variable for the service")
    options = parser.parse_args()
    # Ends as an exit does, so that the service is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # The caller's limit may be below what the connections need.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = options.connections + 64
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard) if hard > 0 else wanted, hard))
    seed = options.seed if options.seed is not None else random.SystemRandom().getrandbits(32)
    texts = Texts(seed)
    settings = dict(pair.split("=", 1) for pair in options.set)
    results = ROOT / "Benchmarks/results"
    results.mkdir(parents=True, exist_ok=True)
    # Beside the results and not under /tmp, which may be in memory: the service's database is to cost what it costs.
    with tempfile.TemporaryDirectory(prefix="overload.", dir=results) as folder:
        process = Process(
            [PROGRAM, "serve", "--port", 0, "--data", f"{folder}/data", "--log-level", "notice"],
            f"{folder}/service.log", environment={**ENVIRONMENT, **settings})
        try:
            answer = measure(process, texts, options)
        finally:
            alive = process.process.poll() is None
            process.stop()
    answer["seed"] = seed
    answer["settings"] = settings
    answer["goals"]["no_crash"] = alive and not answer["overload"]["errors"]
    print(json.dumps(answer, indent=2))
    sys.exit(0 if all(answer["goals"].values()) else 1)


def measure(process, texts, options):
    client = Client(process, texts)
    texts.prepare(2_000)
    client.closed_loop(4, min(2, options.probe_seconds))
    tries = []
    texts.prepare(20_000)
    rate, clients = capacity(client, options.probe_seconds, tries)
    if rate == 0:
        sys.exit(f"no request was answered: {tries}")
    texts.prepare(int(rate * (options.probe_seconds * 2 + 5)))
    at_capacity, _ = client.closed_loop(clients, options.probe_seconds * 2)
    offered = rate * options.times
    texts.prepare(int(offered * options.seconds) + 1_000)
    before = resource.getrusage(resource.RUSAGE_SELF)
    start = time.perf_counter()
    overload = client.open_loop(offered, options.seconds, options.connections)
    took = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_SELF)
    # Whether it goes on as before.
    recovered, _ = client.closed_loop(clients, min(2, options.probe_seconds))
    normal, accepted = percentiles(at_capacity.accepted), percentiles(overload.accepted)
    refused = percentiles(overload.refused)
    within = accepted is not None and accepted["p99_ms"] <= GOAL_ACCEPTED_TIMES * normal["p99_ms"]
    return {
        "capacity": {"per_second": round(rate, 1), "clients": clients, "accepted": normal, "tries": tries},
        "overload": {
            "offered_per_second": round(offered, 1), "seconds": round(took, 1),
            "accepted_per_second": round(len(overload.accepted) / took, 1), "accepted": accepted,
            "accepted_p99_times_capacity": round(accepted["p99_ms"] / normal["p99_ms"], 2) if accepted else None,
            "refused": refused, "refused_since_due": percentiles(overload.refused_since_due),
            "refused_within_50_ms": (
                round(sum(value < GOAL_REFUSAL_MS / 1000 for value in overload.refused) / len(overload.refused), 5)
                if overload.refused else None),
            "unsent": overload.unsent, "sent_late": percentiles(overload.late), "errors": dict(overload.errors),
            "client_cpu": round(
                (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / took, 2),
        },
        "memory_mb": client.memory,
        "afterwards": percentiles(recovered.accepted),
        "processors": os.cpu_count(),
        "goals": {
            "refused_p99_under_50_ms": refused is not None and refused["p99_ms"] < GOAL_REFUSAL_MS,
            "accepted_p99_within_3_times": within,
            "memory_flat": is_flat(client.memory),
            "all_sent": overload.unsent == 0,
        },
    }


if __name__ == "__main__":
    main()
