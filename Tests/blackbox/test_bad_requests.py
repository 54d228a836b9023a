"""What a careless or hostile client sends: every reply is a problem document, and the service goes on."""

import gzip
import json
import socket

import pytest
from conftest import needs_model
from harness import Client

RECOMMEND = "/api/results/recommend/"
GOOD = {"text": "I like to bake bread."}
MEBIBYTE = 1 << 20

MALFORMED = {
    "empty": b"",
    "blank": b"  \n",
    "cut off": b'{"text": "I like',
    "two documents": b'{"text": "a"}{"text": "b"}',
    "rest behind": b'{"text": "a"} x',
    "trailing comma": b'{"text": "a",}',
    "comment": b'{"text": "a" /* why */}',
    "single quotes": b"{'text': 'a'}",
    "bare word": b"text",
    "NaN": b'{"text": "a", "alpha": NaN}',
    "Infinity": b'{"text": "a", "alpha": Infinity}',
    "leading zero": b'{"text": "a", "top_n": 05}',
    "leading plus": b'{"text": "a", "top_n": +5}',
    "no digits behind the point": b'{"text": "a", "alpha": 1.}',
    "hexadecimal": b'{"text": "a", "top_n": 0x5}',
    "line break in a string": b'{"text": "a\nb"}',
    "unknown escape": b'{"text": "\\x41"}',
    "half an escape": b'{"text": "\\u12"}',
    "lone surrogate": b'{"text": "\\ud800"}',
    "not UTF-8": b'{"text": "\xff\xfe"}',
    "overlong UTF-8": b'{"text": "\xc0\xaf"}',
    "UTF-16": '{"text": "a"}'.encode("utf-16"),
    "zero byte": b'{"text": "a"}\x00',
    "nested lists": b"[" * 100_000,
    "nested objects": b'{"a":' * 50_000,
    "nested and closed": b"[" * 5_000 + b"]" * 5_000,
    "nested in a field": b'{"filters": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "the same name twice": b'{"text": "a", "text": "b"}',
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed_json_is_refused_and_the_connection_stays_usable(client, body):
    client.get("/livez").status  # opens the connection
    before = client.connection.sock
    problem = client.post_text(RECOMMEND, body).expect_problem()
    assert (problem["status"], problem["code"]) in ((400, "malformed_json"), (422, "invalid_fields")), problem
    assert client.connection.sock is before, "the connection was closed"
    client.post(RECOMMEND, GOOD).expect(200)
    assert client.connection.sock is before


@pytest.mark.parametrize("body", ["[]", '"text"', "5", "true", "null", '[{"text": "a"}]'])
def test_a_body_that_is_no_object_is_refused(client, body):
    client.post_text(RECOMMEND, body).expect_problem(422, "invalid_fields")


@pytest.mark.parametrize(
    "number", ["1e999", "-1e999", "1" + "0" * 400, "1e-999", "9007199254740993", "1.7976931348623159e308"])
@pytest.mark.parametrize("name", ["alpha", "top_n", "max_per_cluster"])
def test_huge_numbers_are_refused_or_mean_what_they_say(client, name, number):
    reply = client.post_text(RECOMMEND, f'{{"text": "a", "{name}": {number}}}')
    if number == "1e-999" and name == "alpha" and reply.status == 200:
        return  # It rounds to 0, a valid alpha.
    if number == "9007199254740993" and name == "max_per_cluster" and reply.status == 200:
        return  # A cap beyond every cluster's size is no cap.
    assert reply.expect_problem()["status"] in (400, 422)


def test_unknown_fields_are_refused_by_name(client):
    problem = client.post(RECOMMEND, {**GOOD, "tekst": "a", "colour": 5}).expect_named("tekst")
    assert "colour" in json.dumps(problem["errors"])
    client.post("/api/quiz/submit/", {"answers": {}, "extra": 1}).expect_named("extra")
    client.post("/api/results/save_career/", {"session_id": "a", "career_id": "b", "user": "c"}).expect_named("user")


def test_a_hostile_name_comes_back_harmless(client):
    name = "\u0000\r\nSet-Cookie: a=b\u202e" + "x" * 5000
    reply = client.post(RECOMMEND, {**GOOD, name: 1})
    reply.expect_problem(422)
    assert "set-cookie" not in reply.headers
    assert len(reply.body) < 4000


def test_too_many_mistakes_do_not_make_a_large_reply(client):
    reply = client.post(RECOMMEND, {f"unknown{number}": number for number in range(20_000)})
    reply.expect_problem(422)
    assert len(reply.body) < 64 * 1024


def test_lists_and_strings_have_limits(client):
    client.post(RECOMMEND, {"skills": ["a"] * 100_000}).expect_named("skills")
    client.post(RECOMMEND, {"text": "a" * 900_000}).expect_named("text")
    client.post(RECOMMEND, {"skills": ["a" * 500_000]}).expect_named("skills")
    client.post(RECOMMEND, {"exclude": ["a"] * 100_000}).expect_named("exclude")
    client.post(RECOMMEND, GOOD).expect(200)


def test_a_body_that_is_too_large_is_refused(service):
    with service.client() as client:
        reply = client.post_text(RECOMMEND, b'{"text": "' + b"a" * (2 * MEBIBYTE) + b'"}')
        reply.expect_problem(413, "body_too_large")
    with service.client() as client:
        client.post(RECOMMEND, GOOD).expect(200)


def test_a_body_that_only_claims_to_be_too_large_is_refused_before_it_is_sent(service):
    with service.socket() as connection:
        connection.sendall(b"POST /api/results/recommend/ HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                           b"Content-Length: 99999999999\r\n\r\n")
        assert connection.recv(64).startswith(b"HTTP/1.1 413 ")


def test_a_body_without_an_announced_length_is_cut_at_the_limit(service):
    with service.socket() as connection:
        connection.sendall(b"POST /api/results/recommend/ HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                           b"Transfer-Encoding: chunked\r\n\r\n")
        chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        try:
            for _ in range(64):
                connection.sendall(chunk)
        except (BrokenPipeError, ConnectionResetError):
            pass  # The service has seen enough.
        try:
            head = connection.recv(64)
        except ConnectionResetError:
            head = b""
        assert head == b"" or head.startswith(b"HTTP/1.1 413 "), head
    with service.client() as client:
        client.post(RECOMMEND, GOOD).expect(200)


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonx",
                                        "application/json; charset=utf-16"])
def test_other_media_types_are_refused(client, media_type):
    client.post_text(RECOMMEND, json.dumps(GOOD), media_type).expect_problem(415, "unsupported_media_type")


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "gzip, identity", "nonsense"])
def test_a_coded_body_is_refused_as_one(client, coding):
    headers = {"Content-Type": "application/json", "Content-Encoding": coding}
    reply = client.request("POST", RECOMMEND, gzip.compress(json.dumps(GOOD).encode()), headers)
    assert coding in reply.expect_problem(415, "unsupported_media_type")["detail"]
    assert reply.headers["accept-encoding"] == "identity"
    client.request("POST", RECOMMEND, json.dumps(GOOD), {**headers, "Content-Encoding": "identity"}).expect(200)


def test_one_bad_request_of_a_full_batch_is_named(client):
    good = [{"text": f"text {number}", "top_n": 1} for number in range(256)]
    for bad, name in (({"text": "a", "top_n": 0}, "requests.200.top_n"), ({}, "requests.200"), (None, "requests.200"),
                      ({"liked": ["nobody"]}, "requests.200.liked"), ({"text": "a", "x": 1}, "requests.200.x"),
                      ({"disliked": ["chef"], "examples_strategy": "best_score"}, "requests.200.disliked")):
        problem = client.post("/api/recommend/batch/", {"requests": [*good[:200], bad, *good[201:]]}).expect_problem(422)
        assert [error["path"] for error in problem["errors"]] == [name], problem


def test_unknown_paths_and_methods_get_problems(client):
    for path in ("/nothing", "/api/", "/api/results/recommend/more/", "/..%2f..%2fetc/passwd", "/%00",
                 "/api/careers/%ff/"):
        assert client.get(path).expect_problem()["status"] in (400, 404)
    for method, path in (("GET", RECOMMEND), ("DELETE", "/api/quiz/questions/"), ("PATCH", "/readyz"), ("PUT", "/")):
        reply = client.request(method, path, body=b"")
        reply.expect_problem(405, "method_not_allowed")
        assert reply.headers.get("allow")


@pytest.mark.parametrize("path", ["/api/results/recommend", "/api/results/recommend/"])
def test_a_post_works_with_and_without_the_final_slash(client, path):
    assert client.post(path, GOOD).expect(200)["recommendations"]


@pytest.mark.parametrize("path", ["/api/quiz/questions", "/api/careers", "/livez", "/readyz", "/healthz", "/docs"])
def test_a_get_works_with_and_without_the_final_slash(client, path):
    assert client.get(path).status == client.get(path + "/").status == 200


def test_the_request_id_comes_back(client):
    reply = client.request("POST", RECOMMEND, body=json.dumps(GOOD),
                           headers={"Content-Type": "application/json", "X-Request-ID": "my-request-7"})
    assert reply.headers["x-request-id"] == "my-request-7"
    assert client.get("/livez").headers["x-request-id"] != client.get("/livez").headers["x-request-id"]
    hostile = client.get("/livez", **{"X-Request-ID": "x" * 5000})
    assert len(hostile.headers["x-request-id"]) < 300


RAW = {
    "not HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "no version": b"GET /\r\n\r\n",
    "a broken header": b"GET / HTTP/1.1\r\nHost: a\r\nbroken header\r\n\r\n",
    "two lengths": b"POST /api/results/recommend/ HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
                   b"Content-Length: 6\r\n\r\nabcde",
    "length and chunks": b"POST /api/results/recommend/ HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
                         b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a negative length": b"POST /api/results/recommend/ HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    "a huge header": b"GET / HTTP/1.1\r\nHost: a\r\nX-Long: " + b"a" * (1 << 20) + b"\r\n\r\n",
    "many headers": b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X-A: b\r\n" * 50_000 + b"\r\n",
    "a broken chunk": b"POST /api/results/recommend/ HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                      b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
}


@pytest.mark.parametrize("request_bytes", RAW.values(), ids=RAW.keys())
def test_what_is_not_http_is_refused_and_the_service_goes_on(service, request_bytes):
    with service.socket(timeout=10) as connection:
        try:
            connection.sendall(request_bytes)
            connection.shutdown(socket.SHUT_WR)
            head = connection.recv(64)
        except (BrokenPipeError, ConnectionResetError):
            head = b""
        assert head == b"" or head.startswith(b"HTTP/1.1 4"), head
    with service.client() as client:
        assert client.get("/livez").status == 200


def test_many_connections_at_once_are_served(service):
    clients = [Client(service.port) for _ in range(200)]
    try:
        assert [client.get("/livez").status for client in clients] == [200] * len(clients)
    finally:
        for client in clients:
            client.close()


def test_pipelined_requests_are_answered_in_order(service):
    request = b"GET /livez HTTP/1.1\r\nHost: a\r\nX-Request-ID: %d\r\n\r\n"
    with service.socket() as connection:
        connection.sendall(b"".join(request % number for number in range(20)))
        received = b""
        while received.count(b"HTTP/1.1 200") < 20 or not received.lower().count(b"x-request-id: 19"):
            part = connection.recv(65536)
            assert part, "the connection was closed early"
            received += part
    order = [line for line in received.lower().split(b"\r\n") if line.startswith(b"x-request-id")]
    assert order == [b"x-request-id: %d" % number for number in range(20)]


@needs_model
def test_a_wrong_embeddings_request_gets_a_problem(client):
    for body in ({}, {"input": 5}, {"input": []}, {"input": ["a", 5]}, {"input": "a", "model": "no-such-model"},
                 {"input": ["a"] * 100_000}):
        assert client.post("/v1/embeddings", body).expect_problem()["status"] in (400, 404, 413, 422)
