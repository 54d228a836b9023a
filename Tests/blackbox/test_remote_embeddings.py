"""Careers and people's texts embedded by a model outside: what it gives ranks, and people's words go where the settings
say and nowhere else."""

import functools
import threading
import time

import pytest
from fake_llm import FakeGemini, FakeOpenAI, Held, Status, Vectors
from remote_embeddings import (MODELS, PROVIDERS, RECOMMEND, Asker, expect_degraded, reembed, report,
                               start_embedded)


@pytest.fixture
def start(start_service, tmp_path):
    """Starts services over careers that a fake provider has embedded: start(server, PATHLIGHT_…=…)."""
    return functools.partial(start_embedded, start_service, tmp_path / "data")


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
        service = start(
            server, PATHLIGHT_LIMITS_CONCURRENT_REQUESTS="2", PATHLIGHT_EMBEDDING_REMOTE_SECONDS="20")
        asks = Asker(service)
        asks.wait_until_whole()
        held = Held()
        server.now(held)
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
        held.gate.set()
        for thread in asking:
            thread.join()
        assert set(seen) == {200} and statuses == [200] * 5, (seen, statuses)
        assert waiting == 5, "the provider was too fast to show anything"
