"""The program against language model servers that misbehave: every request is answered in its time, and says so when the
answer is not the model's."""

import contextlib
import json
import re
import sqlite3
import time

import pytest
from fake_llm import (Answer, CutOff, Empty, FakeGemini, FakeOpenAI, Huge, Raw, Redirect, Slow, Status,
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

    def metric(self, name):
        """The sum of a metric's series whose names begin so."""
        found = re.findall(rf"^{name}[^ ]* (\S+)$", self.metrics(), re.MULTILINE)
        return sum(map(float, found))


    def troubles(self):
        """Why the language model is less than it could be, as `/readyz` tells everybody."""
        with self.service.client() as client:
            ready = client.get("/readyz").expect(200)
        assert ready["status"] == ("degraded" if ready["degraded"] else "ready")
        return [each["reason"] for each in ready["degraded"] if each["part"] == "language_model"]

    def wait_for_troubles(self, *expected):
        """The budget is read every few seconds."""
        deadline = time.monotonic() + 20
        while (told := self.troubles()) != list(expected):
            assert time.monotonic() < deadline, told
            time.sleep(0.1)
        for reason in ("over_budget", "breaker_open"):
            assert self.metric(f'pathlight_degraded{{reason="{reason}"}}') == (reason in expected)


def expect_degraded(reply, reason, detail=""):
    assert reply["reply"] is None and reply["degraded"]["reason"] == reason, reply
    assert reply["degraded"]["detail"] and detail in reply["degraded"]["detail"], reply


@contextlib.contextmanager
def locked(data):
    """Keeps everybody from writing to a service's database."""
    database = sqlite3.connect(data / "pathlight.db", isolation_level=None, timeout=30)
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        database.execute("ROLLBACK")
        database.close()


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
    # Thoughts would take the tokens that are for the answer.
    assert configuration["thinkingConfig"] == {"thinkingBudget": 0} and configuration["maxOutputTokens"] == 1000
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
        assert server.sent < 4 << 20


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_certificate_that_nobody_signed_degrades(provider, start, tmp_path):
    with provider([Answer("ok")], certificate=self_signed_certificate(tmp_path)) as server:
        expect_degraded(start(server)(), "unreachable", "(tls)")
        assert not server.requests


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_certificate_that_is_trusted_is_taken(provider, start, tmp_path):
    certificate = self_signed_certificate(tmp_path)
    with provider([Answer("ok")], certificate=certificate) as server:
        assert start(server, PATHLIGHT_OUTBOUND_CA_FILE=certificate[0])()["reply"] == "ok"


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(status, provider, start):
    # The server that an operator named may be on this machine; no other becomes so by its word.
    with provider([Answer("stolen")], host="127.0.0.2") as private, provider([Redirect(private.url, status)]) as server:
        expect_degraded(start(server)(), "unreachable", "(too_many_redirects)")
        assert not private.requests, "the key went elsewhere"
        assert len(server.requests) == 1


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_redirect_to_a_private_address_is_not_followed(provider, start):
    targets = ["http://10.255.255.1/", "http://169.254.169.254/latest/meta-data/", "http://[::1]:1/", "http://localhost:1/"]
    with provider([Redirect(url) for url in targets]) as server:
        tries = start(server)
        for _ in targets:
            # At once: nobody tried to connect.
            expect_degraded(tries(seconds=2), "unreachable", "(too_many_redirects)")
        assert len(server.requests) == len(targets)


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
        for _ in range(2):
            expect_degraded(tries(), "over_budget")
        assert not server.requests
        assert tries.metric('pathlight_llm_budget_alerts_total{percent="100"}') == 1
        reply = tries.ask("PUT", "/api/admin/budgets/", {"use_settings": True}).expect(200)
        assert reply["limit_source"] == "settings"
        assert tries()["reply"] == "ok"


def test_over_budget_is_a_state_that_outlives_a_restart_and_ends_with_a_higher_limit(start):
    with FakeOpenAI([Answer("ok")]) as server:
        tries = start(server)
        tries.wait_for_troubles()
        tries.ask("PUT", "/api/admin/budgets/", {"daily_limit_usd": 0.000001}).expect(200)
        expect_degraded(tries(), "over_budget")
        tries.wait_for_troubles("over_budget")
        assert tries.metric("pathlight_llm_budget_limit_dollars") == pytest.approx(0.000001)
        assert tries.service.terminate() == 0
        tries.service.start()
        tries.wait_for_troubles("over_budget")
        tries.ask("PUT", "/api/admin/budgets/", {"daily_limit_usd": 1.5}).expect(200)
        tries.wait_for_troubles()
        assert tries()["reply"] == "ok"
        spent = tries.budgets()["spent_usd"]
        deadline = time.monotonic() + 20
        while tries.metric("pathlight_llm_budget_spent_dollars") != pytest.approx(spent):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert spent > 0 and tries.metric("pathlight_llm_budget_limit_dollars") == 1.5
        assert tries.metric("pathlight_llm_budget_reserved_dollars") == 0
        # A limit below what is spent needs no call to be refused.
        tries.ask("PUT", "/api/admin/budgets/", {"daily_limit_usd": spent / 2}).expect(200)
        tries.wait_for_troubles("over_budget")


def test_an_open_breaker_is_told_until_a_call_succeeds(start):
    with FakeOpenAI([Status(401)]) as server:
        tries = start(server, PATHLIGHT_LLM_BREAKER_FAILURES="2", PATHLIGHT_LLM_BREAKER_SECONDS="1")
        expect_degraded(tries(), "rejected")
        tries.wait_for_troubles()
        expect_degraded(tries(), "rejected")
        tries.wait_for_troubles("breaker_open")
        # Once it may be asked again nobody knows that it is well.
        time.sleep(1.2)
        tries.wait_for_troubles("breaker_open")
        server.now(Answer("ok"))
        assert tries()["reply"] == "ok"
        tries.wait_for_troubles()


def test_no_language_model_is_no_trouble(start_service):
    tries = Administrator(start_service())
    expect_degraded(tries(), "not_configured")
    tries.wait_for_troubles()


def test_alerts_have_counters_to_ask_before_anything_has_happened(start):
    with FakeOpenAI([Answer("ok")]) as server:
        shown = start(server).metrics().splitlines()
    for series in ('pathlight_llm_budget_alerts_total{percent="80"}', 'pathlight_llm_budget_alerts_total{percent="100"}',
                   "pathlight_llm_unaccounted_calls_total", 'pathlight_task_abandoned_total{kind="account_mail"}',
                   'pathlight_tasks{kind="account_mail",state="dead"}', 'pathlight_degraded{reason="over_budget"}'):
        assert f"{series} 0" in shown, series


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
        listed = {prompt["id"]: prompt for prompt in tries.ask("GET", "/api/admin/prompts/").expect(200)["items"]}
        assert listed["provider-check"] == built_in
        assert set(listed) == {"provider-check", "monitor-student", "monitor-course"}
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


@pytest.mark.parametrize("provider", PROVIDERS)
def test_keys_appear_nowhere(provider, start):
    with provider([Answer("")]) as server:
        variable, key = next((name, value) for name, value in server.settings().items() if name.endswith("_API_KEY"))
        words = f"Incorrect API key provided: {key}"
        script = [
            Status(401, "invalid_api_key", words), Status(403, key, words), Status(400, key, words),
            Status(500, "error", words), Status(429, key, words, Retry_After=key), Status(200, key, words),
            Raw(f'{{"error": "{key}'.encode()), Raw(json.dumps({"choices": key, "candidates": key}).encode()),
            Redirect(f"http://127.0.0.1:1/?key={key}"), Redirect(f"https://{key}@127.0.0.1/"), CutOff(), Slow(60)]
        server.now(*script)
        tries = start(server, PATHLIGHT_LOG_LEVEL="trace", PATHLIGHT_LLM_ATTEMPTS="1", PATHLIGHT_LLM_BREAKER_FAILURES="1000")
        replies = [tries(seconds=2) for _ in script]
        assert all(reply["degraded"] for reply in replies) and len(server.requests) == len(script)
        assert all(key in str(request["headers"]) for request in server.requests), f"{variable} was not sent"
        seen = tries.metrics() + str(tries.budgets()) + str(replies)
        tries.service.stop()
        assert key not in seen + tries.service.log.read_text("utf-8", "replace")


# What replies say was used

@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("tokens", [(2 ** 63 - 1,) * 3, (2 ** 64, 2 ** 70, 10 ** 300), (-1, -2 ** 63, -5)])
def test_counts_that_no_model_has_do_no_harm(tokens, provider, start):
    with provider([Answer("ok", tokens=tokens)]) as server:
        tries = start(server, PATHLIGHT_LLM_DAILY_BUDGET_USD="1000000")
        replies = [tries() for _ in range(2)]
        assert [reply["reply"] for reply in replies] == ["ok", "ok"]
        budgets = tries.budgets()
        assert budgets["sums"]["calls"] == 2 and budgets["reserved_usd"] == 0
        assert 0 <= budgets["spent_usd"] == pytest.approx(sum(reply["cost_usd"] for reply in replies))
        assert tries.metric("pathlight_llm_unaccounted_calls_total") == 0


# A dollar for each answer of 1,000 tokens.
DEAR = {"PATHLIGHT_LLM_PRICES": "gpt-4o-mini=0/1000,gemini-2.5-flash=0/1000"}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_exchanges_that_come_to_nothing_end_before_the_limit_and_are_counted(provider, start):
    with provider([Empty(tokens=(10, 1000))]) as server:
        tries = start(server, **DEAR, PATHLIGHT_LLM_DAILY_BUDGET_USD="2.5")
        expect_degraded(tries(), "bad_reply")
        assert len(server.requests) == 2
        budgets = tries.budgets()
        assert budgets["spent_usd"] == pytest.approx(2) and budgets["reserved_usd"] == 0
        assert tries.metric("pathlight_llm_cost_dollars_total") == pytest.approx(2)
        assert tries.metric("pathlight_llm_tokens_total") == 2 * 1010


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("behaviour", [Slow(60), CutOff()])
def test_an_answer_that_never_came_counts_as_the_longest(behaviour, provider, start):
    with provider([behaviour]) as server:
        tries = start(server, **DEAR, PATHLIGHT_LLM_ATTEMPTS="1")
        expect_degraded(tries(seconds=1), "timed_out" if isinstance(behaviour, Slow) else "unreachable")
        deadline = time.monotonic() + 10
        while tries.budgets()["reserved_usd"] and time.monotonic() < deadline:
            time.sleep(0.05)  # At its deadline a call is answered; what it cost is written beside it.
        assert tries.budgets()["spent_usd"] == pytest.approx(1)


def test_an_answer_that_is_there_costs_nothing_and_needs_nobody(start):
    with FakeOpenAI([Answer("ok")]) as server:
        tries = start(server)
        assert tries(use_cache=True)["reply"] == "ok"
        tries.ask("PUT", "/api/admin/budgets/", {"daily_limit_usd": 0}).expect(200)
        again = tries(use_cache=True)
        assert again["reply"] == "ok" and again["cached"] is True
        expect_degraded(tries(), "over_budget")
        assert len(server.requests) == 1


# Deadlines, and whose fault it is

def test_a_locked_database_holds_no_call_beyond_its_deadline_and_blames_nobody(start):
    with FakeOpenAI([Answer("ok")]) as server:
        tries = start(server)
        assert tries()["reply"] == "ok"
        with locked(tries.service.data):
            for _ in range(6):
                # Within its time and SLACK: who waits for the database waits for 5 s.
                expect_degraded(tries(seconds=0.5), "timed_out")
        assert len(server.requests) == 1
        assert tries()["reply"] == "ok"
        deadline = time.monotonic() + 10
        while tries.budgets()["reserved_usd"] and time.monotonic() < deadline:
            time.sleep(0.05)
        budgets = tries.budgets()
        assert budgets["reserved_usd"] == 0 and budgets["sums"]["calls"] == 2


def test_callers_in_a_hurry_do_not_take_the_provider_from_others(start):
    with FakeOpenAI([Slow(1)]) as server:
        tries = start(server)
        for _ in range(6):
            expect_degraded(tries(seconds=0.1), "timed_out")
        server.now(Answer("ok"))
        assert tries()["reply"] == "ok"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_retry_after_holds_for_every_call(provider, start):
    with provider([Status(429, "rate_limited", Retry_After="3"), Answer("ok")]) as server:
        tries = start(server)
        for _ in range(2):
            expect_degraded(tries(seconds=1), "rate_limited")
        assert len(server.requests) == 1
        begin = time.monotonic()
        assert tries()["reply"] == "ok"
        assert time.monotonic() - begin > 0.5 and len(server.requests) == 2


def test_a_schema_that_is_refused_says_nothing_of_others(start):
    refusal = Status(400, None, "Invalid schema for response_format 'answer': 'minimum' is not permitted.")
    with FakeOpenAI([refusal, Answer({"score": 5})]) as server:
        tries = start(server)
        for _ in range(2):
            assert tries(schema=SCHEMA)["reply"] == {"score": 5}
        forms = [request["body"]["response_format"]["type"] for request in server.requests]
        assert forms == ["json_schema", "json_object", "json_schema"]
