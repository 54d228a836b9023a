"""Without its model the service ranks by abilities, and says so everywhere."""

import json

import pytest
from conftest import needs_model
from harness import Service, copy_models
from sheets import sheet

RECOMMEND = "/api/results/recommend/"


@pytest.fixture(scope="module")
def degraded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("degraded")
    (folder / "models").mkdir()
    service = Service(folder / "data", folder / "service.log", PATHLIGHT_MODELS=str(folder / "models")).start()
    yield service
    service.stop()


@pytest.fixture
def client(degraded):
    with degraded.client() as client:
        yield client


def reason(document):
    """What a reply says about being degraded, as text."""
    assert document.get("degraded"), f"nothing says that the service is degraded: {document}"
    return json.dumps(document["degraded"]) + str(document.get("degraded_reason", ""))


def test_a_quiz_still_gives_five_careers_of_five_clusters(client):
    questions = client.get("/api/quiz/questions/").expect(200)["items"]
    reply = client.post(RECOMMEND, {"answers": sheet(questions, seed=2)}).expect(200)
    assert len({item["cluster"] for item in reply["recommendations"]}) == 5
    assert reply["alpha"] == 0
    assert "model" in reason(reply)


def test_readiness_metrics_and_log_tell_the_reason(client, degraded):
    assert "model" in reason(client.get("/readyz").expect(200))
    assert 'pathlight_degraded{reason="no_model"} 1' in client.get("/metrics").body.decode().splitlines()
    told = [line for line in degraded.log.read_text("utf-8", "replace").splitlines() if "degraded" in line]
    assert any("reason=no_model" in line for line in told), told


def test_text_alone_is_answered_or_refused_but_never_silently(client):
    reply = client.post(RECOMMEND, {"text": "I like horses."})
    if reply.status == 200:
        assert "model" in reason(reply.json)
    else:
        assert "model" in reply.expect_problem()["detail"]


def test_embeddings_are_unavailable_and_say_why(client):
    problem = client.post("/v1/embeddings", {"input": "a nurse"}).expect_problem()
    assert problem["status"] in (404, 503)
    assert "model" in problem["detail"]


@needs_model
@pytest.mark.parametrize("altered", ["config.json", "tokenizer.json", "vocab.txt"])
def test_an_altered_model_degrades_instead_of_crashing(start_service, tmp_path, altered):
    service = start_service(PATHLIGHT_MODELS=str(copy_models(tmp_path / "models", altered)))
    with service.client() as client:
        reply = client.post(RECOMMEND, {"abilities": [5] * 14 + [9]}).expect(200)
        assert len(reply["recommendations"]) == 5
        assert "model" in reason(client.get("/readyz").expect(200))


@needs_model
def test_a_cut_off_model_degrades_instead_of_crashing(start_service, tmp_path):
    models = copy_models(tmp_path / "models")
    weights = next(models.glob("*/model.safetensors"))
    target = weights.resolve()
    weights.unlink()
    with open(target, "rb") as whole:
        weights.write_bytes(whole.read(1_000_000))
    service = start_service(PATHLIGHT_MODELS=str(models))
    with service.client() as client:
        assert "model" in reason(client.get("/readyz").expect(200))
        client.post(RECOMMEND, {"abilities": [5] * 14 + [9]}).expect(200)


@needs_model
def test_a_later_start_with_the_model_is_whole_again(start_service, tmp_path):
    (tmp_path / "none").mkdir()
    service = start_service(data=tmp_path / "data", PATHLIGHT_MODELS=str(tmp_path / "none"))
    service.terminate()
    service = start_service(data=tmp_path / "data")
    with service.client() as client:
        reply = client.post(RECOMMEND, {"text": "I like horses."}).expect(200)
        assert not reply["degraded"] and reply["alpha"] == 1
