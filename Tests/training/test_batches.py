"""What stands in a batch: nothing that is held out, no kin among the negatives, the same with the same seed."""

import os
from pathlib import Path

import numpy as np
import pytest
from conftest import OCCUPATIONS, ROOT
from occupations.batches import BatchMaker, Mix
from occupations.release import folded, read_collection, read_release

MIX = Mix(pairs=32, group=4, description_share=0.2, task_share=0.3)
BATCHES = 40
HELD_OUT = {"title 4 2", "reported 6", "shared by 2 and 7"}
SHARED_DATA = Path(os.environ.get("PATHLIGHT_SHARED_DATA", ROOT / "../shared/data"))


def maker(onet, seed=3, held_out=frozenset(), mix=MIX):
    """A maker whose hard negatives are mined from random vectors."""
    batches = BatchMaker(read_release(onet, set(held_out)), mix, seed)
    vectors = np.random.default_rng(1).normal(size=(len(batches.texts_to_mine()), 8)).astype(np.float32)
    batches.mine(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), keep=6, look_at=40)
    return batches


def homes(release):
    """Every text that a batch can have, and the occupations that it speaks of."""
    found = {title.text: set(title.occupations) for title in release.titles}
    for place, tasks in enumerate(release.tasks):
        for text in [*tasks, f"{release.names[place]}. {release.descriptions[place]}"]:
            found.setdefault(text, set()).add(place)
    return found


def kin(release, occupations):
    return set(occupations).union(*(release.related[place] for place in occupations))


def test_held_out_titles_are_in_no_batch(onet):
    batches = maker(onet, held_out=HELD_OUT)
    assert HELD_OUT.isdisjoint(map(folded, batches.texts_to_mine()))
    for _ in range(BATCHES):
        assert HELD_OUT.isdisjoint(map(folded, batches.draw().texts))


def test_anchors_are_titles_and_positives_are_texts_of_the_same_occupation(onet):
    batches = maker(onet)
    known = homes(batches.release)
    for _ in range(BATCHES):
        texts = batches.draw().texts
        assert len(texts) == 2 * MIX.pairs
        for anchor, positive in zip(texts[: MIX.pairs], texts[MIX.pairs :]):
            assert known[anchor] & known[positive]
            assert folded(anchor) != folded(positive)


def test_kin_and_equal_texts_are_never_negatives_and_all_others_are(onet):
    batches = maker(onet)
    known = homes(batches.release)
    for _ in range(BATCHES):
        batch = batches.draw()
        assert batch.allowed.shape == (MIX.pairs, 2 * MIX.pairs)
        for row, anchor in enumerate(batch.texts[: MIX.pairs]):
            near = kin(batches.release, known[anchor])
            for column, text in enumerate(batch.texts):
                expected = near.isdisjoint(known[text]) and folded(anchor) != folded(text)
                assert batch.allowed[row, column] == expected, (anchor, text)


def test_hard_negatives_are_the_nearest_titles_that_are_no_kin(onet):
    release = read_release(onet, set())
    batches = BatchMaker(release, MIX, 3)
    vectors = np.random.default_rng(5).normal(size=(len(release.titles), 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    batches.mine(vectors, keep=5, look_at=60, too_close=0.9)
    scores = vectors @ vectors.T
    for index, title in enumerate(release.titles):
        near = kin(release, title.occupations)
        nearest = sorted(range(len(release.titles)), key=lambda other: -scores[index, other])[:60]
        expected = [
            other
            for other in nearest
            if scores[index, other] < 0.9 and near.isdisjoint(release.titles[other].occupations)
        ]
        assert batches.hard[index].tolist() == expected[:5]


def test_all_kinds_of_positives_are_drawn(onet):
    batches = maker(onet)
    positives = [text for _ in range(BATCHES) for text in batches.draw().texts[MIX.pairs :]]
    tasks = sum(text.startswith("Task ") for text in positives) / len(positives)
    descriptions = sum("Does the work" in text for text in positives) / len(positives)
    # The last occupation has no tasks.
    assert tasks == pytest.approx(MIX.task_share * (OCCUPATIONS - 1) / OCCUPATIONS, abs=0.05)
    assert descriptions == pytest.approx(MIX.description_share, abs=0.05)


def test_the_same_seed_gives_the_same_batches_and_another_seed_others(onet):
    one, same, other = maker(onet, 3), maker(onet, 3), maker(onet, 4)
    for _ in range(10):
        first, second = one.draw(), same.draw()
        assert first.texts == second.texts
        assert np.array_equal(first.allowed, second.allowed)
        assert first.texts != other.draw().texts


def test_drawing_before_mining_is_refused(onet):
    with pytest.raises(RuntimeError, match="mine the hard negatives"):
        BatchMaker(read_release(onet, set()), MIX, 1).draw()


@pytest.mark.skipif(
    not (SHARED_DATA / "onet").is_dir() or not (SHARED_DATA / "retrieval").is_dir(),
    reason="O*NET's release not found at ../shared/data or PATHLIGHT_SHARED_DATA")
def test_no_query_of_the_development_collection_is_a_text_of_the_real_release():
    collection = read_collection(SHARED_DATA / "retrieval/onet_titles_dev")
    held_out = {folded(text) for _, text in collection.queries}
    release = read_release(SHARED_DATA / "onet", held_out)
    assert len(release.titles) > 30_000
    assert held_out.isdisjoint(folded(text) for text in homes(release))
