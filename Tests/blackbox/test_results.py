"""Sessions, saved and viewed careers, and the careers themselves."""

import re

import pytest

RECOMMEND = "/api/results/recommend/"
SAVE = "/api/results/save_career/"
VIEW = "/api/results/view_career/"
TEXT = "I like to teach children and to explain difficult things simply."


@pytest.fixture
def session(client):
    return client.post(RECOMMEND, {"text": TEXT}).expect(200)


def test_a_session_is_stored_with_its_recommendations(client, session):
    stored = client.get(f"/api/results/{session['session_id']}/").expect(200)
    assert stored["session_id"] == session["session_id"]
    assert stored["recommendations"] == session["recommendations"]
    assert stored["saved_careers"] == []
    assert stored["viewed_careers"] == []


def test_a_career_is_saved_once(client, session):
    request = {"session_id": session["session_id"], "career_id": session["recommendations"][1]["career_id"]}
    first = client.post(SAVE, request).expect(201)
    assert {name: first[name] for name in request} == request
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", first["saved_at"]), first
    assert client.post(SAVE, request).expect(200) == first
    stored = client.get(f"/api/results/{session['session_id']}/").expect(200)
    assert stored["saved_careers"] == [request["career_id"]]


def test_a_viewed_career_is_remembered(client, session):
    request = {"session_id": session["session_id"], "career_id": session["recommendations"][0]["career_id"]}
    assert client.post(VIEW, request).status in (200, 201)
    assert client.post(VIEW, request).status in (200, 201)
    stored = client.get(f"/api/results/{session['session_id']}/").expect(200)
    viewed = [item if isinstance(item, str) else item["career_id"] for item in stored["viewed_careers"]]
    assert viewed == [request["career_id"]]


@pytest.mark.parametrize("path", [SAVE, VIEW])
def test_unknown_sessions_and_careers_are_refused_by_name(client, session, path):
    known = {"session_id": session["session_id"], "career_id": session["recommendations"][0]["career_id"]}
    for name in known:
        problem = client.post(path, {**known, name: "no-such-thing"}).expect_problem()
        assert problem["status"] in (404, 422)
        assert "no-such-thing" in str(problem) or name in str(problem)
        client.post(path, {key: value for key, value in known.items() if key != name}).expect_named(name)
        client.post(path, {**known, name: 5}).expect_named(name)


@pytest.mark.parametrize("session_id", ["nothing", "00000000-0000-7000-8000-000000000000", "%2e%2e%2f", "a" * 500])
def test_an_unknown_session_is_not_found(client, session_id):
    assert client.get(f"/api/results/{session_id}/").expect_problem()["status"] in (400, 404, 422)


def all_careers(client, limit):
    careers = []
    while True:
        page = client.get(f"/api/careers/?skip={len(careers)}&limit={limit}").expect(200)
        assert (page["skip"], page["limit"]) == (len(careers), limit)
        careers += page["items"]
        if not page["items"]:
            assert len(careers) == page["total"]
            return careers


def test_careers_are_listed_in_pages_of_one_stable_order(client):
    careers = all_careers(client, limit=50)
    assert len(careers) >= 120
    assert len({item["cluster"] for item in careers}) >= 14
    ids = [item["id"] for item in careers]
    assert len(set(ids)) == len(ids)
    assert [item["id"] for item in all_careers(client, limit=17)] == ids
    beyond = client.get("/api/careers/?skip=100000").expect(200)
    assert beyond["items"] == [] and beyond["total"] == len(ids)


@pytest.mark.parametrize("query", ["limit=0", "limit=-1", "limit=x", "skip=-1", "limit=99999999999999999999", "page=2"])
def test_a_wrong_page_is_refused(client, query):
    client.get(f"/api/careers/?{query}").expect_named(query.split("=")[0], 400, 422)


def test_a_career_has_every_field_and_neighbours(client):
    listed = client.get("/api/careers/?limit=1").expect(200)["items"][0]
    career = client.get(f"/api/careers/{listed['id']}/").expect(200)
    assert career["id"] == listed["id"]
    for name in ("description", "required_skills", "suitable_for", "required_education", "job_growth",
                 "typical_companies", "related_careers", "cluster"):
        assert career.get(name), f"{name} is missing in {career}"
    similar = client.get(f"/api/careers/{listed['id']}/similar/").expect(200)["items"]
    assert similar and listed["id"] not in [item.get("career_id") or item.get("id") for item in similar]
    client.get("/api/careers/no-such-career/").expect_problem(404)
    client.get("/api/careers/no-such-career/similar/").expect_problem(404)
