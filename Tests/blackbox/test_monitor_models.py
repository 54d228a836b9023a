"""Career monitoring beside language model servers that misbehave in every way that the gateway is tested with: each student
has recommendations after every run, marked with who made them."""

import csv
import json
import time

import pytest
from conftest import needs_model
from fake_llm import (Answer, CutOff, Empty, FakeGemini, FakeOpenAI, Huge, Raw, Redirect, Slow, Status,
                      self_signed_certificate)
from harness import run_command

pytestmark = needs_model

PROVIDERS = [FakeOpenAI, FakeGemini]
BLOCKED = {FakeOpenAI: "content_filter", FakeGemini: "SAFETY"}
WORDED = {"careers": [], "additions": [{"career": "Snake charmer", "industry": "Shows", "salary_range": "₹1–2 lakh",
                                        "skills": ["flute"], "reason": "It suits you."}]}
SETTINGS = {
    # So that a failure of one kind says nothing of the next, and a server that says nothing does not keep a test for long.
    "PATHLIGHT_LLM_BREAKER_FAILURES": "1000", "PATHLIGHT_LLM_ATTEMPT_SECONDS": "0.5", "PATHLIGHT_LLM_ATTEMPTS": "2",
    "PATHLIGHT_LLM_DAILY_BUDGET_USD": "1000",
}
# Behaviours, and what the run's report calls them.
FAILURES = {
    "says nothing": (lambda provider: [Slow(60)], "timed_out"),
    "sends a byte at a time": (lambda provider: [Slow(60, drips=True)], "timed_out"),
    "breaks off": (lambda provider: [CutOff()], "unreachable"),
    "too many requests": (lambda provider: [Status(429)], "rate_limited"),
    "an error of its own": (lambda provider: [Status(500)], "rejected"),
    "not available": (lambda provider: [Status(503)], "rejected"),
    "refuses the key": (lambda provider: [Status(401)], "rejected"),
    "refuses the request": (lambda provider: [Status(400)], "rejected"),
    **{f"sends {body[:8]!r}": (lambda provider, body=body: [Raw(body)], "bad_reply")
       for body in (b"", b"{", b"<html>", b"null", b"[]", b'{"a":1}', b"\xff\xfe{}", b"[" * 100_000)},
    "no answer in it": (lambda provider: [Empty(tokens=(10, 10))], "bad_reply"),
    "talks": (lambda provider: [Answer("Of course! Here are some careers.")], "bad_reply"),
    "another form": (lambda provider: [Answer({"careers": "all of them", "additions": []})], "bad_reply"),
    "says nothing new": (lambda provider: [Answer({"careers": [], "additions": []})], "bad_reply"),
    "careers that nobody asked about": (
        lambda provider: [Answer({"careers": [{"career_id": "nobody", "reason": "Fits."}], "additions": []})], "bad_reply"),
    "does not end": (lambda provider: [Huge()], "too_large"),
    "blocks": (lambda provider: [Answer("", finish=BLOCKED[provider])], "blocked"),
    **{f"redirects with {status}": (lambda provider, status=status: [Redirect("http://169.254.169.254/", status)], "unreachable")
       for status in (301, 302, 307, 308)},
}


class Watched:
    """A service whose runs are asked for, with two students who say something new before each."""

    def __init__(self, service):
        self.service = service
        self.headers = {"Authorization": "Bearer " + run_command(
            "keys", "create", "--role", "admin", "--data", service.data).stdout.strip()}
        self.client = service.client(timeout=60)
        self.turn = 0

    def ask(self, method, path, document=None, status=200):
        body = json.dumps(document).encode() if document is not None else None
        headers = {**self.headers, **({"Content-Type": "application/json"} if body else {})}
        return self.client.request(method, path, body, headers).expect(status)

    def run(self):
        """Has both students say something new, runs, and gives the run's report and both lists."""
        self.turn += 1
        for student, interest in (("ada", "painting pictures"), ("bob", "cooking meals")):
            said = {"username": student, "name": student, "hometown": "Pune", "course": f"Course {self.turn} of arts",
                    "interests": f"{interest}, hobby {self.turn}"}
            self.ask("PUT", f"/api/monitor/students/{student}/", said, status=201 if self.turn == 1 else 200)
        task = self.ask("POST", "/api/monitor/run/", status=202)["task_id"]
        deadline = time.monotonic() + 90
        while True:
            latest = self.ask("GET", "/api/monitor/status/")["latest_run"]
            if latest and latest["state"] not in ("running", "stopped") and latest["id"] != getattr(self, "last", None):
                break
            assert time.monotonic() < deadline, f"task {task}: {latest}\n{self.service.log_tail()}"
            time.sleep(0.02)
        self.last = latest["id"]
        assert latest["state"] == "done", latest
        lists = [self.ask("GET", f"/api/monitor/students/{student}/") for student in ("ada", "bob")]
        return latest["report"], lists

    def expect_engine(self, problem):
        """After a run every list is there and the engine's, for this reason, at every place where it is served."""
        report, lists = self.run()
        students, courses = report["students"], report["courses"]
        assert students["changed"] + students["new"] == students["generated"] == 2, report
        assert students["failed"] == students["fallen_back"] == students["worded"] == courses["worded"] == 0, report
        assert courses["generated"] == 1 and report["problems"] == {problem: 3}, report
        for student in lists:
            assert_engines(student["recommendations"])
            assert student["origin"] == "engine" and not student["demo"], student
        with open(self.service.data / "input" / "student_interests.csv", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        assert [row["user_id"] for row in rows] == ["ada", "bob"]
        for row in rows:
            assert row["interests"].endswith(f"hobby {self.turn}")
            assert_engines(json.loads(row["career_recommendations"]))
        return report


def assert_engines(careers):
    assert len(careers) == 10, careers
    for career in careers:
        assert career["origin"] == "engine" and career["reason"] and career["in_catalogue"], career


@pytest.mark.parametrize("provider", PROVIDERS)
def test_whatever_a_model_does_each_student_has_recommendations(provider, start_service):
    with provider([Answer(WORDED)]) as server:
        watched = Watched(start_service(**{**server.settings(), **SETTINGS}))
        assert_worded(*watched.run())
        for name, (script, problem) in FAILURES.items():
            server.now(*script(provider))
            asked = len(server.requests)
            watched.expect_engine(problem)
            assert len(server.requests) > asked, f"nobody was asked: {name}"
        # None of them is held against it.
        server.now(Answer(WORDED))
        assert_worded(*watched.run())
        # An hour, in which nobody asks again.
        server.now(Status(429, Retry_After="3600"))
        watched.expect_engine("rate_limited")
        asked = len(server.requests)
        server.now(Answer(WORDED))
        watched.expect_engine("rate_limited")
        assert len(server.requests) == asked


def assert_worded(report, lists):
    assert report["students"]["worded"] == 2 and report["problems"] == {}, report
    for student in lists:
        *engine, added = student["recommendations"]
        assert_engines(engine)
        assert student["origin"] == "model" and added["origin"] == "model", student
        assert added["career"] == "Snake charmer" and not added["in_catalogue"]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_without_a_server_a_budget_or_trust_each_student_has_recommendations(provider, start_service, tmp_path):
    with provider([Answer(WORDED)]) as server:
        gone = server.settings()
    Watched(start_service(**{**gone, **SETTINGS})).expect_engine("unreachable")
    with provider([Answer(WORDED)], certificate=self_signed_certificate(tmp_path)) as server:
        Watched(start_service(**{**server.settings(), **SETTINGS})).expect_engine("unreachable")
        assert not server.requests
    with provider([Status(401)]) as server:
        watched = Watched(start_service(**{**server.settings(), **SETTINGS, "PATHLIGHT_LLM_BREAKER_FAILURES": "1"}))
        report, _ = watched.run()
        assert report["problems"].keys() <= {"rejected", "breaker_open"} and report["problems"]["breaker_open"] >= 1
        watched.expect_engine("breaker_open")
        watched.ask("PUT", "/api/admin/budgets/", {"daily_limit_usd": 0})
        asked = len(server.requests)
        report, _ = watched.run()
        assert report["problems"].keys() <= {"over_budget", "breaker_open"}
        assert report["cost_usd"] == 0 and len(server.requests) == asked
