"""The service's own routes: health, metrics, documentation, embeddings, the page."""

import json
import math
import re
import uuid

import pytest
from conftest import needs_shared_data
from harness import MODEL, SHARED_DATA

ROUTES = {
    "/api/results/recommend/": "post", "/api/results/{session_id}/": "get", "/api/quiz/questions/": "get",
    "/api/quiz/submit/": "post", "/api/results/save_career/": "post", "/api/results/view_career/": "post",
    "/api/careers/": "get", "/api/careers/{id}/": "get", "/api/careers/{id}/similar/": "get",
    "/api/recommend/batch/": "post", "/v1/embeddings": "post", "/livez": "get", "/readyz": "get", "/healthz": "get",
    "/metrics": "get",
}


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/healthz"])
def test_health_is_told(client, path):
    assert client.get(path).status == 200


def test_nothing_is_degraded_with_the_model_installed(client):
    assert not client.get("/readyz").json.get("degraded")


def test_metrics_are_in_the_text_format_of_prometheus(client):
    client.post("/api/results/recommend/", {"text": "I like maps."}).expect(200)
    reply = client.get("/metrics")
    assert reply.status == 200 and reply.media_type == "text/plain"
    lines = reply.body.decode().splitlines()
    assert any(line.startswith("# TYPE ") for line in lines)
    for line in lines:
        if line and not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            float(value)
            assert name[0].isalpha()


def test_the_time_of_a_recommendation_is_measured_by_its_stages(client):
    def measured():
        text = client.get("/metrics").body.decode()
        return {stage: (float(total), int(count)) for stage, total, count in re.findall(
            r'^pathlight_stage_duration_seconds_sum{stage="(\w+)"} (\S+)\n'
            r'pathlight_stage_duration_seconds_count{stage="\1"} (\d+)$', text, re.MULTILINE)}

    before = measured()
    assert set(before) == {"embed", "search", "explain", "store"}
    text = f"I like old maps, the more of them the better, {uuid.uuid4().hex}."
    timing = client.post("/api/results/recommend/", {"text": text}).expect(200)["timing_ms"]
    after = measured()
    for stage, (total, count) in before.items():
        assert after[stage][1] == count + 1, stage
        if stage in timing:
            assert (after[stage][0] - total) * 1000 == pytest.approx(timing[stage], abs=0.01), stage
    assert after["store"][0] > before["store"][0]


def test_the_api_description_names_every_route(client):
    document = client.get("/openapi.json").expect(200)
    assert document["openapi"].startswith("3.1")

    def shape(path):
        parts = path.strip("/").split("/")
        return tuple("{}" if part.startswith("{") else part for part in parts)

    described = {shape(path): set(operations) for path, operations in document["paths"].items()}
    for path, method in ROUTES.items():
        assert method in described.get(shape(path), set()), f"{method.upper()} {path} is not described"


def test_pages_are_pages(client):
    for path, title in (("/", "Pathlight: careers that suit you"), ("/docs", "API · Pathlight")):
        reply = client.get(path)
        assert reply.status == 200 and reply.media_type == "text/html", path
        assert b"<html" in reply.body.lower() and b"</html>" in reply.body.lower()
        assert f"<title>{title}</title>".encode() in reply.body, path


def test_every_script_that_a_page_loads_is_there(client):
    def found(pattern, reply):
        return re.findall(pattern, reply.body.decode())

    waiting = [each for page in ("/", "/docs") for each in found(r'<script [^>]*src="/assets/(.+?)"', client.get(page))]
    assert waiting == ["app.js", "docs.js"]
    seen = set()
    while waiting:
        script = waiting.pop()
        reply = client.get(f"/assets/{script}")
        assert reply.status == 200 and reply.media_type == "text/javascript", script
        seen.add(script)
        waiting += set(found(r'from "\./(.+?)";', reply)) - seen
    assert "results.js" in seen


def cosine(first, second):
    product = sum(a * b for a, b in zip(first, second))
    return product / math.sqrt(sum(a * a for a in first) * sum(b * b for b in second))


def test_embeddings_have_the_form_of_openai(client):
    reply = client.post("/v1/embeddings", {"model": MODEL, "input": ["a nurse", "a welder", "a nurse"]}).expect(200)
    assert reply["object"] == "list" and reply["model"] == MODEL
    assert [item["index"] for item in reply["data"]] == [0, 1, 2]
    assert all(item["object"] == "embedding" for item in reply["data"])
    vectors = [item["embedding"] for item in reply["data"]]
    assert all(len(vector) == 384 for vector in vectors)
    assert all(abs(math.sqrt(sum(x * x for x in vector)) - 1) < 1e-4 for vector in vectors)
    assert vectors[0] == vectors[2]
    assert reply["usage"]["prompt_tokens"] == reply["usage"]["total_tokens"] > 0
    single = client.post("/v1/embeddings", {"model": MODEL, "input": "a nurse"}).expect(200)["data"][0]["embedding"]
    assert max(abs(a - b) for a, b in zip(single, vectors[0])) <= 1e-5


@needs_shared_data
def test_embeddings_equal_the_reference(client):
    with open(SHARED_DATA / "embedder/minilm_goldens.jsonl", encoding="utf-8") as file:
        goldens = [json.loads(line) for line in file]
    goldens = [golden for golden in goldens if golden["text"]][:40]
    reply = client.post("/v1/embeddings", {"model": MODEL, "input": [golden["text"] for golden in goldens]}).expect(200)
    for golden, item in zip(goldens, reply["data"]):
        assert cosine(golden["embedding"], item["embedding"]) >= 0.99999, golden["text"]
