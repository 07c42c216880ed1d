"""What learning from the checks changed: adapters measured side by side without the grammar, in benchmarks/rl.json; without arguments, prints what is there.

    python tools/rl_report.py runs/tiny_lora8 runs/tiny_dpo [runs/another_seed ...]
"""
import json, sys, tempfile
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from pathlib import Path

import numpy as np
import onnxruntime_genai as og

from saju_naming.hanja import table
from saju_naming.merge import export_onnx, merge_adapter
from saju_naming.prompts import make_rows, naming_question
from saju_naming.train import pieces, whole
from saju_naming.verify import claim_rates, parse_answer, parse_question, verify_answer

RECORD = Path(__file__).parents[1]/"benchmarks"/"rl.json"
ROWS, SAMPLED, SEEDS, TEMPERATURE, LIMIT = 600, 200, (0, 1, 2), 0.5, 400
CHART = (3, 1, 0, 2, 2)  # a count vector that `variety` asks for a hundred times


def answers(folder, questions, temperature=0.0, seed=0):
    "Answers of an exported model, each drawn with a seed of its own."
    model = og.Model(str(folder))
    tokenizer, told = og.Tokenizer(model), []
    for i, question in enumerate(questions):
        params = og.GeneratorParams(model)
        if temperature: params.set_search_options(do_sample=True, temperature=temperature, top_p=1.0, top_k=0, random_seed=100_000*seed + i)
        generator = og.Generator(model, params)
        generator.append_tokens(tokenizer.encode(f"<bos><start_of_turn>user\n{question}<end_of_turn>\n<start_of_turn>model\n"))
        before = generator.token_count()
        while not generator.is_done() and generator.token_count() < before + LIMIT: generator.generate_next_token()
        told.append(tokenizer.decode(generator.get_sequence(0)[before:]).strip())
    return told


def counted(question, answer):
    "Measure → (right, of) of one answer."
    asked = parse_question(question)
    given, chars = [thing for thing, _ in pieces(asked, answer)], [h for n in parse_answer(answer)["names"] for h in n["hanja"]]
    rates = {"correct": (not verify_answer(question, answer), 1), "whole": (whole(question, answer), 1), "repeated": (len(set(given)) < len(given), len(given) > 1),
             "readable": (sum(h in table() and table()[h].level != "other" for h in chars), len(chars)), asked["family"]: (not verify_answer(question, answer), 1)}
    return rates | {kind: (share*n, n) for kind, (share, n) in claim_rates([(question, answer)]).items()}


def shares(rows):
    "Measure → (share, low, high) with the 95% bootstrap interval over the questions."
    told = [counted(*row) for row in rows]
    draws, out = np.random.default_rng(0).integers(len(rows), size=(2000, len(rows))), {}
    for name in dict.fromkeys(k for t in told for k in t):
        right, of = np.array([t.get(name, (0, 0)) for t in told], float).T
        some = right[draws].sum(1)/np.maximum(1, of[draws].sum(1))
        if of.sum(): out[name] = [right.sum()/of.sum(), *np.quantile(some, (0.025, 0.975))]
    return out


def variety(texts):
    "Different names and characters in a hundred answers."
    names = [n for t in texts for n in parse_answer(t)["names"]]
    return {"names": len({n["given"] for n in names}), "characters": len({h for n in names for h in n["hanja"]}), "of": len(names)}


def measure(adapter):
    "All measures of an adapter on the shipped base, exported in 8 bits."
    with tempfile.TemporaryDirectory() as work:
        folder = export_onnx(merge_adapter(adapter, "tiny", Path(work)/"merged"), Path(work)/"int8")
        questions = [q for _, q, _ in make_rows(ROWS, "test", seed=1)]
        namings = [q for _, q, _ in make_rows(100, "test", seed=2, mix={"naming": 1})]
        sampled = [shares(list(zip(questions[:SAMPLED], answers(folder, questions[:SAMPLED], TEMPERATURE, seed)))) for seed in SEEDS]
        one = naming_question(CHART, "여", count=1)
        return {"greedy": shares(list(zip(questions, answers(folder, questions)))), "sampled": sampled,
                "variety": {"a hundred charts, greedy": variety(answers(folder, namings)), "one chart, sampled": variety(answers(folder, [one]*100, TEMPERATURE))}}


def record(adapters):
    "Measures adapters, two at a time, and writes the record, with the rewards of their training."
    with ProcessPoolExecutor(2) as pool: runs = dict(zip((a.name for a in adapters), pool.map(measure, adapters)))
    logs = {a.name: [h for h in json.loads((a/"log.json").read_text()) if {"loss", "rewards/margins"} <= set(h)] for a in adapters}
    kept = ("step", "loss", "rewards/accuracies", "rewards/margins", "logps/chosen", "logps/rejected")
    logs = {name: [{k: float(h[k]) for k in kept} for h in log] for name, log in logs.items() if log}
    RECORD.write_text(json.dumps({"date": str(date.today()), "rows": ROWS, "sampled_rows": SAMPLED, "temperature": TEMPERATURE, "runs": runs, "logs": logs}, ensure_ascii=False, indent=1), encoding="utf-8")


def show():
    "Prints the record."
    told = json.loads(RECORD.read_text(encoding="utf-8"))
    print(f"{told['date']}  시험 질문 {told['rows']}개(탐욕), {told['sampled_rows']}개 × 씨앗 {len(SEEDS)}개(온도 {told['temperature']}); 괄호는 95% 구간")
    for name, run in told["runs"].items():
        print(f"\n{name}")
        for kind, (share, low, high) in run["greedy"].items():
            print(f"  {kind:10} {share:6.1%} ({low:.1%}–{high:.1%})   온도 {told['temperature']}: " + " ".join(f"{s[kind][0]:.1%}" for s in run["sampled"] if kind in s))
        for kind, v in run["variety"].items(): print(f"  {kind}: 이름 {v['names']}, 글자 {v['characters']} (이름 {v['of']}개 가운데)")
    for name, log in told["logs"].items(): print(f"\n{name}: {log[-1]['step']:.0f}걸음, 고친 답을 더 좋아한 몫 {log[0]['rewards/accuracies']:.0%} → {log[-1]['rewards/accuracies']:.0%}")


if __name__ == "__main__":
    if sys.argv[1:]: record([Path(a) for a in sys.argv[1:]])
    show()
