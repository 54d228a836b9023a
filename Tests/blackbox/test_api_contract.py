"""The API's description against the running service: routes, examples, schemas, and whatever schemathesis thinks of."""

import copy
import json
import re
import subprocess
import sys

import pytest
from harness import ROOT
from jsonschema import Draft202012Validator

METHODS = ("get", "post", "put", "patch", "delete")
# What stands for a live id in the document's examples.
SESSION_EXAMPLE = "5f0c2a9e71d84b36a1c0de59b7e4f283"
RECOMMENDATION_EXAMPLE = "c7d10e5b93f64a28b0e1f4a6d2c98573"

DOCUMENT = json.loads((ROOT / "Sources/CAssets/openapi.json").read_text("utf-8"))


def operations():
    return [(path, method, operation) for path, item in DOCUMENT["paths"].items()
            for method, operation in item.items() if method in METHODS]


def named(cases):
    return [f"{case[1].upper()} {case[0]}" for case in cases]


def resolved(node):
    """What a reference stands for."""
    while "$ref" in node:
        target = DOCUMENT
        for name in node["$ref"].removeprefix("#/").split("/"):
            target = target[name.replace("~1", "/")]
        node = target
    return node


def examples(content):
    if "example" in content:
        return [content["example"]]
    return [example["value"] for example in content.get("examples", {}).values()]


def closed(node):
    """The schema with every object's list of properties taken as complete: a reply may not say more than is described."""
    if isinstance(node, list):
        return [closed(each) for each in node]
    if not isinstance(node, dict):
        return node
    result = {name: closed(value) for name, value in node.items()}
    if isinstance(result.get("properties"), dict) and "additionalProperties" not in result:
        result["additionalProperties"] = False
    return result


COMPONENTS = {"schemas": copy.deepcopy(DOCUMENT["components"]["schemas"])}
CLOSED_COMPONENTS = {"schemas": {name: closed(schema) for name, schema in COMPONENTS["schemas"].items()}}


def mistakes(schema, value, strictly=False):
    """Where `value` does not fit."""
    schema = closed(schema) if strictly else schema
    validator = Draft202012Validator({**schema, "components": CLOSED_COMPONENTS if strictly else COMPONENTS})
    return [f"{error.json_path}: {error.message[:300]}" for error in validator.iter_errors(value)]


# Routes

def registered_routes():
    """Method and pattern of every route in the source, with what is filled in at run time as a wildcard."""
    call = re.compile(r'\b(?:router\.(get|post|put|patch|delete)|page)\(\s*"(/[^"]*)"')
    found = set()
    for file in (ROOT / "Sources/server").rglob("*.swift"):
        for method, path in call.findall(file.read_text("utf-8")):
            found.add((method or "get", re.sub(r"\\\([^)]*\)", "*", path)))
    return sorted(found)


def shape(path):
    return tuple("{}" if part.startswith("{") else part for part in path.strip("/").split("/"))


def test_every_route_of_the_program_is_described():
    routes = registered_routes()
    assert len(routes) >= 20, routes
    described = {(method, "/" + "/".join(shape(path))) for path, method, _ in operations()}
    for method, path in routes:
        pattern = re.compile("/" + "/".join("[^/]+" if "*" in part else re.escape(part) for part in shape(path)))
        if "*" in path:
            pattern = re.compile(re.escape(path).replace(r"\*", "[^/]+"))
        assert any(verb == method and pattern.fullmatch(known) for verb, known in described), f"{method} {path}"


@pytest.mark.parametrize("path", DOCUMENT["paths"])
def test_every_described_path_takes_exactly_the_methods_described(client, path):
    reply = client.request("OPTIONS", re.sub(r"\{\w+\}", "x", path))
    assert reply.status == 204, reply.body
    described = {method.upper() for method in DOCUMENT["paths"][path] if method in METHODS} | {"OPTIONS"}
    if "GET" in described:
        described.add("HEAD")
    assert set(reply.headers["allow"].split(", ")) == described


def test_the_served_description_is_the_source(client):
    assert client.get("/openapi.json").expect(200) == DOCUMENT


# Examples

def contents():
    """Every body that the document describes: where, media type, schema and examples."""
    for path, method, operation in operations():
        if "requestBody" in operation:
            for media_type, content in operation["requestBody"]["content"].items():
                yield f"{method} {path} request", media_type, content
        for status, response in operation["responses"].items():
            for media_type, content in resolved(response).get("content", {}).items():
                yield f"{method} {path} {status}", media_type, content


def test_every_example_fits_its_schema():
    for where, _, content in contents():
        for example in examples(content):
            # A request's alternatives name a part of its fields each; its schema is closed by itself.
            assert not mistakes(content["schema"], example, strictly=not where.endswith("request")), where


def test_every_json_body_has_an_example():
    exempt = {"get /openapi.json 200"}  # It would be its own example.
    for where, media_type, content in contents():
        if "json" in media_type and where not in exempt:
            assert examples(content), where


def test_every_problem_is_listed_and_every_listed_problem_is_shown():
    listed = {problem["code"]: problem for problem in DOCUMENT["x-problems"]}
    shown = set()
    for where, media_type, content in contents():
        if media_type != "application/problem+json":
            continue
        for example in examples(content):
            problem = listed.get(example["code"])
            assert problem, f"{where}: {example['code']} is not listed"
            assert (example["status"], example["title"]) == (problem["status"], problem["title"]), where
            shown.add(example["code"])
    # Those two are answers to requests that no operation describes.
    assert set(listed) - shown <= {"not_found", "method_not_allowed", "cancelled", "deadline_exceeded"}, set(listed) - shown


@pytest.fixture
def live(client, questions):
    """Puts ids that exist in the place of the document's."""
    answers = {"1": "a", str(questions[1]["id"]): questions[1]["choices"][0]["id"]}
    session = client.post("/api/quiz/submit/", {"answers": answers}).expect(201)["session_id"]
    reply = client.post("/api/results/recommend/", {"session_id": session}).expect(200)
    recommendation = reply["recommendation_id"]

    def replace(value):
        text = json.dumps(value).replace(SESSION_EXAMPLE, session).replace(RECOMMENDATION_EXAMPLE, recommendation)
        return json.loads(text)

    return replace


def check(reply, operation):
    """A reply is one that the operation describes, with the header fields that it promises."""
    described = operation["responses"].get(str(reply.status))
    assert described, f"{reply.status} is not described: {reply.body[:500]!r}"
    described = resolved(described)
    for name, header in described.get("headers", {}).items():
        header = resolved(header)
        value = reply.headers.get(name.lower())
        assert value is not None or not header.get("required"), f"{name} is missing"
        if value is not None and header["schema"]["type"] == "string":
            assert not mistakes(header["schema"], value), f"{name}: {value}"
    if "content" not in described:
        assert reply.body == b""
        return
    types = {media_type.split(";")[0]: content for media_type, content in described["content"].items()}
    assert reply.media_type in types, reply.headers
    if "json" in reply.media_type:
        wrong = mistakes(types[reply.media_type]["schema"], reply.json, strictly=True)
        assert not wrong, "\n".join(wrong[:10])


REQUESTS = [(path, method, name, example["value"]) for path, method, operation in operations()
            for content in [operation.get("requestBody", {}).get("content", {}).get("application/json", {})]
            for name, example in content.get("examples", {}).items()]


@pytest.mark.parametrize("path, method, name, body", REQUESTS, ids=[f"{path} {name}" for path, _, name, _ in REQUESTS])
def test_every_request_example_is_answered_as_described(client, live, path, method, name, body):
    reply = client.request(method.upper(), path, json.dumps(live(body)), {"Content-Type": "application/json"})
    assert reply.status < 300, reply.body[:1000]
    check(reply, DOCUMENT["paths"][path][method])


def test_every_post_has_request_examples():
    assert {path for path, _, _, _ in REQUESTS} == {path for path, method, _ in operations() if method == "post"}


GETS = [case for case in operations() if case[1] == "get"]


def filled(path, operation, live):
    for parameter in map(resolved, operation.get("parameters", [])):
        if parameter["in"] == "path":
            path = path.replace("{" + parameter["name"] + "}", live(parameter["example"]))
    return path


@pytest.mark.parametrize("path, method, operation", GETS, ids=named(GETS))
def test_every_read_is_answered_as_described(client, live, path, method, operation):
    target = filled(path, operation, live)
    reply = client.get(target)
    assert reply.status == 200
    check(reply, operation)
    if "etag" in reply.headers:
        unchanged = client.get(target, **{"If-None-Match": reply.headers["etag"]})
        assert unchanged.status == 304
        check(unchanged, operation)


@pytest.mark.parametrize("path, method, operation", operations(), ids=named(operations()))
def test_mistakes_are_answered_as_described(client, live, path, method, operation):
    target = filled(path, operation, live)
    if method == "post":
        for body in (b"", b"[]", b"{}", b'{"no_such_field": 1}'):
            check(client.post_text(target, body), operation)
        check(client.post_text(target, b"{}", media_type="text/plain"), operation)
        for parameter in map(resolved, operation.get("parameters", [])):
            if parameter["name"] == "Idempotency-Key":
                headers = {"Content-Type": "application/json", "Idempotency-Key": "not a key"}
                reply = client.request("POST", target, b"{}", headers)
                assert reply.expect_problem(400, "idempotency_key_invalid")
                check(reply, operation)
    for parameter in map(resolved, operation.get("parameters", [])):
        if parameter["in"] == "query":
            reply = client.get(f"{target}?{parameter['name']}=%FF")
            assert reply.status == 422
            check(reply, operation)


# Schemathesis

CONFIGURATION = """
[checks.negative_data_rejection]
# Beside the usual ones: a list that is too long can make the body too large before it is looked at.
expected-statuses = ["400", "404", "405", "409", "413", "415", "422", "5xx"]

[checks.positive_data_acceptance]
# A schema cannot say all that makes a request acceptable: ids that exist, answers that do not cancel each other out,
# names of clusters, keys that were not used before. Such requests fit the schema and are rightly refused.
enabled = false
"""


def test_schemathesis_finds_nothing(service, tmp_path):
    """Thousands of requests made from the description, good and bad; the seed is fixed so that a failure comes again."""
    (tmp_path / "schemathesis.toml").write_text(CONFIGURATION, "utf-8")
    base = f"http://127.0.0.1:{service.port}"
    run = subprocess.run(
        [sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()",
         "--config-file", "schemathesis.toml", "run", f"{base}/openapi.json", "--seed", "1", "--max-examples", "10",
         "--generation-database", "none", "--no-color", "--output-truncate", "true"],
        cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    report = "\n".join(line[:300] for line in run.stdout.splitlines()[-300:])
    assert run.returncode == 0, report + run.stderr[-2000:]
    cases = re.search(r"(\d+) generated", run.stdout)
    assert cases and int(cases[1]) > 1_000, report
    assert service.process.poll() is None
