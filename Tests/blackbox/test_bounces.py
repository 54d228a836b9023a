"""Bounces as a mail server hands them over: `pathlight mail bounces`, and what an administrator does about who gets no mail."""

import email.message
import email.mime.message
import email.mime.multipart
import email.mime.text
import hashlib
import json
import random
import sqlite3
import time

import pytest
from harness import NO_MODELS, make_database, run_command

DONE, FAILED, USAGE, LATER = 0, 1, 2, 75
# Without a key the index of an address can be made here as well.
PLAIN = {"PATHLIGHT_ENCRYPTION": "off"}
SUPPRESSIONS = "/api/admin/suppressions/"


def index(address):
    text = f"pathlight plain index 1\nmail_suppressions.address\n{address}"
    return hashlib.sha256(text.encode()).hexdigest()


def message_id(name):
    return f"{hashlib.sha256(name.encode()).hexdigest()[:32]}@careers.example.org"


@pytest.fixture
def data(tmp_path):
    """Messages went to Ada and to Bob."""
    folder = make_database(tmp_path / "data", **PLAIN)
    with sqlite3.connect(folder / "pathlight.db") as database:
        for name in ("ada", "bob"):
            database.execute(
                "INSERT INTO mail_log (message_key, address_index, outcome, finished_at, message_id) VALUES (?, ?, 'sent', ?, ?)",
                (f"digest of {name}", index(f"{name}@example.org"), "2026-11-22T01:00:35.000Z", message_id(name)))
    return folder


def report(address, name, status="5.1.1", action="failed", code="550"):
    """Written by another program's library."""
    whole = email.mime.multipart.MIMEMultipart("report", **{"report-type": "delivery-status"})
    whole["From"] = "MAILER-DAEMON@mx.example.net"
    whole["To"] = "mail@careers.example.org"
    whole["Subject"] = "Undelivered Mail Returned to Sender"
    whole.attach(email.mime.text.MIMEText("It could not be delivered. Größe ✓", "plain", "utf-8"))
    of_message, of_recipient = email.message.Message(), email.message.Message()
    of_message["Reporting-MTA"] = "dns; mx.example.net"
    of_recipient["Final-Recipient"] = f"rfc822; {address}"
    of_recipient["Action"] = action
    of_recipient["Status"] = status
    of_recipient["Diagnostic-Code"] = f"smtp; {code} {status} what the server said"
    told = email.message.Message()
    told["Content-Type"] = "message/delivery-status"
    told.set_payload([of_message, of_recipient])
    whole.attach(told)
    returned = email.mime.text.MIMEText("Hello", "plain", "utf-8")
    returned["Message-ID"] = f"<{message_id(name)}>"
    returned["To"] = address
    whole.attach(email.mime.message.MIMEMessage(returned))
    return whole.as_bytes()


def bounces(data, *arguments, stdin="", **settings):
    result = run_command("mail", "bounces", *arguments, "--json", "--data", data, stdin=stdin, **PLAIN, **settings)
    assert result.returncode == DONE, result.stderr
    counts = json.loads(result.stdout)
    assert set(counts) == {"messages", "no_report", "foreign", "kept", "remembered", "known"}
    return {name: count for name, count in counts.items() if count}


def suppressed(data, *arguments):
    result = run_command("mail", "suppressed", *arguments, "--json", "--data", data, **PLAIN)
    assert result.returncode == DONE, result.stderr
    return json.loads(result.stdout)["items"]


def test_a_bounce_that_is_piped_in_is_remembered(data):
    text = report("Ada@Example.org", "ada").decode()
    assert bounces(data, "-", stdin=text) == {"messages": 1, "remembered": 1}
    assert bounces(data, "-", stdin="From MAILER-DAEMON Sun Nov 22 01:00:35 2026\n" + text) == {"messages": 1, "known": 1}
    [entry] = suppressed(data)
    assert (entry["id"], entry["reason"], entry["list"], entry["detail"]) == (
        index("ada@example.org"), "bounced", None, "550 5.1.1")
    people = run_command("mail", "bounces", "-", "--data", data, stdin="Subject: hello\n\nhello\n", **PLAIN)
    assert people.returncode == DONE and "messages: 1" in people.stdout and "no report" in people.stdout


def test_a_mailbox_of_bounces_is_read_from_a_file(data, tmp_path):
    mails = [report("ada@example.org", "ada", status="5.2.2", code="552"), report("bob@example.org", "bob"),
             b"Subject: Out of office\n\nI am away.\n", report("ada@example.org", "ada", status="4.4.1", action="delayed"),
             # Somebody who got a message of ours would have Ada's stopped.
             report("ada@example.org", "bob"), report("ada@example.org", "made up")]
    mailbox = tmp_path / "mailbox"
    mailbox.write_bytes(b"".join(b"From x Sun Nov 22 01:00:35 2026\n" + mail + b"\n" for mail in mails))
    single = tmp_path / "single.eml"
    single.write_bytes(mails[1].replace(b"\n", b"\r\n"))
    assert bounces(data, mailbox, single) == {
        "messages": 7, "no_report": 1, "foreign": 2, "kept": 2, "remembered": 1, "known": 1}
    assert [entry["id"] for entry in suppressed(data)] == [index("bob@example.org")]


def test_what_is_damaged_changes_nothing_else(data, tmp_path, generator):
    """Mutations of what is believed: none has anybody's mail stopped but hers whom the message was for."""
    whole = report("ada@example.org", "ada")
    mailbox = bytearray()
    for _ in range(300):
        mail = bytearray(whole)
        for _ in range(generator.randint(1, 8)):
            place = generator.randrange(len(mail))
            kind = generator.randrange(4)
            if kind == 0:
                mail[place] = generator.randrange(256)
            elif kind == 1:
                del mail[place:place + generator.randint(1, 80)]
            elif kind == 2:
                mail[place:place] = bytes(generator.randrange(256) for _ in range(generator.randint(1, 20)))
            else:
                mail[place:place] = mail[:generator.randrange(len(mail))]
        mailbox += b"From x\n" + mail + b"\n\n"
    file = tmp_path / "mailbox"
    file.write_bytes(mailbox)
    counts = bounces(data, file)
    assert counts["messages"] >= 250 and counts["remembered"] == 1
    assert [entry["id"] for entry in suppressed(data)] == [index("ada@example.org")]


def test_much_is_read_in_little_time_and_memory(data, tmp_path):
    file = tmp_path / "large"
    line = random.Random(7).randbytes(3000).hex().encode() + b"\n"
    with open(file, "wb") as out:
        out.write(b"From x\n" + report("bob@example.org", "bob") + b"\n")
        for _ in range(5_000):
            out.write(line)
        out.write(b"\nFrom y\n" + report("ada@example.org", "ada") + b"\n")
    begin = time.monotonic()
    assert bounces(data, file) == {"messages": 2, "remembered": 2}
    assert time.monotonic() - begin < 60


def test_what_cannot_be_read_is_named(data, tmp_path):
    missing = run_command("mail", "bounces", tmp_path / "none", "--data", data, **PLAIN)
    assert missing.returncode == FAILED and "none" in missing.stderr
    folder = run_command("mail", "bounces", tmp_path, "--data", data, **PLAIN)
    assert folder.returncode == FAILED and str(tmp_path) in folder.stderr
    assert run_command("mail", "bounces", "--data", data, **PLAIN).returncode == USAGE


def test_a_database_that_cannot_be_written_has_a_mail_server_try_again(data):
    (data / "pathlight.db").write_bytes(b"no database, but long enough to look like one" * 100)
    result = run_command("mail", "bounces", "-", "--data", data, stdin=report("ada@example.org", "ada").decode(), **PLAIN)
    assert result.returncode == LATER and result.stdout == "" and "pathlight.db" in result.stderr


def test_somebody_gets_mail_again(data):
    bounces(data, "-", stdin=report("ada@example.org", "ada").decode())
    with sqlite3.connect(data / "pathlight.db") as database:
        database.execute(
            "INSERT INTO mail_suppressions VALUES (?, 'digest', 'unsubscribed', NULL, '2026-01-01T00:00:00.000Z')",
            (index("ada@example.org"),))
    assert [entry["reason"] for entry in suppressed(data, "--address", "ADA@example.org")] == ["bounced", "unsubscribed"]
    assert suppressed(data, "--address", "bob@example.org") == []
    assert [entry["list"] for entry in suppressed(data, "--reason", "unsubscribed")] == ["digest"]
    lifted = run_command("mail", "lift", "Ada@example.org", "--data", data, **PLAIN)
    assert lifted.returncode == DONE and lifted.stdout == "lifted: bounced\n"
    assert [entry["reason"] for entry in suppressed(data)] == ["unsubscribed"], "what she left herself stays"
    again = run_command("mail", "lift", "Ada@example.org", "--data", data, **PLAIN)
    assert again.returncode == FAILED and again.stdout == ""
    assert run_command("mail", "lift", "ada@example.org", "--list", "digest", "--data", data, **PLAIN).returncode == DONE
    assert suppressed(data) == []
    for wrong in ((), ("ada",), ("--all", "ada@example.org"), ("--all", "--list", "digest")):
        assert run_command("mail", "lift", *wrong, "--data", data, **PLAIN).returncode == USAGE, wrong


def test_with_a_lost_index_key_the_entries_can_be_given_up(tmp_path):
    data = make_database(tmp_path / "data")
    # The first start makes the key; nothing is sealed yet.
    assert run_command("users", "rotate-key", "--reseal", "--data", data).returncode == DONE
    with sqlite3.connect(data / "pathlight.db") as database:
        database.execute(
            "INSERT INTO mail_suppressions VALUES (?, '', 'bounced', '550', '2026-01-01T00:00:00.000Z')", ("0f" * 32,))
    key = data / "keys/columns.key"
    key.unlink()
    refused = run_command("serve", "--port", "0", "--data", data)
    assert refused.returncode == 78 and "pathlight mail lift --all" in refused.stderr
    unasked = run_command("mail", "lift", "--all", "--data", data)
    assert unasked.returncode == USAGE and "--yes" in unasked.stderr
    done = run_command("mail", "lift", "--all", "--yes", "--data", data)
    assert done.returncode == DONE and done.stdout == "lifted: 1\n"
    assert run_command("users", "rotate-key", "--reseal", "--data", data).returncode == DONE
    assert key.exists()


def test_an_administrator_sees_and_removes_them(data, start_service):
    bounces(data, "-", stdin=report("ada@example.org", "ada").decode())
    bounces(data, "-", stdin=report("bob@example.org", "bob").decode())
    made = run_command("users", "create", "--email", "Ada@example.org", "--data", data, **PLAIN)
    assert made.returncode == DONE, made.stderr
    user = made.stdout.strip()
    key = run_command("keys", "create", "--role", "admin", "--data", data, **PLAIN).stdout.strip()
    service = start_service(data=data, **NO_MODELS, **PLAIN)
    headers = {"Authorization": f"Bearer {key}"}
    ada, bob = index("ada@example.org"), index("bob@example.org")
    with service.client() as client:
        client.get(SUPPRESSIONS).expect_problem(401, "unauthorised")
        listed = client.get(SUPPRESSIONS, **headers).expect(200)
        assert {entry["id"] for entry in listed["items"]} == {ada, bob} and listed["total"] == 2
        assert "@" not in json.dumps(listed)
        hers = client.get(f"{SUPPRESSIONS}?user_id={user}", **headers).expect(200)
        assert [entry["id"] for entry in hers["items"]] == [ada]
        assert client.get(f"{SUPPRESSIONS}?reason=complaint", **headers).expect(200)["total"] == 0
        client.get(f"{SUPPRESSIONS}?reason=none", **headers).expect_named("reason")
        client.get(f"{SUPPRESSIONS}?user_id=nobody", **headers).expect_problem(404, "user_not_found")
        assert client.request("DELETE", f"{SUPPRESSIONS}{ada}/?reason=complaint", headers=headers).status == 404
        assert client.request("DELETE", f"{SUPPRESSIONS}{ada}/", headers=headers).status == 204
        client.request("DELETE", f"{SUPPRESSIONS}{ada}/", headers=headers).expect_problem(404, "suppression_not_found")
        assert client.get(f"{SUPPRESSIONS}?user_id={user}", **headers).expect(200)["total"] == 0
    assert [entry["id"] for entry in suppressed(data)] == [bob]
