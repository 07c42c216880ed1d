"The package as others get it: the wheel, and the wheel alone in a fresh environment (pip fetches what it needs)."
import ast, json, os, re, shutil, subprocess, sys, venv
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
def fresh(wheel, tmp_path_factory):
    "fresh(command, *words) in an environment that holds the wheel and what it requires, far from this repository; gives the finished process."
    home = tmp_path_factory.mktemp("fresh")
    venv.create(home/"venv", symlinks=os.name != "nt")
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")} | {"PYTHONUTF8": "1"}
    folder = home/"venv"/("Scripts" if os.name == "nt" else "bin")
    def run(command, *words): return subprocess.run([folder/command, *words], cwd=home, env=clean, capture_output=True, encoding="utf-8")
    run.install = lambda extra: subprocess.run([sys.executable, "-m", "pip", "--python", home/"venv", "install", "-q", f"{wheel}{extra}"], env=clean, check=True)
    run.install("")
    return run


@pytest.fixture(scope="module")
def served(fresh):
    "The same environment with the extra [serve]: the tests above this line's users have had it without."
    fresh.install("[serve]")
    return fresh


def test_the_wheel_holds_the_package_and_nothing_else(wheel):
    with ZipFile(wheel) as z: names = {n for n in z.namelist() if not n.endswith("/")}
    info = {n for n in names if n.split("/")[0].endswith(".dist-info")}
    assert names - info == {p.relative_to(ROOT).as_posix() for p in (ROOT/"saju_naming").rglob("*") if p.is_file() and "__pycache__" not in p.parts}
    assert {"LICENSE", "NOTICE"} <= {Path(n).name for n in info}
    assert wheel.stat().st_size < 40e6


def test_the_wheel_offers_every_extra(wheel):
    with ZipFile(wheel) as z: [told] = [z.read(n).decode("utf-8") for n in z.namelist() if n.endswith(".dist-info/METADATA")]
    assert set(re.findall(r"(?m)^Provides-Extra: (\S+)$", told)) == {key.removesuffix("_requirements") for key in CFG if re.fullmatch(r"[a-z]+_requirements", key)}


def test_names_with_the_wheel_alone(fresh):
    said = json.loads(fresh("saju-naming", *ASKED, "--json").stdout)
    assert said["source"] == "model" and len(said["names"]) == 5
    shown = fresh("saju-naming", *ASKED).stdout
    assert all(n["surname"] == "김" and n["given_hanja"] in shown for n in said["names"])


@pytest.mark.parametrize("command", [["saju-naming"], ["python", "-m", "saju_naming"]], ids=" ".join)
def test_version(fresh, command):
    assert fresh(*command, "--version").stdout.strip() == f"saju-naming {CFG['version']}"


def test_it_is_light(fresh):
    "No server, no collectors, no torch, no plots: only what `requirements` names."
    heavy = "flask waitress pydantic requests tenacity torch transformers datasets matplotlib pandas flet".split()
    assert fresh("python", "-c", f"import importlib.util as u; print([p for p in {heavy} if u.find_spec(p)])").stdout.strip() == "[]"


@pytest.mark.parametrize("words, extra", [("serve", "serve"), ("flutter", "flutter"), ("train recipe.yaml", "train"), ("evaluate --no-model --limit 1", "train")])
def test_a_command_without_its_extra_says_which(fresh, words, extra):
    done = fresh("saju-naming", *words.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(rf"오류: .*설치되어 있지 않습니다\. pip install 'saju-naming\[{extra}\]'로 설치해 주세요\.\n", done.stderr)


def test_a_collector_without_its_extra_says_which(fresh):
    done = fresh("python", "-c", "from saju_naming.collect import collect_names; collect_names(['2024'])")
    assert done.stderr.splitlines()[-1].endswith("설치되어 있지 않습니다. pip install 'saju-naming[collect]'로 설치해 주세요.")


def test_the_server_and_its_page(served):
    said = ast.literal_eval(served("python", "-c", SERVED).stdout)
    assert said == {"isReady": True, "engine": "embedded", "version": CFG["version"], "page": True}
