"What notebook 08 does not show: light imports, and the stages of `make model`."
import subprocess, sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def test_importing_merge_is_light():
    heavy = "torch transformers peft onnxruntime_genai huggingface_hub numpy"
    code = f"import sys, saju_naming.merge; print([m for m in '{heavy}'.split() if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


@pytest.fixture
def tool(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(ROOT/"tools"))
    import make_model
    for name in ("ROOT", "RUNS"): monkeypatch.setattr(make_model, name, tmp_path)
    return make_model


def test_stage_is_skipped_until_its_inputs_change(tool, tmp_path):
    output, made = tmp_path/"out", []
    def make():
        made.append(sorted(p.name for p in output.iterdir()) if output.exists() else [])
        output.mkdir(exist_ok=True)
        (output/f"file{len(made)}").touch()
    tool.stage("one", output, "a", make)
    tool.stage("one", output, "a", make)
    assert made == [[]]
    tool.stage("one", output, "b", make)
    assert made == [[], []], "what was made from other inputs is thrown away"


def test_stage_that_was_cut_off_keeps_what_it_had(tool, tmp_path):
    output = tmp_path/"out"
    def cut_off():
        output.mkdir()
        (output/"checkpoint").touch()
        raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt): tool.stage("one", output, "a", cut_off)
    tool.stage("one", output, "a", lambda: (output/"model").touch())
    assert sorted(p.name for p in output.iterdir()) == ["checkpoint", "model"]


def test_training_minutes_add_up_over_interruptions(tool, tmp_path):
    (tmp_path/"log.json").write_text('[{"train_runtime": 60}, {"train_runtime": 120}, {"loss": 1}, {"train_runtime": 30}, {"train_runtime": 60}]')
    assert tool.trained_minutes(tmp_path) == 3
