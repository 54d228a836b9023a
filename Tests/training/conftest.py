import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "training"))
# No library asks for a model elsewhere.
os.environ.setdefault("HF_HUB_OFFLINE", "1")

CODE = "O*NET-SOC Code"
OCCUPATIONS = 12
TITLES_EACH = 8


def write_table(folder, name, header, rows):
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["\t".join(row) for row in [header, *rows]]
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_release(folder):
    """A release of twelve occupations in which every text tells whose it is. Two titles are listed under two
    occupations each; 0 and 1, and 2 and 3, are related, each named one way only."""
    codes = [f"11-{number:04}.00" for number in range(OCCUPATIONS)]
    write_table(folder, "Occupation Data.txt", (CODE, "Title", "Description"),
                [(code, f"Occupation {n}", f"Does the work of {n}.") for n, code in enumerate(codes)])
    alternate = [(code, f"title {n} {k}", "") for n, code in enumerate(codes) for k in range(TITLES_EACH)]
    alternate += [(codes[0], "shared by 0 and 5", ""), (codes[5], "Shared  by 0 and 5", "")]
    alternate += [(codes[2], "shared by 2 and 7", ""), (codes[7], "shared by 2 and 7", "")]
    write_table(folder, "Alternate Titles.txt", (CODE, "Alternate Title", "Short Title"), alternate)
    write_table(folder, "Sample of Reported Titles.txt", (CODE, "Reported Job Title"),
                [(code, f"reported {n}") for n, code in enumerate(codes)])
    # The last occupation has no tasks; one of 8 is worded as a title of 9.
    tasks = [(code, f"{n}{k}", f"Task {n} {k}.") for n, code in enumerate(codes[:-1]) for k in range(3)]
    write_table(folder, "Task Statements.txt", (CODE, "Task ID", "Task"), [*tasks, (codes[8], "x", "Title 9 0")])
    write_table(folder, "Related Occupations.txt", (CODE, "Related O*NET-SOC Code", "Relatedness Tier"),
                [(codes[0], codes[1], "x"), (codes[3], codes[2], "x")])
    return folder


@pytest.fixture
def onet(tmp_path):
    return write_release(tmp_path / "onet")
