"""Each option of the tables is at every door and has a rule. Adding one: write a line in nbs/lib/options.ipynb, then do what the failing tests here say."""
import json, os, re, subprocess, sys
from importlib.resources import files
from inspect import signature

import pytest

from saju_naming import recommend
from saju_naming.cli import cli
from saju_naming.errors import SajuError
from saju_naming.naming import rank_names
from saju_naming.options import ENGINE, OPTIONS, TABLES, option_data
from saju_naming.serve import NameBody

BASE = dict(birth="1990-05-15T14:30", gender="여", surname="김")
PAGE = json.loads((files("saju_naming")/"web"/"options.json").read_text(encoding="utf-8"))
DOCUMENT = NameBody.model_json_schema()["properties"]
PUBLIC = [o for o in OPTIONS.values() if o not in ENGINE]
each = pytest.mark.parametrize("option", OPTIONS.values(), ids=lambda o: o.name)
each_public = pytest.mark.parametrize("option", PUBLIC, ids=lambda o: o.name)


@each
def test_it_has_words(option):
    where = f"nbs/lib/options.ipynb의 {option.name}"
    assert re.search("[가-힣]", option.ko) and re.search("[가-힣]", option.help), f"{where}: ko와 help를 우리말로 적으세요"
    assert option.en.isascii() and option.en, f"{where}: en에 영어 이름을 적으세요"
    assert set(option.en_choices) == set(option.choices), f"{where}: 고를 것마다 en_choices에 영어를 적으세요"


@each
def test_python_takes_it(option):
    said = "{}에 없습니다: 그 함수의 @takes에 이 선택이 든 표를 적으세요"
    assert option.name in signature(recommend).parameters, said.format("nbs/09_generate.ipynb의 recommend")
    assert option in ENGINE or option.name in signature(rank_names).parameters, said.format("nbs/04_naming.ipynb의 rank_names")


@each
def test_the_command_takes_it(option):
    found = {p.name: p for p in cli.commands["recommend"].params}
    assert option.name in found, f"nbs/13_cli.ipynb의 recommend에 {option.flag}가 없습니다: 이 선택이 든 표를 takes_flags에 적으세요"
    assert option.flag in found[option.name].opts and found[option.name].help.startswith(option.help)
    if option.kind == "choice": assert all(words in found[option.name].help for words in option.choices.values())


@each_public
def test_the_api_takes_it(option):
    assert option.name in NameBody.model_fields, f"nbs/11_serve.ipynb의 NameBody에 {option.name}이 없습니다: 이 선택이 든 표를 body_of에 적으세요"
    field = DOCUMENT[option.name]
    assert option.help in field["description"]
    if option.served: assert NameBody.model_fields[option.name].default <= option.served and f'"maximum": {option.served}' in json.dumps(field)


def test_strangers_choose_no_engine(): assert not {o.name for o in ENGINE} & set(NameBody.model_fields)


@each_public
def test_the_page_knows_it(option):
    [table] = [name for name, options in TABLES.items() if option in options]
    assert PAGE[table].get(option.name) == option_data(option), "web/options.json이 표와 다릅니다: SAJU_WRITE_TABLES=1로 nbs/11_serve.ipynb를 돌려 다시 쓰세요"


def answer(**asked):
    "What an option may change: the pillars, what to supply, and the names with all their facts."
    found = rank_names(**asked)
    return found.analysis.pillars, found.analysis.plan, found.names


@each_public
def test_its_example_changes_the_answer(option):
    assert option.example is not None, f"nbs/lib/options.ipynb의 {option.name}: example에 답이 달라지는 값을 적으세요"
    asked = BASE | option.example_with
    changed = answer(**asked | {option.name: option.example}) != answer(**asked)
    assert changed, (
        f"{option.name}={option.example!r}로 물어도 답이 그대로입니다: 규칙을 nbs/04_naming.ipynb의 rank_names 아래에 쓰세요. "
        "규칙이 있다면 nbs/lib/options.ipynb의 example이나 example_with를 답이 달라지는 것으로 바꾸세요")


def test_an_engine_and_a_model_are_used():
    assert recommend(**BASE, count=1).source == "model"
    assert recommend(**BASE, count=1, engine=None).source == "engine"
    with pytest.raises(SajuError, match="model"): recommend(**BASE, count=1, model="없는폴더")


NEW = """
from saju_naming import options
option = options.Option("lucky_day", "길일", "Lucky day", "길일에 맞는 이름만", "flag", False, example=True)
options.NAMING += (option,)
options.TABLES["naming"], options.OPTIONS["lucky_day"] = options.NAMING, option
"""


def test_a_new_option_is_led_to_its_rule(tmp_path):
    "One line in the table puts an option at every door; what is left to do is said by the tests that fail, and by no other."
    (tmp_path/"one_more.py").write_text(NEW, encoding="utf-8")
    paths = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-m", "pytest", "-p", "one_more", "-p", "no:cacheprovider", "-q", "-rA", "--tb=line", "-k", "lucky_day", __file__]
    said = subprocess.run(command, env={**os.environ, "PYTHONPATH": paths, "COLUMNS": "400"}, capture_output=True, text=True, encoding="utf-8").stdout
    outcome = {name: how for how, name in re.findall(r"(?m)^(PASSED|FAILED) \S+::(\w+)\[lucky_day\]", said)}
    assert outcome == dict(test_it_has_words="PASSED", test_python_takes_it="PASSED", test_the_command_takes_it="PASSED", test_the_api_takes_it="PASSED",
                           test_the_page_knows_it="FAILED", test_its_example_changes_the_answer="FAILED"), said
    assert "nbs/04_naming.ipynb" in said and "SAJU_WRITE_TABLES=1" in said
