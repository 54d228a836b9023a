"""What was confirmed is there after `kill -9` under load."""

import http.client
import threading
import time

from harness import Service

THREADS = 4
ROUNDS = 5
RECOMMEND = "/api/results/recommend/"
SAVE = "/api/results/save_career/"


class Hammer(threading.Thread):
    """Recommends and saves as fast as replies come, and notes what was confirmed, until the service is gone."""

    def __init__(self, service, number):
        super().__init__(daemon=True)
        self.service = service
        self.number = number
        self.sessions = {}
        self.saved = []
        self.refused = []

    def run(self):
        try:
            with self.service.client(timeout=10) as client:
                while True:
                    self.step(client)
        except (OSError, http.client.HTTPException):
            pass  # The kill; what had no reply was not confirmed.

    def step(self, client):
        # Ability requests need no model, and each differs from the one before.
        abilities = [(self.number * 3 + len(self.sessions) * (index + 1)) % 11 for index in range(15)]
        if len(set(abilities)) == 1:
            abilities[0] = (abilities[0] + 1) % 11
        reply = client.post(RECOMMEND, {"abilities": abilities})
        if reply.status != 200:
            self.refused.append(reply.body)
            return
        session = reply.json
        self.sessions[session["session_id"]] = [item["career"] for item in session["recommendations"]]
        career = session["recommendations"][len(self.sessions) % 5]["career_id"]
        reply = client.post(SAVE, {"session_id": session["session_id"], "career_id": career})
        if reply.status == 201:
            self.saved.append((session["session_id"], career))
        else:
            self.refused.append(reply.body)


def check(service, sessions, saved):
    """Asks for everything that was ever confirmed."""
    saved_in = {}
    for session, career in saved:
        saved_in.setdefault(session, []).append(career)
    with service.client() as client:
        for session, careers in sessions.items():
            reply = client.get(f"/api/results/{session}/")
            assert reply.status == 200, f"the confirmed session {session} is lost: {reply.body!r}"
            stored = reply.json
            assert [item["career"] for item in stored["recommendations"]] == careers
            for career in saved_in.get(session, []):
                assert career in stored["saved_careers"], f"the confirmed save of {career} in {session} is lost"


def test_confirmed_sessions_and_saves_survive_kill_nine(start_service, tmp_path, generator):
    sessions, saved = {}, []
    service = start_service(data=tmp_path / "data")
    for number in range(ROUNDS):
        hammers = [Hammer(service, thread) for thread in range(THREADS)]
        for hammer in hammers:
            hammer.start()
        # First let work be confirmed, however slow the machine is; then the moment is random.
        deadline = time.monotonic() + 60
        while sum(len(hammer.saved) for hammer in hammers) < 20 and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(generator.uniform(0.0, 0.8))
        service.kill()
        for hammer in hammers:
            hammer.join(15)
            assert not hammer.is_alive()
            assert not hammer.refused, hammer.refused[0]
            sessions.update(hammer.sessions)
            saved.extend(hammer.saved)
        assert sum(len(hammer.saved) for hammer in hammers) >= 20, f"hardly any save was confirmed in round {number}"
        service = start_service(data=tmp_path / "data")
        check(service, sessions, saved)
    print(f"{len(sessions)} sessions and {len(saved)} saves confirmed over {ROUNDS} kills, none lost")
    assert service.terminate() == 0


def test_a_kill_while_starting_does_no_harm(start_service, tmp_path, generator):
    """The first start creates tables and embeds the catalogue; a kill anywhere in it must not spoil the next one."""
    for number in range(4):
        service = Service(tmp_path / "data", tmp_path / f"killed-{number}.log")
        service.launch()
        time.sleep(generator.uniform(0.0, 0.6))
        service.kill()
    service = start_service(data=tmp_path / "data")
    with service.client() as client:
        assert len(client.post(RECOMMEND, {"abilities": [5] * 14 + [9]}).expect(200)["recommendations"]) == 5
