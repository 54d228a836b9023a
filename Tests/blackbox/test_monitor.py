"""Career monitoring as a program: students in, lists and files out, at the command line and through a service."""

import csv
import json
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest
from conftest import needs_model
from harness import BINARY, EMPTY_FOLDER, clean_environment, run_command, seed

pytestmark = needs_model

INPUT_COLUMNS = ["user_id", "username", "name", "hometown", "course", "interests"]
STUDENT_COLUMNS = [*INPUT_COLUMNS, "career_recommendations", "last_updated", "recommendation_count"]
COURSE_COLUMNS = ["course_name", "career_paths", "last_updated", "path_count"]
STUDENTS = [
    # What a spreadsheet would take for numbers and dates.
    ["0012", "3-4", "1/2", "12:30", "1E5", "TRUE\nlaw, 50%"],
    ["12345678901234567890", "日本", "日本語", "東京", "法学", "料理、絵画"],
    ["s-1", "ada", "Ada \"the first\" Lovelace", "Pune, MH", "Fine Arts", "painting;\nold books"],
    ["s-2", "=1+1", "@SUM(A1)", "-Leh", "+Physics", "statistics, machine learning"],
    ["s-3", "meera", "मीरा कुमारी", "पुणे", "बी.ए. हिन्दी", "कविता, painting"],
    ["s-4", "layla", "ليلى", "الرباط", "Fine arts", "الرسم, painting"],
    ["s-5", "'tis", "\tTab", " padded ", "", "cooking\r\nmeals"],
    # The same as the first said, in other words.
    ["s-6", "bob", "Bob", "pune,  MH", "FINE ARTS", "Old Books, PAINTING"],
]
LISTS = 7


def write_students(path, rows, columns=INPUT_COLUMNS):
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    return path


def rows_of(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.reader(file, strict=True))


def unguarded(cell):
    """The cell as it was before an apostrophe was put in front of what a spreadsheet would run."""
    rest = cell[1:]
    is_guarded = cell.startswith("'") and (rest.startswith("\t") or rest.lstrip()[:1] in ("=", "+", "-", "@", "'"))
    return rest if is_guarded else cell


class Monitor:
    """A data folder, and commands on it."""

    def __init__(self, root):
        self.data = root / "data"
        self.folder = self.data / "input"
        self.students = self.folder / "student_interests.csv"
        self.courses = self.folder / "course_careers.csv"
        seed(self.data)

    def command(self, *arguments, code=0):
        done = run_command(*arguments, "--data", self.data)
        assert done.returncode == code, done.stdout + done.stderr
        return done

    def run(self, code=0):
        return json.loads(self.command("monitor", "--once", "--json", code=code).stdout)

    def state(self):
        return {path.name: (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino)
                for path in sorted(self.folder.iterdir())}


@pytest.fixture
def monitor(tmp_path):
    return Monitor(tmp_path)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """With the students imported and served; left as it is."""
    root = tmp_path_factory.mktemp("monitor")
    monitor = Monitor(root)
    path = write_students(root / "students.csv", STUDENTS)
    monitor.imported = json.loads(monitor.command("import", "students", path, "--json").stdout)
    monitor.report = monitor.run()
    return monitor


def test_students_are_imported_and_a_run_writes_both_files(served):
    assert served.imported == {"added": len(STUDENTS), "changed": 0, "renamed": 0, "unchanged": 0}
    report = served.report
    assert report["students"]["checked"] == report["students"]["new"] == len(STUDENTS)
    assert report["students"]["generated"] == LISTS and report["students"]["failed"] == 0
    assert report["courses"]["checked"] == report["courses"]["generated"] == 5
    assert report["files"]["written"] == ["student_interests.csv", "course_careers.csv"]
    assert report["files"]["set_aside"] == {} and report["files"]["problems"] == {}
    header, *rows = rows_of(served.students)
    assert header == STUDENT_COLUMNS and len(rows) == len(STUDENTS)
    for row, student in zip(rows, STUDENTS):
        assert [unguarded(cell) for cell in row[:6]] == student
        careers = json.loads(row[6])
        assert len(careers) == int(row[8]) > 0 and row[7].endswith("Z")
        assert all(career["origin"] == "engine" and career["reason"] for career in careers)
    # What a spreadsheet would run has an apostrophe before it.
    assert not any(cell.lstrip()[:1] in ("=", "+", "-", "@") for row in rows for cell in row if cell)
    assert rows[2][6] == rows[7][6]
    header, *rows = rows_of(served.courses)
    assert header == COURSE_COLUMNS
    assert {unguarded(row[0]) for row in rows} == {"1E5", "法学", "Fine Arts", "+Physics", "बी.ए. हिन्दी"}
    for row in rows:
        paths = json.loads(row[1])
        assert len(paths) == int(row[3]) > 0 and all({"career", "skills", "industry"} <= path.keys() for path in paths)


def test_a_second_run_touches_nothing(served):
    before = served.state()
    report = served.run()
    assert report["students"]["checked"] == len(STUDENTS) and report["students"]["generated"] == 0
    assert report["files"]["written"] == []
    assert served.state() == before
    told = served.command("monitor", "--once").stdout
    assert "8 checked" in told and "files: as they were" in told


def test_an_export_has_the_files_lists_and_reads_back(served, tmp_path):
    path = tmp_path / "lists.jsonl"
    served.command("export", "recommendations", path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    lines = path.read_text("utf-8").splitlines()
    assert served.command("export", "recommendations", "-").stdout.splitlines() == lines
    rows = rows_of(served.students)[1:]
    assert len(lines) == len(rows)
    for line, row, student in zip(map(json.loads, lines), rows, STUDENTS):
        assert list(line) == [*INPUT_COLUMNS, "recommendations", "origin", "last_updated", "recommendation_count"]
        assert [line[name] for name in INPUT_COLUMNS] == student
        assert line["recommendations"] == json.loads(row[6]) and line["origin"] == "engine"
        assert line["last_updated"] == row[7] and line["recommendation_count"] == int(row[8])
    courses = [json.loads(line) for line in
               served.command("export", "recommendations", "--courses", "-").stdout.splitlines()]
    assert [list(course) for course in courses] == 5 * [
        ["course_name", "career_paths", "origin", "last_updated", "path_count"]]
    assert {course["origin"] for course in courses} == {"engine"}
    assert [[course["course_name"], course["career_paths"], course["last_updated"], str(course["path_count"])]
            for course in courses] == [
        [unguarded(row[0]), json.loads(row[1]), *row[2:]] for row in rows_of(served.courses)[1:]]
    for back in (path, served.students):
        told = json.loads(served.command("import", "students", back, "--json").stdout)
        assert told == {"added": 0, "changed": 0, "renamed": 0, "unchanged": len(STUDENTS)}


def test_where_there_is_no_database_none_is_made(tmp_path):
    done = run_command("monitor", "--once", "--data", tmp_path / "typo")
    assert done.returncode == 1 and "no database" in done.stderr, done.stderr
    assert not (tmp_path / "typo").exists()


def test_of_a_damaged_file_nothing_is_imported(monitor, tmp_path):
    path = tmp_path / "students.csv"
    write_students(path, [*STUDENTS, ["s-7", "short"]])
    refused = monitor.command("import", "students", path, code=1)
    assert "cells" in refused.stderr and "nothing was imported" in refused.stderr
    lines = tmp_path / "students.jsonl"
    lines.write_text('{"user_id":"a","interests":"painting"}\n{"user_id":"b","intrests":"x"}\n', "utf-8")
    assert "line 2" in monitor.command("import", "students", lines, code=1).stderr
    unknown = tmp_path / "students"
    shutil.copy(lines, unknown)
    assert "--format" in monitor.command("import", "students", unknown, code=1).stderr
    assert monitor.command("export", "recommendations", "-").stdout == ""
    lines.write_text('{"user_id":7,"interests":["painting","music"]}\n', "utf-8")
    assert "1 added" in monitor.command("import", "students", lines).stdout


def test_changes_and_damage_are_seen_to(monitor, tmp_path):
    monitor.command("import", "students", write_students(tmp_path / "students.csv", STUDENTS))
    monitor.run()
    # Another order and case are no change; other interests are one.
    again = [list(student) for student in STUDENTS]
    again[2][5] = "OLD BOOKS | painting"
    again[6][5] = "guitar"
    monitor.command("import", "students", write_students(tmp_path / "students.csv", again))
    report = monitor.run()
    assert report["students"]["changed"] == report["students"]["generated"] == 1
    assert [unguarded(row[5]) for row in rows_of(monitor.students)[1:]] == [student[5] for student in again]

    damaged = b'user_id,username,name\r\n"never closed'
    monitor.students.write_bytes(damaged)
    report = monitor.run()
    (aside, reason), = report["files"]["set_aside"].items()
    assert os.path.basename(aside).startswith("student_interests.csv.set-aside-") and reason
    with open(aside, "rb") as file:
        assert file.read() == damaged
    assert report["files"]["written"] == ["student_interests.csv"]
    assert len(rows_of(monitor.students)) == len(STUDENTS) + 1

    # What cannot be read is told of by the exit code, and left alone.
    monitor.courses.unlink()
    monitor.courses.mkdir()
    report = monitor.run(code=1)
    assert [os.path.basename(name) for name in report["files"]["problems"]] == ["course_careers.csv"]
    monitor.courses.rmdir()
    assert monitor.run()["files"]["written"] == ["course_careers.csv"]

    # A list that is damaged is made anew by the run that meets it.
    with closing(sqlite3.connect(monitor.data / "pathlight.db")) as database:
        database.execute("UPDATE interest_lists SET document = substr(document, 1, 40) || 'AAAA' || substr(document, 45)")
        database.commit()
    monitor.students.unlink()
    report = monitor.run()
    assert report["problems"] == {"damaged_list": LISTS} and report["students"]["generated"] == LISTS, report
    assert all(int(row[8]) > 0 for row in rows_of(monitor.students)[1:])

    # Whoever is erased goes from the file too; a copy that has them is found by the shortest of ids.
    (monitor.folder / os.path.basename(aside)).unlink()
    copy = monitor.folder / "student_interests.csv.set-aside-20260101T000000Z"
    write_students(copy, [STUDENTS[3]])
    told = monitor.command("users", "erase", "s-2", "--yes", "--json", code=1).stdout
    assert str(copy) in told and not json.loads(told)["proven"], told
    assert str(monitor.students) in json.loads(told)["written_anew"]
    copy.unlink()
    told = json.loads(monitor.command("users", "erase", "s-2", "--yes", "--json").stdout)
    assert told["proven"] and told["written_anew"] == []
    assert [row[0] for row in rows_of(monitor.students)[1:]] == ["0012", "12345678901234567890", "s-1", "s-3", "s-4", "s-5", "s-6"]
    assert monitor.run()["files"]["written"] == []


def test_a_service_runs_it_when_it_is_asked(start_service, tmp_path):
    service = start_service()
    path = write_students(tmp_path / "students.csv", STUDENTS)
    done = run_command("import", "students", path, "--data", service.data)
    assert done.returncode == 0, done.stderr
    key = run_command("keys", "create", "--role", "admin", "--data", service.data).stdout.strip()
    admin = {"Authorization": f"Bearer {key}"}
    with service.client() as client:
        client.get("/api/monitor/status").expect_problem(401)
        client.request("POST", "/api/monitor/run").expect_problem(401)
        status = client.get("/api/monitor/status", **admin).expect(200)
        assert status["students"]["total"] == status["students"]["new"] == len(STUDENTS)
        asked = client.request("POST", "/api/monitor/run", headers=admin).expect(202)
        assert asked["task_id"]
        deadline = time.monotonic() + 60
        while True:
            status = client.get("/api/monitor/status", **admin).expect(200)
            latest = status["latest_run"]
            if latest and latest["state"] not in ("running", "stopped"):
                break
            assert time.monotonic() < deadline, f"{status}\n{service.log_tail()}"
            time.sleep(0.1)
        assert latest["state"] == "done" and latest["reason"] == "api", status
        assert latest["report"]["students"]["generated"] == LISTS
        assert status["students"]["due"] == 0 and status["courses"]["due"] == 0 and status["runs"]
    assert len(rows_of(service.data / "input" / "student_interests.csv")) == len(STUDENTS) + 1


def crowd(tmp_path, count):
    """A file of so many students, each with interests that nobody else has."""
    rows = [[f"s-{number:04}", "", "", "", "Fine Arts", f"painting, club {number}"] for number in range(count)]
    return write_students(tmp_path / "crowd.csv", rows)


def wait_for(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found


def is_stopped(pid):
    """Whether every thread of a process is: the signal takes its time."""
    states = [path.read_text().rpartition(")")[2].split()[0] for path in Path(f"/proc/{pid}/task").glob("*/stat")]
    return all(state == "T" for state in states)


def test_of_two_runs_at_once_one_says_that_the_other_is_under_way(monitor, tmp_path):
    monitor.command("import", "students", crowd(tmp_path, 200))
    first = subprocess.Popen([str(BINARY), "monitor", "--once", "--json", "--data", str(monitor.data)],
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                             cwd=EMPTY_FOLDER.name, env=clean_environment())
    with closing(sqlite3.connect(monitor.data / "pathlight.db", timeout=0.1, isolation_level=None)) as database:
        def is_halted():
            """Stops it in the middle of its run and of no transaction, for which the second would have to wait."""
            if database.execute("SELECT count(*) FROM interest_lists").fetchone()[0] == 0:
                return False
            first.send_signal(signal.SIGSTOP)
            wait_for(lambda: is_stopped(first.pid))
            try:
                database.execute("BEGIN IMMEDIATE")
                database.execute("ROLLBACK")
                return True
            except sqlite3.OperationalError:
                first.send_signal(signal.SIGCONT)
                return False

        try:
            wait_for(is_halted)
            refused = monitor.command("monitor", "--once", code=1)
            assert "another run is under way" in refused.stderr and not refused.stdout
            assert database.execute("SELECT state FROM monitor_runs").fetchall() == [("running",)]
        finally:
            first.send_signal(signal.SIGCONT)
            told, problems = first.communicate(timeout=60)
    assert first.returncode == 0, problems
    report = json.loads(told)
    assert report["students"]["generated"] == 200 and report["files"]["written"]
    # Whoever comes afterwards is let in.
    assert monitor.run()["students"]["generated"] == 0


def test_a_service_that_is_killed_goes_on_with_the_run_that_it_was_asked_for(start_service, tmp_path):
    settings = {"PATHLIGHT_TASKS_LEASE_SECONDS": "5", "PATHLIGHT_MONITOR_SCHEDULE": "off"}
    service = start_service(**settings)
    path = crowd(tmp_path, 1_000)
    assert run_command("import", "students", path, "--data", service.data).returncode == 0
    key = run_command("keys", "create", "--role", "admin", "--data", service.data).stdout.strip()
    admin = {"Authorization": f"Bearer {key}"}

    def status():
        with service.client() as client:
            return client.get("/api/monitor/status", **admin).expect(200)

    with service.client() as client:
        task = client.request("POST", "/api/monitor/run", headers=admin).expect(202)["task_id"]
    wait_for(lambda: 0 < status()["students"]["due"] < 1_000)
    service.kill()
    with closing(sqlite3.connect(service.data / "pathlight.db")) as database:
        assert 0 < database.execute("SELECT count(*) FROM students WHERE served_mark IS NULL").fetchone()[0] < 1_000
        assert database.execute("SELECT id, state FROM monitor_runs").fetchall() == [(task, "running")]
    assert not (service.data / "input" / "student_interests.csv").exists()
    service = start_service(service.data, **settings)
    done = wait_for(lambda: (now := status())["latest_run"]["state"] == "done" and now)
    assert done["latest_run"]["id"] == task and done["students"]["due"] == 0 and len(done["runs"]) == 1
    assert len(rows_of(service.data / "input" / "student_interests.csv")) == 1_001


def test_a_spreadsheet_program_has_the_right_cells(served, tmp_path):
    office = shutil.which("soffice")
    if not office:
        assert not os.environ.get("CI"), "LibreOffice is not installed: run scripts/setup-system --tests"
        pytest.skip("LibreOffice is not installed: run scripts/setup-system --tests")
    for path in (served.students, served.courses):
        # Comma, quote, UTF-8, from the first line, what is quoted as text; into a sheet and back from it. What a formula
        # makes of a cell would show.
        sheet = tmp_path / f"{path.stem}.ods"
        convert(office, tmp_path, path, "ods", "CSV:44,34,76,1,,0,true")
        assert sheet.exists()
        back = tmp_path / f"{path.stem}.csv"
        # Every cell quoted, and as it is stored.
        convert(office, tmp_path, sheet, "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,true,false")
        found = [row for row in rows_of(back) if any(row)]
        wanted = rows_of(path)
        assert [normal(row) for row in found] == [normal(row) for row in wanted]


def normal(row):
    """As Calc keeps cells: with one kind of line end, and without tabs."""
    return [cell.replace("\r\n", "\n").replace("\t", "") for cell in row]


def convert(office, folder, path, target, source=None):
    arguments = [office, f"-env:UserInstallation=file://{folder}/office", "--headless", "--norestore"]
    if source:
        arguments.append(f"--infilter={source}")
    done = subprocess.run([*arguments, "--convert-to", target, "--outdir", str(folder), str(path)],
                          capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
