"""`pathlight doctor`: what a start needs, in lines for people and as one document."""

import json
import os
import socket
import stat
import sqlite3

import pytest
from fake_llm import Answer, FakeOpenAI, Slow, Status
from fake_smtp import FakeSMTP
from harness import free_port, make_database, run_command, seed

DONE, FAILED, WRONG_SETTINGS = 0, 1, 78
SUBJECTS = {"content", "settings", "database", "careers", "model", "vectors", "folder", "disk", "files", "clock",
            "address", "port", "trust", "encryption", "access", "tasks", "jwt", "outbound", "models_outside", "mail"}


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
    data = make_database(tmp_path / "data")
    assert lines(doctor(data))["folder"][0] == "ok"
    data.chmod(0o755)
    (data / "pathlight.db").chmod(0o644)
    result = doctor(data)
    found = lines(result)
    assert result.returncode == DONE
    assert found["folder"][0] == "warning" and "chmod 700" in found["folder"][1]
    assert found["files"][0] == "warning" and "chmod 600" in found["files"][1]


def test_a_restore_that_was_cut_off_is_a_warning(tmp_path):
    data = make_database(tmp_path / "data")
    assert lines(doctor(data))["files"][0] == "ok"
    os.link(data / "pathlight.db", data / "pathlight.db.before-restore-20260101T000000Z")
    state, detail = lines(doctor(data))["files"]
    assert state == "warning" and "restore" in detail


def test_a_clock_behind_its_own_files_is_a_warning(tmp_path):
    data = make_database(tmp_path / "data")
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
    data = make_database(tmp_path / "data")
    data.chmod(0o500)
    result = doctor(data)
    data.chmod(0o700)
    assert result.returncode == FAILED and lines(result)["folder"][0] == "broken"


def rows(data, table):
    """All rows of a table; None where there is no such table."""
    connection = sqlite3.connect(data / "pathlight.db")
    try:
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone():
            return connection.execute(f"SELECT * FROM {table}").fetchall()
        return None
    finally:
        connection.close()


def test_where_nothing_is_nothing_is_made(tmp_path):
    data = tmp_path / "above" / "data"
    result = doctor(data)
    found = lines(result)
    assert result.returncode == DONE, result.stdout
    assert found["database"][0] == "warning" and f"no database in {data}" in found["database"][1]
    assert "PATHLIGHT_DATA" in found["database"][1]
    # All else is looked at as the first start will find it.
    assert SUBJECTS <= set(found) and found["careers"][0] == found["encryption"][0] == found["access"][0] == "ok"
    assert found["folder"][0] == "ok" and str(tmp_path) in found["folder"][1] and found["disk"][0] != "broken"
    assert list(tmp_path.iterdir()) == []
    data.mkdir(parents=True)
    assert lines(doctor(data))["database"][0] == "warning" and list(data.iterdir()) == []


def test_an_empty_database_beside_a_key_ring_is_not_well(tmp_path):
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    database = data / "pathlight.db"
    database.touch(0o600)
    state, detail = lines(doctor(data))["database"]
    assert state == "warning" and "is empty" in detail and "restore" not in detail
    database.unlink()
    assert run_command("users", "create", "--email", "ada@example.org", "--data", data).returncode == DONE
    for name in ("pathlight.db-wal", "pathlight.db-shm"):
        (data / name).unlink(missing_ok=True)
    for make in (lambda: database.write_bytes(b""), database.unlink):
        make()
        before = sorted(path.name for path in data.iterdir())
        state, detail = lines(doctor(data))["database"]
        assert state == "warning" and "columns.key" in detail and "pathlight restore" in detail
        assert sorted(path.name for path in data.iterdir()) == before


def test_a_database_server_is_told_as_a_setting(tmp_path):
    data = make_database(tmp_path / "data")
    for command in (["serve", "--port", "0"], ["users", "list"], ["backup", tmp_path / "copy.db"]):
        result = run_command(*command, "--data", data, DATABASE_URL="postgres://user:hidden@host/careers")
        assert result.returncode == WRONG_SETTINGS and "unset DATABASE_URL" in result.stderr
        assert "hidden" not in result.stderr
    result = doctor(data, DATABASE_URL="postgres://user:hidden@host/careers")
    state, detail = lines(result)["database"]
    assert result.returncode == FAILED and state == "broken" and "unset DATABASE_URL" in detail


def test_an_older_schema_is_told_of_and_not_migrated(tmp_path):
    data = make_database(tmp_path / "data")
    whole = rows(data, "schema_migrations")
    with sqlite3.connect(data / "pathlight.db") as connection:
        connection.execute("DELETE FROM schema_migrations WHERE version = (SELECT MAX(version) FROM schema_migrations)")
    connection.close()
    before = rows(data, "schema_migrations")
    assert len(before) == len(whole) - 1 > 0
    result = doctor(data)
    found = lines(result)
    assert result.returncode == DONE, result.stdout
    assert found["database"][0] == "warning" and "1 step of the schema is to come" in found["database"][1]
    assert rows(data, "schema_migrations") == before


def test_doctor_leaves_the_database_as_it_is_beside_a_service(start_service, tmp_path):
    service = start_service(data=tmp_path / "data")
    tables = ["schema_migrations", "column_keys", "settings", "tasks", "careers", "index_generations"]
    before = [rows(service.data, table) for table in tables]
    assert all(before[:2]), "a service has made its schema and its key"
    assert doctor(service.data, port=service.port).returncode == DONE
    assert [rows(service.data, table) for table in tables] == before
    assert stat.S_IMODE((service.data / "pathlight.db").stat().st_mode) == 0o600
    connection = sqlite3.connect(service.data / "pathlight.db")
    assert connection.execute("PRAGMA quick_check").fetchone() == ("ok",)
    connection.close()
    assert service.is_ready()


# Keys, administrators, tokens, mail, models

def test_a_lost_or_wrong_key_ring_is_broken_and_says_how_to_mend_it(tmp_path):
    data = tmp_path / "data"
    state, detail = lines(doctor(data))["encryption"]
    assert state == "ok" and f"{data}/keys/columns.key" in detail
    made = run_command("users", "create", "--email", "ada@example.org", "--data", data)
    assert made.returncode == DONE, made.stderr
    key = data / "keys/columns.key"
    before = sqlite3.connect(data / "pathlight.db").execute("SELECT * FROM column_keys ORDER BY key_id").fetchall()
    assert lines(doctor(data))["encryption"][0] == "ok"

    kept = key.read_bytes()
    key.chmod(0o644)
    result = doctor(data)
    state, detail = lines(result)["encryption"]
    assert result.returncode == FAILED and state == "broken" and f"chmod 600 {key}" in detail
    key.unlink()
    for settings in ({}, {"PATHLIGHT_ENCRYPTION": "off"}):
        result = doctor(data, **settings)
        state, detail = lines(result)["encryption"]
        assert result.returncode == FAILED and state == "broken" and "bring back the key file" in detail
        # As the start says it.
        started = run_command("serve", "--port", "0", "--data", data, **settings)
        assert started.returncode == WRONG_SETTINGS and detail in started.stderr
    assert not key.exists(), "a look makes no key"
    key.write_bytes(kept)
    key.chmod(0o600)
    assert lines(doctor(data))["encryption"][0] == "ok"
    after = sqlite3.connect(data / "pathlight.db").execute("SELECT * FROM column_keys ORDER BY key_id").fetchall()
    assert after == before, "a look changes nothing"


def test_columns_in_the_clear_are_a_warning(tmp_path):
    result = doctor(tmp_path / "data", PATHLIGHT_ENCRYPTION="off")
    assert result.returncode == DONE and lines(result)["encryption"][0] == "warning"


def test_beyond_loopback_an_admin_key_is_asked_for(tmp_path):
    data = tmp_path / "data"
    exposed = {"PATHLIGHT_HOST": "0.0.0.0", "PATHLIGHT_TRUSTED_PROXY": "127.0.0.1"}
    result = doctor(data, **exposed)
    state, detail = lines(result)["access"]
    assert result.returncode == FAILED and state == "broken" and "pathlight keys create --role admin" in detail
    proxied = doctor(data, PATHLIGHT_TRUSTED_PROXY="127.0.0.1")
    assert proxied.returncode == DONE and lines(proxied)["access"][0] == "warning"
    assert lines(doctor(data))["access"][0] == "ok"
    assert run_command("keys", "create", "--role", "admin", "--data", data).returncode == DONE
    assert lines(doctor(data, **exposed))["access"][0] == "ok"


def test_tokens_are_looked_at(tmp_path):
    seed(tmp_path / "data")
    secret = tmp_path / "secret"
    secret.write_text("0123456789abcdef" * 2)
    secret.chmod(0o644)
    result = doctor(tmp_path / "data", PATHLIGHT_AUTH_JWT_SECRET_FILE=str(secret))
    state, detail = lines(result)["jwt"]
    assert result.returncode == FAILED and state == "broken" and "chmod" in detail and "0123456789" not in detail
    started = run_command("serve", "--port", "0", "--data", tmp_path / "data", PATHLIGHT_AUTH_JWT_SECRET_FILE=str(secret))
    assert started.returncode == WRONG_SETTINGS and detail in started.stderr
    secret.chmod(0o600)
    assert lines(doctor(tmp_path / "data", PATHLIGHT_AUTH_JWT_SECRET_FILE=str(secret)))["jwt"][0] == "ok"
    keys = tmp_path / "keys.json"
    keys.write_text("{}")
    state, detail = lines(doctor(tmp_path / "data", PATHLIGHT_AUTH_JWT_JWKS_FILE=str(keys)))["jwt"]
    assert state == "broken" and str(keys) in detail


def test_dead_tasks_are_a_warning(tmp_path):
    data = make_database(tmp_path / "data")
    task = run_command("tasks", "run", "housekeeping", "--data", data).stdout.strip()
    assert lines(doctor(data))["tasks"][0] == "ok"
    with sqlite3.connect(data / "pathlight.db") as database:
        database.execute("UPDATE tasks SET state = 'dead', finished_at = created_at WHERE id = ?", (task,))
    result = doctor(data)
    state, detail = lines(result)["tasks"]
    assert result.returncode == DONE and state == "warning" and "1 of housekeeping" in detail and "retry" in detail


def test_mail_whose_links_lead_nowhere_is_a_warning(tmp_path):
    mail, proxy = {"PATHLIGHT_MAIL_FOLDER": str(tmp_path / "outbox")}, {"PATHLIGHT_TRUSTED_PROXY": "127.0.0.1"}
    result = doctor(tmp_path / "data", **mail, **proxy)
    state, detail = lines(result)["mail"]
    assert result.returncode == DONE and state == "warning" and "public_url" in detail and "outbox" in detail
    # The address is known, this machine's own does, or mail is not set up.
    for settings in ({**mail, **proxy, "PATHLIGHT_PUBLIC_URL": "https://careers.example.org"}, mail, proxy):
        assert lines(doctor(tmp_path / "data", **settings))["mail"][0] == "ok", settings


def test_mail_is_looked_at_and_with_online_asked(tmp_path):
    data = seed(tmp_path / "data")
    state, detail = lines(doctor(data))["mail"]
    assert state == "ok" and str(data / "mail") in detail
    (data / "mail").write_text("no folder")
    assert lines(doctor(data))["mail"][0] == "degraded"
    wrong = doctor(data, PATHLIGHT_MAIL_SMTP_HOST="127.0.0.1")
    assert wrong.returncode == FAILED and lines(wrong)["mail"][0] == "broken" and "mail.from" in lines(wrong)["mail"][1]
    started = run_command("serve", "--port", "0", "--data", data, PATHLIGHT_MAIL_SMTP_HOST="127.0.0.1")
    assert started.returncode == WRONG_SETTINGS

    password = tmp_path / "password"
    password.write_text("correct horse\n")
    password.chmod(0o600)
    with FakeSMTP(login=("mailer", "correct horse")) as server:
        settings = {"PATHLIGHT_MAIL_SMTP_HOST": "127.0.0.1", "PATHLIGHT_MAIL_SMTP_PORT": str(server.port),
                    "PATHLIGHT_MAIL_SMTP_SECURITY": "plain", "PATHLIGHT_MAIL_FROM": "mail@example.org",
                    "PATHLIGHT_MAIL_SMTP_TIMEOUT_SECONDS": "10", "PATHLIGHT_MAIL_SMTP_USER": "mailer",
                    "PATHLIGHT_MAIL_SMTP_PASSWORD_FILE": str(password)}
        assert lines(doctor(data, **settings))["mail"][0] == "ok"
        assert server.dialogues == [], "nobody is asked without --online"
        result = doctor(data, "--online", **settings)
        assert lines(result)["mail"][0] == "ok", result.stdout
        [dialogue] = server.dialogues
        assert dialogue.authenticated == "mailer" and server.messages == []
        assert not any(command.startswith(("MAIL", "RCPT", "DATA")) for command in dialogue.commands)
        password.write_text("another\n")
        result = doctor(data, "--online", **settings)
        state, detail = lines(result)["mail"]
        assert result.returncode == DONE and state == "degraded" and "535" in detail
        assert "another" not in result.stdout + result.stderr
        password.chmod(0o644)
        assert lines(doctor(data, **settings))["mail"][0] == "broken"


@pytest.mark.parametrize("options", [(), ("--online",)])
def test_mail_that_would_go_unprotected_to_another_machine_is_told(tmp_path, options):
    settings = {"PATHLIGHT_MAIL_SMTP_HOST": "192.0.2.2", "PATHLIGHT_MAIL_SMTP_SECURITY": "plain",
                "PATHLIGHT_MAIL_FROM": "mail@example.org", "PATHLIGHT_MAIL_SMTP_TIMEOUT_SECONDS": "5",
                "PATHLIGHT_OUTBOUND_ALLOWED_PRIVATE": "192.0.2.2"}
    result = doctor(tmp_path / "data", *options, **settings)
    state, detail = lines(result)["mail"]
    assert state == ("degraded" if options else "warning") and "starttls" in detail, result.stdout
    assert "private addresses" not in detail, "no setting allows it"


def test_models_outside_are_looked_at_and_with_online_asked(tmp_path):
    # What is asked is counted, for which there have to be tables.
    data = make_database(tmp_path / "data")
    assert lines(doctor(data))["models_outside"][0] == "ok"
    result = doctor(data, PATHLIGHT_LLM_PROVIDER="openai")
    state, detail = lines(result)["models_outside"]
    assert result.returncode == DONE and state == "degraded" and "OPENAI_API_KEY" in detail
    for wrong in ("ftp://example.org/v1", "example", "http://user:geheim@example.org/"):
        result = doctor(data, OPENAI_BASE_URL=wrong)
        state, detail = lines(result)["models_outside"]
        assert result.returncode == DONE and state == "degraded" and "base URL" in detail and "geheim" not in detail
    with FakeOpenAI([Answer("All is well.")]) as server:
        assert lines(doctor(data, **server.settings()))["models_outside"][0] == "ok"
        assert server.requests == [], "nobody is asked without --online"
        result = doctor(data, "--online", **server.settings())
        assert lines(result)["models_outside"][0] == "ok" and "answers in" in lines(result)["models_outside"][1]
        assert len(server.requests) == 1
    with FakeOpenAI([Status(401, code="invalid_api_key")]) as server:
        result = doctor(data, "--online", **server.settings())
        state, detail = lines(result)["models_outside"]
        assert result.returncode == DONE and state == "degraded" and "401" in detail and "API key" in detail
    with FakeOpenAI([Slow(60)]) as server:
        result = doctor(data, "--online", PATHLIGHT_LLM_TIMEOUT_SECONDS="1", **server.settings())
        state, detail = lines(result)["models_outside"]
        assert result.returncode == DONE and state == "degraded" and "in time" in detail
    # The one that was never answered too: it may have been billed.
    with sqlite3.connect(data / "pathlight.db") as database:
        assert database.execute("SELECT SUM(calls) FROM llm_usage WHERE feature = 'doctor'").fetchone() == (3,)
        assert database.execute("SELECT COUNT(*) FROM llm_reservations").fetchone() == (0,)


def test_prompts_are_looked_at(tmp_path):
    data = seed(tmp_path / "data")
    prompts = tmp_path / "prompts"
    prompts.mkdir()
    (prompts / "provider-check.txt").write_text("Sum up {{text}} in {{language}}, {{how}}.")
    result = doctor(data, PATHLIGHT_LLM_PROMPTS=str(prompts))
    state, detail = lines(result)["models_outside"]
    assert result.returncode == FAILED and state == "broken" and "llm.prompts" in detail and "how" in detail
    started = run_command("serve", "--port", "0", "--data", data, PATHLIGHT_LLM_PROMPTS=str(prompts))
    assert started.returncode == WRONG_SETTINGS and detail in started.stderr
    with sqlite3.connect(data / "pathlight.db") as database:
        database.execute("INSERT INTO prompts (id, text, updated_at) VALUES ('provider-check', 'nothing', '2026-01-01T00:00:00.000Z')")
    result = doctor(data)
    state, detail = lines(result)["models_outside"]
    assert result.returncode == DONE and state == "warning" and "provider-check" in detail


def test_a_way_out_that_cannot_be_meant_is_broken(tmp_path):
    result = doctor(tmp_path / "data", PATHLIGHT_OUTBOUND_ALLOWED_PRIVATE="10.0.0.1/8")
    state, detail = lines(result)["models_outside"]
    assert result.returncode == FAILED and state == "broken" and "outbound" in detail
    missing = doctor(tmp_path / "data", PATHLIGHT_OUTBOUND_CA_FILE=str(tmp_path / "none.pem"))
    assert missing.returncode == DONE and lines(missing)["outbound"][0] == "degraded"
