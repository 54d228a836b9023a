"""Shared by the tests of models outside: services over careers that a fake provider has embedded, and who asks them."""

import json
import shutil
import time

from fake_llm import FakeGemini, FakeOpenAI, Vectors
from harness import EMPTY_FOLDER, made_once, run_command

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


def embedded_data(provider):
    """A data folder whose careers the provider has embedded; to be copied."""
    def make(data):
        with provider([Vectors()]) as server:
            done = report(reembed(server, data))
        assert done["switched"] and done["embedded"] == done["careers"] > 100, done

    return made_once(f"embedded-{provider.__name__}", make)


def copy_embedded(provider, data):
    """Makes a data folder whose careers the provider has embedded."""
    shutil.copytree(embedded_data(provider), data)
    return data


def start_embedded(start_service, data, server, **more):
    """Starts a service over careers that a fake provider has embedded, or over the folder as it was left."""
    if not data.exists():
        copy_embedded(type(server), data)
    return start_service(data=data, **settings(server, **more))


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
        ready = self.readiness()
        assert ready["status"] == "ready", ready


def expect_degraded(reply, *reasons):
    assert reply["degraded"] and reply["degraded"]["reason"] in reasons, reply["degraded"]
    assert reply["degraded"]["detail"], reply["degraded"]
