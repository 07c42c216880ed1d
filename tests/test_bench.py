"The benchmarks' runner and curves, on made-up and tiny runs; nothing here looks at how long anything takes."
import json, subprocess, sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1]/"benchmarks"
sys.path.insert(0, str(FOLDER))
import run  # noqa: E402

SCRIPT = """import json, sys
open(sys.argv[sys.argv.index("--json") + 1], "w").write(json.dumps({{"rows": [{row}]}}))
"""
RATE = {"what": "rate", "unit": "tokens/초", "ours": 600, "peer": "slow 1.0", "theirs": 200}
TIME = {"what": "time", "unit": "초", "ours": 0.5, "peer": "quick 2.0", "theirs": 0.25, "note": "why"}


def test_ratio_above_one_is_ours_ahead():
    assert run.ratio(RATE) == 3 and run.ratio(TIME) == 0.5 and run.ratio({"unit": "초", "ours": 1}) is None


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
