"""Takes the quiz, asks for recommendations, saves the best one and reads the whole catalogue.

Python's standard library is all that it needs:

    python examples/python/recommend.py --url http://127.0.0.1:8080
"""

import argparse
import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid


class Problem(Exception):
    """What the service refuses, as its problem document says it (RFC 9457)."""

    def __init__(self, status, document):
        super().__init__(document.get("detail", f"status {status}"))
        self.status = status
        self.code = document.get("code", "unknown")
        self.errors = document.get("errors", [])


class Pathlight:
    """A client of the HTTP API."""

    tries = 4

    def __init__(self, url):
        self.url = url.rstrip("/")
        # Replies by address, with the tag under which the service knows them.
        self.cache = {}
        self.unchanged = 0

    def get(self, path, **query):
        """Reads; what has not changed since the last time is not sent again."""
        address = f"{self.url}{path}" + ("?" + urllib.parse.urlencode(query) if query else "")
        tag, known = self.cache.get(address, (None, None))
        status, headers, body = self._send("GET", address, {"If-None-Match": tag} if tag else {}, None)
        if status == 304:
            self.unchanged += 1
            return known
        document = json.loads(body)
        if "ETag" in headers:
            self.cache[address] = (headers["ETag"], document)
        return document

    def post(self, path, document):
        """Writes. The key makes it safe to send the same request again: it is carried out once."""
        headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
        _, _, body = self._send("POST", self.url + path, headers, json.dumps(document).encode())
        return json.loads(body)

    def careers(self, limit=50):
        """Every career. All pages are of one generation, so that none is repeated or missed; where that one goes
        while we read, we begin again."""
        while True:
            try:
                page = self.get("/api/careers/", limit=limit)
                careers = list(page["items"])
                while page["items"] and len(careers) < page["total"]:
                    page = self.get("/api/careers/", limit=limit, skip=len(careers), generation=page["generation"])
                    careers += page["items"]
                return careers
            except Problem as problem:
                if problem.code != "generation_gone":
                    raise

    def _send(self, method, address, headers, body):
        """One request, sent again after a while where that may help."""
        for attempt in range(1, self.tries + 1):
            request = urllib.request.Request(address, body, headers, method=method)
            wait = 0.5 * attempt
            try:
                with urllib.request.urlopen(request, timeout=30) as reply:
                    return reply.status, reply.headers, reply.read()
            except urllib.error.HTTPError as error:
                if error.code == 304:
                    return 304, error.headers, b""
                content = error.read()
                try:
                    problem = Problem(error.code, json.loads(content))
                except ValueError:
                    problem = Problem(error.code, {"detail": content.decode("utf-8", "replace")[:200]})
                passing = error.code == 503 or problem.code == "idempotency_in_progress"
                if not passing or attempt == self.tries:
                    raise problem from error
                wait = float(error.headers.get("Retry-After") or wait)
            except OSError:
                # The connection went; whether the request arrived is not known, and need not be.
                if attempt == self.tries:
                    raise
            time.sleep(wait)
        raise AssertionError("the last attempt returns or raises")


def answers(questions):
    """Somebody who always takes the first choice and the upper end of a scale; a person would be asked here."""
    given = {}
    for question in questions:
        if question["type"] == "choice":
            given[question["id"]] = question["choices"][0]["id"]
        elif question["type"] == "scale":
            given[question["id"]] = question["scale"]["max"]
        else:
            given[question["id"]] = "I like to find out how things work and to explain it to others."
    return given


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default="http://127.0.0.1:8080", help="where the service is (default %(default)s)")
    client = Pathlight(parser.parse_args().url)

    questions = client.get("/api/quiz/questions/")["items"]
    session = client.post("/api/quiz/submit/", {"answers": answers(questions)})["session_id"]
    print(f"{len(questions)} questions answered in session {session}")

    reply = client.post("/api/results/recommend/", {"session_id": session, "top_n": 5})
    for item in reply["recommendations"]:
        print(f"{item['rank']}. {item['career']} ({item['cluster']}): {item['score']} %, {item['band']}")
        print(f"   {item['explanation']['summary']}")
    for source in reply["attributions"]:
        print(f"Source: {source['attribution'] or source['title']}")

    best = reply["recommendations"][0]
    event = {"session_id": session, "career_id": best["career_id"], "recommendation_id": reply["recommendation_id"]}
    saved = client.post("/api/results/save_career/", event)
    print(f"saved {saved['career_id']} at {saved['saved_at']}")

    careers = client.careers()
    client.careers()
    print(f"{len(careers)} careers read; the second time {client.unchanged} pages were unchanged and not sent again")


if __name__ == "__main__":
    try:
        main()
    except Problem as problem:
        print(f"The service refused ({problem.status} {problem.code}): {problem}", file=sys.stderr)
        for error in problem.errors:
            print(f"  {error['path']}: {error['message']}", file=sys.stderr)
        sys.exit(1)
    except OSError as error:
        print(f"The service cannot be reached: {error}", file=sys.stderr)
        sys.exit(1)
