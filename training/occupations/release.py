"""Reads what training uses of an O*NET text release and of a development collection."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path

MILITARY = "55-"


class ReleaseError(Exception):
    """A file that training needs is missing or is not what it should be."""


def folded(text: str) -> str:
    """A title as titles are compared: case and white space aside."""
    return " ".join(text.lower().split())


@dataclass
class Title:
    """One job title and every occupation that the release lists it under (indices into `Release.codes`)."""

    text: str
    occupations: set[int] = field(default_factory=set)


@dataclass
class Release:
    """Occupations with their texts. `titles` are distinct when folded; `related[i]` are the occupations that O*NET
    calls related to `i`, either way round: training only uses them to leave pairs out of the negatives."""

    codes: list[str]
    names: list[str]
    descriptions: list[str]
    tasks: list[list[str]]
    titles: list[Title]
    related: list[set[int]]


def _rows(path: Path, *columns: str) -> list[list[str]]:
    if not path.is_file():
        raise ReleaseError(f"{path} is missing: ONET must be a folder with O*NET's text release")
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        lacking = [column for column in columns if column not in (reader.fieldnames or [])]
        if lacking:
            raise ReleaseError(f"{path} has no column {', '.join(lacking)}")
        rows = [[row[column] for column in columns] for row in reader]
    for number, row in enumerate(rows, start=2):
        if any(value is None for value in row):
            raise ReleaseError(f"{path}, line {number}: a field is missing")
    return rows


def read_release(folder: Path, held_out: set[str]) -> Release:
    """Reads the release; titles in `held_out` (folded) are left out of everything that training sees."""
    code = "O*NET-SOC Code"
    occupations = _rows(folder / "Occupation Data.txt", code, "Title", "Description")
    place = {row[0]: index for index, row in enumerate(occupations)}
    titles: dict[str, Title] = {}
    listed = [(row[0], row[1]) for row in occupations]
    listed += _rows(folder / "Alternate Titles.txt", code, "Alternate Title")
    listed += _rows(folder / "Sample of Reported Titles.txt", code, "Reported Job Title")
    for occupation, text in listed:
        key = folded(text)
        if key in held_out or occupation not in place:
            continue
        titles.setdefault(key, Title(text)).occupations.add(place[occupation])
    tasks: list[list[str]] = [[] for _ in occupations]
    for occupation, task in _rows(folder / "Task Statements.txt", code, "Task"):
        if occupation in place:
            tasks[place[occupation]].append(task)
    related: list[set[int]] = [set() for _ in occupations]
    for one, other in _rows(folder / "Related Occupations.txt", code, "Related O*NET-SOC Code"):
        if one in place and other in place:
            related[place[one]].add(place[other])
            related[place[other]].add(place[one])
    return Release(
        codes=[row[0] for row in occupations],
        names=[row[1] for row in occupations],
        descriptions=[row[2] for row in occupations],
        tasks=tasks,
        titles=[titles[key] for key in sorted(titles)],
        related=related,
    )


@dataclass
class Collection:
    """Queries, documents and judgements of a retrieval collection, as `pathlight evaluate retrieval` reads them."""

    queries: list[tuple[str, str]]
    corpus: list[tuple[str, str]]
    qrels: dict[str, dict[str, int]]


def read_collection(folder: Path) -> Collection:
    """Reads `queries.tsv`, `corpus.tsv` and `qrels.tsv` of a folder."""

    def texts(name: str) -> list[tuple[str, str]]:
        path = folder / name
        if not path.is_file():
            raise ReleaseError(f"{path} is missing")
        pairs = [line.split("\t", 1) for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
        if any(len(pair) != 2 for pair in pairs):
            raise ReleaseError(f"{path}: a line is not id, tab, text")
        return [(pair[0], pair[1]) for pair in pairs]

    qrels: dict[str, dict[str, int]] = {}
    for line in (folder / "qrels.tsv").read_text(encoding="utf-8-sig").splitlines():
        if line.strip():
            query, _, document, grade = line.split()
            qrels.setdefault(query, {})[document] = int(grade)
    return Collection(texts("queries.tsv"), texts("corpus.tsv"), qrels)
