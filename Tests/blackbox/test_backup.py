"""Backups beside a running service, and what comes back of them."""

import os
import signal
import sqlite3
import stat
import subprocess
import threading
import time

import pytest
from harness import BINARY, EMPTY_FOLDER, NO_MODELS, clean_environment, run_command

RECOMMEND = "/api/results/recommend/"
DONE, FAILED, USAGE = 0, 1, 2


class Writers:
    """People whose answers are stored as fast as they are confirmed."""

    def __init__(self, service, count=3):
        self.service = service
        self.stop = threading.Event()
        self.confirmed = []
        self.errors = []
        self.threads = [threading.Thread(target=self.run, args=(number,)) for number in range(count)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join(60)

    def run(self, number):
        with self.service.client() as client:
            turn = 0
            while not self.stop.is_set():
                abilities = [(number + turn * (index + 3)) % 11 for index in range(14)] + [turn % 5]
                reply = client.post(RECOMMEND, {"abilities": abilities})
                if reply.status == 200:
                    self.confirmed.append(reply.json["session_id"])
                elif reply.status not in (422, 429):
                    self.errors.append(reply.body)
                turn += 1

    def wait_for(self, count):
        deadline = time.monotonic() + 60
        while len(self.confirmed) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(self.confirmed) >= count, self.errors[:3]


def sessions(path):
    """The ids of the sessions in a database file, read without touching it."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return {row[0] for row in connection.execute("SELECT id FROM sessions")}
    finally:
        connection.close()


def backup(service, file, *options, **settings):
    return run_command("backup", file, *options, "--data", service.data, **settings)


def restore(service, file, *options):
    return run_command("restore", file, *options, "--data", service.data)


def test_a_backup_under_load_has_what_was_confirmed_before_it(start_service, tmp_path):
    service = start_service()
    file = tmp_path / "copy.db"
    with Writers(service) as writers:
        writers.wait_for(50)
        before = set(writers.confirmed)
        result = backup(service, file)
        after = len(writers.confirmed)
        writers.wait_for(after + 5)
    assert result.returncode == DONE, result.stderr
    assert result.stdout == "" and "checked" in result.stderr
    assert not writers.errors, writers.errors[:3]
    copied = sessions(file)
    assert before <= copied, "a confirmed session is missing"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith("copy")) == ["copy.db"]
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",), "the copy needs a log beside it"
    connection.close()


def test_a_backup_says_where_the_keys_are_that_it_does_not_have(start_service, tmp_path):
    sealed = start_service()
    key = sealed.data / "keys/columns.key"
    said = backup(sealed, tmp_path / "sealed.db").stderr
    assert f"the keys of private columns are not in it; they are in {key}" in said
    ring = ",".join(line for line in key.read_text().splitlines() if not line.startswith("#"))
    said = backup(sealed, tmp_path / "variable.db", PATHLIGHT_ENCRYPTION_KEYS=ring).stderr
    assert "the variable PATHLIGHT_ENCRYPTION_KEYS" in said and ring.split()[1][:20] not in said
    plain = start_service(PATHLIGHT_ENCRYPTION="off", **NO_MODELS)
    said = backup(plain, tmp_path / "plain.db", PATHLIGHT_ENCRYPTION="off").stderr
    assert "checked" in said and "keys" not in said


def test_a_restore_brings_back_what_was_saved_and_keeps_the_rest(start_service, tmp_path):
    service = start_service()
    file = tmp_path / "copy.db"
    with service.client() as client:
        saved = client.post(RECOMMEND, {"abilities": [5] * 14 + [9]}).expect(200)["session_id"]
    assert backup(service, file).returncode == DONE
    with service.client() as client:
        later = client.post(RECOMMEND, {"abilities": [4] * 14 + [9]}).expect(200)["session_id"]
    refused = restore(service, file, "--yes")
    assert refused.returncode == FAILED and "Stop the service" in refused.stderr, refused.stderr
    with service.client() as client:
        assert client.get(f"/api/results/{later}/").status == 200
    assert service.terminate() == 0

    unanswered = restore(service, file)
    assert unanswered.returncode == FAILED and "--yes" in unanswered.stderr
    result = restore(service, file, "--yes")
    assert result.returncode == DONE, result.stderr
    (kept,) = service.data.glob("pathlight.db.before-restore-*")
    assert str(kept) in result.stderr
    assert sessions(kept) >= {saved, later}
    service.start()
    with service.client() as client:
        assert client.get(f"/api/results/{saved}/").status == 200
        assert client.get(f"/api/results/{later}/").status == 404
        client.post(RECOMMEND, {"abilities": [6] * 14 + [9]}).expect(200)
    assert service.terminate() == 0

    assert restore(service, kept, "--yes").returncode == DONE
    assert sessions(service.data / "pathlight.db") >= {saved, later}


def test_a_damaged_backup_is_refused_by_name_and_nothing_changes(start_service, tmp_path):
    service = start_service()
    file = tmp_path / "copy.db"
    with service.client() as client:
        for number in range(20):
            client.post(RECOMMEND, {"abilities": [number % 10] * 14 + [9]})
    assert backup(service, file).returncode == DONE
    assert service.terminate() == 0
    before = sessions(service.data / "pathlight.db")
    names = sorted(path.name for path in service.data.iterdir())
    content = file.read_bytes()
    # In the middle of what a session holds, where only the checksums look.
    position = content.index(b'"recommendations"')
    damaged = {
        "altered": content[:position] + b'"recommendatXons"' + content[position + 17:],
        "cut": content[:len(content) // 2],
        "text": b"this is no database\n" * 500,
    }
    for name, bytes_ in damaged.items():
        broken = tmp_path / f"{name}.db"
        broken.write_bytes(bytes_)
        result = restore(service, broken, "--yes")
        assert result.returncode == FAILED and str(broken) in result.stderr, f"{name}: {result.stderr}"
        assert "Traceback" not in result.stderr and result.stdout == ""
    assert sessions(service.data / "pathlight.db") == before
    assert sorted(path.name for path in service.data.iterdir()) == names


def test_a_backup_takes_no_file_that_somebody_else_has(start_service, tmp_path):
    service = start_service()
    file = tmp_path / "copy.db"
    file.write_text("mine")
    result = backup(service, file)
    assert result.returncode == FAILED and "--force" in result.stderr and file.read_text() == "mine"
    assert backup(service, file, "--force").returncode == DONE
    database = service.data / "pathlight.db"
    result = backup(service, database, "--force")
    assert result.returncode == FAILED and "database itself" in result.stderr
    missing = run_command("backup", tmp_path / "other.db", "--data", tmp_path / "nothing")
    assert missing.returncode == FAILED and "pathlight.db" in missing.stderr
    assert not (tmp_path / "nothing").exists()
    assert run_command("backup").returncode == USAGE
    assert service.is_ready()


def kill_after(arguments, seconds):
    """Starts a command and kills it after so long; whether it was still there to kill."""
    process = subprocess.Popen(
        [str(BINARY), *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, cwd=EMPTY_FOLDER.name, env=clean_environment())
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
    return process.wait(30) == -signal.SIGKILL


@pytest.fixture
def large(start_service, tmp_path):
    """A stopped service's folder with enough in it that copying takes a while, and its backup."""
    service = start_service()
    service.terminate()
    connection = sqlite3.connect(service.data / "pathlight.db")
    with connection:
        connection.executemany(
            "INSERT INTO sessions (id, kind, reply, created_at, updated_at) VALUES (?, 'quiz', ?, ?, ?)",
            ((f"large-{number}", os.urandom(15_000).hex(), "2026-02-26T09:30:00.125Z", "2026-02-26T09:30:00.125Z")
             for number in range(600)))
    connection.close()
    file = tmp_path / "backups" / "copy.db"
    file.parent.mkdir()
    assert backup(service, file).returncode == DONE
    return service, file


def test_a_killed_backup_leaves_the_old_one_and_the_next_is_whole(large, generator):
    service, file = large
    old = file.read_bytes()
    killed = 0
    for _ in range(8):
        killed += kill_after(["backup", file, "--force", "--data", service.data], generator.uniform(0.01, 0.4))
        now = file.read_bytes()
        assert now == old or sessions(file) == sessions(service.data / "pathlight.db")
        old = now
    assert killed, "no backup was still under way when it was to be killed"
    assert backup(service, file, "--force").returncode == DONE
    assert sessions(file) == sessions(service.data / "pathlight.db")
    assert [path.name for path in file.parent.iterdir()] == ["copy.db"]


def test_a_killed_restore_leaves_the_old_or_the_new_and_is_finished_by_the_next(large, generator):
    service, file = large
    database = service.data / "pathlight.db"
    saved = sessions(file)
    killed = 0
    for turn in range(8):
        connection = sqlite3.connect(database)
        with connection:
            connection.execute(
                "INSERT INTO sessions (id, kind, created_at, updated_at) VALUES (?, 'quiz', ?, ?)",
                (f"new-{turn}", "2026-02-26T09:30:00.125Z", "2026-02-26T09:30:00.125Z"))
        connection.close()
        changed = sessions(database)
        killed += kill_after(["restore", file, "--yes", "--data", service.data], generator.uniform(0.01, 0.5))
        found = sessions(database)
        assert found in (saved, changed), "half a state"
        connection = sqlite3.connect(database)
        assert connection.execute("PRAGMA quick_check").fetchone() == ("ok",)
        connection.close()
        if found == saved:
            kept = [sessions(path) for path in service.data.glob("pathlight.db.before-restore-*[Z0-9]")]
            assert changed in kept, "what was replaced is lost"
    assert killed, "no restore was still under way when it was to be killed"
    assert restore(service, file, "--yes").returncode == DONE
    assert sessions(database) == saved
    assert not (service.data / "pathlight.db.restoring").exists()
    service.start()
    with service.client() as client:
        client.post(RECOMMEND, {"abilities": [5] * 14 + [9]}).expect(200)


def test_a_full_disk_is_told_and_leaves_nothing(start_service, tmp_path):
    service = start_service()
    script = f"ulimit -f 64; trap '' XFSZ; exec {BINARY} backup {tmp_path}/copy.db --data {service.data}"
    result = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60,
                            cwd=EMPTY_FOLDER.name, env=clean_environment(), check=False)
    assert result.returncode == FAILED and f"{tmp_path}/copy.db" in result.stderr, result.stderr
    assert not list(tmp_path.glob("copy*"))
    assert service.is_ready()


def test_an_upgrade_goes_back_by_its_backup(start_service, tmp_path):
    """The order that docs/operations.md gives: stop, back up, start the new; and back again."""
    service = start_service()
    with service.client() as client:
        session = client.post(RECOMMEND, {"abilities": [5] * 14 + [9]}).expect(200)["session_id"]
    service.terminate()
    file = tmp_path / "before.db"
    assert backup(service, file).returncode == DONE
    # What a later version would leave.
    connection = sqlite3.connect(service.data / "pathlight.db")
    with connection:
        connection.execute("INSERT INTO schema_migrations VALUES (999, 'later', 'x', '2026-02-26T09:30:00.125Z')")
    connection.close()
    later = tmp_path / "later.db"
    assert backup(service, later).returncode == DONE, "an older program must be able to save a newer database"
    result = restore(service, later, "--yes")
    assert result.returncode == FAILED and "999" in result.stderr and str(later) in result.stderr
    assert restore(service, file, "--yes").returncode == DONE
    service.start()
    with service.client() as client:
        assert client.get(f"/api/results/{session}/").status == 200
