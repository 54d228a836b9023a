"""What happens while more texts come than can be embedded."""

import json
import random
import threading
import time

import pytest
from conftest import needs_model

EMBEDDINGS = "/v1/embeddings"
RECOMMEND = "/api/results/recommend/"
BATCH = "/api/recommend/batch/"
WORDS = "bridge garden music metal letter child engine paper river stone market bread light wood winter horse".split()
FLOOD_SECONDS = 60

pytestmark = needs_model


@pytest.fixture
def small(start_service):
    """A service whose queues take as few tokens as they may: about 107 texts of 150 words."""
    return start_service(
        PATHLIGHT_EMBEDDING_QUEUE_TOKENS="16384", PATHLIGHT_EMBEDDING_QUEUE_TEXTS="200", PATHLIGHT_CACHE_ENTRIES="2000",
        # Else the bound on requests that are answered at once would be met before the queue's.
        PATHLIGHT_LIMITS_CONCURRENT_REQUESTS="1000")


def texts(generator, count, words=150):
    return [" ".join(generator.choices(WORDS, k=words)) for _ in range(count)]


def metric(client, name):
    for line in client.get("/metrics").body.decode().splitlines():
        if line.startswith(name + " "):
            return float(line.rsplit(" ", 1)[1])
    raise AssertionError(f"{name} is not measured")


def test_a_list_for_one_model_does_not_hold_up_texts_for_the_other(start_service, generator):
    """/v1/embeddings computes in float32 and recommendations in 8 bits: each queue has threads of its own."""
    service = start_service()
    ended = {}

    def ask(name, path, body):
        with service.client(timeout=90) as client:
            client.post(path, body).expect(200)
        ended[name] = time.monotonic()

    # Loads the model, which is not to be measured.
    ask("first", EMBEDDINGS, {"input": texts(generator, 1)})
    asked = [
        threading.Thread(target=ask, args=("list", EMBEDDINGS, {"input": texts(generator, 500, words=60)})),
        # Long enough to wait in the queue like others, two of them since one alone is computed at once.
        threading.Thread(target=ask, args=("one", RECOMMEND, {"text": texts(generator, 1)[0]})),
        threading.Thread(target=ask, args=("two", RECOMMEND, {"text": texts(generator, 1)[0]}))]
    began = time.monotonic()
    asked[0].start()
    time.sleep(0.3)
    for thread in asked[1:]:
        thread.start()
    for thread in asked:
        thread.join()
    took = {name: end - began for name, end in ended.items()}
    assert took["one"] < 0.3 + took["list"] / 2 and took["two"] < 0.3 + took["list"] / 2, took


def test_a_flood_is_refused_with_a_time_to_come_back_and_leaves_no_trace(small, generator):
    """Single texts, lists of texts and batches of requests all meet the same limit.

    Lists wait in the queue of the float32 model, so they alone have to be more than it takes; so have the single texts.
    """
    requests = {
        "single": lambda own: (RECOMMEND, {"text": texts(own, 1)[0]}),
        "list": lambda own: (EMBEDDINGS, {"input": texts(own, 32)}),
        "batch": lambda own: (BATCH, {"requests": [{"text": text, "top_n": 1} for text in texts(own, 8)]}),
    }
    seen = {kind: {} for kind in requests}
    wrong = []
    end = time.monotonic() + FLOOD_SECONDS
    lock = threading.Lock()

    def is_over():
        with lock:
            answered = any(200 in statuses for statuses in seen.values())
            return bool(wrong) or answered and all(429 in statuses for statuses in seen.values())

    def flood(kind, own):
        with small.client(timeout=90) as client:
            while not is_over() and time.monotonic() < end:
                reply = client.post(*requests[kind](own))
                with lock:
                    seen[kind][reply.status] = seen[kind].get(reply.status, 0) + 1
                    if reply.status == 429:
                        problem = reply.expect_problem(429, "too_many_requests")
                        wait = reply.headers.get("retry-after", "")
                        if not wait.isdigit() or not 1 <= int(wait) <= 120:
                            wrong.append((kind, wait, problem))
                    elif reply.status != 200:
                        wrong.append((kind, reply.status, reply.body[:500]))

    threads = [threading.Thread(target=flood, args=(kind, random.Random(generator.getrandbits(32))))
               for kind, count in (("single", 120), ("list", 5), ("batch", 4)) for _ in range(count)]
    with small.client() as client:
        known = client.post(RECOMMEND, {"text": "I build bridges."}).expect(200)["recommendations"]
        for thread in threads:
            thread.start()
        # What needs no embedding is answered all the while.
        assert client.post(RECOMMEND, {"text": "I build bridges."}).expect(200)["recommendations"] == known
        client.post(RECOMMEND, {"abilities": [5] * 14 + [9]}).expect(200)
        for thread in threads:
            thread.join()
        assert not wrong, wrong
        for kind, statuses in seen.items():
            assert 429 in statuses, f"{kind}: {seen}"
        assert any(200 in statuses for statuses in seen.values()), seen
        assert metric(client, "pathlight_embedding_rejected_requests") >= 3
        assert metric(client, "pathlight_embedding_queue_texts") == 0
        assert metric(client, "pathlight_embedding_queue_tokens") == 0
        assert metric(client, "pathlight_embedding_wait_seconds_count") > 0
        for request in requests.values():
            client.post(*request(generator)).expect(200)


def test_what_never_fits_is_told_so(small, generator):
    with small.client() as client:
        for path, request in (
            (EMBEDDINGS, {"input": texts(generator, 201, words=12)}),
            (EMBEDDINGS, {"input": texts(generator, 120)}),
            (BATCH, {"requests": [{"text": text} for text in texts(generator, 201, words=12)]}),
        ):
            problem = client.post(path, request).expect_problem(422, "too_much_text")
            assert "in parts" in problem["detail"]
        client.post(EMBEDDINGS, {"input": texts(generator, 10)}).expect(200)


def test_texts_of_clients_that_have_gone_are_not_embedded(small, generator):
    with small.client() as client:
        dropped = 0
        end = time.monotonic() + FLOOD_SECONDS
        while dropped == 0 and time.monotonic() < end:
            replies = []

            def embed():
                with small.client(timeout=60) as other:
                    replies.append(other.post(EMBEDDINGS, {"input": texts(generator, 20)}).status)

            busy = threading.Thread(target=embed)
            busy.start()
            while metric(client, "pathlight_embedding_queue_texts") == 0 and busy.is_alive():
                pass
            body = json.dumps({"input": texts(generator, 2)}).encode()
            with small.socket() as connection:
                connection.sendall(
                    b"POST /v1/embeddings HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                    b"Content-Length: %d\r\n\r\n" % len(body) + body)
            busy.join()
            assert replies == [200]
            dropped = metric(client, "pathlight_embedding_dropped_texts")
        assert dropped > 0
        client.post(RECOMMEND, {"text": texts(generator, 1, words=12)[0]}).expect(200)
