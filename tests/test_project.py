"What surrounds the code says the same as the code: version, licences, workflows."
import re

import pytest
import yaml
from conftest import CFG, ROOT
from packaging.requirements import Requirement
from packaging.version import Version

WORKFLOWS = sorted((ROOT/".github"/"workflows").glob("*.yml"))


def text(name): return (ROOT/name).read_text(encoding="utf-8")


def test_one_version():
    citation = yaml.safe_load(text("CITATION.cff"))
    assert str(citation["version"]) == CFG["version"] and citation["repository-code"] == CFG["git_url"]
    assert re.findall(r"(?m)^## \[(\d[^]]*)\]", text("CHANGELOG.md"))[0] == CFG["version"]


SAFE = {  # the oldest versions without a known advisory, November 2026
    "flask": "3.1.3", "waitress": "3.0.1", "werkzeug": "3.1.6", "jinja2": "3.1.6", "flask-cors": "6.0.0", "requests": "2.33.0", "urllib3": "2.7.0",
    "tqdm": "4.66.3", "click": "8.3.3", "brotli": "1.2.0", "fonttools": "4.60.2", "transformers": "5.3.0", "torch": "2.12.1", "onnx": "1.21.0",
    "jupyterlab": "4.5.7", "nbconvert": "7.17.1", "pytest": "9.0.3"}
REQUIRED = {key: [Requirement(r) for r in CFG[key].split()] for key in CFG if key == "requirements" or key.endswith("_requirements")}


@pytest.mark.parametrize("key", REQUIRED)
def test_no_version_with_a_known_advisory(key):
    for r in REQUIRED[key]:
        oldest = max((Version(s.version) for s in r.specifier if s.operator in (">=", "==")), default=Version("0"))
        assert oldest >= Version(SAFE.get(r.name, "0")), f"{r} admits what {r.name} {SAFE[r.name]} mended"


def test_each_requirement_has_its_room():
    "Engine, model and command by themselves; the server and the collectors in extras, and for the tests in dev too."
    names = {key: {r.name for r in found} for key, found in REQUIRED.items()}
    assert names["requirements"] == {"numpy", "tzdata", "korean-lunar-calendar", "koroman", "rich", "click", "onnxruntime-genai", "llguidance"}
    assert {"flask", "waitress", "werkzeug"} <= names["serve_requirements"] <= names["dev_requirements"]
    assert {"requests", "tenacity"} <= names["collect_requirements"] <= names["dev_requirements"]
    assert {"matplotlib", "fonttools", "brotli"} <= names["train_requirements"] & names["dev_requirements"]
    assert "torch" not in names["dev_requirements"]


@pytest.mark.parametrize("name", sorted(p.name for p in (ROOT/"saju_naming"/"data").iterdir()))
def test_what_ships_has_its_licence_told(name):
    assert re.search(rf"(?m)^(.*, )?{re.escape(name)}\b", text("NOTICE"))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda p: p.stem)
def test_workflows_ask_for_little(path):
    "Read only unless a job says more, a limit on every job, every action pinned to a commit, no script from what others typed."
    flow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert flow["permissions"] == {"contents": "read"}
    for job in flow["jobs"].values():
        assert job["timeout-minutes"] <= 120
        for step in job["steps"]:
            assert "uses" not in step or re.search(r"@[0-9a-f]{40}$", step["uses"])
            assert not re.search(r"\$\{\{\s*github\.(event|head_ref)", step.get("run", ""))


@pytest.mark.parametrize("path", sorted((ROOT/".github"/"ISSUE_TEMPLATE").glob("[0-9]*.yml")), ids=lambda p: p.stem)
def test_issue_forms(path):
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert {"name", "description", "body"} <= set(form)
    ids = [part["id"] for part in form["body"] if part["type"] != "markdown"]
    assert len(ids) == len(set(ids)) and all(part["attributes"].get("label") for part in form["body"] if part["type"] != "markdown")
