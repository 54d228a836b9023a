"""The clients in `examples/` do what they say."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest
from harness import EMPTY_FOLDER, ROOT, free_port

EXAMPLES = ROOT / "examples"
TYPESCRIPT = EXAMPLES / "typescript"


def run(*command, **options):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=120,
                          cwd=options.pop("cwd", EMPTY_FOLDER.name), check=False, **options)


def check_story(output):
    """What both clients tell of themselves."""
    assert re.search(r"^\d+ questions answered in session [0-9a-f]{32}$", output, re.MULTILINE), output
    ranks = re.findall(r"^(\d)\. .+ \(.+\): [\d.]+ %, (?:excellent|strong|fair|weak)$", output, re.MULTILINE)
    assert ranks == ["1", "2", "3", "4", "5"], output
    saved = re.search(r"^saved (\S+) at \d{4}-", output, re.MULTILINE)
    assert saved, output
    return re.search(r"session ([0-9a-f]{32})", output)[1], saved[1]


def test_the_client_in_python_runs(service, client):
    # Isolated: what it imports must be Python's own.
    done = run(sys.executable, "-I", "-S", EXAMPLES / "python/recommend.py", "--url", f"http://127.0.0.1:{service.port}/")
    assert done.returncode == 0 and done.stderr == "", done.stderr
    session, career = check_story(done.stdout)
    stored = client.get(f"/api/results/{session}/").expect(200)
    assert stored["saved_careers"] == [career]
    assert [event["recommendation_id"] for event in stored["events"]] == [stored["recommendation_id"]]
    total = client.get("/api/careers/").expect(200)["total"]
    pages = re.search(r"^(\d+) careers read; the second time (\d+) pages", done.stdout, re.MULTILINE)
    assert (int(pages[1]), int(pages[2])) == (total, -(-total // 50))


def test_the_client_in_python_says_what_is_wrong():
    done = run(sys.executable, EXAMPLES / "python/recommend.py", "--url", f"http://127.0.0.1:{free_port()}")
    assert done.returncode == 1 and "cannot be reached" in done.stderr and "Traceback" not in done.stderr


def node_version():
    node = shutil.which(os.environ.get("NODE", "node"))
    if node is None:
        return None, (0, 0)
    major, minor = re.match(r"v(\d+)\.(\d+)", run(node, "--version").stdout).groups()
    return node, (int(major), int(minor))


def compile_typescript(folder, *options):
    """The example's sources in a folder, compiled; a compiler of old cannot import a file by its whole name."""
    compiler = shutil.which(os.environ.get("TSC", "tsc"))
    if compiler is None:
        pytest.skip("no TypeScript compiler: install the package node-typescript, or name one in TSC")
    project = folder / "typescript"
    shutil.copytree(TYPESCRIPT, project)
    settings = json.loads((project / "tsconfig.json").read_text("utf-8"))
    if int(re.search(r"Version (\d+)\.", run(compiler, "--version").stdout)[1]) < 5 or options:
        settings["compilerOptions"].pop("allowImportingTsExtensions", None)
        settings["compilerOptions"]["moduleResolution"] = "Node"
        for file in project.glob("*.ts"):
            file.write_text(re.sub(r'from "(\./\w+)\.ts"', r'from "\1.js"', file.read_text("utf-8")), "utf-8")
    (project / "tsconfig.json").write_text(json.dumps(settings), "utf-8")
    done = run(compiler, "--project", project, *options)
    assert done.returncode == 0, done.stdout + done.stderr
    return project


def test_the_client_in_typescript_fits_its_types(tmp_path):
    compile_typescript(tmp_path)


def test_the_client_in_typescript_runs(service, client, tmp_path):
    node, version = node_version()
    if version >= (22, 6):
        command = [node, "--experimental-strip-types", "--no-warnings", TYPESCRIPT / "recommend.ts"]
    elif version >= (18, 0):
        # Before Node took types off by itself, the compiler does.
        output = tmp_path / "compiled"
        compile_typescript(tmp_path, "--noEmit", "false", "--outDir", str(output))
        (output / "package.json").write_text('{"type": "module"}', "utf-8")
        command = [node, "--no-warnings", output / "recommend.js"]
    else:
        pytest.skip("no Node of version 18 or later; NODE may name one")
    done = run(*command, f"http://127.0.0.1:{service.port}/")
    assert done.returncode == 0 and done.stderr == "", done.stderr
    session, career = check_story(done.stdout)
    assert client.get(f"/api/results/{session}/").expect(200)["saved_careers"] == [career]
    assert re.search(r"^[1-9]\d* careers in ", done.stdout, re.MULTILINE), done.stdout


def test_typescript_and_the_description_agree_on_the_request():
    """Without a compiler too: every field of a request that the types know is one of the API's, and the reverse."""
    source = (TYPESCRIPT / "pathlight.ts").read_text("utf-8")
    document = json.loads((ROOT / "Sources/CAssets/openapi.json").read_text("utf-8"))
    for interface, schema in (("RecommendRequest", "RecommendRequest"), ("Filters", "Filters"),
                              ("CareerSummary", "CareerSummary"), ("CareerList", "CareerList"),
                              ("Attribution", "Attribution"), ("CareerEvent", "CareerEvent")):
        body = re.search(rf"export interface {interface} {{\n(.*?)\n}}", source, re.DOTALL)[1]
        fields = set(re.findall(r"^  readonly (\w+)\??:", body, re.MULTILINE))
        assert fields == set(document["components"]["schemas"][schema]["properties"]), interface
