"The benchmarks' runner and curves, on made-up and tiny runs; nothing here looks at how long anything takes."
import ast, json, subprocess, sys
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from test_house import loose

FOLDER = Path(__file__).parents[1]/"benchmarks"
sys.path.insert(0, str(FOLDER))   # attackers, which attacks needs, lies beside this file
import attacks, clients, pairs, run, serve, sides  # noqa: E402, E401

SCRIPT = """import json, sys
open(sys.argv[sys.argv.index("--json") + 1], "w").write(json.dumps({{"rows": [{row}]}}))
"""
RATE = {"what": "rate", "unit": "tokens/초", "ours": 600, "peer": "slow 1.0", "theirs": 200}
TIME = {"what": "time", "unit": "초", "ours": 0.5, "peer": "quick 2.0", "theirs": 0.25, "note": "why"}


def test_ratio_above_one_is_ours_ahead():
    assert run.ratio(RATE) == 3 and run.ratio(TIME) == 0.5 and run.ratio({"unit": "초", "ours": 1}) is None
    assert run.ratio(TIME | {"ours": 0}) is None and run.ratio(TIME | {"theirs": 0}) is None


def test_page_has_every_row_and_curve():
    found = {"name": "births", "title": "비용", "axis": "출생", "measures": {"seconds": "초"}, "lines": {"ours": [{"n": 1000, "seconds": 12.5}]}}
    text = run.page({"a": {"rows": [RATE]}, "b": {"rows": [TIME]}, "c": None, "curves": {"curves": [found]}}, run.setting())
    for line in ("| a | rate | tokens/초 | 600 | slow 1.0 | 200 | **3** |  |", "| b | time | 초 | 0.5 | quick 2.0 | 0.25 | **0.5** | why |", "| c | **실패** |", "![비용](curve_births.png)", "| ours | 1,000 | 12.5 |"):
        assert line in text
    assert f"Python {sys.version.split()[0]}" in text and "numpy" in text


def test_a_failure_is_told_and_the_rest_goes_on(tmp_path, monkeypatch):
    (tmp_path/"manse.py").write_text("raise SystemExit('broken')")
    (tmp_path/"naming.py").write_text(SCRIPT.format(row=RATE))
    monkeypatch.setattr(run, "HERE", tmp_path)
    assert run.main(["--only", "manse,naming", "--output", str(tmp_path/"out.md")]) == 1
    text = (tmp_path/"out.md").read_text(encoding="utf-8")
    assert "| manse | **실패**" in text and "slow 1.0" in text
    assert run.main(["--only", "naming"]) == 0


def test_rows_are_renewed_in_place():
    page = run.page({"a": {"rows": [RATE]}, "b": {"rows": [TIME, TIME]}, "c": {"rows": [RATE]}}, run.setting())
    once = run.renewed(page, {"b": {"rows": [{**TIME, "ours": 5}]}})
    twice = run.renewed(once, {"b": {"rows": [{**TIME, "ours": 7}]}})
    rows = [line for line in twice.split("\n") if line[:4] in ("| a ", "| b ", "| c ")]
    assert [row.split(" | ")[3] for row in rows] == ["600", "7", "600"] and twice.count("따로 다시 잰 것: b (") == 1
    with pytest.raises(ValueError, match="no row of d"): run.renewed(page, {"d": {"rows": [RATE]}})


def test_unknown_name_is_one_clear_error(capsys):
    with pytest.raises(SystemExit): run.main(["--only", "speed"])
    assert "--only speed: one or more of manse" in capsys.readouterr().err


@pytest.mark.parametrize("name", run.SCRIPTS)
def test_scripts_hand_over_their_numbers(name):
    source = (FOLDER/f"{name}.py").read_text(encoding="utf-8")
    assert all(f'"{option}"' in source for option in ("--json", *run.SCRIPTS[name][::2]))


def test_a_curve_is_measured_and_drawn(tmp_path):
    subprocess.run([sys.executable, FOLDER/"curves.py", "--only", "births", "--up-to", "100", "--plots", tmp_path, "--json", tmp_path/"c.json"], check=True)
    [found] = json.loads((tmp_path/"c.json").read_text(encoding="utf-8"))["curves"]
    assert [p["n"] for p in found["lines"]["four_pillars"]] == [10, 100] and all(p["peak_mb"] > 1 for p in found["lines"]["four_pillars"])
    assert (tmp_path/"curve_births.png").stat().st_size > 1000


def test_four_pillars_are_compared_in_both_orders():
    "Ours beside each peer in each order; a peer that could not be installed is named with the reason."
    import manse
    times = {name: {"unsorted": [2e-6, 1e-6], "sorted": [1e-6, 1e-6]} for name in ("saju-naming (batch)", "saju-naming (one)", "saju-naming (text)")}
    times |= {"sxtwl": {"unsorted": [5e-4, 4e-4], "sorted": [4e-6, 5e-6]}, "bazi": {"unsorted": [1e-4, 1e-4], "sorted": [1e-4, 1e-4]}}
    names = {"saju-naming": "1", "sxtwl": "2", "bazi": "3"}
    rows = manse.report(times, names, dict.fromkeys(names, 0.))
    assert {order: round(manse.fastest(rows, order)) for order in manse.ORDERS} == {"unsorted": 10000, "sorted": 250000}
    missing = {"bazi-chart": "CalledProcessError: pip"}
    lines = manse.compared(rows, missing)
    assert len(lines) == 3*2*3 and all(run.ratio(line) is None for line in lines if line["peer"] == "bazi-chart")
    assert round(run.ratio(next(line for line in lines if line["peer"] == "sxtwl 2" and "한 건씩, 온 차례대로" in line["what"]))) == 400
    assert "not measured: CalledProcessError" in manse.table(rows, missing) and "100.00" in manse.table(rows, missing)


def test_a_peer_that_cannot_be_installed_is_told(monkeypatch):
    import manse
    monkeypatch.setattr(manse, "SIZES", {"bazi": (1, 1), "sxtwl": (1, 1)})
    def no_network(self): raise subprocess.CalledProcessError(1, ["pip", "install"])
    monkeypatch.setattr(manse.Apart, "environment", no_network)
    monkeypatch.setattr(manse, "sxtwl_engine", lambda: lambda t: ["甲子"]*4)
    monkeypatch.setattr(manse, "version", lambda name: "0")
    found, missing = manse.peers()
    assert [peer.name for peer in found] == ["sxtwl"] and "pip" in missing["bazi"]


def test_the_bars_of_the_names_say_whether_they_are_met():
    import names
    found = names.rows({"남": {"today": 0.826, "dated": 0.03, "public": 0.1, "one surname": {"distinct names": 9}}, "남녀 번갈아": {"distinct names": 249}})
    assert [(row["what"], row["unit"], row["note"]) for row in found] == [
        ("요즘 이름(2024~2025년 160위 안), 남", "%", "목표(80% 이상) 이룸"), ("철 지난 이름, 남", "%", "목표(2% 이하) **못 미침**"),
        ("서로 다른 이름, 남녀 번갈아", "개", "목표(250개 이상) **못 미침**")]
    assert [round(row["ours"], 1) for row in found] == [82.6, 3, 249] and not [row for row in found if "theirs" in row]
    assert set(names.BARS) == {*names.SHARES, *names.COUNTS, *names.TOPS}


# the server, side by side

@pytest.mark.parametrize("name", ["serve", "sides", "pairs", "clients", "attacks"])
def test_the_rooms_of_the_server_are_strict(name):
    source = (FOLDER/f"{name}.py").read_text(encoding="utf-8")
    assert loose(source) == []
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    assert not [f.name for f in functions if f.end_lineno - f.body[0].lineno >= 25]


def test_the_ratio_is_that_of_the_pair_in_the_middle():
    "Both sides are slow in the second round: the ratios of pairs do not see it, those of single values would."
    rows = pairs.row("/name", "요청/초", [(4, 8), (1, 2.2), (5, 9)], "note")
    assert (rows["ours"], rows["theirs"], run.ratio(rows)) == (8, 4, 2)
    assert rows["note"] == "note, 짝지은 3판의 배 1.80~2.20"
    times = pairs.row("back", "초", [(2, 1), (2, 4)], "note", "10초 안", False)
    assert times["note"] == "note, 짝지은 2판의 배 0.50~2.00, 목표(10초 안) **못 미침**"
    alone = pairs.row("back", "초", [(3,), (1,), (2,)], "note", "10초 안")
    assert "theirs" not in alone and alone["ours"] == 2 and alone["note"] == "note, 목표(10초 안) 이룸"


def test_rounds_go_in_turns():
    order = []
    found = pairs.both(["old", "new"], 2, lambda server, k: order.append((server, k)) or k)
    assert order == [("old", 0), ("new", 0), ("old", 1), ("new", 1)] and found == [[0, 1], [0, 1]]
    assert pairs.paired([[1, 2], [3, 4]], lambda x: x*10) == [(10, 30), (20, 40)]
    assert pairs.beside([1, 2], str) == "2(앞선 판 1)" and pairs.beside([2], str) == "2"


def test_a_row_on_the_screen_has_old_new_and_times():
    assert pairs.shown(pairs.row("/name", "요청/초", [(4, 8)], "n")) == "/name (요청/초)  old        4  new        8  x2.00\n    n"
    assert pairs.shown(pairs.row("/name", "요청/초", [(8,)], "n")) == "/name (요청/초)  new        8\n    n"


@pytest.mark.parametrize("words, said", [(["--only", "speed"], "one or more of load,memory"), (["--only", ""], "one or")])
def test_unknown_line_is_one_clear_error(words, said, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["serve.py", *words])
    with pytest.raises(SystemExit): serve.options()
    assert said in capsys.readouterr().err


def test_questions_are_the_same_for_the_same_words():
    assert clients.questions("a", 3) == clients.questions("a", 3) != clients.questions("b", 3)
    assert clients.questions("a", 3) == clients.questions("a", 5)[:3]


def reply_of(asked, **changed):
    "A reply as the server gives it, as far as it is looked at."
    options = {name: asked[name] for name in ("gender", "surname", "seed")}
    told = dict(options=options, names=[{"surname": asked["surname"]}],
                analysis={"pillars": clients.four_pillars(asked["birth"]).hanja})
    return {"result": told | changed}


def test_an_answer_belongs_to_its_question():
    one, other = clients.questions("a", 2)
    assert clients.belongs(one, reply_of(one)) and not clients.belongs(one, reply_of(other))
    for part in ("options", "names", "analysis"):
        swapped = reply_of(other)["result"][part]
        if part != "names" or one["surname"] != other["surname"]:
            assert not clients.belongs(one, reply_of(one, **{part: swapped}))


@contextmanager
def small_server(*steps):
    "A server that answers POST by these steps, one after another: (status, headers), or None to close the connection."
    left = iter(steps)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *words): pass

        def do_POST(self):
            asked, step = json.loads(self.rfile.read(int(self.headers["Content-Length"]))), next(left)
            self.close_connection = step is None
            if step is None: return
            body = json.dumps(reply_of(asked)).encode()
            self.send_response(step[0])
            for name, value in {**step[1], "Content-Length": len(body)}.items(): self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, args=(0.01,)).start()
        try: yield server.server_port
        finally: server.shutdown()


OK, LATER = (200, {}), (503, {"Retry-After": "0"})


@pytest.mark.parametrize("steps, patient, status, turned, failed", [
    ([LATER, LATER, OK], False, 200, 2, []), ([(503, {})], True, "503 without Retry-After", 0, []),
    ([(422, {})], True, 422, 0, []), ([None], False, "RemoteDisconnected", 0, []),
    ([None, LATER, OK], True, 200, 1, ["RemoteDisconnected"]), ([(503, {"Retry-After": "9"})], False, 503, 0, [])])
def test_a_client_comes_back_when_it_was_told_to(steps, patient, status, turned, failed):
    with small_server(*steps) as port:
        [asked] = clients.questions("a", 1)
        met = clients.Client(port, patient=patient, patience=5).ask(asked)
    assert (met.status, met.turned, met.failed, met.lost, met.mixed) == (status, turned, failed, status != 200, False)


def test_a_client_waits_while_nobody_listens():
    port = sides.free_port()
    met = clients.Client(port, patient=True, patience=0.25).ask(clients.questions("a", 1)[0])
    assert met.status == "ConnectionRefusedError" and met.failed and met.lost
    assert serve.cut(clients.Load([met], 1)) == 0


def test_what_a_load_met_is_counted():
    with small_server(*[OK]*3, LATER, (500, {}), OK) as port:
        met = clients.load(port, clients.questions("a", 5), 1)
    assert [m.asked for m in met.met] == clients.questions("a", 5)
    assert (len(met.answers), met.refused, met.mixed, met.lost) == (4, 1, 0, {"500": 1})
    assert met.rate == 4/met.took and met.waited(1) == max(m.seconds for m in met.answers)
    assert serve.faults([met, met]) == ["2 answers lost"]


def test_an_earlier_state_has_a_tree_for_a_while(tmp_path, monkeypatch):
    monkeypatch.setattr(sides, "ROOT", tmp_path)
    def git(*words): subprocess.run(["git", "-C", tmp_path, "-c", "user.name=a", "-c", "user.email=a@b", *words], check=True)
    git("init", "-q")
    (tmp_path/"a.txt").write_text("old")
    git("add", "a.txt")
    git("commit", "-q", "-m", "one")
    (tmp_path/"a.txt").write_text("new")
    with sides.earlier("HEAD") as tree: assert (tree/"a.txt").read_text() == "old" and tree != tmp_path
    assert not tree.exists() and len(sides.git("worktree", "list").splitlines()) == 1
    with sides.earlier("none") as tree: assert tree is None


def test_without_git_there_is_no_earlier_state(tmp_path, monkeypatch):
    monkeypatch.setattr(sides, "ROOT", tmp_path)
    with sides.earlier("HEAD") as tree: assert tree is None
    monkeypatch.setattr(sides.shutil, "which", lambda name: None)
    with sides.earlier("HEAD") as tree: assert tree is None


def test_when_a_server_counts_as_busy():
    assert not sides.worked({1: 1.0, 2: 2.0}, {1: 1.01, 2: 2.0})
    assert sides.worked({1: 1.0, 2: 2.0}, {1: 1.0, 2: 2.5}) and sides.worked({1: 1.0, 2: 2.0}, {1: 1.0, 3: 2.0})


def test_what_an_attack_did_to_the_server():
    held = attacks.Held(10, [0.1, 0.2, 1.5, 0.1])
    assert (held.longest, held.prompt, held.stopped) == (1.5, 0.75, False)
    held = attacks.Held(10, [0.1, 0.2, None, None])
    assert (held.longest, held.prompt, held.stopped, held.rate) == (10, 0.5, True, 0)


def test_largest_file_of_the_page():
    side = sides.Side("here", sides.ROOT, 1)
    assert (sides.ROOT/"saju_naming"/"web"/attacks.largest_file(side)[1:]).is_file()


def test_a_server_of_this_tree_is_loaded_and_a_worker_killed():
    "What the benchmark does to the server, on the smallest scale: its own tree, its answers, a worker that comes back."
    side = sides.Side("here", sides.ROOT, 1)
    with side.server() as server:
        [before] = server.workers()
        met = clients.load(server.port, clients.questions("a", 2), 2)
        assert serve.faults([met]) == [] and len(met.answers) == 2 and server.megabytes() > 50
        assert serve.unlike_library(side, met, clients.questions("a", 1)) == 0
        before.kill()
        assert serve.faults([clients.load(server.port, clients.questions("b", 1), 1)]) == []
        server.settle(60)
        [after] = server.workers()
        assert after.pid != before.pid
    assert sides.gone(server.process)
