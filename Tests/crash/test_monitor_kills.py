"""`kill -9` in the middle of career monitoring: files are whole at every moment, nothing is lost, and what is there in
the end is what an undisturbed run leaves.

PATHLIGHT_KILLS sets how often a run is killed in its middle, PATHLIGHT_TEST_SEED repeats a run.
"""

import csv
import io
import json
import os
import signal
import sqlite3
import subprocess
import time
from contextlib import closing

import pytest
from harness import BINARY, EMPTY_FOLDER, clean_environment, run_command, seed

KILLS = int(os.environ.get("PATHLIGHT_KILLS") or 30)
STUDENTS = 300
CHANGED = 90
SECONDS = 600
INPUT_COLUMNS = ["user_id", "username", "name", "hometown", "course", "interests"]
FILES = {
    "student_interests.csv": [*INPUT_COLUMNS, "career_recommendations", "last_updated", "recommendation_count"],
    "course_careers.csv": ["course_name", "career_paths", "last_updated", "path_count"],
}
INTERESTS = ["painting", "old engines", "caring for people", "statistics", "cooking", "\"quoted\" words", "गणित",
             "الرسم", "=SUM(A1)", "plants\nand gardens", "football, chess", "writing stories", "music"]
COURSES = ["", "Fine Arts", "B.Sc. Physics", "Hotel Management", "कला, \"honours\"", "Commerce"]
TOWNS = ["", "Pune", "Leh", "Kochi"]


class Folder:
    """A data folder whose careers have their vectors.

    With `hears`, runs look for students in a file of somebody else's as well, so that kills also fall into its reading."""

    def __init__(self, root, name, hears=False):
        self.root = root
        self.name = name
        self.data = root / name
        self.theirs = root / f"{name}-theirs.csv"
        self.settings = {"PATHLIGHT_MONITOR_STUDENTS_FILE": str(self.theirs)} if hears else {}
        seed(self.data)

    def take(self, students):
        path = self.root / f"{self.name}.csv"
        self.write(path, students)
        self.command("import", "students", path)

    def tell(self, students):
        """Leaves them where the next run finds them."""
        path = self.root / f"{self.name}-next.csv"
        self.write(path, students)
        os.replace(path, self.theirs)

    def write(self, path, students):
        with open(path, "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, INPUT_COLUMNS)
            writer.writeheader()
            writer.writerows(students)

    def command(self, *arguments):
        done = run_command(*arguments, "--data", self.data, **self.settings)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def launch(self):
        with open(self.root / "monitor.log", "ab") as log:
            return subprocess.Popen(
                [str(BINARY), "monitor", "--once", "--data", str(self.data)], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, cwd=EMPTY_FOLDER.name, env=clean_environment(**self.settings))

    def rows(self, statement):
        with closing(sqlite3.connect(f"file:{self.data / 'pathlight.db'}?mode=ro", uri=True, timeout=30)) as database:
            return database.execute(statement).fetchall()

    def runs(self):
        return self.rows("SELECT count(*) FROM monitor_runs")[0][0]

    def files(self):
        """Both files as they are, whole: their rows by what names them, without the times."""
        found = {}
        for name, columns in FILES.items():
            path = self.data / "input" / name
            if not path.exists():
                continue
            # All at once: afterwards another file may have the name.
            content = path.read_bytes()
            assert content.endswith(b"\r\n"), f"{name} is cut off"
            rows = list(csv.reader(io.StringIO(content.decode("utf-8"), newline=""), strict=True))
            assert rows[0] == columns
            for row in rows[1:]:
                assert len(row) == len(columns), f"{name}: {row}"
                if row[-3]:
                    assert len(json.loads(row[-3])) == int(row[-1]) > 0
                else:
                    assert row[-2:] == ["", "0"]
            found[name] = {row[0]: [*row[1:-3], json.loads(row[-3] or "null"), row[-1]] for row in rows[1:]}
            assert len(found[name]) == len(rows) - 1
        return found

    def lists(self):
        """What is stored for each student, without the times."""
        lists = {}
        for line in self.command("export", "recommendations", "-").splitlines():
            student = json.loads(line)
            del student["last_updated"]
            lists[student["user_id"]] = student
        return lists


def is_same(found, wanted):
    """Whether two documents say the same; read in another batch, a text may have a score that rounds otherwise."""
    if isinstance(found, float) and isinstance(wanted, float):
        return abs(found - wanted) < 0.11
    if isinstance(found, dict) and isinstance(wanted, dict):
        return found.keys() == wanted.keys() and all(is_same(found[name], wanted[name]) for name in found)
    if isinstance(found, list) and isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(is_same, found, wanted))
    return found == wanted


def require_same(found, wanted):
    assert found.keys() == wanted.keys()
    for name in found:
        assert is_same(found[name], wanted[name]), name


def say(student, generator, number):
    """Gives somebody other interests: those of others, or some that nobody has."""
    chosen = generator.sample(INTERESTS, 2)
    if generator.random() < 0.6:
        chosen.append(f"club {number}")
    student["interests"] = "; ".join(chosen)


def crowd(generator):
    students = []
    for number in range(STUDENTS):
        student = {"user_id": f"student-{number:03}", "username": f"s{number}", "name": f"-Name \"{number}\",\nOf Many",
                   "hometown": generator.choice(TOWNS), "course": generator.choice(COURSES)}
        say(student, generator, number)
        students.append(student)
    return students


def kill(folder, generator, whole, running):
    """Kills a run, at a moment of its whole life or of its work; gives whether it was there to kill."""
    before = folder.runs()
    process = folder.launch()
    if generator.random() < 0.3:
        time.sleep(generator.uniform(0, whole))
    else:
        while folder.runs() == before and process.poll() is None:
            time.sleep(0.005)
        time.sleep(generator.uniform(0, running))
    process.send_signal(signal.SIGKILL)
    code = process.wait(30)
    assert code in (0, -signal.SIGKILL), (folder.root / "monitor.log").read_text("utf-8", "replace")[-4_000:]
    return code == -signal.SIGKILL


@pytest.fixture
def folders(tmp_path):
    return Folder(tmp_path, "disturbed", hears=True), Folder(tmp_path, "undisturbed")


def test_what_is_killed_is_whole_and_ends_as_if_it_had_not_been(folders, generator):
    disturbed, undisturbed = folders
    students = crowd(generator)
    undisturbed.take(students)
    began = time.monotonic()
    report = json.loads(undisturbed.command("monitor", "--once", "--json"))
    whole, running = time.monotonic() - began, report["seconds"]
    assert report["students"]["new"] == STUDENTS

    deadline = time.monotonic() + SECONDS
    kills = amid = 0
    disturbed.take(students)
    disturbed.tell(students)
    while amid < KILLS:
        assert time.monotonic() < deadline, f"{kills} kills so far, {amid} in the middle of a run"
        if kills and generator.random() < 0.7:
            for student in generator.sample(students, CHANGED):
                say(student, generator, generator.randrange(10_000))
            generator.choice((disturbed.take, disturbed.tell))(students)
        if not kill(disturbed, generator, whole, running):
            # It was quicker; there is something to do for the next one.
            say(students[0], generator, generator.randrange(10_000))
            disturbed.tell(students)
            disturbed.files()
            continue
        kills += 1
        amid += disturbed.rows("SELECT count(*) FROM monitor_runs WHERE state = 'running'")[0][0]
        disturbed.files()

    # What is killed while it reads a file reads it again; of what was said after that the last word counts.
    disturbed.take(students)
    disturbed.command("monitor", "--once")
    undisturbed.take(students)
    undisturbed.command("monitor", "--once")
    files = disturbed.files()
    assert set(files) == set(FILES) and len(files["student_interests.csv"]) == STUDENTS
    for name, rows in undisturbed.files().items():
        require_same(files[name], rows)
    lists = disturbed.lists()
    assert len(lists) == STUDENTS and all(student["origin"] == "engine" for student in lists.values())
    require_same(lists, undisturbed.lists())
    # Nothing of a killed writer is left, and no whole file was taken for a damaged one.
    assert sorted(os.listdir(disturbed.data / "input")) == sorted(FILES)
    assert {state for state, in disturbed.rows("SELECT DISTINCT state FROM monitor_runs")} <= {"done", "stopped"}
    assert disturbed.rows("PRAGMA integrity_check") == [("ok",)]
    # All is done: the next run has nothing to do.
    last = json.loads(disturbed.command("monitor", "--once", "--json"))
    assert last["students"]["generated"] == 0 and last["files"]["written"] == []
    print(f"{kills} kills in {time.monotonic() - began:.0f} s, {amid} of them in the middle of a run")
