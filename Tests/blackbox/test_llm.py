"""The program against language model servers that misbehave: every request is answered in its time, and says so when the
answer is not the model's."""

import json
import time

import pytest
from fake_llm import (Answer, CutOff, FakeGemini, FakeOpenAI, Huge, Raw, Redirect, Slow, Status,
                      self_signed_certificate)
from harness import run_command

PROVIDERS = [FakeOpenAI, FakeGemini]
SCHEMA = {"type": "object", "properties": {"score": {"type": "integer", "minimum": 0, "maximum": 100}},
          "required": ["score"], "additionalProperties": False}
VARIABLES = {"language": "English", "text": "I like trees."}
# Of the program's own work, on a machine that does other things as well.
SLACK = 3


@pytest.fixture
def start(start_service):
    """Starts the program with a fake provider; gives an administrator who tries prompts."""
    def started(server, **settings):
        return Administrator(start_service(**{**server.settings(), **settings}))

    return started


class Administrator:
    def __init__(self, service):
        self.service = service
        made = run_command("keys", "create", "--role", "admin", "--data", service.data)
        assert made.returncode == 0, made.stderr
        self.key = made.stdout.strip()

    def ask(self, method, path, document=None):
        headers = {"Authorization": f"Bearer {self.key}"}
        body = None
        if document is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(document).encode()
        with self.service.client(timeout=60) as client:
            return client.request(method, path, body, headers)

    def __call__(self, seconds=20, **body):
        """Tries the prompt and returns the reply, having made sure of its time."""
        begin = time.monotonic()
        reply = self.ask("POST", "/api/admin/prompts/provider-check/try/",
                         {"variables": VARIABLES, "deadline_seconds": seconds, **body}).expect(200)
        elapsed = time.monotonic() - begin
        assert elapsed < seconds + SLACK, f"{elapsed} s, of which {seconds} s were allowed: {reply}"
        return reply

    def budgets(self):
        return self.ask("GET", "/api/admin/budgets/").expect(200)

    def metrics(self):
        return self.ask("GET", "/metrics").body.decode()


def expect_degraded(reply, *reasons):
    assert reply["reply"] is None and reply["degraded"]["reason"] in reasons, reply
    assert reply["degraded"]["detail"]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_good_answer_is_passed_on_and_accounted_for(provider, start):
    with provider([Answer("Trees are liked.", tokens=(1000, 100))]) as server:
        tries = start(server)
        reply = tries()
        assert reply["reply"] == "Trees are liked." and reply["degraded"] is None
        assert (reply["input_tokens"], reply["output_tokens"]) == (1000, 100) and reply["cost_usd"] > 0
        budgets = tries.budgets()
        assert budgets["sums"]["calls"] == 1 and budgets["spent_usd"] == pytest.approx(reply["cost_usd"])
        assert budgets["reserved_usd"] == 0
        name = server.settings()["PATHLIGHT_LLM_PROVIDER"]
        assert f'pathlight_llm_calls_total{{outcome="ok",provider="{name}"}} 1' in tries.metrics()


def test_openai_is_asked_as_its_protocol_says(start):
    with FakeOpenAI([Answer({"score": 5})]) as server:
        assert start(server)(schema=SCHEMA)["reply"] == {"score": 5}
    request = server.requests[0]
    assert request["path"] == "/v1/chat/completions"
    assert request["headers"]["authorization"] == "Bearer sk-test-secret-0123456789"
    body = request["body"]
    assert body["response_format"]["type"] == "json_schema" and body["response_format"]["json_schema"]["strict"]
    assert body["response_format"]["json_schema"]["schema"]["required"] == ["score"]
    assert [message["role"] for message in body["messages"]] == ["system", "user"]
    assert "I like trees." in body["messages"][1]["content"] and "I like trees." not in body["messages"][0]["content"]


def test_gemini_is_asked_as_its_protocol_says(start):
    with FakeGemini([Answer({"score": 5})]) as server:
        assert start(server)(schema=SCHEMA)["reply"] == {"score": 5}
    request = server.requests[0]
    assert request["path"] == "/v1beta/models/gemini-2.5-flash:generateContent"
    assert request["headers"]["x-goog-api-key"] == "AIzaTestSecret0123456789"
    configuration = request["body"]["generationConfig"]
    assert configuration["responseMimeType"] == "application/json"
    assert configuration["responseSchema"]["properties"]["score"]["type"] == "INTEGER"
    assert "I like trees." in request["body"]["contents"][0]["parts"][0]["text"]
    assert "I like trees." not in request["body"]["systemInstruction"]["parts"][0]["text"]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("drips", [False, True])
def test_a_slow_server_is_given_up_at_the_deadline(provider, drips, start):
    with provider([Slow(60, drips=drips)]) as server:
        expect_degraded(start(server)(seconds=2), "timed_out")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_answer_that_breaks_off_is_tried_again(provider, start):
    with provider([CutOff(), Answer("ok")]) as server:
        assert start(server)()["reply"] == "ok"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_answers_that_always_break_off_degrade(provider, start):
    with provider([CutOff()]) as server:
        expect_degraded(start(server)(), "unreachable")
        assert 1 < len(server.requests) <= 4


@pytest.mark.parametrize("provider", PROVIDERS)
def test_retry_after_is_honoured(provider, start):
    with provider([Status(429, "rate_limited", Retry_After="2"), Answer("ok")]) as server:
        tries = start(server)
        begin = time.monotonic()
        assert tries()["reply"] == "ok"
        assert time.monotonic() - begin >= 2
        assert len(server.requests) == 2


@pytest.mark.parametrize("provider", PROVIDERS)
def test_retry_after_beyond_the_deadline_degrades_at_once(provider, start):
    with provider([Status(429, "rate_limited", Retry_After="3600")]) as server:
        tries = start(server)
        begin = time.monotonic()
        expect_degraded(tries(), "rate_limited")
        assert time.monotonic() - begin < SLACK
        assert len(server.requests) == 1


@pytest.mark.parametrize("provider", PROVIDERS)
def test_too_many_requests_without_retry_after_is_tried_again(provider, start):
    with provider([Status(429), Status(503), Answer("ok")]) as server:
        assert start(server)()["reply"] == "ok"


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("body", [b"", b"{", b"<html>", b"null", b"[]", b'{"a":1}', b"\xff\xfe{}", b"[" * 100_000])
def test_malformed_json_degrades(provider, body, start):
    with provider([Raw(body)]) as server:
        expect_degraded(start(server)(), "bad_reply")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_wrong_schema_is_repaired_once(provider, start):
    with provider([Answer({"score": "high"}), Answer({"score": 90})]) as server:
        reply = start(server)(schema=SCHEMA)
        assert reply["reply"] == {"score": 90} and reply["repaired"] is True
        assert "$.score: must be a whole number, not a string" in str(server.requests[1]["body"])


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_wrong_schema_twice_degrades(provider, start):
    with provider([Answer({"score": 101})]) as server:
        expect_degraded(start(server)(schema=SCHEMA), "bad_reply")
        assert len(server.requests) == 2


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_huge_answer_is_cut(provider, start):
    with provider([Huge()]) as server:
        expect_degraded(start(server)(), "too_large")
        # What lies in the buffers of both ends comes on top.
        assert server.sent < 64 << 20


def test_a_certificate_that_nobody_signed_degrades(start, tmp_path):
    with FakeOpenAI([Answer("ok")], certificate=self_signed_certificate(tmp_path)) as server:
        expect_degraded(start(server)(), "unreachable")
        assert not server.requests


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(status, start):
    with FakeOpenAI([Answer("stolen")]) as private, FakeOpenAI([Redirect(private.url, status)]) as server:
        expect_degraded(start(server)(), "rejected", "unreachable")
        assert not private.requests, "the key went elsewhere"


def test_nobody_there_degrades(start):
    with FakeOpenAI([Answer("ok")]) as server:
        settings = server
    expect_degraded(start(settings)(), "unreachable")


def test_blocked_answers_degrade(start):
    with FakeGemini([Answer("", finish="SAFETY")]) as server:
        expect_degraded(start(server)(), "blocked")


def test_after_failures_in_a_row_the_answer_comes_at_once(start):
    with FakeOpenAI([Status(400 + 1)]) as server:
        tries = start(server)
        for _ in range(5):
            expect_degraded(tries(), "rejected")
        expect_degraded(tries(), "breaker_open")
        assert len(server.requests) == 5


def test_over_budget_degrades_until_the_limit_is_raised(start):
    with FakeOpenAI([Answer("ok")]) as server:
        tries = start(server)
        tries.ask("PUT", "/api/admin/budgets/", {"daily_limit_usd": 0.000001}).expect(200)
        expect_degraded(tries(), "over_budget")
        assert not server.requests
        reply = tries.ask("PUT", "/api/admin/budgets/", {"use_settings": True}).expect(200)
        assert reply["limit_source"] == "settings"
        assert tries()["reply"] == "ok"


def test_a_limit_is_named_when_it_is_wrong(start):
    with FakeOpenAI([Answer("ok")]) as server:
        tries = start(server)
        for wrong in ({}, {"daily_limit_usd": -1}, {"daily_limit_usd": "x"}, {"daily_limit_usd": 1, "use_settings": True}):
            tries.ask("PUT", "/api/admin/budgets/", wrong).expect_named("daily_limit_usd")
        tries.ask("GET", "/api/admin/budgets/?day=yesterday").expect_named("day")


def test_a_prompt_is_replaced_tried_and_reset(start):
    with FakeOpenAI([Answer("ok")]) as server:
        tries = start(server)
        path = "/api/admin/prompts/provider-check/"
        built_in = tries.ask("GET", path).expect(200)
        assert built_in["source"] == "built_in"
        assert tries.ask("GET", "/api/admin/prompts/").expect(200)["items"] == [built_in]
        tries.ask("PUT", path, {"text": "Say {{nothing}}."}).expect_named("text")
        stored = tries.ask("PUT", path, {"text": "Translate {{text}} to {{language}}."}).expect(200)
        assert stored["source"] == "stored" and stored["version"] != built_in["version"]
        assert tries()["version"] == stored["version"]
        assert "Translate" in server.requests[0]["body"]["messages"][0]["content"]
        assert tries.ask("DELETE", path).expect(200)["version"] == built_in["version"]
        tries.ask("GET", "/api/admin/prompts/unknown/").expect_problem(404, "prompt_not_found")
        tries.ask("POST", path + "try/", {"variables": {"language": "English"}}).expect_named("variables")


def test_only_administrators_get_in(start):
    with FakeOpenAI([Answer("ok")]) as server:
        tries = start(server)
        with tries.service.client() as client:
            for path in ("/api/admin/budgets/", "/api/admin/prompts/", "/api/admin/prompts/provider-check/"):
                client.get(path).expect_problem(401)
            client.post("/api/admin/prompts/provider-check/try/", {"variables": VARIABLES}).expect_problem(401)
        assert not server.requests


def test_keys_appear_nowhere(start):
    with FakeOpenAI([Status(401, "invalid_api_key", "Incorrect API key provided: sk-test-secret-0123456789")]) as server:
        tries = start(server, PATHLIGHT_LOG_LEVEL="debug")
        expect_degraded(tries(), "rejected")
        seen = tries.metrics() + str(tries.budgets()) + str(tries())
        tries.service.stop()
        assert "sk-test-secret" not in seen + tries.service.log.read_text("utf-8", "replace")
