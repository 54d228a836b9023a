"""`kill -9` of workers in the middle of tasks: every task is done, none is lost, each effect happens once.

PATHLIGHT_KILLS sets how often is killed, PATHLIGHT_TEST_SEED repeats a run.
"""

import os
import signal
import sqlite3
import subprocess
import time
from contextlib import closing

import pytest
from harness import BINARY, EMPTY_FOLDER, clean_environment, make_database, run_command

KILLS = int(os.environ.get("PATHLIGHT_KILLS") or 50)
TASKS = 1_000
WORKERS = 3
AT_A_TIME = 4
LEASE_SECONDS = 2
LONGEST_MILLISECONDS = 300
SECONDS = 300


class Workers:
    """Worker processes on one database."""

    def __init__(self, folder):
        self.folder = folder
        self.data = folder / "data"
        self.processes = []
        self.started = 0

    def launch(self, **options):
        arguments = {"--running": AT_A_TIME, "--lease-seconds": LEASE_SECONDS,
                     "--longest-milliseconds": LONGEST_MILLISECONDS, **options}
        self.started += 1
        with open(self.folder / f"worker-{self.started}.log", "wb") as log:
            process = subprocess.Popen(
                [str(BINARY), "tasks", "work", "--exercise", "--until-done", "--data", str(self.data),
                 *[str(part) for pair in arguments.items() for part in pair]],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=EMPTY_FOLDER.name, env=clean_environment())
        self.processes.append(process)
        return process

    def kill(self, processes):
        """Kills them all at the same moment; each must have been at work."""
        for process in processes:
            process.send_signal(signal.SIGKILL)
        for process in processes:
            assert process.wait(30) == -signal.SIGKILL, f"a worker ended before it was killed:\n{self.logs()}"
            self.processes.remove(process)

    def logs(self):
        texts = [path.read_text("utf-8", "replace") for path in sorted(self.folder.glob("worker-*.log"))]
        return "\n".join(text for text in texts if text)[-4_000:]

    def stop(self):
        for process in self.processes:
            process.kill()
            process.wait()

    def rows(self, statement, *arguments):
        with closing(sqlite3.connect(f"file:{self.data / 'pathlight.db'}?mode=ro", uri=True, timeout=30)) as database:
            return database.execute(statement, arguments).fetchall()

    def count(self, state):
        return self.rows("SELECT count(*) FROM tasks WHERE state = ?", state)[0][0]


@pytest.fixture
def workers(tmp_path):
    workers = Workers(tmp_path)
    yield workers
    workers.stop()


def queue(workers, count):
    make_database(workers.data)
    printed = run_command("tasks", "exercise", "--count", count, "--data", workers.data)
    assert printed.returncode == 0, printed.stderr
    assert workers.count("waiting") == count


def test_every_task_is_done_once_whoever_is_killed(workers, generator):
    queue(workers, TASKS)
    began = time.monotonic()
    for _ in range(WORKERS):
        workers.launch()
    kills = 0
    while kills < KILLS:
        # Spread over the work: a kill for each share of it that is done, and a tenth of it left for the end.
        share = int(0.9 * TASKS * kills / KILLS)
        while workers.count("done") < share:
            assert time.monotonic() < began + SECONDS, f"{workers.count('done')} tasks done so far:\n{workers.logs()}"
            time.sleep(0.01)
        time.sleep(generator.uniform(0, 0.1))
        # Now and then all of them, so that nobody is there when the leases run out.
        number = WORKERS if generator.random() < 0.1 else 1
        workers.kill(generator.sample(workers.processes, number))
        kills += number
        while len(workers.processes) < WORKERS:
            workers.launch()
    for process in workers.processes:
        assert process.wait(max(1, began + SECONDS - time.monotonic())) == 0, workers.logs()
    states = dict(workers.rows("SELECT state, count(*) FROM tasks GROUP BY state"))
    problems = workers.rows("SELECT DISTINCT last_error FROM tasks WHERE state <> 'done' LIMIT 5")
    assert states == {"done": TASKS}, (states, problems)
    # An effect that was not one transaction with its task's end would count twice.
    effects = workers.rows("SELECT document, times FROM task_effects")
    assert sorted(int(document) for document, _ in effects) == list(range(TASKS))
    assert {times for _, times in effects} == {1}
    again, most = workers.rows("SELECT count(*), max(attempts) FROM tasks WHERE attempts > 1")[0]
    assert again > 0, "no kill was in the middle of a task"
    errors = workers.rows("SELECT DISTINCT last_error FROM tasks WHERE attempts > 1")
    assert all("ended without a word" in error for error, in errors), errors
    assert workers.rows("PRAGMA integrity_check") == [("ok",)]
    print(f"{kills} kills in {time.monotonic() - began:.0f} s, {TASKS} tasks done, {again} of them begun more than once, "
          f"at most {most} times")


def test_a_worker_that_is_told_to_stop_gives_back_what_it_has(workers):
    queue(workers, 20)
    process = workers.launch(**{"--longest-milliseconds": 100_000, "--lease-seconds": 600})
    deadline = time.monotonic() + 30
    while workers.count("running") < AT_A_TIME:
        assert time.monotonic() < deadline, workers.logs()
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0, workers.logs()
    assert workers.count("running") == 0
    assert workers.rows("SELECT count(*) FROM tasks WHERE state = 'waiting' AND attempts <> 0") == [(0,)]
    # Nothing of it is held by the ten minutes' lease: the next worker has them at once.
    workers.launch(**{"--longest-milliseconds": 10})
    assert workers.processes[-1].wait(60) == 0, workers.logs()
    assert workers.count("done") == 20
