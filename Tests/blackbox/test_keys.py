"""Keys and accounts by command: the key alone on standard output, mistakes by name, nothing secret anywhere else."""

import json
import re
import shutil
import sqlite3
from datetime import datetime, timedelta

import pytest
from harness import make_database, run_command

DONE, FAILED, USAGE = 0, 1, 2
KEY = re.compile(r"plk_[0-9a-f]{16}_[A-Za-z0-9_-]{43}\n")
ID = re.compile(r"[0-9a-f]{32}\n")
PASSWORD = "correct horse battery"


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


def run(data, *arguments, stdin=""):
    return run_command(*arguments, "--data", data, stdin=stdin)


def create_key(data, *options):
    result = run(data, "keys", "create", *options)
    assert result.returncode == DONE, result.stderr
    assert KEY.fullmatch(result.stdout), result.stdout
    return result.stdout.strip()


def create_user(data, *options, password=None):
    more = ("--password-stdin",) if password else ()
    result = run(data, "users", "create", *options, *more, stdin=f"{password}\n" if password else "")
    assert result.returncode == DONE, result.stderr
    assert ID.fullmatch(result.stdout), result.stdout
    return result.stdout.strip()


def listed(data, kind):
    result = run(data, kind, "list", "--json")
    assert result.returncode == DONE, result.stderr
    document = json.loads(result.stdout)
    assert document["total"] == len(document["items"])
    return document["items"]


@pytest.mark.parametrize("role", ["admin", "service"])
def test_a_key_is_printed_alone(data, role):
    key = create_key(data, "--role", role)
    [item] = listed(data, "keys")
    assert item["id"] == key[4:20] and item["role"] == role and item["active"] is True
    assert item["user_id"] is None and item["scopes"] == [] and item["expires_at"] is None


def test_the_secret_is_stored_nowhere(data):
    key = create_key(data, "--role", "admin")
    secret = key[21:].encode()
    for path in data.rglob("*"):
        if path.is_file():
            assert secret not in path.read_bytes(), path
    assert key[21:] not in run(data, "keys", "list").stdout


def test_options_are_kept(data):
    user = create_user(data, "--email", "ada@example.org")
    create_key(data, "--role", "user", "--user", user, "--scope", "careers", "--scope", "results", "--expires-in", "90d",
               "--label", "the app")
    [item] = listed(data, "keys")
    assert item["user_id"] == user and item["scopes"] == ["careers", "results"] and item["label"] == "the app"
    span = datetime.fromisoformat(item["expires_at"]) - datetime.fromisoformat(item["created_at"])
    assert abs(span - timedelta(days=90)) < timedelta(minutes=1)
    line = run(data, "keys", "list").stdout.strip().split("\t")
    assert line[0] == item["id"] and line[1] == "user" and line[2].startswith("until ") and line[3] == user


def test_a_key_is_revoked_by_its_id_or_by_itself(data):
    first, second = create_key(data, "--role", "admin"), create_key(data, "--role", "service")
    for given in (first[4:20], second):
        result = run(data, "keys", "revoke", given)
        assert result.returncode == DONE and result.stdout == "", result.stderr
        assert second[21:] not in result.stderr
    assert [item["active"] for item in listed(data, "keys")] == [False, False]
    assert all(item["revoked_at"] for item in listed(data, "keys"))
    result = run(data, "keys", "revoke", "0000000000000000")
    assert result.returncode == FAILED and "no such key" in result.stderr


@pytest.mark.parametrize("options", [
    (), ("--role", "anonymous"), ("--role", "root"), ("--role", "admin", "--expires-in", "soon"),
    ("--role", "admin", "--expires-in", "0d"), ("--role", "admin", "--expires-in", "-1d"),
    ("--role", "admin", "--expires-in", "90"), ("--role", "admin", "--expires-in", "1.5d"),
    ("--role", "admin", "--expires-in", "101y"), ("--role", "admin", "--scope", "everything"),
    ("--role", "user"), ("--role", "educator"),
])
def test_mistakes_in_usage_are_told_apart(data, options):
    result = run(data, "keys", "create", *options)
    assert result.returncode == USAGE, result
    assert result.stdout == "" and result.stderr
    assert not data.exists()


def test_a_key_of_nobody_is_refused(data):
    result = run(data, "keys", "create", "--role", "user", "--user", "unknown")
    assert result.returncode == FAILED and result.stdout == ""
    assert "no user unknown" in result.stderr
    assert listed(data, "keys") == []


@pytest.mark.parametrize("account, fitting", [
    ("user", ["user"]), ("educator", ["user", "educator"]), ("admin", ["user", "educator", "service", "admin"]),
])
def test_a_key_may_not_do_more_than_its_user(data, account, fitting):
    user = create_user(data, "--email", "ada@example.org", "--role", account)
    for role in ("user", "educator", "service", "admin"):
        result = run(data, "keys", "create", "--role", role, "--user", user)
        assert result.returncode == (DONE if role in fitting else FAILED), (role, result.stderr)
        if role not in fitting:
            assert result.stdout == "" and "more than its user" in result.stderr and role in result.stderr
    assert run(data, "users", "role", user, account).returncode == DONE
    assert sorted(item["role"] for item in listed(data, "keys") if item["active"]) == sorted(fitting)


def test_an_account_is_made_listed_and_shut_out(data):
    user = create_user(data, "--email", " Ada@Example.ORG", "--name", "Ada", "--role", "admin", password=PASSWORD)
    [item] = listed(data, "users")
    assert item["id"] == user and item["email"] == "ada@example.org" and item["name"] == "Ada"
    assert item["role"] == "admin" and item["state"] == "active" and item["last_sign_in_at"] is None
    assert "password" not in json.dumps(item)
    assert run(data, "users", "disable", user).returncode == DONE
    assert listed(data, "users")[0]["state"] == "disabled"
    assert run(data, "users", "enable", user).returncode == DONE
    assert run(data, "users", "role", user, "educator").returncode == DONE
    [item] = listed(data, "users")
    assert item["state"] == "active" and item["role"] == "educator"


def test_a_password_is_stored_as_scrypt_and_address_and_name_are_not_plain(data):
    create_user(data, "--email", "ada@example.org", "--name", "Lovelace", password=PASSWORD)
    with sqlite3.connect(data / "pathlight.db") as database:
        [(stored, address, name)] = database.execute("SELECT password_hash, email, name FROM users").fetchall()
    assert re.fullmatch(r"scrypt\$17\$8\$1\$[A-Za-z0-9+/]{22}==\$[A-Za-z0-9+/]{43}=", stored)
    assert "ada" not in address and "Lovelace" not in name
    for path in data.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert PASSWORD.encode() not in content and b"ada@example" not in content and b"Lovelace" not in content, path


@pytest.mark.parametrize("options, password, words", [
    (("--email", "ada"), None, "address"),
    (("--email", "ada@example.org\nBcc: all@example.org"), None, "address"),
    (("--email", "ada@example.org"), "short", "10 characters"),
    (("--email", "ada@example.org"), "1234567890", "tries"),
    (("--email", "ada@example.org"), "ada@example.org", "address"),
    (("--email", "ada@example.org", "--name", "a\tb\x07c"), None, "name"),
])
def test_what_cannot_be_an_account_is_refused(data, options, password, words):
    more = ("--password-stdin",) if password else ()
    result = run(data, "users", "create", *options, *more, stdin=f"{password}\n")
    assert result.returncode == FAILED and result.stdout == "", result
    assert words in result.stderr and "Bcc" not in result.stderr
    assert listed(data, "users") == []


def test_an_address_is_one_accounts(data):
    create_user(data, "--email", "ada@example.org")
    result = run(data, "users", "create", "--email", "ADA@example.org")
    assert result.returncode == FAILED and "an account with this address" in result.stderr
    assert len(listed(data, "users")) == 1


def test_a_missing_password_is_told(data):
    result = run(data, "users", "create", "--email", "ada@example.org", "--password-stdin")
    assert result.returncode == FAILED and "standard input" in result.stderr
    user = create_user(data, "--email", "ada@example.org")
    result = run(data, "users", "password", user, stdin=PASSWORD + "\n")
    assert result.returncode == DONE and PASSWORD not in result.stdout + result.stderr


def test_learners_are_assigned_to_educators(data):
    learner = create_user(data, "--email", "learner@example.org")
    educator = create_user(data, "--email", "educator@example.org", "--role", "educator")
    assert run(data, "users", "assign", learner, educator).returncode == DONE
    assert run(data, "users", "assign", learner, educator).returncode == DONE
    wrong = run(data, "users", "assign", educator, learner)
    assert wrong.returncode == FAILED and "no educator" in wrong.stderr
    assert run(data, "users", "unassign", learner, educator).returncode == DONE
    assert run(data, "users", "unassign", learner, educator).returncode == FAILED
    unknown = run(data, "users", "assign", "unknown", educator)
    assert unknown.returncode == FAILED and "no user unknown" in unknown.stderr


@pytest.mark.parametrize("command", [
    ("keys", "list"), ("keys", "revoke", "0000000000000000"), ("users", "list"), ("users", "erase", "ada", "--yes"),
    ("users", "export", "ada"), ("users", "disable", "ada"), ("users", "rotate-key"), ("tasks", "failed"),
    ("tasks", "run", "housekeeping"), ("mail", "suppressed"), ("mail", "lift", "ada@example.org"),
    ("export", "careers", "-", "--format", "json"), ("evaluate", "feedback"), ("evaluate", "abilities"),
    ("reembed", "--rollback"),
])
def test_where_there_is_no_database_none_is_made(data, command):
    def refused():
        result = run(data, *command)
        assert result.returncode == FAILED and result.stdout == "", result.stdout + result.stderr
        assert f"no database in {data}" in result.stderr and "--data" in result.stderr
        assert "PATHLIGHT_DATA" in result.stderr

    refused()
    assert not data.exists()
    # A file in which nothing has ever been stored proves no more.
    data.mkdir()
    (data / "pathlight.db").touch()
    refused()
    assert [(path.name, path.stat().st_size) for path in data.iterdir()] == [("pathlight.db", 0)]
    with sqlite3.connect(data / "pathlight.db") as database:
        database.execute(f"PRAGMA application_id = {int.from_bytes(b'plit', 'big')}")
    database.close()
    assert (data / "pathlight.db").stat().st_size > 0
    refused()


def test_what_comes_before_the_first_start_says_that_it_made_a_database(data):
    words = f"a new one was made, {data}/pathlight.db"
    for command in (("keys", "create", "--role", "admin"), ("users", "create", "--email", "ada@example.org")):
        result = run(data, *command)
        assert result.returncode == DONE and words in result.stderr and result.stdout.count("\n") == 1
        again = run(data, "keys", "create", "--role", "admin")
        assert again.returncode == DONE and words not in again.stderr
        shutil.rmtree(data)


def test_lists_of_nothing_are_documents_too(data):
    make_database(data)
    assert listed(data, "keys") == [] and listed(data, "users") == []
    for kind in ("keys", "users"):
        result = run(data, kind, "list")
        assert result.returncode == DONE and result.stdout == "" and "create" in result.stderr
