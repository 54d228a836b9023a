"""Filling the catalogue: imports, exports, re-embedding and rollback, beside a running service."""

import csv
import io
import json
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import threading
import time
import unicodedata
from urllib.parse import quote

import pytest
from conftest import needs_model
from harness import BINARY, EMPTY_FOLDER, MODEL, MODELS, clean_environment, make_database, run_command, seed

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


@pytest.fixture
def embedded(data):
    """Leaves the folder as a first start does."""
    seed(data)


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


@pytest.mark.usefixtures("embedded")
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


def test_a_dry_run_changes_nothing_and_tells_what_the_import_does(data, tmp_path):
    def both(*arguments):
        dry = json.loads(run("import", "careers", *arguments, "--dry-run", "--json", data=data).stdout)
        real = json.loads(run("import", "careers", *arguments, "--no-embed", "--json", data=data).stdout)
        assert dry.pop("is_dry_run") and not real.pop("is_dry_run")
        assert dry.pop("seconds") > 0 and real.pop("seconds") > 0
        assert dry == real
        return real

    file = write(tmp_path / "coast.json", [career(1), career(2)])
    assert both(file)["added"] == 2
    assert both(file)["unchanged"] == 2
    other = write(tmp_path / "other.json", [career(2), career(3), career(4, id="carpenter")])
    report = both(other)
    assert [(item["id"], item["from"], item["to"]) for item in report["taken_over"]] == [
        ("carpenter", "built-in", "other"), ("lighthouse-2", "coast", "other")]
    report = both(file, "--only")
    assert report["retired"] == 173 and report["changed"] == 1 and report["unchanged"] == 1
    assert {item["name"]: item["retired"] for item in report["sources"]} == {"built-in": 171, "coast": 0, "other": 2}
    assert both(file, "--only")["retired"] == 0


def test_an_import_reads_from_a_pipe(data):
    text = json.dumps([career(1)])
    result = run("import", "careers", "/dev/stdin", "--format", "json", "--source", "coast", "--no-embed", "--json",
                 data=data, stdin=text)
    assert json.loads(result.stdout)["added"] == 1


def test_an_import_names_its_sources_and_what_it_takes_over(data, tmp_path):
    file = tmp_path / "coast.json"
    source = {"name": "pilots", "title": "The pilots' guild", "version": "2026", "attribution": "By the guild"}
    file.write_text(json.dumps({"sources": [source], "careers": [
        career(1), career(2, source="pilots"), career(3, id="carpenter", source="pilots")]}), "utf-8")
    text = run("import", "careers", file, "--no-embed", data=data).stdout
    assert "  pilots (The pilots' guild, version 2026): 1 added, 1 changed, 0 retired, 0 unchanged" in text
    assert "  coast: 1 added, 0 changed, 0 retired, 0 unchanged" in text
    assert "1 taken over from built-in by pilots: carpenter" in text
    # A file that says no more of the source than its name leaves the description as it is.
    again = write(tmp_path / "again.json", [career(2), career(3, id="carpenter")])
    report = json.loads(run(
        "import", "careers", again, "--source", "pilots", "--no-embed", "--json", data=data).stdout)
    assert (report["unchanged"], report["taken_over"]) == (2, [])
    [named] = report["sources"]
    assert (named["title"], named["version"], named["attribution"]) == ("The pilots' guild", "2026", "By the guild")
    exported = json.loads(run("export", "careers", "-", "--format", "json", "--source", "pilots", data=data).stdout)
    assert exported["sources"] == [source]


def test_a_file_that_was_cut_off_retires_nothing_unless_told_to(data, tmp_path):
    file = write(tmp_path / "coast.json", [career(number) for number in range(20)])
    run("import", "careers", file, "--no-embed", data=data)
    write(file, [career(number) for number in range(9)])
    for more in ([], ["--only"]):
        report = json.loads(run("import", "careers", file, "--no-embed", "--json", *more, data=data).stdout)
        [coast] = [item for item in report["sources"] if item["name"] == "coast"]
        assert (coast["retired"], coast["kept"], coast["unchanged"]) == (0, 11, 9)
        assert "“coast” would lose 11 of its 20 careers" in report["kept_because"]
        assert "--retire" in report["kept_because"]
        assert report["retired"] == (172 if more else 0)
    assert "kept: “coast” would lose 11" in run("import", "careers", file, "--no-embed", data=data).stdout
    report = json.loads(run("import", "careers", file, "--retire", "--no-embed", "--json", data=data).stdout)
    assert report["retired"] == 11 and "kept_because" not in report


@pytest.mark.parametrize("name", ["built-in.json", "Built-In.json", " built-in .json", " .json"])
def test_a_files_name_does_not_make_its_careers_the_programs_own(data, tmp_path, name):
    file = write(tmp_path / name, [career(1)])
    result = run_command("import", "careers", file, "--data", data)
    assert result.returncode == 1 and "--source" in result.stderr
    report = json.loads(run("import", "careers", file, "--source", "coast", "--no-embed", "--json", data=data).stdout)
    assert [item["name"] for item in report["sources"]] == ["coast"]


def test_strict_tells_in_json_what_was_bad(data, tmp_path):
    file = write(tmp_path / "coast.json", [career(1), career(2, salary={"min": "20.000"})])
    result = run_command("import", "careers", file, "--strict", "--json", "--data", data)
    assert result.returncode == 1 and "nothing was imported" in result.stderr
    document = json.loads(result.stdout)
    assert document["added"] == 0 and any("20000" in item["message"] for item in document["problems"])
    # Without it the others are imported, and that is no failure.
    assert run("import", "careers", file, "--no-embed", data=data).returncode == 0


def test_what_is_no_file_is_named(data, tmp_path):
    (tmp_path / "folder.json").mkdir()
    result = run_command("import", "careers", tmp_path / "folder.json", "--data", data)
    assert result.returncode == 1 and "is a folder" in result.stderr
    (tmp_path / "loop.json").symlink_to("loop.json")
    result = run_command("import", "careers", tmp_path / "loop.json", "--data", data)
    assert result.returncode == 1 and "symbolic links" in result.stderr
    for path in (tmp_path / "absent", tmp_path / "folder.json"):
        result = run_command("import", "onet", path, "--data", data)
        assert result.returncode == 1, result.stderr
        assert str(path) in result.stderr and "Occupation Data.txt" in result.stderr and "Skills.txt" in result.stderr


@pytest.mark.parametrize("content, problem", [
    ("", "empty"), ("{", "JSON"), ("[]", "career"), ('{"careers": 5}', "careers"), ("[" * 100_000, "")])
def test_a_file_that_is_none_is_refused_and_named(data, tmp_path, content, problem):
    file = tmp_path / "broken.json"
    file.write_text(content, "utf-8")
    result = run_command("import", "careers", file, "--data", data)
    assert result.returncode == 1 and "broken.json" in result.stderr
    assert problem.lower() in result.stderr.lower()


@pytest.mark.usefixtures("embedded")
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
    run("import", "careers", file, "--only", "--no-embed", data=other)
    copy = tmp_path / f"copy-{name}"
    run("export", "careers", copy, data=other)
    assert copy.read_bytes() == file.read_bytes()


def test_an_export_replaces_what_a_link_leads_to(data, tmp_path):
    make_database(data)
    (tmp_path / "kept").mkdir()
    target = tmp_path / "kept" / "all.json"
    target.write_text("old")
    target.chmod(0o640)
    link = tmp_path / "link.json"
    link.symlink_to("middle.json")
    (tmp_path / "middle.json").symlink_to("kept/all.json")
    run("export", "careers", link, data=data)
    assert link.is_symlink() and (tmp_path / "middle.json").is_symlink()
    assert len(json.loads(target.read_text("utf-8"))["careers"]) == 172
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["all.json"], "nothing is left beside it"
    dangling = tmp_path / "dangling.json"
    dangling.symlink_to(tmp_path / "kept" / "new.json")
    run("export", "careers", dangling, data=data)
    assert dangling.is_symlink() and (tmp_path / "kept" / "new.json").is_file()


def test_an_export_writes_into_what_is_no_file(data, tmp_path):
    make_database(data)
    pipe = tmp_path / "pipe.json"
    os.mkfifo(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text("utf-8")))
    reader.start()
    run("export", "careers", pipe, data=data)
    reader.join(30)
    assert len(json.loads(read[0])["careers"]) == 172 and stat.S_ISFIFO(pipe.stat().st_mode)
    run("export", "careers", "/dev/null", "--format", "csv", data=data)
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    piped = run("export", "careers", "/dev/stdout", "--format", "json", data=data)
    assert len(json.loads(piped.stdout)["careers"]) == 172
    log = tmp_path / "log"
    log.write_text("before\n")
    with open(log, "a") as output:
        subprocess.run(
            [BINARY, "export", "careers", "/dev/stdout", "--format", "jsonl", "--data", data], stdout=output,
            cwd=EMPTY_FOLDER.name, env=clean_environment(), check=True, timeout=60)
    assert log.read_text("utf-8").startswith("before\n{") and len(log.read_text("utf-8").splitlines()) == 173


@pytest.mark.parametrize("name, words", [
    ("folder.json", "is a folder"), ("absent/all.json", "No such file"), ("loop.json", "cannot be written")])
def test_an_export_that_cannot_be_written_says_why(data, tmp_path, name, words):
    make_database(data)
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "loop.json").symlink_to("loop.json")
    result = run_command("export", "careers", tmp_path / name, "--data", data)
    assert result.returncode == 1 and words in result.stderr and str(tmp_path / name) in result.stderr
    full = run_command("export", "careers", "/dev/full", "--format", "json", "--data", data)
    assert full.returncode == 1 and "No space left" in full.stderr


def test_an_import_that_is_interrupted_has_happened_or_not(data, tmp_path):
    make_database(data)
    run("export", "careers", "-", "--format", "json", data=data)
    file = write(tmp_path / "coast.json", [career(number) for number in range(3000)])
    for delay in (0.05, 0.2, 0.35, 0.5):
        process = subprocess.Popen(
            [BINARY, "import", "careers", file, "--no-embed", "--data", data], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, cwd=EMPTY_FOLDER.name, env=clean_environment())
        try:
            process.wait(delay)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
        process.wait(30)
        exported = json.loads(run("export", "careers", "-", "--format", "json", data=data).stdout)
        assert len(exported["careers"]) in (172, 3172)


def test_only_takes_the_place_of_everything_and_for_good(data, tmp_path):
    file = write(tmp_path / "coast.json", [career(1), career(2)])
    report = json.loads(run("import", "careers", file, "--only", "--json", data=data).stdout)
    assert report["retired"] == 172
    for _ in range(2):
        exported = json.loads(run("export", "careers", "-", "--format", "json", data=data).stdout)
        assert [item["id"] for item in exported["careers"]] == ["lighthouse-1", "lighthouse-2"]


@pytest.mark.usefixtures("embedded")
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


@pytest.mark.usefixtures("embedded")
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


@pytest.mark.usefixtures("embedded")
def test_a_career_is_found_by_whatever_id_it_has(start_service, data, tmp_path):
    ids = ["über-größe", "a+b", "職業", "a;b=c", "[a&b]"]
    file = write(tmp_path / "odd.json", [career(number, id=id) for number, id in enumerate(ids)])
    run("import", "careers", file, data=data)
    with start_service(data).client() as client:
        for id in ids:
            assert client.get(f"/api/careers/{quote(id, safe='')}/").expect(200)["id"] == id
            similar = client.get(f"/api/careers/{quote(id, safe='')}/similar/").expect(200)["items"]
            # The same letters in other bytes.
            other = quote(unicodedata.normalize("NFD", id), safe="")
            assert client.get(f"/api/careers/{other}/").expect(200)["id"] == id
            assert similar and client.get(f"/api/careers/{other}/similar/").expect(200)["items"] == similar


def test_a_rollback_to_another_precision_is_held(start_service, data, tmp_path):
    # As the settings have it by themselves, which is int8, and then as they have it for good.
    service = start_service(data)
    with service.client() as client:
        old = client.get("/readyz").expect(200)["embedding"]["generation"]
    assert service.terminate() == 0
    settings = {"PATHLIGHT_EMBEDDING_PRECISION": "float32"}
    report = json.loads(run("reembed", "--json", data=data, **settings).stdout)
    assert report["switched"] and report["generation"] > old
    service = start_service(data, **settings)
    with service.client() as client:
        back = json.loads(run("reembed", "--rollback", "--json", data=data, **settings).stdout)
        assert back["generation"] == old and back["space"] != report["space"]
        wait_for(lambda: client.get("/readyz").expect(200)["embedding"]["generation"] == old)
        # A new career gets a vector of the space that is held, and texts are compared in it.
        coast = write(tmp_path / "coast.json", [career(1)])
        run("import", "careers", coast, "--no-embed", data=data, **settings)
        wait_for(lambda: client.get("/readyz").expect(200)["careers"] == 173)
        found = client.post("/api/results/recommend/", {"text": "a lighthouse by the sea"}).expect(200)
        assert found["recommendations"][0]["career_id"] == "lighthouse-1"
        held = client.get("/readyz").expect(200)["embedding"]["generation"]
    assert service.terminate() == 0
    doctor = run("doctor", data=data, **settings).stdout
    assert "a rollback is held" in doctor and back["space"] in doctor and report["space"] not in doctor, doctor
    service = start_service(data, **settings)
    with service.client() as client:
        assert client.get("/readyz").expect(200)["embedding"]["generation"] == held
        again = json.loads(run("reembed", "--json", data=data, **settings).stdout)
        assert again["switched"] and again["space"] == report["space"]
        wait_for(lambda: client.get("/readyz").expect(200)["embedding"]["generation"] == again["generation"])


@pytest.mark.usefixtures("embedded")
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
        assert "carpenter" in problem and "not all that the store has is served" in problem
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


def test_reembedding_with_nothing_to_do_says_so(data, tmp_path):
    # Fewer careers than the program's own, and yet more than one batch of them.
    file = write(tmp_path / "coast.json", [career(number) for number in range(81)])
    run("import", "careers", file, "--only", "--no-embed", data=data)
    assert "81" in run("reembed", data=data).stdout
    assert "nothing to do" in run("reembed", data=data).stdout
    two = json.loads(run("reembed", "--force", "--limit", "70", "--json", data=data).stdout)
    assert not two["complete"] and not two["switched"] and two["embedded"] == 70
    rest = json.loads(run("reembed", "--force", "--json", data=data).stdout)
    assert rest["switched"] and rest["resumed"] >= 64 and rest["resumed"] + rest["embedded"] == 81


@pytest.mark.usefixtures("embedded")
def test_a_model_that_is_missing_is_told_with_those_that_are_there(data, tmp_path):
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


@pytest.mark.usefixtures("embedded")
def test_a_rollback_without_anything_before_is_refused(data):
    result = run_command("reembed", "--rollback", "--data", data)
    assert result.returncode == 1 and "no previous" in result.stderr


def test_feedback_without_data_teaches_nothing(data):
    make_database(data)
    report = json.loads(run("evaluate", "feedback", "--apply", "--json", data=data).stdout)
    assert not report["is_adopted"] and report["reason"]
