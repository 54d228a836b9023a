"""The pages as a browser has them: what their scripts send, and what is shown to people when something goes wrong."""

import html.parser
import json
import re
import shutil
import subprocess
import uuid

import pytest
from harness import ROOT
from test_accounts import EMAIL, FORM, PASSWORD, form

ASSETS = ("app", "state", "quiz", "asking", "list", "career", "results", "docs")
PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Sec-Fetch-Mode": "navigate"}

# Runs the page's own module; the browser's part is what it needs of the document, cookies and where a request comes from.
DRIVER = """
const [base, cookie, token, calls, change] = JSON.parse(process.argv[2]);
globalThis.document = {
  querySelector: (selector) =>
    (selector === 'meta[name="csrf-token"]' && token !== null ? { getAttribute: () => token } : null),
};
const send = globalThis.fetch;
globalThis.fetch = (path, options) => send(base + path, {
  ...options, headers: {
    ...options.headers, ...(cookie === null ? {} : { Cookie: cookie }), Origin: base, "Sec-Fetch-Site": "same-origin",
  },
});
const events = new EventTarget();
globalThis.addEventListener = events.addEventListener.bind(events);
globalThis.dispatchEvent = events.dispatchEvent.bind(events);
const kept = new Map();
Object.defineProperty(globalThis, "localStorage", { value: {
  getItem: (name) => kept.get(name) ?? null, setItem: (name, value) => kept.set(name, value),
  removeItem: (name) => kept.delete(name),
} });
const { request } = await import("./results.js");
const { store } = await import("./state.js");
store();
// What another page of the same browser did to the storage.
if (change !== null) {
  kept.clear();
  dispatchEvent(Object.assign(new Event("storage"), change));
}
const said = [];
for (const { path, body, key } of calls) {
  try {
    said.push(await request(path, body, { key }));
  } catch (error) {
    said.push({ code: error.code ?? String(error) });
  }
}
store();
console.log(JSON.stringify({ said, keeps: kept.size > 0 }));
"""


class Meta(html.parser.HTMLParser):
    """The page's `<meta name=… content=…>`."""

    def __init__(self, page):
        super().__init__()
        self.named = {}
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "meta" and "name" in attributes:
            self.named[attributes["name"]] = attributes["content"]


def signed_up(client):
    """The cookie of somebody who has signed up by the form."""
    reply = form(client, "/sign-up", email=EMAIL, password=PASSWORD)
    assert reply.status == 303, reply.body
    return reply.headers["set-cookie"].split(";")[0]


def token_in(client, cookie):
    """The token as the page's script takes it, from the page that the cookie is shown."""
    page = client.get("/", Cookie=cookie)
    assert page.status == 200 and page.headers["cache-control"] == "no-store" and "etag" not in page.headers
    return Meta(page.body.decode()).named["csrf-token"]


def test_somebody_signed_in_uses_the_quiz_as_the_page_does(start_service):
    with start_service().client() as client:
        cookie = signed_up(client)
        token = token_in(client, cookie)
        origin = f"http://127.0.0.1:{client.connection.port}"

        def post(path, document, **headers):
            return client.request("POST", path, json.dumps(document), {
                "Content-Type": "application/json", "Cookie": cookie, "Origin": origin, "Sec-Fetch-Site": "same-origin",
                "Idempotency-Key": str(uuid.uuid4()), **headers})

        answers = {"answers": {"1": "a"}}
        post("/api/quiz/submit/", answers).expect_problem(403, "csrf_token_invalid")
        session = post("/api/quiz/submit/", answers, **{"X-CSRF-Token": token}).expect(201)["session_id"]
        saved = {"session_id": session, "career_id": "chef"}
        post("/api/results/save_career/", saved, **{"X-CSRF-Token": token}).expect(201)
        assert client.get(f"/api/results/{session}/").status == 404
        client.get(f"/api/results/{session}/", Cookie=cookie).expect(200)


def test_nobody_signed_in_has_no_token_in_the_page(start_service):
    with start_service().client() as client:
        assert "csrf-token" not in Meta(client.get("/").body.decode()).named


def test_the_scripts_write_in_one_place_and_send_the_token_there(start_service):
    with start_service().client() as client:
        scripts = {name: client.get(f"/assets/{name}.js").body.decode() for name in ASSETS}
    # What fetches without a method reads.
    writing = re.compile(r"\bmethod: |XMLHttpRequest|sendBeacon|\.submit\(\)")
    assert [name for name, text in scripts.items() if writing.search(text)] == ["results"]
    assert 'meta[name="csrf-token"]' in scripts["results"] and '"X-CSRF-Token": token' in scripts["results"]
    assert "csrf_token_invalid" in scripts["results"], "a page of another sign-in says what to do"


needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")


def driven(folder, *arguments):
    """What the driver tells of the modules in `folder`."""
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "drive.js").write_text(DRIVER)
    done = subprocess.run(
        ["node", "drive.js", json.dumps(arguments)], cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@needs_node
@pytest.mark.parametrize("token, change, keeps", [
    ("a", {"key": None, "newValue": None}, False), ("a", {"key": "pathlight.v1", "newValue": None}, False),
    ("a", {"key": "pathlight.v1", "newValue": "{}"}, True), ("a", {"key": "another", "newValue": None}, True),
    (None, {"key": None, "newValue": None}, True)],
    ids=["all cleared", "ours removed", "ours changed", "another's removed", "nobody signed in"])
def test_a_page_of_somebody_signed_in_keeps_nothing_once_another_has_cleared_the_storage(
        token, change, keeps, tmp_path):
    for name in ("results.js", "state.js"):
        shutil.copy(ROOT / "Sources/CAssets/web" / name, tmp_path)
    assert driven(tmp_path, "", None, token, [], change) == {"said": [], "keeps": keeps}


@needs_node
def test_the_page_s_script_writes_for_who_is_signed_in(start_service, tmp_path):
    service = start_service()
    with service.client() as client:
        cookie = signed_up(client)
        token = token_in(client, cookie)
        for name in ("results.js", "state.js"):
            (tmp_path / name).write_bytes(client.get(f"/assets/{name}").body)

    def drive(token, *calls, cookie=cookie, keeps=True):
        told = driven(tmp_path, f"http://127.0.0.1:{service.port}", cookie, token, calls, None)
        assert told["keeps"] == keeps, told
        return told["said"]

    submit = {"path": "/api/quiz/submit/", "body": {"answers": {"1": "a"}}, "key": str(uuid.uuid4())}
    [questions, submitted] = drive(token, {"path": "/api/quiz/questions/"}, submit)
    assert questions["items"] and "session_id" in submitted, submitted
    save = {"path": "/api/results/save_career/", "key": str(uuid.uuid4()),
            "body": {"session_id": submitted["session_id"], "career_id": "chef"}}
    assert "code" not in drive(token, save)[0]
    # The page of another sign-in, or of before this one.
    submit["key"] = str(uuid.uuid4())
    for stale in (None, "A" * len(token)):
        assert drive(stale, submit) == [{"code": "csrf_token_invalid"}]
    # The sign-in of the page has ended meanwhile, as from another browser: what the page has is not for who comes next.
    with service.client() as client:
        assert form(client, "/sign-out", {"Cookie": cookie}, csrf_token=token).status == 303
        again = client.get("/", Cookie=cookie, **PAGE)
        assert again.status == 303 and again.headers["clear-site-data"] == '"storage"'
    assert drive(token, submit, keeps=False) == [{"code": "invalid_credential"}]
    assert drive(None, submit) == [{"code": "invalid_credential"}]
    # Another page has met that first, and the browser has no cookie any more.
    assert drive(token, submit, cookie=None, keeps=False) == [{"code": "invalid_credential"}]
    submit["key"] = str(uuid.uuid4())
    assert "session_id" in drive(None, submit, cookie=None)[0]


def test_people_are_shown_pages_and_not_documents(start_service):
    with start_service().client() as client:
        for path, status in (("/nope", 404), ("/sign-in?done=x", 422), ("/verify-address", 404),
                             ("/reset-password", 404), ("/sign-in/link", 404)):
            reply = client.get(path, **PAGE)
            assert (reply.status, reply.media_type) == (status, "text/html"), path
            assert b"<h1>" in reply.body and b"application/problem" not in reply.body
        led = client.get("/account/password", **PAGE)
        assert (led.status, led.headers["location"]) == (303, "/account")
        # A second tab at the sign-in, sent after the first.
        cookie = signed_up(client)
        stale = client.request("POST", "/sign-in", "email=a%40example.org&password=x", {
            "Content-Type": FORM, "Cookie": cookie, "Sec-Fetch-Site": "same-origin", **PAGE})
        assert (stale.status, stale.media_type) == (403, "text/html")
        assert b'href="/sign-in"' in stale.body and b"out of date" in stale.body
        # Scripts and programs read documents.
        client.get("/nope").expect_problem(404, "not_found")
        client.get("/api/nope", **PAGE).expect_problem(404, "not_found")


def test_signing_out_clears_what_the_browser_keeps(start_service):
    with start_service().client() as client:
        cookie = signed_up(client)
        token = token_in(client, cookie)
        done = form(client, "/sign-out", {"Cookie": cookie}, csrf_token=token)
        assert done.status == 303 and done.headers["clear-site-data"] == '"storage"'
        assert "clear-site-data" not in form(client, "/sign-out").headers
