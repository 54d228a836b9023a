"""`pathlight tasks` on a data folder without a service, and how a service does what is queued."""

import datetime
import json
import re
import sqlite3
import time

import pytest
from harness import NO_MODELS, make_database, run_command

ID = re.compile(r"[0-9a-f]{32}")


@pytest.fixture
def tasks(tmp_path):
    make_database(tmp_path / "data")

    def run(*arguments, code=0):
        result = run_command("tasks", *arguments, "--data", tmp_path / "data")
        assert result.returncode == code, result.stdout + result.stderr
        return result

    return run


def test_a_schedule_is_queued_now_and_only_once(tasks):
    first = tasks("run", "housekeeping").stdout.strip()
    assert ID.fullmatch(first)
    again = tasks("run", "housekeeping")
    assert again.stdout.strip() == first and "already" in again.stderr
    document = json.loads(tasks("list", "--json").stdout)
    assert document["total"] == 1 and document["skip"] == 0 and document["limit"] == 50
    task = document["items"][0]
    assert task["id"] == first and task["kind"] == "housekeeping" and task["state"] == "waiting"
    assert task["attempts"] == 0 and task["last_error"] is None and "payload" not in task


def test_a_task_is_cancelled_and_tried_again(tasks):
    task = tasks("run", "housekeeping").stdout.strip()
    assert "dead and cancelled" in tasks("retry", task, code=1).stderr
    assert tasks("cancel", task).stdout.split() == [task, "cancelled"]
    assert "cancelled already" in tasks("cancel", task, code=1).stderr
    line = tasks("list", "--state", "cancelled").stdout.strip()
    assert line.startswith(f"{task}\thousekeeping\tcancelled\t") and "\n" not in line
    assert tasks("list", "--state", "waiting").stdout == ""
    assert tasks("retry", task).stdout.split() == [task, "waiting"]
    # Another task with its unique key may do the work meanwhile.
    tasks("cancel", task)
    other = tasks("run", "housekeeping").stdout.strip()
    assert other != task
    assert other in tasks("retry", task, code=1).stderr


def test_lists_are_filtered_and_paged(tasks):
    tasks("exercise", "--count", 5)
    tasks("run", "housekeeping")
    assert json.loads(tasks("list", "--kind", "exercise", "--json").stdout)["total"] == 5
    whole = json.loads(tasks("list", "--json").stdout)["items"]
    page = json.loads(tasks("list", "--skip", 1, "--limit", 2, "--json").stdout)
    assert page["items"] == whole[1:3] and page["total"] == 6
    failed = tasks("failed")
    assert failed.stdout == "" and "0 of 0" in failed.stderr


def test_schedules_are_shown_before_the_first_start(tasks):
    document = json.loads(tasks("schedules", "--json").stdout)
    schedule = next(item for item in document["items"] if item["name"] == "housekeeping")
    assert schedule["enabled"] is True and schedule["zone"] == "UTC" and schedule["last_time"] is None
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT03:17:00\.000Z", schedule["next_time"])
    assert tasks("schedules").stdout.startswith("housekeeping\ton\t")


@pytest.mark.parametrize("arguments, code, words", [
    (("run", "spring"), 1, ["spring", "housekeeping"]),
    (("retry", "0000"), 1, ["0000", "tasks list"]),
    (("cancel", "0000"), 1, ["0000"]),
    (("list", "--state", "lost"), 2, ["lost", "waiting"]),
    (("list", "--limit", "0"), 2, ["--limit", "1"]),
    (("list", "--limit", "-1"), 2, ["--limit"]),
    (("list", "--skip", "-1"), 2, ["--skip"]),
    (("work",), 2, ["--exercise"]),
])
def test_a_mistake_is_named(tasks, arguments, code, words):
    message = tasks(*arguments, code=code).stderr
    assert all(word in message for word in words), message


def test_help_shows_what_is_for_people(tasks):
    shown = run_command("tasks", "--help").stdout
    assert all(name in shown for name in ("list", "run", "failed", "retry", "cancel", "schedules"))
    assert not re.search(r"^  (exercise|work)\b", shown, re.MULTILINE)


def watch(data):
    """Has the database itself write down what every worker does: how many run together, and for how long they are leased."""
    with sqlite3.connect(data / "pathlight.db") as database:
        database.executescript("""
            CREATE TABLE watched (running INTEGER, started TEXT, until TEXT);
            CREATE TRIGGER watching AFTER UPDATE OF state ON tasks WHEN NEW.state = 'running' AND OLD.state <> 'running'
            BEGIN
                INSERT INTO watched SELECT (SELECT COUNT(*) FROM tasks WHERE state = 'running'), NEW.started_at, NEW.lease_until;
            END;
            """)
        # More than run together by default. They differ from what a schedule queues in having no unique key.
        database.executemany(
            "INSERT INTO tasks (id, kind, payload, priority, state, attempts, maximum_attempts, due_at, cancel_requested,"
            " created_at) VALUES (?, 'housekeeping', '{}', 0, 'waiting', 0, 3, '2026-01-01T00:00:00.000Z', 0,"
            " '2026-01-01T00:00:00.000Z')", [(f"{number:032x}",) for number in range(12)])


def watched(data):
    with sqlite3.connect(data / "pathlight.db") as database:
        done = database.execute("SELECT COUNT(*) FROM tasks WHERE kind = 'housekeeping' AND state = 'done'").fetchone()[0]
        rows = database.execute("SELECT running, started, until FROM watched").fetchall()
    return done, rows


def seconds_between(first, last):
    first, last = (datetime.datetime.fromisoformat(text.replace("Z", "+00:00")) for text in (first, last))
    return (last - first).total_seconds()


@pytest.mark.parametrize("settings, together, lease", [
    ({}, 4, 60), ({"PATHLIGHT_TASKS_CONCURRENCY": "1", "PATHLIGHT_TASKS_LEASE_SECONDS": "7"}, 1, 7),
    ({"PATHLIGHT_TASKS_CONCURRENCY": "9", "PATHLIGHT_TASKS_LEASE_SECONDS": "3600"}, 9, 3600)])
def test_a_service_does_as_many_tasks_together_as_are_set_and_holds_them_as_long(
        tasks, start_service, tmp_path, settings, together, lease):
    tasks("list")
    watch(tmp_path / "data")
    start_service(data=tmp_path / "data", **NO_MODELS, **settings)
    deadline = time.monotonic() + 60
    while watched(tmp_path / "data")[0] < 12 and time.monotonic() < deadline:
        time.sleep(0.1)
    done, rows = watched(tmp_path / "data")
    assert done >= 12 and max(running for running, _, _ in rows) == together, rows
    assert {round(seconds_between(started, until)) for _, started, until in rows} == {lease}


@pytest.mark.parametrize("name, value", [("CONCURRENCY", "0"), ("LEASE_SECONDS", "4")])
def test_what_no_worker_can_do_is_refused(tmp_path, name, value):
    result = run_command("serve", "--data", tmp_path, **{f"PATHLIGHT_TASKS_{name}": value})
    assert result.returncode == 78 and f"PATHLIGHT_TASKS_{name}" in result.stderr
