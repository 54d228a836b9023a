"""Two versions of a small catalogue, a second model, and what the service must answer in each of its states."""

import fcntl
import json
import os
import shutil
import sqlite3
import struct
from array import array
from contextlib import contextmanager, nullcontext

from harness import MODEL, MODELS, Service, run_command

SOURCE = "crash"
CAREERS = 130
# Careers that only one version has, at either end.
OWN = 10
OTHER_MODEL = "mirrored"
RECOMMEND = "/api/results/recommend/"
# Printed scores have one decimal; sums in another order may land on the other side of a rounding.
TOLERANCE = 0.11

_THINGS = ("bicycles", "bridges", "bees", "violins", "orchards", "turbines", "archives", "puppets", "glaciers", "clocks",
           "ferries", "kilns", "wigs")
_DEEDS = ("repairs", "designs", "sells", "paints", "inspects", "teaches about", "measures", "restores", "photographs",
          "transports")
_SKILLS = ("welding", "patience", "drawing", "mathematics", "negotiation", "first aid", "singing", "chemistry")
_CLUSTERS = ("Arts", "Trades", "Science", "Service", "Transport")
ABILITIES = (
    "analytical_reasoning", "creativity", "verbal_communication", "numerical_reasoning", "problem_solving", "leadership",
    "empathy", "attention_to_detail", "technical_aptitude", "physical_ability", "teamwork", "adaptability",
    "organisation", "entrepreneurship", "digital_literacy")


def career(number, version):
    """Of three careers one has another text in version B, one another salary alone, one is the same."""
    is_new = version == "B"
    deed = _DEEDS[number // len(_THINGS) % len(_DEEDS)]
    thing = _THINGS[(number * 5 + 3 if is_new and number % 3 == 0 else number) % len(_THINGS)]
    salary = 30_000 + 500 * number + (7_000 if is_new and number % 3 == 1 else 0)
    turn = 4 if is_new and number % 6 == 0 else 1
    return {
        "id": f"crash-{number:03}", "name": f"Worker {number:03}", "cluster": _CLUSTERS[number % len(_CLUSTERS)],
        "description": f"A worker who {deed} {thing}.",
        "required_skills": [_SKILLS[number % len(_SKILLS)]],
        "suitable_for": f"People who like {thing}.",
        "required_education": {"level": "bachelor", "text": "Bachelor's degree"},
        "salary": {"currency": "USD", "min": salary, "max": salary + 9_000, "year": 2024},
        "abilities": {name: (number * turn + 3 * index * index + number * index) % 11
                      for index, name in enumerate(ABILITIES)},
    }


def write_versions(folder):
    """Writes the two versions; gives the file of each."""
    files = {}
    for version, numbers in (("A", range(CAREERS - OWN)), ("B", range(OWN, CAREERS))):
        files[version] = folder / f"{version}.json"
        files[version].write_text(json.dumps({"careers": [career(number, version) for number in numbers]}))
    return files


def import_arguments(file, data):
    return ["import", "careers", str(file), "--source", SOURCE, "--only", "--data", str(data)]


def exported(data):
    """The careers of the source as the program exports them, by id."""
    run = run_command("export", "careers", "-", "--format", "json", "--data", data)
    assert run.returncode == 0, run.stderr
    return {career["id"]: career for career in json.loads(run.stdout)["careers"]}


def copy_models_mirrored(target):
    """A models folder with the model, and with one of another space whose answers are the same.

    Every second number of the other model's vectors has its sign changed, by way of the last layer's normalisation:
    cosines within the space stay as they are, and those between the two spaces become noise, which no answer hides.
    """
    shutil.copytree(MODELS / MODEL, target / MODEL, copy_function=_link)
    other = target / OTHER_MODEL
    shutil.copytree(MODELS / MODEL, other, copy_function=_link)
    weights = other / "model.safetensors"
    weights.unlink()
    content = bytearray((MODELS / MODEL / "model.safetensors").read_bytes())
    size = struct.unpack_from("<Q", content)[0]
    tensors = json.loads(content[8:8 + size])
    last = ("layer.5.output.LayerNorm.weight", "layer.5.output.LayerNorm.bias")
    found = [name for name in tensors if name.endswith(last)]
    assert len(found) == 2, found
    for name in found:
        assert tensors[name]["dtype"] == "F32"
        start, end = (8 + size + offset for offset in tensors[name]["data_offsets"])
        numbers = array("f", bytes(content[start:end]))
        for index in range(1, len(numbers), 2):
            numbers[index] = -numbers[index]
        content[start:end] = numbers.tobytes()
    weights.write_bytes(content)
    shutil.copy(MODELS / "manifest.json", target)
    return target


def _link(source, copy):
    try:
        os.link(source, copy)
    except OSError:
        shutil.copy(source, copy)  # Another file system.


def hold(data):
    """Makes the service keep vectors of earlier texts, as it does after a rollback; an import that embeds ends it."""
    with sqlite3.connect(data / "pathlight.db") as database:
        database.execute(
            "INSERT OR REPLACE INTO settings (key, value, updated_at) "
            "VALUES ('embedding_hold', 'true', '2026-01-01T00:00:00.000Z')")
    database.close()


@contextmanager
def embedding_elsewhere(data):
    """Takes the lock of re-embedding: a service serves the vectors that there are, and leaves the rest to its holder."""
    with open(data / "pathlight.db.reembed.lock", "a", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


QUERIES = (
    [{"text": text} for text in (
        "I like to repair bicycles", "bees and honey", "old clocks and violins", "people in wigs on a stage",
        "ships that carry cars over a strait", "ice, mountains and photographs", "welding a bridge", "patience")]
    + [{"abilities": [(start * 3 + 4 * index) % 11 for index in range(15)]} for start in range(4)]
    + [{"text": "apples and pears", "abilities": [(5 + 7 * index) % 11 for index in range(15)]},
       {"text": "wind and electricity", "abilities": [(2 + 3 * index) % 11 for index in range(15)], "alpha": 0.3}])
DEPTH = 10


def brief(reply):
    """What of a reply must be equal for equal catalogues."""
    return [(item["career_id"], item["score"], item["salary_range"]) for item in reply["recommendations"]]


def question(number, depth, **fields):
    """A known request; the small catalogue has too few clusters for a list that shows a few of each."""
    return {**QUERIES[number], "top_n": depth, "max_per_cluster": depth, **fields}


def ask(client, number, depth):
    return client.post(RECOMMEND, question(number, depth)).expect(200)


class Reference:
    """The answers of each state: careers of one version, vectors made from the texts of the same or of the other.

    `+`: careers that the other version has not, too, have vectors, as while a rollback is held.
    """

    def __init__(self, files, folder, models):
        self.answers = {}
        self.careers = {}
        data = folder / "reference"
        steps = (("A", "A"), ("B", "A"), ("B", "A+"), ("B", "B"), ("A", "B"), ("A", "B+"))
        for number, (content, rows) in enumerate(steps):
            if rows.endswith("+"):
                hold(data)
            else:
                arguments = [*import_arguments(files[content], data), *(["--no-embed"] if content != rows else [])]
                run = run_command(*arguments, PATHLIGHT_MODELS=str(models))
                assert run.returncode == 0, run.stderr
                self.careers[content] = exported(data)
            with embedding_elsewhere(data) if content != rows[0] and rows[1:] != "+" else nullcontext():
                service = Service(data, folder / f"reference-{number}.log", PATHLIGHT_MODELS=str(models)).start()
                try:
                    with service.client() as client:
                        self.answers[content, rows] = [
                            brief(ask(client, query, DEPTH + 10)) for query in range(len(QUERIES))]
                finally:
                    service.stop()
        distinct = {json.dumps(answers) for answers in self.answers.values()}
        assert len(distinct) == len(steps), "the states cannot be told apart"

    def fits(self, state, query, reply):
        """Whether a reply is what this state answers, as far as printed scores can tell."""
        wanted = {career: (score, salary) for career, score, salary in self.answers[state][query]}
        previous = float("inf")
        given = brief(reply)
        if len(given) != min(DEPTH, len(wanted)):
            return False
        for career, score, salary in given:
            known = wanted.get(career)
            if known is None or abs(known[0] - score) > TOLERANCE or known[1] != salary:
                return False
            if known[0] > previous + TOLERANCE:
                return False
            previous = known[0]
        # Nothing better may be missing.
        worst = min(score for _, score, _ in given)
        names = {career for career, _, _ in given}
        return all(career in names or score <= worst + TOLERANCE for career, (score, _) in wanted.items())

    def states(self, query, reply):
        return [state for state in self.answers if self.fits(state, query, reply)]
