"""Which texts stand beside each other in a step: anchors, a positive for each, and who may not count as a negative."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

import numpy as np

from .release import Release, folded


@dataclass(frozen=True)
class Mix:
    """How a batch is made up. `group` titles that the model takes for neighbours, of unrelated occupations, stand
    together: each is a hard negative of the others. Shares are of positives; the rest are titles."""

    pairs: int = 128
    group: int = 8
    description_share: float = 0.12
    task_share: float = 0.16


@dataclass
class Batch:
    """`texts` are the anchors, then their positives. `allowed[i, j]` says whether text j is a negative of anchor i;
    shape (pairs, 2 · pairs)."""

    texts: list[str]
    allowed: np.ndarray


class BatchMaker:
    """Draws batches from a release with one seeded generator: the same seed, the same batches."""

    def __init__(self, release: Release, mix: Mix, seed: int):
        self.release = release
        self.mix = mix
        self.random = np.random.default_rng(seed)
        self.occupations = [sorted(title.occupations) for title in release.titles]
        self.members: list[list[int]] = [[] for _ in release.codes]
        for index, occupations in enumerate(self.occupations):
            for occupation in occupations:
                self.members[occupation].append(index)
        # near[a, b]: the same occupation or related ones; such pairs are no negatives.
        self.near = np.eye(len(release.codes), dtype=bool)
        for one, others in enumerate(release.related):
            self.near[one, list(others)] = True
        # What stands near a title: the same in sets, for one look at a time.
        self.kin = [
            frozenset(kin for occupation in occupations for kin in np.flatnonzero(self.near[occupation]).tolist())
            for occupations in self.occupations
        ]
        self.hard: np.ndarray | None = None

    def texts_to_mine(self) -> list[str]:
        return [title.text for title in self.release.titles]

    def mine(self, vectors: np.ndarray, keep: int = 24, look_at: int = 256, too_close: float = 0.95) -> None:
        """Finds each title's hard negatives: of its nearest titles by `vectors`, (titles, 384), those of occupations
        that are neither its own nor related. Nearly equal ones are left out: they are mostly the same title, spelled
        otherwise and listed elsewhere."""
        titles = len(vectors)
        hard = np.full((titles, keep), -1, np.int64)
        for start in range(0, titles, 512):
            scores = vectors[start : start + 512] @ vectors.T
            nearest = np.argpartition(-scores, look_at, axis=1)[:, :look_at]
            for row, candidates in enumerate(nearest):
                closeness = scores[row, candidates]
                order = np.argsort(-closeness, kind="stable")
                kin = self.kin[start + row]
                found = (
                    int(candidates[place])
                    for place in order
                    if closeness[place] < too_close and kin.isdisjoint(self.occupations[candidates[place]])
                )
                chosen = list(islice(found, keep))
                hard[start + row, : len(chosen)] = chosen
        self.hard = hard

    def draw(self) -> Batch:
        """One batch. Needs `mine` first."""
        if self.hard is None:
            raise RuntimeError("mine the hard negatives before drawing batches")
        anchors: list[int] = []
        while len(anchors) < self.mix.pairs:
            seed = int(self.random.integers(len(self.occupations)))
            others = self.hard[seed][self.hard[seed] >= 0]
            size = min(self.mix.group - 1, len(others))
            chosen = self.random.choice(others, size, replace=False) if size else []
            anchors += [seed, *(int(other) for other in chosen)]
        anchors = anchors[: self.mix.pairs]
        homes = [self._home(anchor) for anchor in anchors]
        positives = [self._positive(anchor, home) for anchor, home in zip(anchors, homes)]
        texts = [self.release.titles[anchor].text for anchor in anchors] + [text for text, _ in positives]
        sets = [self.occupations[anchor] for anchor in anchors] + [occupations for _, occupations in positives]
        return Batch(texts, self._allowed(texts, sets))

    def _home(self, anchor: int) -> int:
        return int(self.random.choice(self.occupations[anchor]))

    def _positive(self, anchor: int, home: int) -> tuple[str, list[int]]:
        """A text of the occupation `home` that says the same work as the title `anchor`, and its occupations."""
        release = self.release
        kind = self.random.random()
        if kind < self.mix.task_share and release.tasks[home]:
            return release.tasks[home][int(self.random.integers(len(release.tasks[home])))], [home]
        others = [member for member in self.members[home] if member != anchor]
        if kind < self.mix.task_share + self.mix.description_share or not others:
            return f"{release.names[home]}. {release.descriptions[home]}", [home]
        other = int(self.random.choice(others))
        return release.titles[other].text, self.occupations[other]

    def _allowed(self, texts: list[str], sets: list[list[int]]) -> np.ndarray:
        occupations = len(self.release.codes)
        member = np.zeros((len(sets), occupations), np.float32)
        for row, values in enumerate(sets):
            member[row, values] = 1
        anchors = member[: len(sets) // 2]
        near = (anchors @ self.near.astype(np.float32)) @ member.T > 0
        keys = [folded(text) for text in texts]
        same = np.array([[one == other for other in keys] for one in keys[: len(sets) // 2]])
        return ~(near | same)
