"""Traces: what arrives at a collector, what does not, and that no request is the worse for a collector that is."""

import json
import re
import time

import pytest
from conftest import needs_model
from fake_collector import FakeCollector, Taken, spans_of
from fake_llm import Answer, FakeOpenAI, Huge, Slow, Status
from harness import free_port, run_command, seed

RECOMMEND = "/api/results/recommend/"
ROUTE = "/api/results/recommend"
ABILITIES = {"abilities": [5] * 14 + [9]}
TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SENT, DROPPED = "pathlight_spans_sent_total", "pathlight_spans_dropped_total"


def metric(service, name):
    """The sum of a metric's series; nil where there are none."""
    with service.client() as client:
        text = client.get("/metrics").body.decode()
    values = re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", text, re.MULTILINE)
    return sum(map(float, values)) if values else None


def wait_until(condition, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.05)
    pytest.fail(f"not within {seconds} s")


def stop(service):
    """Ends the service, which sends what is left, and returns how long that took."""
    begin = time.monotonic()
    assert service.terminate() == 0, service.log_tail()
    return time.monotonic() - begin


@needs_model
def test_a_request_is_a_tree_of_spans(start_service):
    with FakeCollector([Taken()]) as collector:
        service = start_service(**collector.settings())
        with service.client() as client:
            reply = client.post(RECOMMEND, {"text": "I like to repair old clocks.", "top_n": 2})
            reply.expect(200)
            client.get("/api/careers/no-such-career/").expect_problem(404)
            client.get("/no/such/route").expect_problem(404)
        stop(service)
        ((root, below),) = collector.traces(ROUTE)
        assert root.parent is None and not root.has_failed
        assert root.name == f"POST {ROUTE}" and root.attributes["http.response.status_code"] == "200"
        assert root.attributes["pathlight.request_id"] == reply.headers["x-request-id"]
        kinds = [span.name for span in below]
        assert kinds.count("embed") == kinds.count("search") == 1 and kinds.count("sql") >= 1
        by_name = {span.name: span for span in below}
        assert by_name["embed"].attributes == {"pathlight.texts": "1"}
        assert by_name["search"].attributes["pathlight.exact"] is True
        assert int(by_name["search"].attributes["pathlight.rows"]) == reply.json["scanned"]
        assert by_name["embed"].end <= by_name["search"].start
        # The spans are the times that the reply tells.
        told = reply.json["timing_ms"]
        for name in ("embed", "search"):
            assert (by_name[name].end - by_name[name].start) / 1e6 == pytest.approx(told[name], abs=0.01)
        assert any(span.attributes["pathlight.access"] == "write" for span in below if span.name == "sql")
        # Mistakes of clients are none of the service's.
        ((missing, _),) = collector.traces("/api/careers/{id}")
        assert missing.attributes["http.response.status_code"] == "404" and not missing.has_failed
        ((unmatched, _),) = collector.traces("unmatched")
        assert unmatched.name == "GET unmatched"


def test_batches_come_while_the_service_runs(start_service):
    with FakeCollector([Taken()]) as collector:
        service = start_service(**collector.settings())
        with service.client() as client:
            client.post(RECOMMEND, ABILITIES).expect(200)
        wait_until(lambda: collector.traces(ROUTE))
        wait_until(lambda: (metric(service, SENT) or 0) > 0)
        # A full batch does not wait for its time.
        with service.client() as client:
            for _ in range(700):
                client.get("/livez")
        wait_until(lambda: len(collector.spans) > 512, seconds=4)
        assert metric(service, DROPPED) == 0
        stop(service)
        assert max(len(request["body"]["resourceSpans"][0]["scopeSpans"][0]["spans"])
                   for request in collector.requests) <= 512
        assert len(collector.traces("/livez")) >= 700


MARKS = ["zebrafinkqx71", "quollmachines83", "marqueline", "vombatqx92", "quillmark-example"]


@needs_model
def test_nothing_of_what_people_said_is_in_a_trace(start_service):
    said = "zebrafinkqx71 taught me to repair quollmachines83"
    who = "Marqueline.Vombatqx92@quillmark-example.org"
    with FakeCollector([Taken()]) as collector:
        service = start_service(**collector.settings(PATHLIGHT_TRACING_TRUST_CALLER="true"))
        made = run_command("users", "create", "--email", who, "--name", "Marqueline Vombatqx92", "--password-stdin",
                           "--data", service.data, stdin=said)
        assert made.returncode == 0, made.stderr
        with service.client() as client:
            asked = {"text": f"{said}, says Marqueline Vombatqx92 <{who}>", "skills": ["quollmachines83"]}
            session = client.post(RECOMMEND, asked).expect(200)["session_id"]
            client.post("/api/recommend/batch/", {"requests": [asked, asked]}).expect(200)
            client.post("/v1/embeddings", {"input": said, "model": "all-MiniLM-L6-v2"}).expect(200)
            client.get(f"/api/results/{session}/").expect(200)
            client.get(f"/api/careers/?search={who}")
            client.get("/zebrafinkqx71/quollmachines83")
            client.post(RECOMMEND, {"text": said, "top_n": said}).expect_problem(422)
            client.post("/api/auth/sign-in/", {"email": who, "password": said})
            client.request("MARQUELINE", "/livez")
            for headers in ({"X-Request-ID": who}, {"X-Request-ID": "0049-151-23456789"}, {"traceparent": who},
                            {"traceparent": f"00-{TRACE}-{CALLER}-01", "tracestate": who, "baggage": said}):
                client.request("GET", "/livez", headers=headers)
        stop(service)
        assert len(collector.traces()) >= 12
        raw = collector.raw.lower()
        assert [mark for mark in [*MARKS, "23456789", made.stdout.strip(), session] if mark in raw] == []


def test_a_caller_decides_only_where_it_is_trusted(start_service):
    flagged, unflagged = f"00-{TRACE}-{CALLER}-01", f"00-{TRACE}-{CALLER}-00"
    with FakeCollector([Taken()]) as collector:
        # One request in a million: what is recorded is what a caller wanted.
        seldom = {"PATHLIGHT_TRACING_EVERY": "1000000"}
        trusting = start_service(**collector.settings(PATHLIGHT_TRACING_TRUST_CALLER="true", **seldom))
        with trusting.client() as client:
            client.get("/livez", traceparent=flagged)
            client.get("/livez", traceparent=unflagged)
            client.get("/livez", traceparent=flagged.upper())
        stop(trusting)
        ((root, _),) = collector.traces()
        assert (root.trace, root.parent) == (TRACE, CALLER)

        collector.requests.clear()
        wary = start_service(**collector.settings())
        with wary.client() as client:
            for header in (flagged, unflagged):
                client.get("/livez", traceparent=header)
        stop(wary)
        roots = [root for root, _ in collector.traces("/livez")]
        assert len(roots) >= 2 and all(root.trace != TRACE and root.parent is None for root in roots)


def test_a_trace_is_found_by_its_lines_in_the_log(start_service):
    with FakeCollector([Taken()]) as collector:
        service = start_service(**collector.settings(PATHLIGHT_LOG_FORMAT="json"))
        with service.client() as client:
            client.post(RECOMMEND, ABILITIES).expect(200)
        stop(service)
        ((root, _),) = collector.traces(ROUTE)
    lines = [json.loads(line).get("metadata", {}) for line in service.log.read_text().splitlines() if line[:1] == "{"]
    assert [line["route"] for line in lines if line.get("trace_id") == root.trace] == [ROUTE]


@pytest.mark.parametrize("behaviour", [None, Slow(60), Slow(60, drips=True), Status(500), Status(503), Huge()],
                         ids=["down", "silent", "dripping", "500", "503", "huge"])
def test_a_collector_in_trouble_is_no_trouble_for_requests(behaviour, start_service):
    with FakeCollector([behaviour or Taken()]) as collector:
        url = collector.url if behaviour else f"http://127.0.0.1:{free_port()}"
        service = start_service(**collector.settings(PATHLIGHT_TRACING_URL=url))
        slowest = 0
        with service.client() as client:
            end = time.monotonic() + 3  # Enough spans for batches that are sent meanwhile, and for a full buffer.
            while time.monotonic() < end:
                begin = time.monotonic()
                client.post(RECOMMEND, ABILITIES).expect(200)
                slowest = max(slowest, time.monotonic() - begin)
        assert slowest < 4, f"{slowest} s, and an attempt to send takes 5"
        wait_until(lambda: "does not take spans" in service.log.read_text())
        assert metric(service, SENT) == 0 and metric(service, DROPPED) > 0
        assert stop(service) < 10  # Two attempts and the pause between them would be 11.
        told = [line for line in service.log.read_text().splitlines() if "does not take spans" in line]
        assert len(told) == 1, told
        if behaviour:
            assert len(collector.requests) >= 1


def test_a_failure_is_told_once_and_so_is_its_end(start_service):
    script = [Status(503), Status(503), Status(400), Taken(rejected=1, message="of the future"), Taken()]
    with FakeCollector(script) as collector:
        service = start_service(**collector.settings())

        def is_mended():
            with service.client() as client:
                for _ in range(300):
                    client.get("/livez")
            return "takes spans again" in service.log.read_text()

        wait_until(is_mended, seconds=60)
        # The first batch came twice, the second, which is wrong for good, once.
        first, again, second, *_ = ([span.id for span in spans_of(request)] for request in collector.requests)
        assert first == again and not set(first) & set(second)
        assert metric(service, SENT) > 0 and metric(service, DROPPED) >= len(first) + len(second) + 1
        stop(service)
    log = service.log.read_text()
    assert log.count("does not take spans") == 3 and log.count("takes spans again") == 1, log[-3000:]
    assert log.count("the status 503") == log.count("the status 400") == log.count("of the future") == 1


def test_the_header_is_sent_and_told_to_nobody(start_service, tmp_path):
    secret = tmp_path / "header"
    secret.write_text("Authorization=Bearer quokka-secret-9182\n")
    secret.chmod(0o600)
    with FakeCollector([Taken()]) as collector:
        settings = collector.settings(PATHLIGHT_TRACING_HEADER_FILE=str(secret))
        service = start_service(LOG_LEVEL="trace", **settings)
        with service.client() as client:
            client.get("/livez")
            metrics = client.get("/metrics").body.decode()
        stop(service)
        assert collector.requests[0]["headers"]["authorization"] == "Bearer quokka-secret-9182"
        assert "quokka" not in service.log.read_text() + metrics

        secret.chmod(0o644)
        seed(tmp_path / "other")
        refused = run_command("serve", "--port", "0", "--data", tmp_path / "other", **settings)
        assert refused.returncode == 78 and "tracing.header_file" in refused.stderr and "chmod" in refused.stderr
        secret.chmod(0o600)
        away = {**settings, "PATHLIGHT_TRACING_URL": "http://collector.example.org:4318"}
        refused = run_command("serve", "--port", "0", "--data", tmp_path / "other", **away)
        assert refused.returncode == 78 and "https" in refused.stderr
        secret.write_text("quokka-secret-9182\n")
        refused = run_command("serve", "--port", "0", "--data", tmp_path / "other", **settings)
        assert refused.returncode == 78 and "name=value" in refused.stderr and "quokka" not in refused.stderr


def test_a_model_outside_is_a_span_and_learns_of_no_trace(start_service):
    with FakeCollector([Taken()]) as collector, FakeOpenAI([Answer("Trees.", tokens=(1000, 100))]) as provider:
        service = start_service(**provider.settings(), **collector.settings(PATHLIGHT_TRACING_TRUST_CALLER="true"))
        key = run_command("keys", "create", "--role", "admin", "--data", service.data).stdout.strip()
        body = json.dumps({"variables": {"language": "English", "text": "I like zebrafinkqx71."}}).encode()
        with service.client(timeout=60) as client:
            reply = client.request("POST", "/api/admin/prompts/provider-check/try/", body, {
                "Authorization": f"Bearer {key}", "Content-Type": "application/json",
                "traceparent": f"00-{TRACE}-{CALLER}-01", "tracestate": "other=1"})
        assert reply.expect(200)["reply"] == "Trees."
        stop(service)
        headers = provider.requests[0]["headers"]
        assert "traceparent" not in headers and "tracestate" not in headers
        ((root, below),) = collector.traces("/api/admin/prompts/{id}/try")
        (call,) = [span for span in below if span.name == "llm"]
        assert call.attributes == {
            "gen_ai.provider.name": "openai", "pathlight.outcome": "ok", "gen_ai.usage.input_tokens": "1000",
            "gen_ai.usage.output_tokens": "100"}
        assert not call.has_failed and root.trace == TRACE
        assert "zebrafinkqx71" not in collector.raw and key not in collector.raw


def test_nothing_is_recorded_unless_it_is_asked_for(start_service):
    service = start_service(PATHLIGHT_TRACING_EVERY="1", PATHLIGHT_TRACING_TRUST_CALLER="true")
    with service.client() as client:
        client.get("/livez", traceparent=f"00-{TRACE}-{CALLER}-01")
        assert "pathlight_spans" not in client.get("/metrics").body.decode()
    assert TRACE not in service.log.read_text()


def test_doctor_asks_the_collector(tmp_path):
    def traces(**settings):
        result = run_command("doctor", "--json", "--data", tmp_path / "data", PATHLIGHT_PORT=str(free_port()),
                             **settings)
        found = [check for check in json.loads(result.stdout)["checks"] if check["subject"] == "traces"]
        return result.returncode, found

    assert traces() == (0, [])
    with FakeCollector([Taken(), Status(401)]) as collector:
        code, (found,) = traces(**collector.settings())
        assert code == 0 and found["state"] == "ok" and "every request" in found["detail"]
        assert collector.spans == []
        code, (found,) = traces(**collector.settings())
        assert code == 0 and found["state"] == "warning" and "401" in found["detail"]
    code, (found,) = traces(PATHLIGHT_TRACING_URL=f"http://127.0.0.1:{free_port()}")
    assert code == 0 and found["state"] == "warning"
    code, (found,) = traces(PATHLIGHT_TRACING_URL="http://127.0.0.1:1", PATHLIGHT_TRACING_HEADER_FILE="/no/such/file")
    assert code == 1 and found["state"] == "broken"


@pytest.mark.parametrize("name, value", [
    ("URL", "collector:4318"), ("URL", "http://me:secret@127.0.0.1:4318"), ("URL", "http://127.0.0.1:4318/?key=1"),
    ("EVERY", "0"), ("TRUST_CALLER", "some")])
def test_a_setting_that_cannot_be_meant_is_named(name, value, tmp_path):
    refused = run_command("serve", "--port", "0", "--data", tmp_path, **{f"PATHLIGHT_TRACING_{name}": value})
    assert refused.returncode == 78 and f"PATHLIGHT_TRACING_{name}" in refused.stderr
