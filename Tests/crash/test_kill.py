"""`kill -9` at any moment of an import, a re-embedding and feedback writes, while people search.

Every reply under load must be that of one state of the catalogue: careers of one version, with vectors of the same or,
for a moment, of the other. PATHLIGHT_KILLS sets how often is killed, PATHLIGHT_TEST_SEED repeats a run.
"""

import os
import time
from collections import Counter

import pytest
from catalogue import OTHER_MODEL, Reference, copy_models_mirrored, import_arguments, write_versions
from harness import MODEL
from scene import Scene, report

KILLS = int(os.environ.get("PATHLIGHT_KILLS") or 50)
OTHER = {"A": "B", "B": "A"}
# Sessions that are read over HTTP at the end; every one is looked for in the database.
ASKED_AGAIN = 3_000


class Series:
    """Kills of every kind in turn, at random moments."""

    def __init__(self, scene, files, generator):
        self.scene = scene
        self.files = files
        self.random = generator
        self.kills = Counter()
        self.resumed = 0
        self.moments = {}
        # Seconds that an undisturbed run takes here, under load; learnt from runs that end by themselves.
        self.seconds = {}
        self.space = None
        self.spaces = {}

    # Steps that run to their end

    def arguments(self, what):
        if what == "import":
            return import_arguments(self.files[OTHER[self.version]], self.scene.data)[:-2] + ["--json"]
        if what == "reembed":
            return ["reembed", "--force", "--json"]
        if what == "model":
            return ["reembed", "--model", OTHER_MODEL if self.model == MODEL else MODEL, "--json"]
        return ["reembed", "--rollback", "--json"]

    def run(self, what, *arguments):
        started = time.monotonic()
        printed = self.scene.command(*(arguments or self.arguments(what))).finish()
        self.seconds[what] = max(self.seconds.get(what, 0.0), time.monotonic() - started)
        document = report(printed)
        embedding = document.get("embedding") if what == "import" else document
        if what in ("import", "reembed", "model"):
            assert embedding["complete"] is True, document
            self.resumed += embedding["resumed"]
        return document

    def prepare(self):
        """The first import, and one of everything to learn how long it takes."""
        scene = self.scene
        self.version, self.model = "B", MODEL
        self.run("import")
        scene.start()
        self.version = scene.settle()
        assert self.version == "A"
        self.learn_space()
        for what in ("import", "reembed", "model", "rollback"):
            self.run(what)
            if what == "model":
                self.model = OTHER_MODEL
                self.learn_space(differs_from=self.spaces[MODEL])
            if what == "rollback":
                self.model = MODEL
            self.version = scene.settle(self.spaces.get(self.model))
        # Ends what the rollback holds: a service leaves changed careers alone until somebody asks for their vectors.
        self.run("complete", "reembed", "--json")
        self.version = scene.settle(self.spaces[self.model])
        assert self.version == "B"

    def learn_space(self, differs_from=None):
        with self.scene.service.client() as client:
            deadline = time.monotonic() + 30
            while True:
                ready = client.get("/readyz").expect(200)
                if ready["space"] != differs_from:
                    break
                assert time.monotonic() < deadline, "the service does not follow to the other model"
                time.sleep(0.1)
        assert ready["model"] == self.model
        self.spaces[self.model] = ready["space"]

    # Kills

    def kill_command(self, what, with_service):
        """Kills a command, and the service with it or not; false where the command was done before its moment."""
        scene = self.scene
        target = OTHER[self.version] if what == "import" else self.version
        command = scene.command(*self.arguments(what))
        moment = self.random.uniform(0.0, self.seconds[what])
        if command.wait(moment):
            command.finish()
            self.conclude(what, target, None)
            return False
        if with_service:
            was_killed = scene.kill_service(also=command)
        else:
            was_killed = command.kill()
        name = f"{what} and service" if with_service else what
        if was_killed:
            self.kills[name] += 1
            self.moments.setdefault(what, []).append(moment / self.seconds[what])
        elif with_service:
            self.kills["service"] += 1
        if with_service:
            scene.restart()
        if not was_killed:
            command.finish()
        self.conclude(what, target, was_killed)
        return was_killed or with_service

    def conclude(self, what, target, was_killed):
        """Looks at what a killed or finished command left; often it is run again."""
        scene = self.scene
        found = scene.content()
        assert found in (target, self.version)
        if not was_killed:
            assert found == target, "a confirmed import is lost"
        self.version = found
        model = self.model
        if what == "import":
            if was_killed and found != target and self.random.random() < 0.5:
                self.run("import")
                assert scene.content() == target, "a confirmed import is lost"
                self.version = target
            # Else the service makes the vectors itself, at its start or in the background.
        elif what == "reembed":
            if was_killed:
                self.run("reembed")
        elif what == "model":
            if was_killed:
                other = self.arguments("model")
                self.run("model", *other)
            self.model = model = OTHER_MODEL if self.model == MODEL else MODEL
        else:
            # Whether the kill came before or after, one of the two models is in use, and this ends what was held.
            document = self.run("complete", "reembed", "--json")
            self.model = model = document["model"]
        self.version = scene.settle(self.spaces[model])

    def kill_service(self):
        scene = self.scene
        before = scene.crowd.replies
        deadline = time.monotonic() + 60
        while scene.crowd.replies < before + 20 and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(self.random.uniform(0.0, 0.5))
        scene.kill_service()
        self.kills["service"] += 1
        scene.restart()
        self.version = scene.settle(self.spaces[self.model])

    def kill_start(self):
        """Kills the service, lets an import leave careers without vectors, and kills the start that makes them."""
        scene = self.scene
        scene.kill_service()
        self.kills["service"] += 1
        new = scene.leave()
        target = OTHER[self.version]
        scene.command(*self.arguments("import"), "--no-embed").finish()
        service = scene.new_service()
        service.launch()
        time.sleep(self.random.uniform(0.0, self.seconds["import"]))
        service.kill()
        self.kills["start"] += 1
        scene.start()
        with scene.service.client() as client:
            scene.confirmed.check(client, new[-60:])
        self.version = scene.settle(self.spaces[self.model])
        assert self.version == target, "a confirmed import is lost"

    def one(self):
        kinds = [
            (lambda: self.kill_command("import", False), 6), (lambda: self.kill_command("import", True), 5),
            (lambda: self.kill_command("reembed", False), 5), (lambda: self.kill_command("reembed", True), 4),
            (lambda: self.kill_command("model", self.random.random() < 0.5), 3),
            (lambda: self.kill_command("rollback", self.random.random() < 0.5), 2),
            (self.kill_service, 5), (self.kill_start, 2),
        ]
        self.random.choices([kind for kind, _ in kinds], [weight for _, weight in kinds])[0]()


@pytest.fixture
def series(tmp_path, generator):
    models = copy_models_mirrored(tmp_path / "models")
    files = write_versions(tmp_path)
    reference = Reference(files, tmp_path, models)
    scene = Scene(tmp_path, reference, models, generator)
    yield Series(scene, files, generator)
    if scene.service is not None:
        scene.service.stop()


def test_nothing_is_lost_or_mixed_by_kill_nine(series):
    scene = series.scene
    began = time.monotonic()
    series.prepare()
    print("undisturbed seconds:", {what: round(seconds, 2) for what, seconds in series.seconds.items()})
    checked = 0
    while sum(series.kills.values()) < KILLS:
        series.one()
        scene.require_soundness()
        if sum(series.kills.values()) >= checked + 5:
            checked = sum(series.kills.values())
            scene.ask_doctor()
    scene.leave()
    scene.ask_doctor()
    every = list(scene.confirmed.sessions)
    with scene.service.client() as client:
        scene.confirmed.check(client, every if len(every) <= ASKED_AGAIN else series.random.sample(every, ASKED_AGAIN))
    assert scene.service.terminate() == 0
    scene.confirmed.count(scene.data)
    events = sum(map(len, scene.confirmed.events.values()))
    print(
        f"{sum(series.kills.values())} kills in {time.monotonic() - began:.0f} s {dict(series.kills)}; "
        f"{len(scene.confirmed.sessions)} sessions and {events} events confirmed, none lost; {scene.replies} replies, each "
        f"of one of the states {sorted(scene.states)}; {series.resumed} careers resumed; slowest start "
        f"{scene.slowest_start:.1f} s")
    print("moments of the kills, as shares of the time:",
          {what: [round(share, 2) for share in sorted(shares)] for what, shares in series.moments.items()})
    assert events > 5 * KILLS, "hardly any feedback was confirmed"
    if KILLS >= 30:
        assert series.resumed > 0, "no interrupted re-embedding was ever resumed"
