"""A data folder with the service on it and commands beside it, any of which can be killed."""

import json
import signal
import sqlite3
import subprocess
import time

from catalogue import DEPTH, QUERIES, ask, exported
from harness import BINARY, EMPTY_FOLDER, Service, clean_environment, run_command
from load import Confirmed, Crowd

PEOPLE = 4
COMMAND_SECONDS = 120
SETTLE_SECONDS = 60


class Running:
    """A command on its way."""

    def __init__(self, arguments, folder, settings):
        self.output = folder / "command.out"
        self.errors = folder / "command.err"
        with open(self.output, "wb") as output, open(self.errors, "wb") as errors:
            self.process = subprocess.Popen(
                [str(BINARY), *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=output, stderr=errors,
                cwd=EMPTY_FOLDER.name, env=clean_environment(**settings))
        self.start = time.monotonic()

    def wait(self, seconds):
        """Whether it ended by itself within so many seconds."""
        try:
            self.process.wait(max(seconds, 0))
            return True
        except subprocess.TimeoutExpired:
            return False

    def kill(self):
        """Whether the kill was what ended it."""
        self.process.send_signal(signal.SIGKILL)
        return self.process.wait(30) == -signal.SIGKILL

    def finish(self):
        """Waits for the end, which must be a good one; gives what was printed."""
        assert self.wait(COMMAND_SECONDS), f"not done in {COMMAND_SECONDS} s: {self.errors.read_text()}"
        assert self.process.returncode == 0, f"ended with {self.process.returncode}: {self.errors.read_text()}"
        return self.output.read_text()


class Scene:
    def __init__(self, folder, reference, models, generator):
        self.folder = folder
        self.data = folder / "data"
        self.reference = reference
        self.settings = {"PATHLIGHT_MODELS": str(models)}
        self.random = generator
        self.confirmed = Confirmed()
        self.service = None
        self.crowd = None
        self.starts = 0
        self.slowest_start = 0.0
        self.replies = 0
        self.states = set()

    # The service

    def new_service(self):
        self.starts += 1
        # With its rows in memory or in the index file: neither may lose anything, nor disturb the other.
        memory = self.random.choice(["full", "lean"])
        return Service(
            self.data, self.folder / f"service-{self.starts}.log", PATHLIGHT_INDEX_MEMORY=memory, **self.settings)

    def start(self):
        began = time.monotonic()
        self.service = self.new_service().start()
        self.slowest_start = max(self.slowest_start, time.monotonic() - began)
        self.come()

    def come(self):
        self.crowd = Crowd(
            self.service, self.reference, [self.random.getrandbits(32) for _ in range(PEOPLE)], self.confirmed)

    def leave(self):
        """Sends everybody home; what they were told last must be stored."""
        new = self.crowd.end()
        self.replies += self.crowd.replies
        for person in self.crowd.people:
            self.states |= person.states
        return new

    def kill_service(self, also=None):
        """Kills the service, and a command at the same moment; gives whether the command was still there to kill."""
        self.crowd.require_health()
        self.crowd.expect_end()
        self.service.process.send_signal(signal.SIGKILL)
        was_killed = also.kill() if also else None
        self.service.process.wait(30)
        return was_killed

    def restart(self):
        """Starts the service after a kill and asks for what it had confirmed."""
        new = self.leave()
        self.start()
        with self.service.client() as client:
            # Those who were told last are at the greatest risk.
            self.confirmed.check(client, new[-60:])

    # Commands beside it

    def command(self, *arguments):
        return Running([*arguments, "--data", str(self.data)], self.folder, self.settings)

    def content(self):
        """Which version the stored careers are; neither is a mixture."""
        careers = exported(self.data)
        versions = [version for version, wanted in self.reference.careers.items() if careers == wanted]
        assert len(versions) == 1, (
            f"the stored careers are no version's: {len(careers)} careers, "
            + str({version: sum(careers.get(name) == career for name, career in wanted.items())
                   for version, wanted in self.reference.careers.items()}))
        return versions[0]

    def settle(self, space=None):
        """Waits until the answers are those of a catalogue that was never disturbed; gives its version."""
        content = self.content()
        deadline = time.monotonic() + SETTLE_SECONDS
        with self.service.client() as client:
            while True:
                self.crowd.require_health()
                wrong = None
                for number in range(len(QUERIES)):
                    reply = ask(client, number, DEPTH)
                    if not self.reference.fits((content, content), number, reply):
                        wrong = number, self.reference.states(number, reply)
                        break
                served = client.get("/readyz").expect(200)["space"]
                if wrong is None and (space is None or served == space):
                    return content
                assert time.monotonic() < deadline, (
                    f"after {SETTLE_SECONDS} s query {wrong} is not answered as version {content} asks, in space {served} "
                    f"(wanted {space}):\n{self.service.log_tail()}")
                time.sleep(0.1)

    def require_soundness(self):
        with sqlite3.connect(f"file:{self.data / 'pathlight.db'}?mode=ro", uri=True) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert database.execute("PRAGMA foreign_key_check").fetchall() == []
            counts = database.execute("SELECT state, count(*) FROM index_generations GROUP BY state").fetchall()
            assert all(count == 1 for _, count in counts) and "swapping" not in dict(counts), counts
        database.close()

    def ask_doctor(self):
        run = run_command("doctor", "--data", self.data, **self.settings)
        assert run.returncode == 0 and "broken" not in run.stdout, run.stdout + run.stderr


def report(text):
    """The JSON document that a command printed."""
    return json.loads(text)
