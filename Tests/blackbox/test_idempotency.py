"""Writes with an `Idempotency-Key` happen once, however often they are sent and whatever happens in between."""

import json
import sqlite3
import threading
import uuid

import pytest
from conftest import needs_model

RECOMMEND = "/api/results/recommend/"
SUBMIT = "/api/quiz/submit/"
SAVE = "/api/results/save_career/"
VIEW = "/api/results/view_career/"
TEXT = {"text": "I like to repair old clocks.", "top_n": 2}


def send(client, path, document, key):
    return client.request("POST", path, json.dumps(document),
                          {"Content-Type": "application/json", "Idempotency-Key": key})


@pytest.fixture
def key():
    return str(uuid.uuid4())


def test_the_same_request_gets_the_same_reply(client, key):
    first = send(client, RECOMMEND, TEXT, key)
    first.expect(200)
    assert "idempotency-replayed" not in first.headers
    again = send(client, RECOMMEND, TEXT, key)
    assert (again.status, again.body, again.media_type) == (200, first.body, "application/json")
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["x-request-id"] != first.headers["x-request-id"]


def test_a_path_is_the_same_with_and_without_its_final_slash_and_a_key_with_and_without_quotes(client, key):
    first = send(client, SUBMIT, {"answers": {"1": "a"}}, key).expect(201)
    again = send(client, SUBMIT.rstrip("/"), {"answers": {"1": "a"}}, f'"{key}"')
    assert again.expect(201) == first
    assert again.headers["idempotency-replayed"] == "true"


def test_another_body_under_the_same_key_is_refused(client, key):
    send(client, RECOMMEND, TEXT, key).expect(200)
    send(client, RECOMMEND, {**TEXT, "top_n": 3}, key).expect_problem(422, "idempotency_key_reused")


def test_a_key_counts_for_one_path(client, key):
    session = send(client, RECOMMEND, TEXT, key).expect(200)["session_id"]
    assert send(client, SUBMIT, {"answers": {"1": "a"}}, key).expect(201)["session_id"] != session


def test_without_a_key_each_request_is_a_new_one(client):
    sessions = {client.post(RECOMMEND, TEXT).expect(200)["session_id"] for _ in range(3)}
    assert len(sessions) == 3


@pytest.mark.parametrize("bad", ["", " ", "two words", "x" * 256, '"open', '"a"b"', '""', "é", '"a", "b"'])
def test_what_is_no_key_is_refused(client, bad):
    send(client, RECOMMEND, TEXT, bad.encode("utf-8")).expect_problem(400, "idempotency_key_invalid")
    client.post(RECOMMEND, TEXT).expect(200)


@pytest.mark.parametrize("good", ["x", "x" * 255, "!~", '"' + "y" * 255 + '"', '"with \\" quote"'.replace(" ", "_")])
def test_what_is_a_key_is_taken(client, good):
    document = {"text": f"I like {uuid.uuid4()}"}
    reply = send(client, RECOMMEND, document, good + ("" if good.endswith('"') or len(good) > 200 else uuid.uuid4().hex))
    assert reply.status == 200 or reply.expect_problem(422, "idempotency_key_reused")


def test_routes_that_do_not_write_ignore_the_field(client):
    for document in ({"requests": [{"text": "a"}]}, {"requests": [{"text": "b"}]}):
        assert send(client, "/api/recommend/batch/", document, "no key at all").status == 200
    assert client.get("/api/careers/", **{"Idempotency-Key": "no key at all"}).status == 200


def test_a_refusal_is_repeated_too(client, key):
    document = {"session_id": "0" * 32, "career_id": "chef"}
    first = send(client, SAVE, document, key)
    first.expect_problem(404, "session_not_found")
    again = send(client, SAVE, document, key)
    assert again.body == first.body and again.headers["idempotency-replayed"] == "true"
    assert again.media_type == "application/problem+json"


def test_a_view_sent_twice_is_one_view(client, key):
    session = client.post(RECOMMEND, TEXT).expect(200)["session_id"]
    for _ in range(3):
        send(client, VIEW, {"session_id": session, "career_id": "chef"}, key).expect(201)
    client.post(VIEW, {"session_id": session, "career_id": "chef"}).expect(201)
    assert len(client.get(f"/api/results/{session}/").expect(200)["events"]) == 2


def test_requests_at_the_same_time_have_one_effect(service, key):
    replies = []

    def ask():
        with service.client() as client:
            replies.append(send(client, RECOMMEND, TEXT, key))

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(replies) == 12
    for reply in replies:
        if reply.status != 200:
            reply.expect_problem(409, "idempotency_in_progress")
            assert int(reply.headers["retry-after"]) >= 1
    assert len({reply.json["session_id"] for reply in replies if reply.status == 200}) == 1


def test_outcomes_are_counted(client, key):
    def count(outcome):
        name = f'http_idempotent_requests_total{{outcome="{outcome}"}} '
        lines = client.get("/metrics").body.decode().splitlines()
        return next(float(line.removeprefix(name)) for line in lines if line.startswith(name))

    before = {outcome: count(outcome) for outcome in ("started", "replayed", "reused")}
    send(client, SUBMIT, {"answers": {"1": "a"}}, key)
    send(client, SUBMIT, {"answers": {"1": "a"}}, key)
    send(client, SUBMIT, {"answers": {"1": "b"}}, key)
    assert all(count(outcome) == number + 1 for outcome, number in before.items())


def rows(service, sql):
    connection = sqlite3.connect(service.data / "pathlight.db")
    try:
        with connection:
            return connection.execute(sql).fetchall()
    finally:
        connection.close()


@needs_model
def test_replies_outlast_the_process(start_service, key, tmp_path):
    service = start_service(tmp_path / "data")
    with service.client() as client:
        first = send(client, RECOMMEND, TEXT, key)
        first.expect(200)
    service.kill()
    service.start()
    with service.client() as client:
        again = send(client, RECOMMEND, TEXT, key)
        assert again.body == first.body and again.headers["idempotency-replayed"] == "true"


@needs_model
def test_a_crash_between_the_effect_and_the_reply_leaves_one_effect(start_service, tmp_path):
    """The state that such a crash leaves is made by taking the stored replies away."""
    service = start_service(tmp_path / "data")
    with service.client() as client:
        session = send(client, RECOMMEND, TEXT, "recommend").expect(200)["session_id"]
        quiz = send(client, SUBMIT, {"answers": {"1": "a"}}, "submit").expect(201)["session_id"]
        event = {"session_id": session, "career_id": "chef"}
        for path in (SAVE, VIEW):
            send(client, path, event, "event").expect(201)
    service.kill()
    rows(service, "UPDATE idempotent_requests SET status = NULL, content_type = NULL, body = NULL")
    service.start()
    with service.client() as client:
        again = send(client, RECOMMEND, TEXT, "recommend")
        assert again.expect(200)["session_id"] == session and "idempotency-replayed" not in again.headers
        assert send(client, SUBMIT, {"answers": {"1": "a"}}, "submit").expect(201)["session_id"] == quiz
        for path in (SAVE, VIEW):
            assert send(client, path, event, "event").status in (200, 201)
        stored = client.get(f"/api/results/{session}/").expect(200)
        assert [entry["kind"] for entry in stored["events"]] == ["saved", "viewed"]
        assert send(client, RECOMMEND, TEXT, "recommend").headers["idempotency-replayed"] == "true"
    assert rows(service, "SELECT COUNT(*) FROM sessions") == [(2,)]


@needs_model
def test_sending_until_it_is_confirmed_has_one_effect_under_kills(start_service, generator, tmp_path):
    service = start_service(tmp_path / "data")
    with service.client() as client:
        session = client.post(RECOMMEND, TEXT).expect(200)["session_id"]
    confirmed = 0
    for _ in range(4):
        timer = threading.Timer(generator.uniform(0.01, 0.4), service.kill)
        timer.start()
        pending = None
        try:
            with service.client() as client:
                while True:
                    pending = f"view-{confirmed}"
                    send(client, VIEW, {"session_id": session, "career_id": "chef"}, pending).expect(201)
                    confirmed += 1
        except (OSError, AssertionError, ValueError):
            pass
        except Exception as error:  # http.client has errors of its own for a connection that goes away.
            assert type(error).__module__ == "http.client", error
        timer.join()
        service.start()
        with service.client() as client:
            send(client, VIEW, {"session_id": session, "career_id": "chef"}, pending).expect(201)
            confirmed += 1
            views = client.get(f"/api/results/{session}/").expect(200)["events"]
        assert len(views) == confirmed


@needs_model
def test_keys_are_forgotten_after_a_day(start_service, key, tmp_path):
    service = start_service(tmp_path / "data")
    with service.client() as client:
        old = send(client, SUBMIT, {"answers": {"1": "a"}}, key).expect(201)["session_id"]
    service.terminate()
    rows(service, "UPDATE idempotent_requests SET created_at = '2020-01-01T00:00:00.000Z'")
    service.start()
    with service.client() as client:
        new = send(client, SUBMIT, {"answers": {"1": "b"}}, key).expect(201)["session_id"]
    assert new != old
    assert rows(service, "SELECT COUNT(*) FROM idempotent_requests") == [(1,)]
