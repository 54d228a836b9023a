"""How careers come by a model outside's vectors: re-embedding them, the first start, careers that come later, and what
commands say of it."""

import json
import os
import signal
import sqlite3
import subprocess
import time

import pytest
from conftest import needs_model
from fake_llm import Choosy, CutOff, FakeGemini, FakeOpenAI, Raw, Slow, Status, Vectors
from harness import BINARY, DEFAULT_MODEL, EMPTY_FOLDER, clean_environment, run_command, seed
from remote_embeddings import MODELS, WHOLE_SECONDS, Asker, copy_embedded, reembed, report, settings


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


def test_a_model_outside_is_asked_only_where_it_is_named(tmp_path):
    copy_embedded(FakeOpenAI, tmp_path / "data")
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
        service = start_service(data=seed(data), **named)
        asks = Asker(service)
        assert asks.readiness()["model"] == DEFAULT_MODEL
        assert report(reembed(server, data))["switched"]
        asks.wait(lambda: asks.readiness()["model"] == MODELS[FakeOpenAI], "the new vectors are not served")
        asks.wait_until_whole()
        back = run_command("reembed", "--rollback", "--json", "--data", data)
        assert back.returncode == 0 and json.loads(back.stdout)["space"].startswith(DEFAULT_MODEL)
        asks.wait(lambda: asks.readiness()["model"] == DEFAULT_MODEL, "the old vectors are not served")
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


def lighthouse(folder, *more):
    """A file with one more career, and with others of these ids and descriptions."""
    ability = ("analytical_reasoning creativity verbal_communication technical_aptitude numerical_reasoning leadership "
               "problem_solving empathy attention_to_detail physical_ability digital_literacy teamwork organisation "
               "entrepreneurship adaptability").split()
    career = {"id": "lighthouse", "name": "Lighthouse Keeper", "description": "Keeps the lamp of a lighthouse burning.",
              "required_skills": ["Lamp maintenance"], "suitable_for": "People who like the sea.", "cluster": "Sea",
              "required_education": {"level": "none", "text": ""}, "abilities": {name: 5 for name in ability}}
    file = folder / "coast.json"
    others = [{**career, "id": name, "name": name, "description": description} for name, description in more]
    file.write_text(json.dumps({"careers": [career, *others]}), "utf-8")
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
            # What is wrong now is told, and not what was first.
            server.now(Raw(b"null"))
            asks.wait(lambda: "bad_reply" in [trouble["reason"] for trouble in asks.readiness()["degraded"]],
                      "the new reason is not told")
            server.now(Vectors())
            asks.wait_until_whole()
            best = asks(text="Keeps the lamp of a lighthouse burning.")["recommendations"][0]
            assert best["career_id"] == "lighthouse"


def test_new_careers_are_embedded_in_the_background_but_for_one_that_is_refused(start_service, tmp_path):
    file = lighthouse(tmp_path, ("wreck", "An unspeakable thing on the rocks."))
    with FakeOpenAI([Vectors()]) as server:
        asks = Asker(start_service(data=copy_embedded(FakeOpenAI, tmp_path / "data"), **settings(server)))
        server.now(Status(503))
        imported = run_command("import", "careers", file, "--no-embed", "--data", asks.service.data)
        assert imported.returncode == 0, imported.stderr
        asks.wait(lambda: asks.readiness()["embedding"]["pending"] == 2, "the import is not followed")
        server.now(Choosy("unspeakable"))
        asks.wait(lambda: asks.readiness()["embedding"]["pending"] == 1, "the new career has no vector")
        best = asks(text="Keeps the lamp of a lighthouse burning.")["recommendations"][0]
        assert best["career_id"] == "lighthouse"

        # The other is named, and is not paid for again and again.
        asks.wait(lambda: "“wreck”" in (asks.readiness()["embedding"]["problem"] or ""), "nothing names the other")
        asked, generation = len(server.requests), asks.readiness()["generation"]
        time.sleep(5)
        ready = asks.readiness()
        assert len(server.requests) == asked and ready["generation"] == generation
        assert "“wreck”" in ready["embedding"]["problem"] and ready["status"] == "ready", ready


# MARK: Commands


def test_recommend_answers_by_abilities_where_the_provider_is_down(tmp_path):
    copy_embedded(FakeOpenAI, tmp_path / "data")
    with FakeOpenAI([Vectors()]) as server:
        options = ("recommend", "--text", "I like bees.", "--abilities", "5,5,5,5,5,5,5,5,5,5,5,5,5,5,9", "--json",
                   "--data", tmp_path / "data")
        whole = json.loads(run_command(*options, **settings(server)).stdout)
        assert whole["degraded"] is None and whole["alpha"] > 0
        server.now(Status(401))
        result = run_command(*options, **settings(server))
        assert result.returncode == 0 and "degraded" in result.stderr
        assert json.loads(result.stdout)["degraded"]["reason"] == "rejected"


def test_doctor_asks_the_model(tmp_path):
    copy_embedded(FakeOpenAI, tmp_path / "data")

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


def test_doctor_says_where_nothing_tells_a_changed_model(tmp_path):
    copy_embedded(FakeOpenAI, tmp_path / "data")
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
