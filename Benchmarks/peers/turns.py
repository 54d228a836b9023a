"""Sides asked in turn: what every comparison shares.

A turn asks each side the same few things one after the other, and the first of them are not counted: they find the caches
as the side before left them, and processors that slept. A neighbour that slows a turn slows all of its sides, so what is
reported is the median of the ratios turn by turn, beside the medians of the times. Sides begin in another order each
turn.
"""

import json
import math
import statistics
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / ".build/release/bench"
CACHE = ROOT / ".cache/bench"


def percentile(values, percent):
    """By the nearest rank, as everywhere in the report."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def timed(call):
    """Milliseconds that `call` took, and what it gave."""
    start = time.perf_counter()
    found = call()
    return (time.perf_counter() - start) * 1e3, found


class CoProcess:
    """A command of our engine: one line in, one line of JSON out; the first line says that it is ready."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [str(BENCH), *map(str, arguments)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ready = self.read()

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("the co-process ended early; its message is above")
        return json.loads(line)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.read()

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=60)


def pause():
    """Between sides: what threads still spin for the last one has come to rest."""
    time.sleep(0.02)


def in_turn(sides, turns, burst, warm=1, note=None):
    """Asks every side in each turn; gives by side the list of its turns' times, each a list of milliseconds.

    sides: by name a function from a number to (milliseconds, answer); equal numbers are equal questions
    burst: questions in a row that count, after `warm` that do not
    note:  called with (name, number, answer) for each that counts
    """
    names = list(sides)
    times = {name: [] for name in names}
    for turn in range(-1, turns):
        for place in range(len(names)):
            name = names[(place + turn) % len(names)]
            pause()
            measured = []
            first = max(turn, 0) * burst
            for step in range(-warm, burst):
                # Before those that count, others are asked: their own answers must not be in the caches.
                number = first + step if step >= 0 else first + burst + (step + warm) % burst
                ms, answer = sides[name](number)
                if turn >= 0 and step >= 0:
                    measured.append(ms)
                    if note:
                        note(name, number, answer)
            if turn >= 0:
                times[name].append(measured)
    return times


def summary(times, bases):
    """By side: median, 99th percentile and slowest of its times, and the median ratio to each of `bases`."""
    rows = {}
    for name, turns in times.items():
        flat = [ms for turn in turns for ms in turn]
        rows[name] = {
            "median_ms": statistics.median(flat), "p90_ms": percentile(flat, 90), "p99_ms": percentile(flat, 99),
            "max_ms": max(flat), "runs": len(flat),
            "times": {
                base: statistics.median(
                    statistics.median(mine) / statistics.median(other) for mine, other in zip(turns, times[base]))
                for base in bases},
        }
    return rows
