"""One's own account as its owner has it: another password, a forgotten one, the address, the browsers that are signed in."""

import email
import email.policy
import json
import re
import sqlite3
import threading
import time
import urllib.parse

import pytest
from fake_smtp import FakeSMTP
from harness import run_command

EMAIL = "ada@example.org"
PASSWORD = "correct horse battery"
NEXT = "four other words"
FORM = "application/x-www-form-urlencoded"
SECONDS = 30


class Browser:
    """Somebody who is signed in."""

    def __init__(self, client, reply):
        self.client = client
        self.cookie = reply.headers["set-cookie"].split(";")[0]
        self.token = client.get("/api/auth/me/", Cookie=self.cookie).expect(200)["csrf_token"]

    def send(self, method, path, document=None, **headers):
        headers = {"Cookie": self.cookie, "X-CSRF-Token": self.token, **headers}
        body = None
        if document is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(document)
        return self.client.request(method, path, body, headers)

    def form(self, path, **fields):
        return form(self.client, path, {"Cookie": self.cookie}, csrf_token=self.token, **fields)

    def page(self, path):
        reply = self.client.get(path, Cookie=self.cookie)
        assert reply.status == 200, reply.body[:500]
        return reply.body.decode()

    @property
    def is_in(self):
        return self.client.get("/api/auth/me/", Cookie=self.cookie).status == 200


def form(client, path, headers=None, **fields):
    """Sends a form as a browser does."""
    headers = {"Content-Type": FORM, "Sec-Fetch-Site": "same-origin", **(headers or {})}
    return client.request("POST", path, urllib.parse.urlencode(fields), headers)


def post(client, path, document, **headers):
    return client.request("POST", path, json.dumps(document), {"Content-Type": "application/json", **headers})


def sign_up(client, address=EMAIL):
    reply = post(client, "/api/auth/sign-up/", {"email": address, "password": PASSWORD})
    reply.expect(201)
    return Browser(client, reply)


def sign_in(client, password, address=EMAIL):
    reply = post(client, "/api/auth/sign-in/", {"email": address, "password": password})
    reply.expect(200)
    return Browser(client, reply)


class Mailbox:
    """The folder in which a service without a mail server leaves messages."""

    def __init__(self, folder):
        self.folder = folder

    def messages(self):
        files = sorted(self.folder.glob("*.eml")) if self.folder.is_dir() else []
        return [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in files]

    def wait(self, count):
        """The messages, once there are so many."""
        deadline = time.monotonic() + SECONDS
        while len(found := self.messages()) < count:
            assert time.monotonic() < deadline, f"{len(found)} messages, not {count}"
            time.sleep(0.02)
        return found

    def link(self, count, page):
        """The link to a page in the message of that number."""
        return link_in(self.wait(count)[count - 1], page)


def link_in(message, page):
    text = message.get_body(("plain",)).get_content()
    [link] = re.findall(rf"https?://\S+{page}\?token=\S+", text)
    assert link in message.get_body(("html",)).get_content()
    return link


def path_of(link):
    parts = urllib.parse.urlsplit(link)
    return f"{parts.path}?{parts.query}"


def token_of(link):
    return urllib.parse.parse_qs(urllib.parse.urlsplit(link).query)["token"][0]


def settled(service, admin, kind="account_mail"):
    """The tasks of a kind, once none waits or runs."""
    deadline = time.monotonic() + SECONDS
    with service.client() as client:
        while True:
            tasks = client.get(f"/api/admin/tasks/?kind={kind}&limit=100", **admin).expect(200)["items"]
            if all(task["state"] in ("done", "dead", "cancelled") for task in tasks):
                return tasks
            assert time.monotonic() < deadline, tasks
            time.sleep(0.05)


def admin_of(service):
    done = run_command("keys", "create", "--role", "admin", "--data", service.data)
    assert done.returncode == 0, done.stderr
    return {"Authorization": f"Bearer {done.stdout.strip()}"}


@pytest.fixture
def mailbox(tmp_path):
    return Mailbox(tmp_path / "post")


@pytest.fixture
def own(start_service, mailbox):
    return start_service(PATHLIGHT_MAIL_FOLDER=str(mailbox.folder))


# Passwords and the bound on what is answered at once

def ways_to_hash(service, mailbox):
    """Requests that have a password hashed, each to be sent a few times at once."""
    def api(path, **fields):
        return lambda client, number: post(client, path, {
            name: value.format(number) for name, value in fields.items()})

    def page(path, **fields):
        return lambda client, number: form(client, path, **{
            name: value.format(number) for name, value in fields.items()})

    with service.client() as client:
        here = sign_up(client)
        # Of another account, since either of the two ends the other's credential.
        sign_up(client, "eve@example.org")
        form(client, "/forgot-password", email="eve@example.org")
    [message] = [each for each in mailbox.wait(3) if "new password" in each["subject"]]
    token = token_of(link_in(message, "/reset-password"))

    def change(client, number):
        headers = {"Cookie": here.cookie, "X-CSRF-Token": here.token}
        return post(client, "/api/auth/password/", {"current_password": PASSWORD, "new_password": NEXT}, **headers)

    return {
        "sign in": api("/api/auth/sign-in/", email=EMAIL, password=PASSWORD),
        "sign in on the page": page("/sign-in", email=EMAIL, password=PASSWORD),
        "sign up": api("/api/auth/sign-up/", email="api-{}@example.org", password=PASSWORD),
        "sign up on the page": page("/sign-up", email="page-{}@example.org", password=PASSWORD),
        "change": change, "reset": page("/reset-password", token=token, password=NEXT)}


def test_who_waits_for_a_password_s_hash_keeps_nobody_out(start_service, mailbox):
    service = start_service(PATHLIGHT_MAIL_FOLDER=str(mailbox.folder), PATHLIGHT_LIMITS_CONCURRENT_REQUESTS="2")
    for name, ask in ways_to_hash(service, mailbox).items():
        statuses, seen = [], []
        deadline = time.monotonic() + SECONDS

        def run(number):
            with service.client() as client:
                status = ask(client, number).status
                while status == 429 and time.monotonic() < deadline:
                    time.sleep(0.02)
                    status = ask(client, number).status
                statuses.append(status)

        asking = [threading.Thread(target=run, args=(number,)) for number in range(5)]

        def are_waiting():
            return sum(thread.is_alive() for thread in asking) >= 2

        with service.client() as client:
            for thread in asking:
                thread.start()
            # While two or more wait. If they held their places, everybody else would be refused.
            while are_waiting():
                status = client.get("/api/careers/?limit=1").status
                if are_waiting():
                    seen.append(status)
                time.sleep(0.005)
        for thread in asking:
            thread.join()
        assert len(statuses) == 5 and 429 not in statuses, (name, statuses)
        assert len(seen) >= 4, f"{name}: hashes were too fast to show anything"
        # Two may be before or after their hash at the same moment, and fill the service for that moment.
        assert set(seen) <= {200, 429} and seen.count(200) > seen.count(429), (name, seen)


# One's own password and sessions

def test_a_password_is_changed_on_the_page_and_signs_others_out(own):
    with own.client() as client:
        here = sign_up(client)
        there = sign_in(client, PASSWORD)
        page = here.page("/account")
        assert EMAIL in page and "not confirmed" in page and "<script" not in page
        wrong = here.form("/account/password", current_password="wrong horse", new_password=NEXT)
        assert wrong.status == 422 and b'id="current-error"' in wrong.body
        weak = here.form("/account/password", current_password=PASSWORD, new_password="short")
        assert weak.status == 422 and b'id="new-error"' in weak.body and b"short" not in weak.body
        forged = form(client, "/account/password", {"Cookie": here.cookie}, current_password=PASSWORD, new_password=NEXT)
        forged.expect_problem(403, "csrf_token_invalid")
        assert there.is_in
        done = here.form("/account/password", current_password=PASSWORD, new_password=NEXT)
        assert done.status == 303 and done.headers["location"] == "/account?done=password"
        assert "Your password is changed" in here.page(done.headers["location"])
        assert here.is_in and not there.is_in
        sign_in(client, NEXT)
        post(client, "/api/auth/sign-in/", {"email": EMAIL, "password": PASSWORD}).expect_problem(401)


def test_sessions_are_ones_own_to_end(own):
    with own.client() as client:
        here, there, eve = sign_up(client), sign_in(client, PASSWORD), sign_up(client, "eve@example.org")
        listed = here.send("GET", "/api/auth/sessions/").expect(200)
        assert listed["total"] == 2 and [item["current"] for item in listed["items"]].count(True) == 1
        [other] = [item["id"] for item in listed["items"] if not item["current"]]
        # Somebody else's session is as if it were not there.
        eve.send("DELETE", f"/api/auth/sessions/{other}/").expect_problem(404, "web_session_not_found")
        assert eve.form("/account/sessions", session=other).status == 404
        assert there.is_in
        client.request("DELETE", f"/api/auth/sessions/{other}/", headers={"Cookie": here.cookie}).expect_problem(
            403, "csrf_token_invalid")
        assert here.send("DELETE", f"/api/auth/sessions/{other}/").status == 204
        assert not there.is_in
        more = [sign_in(client, PASSWORD) for _ in range(2)]
        assert here.send("DELETE", "/api/auth/sessions/").expect(200) == {"ended": 2}
        assert here.is_in and eve.is_in and not any(each.is_in for each in more)
        # No key changes what is a session's.
        key = run_command("keys", "create", "--role", "admin", "--data", own.data).stdout.strip()
        for method, path in (("GET", "/api/auth/sessions/"), ("POST", "/api/auth/password/")):
            client.request(method, path, headers={"Authorization": f"Bearer {key}"}).expect_problem(403, "forbidden")


# A forgotten password

def test_a_forgotten_password_is_set_anew_by_mail(own, mailbox):
    with own.client() as client:
        before = sign_up(client)
        mailbox.wait(1)
        for number in range(6):
            post(client, "/api/auth/sign-in/", {"email": EMAIL, "password": f"wrong guess {number}"})
        post(client, "/api/auth/sign-in/", {"email": EMAIL, "password": PASSWORD}).expect_problem(429, "sign_in_locked")
        page = client.get("/sign-in")
        assert b'href="/forgot-password"' in page.body
        asked = form(client, "/forgot-password", email=" Ada@Example.ORG")
        assert asked.status == 303
        assert b"on its way" in client.get(asked.headers["location"]).body
        message = mailbox.wait(2)[1]
        assert [each.addr_spec for each in message["to"].addresses] == [EMAIL]
        assert message["auto-submitted"] == "auto-generated"
        link = link_in(message, "/reset-password")
        assert link.startswith(f"http://127.0.0.1:{own.port}/reset-password?token=")
        for _ in range(2):
            page = client.get(path_of(link))
            assert page.status == 200 and page.headers["referrer-policy"] == "strict-origin"
        short = form(client, "/reset-password", token=token_of(link), password="short")
        assert short.status == 422 and b'id="password-error"' in short.body
        done = form(client, "/reset-password", token=token_of(link), password=NEXT)
        assert done.status == 303 and "set-cookie" not in done.headers
        assert not before.is_in
        # The waits are over, and the address is shown to be theirs.
        after = sign_in(client, NEXT)
        me = after.send("GET", "/api/auth/me/").expect(200)
        assert me["user"]["email_verified"] is True
        again = form(client, "/reset-password", token=token_of(link), password="words of somebody else")
        assert again.status == 404 and client.get(path_of(link)).status == 404
        # Told to the address, which is confirmed now.
        told = mailbox.wait(3)[2]
        assert "was changed" in told["subject"] and "token=" not in told.get_body(("plain",)).get_content()


def seen(reply, address):
    """What somebody sees of a reply who does not look at the clock."""
    own = ("date", "x-request-id", "content-length", "retry-after")
    body = reply.body.decode().replace(address, "")
    if reply.media_type == "application/problem+json":
        body = reply.json["detail"]
    headers = {name: value for name, value in reply.headers.items() if name not in own}
    return reply.status, re.sub(r"\d+ s\b", "so many s", body), headers


def test_asking_tells_nobody_who_has_an_account(own, mailbox):
    admin = admin_of(own)
    with own.client() as client:
        sign_up(client)
        mailbox.wait(1)
        replies = {}
        for address in (EMAIL, "nobody@example.org"):
            api = [post(client, "/api/auth/password-reset/", {"email": address}) for _ in range(2)]
            page = form(client, "/forgot-password", email=address)
            late = post(client, "/api/auth/password-reset/", {"email": address})
            late_page = form(client, "/forgot-password", email=address)
            late.expect_problem(429, "too_many_requests")
            replies[address] = [seen(each, address) for each in (*api, page, late, late_page)]
        assert replies[EMAIL] == replies["nobody@example.org"]
        assert [each[0] for each in replies[EMAIL]] == [202, 202, 303, 429, 429]
        tasks = settled(own, admin)
        assert len(mailbox.messages()) == 4, "one of the sign-up, three that were asked for"
        # What administrators see names nobody and opens nothing.
        shown = json.dumps(tasks)
        assert "example.org" not in shown
        links = [link_in(message, "/reset-password") for message in mailbox.messages()[1:]]
        assert len(set(links)) == 3 and not any(token_of(link) in shown for link in links)
    log = own.log.read_text("utf-8", "replace")
    assert "example.org" not in log and not any(token_of(link) in log for link in links)
    stored = b"".join(file.read_bytes() for file in own.data.glob("pathlight.db*"))
    assert not any(token_of(link).encode() in stored for link in links), "stored is a hash"


@pytest.mark.parametrize("headers", [
    {"Host": "evil.example"}, {"X-Forwarded-Host": "evil.example"},
    {"Host": "evil.example:80", "Origin": "http://evil.example:80"},
    {"Forwarded": "host=evil.example"}, {"X-Original-Host": "evil.example"}])
@pytest.mark.parametrize("public_url", [None, "https://careers.example.org/start/"])
def test_links_never_lead_where_a_request_says(start_service, mailbox, headers, public_url):
    settings = {"PATHLIGHT_PUBLIC_URL": public_url} if public_url else {}
    service = start_service(PATHLIGHT_MAIL_FOLDER=str(mailbox.folder), **settings)
    with service.client() as client:
        made = post(client, "/api/auth/sign-up/", {"email": EMAIL, "password": PASSWORD}, **headers)
        assert made.status == 201, made.body
        assert post(client, "/api/auth/password-reset/", {"email": EMAIL}, **headers).status == 202
    base = (public_url or f"http://127.0.0.1:{service.port}").rstrip("/")
    for message in mailbox.wait(2):
        assert b"evil" not in message.as_bytes()
        assert f"{base}/" in message.get_body(("plain",)).get_content()


def test_what_is_not_the_link_opens_nothing(own, mailbox):
    with own.client() as client:
        here = sign_up(client)
        confirm = token_of(mailbox.link(1, "/verify-address"))
        assert post(client, "/api/auth/password-reset/", {"email": EMAIL}).status == 202
        reset = token_of(mailbox.link(2, "/reset-password"))
        changed = reset[:-1] + ("A" if reset[-1] != "A" else "B")
        # The last character has bits to spare, so that the one before it is altered as well.
        altered = reset[:20] + ("A" if reset[20] != "A" else "B") + reset[21:]
        with sqlite3.connect(own.data / "pathlight.db", timeout=10) as database:
            hashes = [row[0] for row in database.execute("SELECT hash FROM sign_in_links")]
        for wrong in ("", "x", confirm, altered, changed + "A", reset[:-1], reset.swapcase(), *hashes):
            assert client.get(f"/reset-password?token={wrong}").status in (404, 422)
            assert form(client, "/reset-password", token=wrong, password=NEXT).status == 404, wrong
        for wrong in ("x", reset, altered, *hashes):
            assert form(client, "/verify-address", token=wrong).status == 404, wrong
            assert form(client, "/sign-in/link", token=wrong).status == 401, wrong
        assert here.is_in, "nothing was reset"
        # Another site's page cannot use it for somebody.
        form(client, "/reset-password", {"Sec-Fetch-Site": "cross-site"}, token=reset, password=NEXT).expect_problem(
            403, "cross_site_request")
        with sqlite3.connect(own.data / "pathlight.db", timeout=10) as database:
            database.execute("UPDATE sign_in_links SET expires_at = '2001-01-01T00:00:00.000Z'")
        for page, token in (("/reset-password", reset), ("/verify-address", confirm)):
            assert client.get(f"{page}?token={token}").status == 404
            assert form(client, page, token=token, password=NEXT).status == 404
        sign_in(client, PASSWORD)


def test_a_mail_server_that_is_down_delays_the_message_and_a_kill_loses_nothing(start_service):
    with FakeSMTP(replies={"MAIL": ["451 4.3.0 come back later"]}) as server:
        settings = {"PATHLIGHT_MAIL_SMTP_HOST": "127.0.0.1", "PATHLIGHT_MAIL_SMTP_PORT": str(server.port),
                    "PATHLIGHT_MAIL_SMTP_SECURITY": "plain", "PATHLIGHT_MAIL_FROM": "Pathlight <mail@example.org>"}
        service = start_service(**settings)
        made = run_command("users", "create", "--email", EMAIL, "--password-stdin", "--data", service.data, stdin=PASSWORD)
        assert made.returncode == 0, made.stderr
        with service.client() as client:
            start = time.monotonic()
            assert post(client, "/api/auth/password-reset/", {"email": EMAIL}).status == 202
            assert time.monotonic() - start < 5, "nobody waits for the mail server"
        deadline = time.monotonic() + SECONDS
        while not any(command.startswith("MAIL") for each in server.dialogues for command in each.commands):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert server.messages == []
        service.kill()
        server.replies.clear()
        again = start_service(data=service.data, **settings)
        deadline = time.monotonic() + 100
        while not server.messages:
            assert time.monotonic() < deadline, again.log_tail()
            time.sleep(0.05)
        [(sender, recipients, raw)] = server.messages
        assert (sender, recipients) == ("mail@example.org", [EMAIL])
        link = link_in(email.message_from_bytes(raw, policy=email.policy.default), "/reset-password")
        assert link.startswith(f"http://127.0.0.1:{again.port}/")
        with again.client() as client:
            assert form(client, "/reset-password", token=token_of(link), password=NEXT).status == 303
            sign_in(client, NEXT)


def test_a_mail_server_that_does_not_answer_is_told_until_a_message_goes_again(start_service):
    def wait(client, count):
        """Until so many troubles are told; what `/metrics` says by then."""
        deadline = time.monotonic() + SECONDS
        while True:
            ready = client.get("/readyz").expect(200)
            assert ready["status"] == ("degraded" if ready["degraded"] else "ready")
            told = [each for each in ready["degraded"] if each["part"] == "mail"]
            if len(told) == count:
                break
            assert time.monotonic() < deadline, told
            time.sleep(0.05)
        shown = client.get("/metrics").body.decode().splitlines()
        for series in ('pathlight_degraded{reason="mail"}', "pathlight_mail_degraded"):
            assert f"{series} {count}" in shown, series
        return told

    with FakeSMTP(cut="GREETING") as server:
        service = start_service(
            PATHLIGHT_MAIL_SMTP_HOST="127.0.0.1", PATHLIGHT_MAIL_SMTP_PORT=str(server.port),
            PATHLIGHT_MAIL_SMTP_SECURITY="plain", PATHLIGHT_MAIL_FROM="Pathlight <mail@example.org>")
        with service.client() as client:
            wait(client, 0)
            sign_up(client)
            [trouble] = wait(client, 1)
            assert trouble["reason"] in ("cut_off", "not_reached")
            assert "127.0.0.1" not in trouble["detail"] and "example.org" not in trouble["detail"]
            server.cut = None
            sign_up(client, "grace@example.org")
            wait(client, 0)


def test_where_mail_is_not_set_up_nothing_is_written_and_pages_say_whom_to_ask(start_service):
    service = start_service()
    with service.client() as client:
        sign_up(client)
        post(client, "/api/auth/password-reset/", {"email": EMAIL}).expect_problem(403, "mail_unavailable")
        assert b"ask the administrator" in client.get("/forgot-password").body
        assert b"/forgot-password" not in client.get("/sign-in").body
    assert not (service.data / "mail").exists()


# The address

def test_an_address_is_confirmed_by_the_link_that_signing_up_mails(own, mailbox):
    with own.client() as client:
        here = sign_up(client)
        first = mailbox.link(1, "/verify-address")
        assert here.send("GET", "/api/auth/me/").expect(200)["user"]["email_verified"] is False
        # Before that the account works all the same.
        here.send("POST", "/api/quiz/submit/", {"answers": {"1": "a"}}).expect(201)
        assert "Send me the link" in here.page("/account")
        sent = here.form("/account/verification")
        assert sent.status == 303 and "on its way" in here.page(sent.headers["location"])
        assert here.send("POST", "/api/auth/verification/").status == 202
        here.send("POST", "/api/auth/verification/").expect_problem(429, "too_many_requests")
        second = mailbox.link(2, "/verify-address")
        assert client.get(path_of(second)).status == 200
        assert here.send("GET", "/api/auth/me/").expect(200)["user"]["email_verified"] is False, "looking does nothing"
        # Signed out as well: the message may be read elsewhere.
        done = form(client, "/verify-address", token=token_of(second))
        assert done.status == 303 and b"confirmed" in client.get(done.headers["location"]).body
        assert here.send("GET", "/api/auth/me/").expect(200)["user"]["email_verified"] is True
        assert "Send me the link" not in here.page("/account")
        for link in (first, second):
            assert form(client, "/verify-address", token=token_of(link)).status == 404


def test_a_name_that_somebody_signed_up_with_is_not_mailed(own, mailbox):
    with own.client() as client:
        document = {"email": EMAIL, "password": PASSWORD, "name": "Win at evil.example <b>now</b>"}
        post(client, "/api/auth/sign-up/", document).expect(201)
    [message] = mailbox.wait(1)
    assert b"evil" not in message.as_bytes()


# Erasing, and learners

def test_an_erased_account_leaves_none_of_it(own, mailbox):
    with own.client() as client:
        here = sign_up(client)
        user = here.send("GET", "/api/auth/me/").expect(200)["user_id"]
        mailbox.wait(1)
        assert post(client, "/api/auth/password-reset/", {"email": EMAIL}).status == 202
        link = mailbox.link(2, "/reset-password")
        # Another shell than the service's: it does not know where the messages lie.
        refused = run_command("users", "erase", user, "--yes", "--data", own.data)
        assert refused.returncode == 1 and "nothing was erased" in refused.stderr and refused.stdout == ""
        assert "PATHLIGHT_MAIL_FOLDER" in refused.stderr and here.is_in and len(mailbox.messages()) == 2
        settings = {"PATHLIGHT_MAIL_FOLDER": str(mailbox.folder)}
        exported = run_command("users", "export", user, "--data", own.data, **settings)
        tables = json.loads(exported.stdout)["tables"]
        assert len(tables["sign_in_links"]) == 2 and len(tables["tasks"]) == 2 and len(tables["mail_log"]) == 2
        assert token_of(link) not in json.dumps(tables), "stored is a hash, and that is not exported"
        erased = run_command("users", "erase", user, "--yes", "--json", "--data", own.data, **settings)
        assert erased.returncode == 0 and json.loads(erased.stdout)["proven"], erased.stdout + erased.stderr
        assert json.loads(erased.stdout)["mail_folder"] == str(mailbox.folder)
        assert not here.is_in and mailbox.messages() == []
        assert form(client, "/reset-password", token=token_of(link), password=NEXT).status == 404


def test_learners_are_assigned_over_http_as_by_the_command(own):
    admin = admin_of(own)

    def create(name, role):
        done = run_command("users", "create", "--email", f"{name}@example.org", "--role", role, "--data", own.data)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    educator, learner, other = create("grace", "educator"), create("ada", "user"), create("bob", "user")
    path = f"/api/admin/users/{educator}/learners/"
    with own.client() as client:
        assert client.request("PUT", f"{path}{learner}/", headers=admin).status == 204
        assert run_command("users", "assign", other, educator, "--data", own.data).returncode == 0
        listed = client.get(path, **admin).expect(200)
        assert {item["id"] for item in listed["items"]} == {learner, other} and listed["total"] == 2
        shown = run_command("users", "learners", educator, "--json", "--data", own.data)
        assert {item["id"] for item in json.loads(shown.stdout)["items"]} == {learner, other}
        assert client.request("DELETE", f"{path}{other}/", headers=admin).status == 204
        client.request("DELETE", f"{path}{other}/", headers=admin).expect_problem(404, "learner_not_found")
        plain = run_command("users", "learners", educator, "--data", own.data)
        assert plain.stdout.split("\t")[0] == learner and "ada@example.org" in plain.stdout
        client.request("PUT", f"/api/admin/users/{learner}/learners/{other}/", headers=admin).expect_problem(409, "conflict")
    unknown = run_command("users", "learners", "nobody", "--data", own.data)
    assert unknown.returncode == 1 and "nobody" in unknown.stderr
