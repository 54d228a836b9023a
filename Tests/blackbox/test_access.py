"""Who gets in, as the running program decides it: keys, accounts, the first administrator's link, limits."""

import http.client
import json
import os
import pty
import re
import select
import socket
import stat
import subprocess
import time
import urllib.parse

import pytest
from harness import BINARY, EMPTY_FOLDER, Service, clean_environment, run_command, seed

ADMIN = "/api/admin/keys/"
PASSWORD = "correct horse battery"
FORM = "application/x-www-form-urlencoded"


def make_key(service, *arguments):
    done = run_command("keys", "create", *arguments, "--data", service.data)
    assert done.returncode == 0, done.stderr
    key = done.stdout.strip()
    assert re.fullmatch(r"plk_[0-9a-f]{16}_[A-Za-z0-9_-]{43}", key), "a key stands alone on standard output"
    return key


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


def send(client, method, path, document=None, **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    if document is None:
        return client.request(method, path, headers=headers)
    return client.request(method, path, json.dumps(document), {"Content-Type": "application/json", **headers})


def form(client, path, **fields):
    headers = {"Content-Type": FORM, "Sec-Fetch-Site": "same-origin"}
    return client.request("POST", path, urllib.parse.urlencode(fields), headers)


def cookie_of(reply):
    return reply.headers["set-cookie"].split(";")[0]


def wait_for(condition, seconds=20):
    """What a condition says as soon as it says something, or at last."""
    deadline = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


def link_file(data):
    return data / "admin-sign-in-link"


def offered_link(service):
    """The first administrator's link: the service answers a moment before it is there."""
    file = link_file(service.data)
    assert wait_for(file.exists), service.log_tail()
    return file.read_text().strip()


@pytest.fixture
def own(start_service):
    return start_service()


def test_a_key_holds_until_it_is_revoked(own):
    key = make_key(own, "--role", "admin")
    with own.client() as client:
        client.get(ADMIN).expect_problem(401, "unauthorised")
        listed = client.get(ADMIN, **bearer(key)).expect(200)
        assert listed["total"] == 1 and listed["skip"] == 0 and listed["items"][0]["role"] == "admin"
        assert key.split("_")[2] not in json.dumps(listed)
        done = run_command("keys", "revoke", key.split("_")[1], "--data", own.data)
        assert done.returncode == 0, done.stderr
        client.get(ADMIN, **bearer(key)).expect_problem(401, "credential_revoked")
        # A credential that does not hold is never taken for none.
        client.get("/api/careers/", **bearer(key)).expect_problem(401, "credential_revoked")


def test_an_admin_makes_and_revokes_keys(own):
    admin = make_key(own, "--role", "admin")
    with own.client() as client:
        made = send(client, "POST", ADMIN, {"role": "service", "scopes": ["careers"], "label": "tests"},
                    Authorization=f"Bearer {admin}").expect(201)
        client.get("/api/careers/", **bearer(made["key"])).expect(200)
        client.get("/api/quiz/questions/", **bearer(made["key"])).expect_problem(403, "scope_missing")
        client.get(ADMIN, **bearer(made["key"])).expect_problem(403, "forbidden")
        for wrong, name in (({"role": "king"}, "role"), ({"role": "anonymous"}, "role"), ({}, "role"),
                            ({"role": "user", "scopes": ["all"]}, "scopes.0"),
                            ({"role": "user", "expires_at": "tomorrow"}, "expires_at"),
                            ({"role": "user", "expires_at": "2001-01-01T00:00:00Z"}, "expires_at")):
            send(client, "POST", ADMIN, wrong, Authorization=f"Bearer {admin}").expect_named(name)
        account = {"email": "grace@example.org", "role": "educator"}
        user = send(client, "POST", "/api/admin/users/", account, Authorization=f"Bearer {admin}").expect(201)
        for role, status in (("user", 201), ("educator", 201), ("service", 422), ("admin", 422)):
            wanted = {"role": role, "user_id": user["id"]}
            reply = send(client, "POST", ADMIN, wanted, Authorization=f"Bearer {admin}")
            assert reply.status == status, (role, reply.body)
            if status == 422:
                reply.expect_named("role")
        send(client, "POST", ADMIN, {"role": "user"}, Authorization=f"Bearer {admin}").expect_named("user_id")
        assert send(client, "DELETE", ADMIN + made["id"] + "/", Authorization=f"Bearer {admin}").status == 204
        client.get("/api/careers/", **bearer(made["key"])).expect_problem(401, "credential_revoked")
        send(client, "DELETE", ADMIN + "0123456789abcdef/", Authorization=f"Bearer {admin}").expect_problem(
            404, "key_not_found")


def test_an_admin_manages_accounts(own):
    admin = {"Authorization": f"Bearer {make_key(own, '--role', 'admin')}"}
    users = "/api/admin/users/"
    account = {"email": "grace@example.org", "password": PASSWORD}
    with own.client() as client:
        made = send(client, "POST", users, {**account, "role": "educator"}, **admin).expect(201)
        assert "password" not in json.dumps(made)
        send(client, "POST", users, account, **admin).expect_problem(409, "email_taken")
        signed_in = send(client, "POST", "/api/auth/sign-in/", account)
        signed_in.expect(200)
        cookie = cookie_of(signed_in)
        assert client.get("/api/auth/me/", Cookie=cookie).expect(200)["role"] == "educator"
        changed = send(client, "PATCH", f"{users}{made['id']}/", {"role": "user"}, **admin).expect(200)
        assert changed["role"] == "user"
        assert client.get("/api/auth/me/", Cookie=cookie).expect(200)["role"] == "user"
        send(client, "PATCH", f"{users}{made['id']}/", {"state": "disabled"}, **admin).expect(200)
        assert client.get("/api/auth/me/", Cookie=cookie).status == 401
        send(client, "POST", "/api/auth/sign-in/", account).expect_problem(401, "account_disabled")
        send(client, "PATCH", f"{users}nobody/", {"role": "user"}, **admin).expect_problem(404, "user_not_found")
        send(client, "PATCH", f"{users}{made['id']}/", {}, **admin).expect_problem(422, "invalid_fields")


def test_somebody_signs_up_in_and_out_by_cookie(own):
    account = {"email": "Ada@Example.org", "password": PASSWORD}
    with own.client() as client:
        reply = send(client, "POST", "/api/auth/sign-up/", {**account, "name": "Ada"})
        token = reply.expect(201)["csrf_token"]
        cookie = cookie_of(reply)
        assert "HttpOnly" in reply.headers["set-cookie"] and "SameSite=Lax" in reply.headers["set-cookie"]
        me = client.get("/api/auth/me/", Cookie=cookie).expect(200)
        assert (me["role"], me["user"]["name"], me["credential"]) == ("user", "Ada", "session")
        assert me["csrf_token"] == token
        answers = {"answers": {"1": "a"}}
        send(client, "POST", "/api/quiz/submit/", answers, Cookie=cookie).expect_problem(403, "csrf_token_invalid")
        mine = send(client, "POST", "/api/quiz/submit/", answers, Cookie=cookie, X_CSRF_Token=token).expect(201)
        client.get(f"/api/results/{mine['session_id']}/").expect_problem(404, "session_not_found")
        client.get(f"/api/results/{mine['session_id']}/", Cookie=cookie).expect(200)
        assert send(client, "POST", "/api/auth/sign-out/", Cookie=cookie, X_CSRF_Token=token).status == 204
        assert client.get("/api/auth/me/", Cookie=cookie).status == 401
        again = send(client, "POST", "/api/auth/sign-in/", account)
        again.expect(200)
        assert cookie_of(again) != cookie
        assert client.get("/api/auth/me/", Cookie=cookie_of(again)).expect(200)["user"]["id"] == me["user"]["id"]


def test_the_pages_work_without_a_script(own):
    with own.client() as client:
        for path in ("/sign-in", "/sign-up"):
            page = client.get(path)
            assert page.status == 200 and page.media_type == "text/html" and b"<form method=\"post\"" in page.body
            assert b"<script" not in page.body
        weak = form(client, "/sign-up", email="ada@example.org", password="short")
        assert weak.status == 422 and b'id="password-error"' in weak.body and b"ada@example.org" in weak.body
        made = form(client, "/sign-up", email="ada@example.org", password=PASSWORD, next="/docs")
        assert made.status == 303 and made.headers["location"] == "/docs"
        page = client.get("/sign-in", Cookie=cookie_of(made))
        token = re.search(rb'name="csrf_token" value="([^"]+)"', page.body)[1].decode()
        headers = {"Content-Type": FORM, "Cookie": cookie_of(made)}
        forged = client.request("POST", "/sign-out", "csrf_token=x", headers)
        forged.expect_problem(403, "csrf_token_invalid")
        done = client.request("POST", "/sign-out", urllib.parse.urlencode({"csrf_token": token}), headers)
        assert done.status == 303 and "Max-Age=0" in done.headers["set-cookie"]
        assert client.get("/api/auth/me/", Cookie=cookie_of(made)).status == 401


def test_guessing_passwords_takes_longer_and_longer(own):
    account = {"email": "ada@example.org", "password": PASSWORD}
    with own.client() as client:
        send(client, "POST", "/api/auth/sign-up/", account).expect(201)
        replies = [send(client, "POST", "/api/auth/sign-in/", {**account, "password": f"wrong guess {number}"})
                   for number in range(6)]
        codes = [reply.expect_problem()["code"] for reply in replies]
        assert codes[:5] == ["invalid_credential"] * 5 and codes[5] == "sign_in_locked"
        assert int(replies[5].headers["retry-after"]) >= 1
        # The right one waits as well: otherwise the lock would tell which guess was right.
        send(client, "POST", "/api/auth/sign-in/", account).expect_problem(429, "sign_in_locked")
        nobody = send(client, "POST", "/api/auth/sign-in/", {**account, "email": "nobody@example.org"})
        assert nobody.expect_problem(401)["detail"] == replies[0].json["detail"]


def test_the_first_administrator_signs_in_by_a_link_that_lies_in_a_file(start_service):
    service = start_service(PATHLIGHT_LOG_FORMAT="json")
    link = offered_link(service)
    file = link_file(service.data)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert link.startswith(f"http://127.0.0.1:{service.port}/sign-in/link?token=")
    token = link.split("token=")[1]
    with service.client() as client:
        page = client.get(link.removeprefix(f"http://127.0.0.1:{service.port}"))
        assert page.status == 200 and "set-cookie" not in page.headers
        assert file.exists(), "looking at the page uses nothing up"
        reply = form(client, "/sign-in/link", token=token)
        assert reply.status == 303
        assert not file.exists(), "it is used"
        session = {"Cookie": cookie_of(reply)}
        csrf = client.get("/api/auth/me/", **session).expect(200)["csrf_token"]
        assert form(client, "/sign-in/link", token=token).status == 401
        send(client, "POST", ADMIN, {"role": "admin"}, X_CSRF_Token=csrf, **session).expect(201)
    service.stop()
    log = service.log.read_text()
    assert str(file) in log and token not in log, "logs are kept, shipped and read by others"
    again = start_service(data=service.data)
    time.sleep(1)
    assert not file.exists(), "there is an administrator now"
    again.stop()


def test_the_link_goes_where_an_administrator_is_made_otherwise_and_at_the_end(start_service):
    service = start_service()
    first = offered_link(service)
    service.stop()
    assert not link_file(service.data).exists(), "it is of no use without the service"
    link_file(service.data).write_text("left behind by a service that was killed")
    again = start_service(data=service.data)
    assert wait_for(lambda: "token=" in offered_link(again)) and offered_link(again) != first
    token = offered_link(again).split("token=")[1]
    make_key(again, "--role", "admin")
    assert wait_for(lambda: not link_file(again.data).exists()), "somebody administers by now"
    with again.client() as client:
        assert form(client, "/sign-in/link", token=token).status == 401


def test_of_two_services_on_one_folder_the_later_keeps_its_link(start_service):
    first = start_service()
    old = offered_link(first)
    second = start_service(data=first.data)
    assert wait_for(lambda: link_file(first.data).exists() and offered_link(second) != old)
    link = offered_link(second)
    time.sleep(5)  # The first looks every two seconds whether its own link holds.
    assert link_file(first.data).exists() and offered_link(second) == link
    link_file(first.data).write_text(old + "\n")
    assert wait_for(lambda: offered_link(second) == link), "another that started at the same moment wrote over it"
    first.stop()
    assert offered_link(second) == link
    with second.client() as client:
        assert form(client, "/sign-in/link", token=link.split("token=")[1]).status == 303
    assert wait_for(lambda: not link_file(first.data).exists())


def test_no_link_lies_about_where_others_get_in(start_service, tmp_path):
    data = seed(tmp_path / "data")
    link_file(data).write_text("left behind")
    service = start_service(data=data, PATHLIGHT_TRUSTED_PROXY="127.0.0.1")
    assert wait_for(lambda: not link_file(service.data).exists())
    time.sleep(1)
    assert not link_file(service.data).exists() and "/sign-in/link" not in service.log.read_text()


def test_on_a_terminal_the_link_is_printed(tmp_path):
    """To somebody who reads it, and no file is made."""
    data = seed(tmp_path / "data")
    terminal, end = pty.openpty()
    process = subprocess.Popen(
        [str(BINARY), "serve", "--port", "0", "--data", str(data)], stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=end, cwd=EMPTY_FOLDER.name, env=clean_environment())
    os.close(end)
    said = b""
    try:
        deadline = time.monotonic() + 120
        while not re.search(rb"/sign-in/link\?token=[A-Za-z0-9_-]{43}\s", said) and time.monotonic() < deadline:
            if select.select([terminal], [], [], 1)[0]:
                said += os.read(terminal, 65536)
        assert b"once, within the hour" in said and b"/sign-in/link?token=" in said, said
        assert not link_file(data).exists()
    finally:
        process.terminate()
        process.wait(30)
        os.close(terminal)


def test_too_many_requests_of_an_address_wait(start_service):
    service = start_service(PATHLIGHT_LIMITS_ADDRESS_REQUESTS_PER_SECOND="0.1", PATHLIGHT_LIMITS_ADDRESS_BURST="3")
    with service.client() as client:
        statuses = [client.get("/api/quiz/questions/").status for _ in range(3)]
        assert statuses == [200] * 3
        refused = client.get("/api/quiz/questions/")
        refused.expect_problem(429, "too_many_requests")
        assert 1 <= int(refused.headers["retry-after"]) <= 10
        assert client.get("/livez").status == 200 and client.get("/readyz").status == 200
        assert client.is_connected


def test_beyond_loopback_a_proxy_and_an_admin_key_are_needed(tmp_path):
    bare = run_command("serve", "--host", "0.0.0.0", "--port", "0", "--data", tmp_path / "data")
    assert bare.returncode == 78 and "trusted_proxy" in bare.stderr
    proxied = {"PATHLIGHT_TRUSTED_PROXY": "127.0.0.1"}
    seed(tmp_path / "data")
    keyless = run_command("serve", "--host", "0.0.0.0", "--port", "0", "--data", tmp_path / "data", **proxied)
    assert keyless.returncode == 78 and "pathlight keys create --role admin" in keyless.stderr
    assert "/sign-in/link" not in keyless.stderr


class ServiceEverywhere(Service):
    """One that listens on every address of the machine."""

    host = "0.0.0.0"


def own_address():
    """An address of this machine that is not loopback's, as the system would choose it; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        address = probe.getsockname()[0]
    return None if address.startswith("127.") or address == "0.0.0.0" else address


def test_beyond_loopback_nobody_is_answered_past_the_proxy(tmp_path):
    address = own_address()
    if address is None:
        pytest.skip("this machine has no address but loopback's")
    done = run_command("keys", "create", "--role", "admin", "--data", seed(tmp_path / "data"))
    assert done.returncode == 0, done.stderr

    def ask(service, path):
        connection = http.client.HTTPConnection(address, service.port, timeout=10)
        connection.request("GET", path, headers={"X-Forwarded-For": "127.0.0.1", **bearer(done.stdout.strip())})
        reply = connection.getresponse()
        body = reply.read()
        connection.close()
        return reply.status, body

    for proxy, is_answered in (("192.0.2.1", False), (f"192.0.2.1, {address}", True)):
        service = ServiceEverywhere(tmp_path / "data", tmp_path / "service.log", PATHLIGHT_TRUSTED_PROXY=proxy).start()
        try:
            for path in ("/api/quiz/questions/", "/metrics", "/api/admin/keys/"):
                status, body = ask(service, path)
                assert (status == 200) == is_answered, (path, proxy)
                assert is_answered or (status == 403 and json.loads(body)["code"] == "proxy_required"), path
            assert ask(service, "/livez")[0] == 200
            with service.client() as client:
                client.get("/api/quiz/questions/").expect(200)
        finally:
            service.stop()
