"""Mail as an operator tries it, `pathlight mail test`, against a server that speaks the protocol and fails like one."""

import email
import email.policy
import re
import stat
import time

import pytest
from fake_smtp import FakeSMTP, make_certificate
from harness import run_command

DONE, FAILED, USAGE, CONFIG = 0, 1, 2, 78
TO = "ada@example.org"
PASSWORD = "correct horse: battery=staple ü"
GREETINGS = "Grüße · Здравствуйте · שלום · こんにちは · 🧭"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def password_file(tmp_path):
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n", "utf-8")
    file.chmod(0o600)
    return file


def send(server, *arguments, host="127.0.0.1", timeout=60, **settings):
    """`pathlight mail test` with this server's settings; its result and how long it took."""
    given = {"PATHLIGHT_MAIL_SMTP_HOST": host, "PATHLIGHT_MAIL_SMTP_PORT": str(server.port),
             "PATHLIGHT_MAIL_SMTP_SECURITY": server.security, "PATHLIGHT_MAIL_FROM": "Pathlight <mail@example.org>",
             "PATHLIGHT_MAIL_SMTP_TIMEOUT_SECONDS": "10", **settings}
    start = time.monotonic()
    result = run_command("mail", "test", "--to", TO, *arguments, timeout=timeout, **given)
    return result, time.monotonic() - start


def trusting(certificate):
    return {"PATHLIGHT_MAIL_SMTP_CA_FILE": str(certificate[0])}


def logging_in(file, user="mailer"):
    return {"PATHLIGHT_MAIL_SMTP_USER": user, "PATHLIGHT_MAIL_SMTP_PASSWORD_FILE": str(file)}


def expect_failure(result, *words):
    assert result.returncode == FAILED, result.stdout + result.stderr
    assert result.stdout == ""
    for word in words:
        assert word in result.stderr, result.stderr
    assert PASSWORD not in result.stderr and "staple" not in result.stderr


def check_message(raw):
    """What arrived, read by another program's library."""
    assert all(len(line) <= 998 for line in raw.split(b"\r\n")) and b"\r\n" in raw
    assert raw.replace(b"\r\n", b"").count(b"\n") == 0
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert not message.defects
    assert message["subject"] == "Pathlight’s test message ✓"
    assert [address.addr_spec for address in message["to"].addresses] == [TO]
    assert message["from"].addresses[0].addr_spec == "mail@example.org"
    assert message["from"].addresses[0].display_name == "Pathlight"
    assert message["date"].datetime.timestamp() == pytest.approx(time.time(), abs=120)
    assert re.fullmatch(r"<[0-9a-f]{32}@example\.org>", message["message-id"])
    assert message["auto-submitted"] == "auto-generated"
    assert message.get_content_type() == "multipart/alternative"
    text = message.get_body(("plain",)).get_content().replace("\r\n", "\n")
    assert text.rstrip("\n") == (
        "This message was sent by “pathlight mail test”. Mail goes out as it should.\n\n"
        f"{GREETINGS}\n\nNobody needs to answer it.")
    assert f"<p>{GREETINGS}</p>" in message.get_body(("html",)).get_content()
    return message


def test_what_is_sent_arrives_as_it_was():
    with FakeSMTP() as server:
        result, _ = send(server)
        assert result.returncode == DONE, result.stderr
        assert "250 2.0.0 queued as 4711" in result.stdout
        [(sender, recipients, raw)] = server.messages
    assert (sender, recipients) == ("mail@example.org", [TO])
    check_message(raw)


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "PLAIN LOGIN"])
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_user_and_password_are_said_under_tls_alone(certificate, password_file, security, mechanism):
    with FakeSMTP(security, certificate, login=("mailer", PASSWORD), mechanisms=mechanism) as server:
        result, _ = send(server, host="localhost", **trusting(certificate), **logging_in(password_file))
        assert result.returncode == DONE, result.stderr
        assert len(server.messages) == 1
        [dialogue] = server.dialogues
    assert dialogue.authenticated == "mailer" and dialogue.was_encrypted_at_login
    assert PASSWORD not in result.stdout + result.stderr


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_that_nobody_vouches_for_is_refused(certificate, password_file, security):
    with FakeSMTP(security, certificate, login=("mailer", PASSWORD)) as server:
        result, _ = send(server, host="localhost", **logging_in(password_file))
        expect_failure(result, "not sent", "certificate")
        assert server.messages == []
        assert all(not command.startswith(("AUTH", "MAIL")) for each in server.dialogues for command in each.commands)


def test_a_certificate_of_another_name_is_refused(tmp_path):
    other = make_certificate(tmp_path, "mail.example.org")
    with FakeSMTP("tls", other) as server:
        result, _ = send(server, host="localhost", **trusting(other))
        expect_failure(result, "not sent")
        assert server.messages == []


def test_a_server_without_starttls_gets_nothing(certificate, password_file):
    with FakeSMTP("starttls", certificate, login=("mailer", PASSWORD), offers_starttls=False) as server:
        result, _ = send(server, host="localhost", **trusting(certificate), **logging_in(password_file))
        expect_failure(result, "not sent")
        [dialogue] = server.dialogues
    assert all(command.split(" ")[0] in ("EHLO", "HELO", "QUIT") for command in dialogue.commands), dialogue.commands


def test_a_wrong_password_is_said_to_be_one(certificate, password_file):
    with FakeSMTP("starttls", certificate, login=("mailer", "another")) as server:
        result, _ = send(server, host="localhost", **trusting(certificate), **logging_in(password_file))
        expect_failure(result, "not sent", "535", "mail.smtp.password_file")
        assert server.messages == []


def test_a_server_that_wants_a_password_says_so_where_none_is_set():
    with FakeSMTP(login=("mailer", PASSWORD)) as server:
        result, _ = send(server)
        expect_failure(result, "not sent", "530", "mail.smtp.user")


@pytest.mark.parametrize("stage", ["GREETING", "EHLO", "MAIL", "RCPT", "DATA", "MESSAGE"])
@pytest.mark.parametrize("reply, outcome", [("451 4.3.0 come back later", "not sent"), ("554 5.7.1 no mail from you", None)])
def test_a_refusal_at_any_stage_is_told_with_the_servers_words(stage, reply, outcome):
    # EHLO that fails is tried again as HELO, which the same rule refuses.
    with FakeSMTP(replies={stage: reply}) as server:
        result, _ = send(server)
        outcome = outcome or ("refused for good" if stage in ("RCPT", "DATA", "MESSAGE") else "not sent")
        expect_failure(result, outcome, reply[:3])
        assert server.messages == []


@pytest.mark.parametrize("reply, words", [
    ("550 5.1.1 no such user", "mailbox does not exist"), ("550 who?", "mailbox does not exist"),
    ("550 5.7.1 relaying denied", "does not take mail for the recipient"),
    ("552 5.2.2 mailbox full", "does not take mail for the recipient")])
def test_a_missing_mailbox_is_told_from_other_refusals(reply, words):
    with FakeSMTP(replies={"RCPT": reply}) as server:
        result, _ = send(server)
        expect_failure(result, "refused for good", words, reply[4:])


def test_a_refusal_of_the_message_is_not_one_of_the_mailbox():
    with FakeSMTP(replies={"MESSAGE": "550 looks like spam"}) as server:
        result, _ = send(server)
        expect_failure(result, "refused for good", "does not take the message")
        assert "mailbox does not exist" not in result.stderr


def test_a_message_that_is_too_large_is_refused():
    with FakeSMTP(size=100) as server:
        result, _ = send(server)
        assert result.returncode == FAILED, result.stdout
        assert server.messages == []


@pytest.mark.parametrize("stage", ["GREETING", "EHLO", "MAIL", "RCPT", "DATA", "MESSAGE"])
def test_a_connection_that_is_cut_off_is_no_success(stage):
    with FakeSMTP(cut=stage) as server:
        result, seconds = send(server)
        expect_failure(result, "not sent")
        assert server.messages == [] and seconds < 20


STAGES = ["GREETING", "EHLO", "MAIL", "RCPT", "DATA", "MESSAGE"]


@pytest.mark.parametrize("stage", STAGES)
def test_a_reply_that_breaks_off_inside_its_line_is_none(stage):
    # “250 2.0.0 queued as 4” is no word of the server's until the line ends.
    with FakeSMTP(cut_inside=stage) as server:
        result, seconds = send(server)
        expect_failure(result, "not sent")
        assert seconds < 8, seconds
        assert "queued" not in result.stderr


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("reply", [
    b"hello\r\n", b"\r\n", b"\xff\xfe\x00\x01\r\n", b"2 50 OK\r\n", b"25O OK\r\n", b"-250 OK\r\n",
    b"<html><body>502</body></html>\r\n"])
def test_what_is_no_reply_is_no_success(stage, reply):
    with FakeSMTP(replies={stage: reply}) as server:
        result, seconds = send(server, PATHLIGHT_MAIL_SMTP_TIMEOUT_SECONDS="2")
        expect_failure(result, "not sent")
        assert seconds < 8, seconds
        # At the message's end the server has it, and said nothing that is a yes.
        assert server.messages == []


@pytest.mark.parametrize("stage, code", [
    ("GREETING", "354"), ("EHLO", "354"), ("MAIL", "354"), ("RCPT", "354"), ("DATA", "250"), ("DATA", "220"),
    ("MESSAGE", "354"), ("MESSAGE", "199"), ("DATA", "150")])
def test_a_yes_to_another_question_is_none(stage, code):
    with FakeSMTP(replies={stage: f"{code} 2.0.0 OK"}) as server:
        result, seconds = send(server, PATHLIGHT_MAIL_SMTP_TIMEOUT_SECONDS="2")
        expect_failure(result, "not sent", code)
        assert seconds < 8, seconds
        if stage == "DATA":
            [dialogue] = server.dialogues
            assert dialogue.commands[-1] in ("DATA", "RSET", "QUIT"), "the message is not said where nobody asked for it"


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("line", [b"250-" + b"x" * 60 + b"\r\n", b"x" * 64])
def test_a_reply_without_an_end_is_left(stage, line):
    with FakeSMTP(flood=(stage, line)) as server:
        result, seconds = send(server)
        expect_failure(result, "not sent")
        assert seconds < 8, "it is left when it is too long, and not only at the deadline"
        assert server.sent < 4 << 20


@pytest.mark.parametrize("stage", STAGES)
def test_a_server_that_hangs_is_left_at_the_deadline(stage):
    with FakeSMTP(hang=stage) as server:
        result, seconds = send(server, PATHLIGHT_MAIL_SMTP_TIMEOUT_SECONDS="2")
        expect_failure(result, "not sent")
        assert 1.5 < seconds < 10, seconds


# Where TLS begins and the password is said; of what comes before nothing may be left hanging either.
SECURE_STAGES = [
    ("starttls", "STARTTLS"), ("starttls", "HANDSHAKE"), ("tls", "HANDSHAKE"), ("starttls", "AUTH"), ("tls", "AUTH")]


def send_secured(server, certificate, password_file, **settings):
    """The same to a server with TLS and a login; nothing of the message may get there."""
    result, seconds = send(server, host="localhost", **trusting(certificate), **logging_in(password_file), **settings)
    expect_failure(result, "not sent")
    assert server.messages == []
    commands = [command for dialogue in server.dialogues for command in dialogue.commands]
    assert not any(command.startswith("MAIL") for command in commands), commands
    return seconds


@pytest.mark.parametrize("security, stage", SECURE_STAGES)
def test_a_server_that_hangs_before_it_knows_us_is_left_at_the_deadline(certificate, password_file, security, stage):
    with FakeSMTP(security, certificate, login=("mailer", PASSWORD), hang=stage) as server:
        seconds = send_secured(server, certificate, password_file, PATHLIGHT_MAIL_SMTP_TIMEOUT_SECONDS="2")
        assert 1.5 < seconds < 10, seconds


@pytest.mark.parametrize("how", ["cut", "cut_inside"])
@pytest.mark.parametrize("security, stage", SECURE_STAGES)
def test_a_connection_that_is_cut_off_before_it_knows_us_is_no_success(certificate, password_file, security, stage, how):
    with FakeSMTP(security, certificate, login=("mailer", PASSWORD), **{how: stage}) as server:
        assert send_secured(server, certificate, password_file) < 8, "it waits for what cannot come"


def test_a_server_that_drips_is_left_at_the_deadline():
    with FakeSMTP(drip=0.2) as server:
        result, seconds = send(server, PATHLIGHT_MAIL_SMTP_TIMEOUT_SECONDS="2")
        expect_failure(result, "not sent")
        assert 1.5 < seconds < 10, seconds


def test_nobody_listening_is_said_with_the_address():
    with FakeSMTP() as server:
        port = server.port
    server.port = port
    result, _ = send(server)
    expect_failure(result, "not sent", f"127.0.0.1:{port}")


def test_without_a_server_the_message_lies_in_a_folder(tmp_path):
    data = tmp_path / "data"
    for _ in range(3):
        result = run_command("mail", "test", "--to", TO, "--data", data, PATHLIGHT_MAIL_FROM="Pathlight <mail@example.org>")
        assert result.returncode == DONE, result.stderr
        assert str(data / "mail") in result.stdout
    assert stat.S_IMODE((data / "mail").stat().st_mode) == 0o700
    files = sorted((data / "mail").iterdir())
    assert len(files) == 3 and all(re.fullmatch(r"\d{8}T\d{6}\.\d{3}Z-[0-9a-f]{16}\.eml", file.name) for file in files)
    ids = {check_message(file.read_bytes())["message-id"] for file in files}
    assert len(ids) == 3
    assert [file.stat().st_mtime_ns for file in files] == sorted(file.stat().st_mtime_ns for file in files)


@pytest.mark.parametrize("settings, name", [
    ({"PATHLIGHT_MAIL_SMTP_HOST": "localhost"}, "mail.from"), ({"PATHLIGHT_MAIL_SMTP_PORT": "25"}, "mail.smtp.host"),
    ({"PATHLIGHT_MAIL_FROM": "nobody"}, "mail.from"),
    ({"PATHLIGHT_MAIL_SMTP_SECURITY": "ssl"}, "PATHLIGHT_MAIL_SMTP_SECURITY"),
    ({"PATHLIGHT_MAIL_SMTP_HOST": "localhost", "PATHLIGHT_MAIL_FROM": "a@b.org", "PATHLIGHT_MAIL_SMTP_USER": "me"},
     "mail.smtp.password_file")])
def test_settings_that_do_not_go_together_are_named(tmp_path, settings, name):
    result = run_command("mail", "test", "--to", TO, "--data", tmp_path, **settings)
    assert result.returncode == CONFIG and name in result.stderr and result.stdout == "", result.stderr


def test_a_password_that_everybody_may_read_is_refused(password_file):
    password_file.chmod(0o644)
    with FakeSMTP(login=("mailer", PASSWORD)) as server:
        result, _ = send(server, **logging_in(password_file))
    assert result.returncode == CONFIG and "chmod" in result.stderr and "staple" not in result.stderr


@pytest.mark.parametrize("to", ["", "nobody", "a@b\r\nBcc: c@d", "ada@bücher.example", "a b@c"])
def test_what_is_no_address_is_a_mistake_in_usage(to):
    result = run_command("mail", "test", "--to", to)
    assert result.returncode == USAGE and result.stdout == "" and "--to" in result.stderr
