"""People who ask and give feedback without a pause, and remember what the service confirmed to them."""

import http.client
import random
import sqlite3
import threading
import time

from catalogue import DEPTH, QUERIES, RECOMMEND, brief, question

FEEDBACK = ("save", "choose", "dismiss")
KINDS = {"save": "saved", "choose": "chosen", "dismiss": "dismissed"}
# The service is to share two processors with what is being killed.
PAUSE_SECONDS = 0.03


class Confirmed:
    """What clients were told is stored."""

    def __init__(self):
        self.sessions = {}
        self.events = {}

    def absorb(self, person):
        for session, reply in person.sessions.items():
            self.sessions[session] = reply
        for session, events in person.events.items():
            self.events.setdefault(session, []).extend(events)

    def check(self, client, sessions):
        for session in sessions:
            reply = client.get(f"/api/results/{session}/")
            assert reply.status == 200, f"the confirmed session {session} is lost: {reply.body[:300]!r}"
            stored = reply.json
            if self.sessions[session] is not None:
                recommendation, shown = self.sessions[session]
                assert (stored["recommendation_id"], brief(stored)) == (recommendation, shown), (
                    f"session {session} has another list than was confirmed")
            found = {(event["kind"], event["career_id"], event["recommendation_id"]) for event in stored["events"]}
            for event in self.events.get(session, []):
                assert event in found, f"the confirmed {event} of session {session} is lost: {found}"

    def count(self, data):
        """Looks for every confirmed session and event in the database itself."""
        with sqlite3.connect(data / "pathlight.db") as database:
            sessions = {row[0] for row in database.execute("SELECT id FROM sessions")}
            events = set(database.execute("SELECT session_id, kind, career_id, recommendation_id FROM career_events"))
        database.close()
        lost = set(self.sessions) - sessions
        assert not lost, f"{len(lost)} confirmed sessions are lost, among them {min(lost)}"
        wanted = {(session, *event) for session, told in self.events.items() for event in told}
        assert wanted <= events, f"confirmed events are lost, among them {min(wanted - events)}"


class Person(threading.Thread):
    """Asks the known questions; whoever writes also gives feedback and asks again in the same session."""

    def __init__(self, service, reference, seed, writes):
        super().__init__(daemon=True)
        self.service = service
        self.reference = reference
        self.random = random.Random(seed)
        self.writes = writes
        self.sessions = {}
        self.events = {}
        # States of the catalogue that replies were of, where only one fits.
        self.states = set()
        self.failure = None
        self.replies = 0
        self.is_asked_to_stop = threading.Event()
        self.is_end_expected = False

    def run(self):
        try:
            with self.service.client(timeout=30) as client:
                while not self.is_asked_to_stop.is_set():
                    self.step(client)
                    time.sleep(PAUSE_SECONDS)
        except (OSError, http.client.HTTPException) as error:
            if not self.is_end_expected:
                self.failure = f"the connection broke: {error!r}"
        except AssertionError as error:
            self.failure = str(error)

    def step(self, client):
        number = self.random.randrange(len(QUERIES))
        reply = client.post(RECOMMEND, question(number, DEPTH))
        assert reply.status == 200, f"{reply.status}: {reply.body[:500]!r}"
        reply = reply.json
        self.check(reply)
        states = self.reference.states(number, reply)
        assert states, (
            f"generation {reply['generation']} answered query {number} {QUERIES[number]} like no state of the catalogue: "
            f"{brief(reply)}")
        self.states.update(states if len(states) == 1 else [])
        session = reply["session_id"]
        self.sessions[session] = reply["recommendation_id"], brief(reply)
        if self.writes:
            self.give_feedback(client, session, reply)

    def check(self, reply):
        self.replies += 1
        assert reply["exact"] is True and reply["complete"] is True, reply
        assert reply["degraded"] is None, reply["degraded"]
        scores = [item["score"] for item in reply["recommendations"]]
        assert len(scores) == DEPTH and scores == sorted(scores, reverse=True), scores

    def give_feedback(self, client, session, reply):
        careers = [item["career_id"] for item in reply["recommendations"]]
        # Each deed on a career of its own: saving takes a dismissal back.
        for deed, career in zip(self.random.sample(FEEDBACK, 2), self.random.sample(careers, 2)):
            body = {"session_id": session, "career_id": career, "recommendation_id": reply["recommendation_id"]}
            told = client.post(f"/api/results/{deed}_career/", body)
            if told.status == 404 and told.json["code"] == "career_not_found":
                continue  # An import retired it meanwhile.
            assert told.status == 201, f"{told.status}: {told.body[:500]!r}"
            self.events.setdefault(session, []).append((KINDS[deed], career, reply["recommendation_id"]))
        if self.random.random() < 0.3:
            number = self.random.randrange(len(QUERIES))
            # Until there is a reply, either list may be the stored one.
            confirmed, self.sessions[session] = self.sessions[session], None
            told = client.post(RECOMMEND, question(number, DEPTH, session_id=session))
            assert told.status == 200, f"{told.status}: {told.body[:500]!r}"
            self.check(told.json)
            assert told.json["session_id"] == session
            self.sessions[session] = told.json["recommendation_id"], brief(told.json)


class Crowd:
    """Several people at one service."""

    def __init__(self, service, reference, seeds, confirmed):
        self.confirmed = confirmed
        self.people = [Person(service, reference, seed, writes=number % 2 == 0) for number, seed in enumerate(seeds)]
        for person in self.people:
            person.start()

    @property
    def replies(self):
        return sum(person.replies for person in self.people)

    def expect_end(self):
        """From now on broken connections are the kill's doing."""
        for person in self.people:
            person.is_end_expected = True

    def require_health(self):
        for person in self.people:
            assert person.failure is None, person.failure

    def end(self):
        """Waits for everybody, after a kill or to stop; gives the sessions that were confirmed since the start."""
        for person in self.people:
            person.is_asked_to_stop.set()
        new = []
        for person in self.people:
            person.join(40)
            assert not person.is_alive(), "a request had no answer for 40 s"
            self.confirmed.absorb(person)
            new += person.sessions
        self.require_health()
        return new
