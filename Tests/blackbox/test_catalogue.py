"""Filling the catalogue: imports, exports, re-embedding and rollback, beside a running service."""

import csv
import io
import json
import shutil
import sqlite3
import time
from urllib.parse import quote

import pytest
from conftest import needs_model
from harness import MODEL, MODELS, run_command

pytestmark = needs_model
ABILITIES = (
    "analytical_reasoning creativity verbal_communication technical_aptitude numerical_reasoning leadership "
    "problem_solving empathy attention_to_detail physical_ability digital_literacy teamwork organisation "
    "entrepreneurship adaptability").split()


def career(number, **changes):
    return {
        "id": f"lighthouse-{number}", "name": f"Lighthouse Keeper {number}", "aliases": ["Light Warden", "Beacon Hand"],
        "description": "Keeps the lamp of a lighthouse burning and warns ships of rocks and storms at night.",
        "required_skills": ["Lamp maintenance", "Weather watching"], "suitable_for": "People who like the sea.",
        "required_education": {"level": "certificate", "text": "A coastal certificate."},
        "cluster": "Sea & Coast", "abilities": {name: (number + place) % 11 for place, name in enumerate(ABILITIES)},
        "salary": {"min": 30000, "max": 45000, "currency": "EUR", "year": 2026},
        "attributes": {"shift": ["Night"], "crew": number}, **changes}


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


def write(path, careers):
    path.write_text(json.dumps({"careers": careers}), "utf-8")
    return path


def run(*arguments, data, **options):
    result = run_command(*arguments, "--data", data, **options)
    assert result.returncode == 0, result.stderr
    return result


def test_an_import_tells_what_it_changed_and_twice_changes_nothing(data, tmp_path):
    file = write(tmp_path / "coast.json", [career(1), career(2)])
    first = json.loads(run("import", "careers", file, "--json", data=data).stdout)
    assert (first["added"], first["changed"], first["retired"], first["bad_rows"]) == (2, 0, 0, 0)
    assert first["embedding"]["switched"] and first["embedding"]["careers"] == 174
    again = json.loads(run("import", "careers", file, "--json", data=data).stdout)
    assert (again["added"], again["changed"], again["retired"], again["unchanged"]) == (0, 0, 0, 2)
    assert not again["embedding"]["switched"] and again["embedding"]["embedded"] == 0
    write(file, [career(2, name="Keeper of the Light"), career(3)])
    third = json.loads(run("import", "careers", file, "--json", data=data).stdout)
    assert (third["added"], third["changed"], third["retired"]) == (1, 1, 1)
    assert third["embedding"]["embedded"] == 2, "only what changed is embedded"
    found = json.loads(run("recommend", "--text", "watch the sea from a lighthouse", "--json", data=data).stdout)
    assert found["recommendations"][0]["career_id"].startswith("lighthouse-")


def test_bad_rows_are_named_by_file_and_line_and_retire_nothing(data, tmp_path):
    file = tmp_path / "coast.csv"
    rows = io.StringIO()
    table = csv.writer(rows)
    table.writerow(["id", "name", "description", "cluster", *ABILITIES])
    good = [str(place % 11) for place in range(15)]
    table.writerow(["a", "Keeper", "Keeps a light.", "Sea", *good])
    table.writerow(["b", "Pilot", "Guides ships.", "Sea", *good])
    file.write_text(rows.getvalue(), "utf-8")
    run("import", "careers", file, data=data)
    file.write_text(rows.getvalue().replace("b,Pilot,Guides ships.,Sea,0", "b,Pilot,Guides ships.,Sea,11"), "utf-8")
    report = run("import", "careers", file, "--json", data=data)
    document = json.loads(report.stdout)
    assert document["bad_rows"] == 1 and document["retired"] == 0 and document["kept_because"]
    assert f"{file}:3:" in report.stderr and "analytical_reasoning" in report.stderr
    assert document["problems"][0]["line"] == 3
    strict = run_command("import", "careers", file, "--strict", "--data", data)
    assert strict.returncode == 1 and "nothing was imported" in strict.stderr


def test_a_dry_run_changes_nothing(data, tmp_path):
    file = write(tmp_path / "coast.json", [career(1)])
    dry = json.loads(run("import", "careers", file, "--dry-run", "--json", data=data).stdout)
    assert dry["added"] == 1 and dry["is_dry_run"]
    assert json.loads(run("import", "careers", file, "--json", data=data).stdout)["added"] == 1


@pytest.mark.parametrize("content, problem", [
    ("", "empty"), ("{", "JSON"), ("[]", "career"), ('{"careers": 5}', "careers"), ("[" * 100_000, "")])
def test_a_file_that_is_none_is_refused_and_named(data, tmp_path, content, problem):
    file = tmp_path / "broken.json"
    file.write_text(content, "utf-8")
    result = run_command("import", "careers", file, "--data", data)
    assert result.returncode == 1 and "broken.json" in result.stderr
    assert problem.lower() in result.stderr.lower()


@pytest.mark.parametrize("name", ["all.json", "all.jsonl", "all.csv"])
def test_an_export_reads_back_unchanged(data, tmp_path, name):
    awkward = career(1, name='Keeper; "first", of\nmany | lights', suitable_for="Ünïcode 🌊 people")
    run("import", "careers", write(tmp_path / "coast.json", [awkward, career(2)]), data=data)
    file = tmp_path / name
    run("export", "careers", file, data=data)
    report = json.loads(run("import", "careers", file, "--json", data=data).stdout)
    assert (report["added"], report["changed"], report["retired"], report["unchanged"]) == (0, 0, 0, 174), report
    # Elsewhere too: another folder gets the same careers.
    other = tmp_path / "other"
    run("import", "careers", file, "--only", data=other)
    copy = tmp_path / f"copy-{name}"
    run("export", "careers", copy, data=other)
    assert copy.read_bytes() == file.read_bytes()


def test_only_takes_the_place_of_everything_and_for_good(data, tmp_path):
    file = write(tmp_path / "coast.json", [career(1), career(2)])
    report = json.loads(run("import", "careers", file, "--only", "--json", data=data).stdout)
    assert report["retired"] == 172
    for _ in range(2):
        exported = json.loads(run("export", "careers", "-", "--format", "json", data=data).stdout)
        assert [item["id"] for item in exported["careers"]] == ["lighthouse-1", "lighthouse-2"]


def test_an_edited_built_in_career_stays_edited(data, tmp_path):
    exported = json.loads(run("export", "careers", "-", "--format", "json", data=data).stdout)
    chosen = next(item for item in exported["careers"] if item["id"] == "carpenter")
    chosen["salary"] = {"min": 1, "max": 2, "currency": "EUR", "year": 2026}
    file = tmp_path / "edited.json"
    file.write_text(json.dumps({"careers": [chosen]}), "utf-8")
    assert json.loads(run("import", "careers", file, "--json", data=data).stdout)["changed"] == 1
    for _ in range(2):
        now = json.loads(run("export", "careers", "-", "--format", "json", data=data).stdout)
        assert next(item for item in now["careers"] if item["id"] == "carpenter")["salary"]["max"] == 2
        assert len(now["careers"]) == 172


def wait_for(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.1)
    raise AssertionError("it did not come to pass")


def test_a_running_service_follows(start_service, data, tmp_path):
    service = start_service(data)
    with service.client() as client:
        before = client.get("/readyz").expect(200)
        file = write(tmp_path / "coast.json", [career(1), career(2)])
        # The service makes the vectors itself.
        run("import", "careers", file, "--no-embed", data=data)
        after = wait_for(lambda: (r := client.get("/readyz").expect(200))["careers"] == 174 and r)
        assert after["generation"] > before["generation"]
        assert after["embedding"]["pending"] == after["embedding"]["stale"] == 0
        asked = {"text": "a lighthouse by the sea", "filters": {"attributes": {"shift": ["night"], "crew": {"min": 2}}}}
        reply = client.post("/api/results/recommend/", asked).expect(200)
        assert [item["career_id"] for item in reply["recommendations"]] == ["lighthouse-2"]
        assert reply["matched"] == 1 and reply["complete"]
        # A page of the generation before is still to be had; of one long gone it is not.
        page = {"text": "a lighthouse by the sea", "generation": before["generation"], "skip": 1}
        assert client.post("/api/results/recommend/", page).expect(200)["generation"] == before["generation"]
        client.post("/api/results/recommend/", {**page, "generation": 0}).expect_problem(409, "generation_gone")
        # Embedded anew beside the service, and back again; answers stay the same.
        same = {"text": "I like to repair engines"}
        expected = [item["career_id"] for item in client.post(
            "/api/results/recommend/", same).expect(200)["recommendations"]]
        report = json.loads(run("reembed", "--force", "--json", data=data).stdout)
        assert report["switched"] and report["embedded"] == 174 and report["sampled"] == 8
        wait_for(lambda: client.get("/readyz").expect(200)["embedding"]["generation"] == report["generation"])
        back = json.loads(run("reembed", "--rollback", "--json", data=data).stdout)
        assert back["generation"] < report["generation"]
        wait_for(lambda: client.get("/readyz").expect(200)["embedding"]["generation"] == back["generation"])
        found = client.post("/api/results/recommend/", same).expect(200)["recommendations"]
        assert [item["career_id"] for item in found] == expected
        # Held by the rollback, a changed text keeps its old vector, and is counted.
        write(file, [career(1), career(2, description="Repairs engines of ships.")])
        run("import", "careers", file, "--no-embed", data=data)
        wait_for(lambda: client.get("/readyz").expect(200)["embedding"]["stale"] == 1)
        assert json.loads(run("reembed", "--json", data=data).stdout)["embedded"] == 1
        wait_for(lambda: client.get("/readyz").expect(200)["embedding"]["stale"] == 0)


def test_an_id_of_a_retired_career_breaks_nobody(start_service, data, tmp_path):
    file = write(tmp_path / "coast.json", [career(1), career(2)])
    run("import", "careers", file, data=data)
    run("import", "careers", write(file, [career(1)]), data=data)
    with start_service(data).client() as client:
        listed = client.get("/api/careers/?q=lighthouse").expect(200)
        assert [item["id"] for item in listed["items"]] == ["lighthouse-1"]
        for number, is_active in ((1, True), (2, False)):
            shown = client.get(f"/api/careers/lighthouse-{number}/").expect(200)
            assert shown["is_active"] is is_active and shown["name"] == f"Lighthouse Keeper {number}"
            assert [each["source"] for each in shown["attributions"]] == []
        problem = client.get("/api/careers/lighthouse-2/similar/").expect_problem(409, "career_not_served")
        assert "retired" in problem["detail"]
        # As an example it does not count, and the reply says so; left out it is anyway.
        recommend = "/api/results/recommend/"
        asked = {"text": "a lighthouse by the sea"}
        expected = client.post(recommend, asked).expect(200)
        assert expected["notices"] == []
        reply = client.post(recommend, {**asked, "exclude": ["lighthouse-2"], "liked": ["lighthouse-2"]}).expect(200)
        assert reply["recommendations"] == expected["recommendations"]
        assert [(each["code"], each["field"], each["career_id"]) for each in reply["notices"]] == [
            ("career_retired", "liked", "lighthouse-2")]
        stored = client.get(f"/api/results/{reply['session_id']}/").expect(200)
        assert stored["notices"] == reply["notices"]
        problem = client.post(recommend, {"disliked": ["lighthouse-2"]}).expect_named("disliked")
        assert problem["code"] == "nothing_to_go_on" and "lighthouse-2" in problem["detail"]
        client.post(recommend, {"liked": ["lighthouse-3"]}).expect_problem(422, "unknown_career")
        # What a list showed before can still be saved, dismissed and taken back.
        named = {"session_id": reply["session_id"], "career_id": "lighthouse-2"}
        for kind in ("save", "view", "dismiss", "choose"):
            client.post(f"/api/results/{kind}_career/", named).expect(201)
        assert client.post("/api/results/save_career/", {**named, "undo": True}).expect(200)["recorded"] is False
        again = client.post(recommend, {**asked, "session_id": reply["session_id"]}).expect(200)
        assert again["recommendations"] == expected["recommendations"] and again["personalised"] is None
        client.post("/api/results/save_career/", {**named, "career_id": "lighthouse-3"}).expect_problem(404)


def test_a_career_is_found_by_whatever_id_it_has(start_service, data, tmp_path):
    ids = ["über-größe", "a+b", "職業", "a;b=c", "[a&b]"]
    file = write(tmp_path / "odd.json", [career(number, id=id) for number, id in enumerate(ids)])
    run("import", "careers", file, data=data)
    with start_service(data).client() as client:
        for id in ids:
            assert client.get(f"/api/careers/{quote(id, safe='')}/").expect(200)["id"] == id
            assert client.get(f"/api/careers/{quote(id, safe='')}/similar/").expect(200)["items"]


def test_a_rollback_keeps_old_vectors_and_lets_new_careers_appear(start_service, data, tmp_path):
    file = write(tmp_path / "coast.json", [career(1), career(2)])
    run("import", "careers", file, data=data)
    write(file, [career(1, description="Repairs engines of ships."), career(2), career(3)])
    run("import", "careers", file, data=data)
    told = run("reembed", "--rollback", data=data).stdout
    assert "newer texts: 1;" in told and "without a vector here: 1;" in told, told
    doctor = run("doctor", data=data).stdout
    assert "1 with that of an earlier text; 1 without any; a rollback is held" in doctor, doctor
    service = start_service(data)
    with service.client() as client:
        embedding = client.get("/readyz").expect(200)["embedding"]
        assert (embedding["current"], embedding["stale"], embedding["pending"]) == (174, 1, 0)
        # One more comes while it runs, and one more text changes.
        write(file, [career(1, description="Repairs engines of ships."), career(2, name="Keeper of the Light"),
                     career(3), career(4)])
        run("import", "careers", file, "--no-embed", data=data)
        ready = wait_for(lambda: (r := client.get("/readyz").expect(200))["careers"] == 176 and r)
        assert (ready["embedding"]["stale"], ready["embedding"]["pending"]) == (2, 0)
        # Once there is nothing left that it may embed, it stops trying.
        generation = ready["embedding"]["generation"]
        back = json.loads(run("reembed", "--rollback", "--json", data=data).stdout)
        assert (back["stale"], back["pending"]) == (1, 1), "forth again, to the vectors that were rolled back"
        wait_for(lambda: client.get("/readyz").expect(200)["embedding"]["generation"] > generation)
        report = json.loads(run("reembed", "--json", data=data).stdout)
        assert report["stale"] == 0 and report["embedded"] == 1, "the other rows are in one generation or the other"
        wait_for(lambda: client.get("/readyz").expect(200)["embedding"]["stale"] == 0)
    assert "re-embedded" in service.log.read_text()


def test_a_change_that_cannot_be_read_is_told_once_until_it_is_mended(start_service, data):
    def alter(document):
        with sqlite3.connect(data / "pathlight.db", timeout=30) as database:
            was = database.execute("SELECT document FROM careers WHERE id = 'carpenter'").fetchone()[0]
            database.execute("UPDATE careers SET document = ? WHERE id = 'carpenter'", (document,))
            database.execute("UPDATE revisions SET revision = revision + 1 WHERE name = 'careers'")
        database.close()
        return was

    service = start_service(data)
    with service.client() as client:
        ready = client.get("/readyz").expect(200)
        assert ready["embedding"]["problem"] is None
        sound = alter("{")
        problem = wait_for(lambda: client.get("/readyz").expect(200)["embedding"]["problem"])
        assert "carpenter" in problem and "not served" in problem
        result = run_command("doctor", "--data", data)
        assert result.returncode == 1 and "carpenter" in result.stdout
        # More than one attempt, by the schedule of 2, 4, … seconds, and one word about it.
        time.sleep(3.5)
        still = client.get("/readyz").expect(200)
        assert still["embedding"]["problem"] == problem and still["careers"] == ready["careers"]
        client.post("/api/results/recommend/", {"abilities": [5] * 14 + [9]}).expect(200)
        told = service.log.read_text()
        assert told.count("what was served before is served on") == 1 and "mended" not in told
        alter(sound)
        wait_for(lambda: client.get("/readyz").expect(200)["embedding"]["problem"] is None)
        assert client.get("/readyz").expect(200)["generation"] > ready["generation"]
    assert service.log.read_text().count("mended") == 1


def test_reembedding_with_nothing_to_do_says_so(data):
    assert "172" in run("reembed", data=data).stdout
    assert "nothing to do" in run("reembed", data=data).stdout
    two = json.loads(run("reembed", "--force", "--limit", "70", "--json", data=data).stdout)
    assert not two["complete"] and not two["switched"] and two["embedded"] == 70
    rest = json.loads(run("reembed", "--force", "--json", data=data).stdout)
    assert rest["switched"] and rest["resumed"] >= 64 and rest["resumed"] + rest["embedded"] == 172


def test_a_model_that_is_missing_is_told_with_those_that_are_there(data, tmp_path):
    run("reembed", data=data)
    result = run_command("reembed", "--model", "missing-model", "--data", data)
    assert result.returncode == 1 and result.stdout == ""
    assert "missing-model" in result.stderr and f"usable: {MODEL}" in result.stderr
    assert "models list" in result.stderr and "restart" not in result.stderr and "abilities alone" not in result.stderr
    assert "nothing to do" in run("reembed", data=data).stdout
    # Where there is none, the manifest says what can be had.
    models = tmp_path / "models"
    models.mkdir()
    shutil.copy(MODELS / "manifest.json", models)
    result = run_command("reembed", "--data", data, PATHLIGHT_MODELS=str(models))
    assert result.returncode == 1 and "No model is installed here" in result.stderr
    assert f"“pathlight models fetch ID” gets {MODEL}" in result.stderr


@pytest.mark.parametrize("arguments", [
    ("reembed", "--kind", "jobs"), ("reembed", "--limit", "0"), ("reembed", "--rollback", "--force"),
    ("import", "careers"), ("import", "careers", "x.json", "--source", "built-in"),
    ("export", "careers", "x.json", "--format", "xml"), ("evaluate", "feedback", "--apply", "--reset")])
def test_mistakes_in_usage_end_with_2(data, arguments):
    assert run_command(*arguments, "--data", data).returncode == 2


def test_a_rollback_without_anything_before_is_refused(data):
    run("reembed", data=data)
    result = run_command("reembed", "--rollback", "--data", data)
    assert result.returncode == 1 and "no previous" in result.stderr


def test_feedback_without_data_teaches_nothing(data):
    report = json.loads(run("evaluate", "feedback", "--apply", "--json", data=data).stdout)
    assert not report["is_adopted"] and report["reason"]
