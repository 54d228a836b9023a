"""Measures of a ranking, as `pathlight evaluate retrieval` defines them; for the log of a training run."""

from __future__ import annotations

import numpy as np

from .release import Collection


def retrieval_measures(queries: np.ndarray, corpus: np.ndarray, collection: Collection) -> dict[str, float]:
    """MAP, success@10 and nDCG@10 of unit vectors, one a text; equal scores rank by ascending id. What equals the
    query's text and is not judged is the query itself and left out."""
    ids = [document for document, _ in collection.corpus]
    by_id = np.argsort(np.array(ids), kind="stable")
    place = {document: index for index, document in enumerate(ids)}
    precision, success, gain = [], [], []
    for row, (query, text) in enumerate(collection.queries):
        grades = {place[d]: g for d, g in collection.qrels.get(query, {}).items() if g > 0 and d in place}
        if not grades:
            continue
        scores = corpus @ queries[row]
        for index, (_, document) in enumerate(collection.corpus):
            if document == text and index not in grades:
                scores[index] = -np.inf
        order = by_id[np.argsort(-scores[by_id], kind="stable")]
        rank = np.empty(len(ids), np.int64)
        rank[order] = np.arange(1, len(ids) + 1)
        ranks = sorted(int(rank[document]) for document in grades)
        precision.append(np.mean([(found + 1) / at for found, at in enumerate(ranks)]))
        success.append(ranks[0] <= 10)
        best = sum(g / np.log2(at + 2) for at, g in enumerate(sorted(grades.values(), reverse=True)[:10]))
        gain.append(sum(g / np.log2(rank[d] + 1) for d, g in grades.items() if rank[d] <= 10) / best)
    return {
        "map": float(np.mean(precision)),
        "success_at_10": float(np.mean(success)),
        "ndcg_at_10": float(np.mean(gain)),
    }
