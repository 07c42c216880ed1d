"What surrounds the code says the same as the code: version, licences, workflows."
import re

import pytest
import yaml
from conftest import CFG, ROOT

WORKFLOWS = sorted((ROOT/".github"/"workflows").glob("*.yml"))


def text(name): return (ROOT/name).read_text(encoding="utf-8")


def test_one_version():
    citation = yaml.safe_load(text("CITATION.cff"))
    assert str(citation["version"]) == CFG["version"] and citation["repository-code"] == CFG["git_url"]
    assert re.findall(r"(?m)^## \[(\d[^]]*)\]", text("CHANGELOG.md"))[0] == CFG["version"]


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
