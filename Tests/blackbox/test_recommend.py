"""Recommendations from text and abilities, and what shapes them."""

import pytest

RECOMMEND = "/api/results/recommend/"
ABILITIES = [9, 6, 5, 9, 8, 4, 9, 3, 7, 2, 10, 5, 6, 3, 7]
TEXT = "I like to write programs, solve puzzles and understand how computers work."


def careers(reply):
    return [item["career"] for item in reply["recommendations"]]


def test_text_alone_uses_embeddings_alone(client):
    reply = client.post(RECOMMEND, {"text": TEXT}).expect(200)
    assert reply["alpha"] == 1
    assert len(reply["recommendations"]) == 5
    assert all(abs(item["score"] - item["embedding_similarity"]) < 0.06 for item in reply["recommendations"])


def test_abilities_alone_use_abilities_alone(client):
    reply = client.post(RECOMMEND, {"abilities": ABILITIES}).expect(200)
    assert reply["alpha"] == 0
    assert len(reply["recommendations"]) == 5
    assert all(abs(item["score"] - item["ability_similarity"]) < 0.06 for item in reply["recommendations"])


def test_both_are_mixed_as_seven_to_three_unless_told(client):
    assert client.post(RECOMMEND, {"text": TEXT, "abilities": ABILITIES}).expect(200)["alpha"] == pytest.approx(0.7)
    reply = client.post(RECOMMEND, {"text": TEXT, "abilities": ABILITIES, "alpha": 0.5}).expect(200)
    assert reply["alpha"] == pytest.approx(0.5)


def test_skills_alone_are_enough(client):
    reply = client.post(RECOMMEND, {"skills": ["nursing", "first aid", "listening"]}).expect(200)
    assert len(reply["recommendations"]) == 5


@pytest.mark.parametrize("count", [1, 3, 10])
def test_the_length_of_the_list_can_be_chosen(client, count):
    reply = client.post(RECOMMEND, {"text": TEXT, "top_n": count}).expect(200)
    assert len(reply["recommendations"]) == count
    assert len({item["cluster"] for item in reply["recommendations"]}) == count


def test_the_cap_per_cluster_can_be_raised_and_lifted(client):
    capped = client.post(RECOMMEND, {"text": TEXT, "top_n": 10, "max_per_cluster": 2}).expect(200)
    clusters = [item["cluster"] for item in capped["recommendations"]]
    assert len(clusters) == 10 and max(map(clusters.count, clusters)) == 2
    free = client.post(RECOMMEND, {"text": TEXT, "top_n": 10, "diversity": False}).expect(200)
    clusters = [item["cluster"] for item in free["recommendations"]]
    assert max(map(clusters.count, clusters)) > 2, "a text about programming has more than two neighbours in technology"
    scores = [item["score"] for item in free["recommendations"]]
    assert all(mine >= other for mine, other in zip(scores, [item["score"] for item in capped["recommendations"]]))


def test_excluded_careers_do_not_come_back(client):
    first = client.post(RECOMMEND, {"text": TEXT}).expect(200)
    best = first["recommendations"][0]
    reply = client.post(RECOMMEND, {"text": TEXT, "exclude": [best["career_id"]]}).expect(200)
    assert best["career"] not in careers(reply)
    assert len(reply["recommendations"]) == 5


def test_different_people_get_different_lists(client):
    texts = ["I want to care for sick children in a hospital.", "I love designing video games and characters.",
             "I want to grow organic vegetables on a farm.", "I want to defend people in court."]
    first_choices = [careers(client.post(RECOMMEND, {"text": text}).expect(200))[0] for text in texts]
    assert len(set(first_choices)) == len(texts), first_choices


def test_nothing_to_go_by_is_refused(client):
    client.post(RECOMMEND, {}).expect_problem(422)
    client.post(RECOMMEND, {"top_n": 5}).expect_problem(422)


@pytest.mark.parametrize("name, value", [
    ("abilities", ABILITIES[:14]), ("abilities", ABILITIES + [5]), ("abilities", [11] + ABILITIES[1:]),
    ("abilities", [-0.1] + ABILITIES[1:]), ("abilities", ["9"] + ABILITIES[1:]), ("abilities", "9,9"),
    ("abilities", [None] + ABILITIES[1:]), ("alpha", 1.01), ("alpha", -0.01), ("alpha", "0.7"), ("top_n", 0),
    ("top_n", -1), ("top_n", 2.5), ("top_n", 10**9), ("top_n", 10**30), ("top_n", "5"), ("max_per_cluster", 0),
    ("max_per_cluster", -3), ("diversity", "yes"), ("diversity", 1), ("skills", "cooking"), ("skills", [1]),
    ("text", 5), ("text", ["a"]), ("exclude", "nurse"), ("session_id", 7), ("filters", []), ("approximate", "yes"),
    ("approximate", 1)])
def test_a_wrong_value_is_refused_by_its_fields_name(client, name, value):
    request = {"text": TEXT, "abilities": ABILITIES, name: value}
    client.post(RECOMMEND, request).expect_named(name)
    client.post(RECOMMEND, {"text": TEXT}).expect(200)


def test_an_approximate_list_of_few_careers_is_exact_all_the_same(client):
    exact = client.post(RECOMMEND, {"text": TEXT}).expect(200)
    for value in (True, False, None):
        reply = client.post(RECOMMEND, {"text": TEXT, "approximate": value}).expect(200)
        assert reply["exact"] is True and reply["complete"] is True
        assert reply["recommendations"] == exact["recommendations"]
        assert client.get(f"/api/results/{reply['session_id']}/").expect(200)["exact"] is True
    # Its session is gone on with like any other.
    again = {"session_id": reply["session_id"], "text": TEXT, "approximate": True, "skip": 5}
    assert client.post(RECOMMEND, again).expect(200)["exact"] is True
    batch = [{"text": TEXT, "approximate": True}, {"text": TEXT, "approximate": False}, {"text": TEXT}]
    items = client.post("/api/recommend/batch/", {"requests": batch}).expect(200)["items"]
    assert [item["exact"] for item in items] == [True] * 3
    assert all(item["recommendations"] == exact["recommendations"] for item in items)


@pytest.mark.parametrize("value", ["yes", "true", 0, 1.0, [], [True], {}])
def test_approximate_is_true_or_false(client, value):
    problem = client.post(RECOMMEND, {"text": TEXT, "approximate": value}).expect_problem(422, "invalid_fields")
    assert [error["path"] for error in problem["errors"]] == ["approximate"]
    batch = {"requests": [{"text": TEXT}, {"text": TEXT, "approximate": value}]}
    problem = client.post("/api/recommend/batch/", batch).expect_problem(422, "invalid_fields")
    assert [error["path"] for error in problem["errors"]] == ["requests.1.approximate"]


@pytest.mark.parametrize("text", [
    "😀🎨🎵", "我喜欢画画和音乐", "a" * 10_000, "\u0000\u0007 control", "<script>alert(1)</script>",
    "'; DROP TABLE careers; --", "\u202eright to left", "e\u0301" * 500])
def test_odd_texts_are_texts(client, text):
    assert len(client.post(RECOMMEND, {"text": text}).expect(200)["recommendations"]) == 5


def test_batch_and_single_requests_have_the_fields_that_are_documented(client):
    schemas = client.get("/openapi.json").expect(200)["components"]["schemas"]
    names = dict.fromkeys(schemas["BatchQuery"]["properties"]) | {"text": TEXT}
    client.post("/api/recommend/batch/", {"requests": [names]}).expect(200)
    for name in ("session_id", "personalise"):
        assert name not in names
        problem = client.post("/api/recommend/batch/", {"requests": [{"text": TEXT, name: None}]}).expect_problem(422)
        assert [error["path"] for error in problem["errors"]] == [f"requests.0.{name}"]


def test_a_batch_gives_what_single_requests_give(client):
    requests = [{"text": TEXT}, {"abilities": ABILITIES}, {"text": "I want to be a nurse.", "top_n": 3}]
    reply = client.post("/api/recommend/batch/", {"requests": requests}).expect(200)
    singles = [client.post(RECOMMEND, request).expect(200) for request in requests]
    items = reply.get("items") or reply.get("results")
    assert [careers(item) for item in items] == [careers(single) for single in singles]


def test_a_cluster_is_found_whatever_its_case_and_refused_by_name(client):
    reply = client.post(RECOMMEND, {"text": TEXT, "filters": {"cluster": ["health care"]}, "diversity": False}).expect(200)
    assert {item["cluster"] for item in reply["recommendations"]} == {"Health Care"}
    client.post(RECOMMEND, {"text": TEXT, "filters": {"cluster": ["Helth Care"]}}).expect_named("Helth Care")


def test_a_career_both_liked_and_disliked_is_refused(client):
    client.post(RECOMMEND, {"liked": ["chef"], "disliked": ["chef"]}).expect_named("chef")
