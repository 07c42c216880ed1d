"What surrounds the code says the same as the code: version, licences, workflows."
import importlib.util, re

import pytest
import yaml
from conftest import CFG, ROOT
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
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


# --- releases ---

def flow(name): return yaml.safe_load(text(f".github/workflows/{name}.yml"))


def lines(job): return [line.strip() for step in job["steps"] for line in step.get("run", "").splitlines()]


def at(job, wanted):
    "Where the steps are whose action or script matches."
    return [i for i, step in enumerate(job["steps"]) if re.search(wanted, step.get("uses", "") + step.get("run", ""))]


LOCKED = "python -m pip install --require-hashes --no-deps --only-binary :all: -r tools/locks/"
RELEASE = flow("release")["jobs"]
INSTALLS = r"\b(pip3?|uv|pipx|npm|apt-get|conda|curl|wget)\b"


@pytest.mark.parametrize("name", ["release", "audit"])
def test_a_release_installs_only_what_is_locked(name):
    for job in flow(name)["jobs"].values():
        for line in lines(job):
            if re.search(INSTALLS, line): assert line.startswith((LOCKED, "python -m pip_audit")), line
    assert [re.search(r"locks/(\w+)", line)[1] for line in lines(RELEASE["build"]) if re.search(INSTALLS, line)] == ["build"]


def test_a_release_is_kept_before_anything_runs_beside_it():
    "Checked out, the locked tools, built, summed, uploaded: and then nothing, no test, no other tool, in the job that could change it."
    build = RELEASE["build"]
    [built], [summed], [kept] = at(build, "^python -m build"), at(build, "^sha256sum dist"), at(build, "actions/upload-artifact@")
    assert built < summed < kept == len(build["steps"]) - 1
    assert lines(build)[-3:] == ["python -m build --no-isolation", "sha256sum dist/* | tee SHA256SUMS", 'echo "sums=$(base64 -w0 SHA256SUMS)" >> "$GITHUB_OUTPUT"']
    assert {line.split()[0] for line in lines(build)} == {"git", "grep", "python", "sha256sum", "echo"}
    assert not at(build, r"pytest|cyclonedx|saju|\.py\b") and {"dist/", "SHA256SUMS"} == set(build["steps"][kept]["with"]["path"].split())


def test_a_release_is_checked_elsewhere_and_published_as_it_was_built():
    check, publish = RELEASE["check"], RELEASE["publish"]
    assert check["needs"] == "build" and set(publish["needs"]) == {"build", "check"}
    [fetched], [parts], [tested] = at(check, "actions/download-artifact@"), at(check, "cyclonedx-py requirements tools/locks/runtime.txt"), at(check, "pytest -q tests/test_package.py")
    assert fetched < parts < tested and check["steps"][tested]["env"] == {"SAJU_DIST": "dist"}
    assert [job.get("permissions") for job in RELEASE.values()] == [None, None, {"id-token": "write"}]
    verify, upload = publish["steps"][-2:]
    assert verify["env"]["SUMS"] == "${{ needs.build.outputs.sums }}" and "sha256sum --check --strict" in verify["run"]
    assert upload["uses"].startswith("pypa/gh-action-pypi-publish@") and upload["with"]["attestations"] is True


def test_the_locks_are_audited_every_week():
    audit = flow("audit")
    asked = audit[True]  # YAML reads the key `on` so
    assert asked["schedule"] and {"settings.ini", "pyproject.toml", "tools/locks/**"} <= set(asked["push"]["paths"])
    [job] = audit["jobs"].values()
    assert set(job["strategy"]["matrix"]["lock"]) == {p.stem for p in LOCKS.glob("*.txt")}
    [line] = [line for line in lines(job) if "pip_audit" in line]
    assert all(word in line for word in ("--strict", "--require-hashes", "--disable-pip"))
    assert "/tools/locks" in [update["directory"] for update in yaml.safe_load(text(".github/dependabot.yml"))["updates"]]


# --- locks ---

LOCKS = ROOT/"tools"/"locks"
AGAIN = "make lock으로 다시 잠그세요"


def tool(name):
    "A script of tools/."
    spec = importlib.util.spec_from_file_location(name, ROOT/"tools"/f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


WANTED = tool("lock").wanted()


def locked(name):
    "{package: version} of a lock; each has hashes, and nothing else is said."
    found = {}
    for entry in re.sub(r"\\\n", " ", text(f"tools/locks/{name}.txt")).splitlines():
        if not entry.strip() or entry.startswith("#"): continue
        package, _, rest = entry.partition("==")
        version, *hashes = rest.split()
        assert hashes and all(re.fullmatch("--hash=sha256:[0-9a-f]{64}", h) for h in hashes), entry
        found[canonicalize_name(package)] = Version(version)
    return found


@pytest.mark.parametrize("name", WANTED)
def test_a_lock_is_not_older_than_what_is_wanted(name):
    assert text(f"tools/locks/{name}.in") == tool("lock").text_of(WANTED[name]), f"{name}.in: {AGAIN}"
    pins = locked(name)
    for wanted in map(Requirement, WANTED[name]):
        pin = pins.get(canonicalize_name(wanted.name))
        assert pin in wanted.specifier, f"{name}.txt: {wanted.name} {pin}, {wanted}: {AGAIN}"
    for package, pin in pins.items(): assert pin >= Version(SAFE.get(package, "0")), f"{name}.txt: {package} {pin}: {AGAIN}"


def test_the_locks_are_of_what_is_built_and_run():
    import tomllib
    requires = tomllib.loads(text("pyproject.toml"))["build-system"]["requires"]
    assert set(requires) < set(WANTED["build"]) and "build" in {Requirement(r).name for r in WANTED["build"]}
    assert WANTED["runtime"] == CFG["requirements"].split() and set(WANTED["serve"]) == {*WANTED["runtime"], *CFG["serve_requirements"].split()}
    assert {p.stem for p in LOCKS.iterdir()} == set(WANTED)
    versions = [locked(name) for name in WANTED]
    for package in set(versions[2]): assert versions[2][package] == versions[3].get(package), f"runtime.txt과 serve.txt의 {package}: {AGAIN}"


@pytest.mark.parametrize("path", sorted(LOCKS.iterdir()), ids=lambda p: p.name)
def test_a_lock_names_no_place(path):
    assert not re.search(r"://|--(?:extra-)?index-url|--find-links|--trusted-host", path.read_text(encoding="utf-8"))


# --- what SECURITY.md promises ---

def promises():
    "The lines of the parts that promise, with their tests: {line: [(file, test)]}."
    found, part = {}, ""
    for line in text("SECURITY.md").splitlines():
        part = line[3:] if line.startswith("## ") else part
        if not line.startswith("- ") or part not in ("서버가 지키는 것", "모델 폴더", "배포본 확인"): continue
        file, found[line] = None, []
        for named in re.finditer(r"`(test_\w+\.py)`:|`(test_\w+)`", line):
            file = named[1] or file
            if named[2]: found[line].append((file, named[2]))
    return found


def test_every_promise_names_its_tests():
    assert len(promises()) > 20 and [line for line, tests in promises().items() if not tests] == []


def test_every_test_that_is_named_is_there():
    named = {test for tests in promises().values() for test in tests}
    defined = {p.name: re.findall(r"(?m)^def (test_\w+)", p.read_text(encoding="utf-8")) for p in (ROOT/"tests").glob("test_*.py")}
    assert {(file, test) for file, test in named if test not in defined.get(file, ())} == set()
    assert set(re.findall(r"`(test_\w+)`", text("SECURITY.md"))) == {test for _, test in named}, "a test outside a promise"


def test_the_numbers_of_the_promises():
    "They are those of the code."
    front, guards, workers, serve = (pytest.importorskip(f"saju_naming.{room}") for room in ("front", "guards", "workers", "serve"))
    limits, said = front.Limits(), text("SECURITY.md")
    for words in (f"물음 하나는 {limits.request}초 안에", f"다음 물음은 {limits.idle}초 안에", f"답은 {limits.reply}초(큰 것은 초당 {limits.rate//1000} KB로", f"{limits.stall}초 동안 한 바이트도",
                  f"손님마다 {limits.client}개", f"머리글 {limits.header//1024} KiB, 몸 {guards.MOST_BYTES//1024} KiB까지", f"1분에 {guards.RATE.removesuffix(' per minute')}번",
                  f"줄은 {workers.WAITING}자리, 한 요청은 {workers.LIMIT}초", f"{serve.GRACE}초까지 기다려"):
        assert words in said, words
