"""What is read can be asked about again without being sent again."""

import pytest

READS = ["/api/quiz/questions/", "/api/careers/", "/api/careers/?limit=3&skip=7", "/api/careers/chef/",
         "/api/careers/chef/similar/", "/readyz", "/openapi.json", "/", "/docs", "/assets/app.css", "/assets/app.js",
         "/assets/favicon.svg"]
RECOMMEND = "/api/results/recommend/"


@pytest.mark.parametrize("path", READS)
def test_a_read_has_a_strong_tag_that_saves_sending_it_again(client, path):
    reply = client.get(path)
    assert reply.status == 200
    tag = reply.headers["etag"]
    assert tag.startswith('"') and tag.endswith('"') and len(tag) > 10
    assert client.get(path).headers["etag"] == tag
    for condition in (tag, f"W/{tag}", "*", f'"other", {tag}', f'"a,b" , W/"c",{tag}', f"  {tag}  "):
        unchanged = client.get(path, **{"If-None-Match": condition})
        assert (unchanged.status, unchanged.body) == (304, b""), condition
        assert unchanged.headers["etag"] == tag
        assert "content-length" not in unchanged.headers and "content-type" not in unchanged.headers
        # A cache takes these over from a 304.
        for name in ("cache-control", "content-security-policy", "x-content-type-options", "referrer-policy"):
            assert unchanged.headers[name] == reply.headers[name]
    for condition in ('"other"', "other", tag.strip('"'), "", '"', f'"x{tag[1:]}', f"{tag[:-1]}x\"", '"a" "b"'):
        assert client.get(path, **{"If-None-Match": condition}).status == 200, condition


@pytest.mark.parametrize("path", READS + ["/livez", "/metrics", "/healthz"])
def test_head_gives_the_same_header_fields_without_a_body(client, path):
    varying = ("date", "x-request-id") + (("content-length",) if path == "/metrics" else ())
    full, head = client.get(path), client.request("HEAD", path)
    assert (head.status, head.body) == (200, b"")
    fields = [{name: value for name, value in reply.headers.items() if name not in varying} for reply in (full, head)]
    assert fields[0] == fields[1]
    if "etag" in full.headers:
        assert client.request("HEAD", path, headers={"If-None-Match": full.headers["etag"]}).status == 304


def test_different_replies_have_different_tags(client):
    tags = [client.get(path).headers["etag"] for path in READS]
    assert len(set(tags)) == len(tags)


@pytest.mark.parametrize("path", READS)
def test_what_may_change_is_asked_about_before_each_use(client, path):
    assert client.get(path).headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", ["/livez", "/metrics"])
def test_what_is_true_for_a_moment_is_not_kept(client, path):
    reply = client.get(path)
    assert reply.headers["cache-control"] == "no-store" and "etag" not in reply.headers
    assert client.get(path, **{"If-None-Match": "*"}).status == 200


def test_a_session_is_private_and_its_tag_changes_with_it(client):
    session = client.post(RECOMMEND, {"text": "I like bees."}).expect(200)["session_id"]
    path = f"/api/results/{session}/"
    first = client.get(path)
    assert first.headers["cache-control"] == "private, no-cache"
    assert client.get(path, **{"If-None-Match": first.headers["etag"]}).status == 304
    client.post("/api/results/save_career/", {"session_id": session, "career_id": "chef"}).expect(201)
    changed = client.get(path, **{"If-None-Match": first.headers["etag"]})
    assert changed.status == 200 and changed.headers["etag"] != first.headers["etag"]


def test_problems_and_writes_have_no_tag(client):
    for reply in (client.get("/api/careers/no-such-career/", **{"If-None-Match": "*"}),
                  client.request("POST", RECOMMEND, b'{"text": "I like bees."}',
                                 {"Content-Type": "application/json", "If-None-Match": "*"}),
                  client.get("/nothing", **{"If-None-Match": "*"})):
        assert reply.status in (200, 404) and reply.body and "etag" not in reply.headers
