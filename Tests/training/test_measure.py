"""Measures against a naive computation, word for word from their definitions."""

import math

import numpy as np
import pytest
from occupations.measure import retrieval_measures
from occupations.release import Collection


def naive(queries, corpus, collection):
    """One query after another, sorted by score and then by id."""
    precisions, successes, gains = [], [], []
    for row, (query, text) in enumerate(collection.queries):
        grades = {d: g for d, g in collection.qrels.get(query, {}).items() if g > 0}
        present = {d for d, _ in collection.corpus}
        grades = {d: g for d, g in grades.items() if d in present}
        if not grades:
            continue
        scored = [(-float(np.dot(corpus[k], queries[row])), d, t) for k, (d, t) in enumerate(collection.corpus)]
        itself = [d for _, d, t in scored if t == text and d not in grades]
        ranking = [d for _, d, _ in sorted(scored) if d not in itself]
        hits = 0
        precision = 0.0
        for at, document in enumerate(ranking, start=1):
            if document in grades:
                hits += 1
                precision += hits / at
        precisions.append(precision / len(grades))
        successes.append(any(d in grades for d in ranking[:10]))
        gain = sum(grades.get(d, 0) / math.log2(at + 1) for at, d in enumerate(ranking[:10], start=1))
        best = sum(g / math.log2(at + 1) for at, g in enumerate(sorted(grades.values(), reverse=True)[:10], start=1))
        gains.append(gain / best)
    return {key: sum(values) / len(values) for key, values in
            (("map", precisions), ("success_at_10", successes), ("ndcg_at_10", gains))}


def random_case(seed):
    """Vectors of small whole numbers, so that sums are exact and many scores are equal."""
    random = np.random.default_rng(seed)
    documents = [(f"d{number:03}", f"text {number % 40}") for number in random.permutation(50)]
    queries = [(f"q{number}", f"text {number}") for number in range(12)]
    qrels = {}
    for query, _ in queries[:-1]:
        chosen = random.choice(50, int(random.integers(1, 15)), replace=False)
        qrels[query] = {documents[k][0]: int(random.integers(0, 4)) for k in chosen}
    qrels["q3"]["absent"] = 3
    vectors = random.integers(-1, 2, size=(62, 4)).astype(np.float32)
    return vectors[:12], vectors[12:], Collection(queries, documents, qrels)


@pytest.mark.parametrize("seed", range(20))
def test_measures_are_as_defined_also_where_scores_are_equal(seed):
    queries, corpus, collection = random_case(seed)
    expected = naive(queries, corpus, collection)
    assert retrieval_measures(queries, corpus, collection) == pytest.approx(expected, abs=1e-9)


def test_equal_scores_rank_by_ascending_id():
    same = np.ones((3, 2), np.float32)
    for relevant, expected in (("a", 1.0), ("b", 1 / 2), ("c", 1 / 3)):
        collection = Collection([("q", "x")], [("c", "1"), ("a", "2"), ("b", "3")], {"q": {relevant: 1}})
        assert retrieval_measures(same[:1], same, collection)["map"] == pytest.approx(expected)


def test_the_query_itself_is_left_out_unless_it_is_judged():
    vectors = np.ones((2, 2), np.float32)
    documents = [("a", "nurse"), ("b", "medic")]
    left_out = Collection([("q", "nurse")], documents, {"q": {"b": 1}})
    judged = Collection([("q", "nurse")], documents, {"q": {"a": 1, "b": 1}})
    assert retrieval_measures(vectors[:1], vectors, left_out)["map"] == 1
    assert retrieval_measures(vectors[:1], vectors, judged)["map"] == 1
