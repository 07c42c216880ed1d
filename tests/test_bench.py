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
