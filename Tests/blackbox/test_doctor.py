"""`pathlight doctor`: what a start needs, in lines for people and as one document."""

import json
import os
import socket
import stat
import sqlite3

import pytest
from harness import free_port, run_command

DONE, FAILED, WRONG_SETTINGS = 0, 1, 78
SUBJECTS = {"content", "settings", "database", "careers", "model", "vectors", "folder", "disk", "files", "clock",
            "address", "port", "trust"}


def doctor(data, *options, port=None, **settings):
    return run_command("doctor", *options, "--data", data, PATHLIGHT_PORT=str(port or free_port()), **settings)


def lines(result):
    """State and detail by subject."""
    found = {}
    for line in result.stdout.splitlines():
        subject, detail = line[9:].split(": ", 1)
        found[subject] = (line[:9].strip(), detail)
    return found


def test_the_document_says_what_the_lines_say(tmp_path):
    port = free_port()
    people = doctor(tmp_path / "data", port=port)
    program = doctor(tmp_path / "data", "--json", port=port)
    assert people.returncode == program.returncode == DONE, people.stdout + people.stderr
    document = json.loads(program.stdout)
    assert program.stdout.count("\n") == 1
    found = {check["subject"]: check["state"] for check in document["checks"]}
    assert SUBJECTS <= set(found), SUBJECTS - set(found)
    assert found == {subject: state for subject, (state, _) in lines(people).items()}
    ranks = ["ok", "warning", "degraded", "broken"]
    assert document["status"] == max(found.values(), key=ranks.index)
    assert document["version"]


def test_settings_that_cannot_be_used_are_in_the_document(tmp_path):
    result = run_command("doctor", "--json", "--data", tmp_path / "data", PATHLIGHT_PORT="many")
    assert result.returncode == WRONG_SETTINGS
    document = json.loads(result.stdout)
    assert document["status"] == "broken"
    assert document["checks"] == [document["checks"][0]] and "PATHLIGHT_PORT" in document["checks"][0]["detail"]


def test_a_variable_that_sets_nothing_is_a_warning(tmp_path):
    result = doctor(tmp_path / "data", PATHLIGHT_POTR="1")
    state, detail = lines(result)["settings"]
    assert result.returncode == DONE and state == "warning" and "PATHLIGHT_POTR" in detail


def test_a_port_is_free_served_or_taken(start_service, tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        result = doctor(tmp_path / "data", port=other.getsockname()[1])
        assert result.returncode == FAILED and lines(result)["port"][0] == "broken"
    assert lines(doctor(tmp_path / "data"))["port"][0] == "ok"
    service = start_service(data=tmp_path / "data")
    result = doctor(tmp_path / "data", port=service.port)
    state, detail = lines(result)["port"]
    assert result.returncode == DONE and state == "ok" and "running" in detail


def test_what_others_may_read_is_a_warning(tmp_path):
    data = tmp_path / "data"
    assert lines(doctor(data))["folder"][0] == "ok"
    data.chmod(0o755)
    (data / "pathlight.db").chmod(0o644)
    result = doctor(data)
    found = lines(result)
    assert result.returncode == DONE
    assert found["folder"][0] == "warning" and "chmod 700" in found["folder"][1]
    assert found["files"][0] == "warning" and "chmod 600" in found["files"][1]


def test_a_restore_that_was_cut_off_is_a_warning(tmp_path):
    data = tmp_path / "data"
    doctor(data)
    assert lines(doctor(data))["files"][0] == "ok"
    os.link(data / "pathlight.db", data / "pathlight.db.before-restore-20260101T000000Z")
    state, detail = lines(doctor(data))["files"]
    assert state == "warning" and "restore" in detail


def test_a_clock_behind_its_own_files_is_a_warning(tmp_path):
    data = tmp_path / "data"
    doctor(data)
    database = data / "pathlight.db"
    later = database.stat().st_mtime + 86_400
    os.utime(database, (later, later))
    # Opening does not write where nothing is to be done; a run that did would mend the time.
    state, _ = lines(doctor(data))["clock"]
    assert state == "warning"


def test_missing_certificates_are_a_warning(tmp_path):
    result = doctor(tmp_path / "data", CURL_CA_BUNDLE="", SSL_CERT_FILE=str(tmp_path / "none.crt"))
    state, detail = lines(result)["trust"]
    assert result.returncode == DONE and state == "warning" and "none.crt" in detail


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_broken(tmp_path):
    data = tmp_path / "data"
    doctor(data)
    data.chmod(0o500)
    result = doctor(data)
    data.chmod(0o700)
    assert result.returncode == FAILED and lines(result)["folder"][0] == "broken"


def test_doctor_leaves_the_database_as_it_is_beside_a_service(start_service, tmp_path):
    service = start_service(data=tmp_path / "data")
    assert doctor(service.data, port=service.port).returncode == DONE
    assert stat.S_IMODE((service.data / "pathlight.db").stat().st_mode) == 0o600
    connection = sqlite3.connect(service.data / "pathlight.db")
    assert connection.execute("PRAGMA quick_check").fetchone() == ("ok",)
    connection.close()
    assert service.is_ready()
