"The package as others get it: the wheel, and the wheel alone in a fresh environment (pip fetches what it needs)."
import ast, json, os, shutil, subprocess, sys, venv
from pathlib import Path
from zipfile import ZipFile

import pytest
from conftest import CFG, ROOT

ASKED = ["recommend", "--birth", "1990-05-15T14:30", "--gender", "여자", "--surname", "김"]
SERVED = """
import json, time, urllib.request
from saju_naming.serve import start
running = start(port=0, workers=1)
def get(path): return urllib.request.urlopen(f"http://127.0.0.1:{running.port}{path}").read().decode("utf-8")
for _ in range(300):
    if json.loads(get("/check"))["isReady"]: break
    time.sleep(0.2)
print(json.loads(get("/check")) | {"page": "사주 작명" in get("/")})
running.stop()
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    "The wheel in the folder SAJU_DIST, or one built (by way of the source distribution) from a copy without what is not the project's."
    dist = Path(os.environ["SAJU_DIST"]).resolve() if "SAJU_DIST" in os.environ else tmp_path_factory.mktemp("dist")
    if "SAJU_DIST" not in os.environ:
        copy = tmp_path_factory.mktemp("package")/"project"
        shutil.copytree(ROOT, copy, symlinks=True, ignore=shutil.ignore_patterns(".*", "_proc", "_docs", "_screens", "nbs", "runs", "site", "build", "dist", "*.egg-info", "__pycache__"))
        subprocess.run([sys.executable, "-m", "build", "--outdir", dist, copy], check=True)
    [found] = dist.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    "run(command, *words) in a fresh environment that holds the wheel and what it requires, far from this repository; gives what was printed."
    home = tmp_path_factory.mktemp("fresh")
    venv.create(home/"venv", symlinks=os.name != "nt")
    subprocess.run([sys.executable, "-m", "pip", "--python", home/"venv", "install", "-q", wheel], check=True)
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")} | {"PYTHONUTF8": "1"}
    folder = home/"venv"/("Scripts" if os.name == "nt" else "bin")
    return lambda command, *words: subprocess.run([folder/command, *words], cwd=home, env=clean, stdout=subprocess.PIPE, check=True).stdout.decode("utf-8")


def test_the_wheel_holds_the_package_and_nothing_else(wheel):
    with ZipFile(wheel) as z: names = {n for n in z.namelist() if not n.endswith("/")}
    info = {n for n in names if n.split("/")[0].endswith(".dist-info")}
    assert names - info == {p.relative_to(ROOT).as_posix() for p in (ROOT/"saju_naming").rglob("*") if p.is_file() and "__pycache__" not in p.parts}
    assert {"LICENSE", "NOTICE"} <= {Path(n).name for n in info}
    assert wheel.stat().st_size < 40e6


def test_names_without_torch(installed):
    said = json.loads(installed("saju-naming", *ASKED, "--json"))
    assert said["source"] == "model" and len(said["names"]) == 5
    shown = installed("saju-naming", *ASKED)
    assert all(n["surname"] == "김" and n["given_hanja"] in shown for n in said["names"])
    assert installed("python", "-c", "import importlib.util as u; print(u.find_spec('torch'))").strip() == "None"


@pytest.mark.parametrize("command", [["saju-naming"], ["python", "-m", "saju_naming"]], ids=" ".join)
def test_version(installed, command):
    assert installed(*command, "--version").strip() == f"saju-naming {CFG['version']}"


def test_the_server_and_its_page(installed):
    said = ast.literal_eval(installed("python", "-c", SERVED))
    assert said == {"isReady": True, "engine": "embedded", "version": CFG["version"], "page": True}
