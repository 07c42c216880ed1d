"Golden answers: a change of one is a decision (`python tests/golden.py --write`), never an accident."
import json

import golden
import pytest

from saju_naming.names import find_name
from saju_naming.naming import rank_names
from saju_naming.options import CHART, NAMING, PERSON

KEPT = golden.kept()


def plain(answer):
    "An answer as JSON keeps it."
    return json.loads(json.dumps(answer))


@pytest.mark.parametrize("name", golden.CASES)
def test_a_birth_gets_what_was_decided(name):
    told = golden.difference(name, KEPT.get(name), plain(golden.answer(*golden.CASES[name])))
    assert not told, f"\n{told}"


@pytest.mark.parametrize("name", golden.CHECKS)
def test_a_name_gets_what_was_decided(name):
    told = golden.difference(name, KEPT.get(name), plain(golden.checked(name, *golden.CHECKS[name])))
    assert not told, f"\n{told}"


def test_nothing_is_left_over():
    assert [*KEPT] == [*golden.CASES, *golden.CHECKS]


def test_every_option_is_asked_at_least_once():
    asked = {name for *_, options in golden.CASES.values() for name in options} | {"birth", "gender", "surname"}
    lacking = {o.name for table in (PERSON, CHART, NAMING) for o in table} - asked
    assert not lacking, f"{lacking}: ask for it in a case of tests/golden.py (CASES), then run python tests/golden.py --write"
    for option in (*CHART, *NAMING):
        values = {v for *_, options in golden.CASES.values() for n, v in options.items() if n == option.name and option.choices}
        assert {*option.choices} - {option.default} <= values, option.name
    assert {case[1] for case in golden.CASES.values()} == {"남자", "여자"}


def test_a_name_for_both_is_borne_by_both():
    "Farther down the list than golden answers reach."
    found = rank_names("1990-05-15T14:30", "여", "김", gender_neutral=True, fixed_syllable="우", position="second", count=60)
    assert {known.gender for known in (find_name(n.given) for n in found) if known} == {"both"}


def test_a_difference_is_told_in_lines():
    old = {"asked": {}, "plan": "목·수", "names": ["하윤 1", "서연 2"]}
    assert golden.difference("그대로", old, old) == ""
    assert golden.difference("바뀜", old, old | {"plan": "화·수", "names": ["하윤 1", "지우 2"]}).split("\n") == \
        ["바뀜: {}", "  - plan: 목·수", "  + plan: 화·수", "  - names: ['서연 2']", "  + names: ['지우 2']"]
    assert "the order was" in golden.difference("차례", old, old | {"names": old["names"][::-1]})
