"""Writes tools/locks: what builds, checks and runs a release, each to its version and its hashes (`make lock`).

The .in files say what is wanted (from settings.ini and pyproject.toml, and CHECKS below); pip-compile writes the .txt files beside them.
They are for Linux and the Python of the release workflow. A lock that is there is kept as far as it fits; `make lock ARGS=--upgrade` renews it."""
import os
import re
import subprocess
import sys
import tomllib
from configparser import ConfigParser
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT/"tools"/"locks"
BUILDER = "build>=1.3,<2"
# the tests that a release runs, its list of parts (SBOM), and the audit of the locks
CHECKS = ("pytest>=9.0.3,<10", "pyyaml>=6,<7", "packaging>=25", "cyclonedx-bom>=7,<8", "pip-audit>=2.9,<3")


def settings():
    "The settings of settings.ini, without the comments between requirements."
    parser = ConfigParser(delimiters=["="])
    parser.read(ROOT/"settings.ini", encoding="utf-8")
    return parser["DEFAULT"]


def wanted():
    "What each lock is made of: {name: requirements}."
    cfg = settings()
    builds = tomllib.loads((ROOT/"pyproject.toml").read_text(encoding="utf-8"))["build-system"]["requires"]
    base, serve = cfg["requirements"].split(), cfg["serve_requirements"].split()
    return {"build": [*builds, BUILDER], "check": list(CHECKS), "runtime": base, "serve": [*base, *serve]}


def text_of(requirements):
    "The .in file."
    return "".join(f"{r}\n" for r in ["# written by tools/lock.py", *sorted(requirements)])


def compile_lock(name, *more):
    "Runs pip-compile on one .in file."
    options = ["--generate-hashes", "--allow-unsafe", "--strip-extras", "--no-emit-index-url", "--no-emit-find-links", "--no-emit-trusted-host",
               "--no-annotate", "--quiet", f"--output-file={name}.txt", *more]
    command = [sys.executable, "-m", "piptools", "compile", *options, f"{name}.in"]
    subprocess.run(command, cwd=LOCKS, env={**os.environ, "CUSTOM_COMPILE_COMMAND": "make lock"}, check=True)
    lock = LOCKS/f"{name}.txt"
    assert not re.search(r"://|^--(?!hash)", re.sub(r"(?m)^ *--hash\S+( \\)?$", "", lock.read_text())), f"{lock} names a place"


if __name__ == "__main__":
    LOCKS.mkdir(exist_ok=True)
    for name, requirements in wanted().items():
        (LOCKS/f"{name}.in").write_text(text_of(requirements), encoding="utf-8")
        compile_lock(name, *sys.argv[1:])
