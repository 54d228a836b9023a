"""Careers and people's texts embedded by a model outside: what it gives ranks, and where it misbehaves every request is
answered in its time, without what could not be read, and says so."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import threading
import time

import pytest
from conftest import needs_model
from fake_llm import (Choosy, CutOff, FakeGemini, FakeOpenAI, Huge, Raw, Redirect, Slow, Status, Vectors,
                      self_signed_certificate)
from harness import BINARY, EMPTY_FOLDER, Service, clean_environment, run_command
from sheets import sheet

RECOMMEND = "/api/results/recommend/"
MODELS = {FakeOpenAI: "openai:text-embedding-3-small", FakeGemini: "gemini:gemini-embedding-001"}
PROVIDERS = list(MODELS)
DEADLINE = 1
# Of the program's own work, on a machine that does other things as well.
SLACK = 3
WHOLE_SECONDS = 60


def settings(server, **more):
    """A service that uses a fake provider's vectors and has no model of its own."""
    return {**server.settings(), "PATHLIGHT_MODEL": MODELS[type(server)], "PATHLIGHT_MODELS": EMPTY_FOLDER.name,
            "PATHLIGHT_EMBEDDING_REMOTE_SECONDS": str(DEADLINE), "PATHLIGHT_LLM_BREAKER_SECONDS": "1", **more}


def reembed(server, data, *options, model=None, **more):
    named = settings(server, **more)
    del named["PATHLIGHT_MODEL"]
    return run_command("reembed", "--kind", "careers", "--model", model or MODELS[type(server)], "--json", "--data",
                       data, *options, **named)


def report(result):
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def embedded(tmp_path_factory):
    """Data folders whose careers each provider has embedded; to be copied."""
    folders = {}
    for provider in PROVIDERS:
        folders[provider] = tmp_path_factory.mktemp("embedded") / "data"
        with provider([Vectors()]) as server:
            done = report(reembed(server, folders[provider]))
            assert done["switched"] and done["embedded"] == done["careers"] > 100, done
    return folders


@pytest.fixture
def start(start_service, embedded, tmp_path):
    """Starts a service over careers that a fake provider has embedded."""
    def started(server, **more):
        data = tmp_path / "data"
        if not data.exists():
            shutil.copytree(embedded[type(server)], data)
        return start_service(data=data, **settings(server, **more))

    return started


class Asker:
    """Asks for recommendations, each time within the time there is."""

    def __init__(self, service):
        self.service = service
        self.number = 0

    def new_text(self):
        self.number += 1
        return f"I like to keep bees and to count things, number {self.number} of {time.monotonic_ns()}."

    def __call__(self, **body):
        begin = time.monotonic()
        with self.service.client() as client:
            reply = client.post(RECOMMEND, body or {"text": self.new_text()}).expect(200)
        elapsed = time.monotonic() - begin
        assert elapsed < DEADLINE + SLACK, f"{elapsed} s: {reply}"
        return reply

    def readiness(self):
        with self.service.client() as client:
            return client.get("/readyz").expect(200)

    def wait(self, is_so, what):
        end = time.monotonic() + WHOLE_SECONDS
        while not is_so():
            assert time.monotonic() < end, f"{what}: {self.readiness()}\n{self.service.log_tail()}"
            time.sleep(0.2)

    def wait_until_whole(self):
        self.wait(lambda: self()["degraded"] is None, "texts are still not read")
        assert self.readiness()["status"] == "ready"


def expect_degraded(reply, *reasons):
    assert reply["degraded"] and reply["degraded"]["reason"] in reasons, reply["degraded"]
    assert reply["degraded"]["detail"]


# MARK: Whole


@pytest.mark.parametrize("provider", PROVIDERS)
def test_careers_are_ranked_by_the_provider_s_vectors(provider, start):
    with provider([Vectors()]) as server:
        service = start(server)
        asks = Asker(service)
        ready = asks.readiness()
        assert (ready["status"], ready["model"]) == ("ready", MODELS[provider])
        assert ready["space"].startswith(MODELS[provider] + "@")
        with service.client() as client:
            careers = client.get("/api/careers/?limit=30").expect(200)["items"]
            for each in careers[::10]:
                career = client.get(f"/api/careers/{each['id']}/").expect(200)
                reply = asks(text=f"{career['name']}. {career['description']}")
                assert reply["degraded"] is None and reply["alpha"] == 1
                best = reply["recommendations"][0]
                assert best["career_id"] == each["id"]
                assert [view["weight"] for view in best["explanation"]["views"]] == [1.0]


def test_a_text_that_was_read_before_costs_nothing(start):
    with FakeOpenAI([Vectors()]) as server:
        asks = Asker(start(server))
        first = asks(text="I like bees.")
        asked = len(server.requests)
        again = asks(text="I like bees.")
        assert len(server.requests) == asked
        assert again["recommendations"] == first["recommendations"]
        with asks.service.client() as client:
            metrics = client.get("/metrics").body.decode()
        assert 'pathlight_llm_calls_total{outcome="ok",provider="openai"}' in metrics
        assert "pathlight_embedding_cache_hits 1" in metrics
        assert 'pathlight_degraded{reason="model_outside"} 0' in metrics


def test_gemini_is_told_what_texts_are_for(start, tmp_path):
    with FakeGemini([Vectors()]) as server:
        report(reembed(server, tmp_path / "other"))
        careers = [each for request in server.requests for each in request["body"]["requests"]]
        assert {each["outputDimensionality"] for each in careers} == {768}
        assert {each["taskType"] for each in careers} == {"RETRIEVAL_QUERY", "RETRIEVAL_DOCUMENT"}
        assert all(len(request["body"]["requests"]) <= 100 for request in server.requests)
        assert server.requests[0]["path"] == "/v1beta/models/gemini-embedding-001:batchEmbedContents"
        server.requests.clear()
        Asker(start(server))(text="I like bees.")
        asked = [each for request in server.requests for each in request["body"]["requests"]]
        assert {each["taskType"] for each in asked} == {"RETRIEVAL_QUERY"}
        assert "I like bees." in [each["content"]["parts"][0]["text"] for each in asked]


def test_a_server_that_wants_no_dimensions_is_told_none(tmp_path):
    class Fixed(Vectors):
        def handle(self, handler, server):
            if "dimensions" in handler.document:
                return Status(400, "error", "This model does not support `dimensions`.").handle(handler, server)
            return super().handle(handler, server)

    with FakeOpenAI([Fixed()]) as server:
        assert report(reembed(server, tmp_path / "data", model="openai:bge-base-en-v1.5"))["switched"]


# MARK: Whose words go where


def test_nobody_s_words_are_sent_where_the_settings_do_not_say_so(start):
    with FakeOpenAI([Vectors()]) as server:
        service = start(server, PATHLIGHT_MODEL="all-MiniLM-L6-v2")
        asks = Asker(service)
        ready = asks.readiness()
        assert ready["status"] == "degraded"
        [trouble] = ready["degraded"]
        assert (trouble["part"], trouble["reason"]) == ("recommendations", "model_not_named")
        reply = asks(text="I like bees.", abilities=[5] * 14 + [9])
        expect_degraded(reply, "model_not_named")
        assert reply["alpha"] == 0 and len(reply["recommendations"]) == 5
        assert not server.requests


def test_the_model_of_others_is_not_for_everybody_s_texts(start):
    with FakeOpenAI([Vectors()]) as server:
        with start(server).client() as client:
            problem = client.post("/v1/embeddings", {"input": "a nurse"}).expect_problem(503, "model_unavailable")
        assert MODELS[FakeOpenAI] in problem["detail"]


def test_neither_keys_nor_texts_are_in_the_log(start):
    with FakeOpenAI([Vectors()]) as server:
        service = start(server, PATHLIGHT_LOG_LEVEL="trace")
        asks = Asker(service)
        asks(text="I like sousaphones.")
        server.now(Status(401, "invalid_api_key", "Incorrect API key provided: sk-test-secret-0123456789"))
        seen = str(asks(text="I like contrabassoons.")) + str(asks.readiness())
        with service.client() as client:
            seen += client.get("/metrics").body.decode()
        service.stop()
        seen += service.log.read_text("utf-8", "replace")
        for secret in ("sk-test-secret", "sousaphones", "contrabassoons"):
            assert secret not in seen


def test_who_waits_for_the_provider_keeps_nobody_out(start):
    with FakeOpenAI([Vectors()]) as server:
        service = start(server, PATHLIGHT_LIMITS_CONCURRENT_REQUESTS="2")
        asks = Asker(service)
        asks.wait_until_whole()
        server.now(Vectors(after=DEADLINE * 0.8))
        statuses, seen = [], []

        def run(path, body):
            with service.client() as client:
                statuses.append(client.post(path, body).status)

        bodies = [(RECOMMEND, {"text": asks.new_text()}) for _ in range(3)]
        bodies += [("/api/recommend/batch/", {"requests": [{"text": asks.new_text()}]}) for _ in range(2)]
        asking = [threading.Thread(target=run, args=body) for body in bodies]
        with service.client() as client:
            for thread in asking:
                thread.start()
                time.sleep(0.05)
                seen.append(client.get("/api/careers/?limit=1").status)
            waiting = sum(thread.is_alive() for thread in asking)
        for thread in asking:
            thread.join()
        assert set(seen) == {200} and statuses == [200] * 5, (seen, statuses)
        assert waiting == 5, "the provider was too fast to show anything"


# MARK: What a provider does wrong

WRONG = {
    "slow": (Slow(60), ["timed_out"]),
    "dripping": (Slow(60, drips=True), ["timed_out"]),
    "cut off": (CutOff(), ["unreachable", "timed_out"]),
    "429 with Retry-After": (Status(429, "rate_limited", Retry_After="3"), ["rate_limited"]),
    "429": (Status(429, "rate_limited"), ["rate_limited", "timed_out"]),
    "500": (Status(500), ["rejected", "timed_out"]),
    "a wrong key": (Status(401, "invalid_api_key"), ["rejected"]),
    "malformed JSON": (Raw(b'{"data": ['), ["bad_reply", "timed_out"]),
    "another document": (Raw(b"null"), ["bad_reply", "timed_out"]),
    "too few vectors": (Vectors(change=lambda vectors: vectors[:-1]), ["bad_reply"]),
    "too many vectors": (Vectors(change=lambda vectors: vectors + vectors[:1]), ["bad_reply"]),
    "vectors too short": (Vectors(change=lambda vectors: [vector[:384] for vector in vectors]), ["bad_reply"]),
    "zeros": (Vectors(change=lambda vectors: [[0] * 768 for _ in vectors]), ["bad_reply"]),
    "no number": (Vectors(change=lambda vectors: [[1e39] * 768 for _ in vectors]), ["bad_reply", "timed_out"]),
    "huge": (Huge(), ["too_large", "timed_out"]),
}


class Patient:
    """One service and one provider for everything that can go wrong, each mended after it."""

    def __init__(self, provider, data, folder):
        self.server = provider([Vectors()])
        self.server.__enter__()
        self.service = Service(data, folder / "service.log", **settings(self.server)).start()
        self.asks = Asker(self.service)

    def stop(self):
        self.service.stop()
        self.server.__exit__()


@pytest.fixture(scope="module", params=PROVIDERS)
def patient(request, embedded, tmp_path_factory):
    folder = tmp_path_factory.mktemp("patient")
    shutil.copytree(embedded[request.param], folder / "data")
    patient = Patient(request.param, folder / "data", folder)
    yield patient
    patient.stop()


@pytest.mark.parametrize("wrong", WRONG)
def test_a_provider_that_misbehaves_degrades_and_recovers(wrong, patient):
    behaviour, reasons = WRONG[wrong]
    patient.asks.wait_until_whole()
    patient.server.now(behaviour)
    # The breaker may be about to open by then: nobody is asked for a second.
    both = [*reasons, "breaker_open"]
    alone = patient.asks()
    expect_degraded(alone, *both)
    assert alone["recommendations"] == [] and alone["alpha"] == 0
    rated = patient.asks(text=patient.asks.new_text(), abilities=[5] * 14 + [9])
    expect_degraded(rated, *both)
    assert len(rated["recommendations"]) == 5 and rated["alpha"] == 0
    ready = patient.asks.readiness()
    assert ready["status"] == "degraded"
    [trouble] = ready["degraded"]
    assert trouble["part"] == "recommendations" and trouble["reason"] in both
    with patient.service.client() as client:
        assert 'pathlight_degraded{reason="model_outside"} 1' in client.get("/metrics").body.decode()
    patient.server.now(Vectors())
    patient.asks.wait_until_whole()
    with patient.service.client() as client:
        assert 'pathlight_degraded{reason="model_outside"} 0' in client.get("/metrics").body.decode()


def test_the_quiz_s_own_phrases_need_nobody(patient):
    patient.asks.wait_until_whole()
    with patient.service.client() as client:
        questions = client.get("/api/quiz/questions/").expect(200)["items"]
    answers = sheet(questions, seed=3)
    free = [str(question["id"]) for question in questions if question["type"] == "text"]
    patient.server.now(Status(401))
    without = {number: answer for number, answer in answers.items() if number not in free}
    whole = patient.asks(answers=without)
    assert whole["degraded"] is None and whole["alpha"] > 0 and len(whole["recommendations"]) == 5
    # A free answer that cannot be read is left out; what was chosen still counts.
    partly = patient.asks(answers={**without, free[0]: patient.asks.new_text()})
    expect_degraded(partly, "rejected", "breaker_open")
    assert partly["alpha"] > 0
    assert [each["career_id"] for each in partly["recommendations"]] == [
        each["career_id"] for each in whole["recommendations"]]
    patient.server.now(Vectors())
    patient.asks.wait_until_whole()


def test_in_a_batch_only_those_are_degraded_whose_texts_were_not_read(patient):
    patient.asks.wait_until_whole()
    patient.asks(text="I like old clocks.")
    patient.server.now(Status(401))
    with patient.service.client() as client:
        items = client.post("/api/recommend/batch/", {"requests": [
            {"text": "I like old clocks."}, {"text": patient.asks.new_text()}, {"abilities": [5] * 14 + [9]},
        ]}).expect(200)["items"]
    assert [item["degraded"] is None for item in items] == [True, False, True]
    assert [len(item["recommendations"]) for item in items] == [5, 0, 5]
    patient.server.now(Vectors())
    patient.asks.wait_until_whole()


@pytest.mark.parametrize("words", ["unspeakable", "a" + "\u0301" * 4100])
def test_what_somebody_sends_is_nobody_else_s_trouble(words, patient):
    patient.asks.wait_until_whole()
    patient.server.now(Choosy("unspeakable"))
    with patient.service.client() as client:
        items = client.post("/api/recommend/batch/", {"requests": [
            {"text": patient.asks.new_text()}, {"text": f"{words} {patient.asks.number}"},
            {"text": "I like old tools."},
        ]}).expect(200)["items"]
    assert items[0]["degraded"] is None and items[2]["degraded"] is None, items
    if words == "unspeakable":
        expect_degraded(items[1], "rejected")
    else:
        assert items[1]["degraded"] is None
    assert patient.asks.readiness()["status"] == "ready"
    patient.server.now(Vectors())


def test_a_batch_is_asked_for_side_by_side(patient):
    patient.asks.wait_until_whole()
    # One after the other they would be late.
    patient.server.now(Vectors(after=0.45))
    with patient.service.client() as client:
        items = client.post("/api/recommend/batch/", {"requests": [
            {"text": patient.asks.new_text()} for _ in range(250)]}).expect(200)["items"]
    assert {item["degraded"] is None for item in items} == {True}
    patient.server.now(Vectors())


def test_a_provider_that_is_down_is_not_asked_by_everybody(patient):
    patient.asks.wait_until_whole()
    patient.server.now(Slow(60))
    for _ in range(5):
        patient.asks()
    begin = time.monotonic()
    expect_degraded(patient.asks(), "breaker_open", "timed_out")
    assert time.monotonic() - begin < DEADLINE + SLACK
    patient.server.now(Vectors())
    patient.asks.wait_until_whole()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_certificate_that_nobody_signed_degrades(provider, start, tmp_path):
    with provider([Vectors()], certificate=self_signed_certificate(tmp_path)) as server:
        expect_degraded(Asker(start(server))(), "unreachable")
        assert not server.requests


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("status", [302, 307, 308])
def test_a_redirect_to_a_private_address_is_not_followed(provider, status, start):
    with provider([Vectors()]) as private, provider([Redirect(private.url, status)]) as server:
        expect_degraded(Asker(start(server))(), "rejected", "unreachable")
        assert not private.requests, "what somebody wrote went elsewhere"


def test_nobody_there_degrades(start):
    with FakeGemini([Vectors()]) as server:
        gone = server
    expect_degraded(Asker(start(gone))(), "unreachable", "timed_out")


def test_over_budget_degrades(start):
    with FakeOpenAI([Vectors()]) as server:
        asks = Asker(start(server, PATHLIGHT_LLM_DAILY_BUDGET_USD="0"))
        expect_degraded(asks(), "over_budget")
        assert not server.requests


def test_without_a_key_texts_are_not_read(start):
    with FakeOpenAI([Vectors()]) as server:
        asks = Asker(start(server, OPENAI_API_KEY="", OPENAI_BASE_URL=""))
        expect_degraded(asks(), "not_configured")
        assert not server.requests


def test_another_model_under_the_same_name_is_noticed(start):
    with FakeOpenAI([Vectors("another")]) as server:
        asks = Asker(start(server))
        expect_degraded(asks(), "model_changed")
        expect_degraded(asks(text="I like bees."), "model_changed")
        sent = [text for request in server.requests for text in request["body"]["input"]]
        assert "I like bees." not in sent
        space = asks.readiness()["space"]
        done = report(reembed(server, asks.service.data))
        assert done["switched"] and done["reused"] == 0 and done["space"] != space
        asks.wait_until_whole()
        assert asks.readiness()["space"] == done["space"]


def test_an_exchanged_model_is_noticed_with_the_next_text(start):
    with FakeOpenAI([Vectors()]) as server:
        asks = Asker(start(server))
        asks.wait_until_whole()
        before = asks(text="I like to weld steel bridges.")
        server.now(Vectors("another"))
        expect_degraded(asks(text="I like bees and honey."), "model_changed")
        # What was read before the exchange is known still.
        again = asks(text="I like to weld steel bridges.")
        assert again["degraded"] is None and again["recommendations"] == before["recommendations"]
        server.now(Vectors())
        asks.wait_until_whole()
        bees = asks(text="I like bees and honey.")
        # As a service answers that never met the other model.
        asks.service.stop()
        assert Asker(start(server))(text="I like bees and honey.")["recommendations"] == bees["recommendations"]


def test_a_change_is_not_forgotten_where_the_provider_fails(start):
    with FakeOpenAI([Vectors("another")]) as server:
        asks = Asker(start(server))
        expect_degraded(asks(), "model_changed")
        server.now(Status(503))
        asked = len(server.requests)
        asks.wait(lambda: len(server.requests) > asked + 1, "nobody looks after it")
        server.now(Vectors("another"))
        expect_degraded(asks(text="I like bees."), "model_changed")
        assert "I like bees." not in [text for request in server.requests for text in request["body"]["input"]]
        [trouble] = asks.readiness()["degraded"]
        assert trouble["reason"] == "model_changed" and "reembed" in trouble["detail"]


def test_the_same_model_at_another_address_is_the_same(embedded, tmp_path):
    shutil.copytree(embedded[FakeOpenAI], tmp_path / "data")
    # A little noise, as of another machine.
    noisy = Vectors(change=lambda vectors: [[number + 0.01 for number in vector] for vector in vectors])
    with FakeOpenAI([noisy]) as server:
        done = report(reembed(server, tmp_path / "data"))
        assert not done["switched"] and done["embedded"] == 0 and done["reused"] == done["careers"]


# MARK: Re-embedding


def test_a_failed_run_says_why_and_the_next_goes_on(tmp_path):
    data = tmp_path / "data"
    with FakeOpenAI([*[Vectors()] * 12, Status(401, "invalid_api_key")]) as server:
        failed = reembed(server, data)
        assert failed.returncode == 1 and "API key" in failed.stderr and "run it again" in failed.stderr
        assert "sk-test-secret" not in failed.stderr
        server.now(Vectors())
        done = report(reembed(server, data))
        assert done["switched"] and done["resumed"] > 0 and done["resumed"] + done["embedded"] == done["careers"]


def test_a_provider_that_is_busy_is_waited_for(tmp_path):
    with FakeGemini([Vectors(), Status(429, "rate_limited", Retry_After="1"), *[Status(503)] * 5, Vectors()]) as server:
        assert report(reembed(server, tmp_path / "data"))["switched"]


def test_a_killed_run_is_gone_on_with(tmp_path):
    data = tmp_path / "data"
    with FakeOpenAI([Vectors(after=0.3)]) as server:
        process = subprocess.Popen(
            [str(BINARY), "reembed", "--model", MODELS[FakeOpenAI], "--data", str(data)], cwd=EMPTY_FOLDER.name,
            env=clean_environment(**settings(server)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        # The references, the quiz's phrases and a block of careers are made by then.
        end = time.monotonic() + WHOLE_SECONDS
        while len(server.requests) < 10:
            assert process.poll() is None and time.monotonic() < end, "it ended before it was killed"
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        server.now(Vectors())
        done = report(reembed(server, data))
        assert done["switched"] and done["resumed"] > 0 and done["resumed"] + done["embedded"] == done["careers"]


def test_a_limit_stops_it_and_the_next_run_goes_on(tmp_path):
    with FakeOpenAI([Vectors()]) as server:
        first = report(reembed(server, tmp_path / "data", "--limit", "70"))
        assert first["embedded"] == 70 and not first["complete"]
        second = report(reembed(server, tmp_path / "data"))
        assert second["switched"] and second["resumed"] == 70


def test_a_model_outside_is_asked_only_where_it_is_named(embedded, tmp_path):
    shutil.copytree(embedded[FakeOpenAI], tmp_path / "data")
    with FakeOpenAI([Vectors()]) as server:
        result = run_command("reembed", "--force", "--data", tmp_path / "data", **server.settings())
        assert result.returncode == 1 and f"model: {MODELS[FakeOpenAI]}" in result.stderr
        assert not server.requests


@needs_model
def test_a_service_changes_over_and_back(start_service, tmp_path):
    data = tmp_path / "data"
    with FakeOpenAI([Vectors()]) as server:
        named = settings(server)
        del named["PATHLIGHT_MODELS"]
        assert run_command("reembed", "--data", data).returncode == 0
        service = start_service(data=data, **named)
        asks = Asker(service)
        assert asks.readiness()["model"] == "all-MiniLM-L6-v2"
        assert report(reembed(server, data))["switched"]
        asks.wait(lambda: asks.readiness()["model"] == MODELS[FakeOpenAI], "the new vectors are not served")
        asks.wait_until_whole()
        back = run_command("reembed", "--rollback", "--json", "--data", data)
        assert back.returncode == 0 and "all-MiniLM-L6-v2" in json.loads(back.stdout)["space"]
        asks.wait(lambda: asks.readiness()["model"] == "all-MiniLM-L6-v2", "the old vectors are not served")
        server.requests.clear()
        assert asks()["degraded"] is None and not server.requests


# MARK: The first start, and careers that come


def test_a_first_start_embeds_in_the_background(start_service, tmp_path):
    with FakeOpenAI([Vectors()]) as server:
        asks = Asker(start_service(data=tmp_path / "data", **settings(server)))
        assert len(asks(abilities=[5] * 14 + [9])["recommendations"]) == 5
        asks.wait_until_whole()
        assert asks.readiness()["embedding"]["pending"] == 0


def test_a_first_start_tells_how_far_it_is(start_service, tmp_path):
    with FakeOpenAI([Vectors(after=0.5)]) as server:
        asks = Asker(start_service(data=tmp_path / "data", **settings(server)))
        told = []

        def is_done():
            ready = asks.readiness()
            if ready["embedding"]["building"] is not None:
                told.append((ready["embedding"]["building"]["done"], ready["embedding"]["building"]["total"]))
            return ready["status"] == "ready" and ready["embedding"]["building"] is None

        asks.wait(is_done, "careers have no vectors")
        assert told == sorted(told) and {total for _, total in told} == {asks.readiness()["careers"]}, told
        assert any(0 < done < total for done, total in told), told


@pytest.mark.parametrize("behaviour", [Slow(60), Status(503), CutOff()])
def test_a_start_waits_for_no_provider(behaviour, start_service, tmp_path):
    with FakeGemini([behaviour]) as server:
        begin = time.monotonic()
        asks = Asker(start_service(data=tmp_path / "data", **settings(server)))
        assert time.monotonic() - begin < 20
        assert asks.readiness()["status"] == "degraded"
        reply = asks(abilities=[5] * 14 + [9])
        assert reply["degraded"] and len(reply["recommendations"]) == 5
        server.now(Vectors())
        asks.wait_until_whole()


def lighthouse(folder):
    """A file with one more career."""
    ability = ("analytical_reasoning creativity verbal_communication technical_aptitude numerical_reasoning leadership "
               "problem_solving empathy attention_to_detail physical_ability digital_literacy teamwork organisation "
               "entrepreneurship adaptability").split()
    career = {"id": "lighthouse", "name": "Lighthouse Keeper", "description": "Keeps the lamp of a lighthouse burning.",
              "required_skills": ["Lamp maintenance"], "suitable_for": "People who like the sea.", "cluster": "Sea",
              "required_education": {"level": "none", "text": ""}, "abilities": {name: 5 for name in ability}}
    file = folder / "coast.json"
    file.write_text(json.dumps({"careers": [career]}), "utf-8")
    return file


@pytest.mark.parametrize("more", [{}, {"OPENAI_API_KEY": "", "OPENAI_BASE_URL": ""}])
def test_a_catalogue_without_vectors_is_followed_while_the_provider_is_down(more, start_service, tmp_path):
    with FakeOpenAI([Status(503)]) as server:
        asks = Asker(start_service(data=tmp_path / "data", **settings(server, **more)))
        careers = asks.readiness()["careers"]
        imported = run_command("import", "careers", lighthouse(tmp_path), "--no-embed", "--data", asks.service.data)
        assert imported.returncode == 0, imported.stderr
        asks.wait(lambda: asks.readiness()["careers"] == careers + 1, "the import is not followed")
        with asks.service.client() as client:
            client.get("/api/careers/lighthouse/").expect(200)
        assert asks.readiness()["status"] == "degraded"
        if not more:
            server.now(Vectors())
            asks.wait_until_whole()
            best = asks(text="Keeps the lamp of a lighthouse burning.")["recommendations"][0]
            assert best["career_id"] == "lighthouse"


def test_a_new_career_is_embedded_in_the_background(start, tmp_path):
    file = lighthouse(tmp_path)
    with FakeOpenAI([Vectors()]) as server:
        asks = Asker(start(server))
        server.now(Status(503))
        imported = run_command("import", "careers", file, "--no-embed", "--data", asks.service.data)
        assert imported.returncode == 0, imported.stderr
        asks.wait(lambda: asks.readiness()["embedding"]["pending"] == 1, "the import is not followed")
        server.now(Vectors())
        asks.wait(lambda: asks.readiness()["embedding"]["pending"] == 0, "the new career has no vector")
        best = asks(text="Keeps the lamp of a lighthouse burning.")["recommendations"][0]
        assert best["career_id"] == "lighthouse"


# MARK: Commands


def test_recommend_answers_by_abilities_where_the_provider_is_down(embedded, tmp_path):
    shutil.copytree(embedded[FakeOpenAI], tmp_path / "data")
    with FakeOpenAI([Vectors()]) as server:
        options = ("recommend", "--text", "I like bees.", "--abilities", "5,5,5,5,5,5,5,5,5,5,5,5,5,5,9", "--json",
                   "--data", tmp_path / "data")
        whole = json.loads(run_command(*options, **settings(server)).stdout)
        assert whole["degraded"] is None and whole["alpha"] > 0
        server.now(Status(401))
        result = run_command(*options, **settings(server))
        assert result.returncode == 0 and "degraded" in result.stderr
        assert json.loads(result.stdout)["degraded"]["reason"] == "rejected"


def test_doctor_asks_the_model(embedded, tmp_path):
    shutil.copytree(embedded[FakeOpenAI], tmp_path / "data")

    def model(*options, **more):
        result = run_command("doctor", "--json", *options, "--data", tmp_path / "data", PATHLIGHT_PORT="0",
                             **settings(server, **more))
        assert result.returncode == 0, result.stdout
        return {check["subject"]: check for check in json.loads(result.stdout)["checks"]}["model"]

    with FakeOpenAI([Vectors()]) as server:
        good = model()
        assert good["state"] == "ok" and "sent there" in good["detail"] and not server.requests
        assert model("--online")["state"] == "ok" and server.requests
        server.now(Vectors("another"))
        changed = model("--online")
        assert changed["state"] == "degraded" and "reembed" in changed["detail"]
        server.now(Status(401))
        refused = model("--online")
        assert refused["state"] == "degraded" and "API key" in refused["detail"]
        server.requests.clear()
        assert model("--online", PATHLIGHT_MODEL="all-MiniLM-L6-v2")["state"] == "degraded"
        assert model("--online", OPENAI_API_KEY="", OPENAI_BASE_URL="")["state"] == "degraded"
        # The provider of answers may be asked: it is the same here.
        assert not [request for request in server.requests if request["path"].endswith("/embeddings")]


def test_doctor_leaves_the_store_as_it_is(tmp_path):
    def spaces():
        with sqlite3.connect(tmp_path / "data" / "pathlight.db") as database:
            return database.execute("SELECT id FROM embedding_spaces").fetchall()

    with FakeOpenAI([Status(401)]) as server:
        assert reembed(server, tmp_path / "data").returncode == 1
        assert spaces() == []
        server.now(Vectors())
        result = run_command("doctor", "--json", "--online", "--data", tmp_path / "data", PATHLIGHT_PORT="0",
                             **settings(server))
        checks = {check["subject"]: check for check in json.loads(result.stdout)["checks"]}
        assert checks["model"]["state"] == "ok" and checks["space"]["detail"].startswith(MODELS[FakeOpenAI])
        assert spaces() == []


def test_doctor_says_where_nothing_tells_a_changed_model(embedded, tmp_path):
    shutil.copytree(embedded[FakeOpenAI], tmp_path / "data")
    with sqlite3.connect(tmp_path / "data" / "pathlight.db") as database:
        assert database.execute("DELETE FROM vectors WHERE item_kind = 'reference'").rowcount == 3
    with FakeOpenAI([Vectors()]) as server:
        result = run_command("doctor", "--json", "--data", tmp_path / "data", PATHLIGHT_PORT="0", **settings(server))
        checks = {check["subject"]: check for check in json.loads(result.stdout)["checks"]}
        assert checks["model"]["state"] == "warning" and "reembed" in checks["model"]["detail"]


@pytest.mark.parametrize("model", ["openai:", "gemini:two words"])
def test_a_name_that_names_no_model_is_refused(model, tmp_path):
    with FakeOpenAI([Vectors()]) as server:
        result = reembed(server, tmp_path / "data", model=model)
        assert result.returncode == 1 and not server.requests
