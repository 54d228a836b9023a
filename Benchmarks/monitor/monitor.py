"""What a run of the career monitor takes: over many students of whom few changed, and over all of them at first.

Makes students whose interests and courses come from the words of `Benchmarks/http/words.txt`, takes them in, runs, changes
some, runs again, and runs once more with nothing to do. Then the same with changes that come by the file of another
(`monitor.students_file`), in which all students stand, and by one row that somebody edited in `student_interests.csv`.
Prints one JSON document.

usage: monitor.py [--students 100000] [--inputs 20000] [--changed 0.02]
"""

import argparse
import csv
import json
import mmap
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("PATHLIGHT_BENCH_SERVICE") or str(ROOT / ".build/release/pathlight")
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("PATHLIGHT_", "OPENAI_", "GEMINI_"))}
WORDS = (ROOT / "Benchmarks/http/words.txt").read_text("utf-8").split()
COLUMNS = ["user_id", "username", "name", "hometown", "course", "interests"]


def run(data, *arguments, **settings):
    """Runs a command to its end: its document, seconds, and the most memory that it had, in MB."""
    start = time.monotonic()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [PROGRAM, *map(str, arguments), "--data", str(data)], stdout=output, stderr=subprocess.PIPE, cwd=ROOT,
            env={**ENVIRONMENT, "PATHLIGHT_MONITOR_LOG_FILE": "off", **settings})
        problem = process.stderr.read().decode("utf-8", "replace")
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - start
        if os.waitstatus_to_exitcode(status) != 0:
            sys.exit(f"{' '.join(map(str, arguments))}: {problem}")
        output.seek(0)
        text = output.read().decode()
    return json.loads(text), round(seconds, 2), round(usage.ru_maxrss / 1024)


def write(path, rows):
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(rows)


def served(data):
    with sqlite3.connect(data / "pathlight.db") as database:
        return dict(database.execute("SELECT user_id, served_mark || coalesce(served_at, '') FROM students"))


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--students", type=int, default=100_000)
    options.add_argument("--inputs", type=int, default=20_000)
    options.add_argument("--changed", type=float, default=0.02)
    options = options.parse_args()
    generator = random.Random(7)

    def interests(count):
        return ", ".join(generator.sample(WORDS, count))

    courses = [interests(2) for _ in range(200)]
    towns = generator.sample(WORDS, 50)
    inputs = [(generator.choice(towns), generator.choice(courses), interests(generator.randint(2, 6)))
              for _ in range(options.inputs)]
    rows = [[f"s{number:07}", f"user{number}", f"Name {number}", *inputs[number % len(inputs)]]
            for number in range(options.students)]
    steps = []
    with tempfile.TemporaryDirectory(prefix="pathlight-monitor-") as name:
        folder = Path(name)
        data, file = folder / "data", folder / "students.csv"

        def step(what, *arguments, **settings):
            document, seconds, memory = run(data, *arguments, **settings)
            steps.append({"step": what, "seconds": seconds, "peak_mb": memory, "report": document})

        write(file, rows)
        step("import all", "import", "students", file, "--json")
        step("first run", "monitor", "--once", "--json")
        before = served(data)
        changed = generator.sample(range(len(rows)), int(len(rows) * options.changed))
        for place in changed:
            rows[place][5] = interests(5)
        write(file, [rows[place] for place in changed])
        step("import the changed", "import", "students", file, "--json")
        step("run over the changed", "monitor", "--once", "--json")
        # Of what follows only the steps are told.
        after = served(data)
        touched = sum(before[user] != mark for user, mark in after.items())
        step("run with nothing to do", "monitor", "--once", "--json")
        theirs = {"PATHLIGHT_MONITOR_STUDENTS_FILE": str(folder / "theirs.csv")}
        write(folder / "theirs.csv", rows)
        step("run that reads the file of another for the first time", "monitor", "--once", "--json", **theirs)
        for place in generator.sample(range(len(rows)), int(len(rows) * options.changed)):
            rows[place][5] = interests(5)
        write(folder / "theirs.csv", rows)
        step("run over those changed in the file of another", "monitor", "--once", "--json", **theirs)
        with open(data / "input" / "student_interests.csv", "r+b") as edited, mmap.mmap(edited.fileno(), 0) as content:
            # In its place: what this process holds would count as the program's until it is started.
            place = content.find(b'"Name 77"')
            content[place:place + 9] = b'"Nome 77"'
        step("run after a row of student_interests.csv was edited", "monitor", "--once", "--json")
        files = {path.name: path.stat().st_size for path in sorted((data / "input").glob("*.csv"))}
    print(json.dumps({
        "students": len(rows), "distinct_inputs": len(inputs), "changed": len(changed), "rows_touched": touched,
        "file_bytes": files, "steps": steps}, indent=2))


if __name__ == "__main__":
    main()
