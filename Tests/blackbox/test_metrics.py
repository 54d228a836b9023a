"""`/metrics` has what the tables of docs/operations.md send an operator to, under the names and labels that stand there."""

import json
import re
import sqlite3
import time

import pytest
from conftest import needs_model
from fake_collector import FakeCollector, Taken
from fake_llm import Answer, FakeOpenAI
from harness import ROOT, Service, run_command, seed

# `pathlight_llm_calls_total`, `…_call_duration_seconds`: a name, or the end of one like the name before it.
NAME = re.compile(r"\b((?:pathlight|http|process)_[a-z_]*[a-z])(?:\{([^}]*)\})?|…(_[a-z_]*[a-z])")
SERIES = re.compile(r"^([a-z_]+?)(?:_bucket|_sum|_count)?(?:\{(.*)\})? (\S+)$")
KEY_SET = {"keys": [{"kty": "EC", "crv": "P-256", "alg": "ES256", "kid": "a",
                     "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                     "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}


def documented():
    """The metrics in the tables, each with the labels that are asked of it."""
    found = {}
    for line in (ROOT / "docs/operations.md").read_text("utf-8").splitlines():
        if not line.startswith("|"):
            continue
        last = None
        for name, labels, end in NAME.findall(line):
            if end:
                assert last, f"{end} is the end of no name: {line}"
                name = "_".join(last.split("_")[:2]) + end
            else:
                last = name
            found.setdefault(name, set()).update(re.findall(r"([a-z_]+)[=!]~?\"", labels))
    return found


def parsed(text):
    """The types by name, and the series: name, labels, value."""
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    series = []
    for line in text.splitlines():
        match = SERIES.match(line)
        if match:
            name = match[1] if match[1] in types else line.split("{")[0].split(" ")[0]
            series.append((name, dict(re.findall(r'([a-z_]+)="([^"]*)"', match[2] or "")), float(match[3])))
    return types, series


@pytest.fixture(scope="module")
def exposition(tmp_path_factory):
    """What `/metrics` shows of a service that has everything set and has done a little of everything."""
    folder = tmp_path_factory.mktemp("metrics")
    seed(folder / "data")
    now = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
    with sqlite3.connect(folder / "data/pathlight.db") as database:
        database.execute(
            "INSERT INTO tasks (id, kind, payload, priority, state, attempts, maximum_attempts, due_at, cancel_requested,"
            " created_at, finished_at) VALUES (?, 'housekeeping', '{}', 0, 'dead', 10, 10, ?, 0, ?, ?)",
            ("0" * 32, now, now, now))
    keys = folder / "keys.json"
    keys.write_text(json.dumps(KEY_SET), "utf-8")
    with FakeCollector([Taken()]) as collector, FakeOpenAI([Answer("Well.")]) as provider:
        service = Service(folder / "data", folder / "service.log", PATHLIGHT_AUTH_JWT_JWKS_FILE=str(keys),
                          **collector.settings(), **provider.settings()).start()
        try:
            made = run_command("keys", "create", "--role", "admin", "--data", service.data)
            headers = {"Authorization": f"Bearer {made.stdout.strip()}", "Content-Type": "application/json"}
            ask = {"variables": {"language": "English", "text": "All is well."}}
            with service.client() as client:
                client.post("/api/results/recommend/", {"text": "I like maps."}).expect(200)
                for limit in (2, 0):
                    # The second is refused, which is an alert.
                    client.request("PUT", "/api/admin/budgets/", json.dumps({"daily_limit_usd": limit}),
                                   headers).expect(200)
                    client.request("POST", "/api/admin/prompts/provider-check/try/", json.dumps(ask),
                                   headers).expect(200)
                yield parsed(client.get("/metrics").body.decode())
        finally:
            service.stop()


@needs_model
def test_every_metric_of_the_operators_tables_is_there(exposition):
    types, series = exposition
    named = documented()
    assert len(named) >= 30 and {"http_requests_total", "pathlight_mail_degraded", "process_max_fds"} <= set(named)
    missing = sorted(set(named) - set(types))
    assert not missing, missing
    for name, labels in named.items():
        shown = {label for each, its, _ in series if each == name for label in its}
        assert labels <= shown, f"{name} has {shown}, the tables ask for {labels}"


@needs_model
def test_their_values_can_be_what_they_are_called(exposition):
    _, series = exposition

    def value(name, **labels):
        [found] = [value for each, its, value in series if each == name and labels.items() <= its.items()]
        return found

    assert value("pathlight_data_free_bytes") > 1 << 20
    assert value("pathlight_database_log_bytes") >= 0
    assert value("pathlight_database_writes", outcome="failed") == 0
    assert value("pathlight_database_writes", outcome="committed") > 0
    assert value("pathlight_mail_degraded") == 0
    assert value("pathlight_pending_careers") == 0
    assert value("pathlight_llm_breaker_state") == 0
    assert value("pathlight_llm_budget_alerts_total", percent="100") == 1
    assert value("pathlight_llm_call_duration_seconds", le="+Inf") >= 1
    assert value("pathlight_llm_cache_hits", place="memory") == value("pathlight_llm_cache_hits", place="store") == 0
    assert value("pathlight_tasks", kind="housekeeping", state="dead") == 1
    assert value("pathlight_token_key_set_degraded") == 0
    assert 5 < value("process_open_fds") < value("process_max_fds")
    assert 10 << 20 < value("process_resident_memory_bytes") < 1 << 37
