"""The quiz, as a person's browser goes through it."""

import pytest
from sheets import first_of, sheet

RECOMMEND = "/api/results/recommend/"
SUBMIT = "/api/quiz/submit/"


def test_the_quiz_has_nineteen_questions_of_all_kinds(client):
    page = client.get("/api/quiz/questions/").expect(200)
    assert page["total"] == 19 == len(page["items"])
    own_field = {"choice": "choices", "scale": "scale", "text": None}
    assert {question["type"] for question in page["items"]} == set(own_field)
    assert len({str(question["id"]) for question in page["items"]}) == 19
    for question in page["items"]:
        assert question["text"].strip()
        fields = {"choices", "scale"} & set(question)
        assert fields == ({own_field[question["type"]]} - {None}), "a question has only its own kind's field"
    for question in page["items"]:
        if question["type"] == "choice":
            ids = [choice["id"] for choice in question["choices"]]
            assert len(ids) >= 2 and len(set(ids)) == len(ids)
            assert all(choice["text"].strip() for choice in question["choices"])
        if question["type"] == "scale":
            assert question["scale"]["min"] < question["scale"]["max"]
            assert question["scale"]["labels"]


def test_an_answered_quiz_gives_five_careers_of_five_clusters_explained(client, questions):
    submitted = client.post(SUBMIT, {"answers": sheet(questions, seed=1)})
    assert submitted.status in (200, 201), submitted.body
    reply = client.post(RECOMMEND, {"session_id": submitted.json["session_id"]}).expect(200)

    recommendations = reply["recommendations"]
    assert len(recommendations) == 5
    assert len({item["cluster"] for item in recommendations}) == 5
    assert reply["exact"] is True
    assert not reply["degraded"]
    for name in ("session_id", "alpha", "generation", "matched", "scanned", "rescored", "timing_ms"):
        assert name in reply, name
    for item in recommendations:
        for name in ("career", "score", "embedding_similarity", "ability_similarity", "cluster", "salary_range"):
            assert item.get(name) not in (None, ""), f"{name} is missing in {item}"
        assert item["band"] in ("excellent", "strong", "fair", "weak")
        assert item["explanation"]
        assert 0 <= item["score"] <= 100
    scores = [item["score"] for item in recommendations]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("seed", range(8))
def test_the_parts_of_a_score_add_up(client, questions, seed):
    reply = client.post(RECOMMEND, {"answers": sheet(questions, seed)}).expect(200)
    alpha = reply["alpha"]
    for item in reply["recommendations"]:
        parts = alpha * item["embedding_similarity"] + (1 - alpha) * item["ability_similarity"]
        # Each of the three is rounded to one decimal: half a unit from the parts, half from the sum.
        assert abs(parts - item["score"]) <= 0.1 + 1e-9, item


def test_the_same_sheet_gives_the_same_list(client, questions):
    answers = sheet(questions, seed=5)
    first, second = (client.post(RECOMMEND, {"answers": answers}).expect(200) for _ in range(2))
    assert first["recommendations"] == second["recommendations"]
    assert first["session_id"] != second["session_id"]


def test_answers_sent_directly_equal_a_submitted_quiz(client, questions):
    answers = sheet(questions, seed=6)
    session = client.post(SUBMIT, {"answers": answers}).json["session_id"]
    submitted = client.post(RECOMMEND, {"session_id": session}).expect(200)
    direct = client.post(RECOMMEND, {"answers": answers}).expect(200)
    assert [item["career"] for item in submitted["recommendations"]] == [
        item["career"] for item in direct["recommendations"]]


@pytest.mark.parametrize("count", [1, 2, 7, 18])
def test_partial_answers_work(client, questions, count):
    reply = client.post(RECOMMEND, {"answers": sheet(questions, seed=count, count=count)}).expect(200)
    assert len(reply["recommendations"]) == 5
    assert len({item["cluster"] for item in reply["recommendations"]}) == 5


@pytest.mark.parametrize("kind", ["choice", "scale", "text"])
def test_one_answer_of_each_kind_works_alone(client, questions, kind):
    question = first_of(questions, kind)
    answers = {key: value for key, value in sheet(questions, seed=3).items() if key == str(question["id"])}
    assert len(client.post(RECOMMEND, {"answers": answers}).expect(200)["recommendations"]) == 5


@pytest.mark.parametrize("path", [SUBMIT, RECOMMEND])
def test_an_unknown_question_is_refused_by_name(client, questions, path):
    answers = {**sheet(questions, seed=1), "4711": "a"}
    client.post(path, {"answers": answers}).expect_named("4711")


@pytest.mark.parametrize("path", [SUBMIT, RECOMMEND])
def test_an_unknown_choice_is_refused_by_name(client, questions, path):
    question = first_of(questions, "choice")
    problem = client.post(path, {"answers": {str(question["id"]): "no-such-choice"}}).expect_named("no-such-choice")
    assert str(question["id"]) in str(problem)


def test_a_scale_is_refused_outside_its_range(client, questions):
    question = first_of(questions, "scale")
    for value in (question["scale"]["min"] - 1, question["scale"]["max"] + 1, 10**12, 2.5, "3a", None, True, [3]):
        client.post(SUBMIT, {"answers": {str(question["id"]): value}}).expect_named(question["id"])


def test_answers_of_a_wrong_type_are_refused_by_name(client, questions):
    for kind, wrong in (("choice", [7, 1.5, None, {"id": "a"}, ["a"]]), ("text", [7, None, ["a"], {"text": "a"}])):
        question = first_of(questions, kind)
        for value in wrong:
            client.post(SUBMIT, {"answers": {str(question["id"]): value}}).expect_named(question["id"])


def test_an_unknown_session_is_not_found(client):
    problem = client.post(RECOMMEND, {"session_id": "00000000-0000-7000-8000-000000000000"}).expect_problem()
    assert problem["status"] in (404, 422)
