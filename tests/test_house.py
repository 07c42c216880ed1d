"The rules of the house: notebooks and library in step, cells in order, nothing leaked."
import ast, filecmp, importlib, inspect, io, json, re, shutil, subprocess, sys, tokenize, unicodedata
from contextlib import suppress

import pytest
from conftest import BIN, NOTEBOOKS, ROOT


def cells(path): return json.loads(path.read_text(encoding="utf-8"))["cells"]


def tree(folder): return {p.relative_to(folder) for p in folder.rglob("*") if p.is_file() and p.suffix in (".py", ".ipynb", ".md") and "__pycache__" not in p.parts}


@pytest.fixture(scope="session")
def exported(tmp_path_factory):
    "A copy of the project after `nbdev_clean` and `nbdev_export`."
    copy = tmp_path_factory.mktemp("sync")/"project"
    shutil.copytree(ROOT, copy, symlinks=True, ignore=shutil.ignore_patterns(".git", ".venv*", "_proc", "_docs", "_screens", "runs", "site", "__pycache__", ".ipynb_checkpoints"))
    for command in ("nbdev_clean", "nbdev_export"): subprocess.run([str(BIN/command)], cwd=copy, check=True)
    return copy


@pytest.mark.parametrize("folder", ["nbs", "saju_naming"])
def test_clean_and_export_leave_no_diff(exported, folder):
    assert tree(ROOT/folder) == tree(exported/folder)
    _, differ, errors = filecmp.cmpfiles(ROOT/folder, exported/folder, map(str, tree(ROOT/folder)), shallow=False)
    assert (differ, errors) == ([], [])


def statements(source):
    "Top-level statements of a code cell without IPython magics."
    return ast.parse(re.sub(r"(?m)^\s*[%!].*$", "", source)).body


IMPORTS = (ast.Import, ast.ImportFrom)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_imports_have_their_own_cells(path):
    "For the site nbdev runs what is exported and every cell with an import in it, and no other: an import inside a cell that needs those before it breaks `make docs`."
    for i, cell in enumerate(cells(path)):
        source = "".join(cell["source"])
        if cell["cell_type"] != "code" or source.startswith("%%"): continue
        kinds = {isinstance(s, IMPORTS) for s in statements(source)}
        assert kinds != {True, False}, f"cell {i} mixes imports and code"
        inside = any(isinstance(n, IMPORTS) for s in statements(source) for n in ast.walk(s))
        assert kinds == {True} or not inside or re.search(r"(?m)^#\| ?exports?\b", source), f"cell {i} imports inside code: import it above, or use import_module"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_title_cell_stands_alone(path):
    lines = [line for line in "".join(cells(path)[0]["source"]).splitlines() if line.strip()]
    assert lines[0].startswith("# ") and all(line.startswith("> ") for line in lines[1:])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_outputs_are_kept_and_without_errors(path):
    code = [c for c in cells(path) if c["cell_type"] == "code"]
    assert path.parent.name == "lib" or any(c["outputs"] for c in code)
    assert not [o for c in code for o in c["outputs"] if o["output_type"] == "error"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_cells_are_small(path):
    "25 lines; one class or one function with its docments may take 40. A cell that is one long text is data."
    for i, cell in enumerate(cells(path)):
        source = "".join(cell["source"])
        if cell["cell_type"] != "code" or source.startswith("%%"): continue
        found = statements(source)
        if len(found) == 1 and isinstance(found[0], ast.Assign) and isinstance(found[0].value, ast.Constant): continue
        assert source.count("\n") < (25 if len(found) > 1 else 41), f"cell {i} is too long to read"
        for f in (f for s in found for f in ast.walk(s) if isinstance(f, ast.FunctionDef)):
            assert f.end_lineno - f.body[0].lineno < 25, f"{f.name} is too long to read"


def columns(line):
    "How wide a line is: a Hangul letter or a Hanja counts two."
    return sum(1 + (unicodedata.east_asian_width(c) in "WF") for c in line)


def loose(source):
    "What a strict room does not allow in a code cell: lines over 120 columns, statements joined by ';', a lambda with a name."
    code = re.sub(r"(?m)^\s*[%!].*$", "", source)
    wide = [f"{columns(line)} columns: {line}" for line in source.splitlines() if columns(line) > 120]
    joined = [f"';': {t.line.strip()}" for t in tokenize.generate_tokens(io.StringIO(code).readline) if t.type == tokenize.OP and t.string == ";"]
    named = [f"lambda: {ast.unparse(n)}" for n in ast.walk(ast.parse(code)) if isinstance(n, ast.Assign) and isinstance(n.value, ast.Lambda)]
    return wide + joined + named


@pytest.mark.parametrize("path", [p for p in NOTEBOOKS if p.parent.name == "lib"], ids=lambda p: p.stem)
def test_rooms_are_strict(path):
    code = ["".join(c["source"]) for c in cells(path) if c["cell_type"] == "code"]
    assert not [f for source in code if not source.startswith("%%") for f in loose(source)]


def test_what_is_loose():
    assert [len(loose(s)) for s in ("x = 1", "a = 1; b = 2", "f = lambda: 1", f"# {'가'*60}", f"# {'가'*59}", "s = ';'", "for i in (): pass")] == [0, 1, 1, 1, 0, 0, 0]


def private(source):
    "What an exported cell imports of another room that keeps it to itself: from saju_naming.x import _y."
    if not re.match(r"#\| ?exports?\b", source): return []
    ours = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.ImportFrom) and (n.module or "").split(".")[0] == "saju_naming"]
    return [f"{n.module}.{name.name}" for n in ours for name in n.names if re.match("_(?!_)", name.name)]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_no_room_imports_what_is_private(path):
    assert not [name for c in cells(path) if c["cell_type"] == "code" for name in private("".join(c["source"]))]


def test_what_is_private():
    assert private("#| export\nfrom saju_naming.dates import (Birth,\n    _DATE as D)\n") == ["saju_naming.dates._DATE"]
    assert [private(s) for s in ("#| exports\nfrom saju_naming import __version__", "from saju_naming.dates import _DATE", "#| export\nfrom os import _exit")] == [[], [], []]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_no_font_was_missing(path):
    "Plots are drawn in the shipped font: matplotlib said nothing of letters that it could not draw."
    outputs = [o for c in cells(path) if c["cell_type"] == "code" for o in c["outputs"]]
    told = "".join("".join(o["text"]) for o in outputs if o.get("name") == "stderr")
    assert not re.search(r"Glyph \d+|findfont", told)


@pytest.mark.parametrize("path", [p for p in NOTEBOOKS if p.stem != "index" and p.parent.name != "lib"], ids=lambda p: p.stem)
def test_a_lesson_has_its_parts(path):
    "A badge that opens this notebook in Colab, the versions that it ran with, and where to read on."
    text = "\n".join("".join(c["source"]) for c in cells(path))
    shown = "".join("".join(o.get("text", "")) for c in cells(path) for o in c.get("outputs", []))
    assert f"(https://colab.research.google.com/github/5kletsgo/saju-naming/blob/main/{path.relative_to(ROOT).as_posix()})" in text
    assert re.search(r"(?m)^Python 3\.\d+\.\d+, saju-naming \d", shown)
    assert "## 더 알아보기" in text


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_no_local_paths(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"(?<![\w.])/(?:home|root|work|tmp|Users)/\w", text)


def test_readme_comes_from_index():
    sys.path.insert(0, str(ROOT/"tools"))
    from readme import readme
    text, pictures = readme()
    assert (ROOT/"README.md").read_text(encoding="utf-8") == text
    assert {name: (ROOT/name).read_bytes() for name in pictures} == pictures


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_the_site_can_show_what_is_exported(path):
    "nbdev reads the annotations of every public class and function, also those that a class of another package brings: a name that is only there for type checkers breaks `make docs`."
    found = re.search(r"#\| default_exp (\w+)", path.read_text(encoding="utf-8"))
    if not found: pytest.skip("no module")
    try: module = importlib.import_module(f"saju_naming.{found[1]}")
    except ImportError as e: pytest.skip(str(e))
    for name in module.__all__:
        thing = getattr(module, name)
        if not callable(thing) or getattr(thing, "__module__", "") != module.__name__: continue
        with suppress(ValueError): inspect.signature(thing, eval_str=True)   # an exception of ours has none
