"""The program against embedding providers that misbehave or change: every request is answered in its time, without what
could not be read, and says so."""

import functools
import time

import pytest
from fake_llm import (Choosy, CutOff, FakeGemini, FakeOpenAI, Huge, Raw, Redirect, Slow, Status, Together,
                      Vectors, self_signed_certificate)
from harness import Service
from remote_embeddings import (DEADLINE, PROVIDERS, SLACK, Asker, copy_embedded, expect_degraded, reembed, report,
                               settings, start_embedded)
from sheets import sheet

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


@pytest.fixture
def start(start_service, tmp_path):
    """Starts services over careers that a fake provider has embedded: start(server, PATHLIGHT_…=…)."""
    return functools.partial(start_embedded, start_service, tmp_path / "data")


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
def patient(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("patient")
    patient = Patient(request.param, copy_embedded(request.param, folder / "data"), folder)
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


def test_a_batch_is_asked_for_side_by_side(start):
    with FakeOpenAI([Vectors()]) as server:
        asks = Asker(start(server, PATHLIGHT_EMBEDDING_REMOTE_SECONDS="10"))
        asks.wait_until_whole()
        # One after the other none would be answered.
        server.now(Together(3))
        with asks.service.client() as client:
            items = client.post("/api/recommend/batch/", {"requests": [
                {"text": asks.new_text()} for _ in range(250)]}).expect(200)["items"]
        assert {item["degraded"] is None for item in items} == {True}


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


def test_the_same_model_at_another_address_is_the_same(tmp_path):
    copy_embedded(FakeOpenAI, tmp_path / "data")
    # A little noise, as of another machine.
    noisy = Vectors(change=lambda vectors: [[number + 0.01 for number in vector] for vector in vectors])
    with FakeOpenAI([noisy]) as server:
        done = report(reembed(server, tmp_path / "data"))
        assert not done["switched"] and done["embedded"] == 0 and done["reused"] == done["careers"]
