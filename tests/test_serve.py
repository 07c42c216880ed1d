"The API as its clients meet it: the old contract, bad input, load, death, stop, and another server behind it."
import json, logging, os, random, re, signal, socket, subprocess, sys, time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from importlib.resources import files
from types import SimpleNamespace
from unicodedata import normalize
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

import jsonschema
import pytest
import schemathesis
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_headers_conformance, response_schema_conformance, status_code_conformance

from saju_naming.cli import cli
from saju_naming.errors import Busy, CollectError, InputError, SajuError, Unavailable
from saju_naming.generate import recommend
from saju_naming.guards import MOST_BYTES, Door
from saju_naming.serve import ROUTES, create_app, naming_crew, start, tunnel
from saju_naming.verify import false_claims, meaning_claims

OLD = {"year": "1990", "month": "5", "day": "15", "gender": "여자"}
SCHEMA = json.loads((files("saju_naming")/"data"/"schema.json").read_text(encoding="utf-8"))
MANY = "1000000 per minute"


def until(true, seconds=120):
    "Waits for something to become true."
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)


@contextmanager
def crew_of(*args, **options):
    "A crew that is stopped again."
    crew = naming_crew(*args, **{"limit": 120} | options)
    try: yield crew
    finally: crew.stop(0)


@pytest.fixture(scope="module")
def crew():
    with crew_of(workers=1) as crew:
        until(lambda: crew.ready)
        yield crew


@pytest.fixture(scope="module")
def rules():
    "A crew without the model, for many requests."
    with crew_of(None, workers=1) as crew:
        until(lambda: crew.ready)
        yield crew


@pytest.fixture
def client(crew): return create_app(crew, Door(rate=MANY)).test_client()


@pytest.fixture(scope="module")
def quick(rules): return create_app(rules, Door(rate=MANY, docs=True, metrics=True)).test_client()


def error_of(reply):
    "The error of a reply, whole and in Korean."
    error = reply.json["error"]
    assert set(error) == {"field", "value", "reason", "remedy", "message"}
    assert all(re.search("[가-힣]", error[k]) for k in ("reason", "remedy", "message")) and "Traceback" not in reply.text
    return error


# the contract of the client that is deployed

def test_the_old_body_gets_the_old_reply(client):
    reply = client.post("/name", json=OLD)
    assert reply.status_code == 200 and reply.content_type == "application/json; charset=utf-8"
    assert set(reply.json) == {"prompt", "explain", "year", "month", "day", "hour", "name1", "name2", "name3", "wname1", "wname2", "wname3"}
    assert (reply.json["year"], reply.json["month"], reply.json["day"], reply.json["hour"]) == ("경오", "신사", "경진", "")
    assert "김씨로 지었습니다" in reply.json["explain"] and reply.json["prompt"].startswith("사주에 따른 자원오행이")
    for i in "123":
        first, *lines = reply.json[f"name{i}"].split("\n")
        assert re.fullmatch(r"[가-힣]{2}\(..\)", first) and len(lines) == 2
        assert all(re.fullmatch(r"[가-힣]\(.\): .+, 자원오행 [목화토금수]", line) for line in lines)
        assert reply.json[f"wname{i}"] == re.sub(", 자원오행 .", "", reply.json[f"name{i}"])


@pytest.mark.parametrize("typed", [{"year": 1990, "month": 5, "day": 15}, {"month": "05"}, {"gender": "여"}])
def test_numbers_and_genders_as_they_are_typed(client, typed): assert client.post("/name", json={**OLD, **typed}).json == client.post("/name", json=OLD).json


def test_names_agree_with_the_library_and_with_their_meaning(client):
    body = {**OLD, "hour": 14, "minute": "30", "surname": "남궁", "seed": 3, "count": 4}
    reply = client.post("/name", json=body).json
    said = recommend("1990-05-15T14:30", "여자", "남궁", seed=3, count=4)
    assert reply["result"] | {"options": None} == json.loads(json.dumps(asdict(said) | {"options": None}))
    jsonschema.validate(reply["result"], SCHEMA | {"$ref": "#/$defs/recommend"})
    assert reply["hour"] == "계미"
    for i, name in enumerate(said.names[:3], 1):
        assert reply[f"name{i}"].split("\n")[0] == f"{name.given}({name.given_hanja})"
        meant = [client.post("/mean", json={"name": n}).json for n in (reply[f"name{i}"], reply[f"wname{i}"], f"{name.given}({name.given_hanja})")]
        assert meant[0] == meant[1] == meant[2]
        quoted = [f"'{c.meaning} {c.reading}'" for c in name.chars]
        assert re.findall("'[^']+'", meant[0]["mean"]) == quoted
        assert not false_claims(meaning_claims(meant[0]["sentence"], [(c.reading, c.hanja) for c in name.chars]))


def test_result_is_what_the_command_prints(client):
    options = ["--birth", "1966-03-01T08:00", "--lunar", "--leap", "--gender", "남자", "--surname", "이", "--surname-hanja", "李", "--mode", "억부 용신", "--place", "부산"]
    printed = CliRunner().invoke(cli, ["recommend", *options, "--json"], standalone_mode=False)
    body = dict(year=1966, month=3, day=1, hour=8, lunar=True, leap=True, gender="남자", surname="이", surname_hanja="李", mode="yongsin", place="부산")
    assert client.post("/name", json=body).json["result"] == json.loads(printed.output)
    written = {k: v for k, v in body.items() if k not in ("year", "month", "day", "hour")} | {"birth": "1966-03-01T08:00"}
    assert client.post("/name", json=written).json["result"] == json.loads(printed.output)


def test_review_is_what_the_command_prints(quick):
    printed = CliRunner().invoke(cli, ["check", "김서연", "金瑞淵", "--birth", "1990-05-15T14:30", "--json"], standalone_mode=False)
    body = {"name": "김서연", "hanja": "瑞淵", "year": 1990, "month": 5, "day": 15, "hour": 14, "minute": 30}
    reply = quick.post("/review", json=body).json
    assert reply == json.loads(printed.output)
    jsonschema.validate(reply, SCHEMA | {"$ref": "#/$defs/check"})
    assert quick.post("/review", json={"name": "김하늘", "hanja": None}).json["analysis"] is None


# what the other commands tell, on the same page of rules

BIRTH = {"year": 1990, "month": 5, "day": 15, "hour": 14, "minute": 30}
TYPED = ["--birth", "1990-05-15T14:30"]
ASKED = [("hanja_for", "/hanja-for", {"name": "서연", "surname": "김", "gender": "여자", "count": 3, **BIRTH},
          ["hanja-for", "서연", "--surname", "김", "--gender", "여자", "--count", "3", *TYPED]),
         ("hanja_for", "/hanja-for", {"name": "서율"}, ["hanja-for", "서율"]),
         ("compare", "/compare", {"names": ["김서연:金瑞姸", "김하윤:金河潤", "김하늘"], "siblings": ["김서준"], **BIRTH},
          ["compare", "김서연:金瑞姸", "김하윤:金河潤", "김하늘", "--sibling", "김서준", *TYPED]),
         ("compare", "/compare", {"names": ["황 보라", "황보 라"]}, ["compare", "황 보라", "황보 라"]),
         ("saju", "/saju", {"gender": "여자", "place": "부산", **BIRTH}, ["saju", "--gender", "여자", "--place", "부산", *TYPED]),
         ("saju", "/saju", {"birth": "1990-05-15"}, ["saju", "--birth", "1990-05-15"])]


@pytest.mark.parametrize("shape, path, body, command", ASKED, ids=lambda x: ascii(x)[:20])
def test_a_route_answers_what_its_command_prints(quick, shape, path, body, command):
    printed = CliRunner().invoke(cli, [*command, "--json"], standalone_mode=False)
    reply = quick.post(path, json=body)
    assert reply.status_code == 200 and reply.json == json.loads(printed.output)
    jsonschema.validate(reply.json, SCHEMA | {"$ref": f"#/$defs/{shape}"})


def test_review_has_three_verdicts(quick):
    told = quick.post("/review", json={"name": "김치국", "birth": "1990-05-15"}).json["verdicts"]
    assert [v["about"] for v in told] == ["등록", "어감·놀림", "사주"] and told[1]["level"] != "ok"
    assert quick.post("/review", json={"name": "김서연"}).json["verdicts"][2]["level"] == "unknown"


def test_a_due_date_has_its_own_shape(quick):
    reply = quick.post("/name", json={"birth": "2027-03-01~2027-03-14", "surname": "김", "count": 4}).json
    printed = CliRunner().invoke(cli, ["recommend", "--birth", "2027-03-01~2027-03-14", "--surname", "김", "--count", "4", "--json"], standalone_mode=False)
    assert reply["due"] == json.loads(printed.output) and "result" not in reply
    jsonschema.validate(reply["due"], SCHEMA | {"$ref": "#/$defs/due"})
    assert (reply["year"], reply["month"], reply["day"], reply["hour"]) == ("정미", "", "", "")   # 경칩 is in it
    assert reply["name1"].split("(")[0] == reply["due"]["names"][0]["name"]["given"] and "태어난 뒤" in reply["explain"]
    alone = quick.post("/name", json={"birth": "2027-03-10 ±0일"}).json
    assert "김씨로" in alone["explain"] and alone["day"] and len(alone["due"]["days"]) == 1


@pytest.mark.parametrize("wish, kept", [({"wanted": ["하:첫"]}, "^하"), ({"sounds": ["ㅈ"]}, "^[자-짛]"), ({"ending": "open"}, "[가-힣]$"),
                                        ({"avoid_relatives": "김하윤"}, "^[^하윤]+$"), ({"rarity": "드문 이름"}, "."), ({"era": "2000s"}, ".")], ids=ascii)
def test_wishes_are_heard(quick, wish, kept):
    found = quick.post("/name", json={**OLD, **wish}).json["result"]
    assert all(re.search(kept, name["given"]) for name in found["names"])
    assert found["options"][next(iter(wish))] not in (None, [], "any", "balanced", "2020s")


def test_a_hangul_name_has_no_characters_to_translate(quick):
    reply = quick.post("/name", json={**OLD, "hangul_only": True}).json
    assert "(" not in reply["name1"] and "오행" not in reply["wname1"]
    assert quick.post("/mean", json={"name": reply["name1"]}).json["source"] == "engine"


def test_fewer_names_than_three_leave_empty_lines(quick):
    reply = quick.post("/name", json={**OLD, "count": 1}).json
    assert reply["name1"] and (reply["name2"], reply["wname3"]) == ("", "")


def test_surnames_the_usual_hanja_first(quick):
    assert [quick.get(f"/surnames/{s}").json["choices"][0]["hanja"] for s in ("김", "남궁", "李")] == ["金", "南宮", "李"]
    reply = quick.get("/surnames/뷁")
    assert reply.status_code == 404 and error_of(reply)["field"] == "surname"


# bad input

BAD = {"month": [("13", 422), (True, 422), (1.5, 422), (None, 422), ("1e1", 422), (10**4000, 422)], "year": [(1899, 422), ([1990], 422), ("일구구공", 422)], "gender": [("몰라", 422), (1, 422)], "surname": [("뷁", 422), ("", 422), ("김"*99, 422), ("\ud800", 422)],
       "count": [(0, 422), (21, 422)], "longitude": [(200, 422), ("서울", 422), (float("nan"), 422)], "tz": [("../etc", 422), ("\0", 422)], "fixed_syllable": [("서연", 422), ("a", 422)], "position": [("first", 422)],
       "minute": [(3, 422)], "leap": [(True, 422), ("예", 422)], "siblings": [({"서": 1}, 422), (["서연"]*21, 422), ([["서"]], 422)], "surnmae": [("김", 422)], "calendar": [("lunar", 422)], "birthplace": [("부산", 422)], "engine": [("openai", 422)], "hour": [(24, 422), ("-1", 422)], "mode": [("아무거나", 422)], "seed": [(-1, 422), (2**32, 422)], "surname_hanja": [("瑞", 422)], "exclude": [(["😀😀"], 422)]}


@pytest.mark.parametrize("field, value, status", [(f, v, s) for f, pairs in BAD.items() for v, s in pairs], ids=lambda x: ascii(x)[:20])
def test_a_bad_field_is_named(quick, field, value, status):
    reply = quick.post("/name", data=json.dumps({**OLD, field: value}), content_type="application/json")
    assert (reply.status_code, error_of(reply)["field"]) == (status, field)


WRONG = [("/hanja-for", {"name": "Seoyeon"}, "name"), ("/hanja-for", {"name": "뷁"}, "name"), ("/hanja-for", {"name": "김서연", "surname": "김"}, "name"), ("/hanja-for", {}, "name"),
         ("/hanja-for", {"name": "서연", "count": 21}, "count"), ("/hanja-for", {"name": "서연", "lunar": True}, "lunar"), ("/hanja-for", {"name": "서연", "surname": "뷁"}, "surname"),
         ("/compare", {"names": ["김서연"]}, "names"), ("/compare", {"names": "김서연"}, "names"), ("/compare", {"names": ["김서연"]*9}, "names"), ("/compare", {"names": ["김서연", "김서연"]}, "names"),
         ("/compare", {"names": ["김서연", "Kim"]}, "names"), ("/compare", {"names": ["김서연:金", "김하윤"]}, "names"), ("/compare", {"names": ["김서연", 3]}, "names"), ("/compare", {}, "names"),
         ("/compare", {"names": ["김서연", "김하윤"], "month": 3}, "year"), ("/compare", {"name": "김서연", "names": ["김서연", "김하윤"]}, "name"),
         ("/saju", {}, "year"), ("/saju", {"gender": "여"}, "year"), ("/saju", {"birth": "2099-01-01"}, "birth"), ("/saju", {"birth": "1990-02-30"}, "birth"), ("/saju", {**OLD, "gender": "몰라"}, "gender"),
         ("/saju", {**OLD, "surname": "김"}, "surname"), ("/name", {"birth": "1990-05-15"}, "gender"), ("/name", {"birth": "2027-03-01~2028-03-14"}, "birth"),
         ("/name", {"birth": "2027-03-14~2027-03-01"}, "birth"), ("/name", {"birth": "2027-03-01~2027-03-14", "lunar": True}, "birth"), ("/saju", {"birth": "2027-03-01~2027-03-14"}, "birth"),
         ("/review", {"name": "김서연", "birth": "2027-03-01~2027-03-14"}, "birth"), ("/name", {**OLD, "wanted": ["하:가운데"]}, "wanted"), ("/name", {**OLD, "sounds": ["k"]}, "sounds")]


@pytest.mark.parametrize("path, body, field", WRONG, ids=lambda x: ascii(x)[:30])
def test_a_bad_field_is_named_by_every_route(quick, path, body, field):
    reply = quick.post(path, json=body)
    assert (reply.status_code, error_of(reply)["field"]) == (422, field), reply.text


@pytest.mark.parametrize("stray, near", [("surnmae", "surname"), ("birthplace", "place"), ("fixed", "fixed_syllable"), ("돌림자", "fixed_syllable"), ("sibling", "siblings")])
def test_an_unknown_field_is_told_the_nearest(quick, stray, near):
    assert f"혹시 {near}인가요" in error_of(quick.post("/name", json={**OLD, stray: "김"}))["remedy"]


def test_two_births_are_one_too_many(quick):
    reply = quick.post("/name", json={**OLD, "birth": "1990-05-15"})
    assert reply.status_code == 422 and "birth와 함께" in error_of(reply)["reason"]
    assert error_of(quick.post("/name", json={"gender": "여자"}))["field"] == "year"


# one normal form at every door

nfd = partial(normalize, "NFD")   # Hangul as macOS spells it

SPELLED = [({"gender": "여자"}, {"gender": nfd("여자")}), ({"gender": "여"}, {"gender": "Female"}), ({"year": "1990"}, {"year": "１９９０"}), ({"count": 4}, {"count": "４"}),
           ({"surname": "남궁"}, {"surname": nfd("남궁")}), ({"surname": "李"}, {"surname": "\uf9e1"}), ({"surname": "이", "surname_hanja": "李"}, {"surname": "이", "surname_hanja": "\uf9e1\ufe00"}),
           ({"fixed_syllable": "준"}, {"fixed_syllable": nfd("준")}), ({"mode": "yongsin"}, {"mode": " 억부　용신 "}), ({"place": "부산"}, {"place": "\u00a0부산"}),
           ({"parents": ["김철수"]}, {"parents": "김 철수"}), ({"exclude": ["서", "淵"]}, {"exclude": ["서\u200b", "淵\ufe00"]})]


@pytest.mark.parametrize("plain, typed", SPELLED, ids=lambda x: ascii(x)[:30])
def test_one_normal_form_of_every_field(quick, plain, typed):
    said, same = [quick.post("/name", json={**OLD, "hour": 14, **fields}) for fields in (plain, typed)]
    assert same.status_code == 200, same.text
    assert same.json["result"]["names"] == said.json["result"]["names"] and same.json["result"]["analysis"] == said.json["result"]["analysis"]


@pytest.mark.parametrize("body", [{"name": "김 서연", "hanja": "瑞淵"}, {"name": nfd("김서연"), "hanja": "金 瑞\ufe00淵"}, {"name": "김\u00a0서연", "hanja": "\uf90a瑞淵"}], ids=ascii)
def test_one_normal_form_of_a_name(quick, body):
    assert quick.post("/review", json=body).json == quick.post("/review", json={"name": "김서연", "hanja": "金瑞淵"}).json


def test_one_normal_form_of_what_is_asked(quick):
    said = quick.post("/mean", json={"name": "서연(瑞淵)"}).json
    assert quick.post("/mean", json={"name": nfd("서연") + "（瑞\ufe00淵）"}).json == said
    assert quick.get("/surnames/" + quote(nfd("김"))).json == quick.get("/surnames/김").json


# whose fault it is

FAULTS = [(InputError("surname", "X", "못 씁니다", "고치세요"), 422, "X"), (Unavailable("surname", "/srv/secret", "없습니다(/srv/secret/a.json)", "거기를 보세요"), 503, None),
          (Unavailable("birth", None, "http://10.0.0.7:8000/secret에 닿지 못했습니다", "거기를 보세요"), 503, None), (CollectError("secret", "답이 없습니다"), 503, None),
          (Busy("server", None, "줄이 찼습니다", "2초 뒤에 다시 보내 주세요"), 503, None), (SajuError("secret", "secret", "이유", "고치는 법"), 500, None)]


@pytest.mark.parametrize("error, status, value", FAULTS, ids=lambda x: type(x).__name__)
def test_status_and_what_is_shown_follow_from_the_class(rules, monkeypatch, error, status, value):
    def run(job, **asked): raise error
    monkeypatch.setattr(rules, "run", run)
    reply = create_app(rules).test_client().post("/name", json=OLD)
    assert (reply.status_code, error_of(reply)["value"], "Retry-After" in reply.headers) == (status, value, status == 503)
    assert not re.search("/srv|10[.]0|거기를", reply.text)


@pytest.mark.parametrize("body, kind, status", [(b"{", "application/json", 400), (b"\xff", "application/json", 400), (b"["*9000, "application/json", 400), (b"[]", "application/json", 422), (b'"{}"', "application/json", 422), (b"null", "application/json", 422),
                                                (b"", "application/json", 400), (b"year=1990", "application/x-www-form-urlencoded", 415), (b"{}", "text/plain", 415), (b" "*(MOST_BYTES + 1), "application/json", 413)])
def test_a_bad_body_is_refused(quick, body, kind, status):
    reply = quick.post("/name", data=body, content_type=kind)
    assert reply.status_code == status and error_of(reply)


@pytest.mark.parametrize("path, method, status", [("/name", "get", 405), ("/check", "post", 405), ("/mean", "delete", 405), ("/nowhere", "get", 404), ("/../settings.ini", "get", 404), ("/%2e%2e/cli.py", "get", 404)])
def test_wrong_methods_and_addresses(quick, path, method, status):
    reply = getattr(quick, method)(path)
    assert reply.status_code == status and error_of(reply) and ("Allow" in reply.headers) == (status == 405)


def test_births_to_come_and_days_that_never_were(quick):
    for changed in ({"year": 2099}, {"month": 2, "day": 30}, {"year": 1991, "lunar": True, "leap": True}): assert quick.post("/name", json={**OLD, **changed}).status_code == 422


ODD = (None, True, False, 0, -1, 1.5, 1e308, 10**30, "", " ", "0", "13", "03", "여자", "김", "\0", "\ud800", "서연(瑞淵)", "()", "(瑞)", "가"*300, "漢", "'; --", "{}", "[]", "𠀀", "ㄱ", "́", [], {}, [[]], ["서연"], {"year": 1})


def odd_request(rng):
    "A route with a body that nobody would send."
    path, base = rng.choice([("/name", OLD), ("/mean", {"name": "서연(瑞淵)"}), ("/check", {}), ("/hanja-for", {"name": "서연"}), ("/compare", {"names": ["김서연", "김하윤"]}), ("/saju", OLD)])
    body = dict(base)
    for _ in range(rng.randint(1, 3)): body[rng.choice([*base, "hour", "surname", "count", "seed", "exclude", "", "__proto__"])] = rng.choice(ODD)
    data = json.dumps(body).encode()
    if rng.random() < 0.2: data = bytes(rng.choice(data) if rng.random() < 0.9 else rng.randrange(256) for _ in data)
    if rng.random() < 0.1: data = data[:rng.randrange(len(data))]
    return path, data, rng.choice(["application/json"]*8 + ["text/plain", ""])


def test_two_thousand_odd_bodies(quick):
    rng, seen = random.Random(5), set()
    for _ in range(2000):
        path, data, kind = odd_request(rng)
        reply = quick.open(path, method="GET" if path == "/check" else "POST", data=data, content_type=kind)
        assert 200 <= reply.status_code < 300 or 400 <= reply.status_code < 500, (path, data, reply.text)
        if reply.status_code >= 400: error_of(reply)
        seen.add(reply.status_code)
    assert seen >= {200, 400, 415, 422}


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_the_document_holds(rules, mode):
    api, tried = schemathesis.openapi.from_wsgi("/openapi.json", create_app(rules, Door(rate=MANY, docs=True))), set()
    for operation in api.get_all_operations():
        @settings(max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.ok().as_strategy(generation_mode=mode))
        def holds(case):
            case.call_and_validate(checks=[not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance, response_schema_conformance])
            tried.add(operation.ok().label)
        try: holds()
        except Unsatisfiable: assert mode is GenerationMode.NEGATIVE   # nothing to get wrong
    assert tried >= {f"POST {path}" for path in ("/name", *(route.path for route in ROUTES))} | {"GET /surnames/{hangul}"}


def test_the_document_tells_every_route_and_shape(quick):
    told = quick.get("/openapi.json").json
    schemas, posts = told["components"]["schemas"], {path: found["post"] for path, found in told["paths"].items() if "post" in found}
    assert set(posts) == {"/name", "/mean", "/review", "/hanja-for", "/compare", "/saju"}
    for path, shape in (("/review", "check"), ("/hanja-for", "hanja_for"), ("/compare", "compare"), ("/saju", "saju")):
        assert posts[path]["responses"]["200"]["content"]["application/json"]["schema"] == {"$ref": f"#/components/schemas/{shape}"} and shape in schemas
    assert schemas["NameReply"]["properties"]["due"] == {"$ref": "#/components/schemas/due"}
    body = schemas["CompareBody"]["properties"]["names"]
    assert body["anyOf"][0]["maxItems"] == 8 and schemas["CompareBody"]["required"] == ["names"]
    assert schemas["HanjaForBody"]["properties"]["count"]["default"] == 10


def test_docs_open_without_the_internet(quick):
    page = quick.get("/docs", follow_redirects=True)
    assert page.status_code == 200 and not re.search(r"(src|href)=\"https?://", page.text)
    names = re.findall(r'(?:src|href)="(swagger/[^"]+)"', page.text)
    assert names and all(quick.get(f"/docs/{name}").status_code == 200 for name in names)


def test_the_page_and_its_files(quick):
    page = quick.get("/")
    assert page.status_code == 200 and page.mimetype == "text/html"
    for name in re.findall(r'(?:src|href)="([^":#]+\.(?:css|js|svg))"', page.text): assert quick.get("/" + name).status_code == 200


# who may ask

def test_cors_and_headers(quick):
    def preflight(origin): return quick.options("/name", headers={"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type, ngrok-skip-browser-warning, x-api-key"}).headers
    for origin in ("https://5kletsgo.github.io", "http://localhost:5173", "http://127.0.0.1:8000"):
        found = preflight(origin)
        assert found["Access-Control-Allow-Origin"] == origin and set(found["Access-Control-Allow-Headers"].split(", ")) == {"content-type", "ngrok-skip-browser-warning", "x-api-key"}
    for origin in ("https://example.com", "http://localhost.example.com", "http://localhost:80@example.com", "null"): assert "Access-Control-Allow-Origin" not in preflight(origin)
    refused = quick.post("/name", json={}, headers={"Origin": "https://5kletsgo.github.io"})
    assert refused.status_code == 422 and refused.headers["Access-Control-Allow-Origin"] == "https://5kletsgo.github.io"
    assert refused.headers["X-Content-Type-Options"] == "nosniff" and refused.headers["Cache-Control"] == "no-store"


def test_the_key_guards_what_works(rules):
    client = create_app(rules, Door(keys=("secret",))).test_client()
    refused = client.post("/name", json=OLD)
    assert refused.status_code == 401 and error_of(refused)["field"] == "X-API-Key"
    paths = ("/", "/check", "/openapi.json", "/docs", "/metrics", "/surnames/김")
    assert [client.get(p).status_code for p in paths] == [200, 200, 404, 404, 404, 401]
    shown = [client.get(p, headers={"X-API-Key": "secret"}).status_code for p in paths]
    assert shown == [200, 200, 200, 302, 200, 200]


def test_one_client_may_not_ask_too_often(rules):
    client = create_app(rules, Door(rate="2 per minute")).test_client()
    def asked(address): return client.get("/surnames/김", environ_base={"REMOTE_ADDR": address})
    replies = [asked("10.0.0.1") for _ in range(3)]
    assert [r.status_code for r in replies] == [200, 200, 429] and error_of(replies[2])
    assert asked("10.0.0.2").status_code == 200
    assert client.get("/check", environ_base={"REMOTE_ADDR": "10.0.0.1"}).status_code == 200


def test_births_are_neither_logged_nor_counted(quick, caplog):
    with caplog.at_level(logging.DEBUG):
        quick.post("/name", json={**OLD, "year": 1987, "surname": "제갈"})
        quick.post("/name", json={**OLD, "year": "1987년", "surname": "제갈"})
        quick.get("/surnames/제갈")
        quick.post("/hanja-for", json={"name": "휘령", "surname": "제갈"})
        quick.post("/compare", json={"names": ["제갈휘령", "제갈휘"]})
    logged = "\n".join(r.getMessage() for r in caplog.records)
    assert "POST /name 200" in logged and "GET /surnames/<hangul> 200" in logged
    labels = "".join(re.findall("{.*?}", quick.get("/metrics").text))
    assert "POST /hanja-for 200" in logged and "POST /compare 200" in logged
    for private in ("1987", "제갈", "휘령"): assert private not in logged + labels
    assert 'saju_request_seconds_count{method="POST",route="/name",status="200"}' in quick.get("/metrics").text


def test_a_bug_tells_nothing(rules, monkeypatch, caplog):
    def run(job, **asked): raise ValueError(f"secret {asked}")
    monkeypatch.setattr(rules, "run", run)
    reply = create_app(rules).test_client().post("/name", json=OLD)
    assert reply.status_code == 500 and error_of(reply)
    assert "1990" not in reply.text + caplog.text and "ValueError" in caplog.text


# load and death; the rest is in test_workers.py

def test_a_worker_killed_at_work_loses_nothing():
    with crew_of(workers=2) as crew, ThreadPoolExecutor() as pool:
        until(lambda: crew.resting == 2)
        client = create_app(crew).test_client()
        asked = [pool.submit(client.post, "/name", json={**OLD, "seed": i}) for i in range(4)]
        until(lambda: crew.resting == 0)
        next(worker for worker in crew.loaded() if worker.job).process.kill()
        assert [a.result().status_code for a in asked] == [200]*4
        until(lambda: crew.resting == 2)


def test_an_engine_that_is_down_is_told_and_no_fault_of_the_client():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with crew_of("openai", f"http://127.0.0.1:{closed.getsockname()[1]}/v1", workers=1) as crew:
            until(crew.loaded)
            client = create_app(crew).test_client()
            reply = client.post("/name", json=OLD)
            assert reply.status_code == 503 and "지금은 답할 수 없습니다" in error_of(reply)["reason"]
            assert error_of(reply)["value"] is None and str(closed.getsockname()[1]) not in reply.text
            assert client.get("/check").json == {"isReady": False, "engine": "openai", "version": client.get("/check").json["version"]}


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s: return s.getsockname()[1]


def ask(port, path, body=None, **headers):
    "JSON from a server."
    data = None if body is None else json.dumps(body).encode()
    with urlopen(Request(f"http://127.0.0.1:{port}{path}", data, {"Content-Type": "application/json", **headers}), timeout=300) as reply: return json.load(reply)


def status(port, path, **headers):
    "The status of a reply."
    try: urlopen(Request(f"http://127.0.0.1:{port}{path}", None, headers), timeout=60).close()
    except HTTPError as e: return e.code
    return 200


def answers(port, path="/check"):
    "What a server says, or nothing while it is not up."
    try: return ask(port, path)
    except OSError: return {}


@pytest.fixture
def served(tmp_path):
    "The command's server as a process of its own, with one worker."
    port, log = free_port(), open(tmp_path/"log", "w+")
    process = subprocess.Popen([sys.executable, "-c", f"from saju_naming.serve import serve; serve(port={port}, workers=1, metrics=True)"], stdout=log, stderr=log, env={**os.environ, "PYTHONIOENCODING": "utf-8"})
    try:
        until(lambda: answers(port).get("isReady"))
        yield port, process, tmp_path/"log"
    finally:
        process.kill()
        process.wait()


@pytest.mark.skipif(sys.platform == "win32", reason="SIGTERM does not reach a handler on Windows")
def test_sigterm_lets_the_answer_finish(served):
    port, process, log = served
    with ThreadPoolExecutor() as pool:
        late = pool.submit(ask, port, "/name", {**OLD, "seed": 11})
        until(lambda: "saju_jobs 1.0" in urlopen(f"http://127.0.0.1:{port}/metrics").read().decode() or late.done())
        process.send_signal(signal.SIGTERM)
        assert late.result()["name1"] and process.wait(120) == 0
    text = log.read_text(encoding="utf-8")
    assert "받은 요청을 마치고 멈춥니다" in text and "1990" not in text and "Traceback" not in text


@pytest.mark.parametrize("trusted, last", [((), 429), (("127.0.0.1",), 200)], ids=["nobody", "this machine"])
def test_only_a_trusted_proxy_may_name_the_client(trusted, last):
    running = start(port=0, engine=None, workers=1, rate="2 per minute", trusted_proxy=trusted)
    try: statuses = [status(running.port, "/surnames/%EA%B9%80", **{"X-Forwarded-For": f"10.0.0.{i}"}) for i in range(4)]
    finally: running.stop()
    assert statuses == [200, 200, last, last]


def test_a_taken_port_is_one_clear_error():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        with pytest.raises(InputError, match="port"): start(port=taken.getsockname()[1])


def test_a_big_model_server_behind_the_same_api(tmp_path):
    pytest.importorskip("torch")
    from saju_naming.merge import merge_adapter
    tiny, port = files("saju_naming")/"data"/"tiny", free_port()
    model = merge_adapter(str(tiny/"adapter"), "tiny", tmp_path/"merged")
    command = [sys.executable, "-m", "transformers.cli.transformers", "serve", str(model), "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    server = subprocess.Popen(command, env={**os.environ, "HF_HUB_OFFLINE": "1"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: answers(port, "/health"), 300)
        with crew_of("openai", f"http://127.0.0.1:{port}/v1#{model}", workers=1, limit=300) as crew:
            client = create_app(crew).test_client()
            reply = client.post("/name", json={**OLD, "surname": "김"})
            assert reply.status_code == 200 and "openai" in reply.json["result"]["source_reason"]
            assert client.get("/check").json["isReady"] is True
            assert client.post("/mean", json={"name": reply.json["name1"]}).json["mean"].startswith("'")
    finally:
        server.kill()
        server.wait()


def test_the_tunnel_shows_its_address(monkeypatch, capsys):
    "With the SDK's `forward` in place of the service, which needs a token: what it is asked, and what is shown."
    asked = []
    monkeypatch.setenv("NGROK_AUTHTOKEN", "secret")
    forwarded = SimpleNamespace(url=lambda: "https://a-b.ngrok.app")
    monkeypatch.setattr("ngrok.forward", lambda port, **more: asked.append((port, more)) or forwarded)
    running = SimpleNamespace(port=8000, door=Door(public=True))
    assert tunnel(running) == "https://a-b.ngrok.app"
    shown = capsys.readouterr().out
    assert asked == [(8000, {"authtoken": "secret"})] and running.door.hosts.allows("a-b.ngrok.app")
    assert "https://a-b.ngrok.app" in shown and shown.count("█") > 100 and "secret" not in shown


def test_a_tunnel_for_everyone_is_asked_for(monkeypatch):
    monkeypatch.setenv("NGROK_AUTHTOKEN", "secret")
    with pytest.raises(InputError, match="열쇠가 없습니다"): tunnel(SimpleNamespace(port=8000, door=Door()))
