"""Private data: nothing of it in logs, metrics and files; export, erasure, keys that change and keys that are missing."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import threading
import time

import pytest
from conftest import needs_model
from harness import BINARY, EMPTY_FOLDER, NO_MODELS, Service, clean_environment, run_command
from sheets import sheet

pytestmark = needs_model

RECOMMEND = "/api/results/recommend/"
SUBMIT = "/api/quiz/submit/"
# Words that are in no career, question or message of the program.
FREE_TEXT = "zebrafinkqx71 taught me to repair quollmachines83"
EMAIL = "Marqueline.Qx81@quillmark-example.org"
NAME = "Marqueline Vombatqx92"
MARKS = ["zebrafinkqx71", "quollmachines83", "marqueline", "quillmark-example", "vombatqx92"]


def answers_with_marks(client):
    questions = client.get("/api/quiz/questions/").expect(200)["items"]
    texts = {str(question["id"]) for question in questions if question["type"] == "text"}
    return {name: FREE_TEXT if name in texts else value for name, value in sheet(questions, 7).items()}


def submit(client, key=None):
    """Submits a quiz with marked answers and asks for careers; gives the session's id."""
    headers = {"Content-Type": "application/json", **({"Idempotency-Key": key} if key else {})}
    body = json.dumps({"answers": answers_with_marks(client)}).encode()
    submitted = client.request("POST", SUBMIT, body=body, headers=headers)
    assert submitted.status in (200, 201), submitted.body
    session = submitted.json["session_id"]
    client.post(RECOMMEND, {"session_id": session, "top_n": 3}).expect(200)
    return session


def create_user(data):
    done = run_command("users", "create", "--email", EMAIL, "--name", NAME, "--data", data)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def give_to(data, user, session):
    with sqlite3.connect(data / "pathlight.db", timeout=10) as database:
        assert database.execute("UPDATE sessions SET owner = ? WHERE id = ?", (user, session)).rowcount == 1


def marks_in(data, marks):
    """Where marks are in the bytes of the data folder's files, in any case."""
    found = []
    for file in sorted(data.rglob("*")):
        if file.is_file():
            content = file.read_bytes().lower()
            found += [f"{mark} in {file.name}" for mark in marks if mark.lower().encode() in content]
    return found


def current_key(data):
    lines = [line for line in (data / "keys/columns.key").read_text().splitlines() if not line.startswith("#")]
    return lines[0].split()[0]


def refused(data, **settings):
    """Starts the service, which must refuse, and gives what it said."""
    service = Service(data, data.parent / f"refused-{time.monotonic_ns()}.log", **settings)
    service.launch()
    try:
        assert service.process.wait(60) != 0
    finally:
        service.stop()
    return service.log.read_text()


def test_no_mark_is_in_log_metrics_or_files(start_service):
    service = start_service(LOG_LEVEL="trace")
    user = create_user(service.data)
    with service.client() as client:
        session = submit(client, key="a-key-of-mine")
        give_to(service.data, user, session)
        client.post(RECOMMEND, {"text": f"{FREE_TEXT}, says {NAME} <{EMAIL}>"}).expect(200)
        # What fails is where a log is tempted to tell what came.
        assert client.post(RECOMMEND, {"text": FREE_TEXT, "top_n": FREE_TEXT}).status == 422
        assert client.post(SUBMIT, {"answers": {"19": FREE_TEXT, FREE_TEXT: NAME}}).status == 422
        assert client.post_text(RECOMMEND, '{"text": "' + FREE_TEXT).status == 400
        client.get(f"/api/careers/?search={EMAIL}&text=zebrafinkqx71")
        client.get(f"/api/results/{session}/", Authorization=f"Bearer {NAME}{EMAIL}")
        client.post("/api/auth/sign-in/", {"email": EMAIL, "password": FREE_TEXT})
        metrics = client.get("/metrics")
        assert metrics.status == 200
    log = service.log.read_text("utf-8", "replace").lower()
    assert "trace" in log or "debug" in log, "the log tells less than it was asked for, so that this shows nothing"
    assert [mark for mark in MARKS if mark in log] == []
    assert [mark for mark in MARKS if mark in metrics.body.decode().lower()] == []
    assert marks_in(service.data, MARKS) == []
    # And yet everything is there.
    done = run_command("users", "export", user, "--data", service.data)
    assert done.returncode == 0, done.stderr
    assert FREE_TEXT in done.stdout and NAME in done.stdout


def test_without_encryption_the_marks_are_in_the_files(start_service):
    """The search above finds what there is to be found."""
    service = start_service(PATHLIGHT_ENCRYPTION="off", **NO_MODELS)
    with service.client() as client:
        submit(client)
    assert any("zebrafinkqx71" in place for place in marks_in(service.data, MARKS))
    assert not (service.data / "keys").exists()


def test_a_person_is_exported_and_erased(start_service):
    service = start_service()
    user = create_user(service.data)
    with service.client() as client:
        session, other = submit(client, key="one"), submit(client, key="two")
        give_to(service.data, user, session)
        done = run_command("users", "export", user, "--data", service.data)
        document = json.loads(done.stdout)
        assert document["tables"]["users"][0]["name"] == NAME
        assert document["tables"]["sessions"][0]["id"] == session
        assert FREE_TEXT in json.dumps(document["tables"]["sessions"][0]["answers"])
        assert len(document["tables"]["idempotent_requests"]) == 1
        assert other not in done.stdout and "password_hash" in done.stdout

        asked = run_command("users", "erase", user, "--data", service.data)
        assert asked.returncode == 2 and "--yes" in asked.stderr
        done = run_command("users", "erase", user, "--yes", "--json", "--data", service.data)
        report = json.loads(done.stdout)
        assert done.returncode == 0 and report["proven"], done.stdout + done.stderr
        assert report["removed"]["sessions"] == report["removed"]["users"] == 1
        assert client.get(f"/api/results/{session}/").status in (403, 404)
        assert client.get(f"/api/results/{other}/").status == 200
    assert marks_in(service.data, [user, session]) == []
    assert run_command("users", "export", user, "--data", service.data).returncode == 1


def test_the_proof_fails_where_something_is_left(start_service):
    service = start_service()
    user = create_user(service.data)
    service.stop()
    with sqlite3.connect(service.data / "pathlight.db") as database:
        database.execute("CREATE TABLE notes (note TEXT)")
        database.execute("INSERT INTO notes VALUES (?)", (f"asked {EMAIL.upper()} again",))
    done = run_command("users", "erase", user, "--yes", "--data", service.data)
    assert done.returncode == 1 and "STILL THERE: 1 rows of notes, in note" in done.stdout


def test_an_erasure_beside_a_reader_says_what_it_did(tmp_path):
    data = tmp_path / "data"
    user = create_user(data)
    reader = sqlite3.connect(data / "pathlight.db", isolation_level=None)
    reader.execute("BEGIN")
    assert reader.execute("SELECT COUNT(*) FROM users").fetchone() == (1,)
    done = run_command("users", "erase", user, "--yes", "--json", "--data", data)
    report = json.loads(done.stdout)
    assert done.returncode == 1 and report["removed"]["users"] == 1 and not report["proven"], done.stdout + done.stderr
    assert any(doubt["file"].endswith("pathlight.db") and "backup" in doubt["reason"] for doubt in report["doubts"])
    reader.execute("COMMIT")
    reader.close()
    again = run_command("users", "erase", user, "--yes", "--data", data)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "no account of that id" in again.stdout and "written anew" in again.stdout
    assert marks_in(data, [user]) == []


def test_messages_and_databases_set_aside_are_looked_at(tmp_path):
    data = tmp_path / "data"
    user = create_user(data)
    for address in (EMAIL, "somebody@example.org"):
        assert run_command("mail", "test", "--to", address, "--data", data).returncode == 0
    exported = json.loads(run_command("users", "export", user, "--data", data).stdout)
    assert len(exported["messages"]) == 1 and EMAIL in exported["messages"][0]["text"]
    kept = data / "pathlight.db.before-restore-20260101T000000Z"
    assert run_command("backup", kept, "--data", data).returncode == 0
    # What cannot be read may be to them, and the database alone knows their address.
    closed = data / "mail/0.eml"
    closed.mkdir()
    held = run_command("users", "erase", user, "--yes", "--json", "--data", data)
    report = json.loads(held.stdout)
    assert held.returncode == 1 and report["held_back"] and not report["proven"] and report["removed"] == {}
    assert [doubt["file"] for doubt in report["doubts"]] == [str(closed)] and len(report["removed_messages"]) == 1
    told = run_command("users", "erase", user, "--yes", "--data", data)
    assert told.returncode == 1 and "NOTHING WAS ERASED" in told.stdout and "nothing remains" not in told.stdout
    closed.rmdir()
    done = run_command("users", "erase", user, "--yes", "--data", data)
    assert done.returncode == 1 and f"STILL THERE: in the bytes of {kept}; a restore left it" in done.stdout, done.stdout
    assert len(list((data / "mail").glob("*.eml"))) == 1
    assert f"looked for messages in {data}/mail; files of mail elsewhere were not looked at" in done.stdout
    assert f"tables of {data}/pathlight.db" in done.stdout
    kept.unlink()
    # The address went with the account: to whom the other message is, nobody can say from the id alone.
    again = run_command("users", "erase", user, "--yes", "--data", data)
    assert again.returncode == 1 and f"NOT KNOWN: whether {data}/mail still holds" in again.stdout, again.stdout
    next((data / "mail").glob("*.eml")).unlink()
    last = run_command("users", "erase", user, "--yes", "--data", data)
    assert last.returncode == 0, last.stdout + last.stderr
    assert marks_in(data, [user, EMAIL]) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="nobody else can give files away")
def test_what_root_makes_belongs_to_the_owner_of_the_folder(tmp_path):
    owner = 65534
    os.chown(tmp_path, owner, owner)
    data = tmp_path / "data"
    create_user(data)
    assert run_command("users", "rotate-key", "--data", data).returncode == 0
    assert run_command("mail", "test", "--to", EMAIL, "--data", data).returncode == 0
    made = [data, *data.rglob("*")]
    assert {"keys", "columns.key", "mail", "pathlight.db", "pathlight.db.keys.lock"} <= {path.name for path in made}
    assert {path: path.stat().st_uid for path in made} == dict.fromkeys(made, owner)


def test_rotations_at_once_lose_no_key(tmp_path):
    data = tmp_path / "data"
    create_user(data)
    arguments = [str(BINARY), "users", "rotate-key", "--data", str(data)]
    processes = [
        subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=EMPTY_FOLDER.name,
                         env=clean_environment())
        for _ in range(6)
    ]
    told = [process.communicate(timeout=120)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 6, told
    lines = (data / "keys/columns.key").read_text().splitlines()
    keys = {line.split()[0] for line in lines if not line.startswith("#")} - {"index"}
    assert len(keys) == 7 and all(any(key in words for key in keys) for words in told)
    with sqlite3.connect(data / "pathlight.db") as database:
        known = {key for key, in database.execute("SELECT key_id FROM column_keys WHERE key_id <> 'index'")}
    database.close()
    assert known == keys
    assert EMAIL.lower() in run_command("users", "list", "--data", data).stdout.lower()


def status(data):
    done = run_command("users", "rotate-key", "--status", "--data", data)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_key_is_rotated_beside_a_running_service(start_service):
    service = start_service()
    with service.client() as client:
        sessions = [submit(client) for _ in range(20)]
    old = current_key(service.data)
    stop = threading.Event()
    failures = []

    def go_on():
        with service.client() as client:
            while not stop.is_set():
                try:
                    sessions.append(submit(client))
                    client.get(f"/api/results/{sessions[0]}/").expect(200)
                except AssertionError as error:
                    failures.append(error)
                    return

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        done = run_command("users", "rotate-key", "--data", service.data)
    finally:
        stop.set()
        thread.join()
    assert done.returncode == 0, done.stderr
    assert failures == []
    new = current_key(service.data)
    assert new != old
    told = status(service.data)
    assert f"current key: {new}" in told and "left to seal" not in told, told
    assert f"the key {old} seals nothing here any more" in told
    with service.client() as client:
        for session in sessions:
            assert client.get(f"/api/results/{session}/").status == 200
    # Without the old line, everything still opens.
    service.stop()
    file = service.data / "keys/columns.key"
    file.write_text("".join(line for line in file.read_text().splitlines(True) if not line.startswith(old)))
    again = start_service(data=service.data)
    with again.client() as client:
        assert client.get(f"/api/results/{sessions[0]}/").status == 200


def test_a_rotation_survives_being_killed(start_service):
    service = start_service()
    with service.client() as client:
        sessions = [submit(client) for _ in range(30)]
    for attempt in range(6):
        arguments = ["users", "rotate-key", "--data", str(service.data)] + (["--reseal"] if attempt % 2 else [])
        process = subprocess.Popen([str(BINARY), *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   cwd=EMPTY_FOLDER.name, env=clean_environment())
        time.sleep(0.05 + 0.45 * attempt)
        process.send_signal(signal.SIGKILL)
        process.wait(30)
    done = run_command("users", "rotate-key", "--reseal", "--data", service.data)
    assert done.returncode == 0 and "left to seal" not in done.stdout, done.stdout + done.stderr
    assert oct(os.stat(service.data / "keys/columns.key").st_mode & 0o777) == "0o600"
    with service.client() as client:
        for session in sessions:
            assert client.get(f"/api/results/{session}/").status == 200


def test_a_start_without_the_right_key_is_refused(start_service, tmp_path):
    service = start_service()
    with service.client() as client:
        session = submit(client)
    service.stop()
    key = current_key(service.data)
    file = service.data / "keys/columns.key"
    kept = file.read_text()
    secrets = [line.split()[1] for line in kept.splitlines() if not line.startswith("#")]

    file.unlink()
    for settings in ({}, {"PATHLIGHT_ENCRYPTION": "off"}):
        said = refused(service.data, **settings)
        assert key in said and "sealed" in said, said
    assert not file.exists(), "a new key in place of the lost one hides the loss"

    other = tmp_path / "other.key"
    other.write_text(kept.replace(secrets[0], "AB" * 21 + "A="))
    other.chmod(0o600)
    said = refused(service.data, PATHLIGHT_ENCRYPTION_KEY_FILE=str(other))
    assert key in said and "is not the key" in said, said

    file.write_text(kept)
    file.chmod(0o644)
    said = refused(service.data)
    assert f"chmod 600 {file}" in said, said
    assert not any(secret in said for secret in secrets)

    file.chmod(0o600)
    again = start_service(data=service.data)
    with again.client() as client:
        assert client.get(f"/api/results/{session}/").status == 200
    again.stop()
    # The same keys from the environment.
    keys = ",".join(line for line in kept.splitlines() if not line.startswith("#"))
    file.rename(tmp_path / "moved.key")
    last = start_service(data=service.data, PATHLIGHT_ENCRYPTION_KEYS=keys)
    with last.client() as client:
        assert client.get(f"/api/results/{session}/").status == 200
    assert not any(secret in last.log.read_text() for secret in secrets)


def test_keys_are_made_for_their_owner_alone(start_service):
    service = start_service(is_seeded=False, **NO_MODELS)
    folder = service.data / "keys"
    assert oct(os.stat(folder).st_mode & 0o777) == "0o700"
    assert [file.name for file in folder.iterdir()] == ["columns.key"]
    assert re.fullmatch(r"k\d{8}-[0-9a-f]{8}", current_key(service.data))
    assert "keep a copy" in service.log.read_text()


def test_where_keys_are_required_none_is_made(tmp_path):
    said = refused(tmp_path / "data", PATHLIGHT_ENCRYPTION="required")
    assert "PATHLIGHT_ENCRYPTION_KEY_FILE" in said
    assert not (tmp_path / "data/keys").exists()
