"What people write is read the same at every door, and whose fault it is is said the same: the command and the package. (The API's own are in test_serve.py.)"
import ast, json, re, subprocess, sys
from importlib import import_module
from importlib.util import find_spec
from inspect import signature
from pathlib import Path
from unicodedata import normalize

import pytest
from click.testing import CliRunner

import saju_naming
from saju_naming import InputError, Unavailable, ask, check_name, cli, four_pillars, recommend
from saju_naming.errors import CollectError, SajuError, label
from saju_naming.naming import analyze, rank_names

ASKED = ["recommend", "--birth", "1990-05-15T14:30", "--gender", "여자", "--surname", "이", "--no-model", "--count", "3"]


def nfd(text): return normalize("NFD", text)   # Hangul as macOS spells it


def printed(*words):
    "The JSON of a command."
    said = CliRunner().invoke(cli.cli, [*words, "--json"], standalone_mode=False)
    assert said.exception is None or isinstance(said.exception, SystemExit), repr(said.exception)
    return json.loads(said.output)


def names(*words):
    found = printed(*ASKED, *words)
    return found["analysis"], found["names"]


# one normal form

SPELLED = {
    "birth": (["--birth", "1990-05-15T14:30"], ["--birth", "１９９０-05-15\u00a014:30"]), "surname": (["--surname", "이"], ["--surname", nfd("이")]),
    "surname in Hanja": (["--surname", "李"], ["--surname", "\uf9e1\ufe00"]), "surname_hanja": (["--surname-hanja", "李"], ["--surname-hanja", "\uf9e1"]),
    "gender": (["--gender", "여자"], ["--gender", nfd(" 여자")]), "count": (["--count", "4"], ["--count", "４"]), "seed": (["--seed", "12"], ["--seed", "\u00a0１２"]),
    "mode": (["--mode", "johu"], ["--mode", nfd("조후")]), "school": (["--school", "unhae"], ["--school", "　운해본"]), "position": (["--fixed-syllable", "준", "--position", "second"], ["--fixed-syllable", nfd("준"), "--position", "끝 글자"]),
    "fixed character": (["--fixed-syllable", "龍"], ["--fixed-syllable", "\uf9c4\U000e0100"]), "parents": (["--parent", "김철수"], ["--parent", nfd("김 철수")]),
    "siblings": (["--sibling", "이서준"], ["--sibling", "이\u200b 서준"]), "exclude": (["--exclude", "서", "--exclude", "淵"], ["--exclude", nfd("서"), "--exclude", "淵\ufe00"]),
    "place": (["--place", "부산"], ["--place", nfd("부산") + "\u00a0"]), "longitude": (["--longitude", "129.075"], ["--longitude", "１２９.０７５"]), "tz": (["--tz", "Asia/Tokyo", "--longitude", "139.7"], ["--tz", " Ａsia/Tokyo ", "--longitude", "139.7"])}


@pytest.mark.parametrize("plain, written", SPELLED.values(), ids=SPELLED)
def test_every_option_of_the_command(plain, written): assert names(*written) == names(*plain)


@pytest.mark.parametrize("words", [["김 서연", "金瑞淵"], ["김서연", "金 瑞淵"], [nfd("김서연"), "瑞\ufe00淵"], ["김\u00a0서연", "\uf90a瑞淵"], ["김서연\u200b", "金瑞淵", "--surname", "金"], ["김서연", "金瑞淵", "--surname", nfd("김")]], ids=ascii)
def test_the_name_to_check(words): assert printed("check", *words) == printed("check", "김서연", "金瑞淵")


def test_a_surname_in_hanja_that_is_read_in_two_ways(): assert printed("check", "이서연", "--surname", "李")["name"]["surname"] == "이"


@pytest.mark.parametrize("plain, written", [(["瑞"], ["瑞\ufe00"]), (["李"], ["\uf9e1"]), (["서"], [nfd("서")]), (["瑞淵"], [" 瑞　淵 "]), (["서", "--element", "금"], ["서", "--element", nfd("금") + " "]), (["서", "--limit", "3"], ["서", "--limit", "３"])], ids=ascii)
def test_the_characters_to_find(plain, written): assert printed("hanja", *written) == printed("hanja", *plain)


def test_a_question_and_a_chart():
    said = printed("ask", "이름 서연(瑞淵)의 의미를 풀이해", "--no-model")
    assert printed("ask", nfd("이름 서연") + "（瑞\ufe00淵）의  의미를 풀이해", "--no-model")["text"] == said["text"]
    assert printed("chart", "--birth", "１９９０-05-15　14:30") == printed("chart", "--birth", "1990-05-15 14:30")


# unknown names, and whose fault it is

@pytest.mark.parametrize("function, given", [(recommend, ["1990-05-15", "여", "김"]), (rank_names, ["1990-05-15", "여", "김"]), (check_name, ["김서연"]), (four_pillars, ["1990-05-15"]), (analyze, ["1990-05-15"]), (ask, ["한국 여자 이름 지어줘"])], ids=lambda x: getattr(x, "__name__", ""))
def test_an_unknown_name_is_ours_and_told_the_nearest(function, given):
    *_, last = signature(function).parameters
    with pytest.raises(InputError, match=f"혹시 {last}인가요") as raised: function(*given, **{last + "s": 1})
    assert (raised.value.field, raised.value.value) == ("option", last + "s")


WRITTEN = dict(solar=nfd("진태양시"), rat=" 자정에 날이 바뀜", tz="Ａsia/Tokyo")


def test_the_choices_of_a_chart_are_read_from_the_table_at_every_door():
    for function in (four_pillars, analyze):
        said, plain = (function("1990-05-15T23:40", longitude=139.7, **how) for how in (WRITTEN, dict(solar="apparent", rat="midnight", tz="Asia/Tokyo")))
        assert (str(said), said.notes) == (str(plain), plain.notes)
        with pytest.raises(InputError, match="평균 태양시"): function("1990-05-15", solar="해시계")


MODULES = sorted(p for p in Path(saju_naming.__file__).parent.glob("*.py") if p.stem[0] != "_")
LOADED = [import_module(f"saju_naming.{p.stem}") for p in MODULES if p.stem != "flutter" or find_spec("flet")]


def kinds(root=SajuError):
    "An error and all that are made from it, but those that name a service in place of a field."
    return {root} | {k for sub in root.__subclasses__() if sub is not CollectError for k in kinds(sub)}


def raised_fields():
    "(field, where) of everything that is raised, by a class of ours or by a function whose first argument is the field."
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in MODULES}
    functions = [f for tree in trees.values() for f in ast.walk(tree) if isinstance(f, ast.FunctionDef)]
    raising = {k.__name__ for k in kinds()} | {f.name for f in functions if f.args.args and f.args.args[0].arg == "field"}
    for path, tree in trees.items():
        for call in (n for n in ast.walk(tree) if isinstance(n, ast.Call) and n.args and ast.unparse(n.func).rpartition(".")[2] in raising):
            if isinstance(call.args[0], ast.Constant): yield call.args[0].value, f"{path.name}:{call.lineno}"


def test_what_is_raised_is_called_by_a_korean_name():
    found = list(raised_fields())
    assert len(found) > 150
    found += [(p.name, f"saju-naming {name}") for name, command in cli.cli.commands.items() for p in command.params if not getattr(p, "is_flag", False)]
    bare = [f"{field} ({where})" for field, where in found if not re.search("[가-힣]", label(field))]
    assert not bare, "LABELS of nbs/lib/errors.ipynb lacks: " + ", ".join(bare)


def test_what_is_public_says_what_it_is():
    "The page of the API (nbs/api.ipynb) lists every public function and class by its first sentence."
    for module in LOADED:
        public = [thing for thing in (getattr(module, name) for name in module.__all__) if getattr(thing, "__module__", "") == module.__name__]
        assert not [thing for thing in public if callable(thing) and not thing.__doc__], module.__name__


def test_no_branch_looks_at_the_name_of_a_field():
    "What happens after an error follows from its class."
    branches = [(path.name, n) for path in MODULES for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.If)]
    assert not [f"{name}:{n.lineno} {ast.unparse(n.test)}" for name, n in branches if re.search(r"\b(e|error)\.field\b", ast.unparse(n.test))]


def fault(monkeypatch, capsys, error, *words):
    "Exit status, stdout and stderr of a command whose work fails."
    def fails(*_, **__): raise error
    monkeypatch.setattr(cli, "check_name", fails)
    monkeypatch.setattr("sys.stdin", None)   # pytest's stand-in is no stream
    with pytest.raises(SystemExit) as ended: cli.main(["check", "김서연", *words])
    return ended.value.code, *capsys.readouterr()


@pytest.mark.parametrize("error", [InputError("name", "김서연", "까닭", "고치는 법"), Unavailable("model", "/srv/model", "까닭", "고치는 법")], ids=lambda e: type(e).__name__)
def test_the_command_says_whose_fault_it_is(monkeypatch, capsys, error):
    assert fault(monkeypatch, capsys, error) == (error.exit_code, "", f"오류: {error}\n")
    code, out, err = fault(monkeypatch, capsys, error, "--json")
    assert (code, out, json.loads(err)["error"]) == (2, "", dict(kind=type(error).__name__, field=error.field, value=error.value, reason="까닭", remedy="고치는 법"))


# the public face

def test_the_package_loads_nothing_until_it_is_asked():
    code = "import sys; before = set(sys.modules); import saju_naming; print(sorted(set(sys.modules) - before))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "['saju_naming']"


def test_what_can_be_imported():
    assert {"recommend", "ask", "check_name", "four_pillars", "InputError", "Unavailable", "__version__"} <= set(dir(saju_naming))
    for name in saju_naming.__all__: assert getattr(saju_naming, name).__name__ == name
    assert saju_naming.recommend.__module__ == "saju_naming.generate"
    with pytest.raises(AttributeError, match="nothing"): saju_naming.nothing


def test_the_command_does_not_need_the_server():
    code = "import sys; sys.modules['flask'] = sys.modules['waitress'] = None; from saju_naming.cli import main; main(['check', '김서연', '金瑞淵'])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8").returncode == 0
