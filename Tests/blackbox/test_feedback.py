"""Careers saved, viewed, dismissed and chosen, and the recommendations that showed them."""

import re

import pytest

RECOMMEND = "/api/results/recommend/"
ROUTES = {"saved": "/api/results/save_career/", "viewed": "/api/results/view_career/",
          "dismissed": "/api/results/dismiss_career/", "chosen": "/api/results/choose_career/"}
ONCE = ["saved", "dismissed", "chosen"]
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"


@pytest.fixture
def shown(client):
    """A recommendation: its reply has `session_id` and `recommendation_id`."""
    return client.post(RECOMMEND, {"text": "I like to teach children and to explain difficult things."}).expect(200)


def event(shown, position=0, **more):
    return {"session_id": shown["session_id"], "career_id": shown["recommendations"][position]["career_id"], **more}


def result(client, shown):
    return client.get(f"/api/results/{shown['session_id']}/").expect(200)


@pytest.mark.parametrize("kind", ROUTES)
def test_an_event_is_recorded_with_its_recommendation(client, shown, kind):
    request = event(shown, 1, recommendation_id=shown["recommendation_id"])
    reply = client.post(ROUTES[kind], request).expect(201)
    expected = {**request, "kind": kind, "recorded": True}
    assert {name: reply[name] for name in expected} == expected
    assert set(reply) - set(expected) == ({"saved_at"} if kind == "saved" else set())
    stored = result(client, shown)
    assert stored[f"{kind}_careers"] == [request["career_id"]]
    [entry] = stored["events"]
    assert re.fullmatch(TIME, entry.pop("at"))
    assert entry == {"kind": kind, "career_id": request["career_id"], "recommendation_id": shown["recommendation_id"]}


@pytest.mark.parametrize("kind", ONCE)
def test_doing_it_again_changes_nothing(client, shown, kind):
    first = client.post(ROUTES[kind], event(shown)).expect(201)
    assert first["recommendation_id"] is None
    assert client.post(ROUTES[kind], event(shown)).expect(200) == first
    assert len(result(client, shown)["events"]) == 1


@pytest.mark.parametrize("kind", ONCE)
def test_it_can_be_taken_back(client, shown, kind):
    client.post(ROUTES[kind], event(shown)).expect(201)
    for _ in range(2):
        undone = client.post(ROUTES[kind], event(shown, undo=True)).expect(200)
        assert undone["recorded"] is False and "saved_at" not in undone
        assert result(client, shown)[f"{kind}_careers"] == []
    client.post(ROUTES[kind], event(shown, undo=False)).expect(201)
    assert result(client, shown)[f"{kind}_careers"] == [event(shown)["career_id"]]


def test_a_view_cannot_be_taken_back(client, shown):
    client.post(ROUTES["viewed"], event(shown, undo=True)).expect_named("undo")


def test_each_view_counts_and_is_listed_once(client, shown):
    for _ in range(3):
        client.post(ROUTES["viewed"], event(shown)).expect(201)
    stored = result(client, shown)
    assert stored["viewed_careers"] == [event(shown)["career_id"]]
    assert [entry["kind"] for entry in stored["events"]] == ["viewed"] * 3


@pytest.mark.parametrize("first, second", [("saved", "dismissed"), ("dismissed", "saved")])
def test_saving_and_dismissing_take_each_other_back(client, shown, first, second):
    for kind in (first, second):
        client.post(ROUTES[kind], event(shown)).expect(201)
    stored = result(client, shown)
    assert stored[f"{first}_careers"] == [] and stored[f"{second}_careers"] == [event(shown)["career_id"]]


def test_events_are_listed_in_their_order(client, shown):
    deeds = [("viewed", 0), ("saved", 0), ("viewed", 1), ("dismissed", 1), ("chosen", 0), ("saved", 2)]
    for kind, position in deeds:
        client.post(ROUTES[kind], event(shown, position)).expect(201)
    listed = [(entry["kind"], entry["career_id"]) for entry in result(client, shown)["events"]]
    assert listed == [(kind, event(shown, position)["career_id"]) for kind, position in deeds]


@pytest.mark.parametrize("kind", ROUTES)
def test_what_does_not_exist_is_named(client, shown, kind):
    good = event(shown)
    client.post(ROUTES[kind], {**good, "session_id": "0" * 32}).expect_problem(404, "session_not_found")
    client.post(ROUTES[kind], {**good, "career_id": "wizard"}).expect_problem(404, "career_not_found")
    unknown = {**good, "recommendation_id": "0" * 32}
    client.post(ROUTES[kind], unknown).expect_problem(404, "recommendation_not_found")
    assert result(client, shown)["events"] == []
    # Also where the event stands already and nothing would be written.
    client.post(ROUTES[kind], good).expect(201)
    client.post(ROUTES[kind], unknown).expect_problem(404, "recommendation_not_found")


@pytest.mark.parametrize("kind", ROUTES)
def test_another_session_s_recommendation_is_as_if_it_were_not_there(client, shown, kind):
    other = client.post(RECOMMEND, {"text": "I like to teach children and to explain difficult things."}).expect(200)
    assert other["session_id"] != shown["session_id"]
    told = []
    for foreign in (other["recommendation_id"], "0" * 32):
        problem = client.post(ROUTES[kind], event(shown, recommendation_id=foreign)).expect_problem(
            404, "recommendation_not_found")
        assert foreign in problem["detail"]
        told.append({name: str(problem[name]).replace(foreign, "X") for name in ("detail", "errors", "title")})
    assert told[0] == told[1]
    assert result(client, shown)["events"] == result(client, other)["events"] == []
    # One that the same session was given before its latest counts.
    again = client.post(RECOMMEND, {"text": "I like bees.", "session_id": shown["session_id"]}).expect(200)
    assert again["recommendation_id"] != shown["recommendation_id"]
    client.post(ROUTES[kind], event(shown, recommendation_id=shown["recommendation_id"])).expect(201)


@pytest.mark.parametrize("kind", ONCE)
def test_taking_back_in_an_unknown_session_is_refused(client, shown, kind):
    request = {**event(shown), "session_id": "0" * 32, "undo": True}
    client.post(ROUTES[kind], request).expect_problem(404, "session_not_found")


@pytest.mark.parametrize("kind", ROUTES)
@pytest.mark.parametrize("name, value", [
    ("recommendation_id", 5), ("recommendation_id", ""), ("recommendation_id", "x" * 65), ("session_id", 5),
    ("career_id", ""), ("career_id", "x" * 300), ("liked", True)])
def test_a_wrong_value_is_refused_by_name(client, shown, kind, name, value):
    client.post(ROUTES[kind], {**event(shown), name: value}).expect_named(name)


@pytest.mark.parametrize("value", ["yes", 1, []])
def test_undo_is_true_or_false(client, shown, value):
    client.post(ROUTES["chosen"], event(shown, undo=value)).expect_named("undo")
