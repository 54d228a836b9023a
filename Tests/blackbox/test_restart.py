"""A restart on the same port under load: what was accepted is answered, what was asked happens once."""

import http.client
import json
import sqlite3
import threading
import time
import uuid

import harness
from harness import Service

RECOMMEND = "/api/results/recommend/"
PEOPLE = 4


class SamePort(Service):
    """Starts again where it listened before, as a service manager does."""

    def launch(self):
        if self.port is None:
            return super().launch()
        kept = self.port
        # The port that the base class would look for is this one.
        find = harness.free_port
        harness.free_port = lambda: kept
        try:
            return super().launch()
        finally:
            harness.free_port = find


class Person(threading.Thread):
    """Asks without a pause over one connection; a request that gets no reply is sent again under the same key."""

    def __init__(self, service, number):
        super().__init__(daemon=True)
        self.service = service
        self.number = number
        self.stop = threading.Event()
        self.answered = {}
        self.again = 0
        self.cut = []
        self.problems = []

    def run(self):
        turn = 0
        while not self.stop.is_set():
            turn += 1
            abilities = [(self.number + turn * (index + 3)) % 11 for index in range(13)] + [turn % 5, 10]
            self.ask(json.dumps({"abilities": abilities}).encode(), uuid.uuid4().hex)

    def ask(self, body, key):
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                status, content = self.attempt(body, key)
            except (ConnectionError, http.client.RemoteDisconnected):
                # Refused, or closed before a byte of the reply: nobody was told anything.
                self.close()
                self.again += 1
                time.sleep(0.01)
                continue
            except http.client.HTTPException as error:
                self.cut.append(repr(error))
                self.close()
                continue
            if status == 200:
                self.answered[key] = json.loads(content)["session_id"]
                return
            # An attempt under way in the process that ends, or a start that is not done.
            if status not in (409, 429, 503):
                self.problems.append((status, content[:300]))
                return
            time.sleep(0.02)
        self.problems.append(("no answer", key))

    connection = None

    def attempt(self, body, key):
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.service.port, timeout=30)
        self.connection.request(
            "POST", RECOMMEND, body, {"Content-Type": "application/json", "Idempotency-Key": key})
        response = self.connection.getresponse()
        return response.status, response.read()

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def stored_sessions(service):
    connection = sqlite3.connect(f"file:{service.data}/pathlight.db?mode=ro", uri=True)
    try:
        return [row[0] for row in connection.execute("SELECT id FROM sessions")]
    finally:
        connection.close()


def test_a_restart_on_the_same_port_loses_nothing_that_was_accepted(tmp_path):
    service = SamePort(tmp_path / "data", tmp_path / "service.log", is_seeded=True)
    service.start()
    people = [Person(service, number) for number in range(PEOPLE)]
    try:
        for person in people:
            person.start()
        for _ in range(3):
            wanted = {person: len(person.answered) + 20 for person in people}
            deadline = time.monotonic() + 60
            while any(len(person.answered) < count for person, count in wanted.items()):
                assert time.monotonic() < deadline, [person.problems[:2] for person in people]
                time.sleep(0.01)
            assert service.terminate() == 0, service.log_tail()
            service.start()
        for person in people:
            person.stop.set()
        for person in people:
            person.join(60)
        assert not any(person.problems for person in people), [person.problems[:3] for person in people]
        assert not any(person.cut for person in people), "a reply was cut off in its middle"
        assert any(person.again for person in people), "the restarts met no request"
        answered = [session for person in people for session in person.answered.values()]
        stored = stored_sessions(service)
        assert set(answered) <= set(stored), "an answer that was given is not stored"
        assert len(answered) == len(set(answered)) == len(stored), "a request took effect more than once"
    finally:
        for person in people:
            person.stop.set()
        service.stop()


def test_readyz_says_that_the_service_is_about_to_go_while_it_still_answers(start_service):
    service = start_service(PATHLIGHT_TIMEOUTS_DRAIN_SECONDS="3")
    service.process.terminate()
    deadline = time.monotonic() + 2
    while True:
        with service.client() as client:
            reply = client.get("/readyz")
        if reply.status == 503:
            break
        assert time.monotonic() < deadline, reply.body
        time.sleep(0.02)
    reply.expect_problem(503, "draining")
    with service.client() as client:
        assert client.get("/livez").status == 200, "alive, though not ready"
        client.post(RECOMMEND, {"abilities": [5] * 14 + [9]}).expect(200)
    assert service.process.wait(20) == 0
