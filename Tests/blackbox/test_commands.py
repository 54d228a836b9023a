"""The commands: data on standard output, all else on standard error, exit codes that mean what they say."""

import json
import math
import subprocess

import pytest
from conftest import needs_model, needs_shared_data
from harness import BINARY, DEFAULT_MODEL, MODEL, MODELS, ROOT, SHARED_DATA, copy_models, run_command, seed

ABILITIES = "9,6,5,9,8,4,9,3,7,2,10,5,6,3,7"
DONE, FAILED, USAGE = 0, 1, 2
# Of sysexits: EX_DATAERR, EX_NOINPUT, EX_UNAVAILABLE, EX_CONFIG.
FAILED_SOMEHOW = (FAILED, 65, 66, 69, 78)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return seed(tmp_path_factory.mktemp("commands") / "data")


@needs_model
def test_recommend_prints_one_document(tmp_path):
    # In a new folder, as nobody has started a service yet.
    result = run_command("recommend", "--text", "I like to repair cars", "--json", "--data", tmp_path / "data")
    assert result.returncode == DONE, result.stderr
    document = json.loads(result.stdout)
    assert len(document["recommendations"]) == 5
    assert len({item["cluster"] for item in document["recommendations"]}) == 5


def test_recommend_takes_abilities_and_options(data):
    result = run_command("recommend", "--abilities", ABILITIES, "--top", "3", "--json", "--data", data)
    assert result.returncode == DONE, result.stderr
    assert len(json.loads(result.stdout)["recommendations"]) == 3
    free = run_command("recommend", "--abilities", ABILITIES, "--top", "20", "--no-diversity", "--json", "--data", data)
    clusters = [item["cluster"] for item in json.loads(free.stdout)["recommendations"]]
    assert len(clusters) == 20 and len(set(clusters)) < 20
    two = run_command(
        "recommend", "--abilities", ABILITIES, "--top", "10", "--max-per-cluster", "2", "--json", "--data", data)
    clusters = [item["cluster"] for item in json.loads(two.stdout)["recommendations"]]
    assert len(clusters) == 10 and max(map(clusters.count, clusters)) <= 2


def test_recommend_takes_approximate(data):
    exact = run_command("recommend", "--abilities", ABILITIES, "--json", "--data", data)
    result = run_command("recommend", "--abilities", ABILITIES, "--approximate", "--json", "--data", data)
    assert result.returncode == DONE, result.stderr
    document = json.loads(result.stdout)
    assert document["exact"] is True, "the built-in careers are too few for anything else"
    assert document["recommendations"] == json.loads(exact.stdout)["recommendations"]


def test_recommend_prints_a_list_for_people(data):
    result = run_command("recommend", "--abilities", ABILITIES, "--data", data)
    assert result.returncode == DONE, result.stderr
    machine = run_command("recommend", "--abilities", ABILITIES, "--json", "--data", data)
    for item in json.loads(machine.stdout)["recommendations"]:
        assert item["career"] in result.stdout


def test_recommend_reads_an_answer_sheet(data, tmp_path):
    sheet = tmp_path / "answers.json"
    sheet.write_text(json.dumps({"4711": "a"}))
    result = run_command("recommend", "--answers", sheet, "--json", "--data", data)
    assert result.returncode in FAILED_SOMEHOW and "4711" in result.stderr and result.stdout == ""
    missing = run_command("recommend", "--answers", tmp_path / "none.json", "--data", data)
    assert missing.returncode in FAILED_SOMEHOW and "none.json" in missing.stderr
    sheet.write_text("{not json")
    broken = run_command("recommend", "--answers", sheet, "--data", data)
    assert broken.returncode in FAILED_SOMEHOW and broken.stderr.strip() and broken.stdout == ""


@pytest.mark.parametrize("arguments", [
    ["recommend"], ["recommend", "--abilities", "1,2,3"], ["recommend", "--abilities", "a,b"],
    ["recommend", "--abilities", ABILITIES, "--top", "many"], ["recommend", "--abilities", ABILITIES, "--top", "0"],
    ["recommend", "--abilities", ABILITIES, "--alpha", "2"], ["recommend", "--colour", "red"],
    ["serve", "--port", "99999"], ["serve", "--port", "http"], ["models", "burn"], ["nothing"], ["embed", "--model"]])
def test_mistakes_in_usage_exit_with_two(arguments):
    result = run_command(*arguments)
    assert result.returncode == USAGE, result.stderr
    assert result.stderr.strip() and result.stdout == ""


@pytest.mark.parametrize("arguments, bound", [
    (["reembed", "--limit", "-3"], "at least 1"), (["recommend", "--text", "a", "--top", "-3"], "from 1 to 100"),
    (["recommend", "--text", "a", "--alpha", "-1"], "from 0 to 1"), (["serve", "--port", "-1"], "from 0 to 65535"),
    (["recommend", "--text", "a", "--max-per-cluster", "-1"], "from 1 to 100"),
    (["evaluate", "variety", "--sheets", "-3"], "at least 1"), (["recommend", "--abilities", "-1,2"], "from 0 to 10")])
def test_a_number_below_its_bounds_is_answered_with_the_bounds(arguments, bound):
    result = run_command(*arguments)
    assert result.returncode == USAGE and bound in result.stderr, result.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["serve", "--help"], ["recommend", "--help"], ["--version"]])
def test_help_is_data(arguments):
    result = run_command(*arguments)
    assert result.returncode == DONE and result.stdout.strip()


@needs_model
@needs_shared_data
def test_embed_equals_the_reference():
    with open(SHARED_DATA / "embedder/minilm_goldens.jsonl", encoding="utf-8") as file:
        goldens = [json.loads(line) for line in file]
    lines = "".join(json.dumps({"text": golden["text"]}) + "\n" for golden in goldens)
    result = run_command("embed", "--model", MODEL, stdin=lines)
    assert result.returncode == DONE, result.stderr
    output = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(output) == len(goldens)
    for golden, found in zip(goldens, output):
        assert found["token_ids"] == golden["token_ids"], golden["text"]
        product = sum(a * b for a, b in zip(golden["embedding"], found["embedding"]))
        length = math.sqrt(sum(b * b for b in found["embedding"]))
        assert product / length >= 0.99999, golden["text"]


@needs_model
@pytest.mark.parametrize("line", ["not json", "{}", '{"text": 5}', '{"text": "a", "lang": "en"}', "[]"])
def test_embed_names_the_line_it_cannot_read(line):
    result = run_command("embed", stdin='{"text": "a nurse"}\n' + line + "\n")
    assert result.returncode in FAILED_SOMEHOW
    assert "2" in result.stderr
    for complete in result.stdout.splitlines():
        assert len(json.loads(complete)["embedding"]) == 384


def test_embed_of_nothing_is_nothing():
    result = run_command("embed", stdin="")
    assert (result.stdout == "" and result.returncode == DONE) or not (MODELS / MODEL).exists()


def test_embed_with_an_unknown_model_names_it():
    result = run_command("embed", "--model", "no-such-model", stdin='{"text": "a"}\n')
    assert result.returncode in FAILED_SOMEHOW + (USAGE,)
    assert "no-such-model" in result.stderr and result.stdout == ""


def test_models_are_listed():
    result = run_command("models", "list")
    assert result.returncode == DONE, result.stderr
    assert MODEL in result.stdout


@needs_model
def test_models_are_verified(tmp_path):
    assert run_command("models", "verify").returncode == DONE
    altered = copy_models(tmp_path / "altered", "config.json")
    result = run_command("models", "verify", PATHLIGHT_MODELS=str(altered))
    assert result.returncode == FAILED
    assert "config.json" in result.stdout + result.stderr
    empty = tmp_path / "empty"
    empty.mkdir()
    assert run_command("models", "verify", PATHLIGHT_MODELS=str(empty)).returncode == FAILED


@needs_model
def test_doctor_finds_a_good_installation_good(data):
    result = run_command("doctor", "--data", data)
    assert result.returncode == DONE, result.stdout + result.stderr


@needs_model
def test_doctor_counts_what_is_stored_and_describes_the_space(tmp_path):
    data = tmp_path / "data"
    first = run_command("doctor", "--data", data)
    assert first.returncode == DONE and "built-in" in first.stdout, first.stdout + first.stderr
    seed(data)
    exported = tmp_path / "careers.json"
    run_command("export", "careers", exported, "--data", data)
    document = json.loads(exported.read_text("utf-8"))
    document["careers"] = [{**each, "id": f"my-{each['id']}", "source": "coast"} for each in document["careers"][:3]]
    mine = tmp_path / "coast.json"
    mine.write_text(json.dumps({"careers": document["careers"]}), "utf-8")
    assert run_command("import", "careers", mine, "--data", data).returncode == DONE
    mine.write_text(json.dumps({"careers": document["careers"][:2]}), "utf-8")
    assert run_command("import", "careers", mine, "--data", data).returncode == DONE
    result = run_command("doctor", "--data", data)
    lines = dict(line[9:].split(": ", 1) for line in result.stdout.splitlines())
    assert lines["careers"] == "174 active, 1 retired; by source: built-in 172, coast 2 and 1 retired"
    assert lines["model"] == DEFAULT_MODEL
    assert all(words in lines["space"] for words in ("0.7", "0.3", "384", "titles"))
    assert lines["vectors"].endswith("174 of 174 careers with the vector of their present text")
    # The vectors decide which model is loaded, whatever the settings say.
    other = run_command("doctor", "--data", data, "--model", "some-other-model")
    assert other.returncode == DONE
    line = next(line for line in other.stdout.splitlines() if line[9:].startswith("model: "))
    assert MODEL in line and "some-other-model" in line and "reembed --model" in line and line.startswith("ok")


def test_doctor_says_how_to_mend_what_is_missing(tmp_path):
    (tmp_path / "models").mkdir()
    result = run_command("doctor", "--data", tmp_path / "data", PATHLIGHT_MODELS=str(tmp_path / "models"))
    text = result.stdout + result.stderr
    assert MODEL in text and "fetch" in text
    (tmp_path / "file").write_text("")
    result = run_command("doctor", "--data", tmp_path / "file")
    assert result.returncode == FAILED
    assert str(tmp_path / "file") in result.stdout + result.stderr


@needs_model
def test_a_command_and_the_service_agree(service, data):
    text = "I like to write about science for newspapers"
    result = run_command("recommend", "--text", text, "--json", "--data", data)
    with service.client() as client:
        reply = client.post("/api/results/recommend/", {"text": text}).expect(200)
    assert json.loads(result.stdout)["recommendations"] == reply["recommendations"]


@needs_model
def test_a_reader_that_goes_away_is_no_failure(tmp_path):
    lines = tmp_path / "lines.jsonl"
    lines.write_text("".join(json.dumps({"text": f"text number {number}"}) + "\n" for number in range(2000)))
    script = f"set -o pipefail; {BINARY} embed < {lines} | head -1 | wc -l"
    result = subprocess.run(["bash", "-c", script], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert (result.returncode, result.stdout.strip()) == (0, "1"), result.stderr
