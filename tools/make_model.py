"""From the tables to the shipped model, unattended: data, base (with its tokenizer), 8-bit LoRA, merge, export, scores, card, package data.

Each stage writes into runs/ and is skipped when its output is there and its inputs are the same as when it was made. A training that was
cut off goes on from its last checkpoint.
"""
import hashlib, json, os, platform, re, shutil, sys, time
from datetime import date
from pathlib import Path

from saju_naming import prompts
from saju_naming.generate import EmbeddedEngine, ask
from saju_naming.merge import choose_precision, export_onnx, greedy_onnx, measure_onnx, measure_torch, merge_adapter, model_card, write_card
from saju_naming.train import load_recipe, train
from saju_naming.verify import claim_rates, verify_answer

ROOT = Path(__file__).parents[1]
RUNS, TINY = ROOT/"runs", ROOT/"saju_naming"/"data"/"tiny"
RECIPES = {"base": ROOT/"recipes"/"tiny_base.yaml", "lora": ROOT/"recipes"/"tiny_lora8.yaml"}
BASE, ADAPTER, MERGED = RUNS/"tiny_base", RUNS/"tiny_lora8", RUNS/"tiny_merged"
EXPORTS = {p: RUNS/f"tiny_{p}" for p in ("int8", "int4")}
LIMIT_MB, CHOICE_ROWS, TEST_ROWS, HELD_ROWS = 30, 300, 1000, 300


def digest(*inputs):
    "One hash of files (their bytes) and of values (their JSON)."
    total = hashlib.sha256()
    for x in inputs: total.update(x.read_bytes() if isinstance(x, Path) else json.dumps(x, ensure_ascii=False, sort_keys=True).encode())
    return total.hexdigest()


def stage(name, output, key, make):
    "Runs `make` unless `output` was finished with the same key; the output of another key is thrown away first."
    stamp = RUNS/f"{name}.json"
    was = json.loads(stamp.read_text()) if stamp.exists() else {"key": key}
    if was["key"] == key and "seconds" in was and output.exists(): return print(f"{name:9} 그대로 ({output.relative_to(ROOT)})")
    if was["key"] != key: shutil.rmtree(output, ignore_errors=True)
    stamp.write_text(json.dumps({"key": key}))
    start = time.perf_counter()
    make()
    seconds = time.perf_counter() - start
    stamp.write_text(json.dumps({"key": key, "seconds": round(seconds), "date": str(date.today()), "machine": machine()}, ensure_ascii=False))
    print(f"{name:9} {seconds:,.0f}초 → {output.relative_to(ROOT)}")


def machine():
    "What this ran on: processor, cores, system, versions."
    import torch, transformers
    info = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.+)", info.read_text()) if info.exists() else None
    card = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    return f"{found[1] if found else platform.processor()}, CPU {os.cpu_count()}개{card}, Python {platform.python_version()}, torch {torch.__version__}, transformers {transformers.__version__}"


def trained_minutes(folder):
    "Minutes of training in all, from the run log: its clock starts anew whenever the run goes on from a checkpoint."
    times = [h["train_runtime"] for h in json.loads((folder/"log.json").read_text()) if "train_runtime" in h]
    return sum(a for a, b in zip(times, [*times[1:], 0]) if b < a)/60


def make_data():
    "The Parquet files and card of the tuning data."
    data = load_recipe(RECIPES["lora"]).Data
    prompts.save_dataset(prompts.build_dataset(data["rows"], data["seed"]), RUNS/"data", data["seed"])


def ship_base():
    "The base in bfloat16, which the tuning starts from: what ships is what was tuned."
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from saju_naming.merge import stop_ids
    model, tokenizer = AutoModelForCausalLM.from_pretrained(BASE, dtype=torch.bfloat16), AutoTokenizer.from_pretrained(BASE)
    model.generation_config.eos_token_id = stop_ids(tokenizer)
    for part in (model, tokenizer): part.save_pretrained(TINY/"base")


def rows_of(split, n): return [(q, a) for _, q, a in prompts.make_rows(n, split)]


def make_scores(output):
    "Measures of the exports on validation rows, the choice, and the chosen one's answers on test rows: greedy and free, and inside the grammar."
    rows, test = rows_of("validation", CHOICE_ROWS), list(prompts.make_rows(TEST_ROWS, "test"))
    measures = {"torch": measure_torch(MERGED, rows, verify_answer), **{p: measure_onnx(f, rows, verify_answer) for p, f in EXPORTS.items()}}
    choice = choose_precision(measures)
    questions = [q for _, q, _ in test]
    free = list(zip(questions, greedy_onnx(EXPORTS[choice], questions)[0]))
    engine = EmbeddedEngine(EXPORTS[choice])
    held = [ask(q, engine) for q in questions[:HELD_ROWS]]
    families = {f: sum(r)/len(r) for f in prompts.FAMILIES if (r := [not verify_answer(q, a) for (g, _, _), (q, a) in zip(test, free) if g == f])}
    output.write_text(json.dumps({"choice": choice, "measures": measures, "test_rows": TEST_ROWS, "claims": claim_rates(free), "families": families,
                                  "held_rows": HELD_ROWS, "held_by_model": sum(r.source == "model" for r in held)/HELD_ROWS,
                                  "held_claims": claim_rates([(r.question, r.text) for r in held])}, ensure_ascii=False, indent=1))


SHOWN = {"parses": "꼴", "legal_hanja": "인명용 한자", "reading": "음", "element": "자원오행", "plan": "보충 계획", "chart_claims": "풀이"}  # kind of claim → its name on the card

def percent(rates): return {name: f"{rates[k][0]:.2%} ({rates[k][1]:,})" for k, name in SHOWN.items() if k in rates}


def make_card():
    "README.md of the shipped model, from the recipes, the stamps and the scores."
    stamps = {name: json.loads((RUNS/f"{name}.json").read_text()) for name in ("base", "lora")}
    recipes = {key: {b: v for b, v in vars(load_recipe(path)).items() if isinstance(v, dict) and v} for key, path in RECIPES.items()}
    scores = json.loads((RUNS/"scores_tiny.json").read_text())
    log = {"자료": f"saju_naming.prompts가 만든 글 {recipes['base']['Data']['rows']:,}편과 질문-답 {recipes['lora']['Data']['rows']:,}줄 (바탕 표의 출처는 저장소의 NOTICE)",
           "씨앗": recipes["base"]["Trainer"].get("seed", 0), "본체 훈련": f"{trained_minutes(BASE):.0f}분 ({stamps['base']['date']})",
           "8비트 LoRA": f"{trained_minutes(ADAPTER):.0f}분 ({stamps['lora']['date']})", "기계": stamps["base"]["machine"], "다시 만들기": "make model"}
    shown = {"실은 정밀도": scores["choice"], "검증 줄": CHOICE_ROWS, **scores["measures"], "시험 줄": scores["test_rows"], "시험: 문법 없이, 맞은 주장": percent(scores["claims"]),
             "시험: 문법 없이, 잘못이 하나도 없는 답": {f: f"{share:.1%}" for f, share in scores["families"].items()},
             f"시험 {scores['held_rows']}줄: 문법과 함께, 맞은 주장": percent(scores["held_claims"]), "그 가운데 모델이 쓴 답": f"{scores['held_by_model']:.1%}"}
    write_card(TINY, model_card("saju-naming-tiny", recipes, log, shown))


def ship():
    "Copies what the package carries, names no path of this machine, and keeps to the size limit."
    for folder in ("adapter", "onnx"): shutil.rmtree(TINY/folder, ignore_errors=True)
    (TINY/"adapter").mkdir(parents=True)
    settings = json.loads((ADAPTER/"adapter_config.json").read_text())
    (TINY/"adapter"/"adapter_config.json").write_text(json.dumps({**settings, "base_model_name_or_path": "tiny"}, indent=1))
    shutil.copy(ADAPTER/"adapter_model.safetensors", TINY/"adapter")
    shutil.copytree(EXPORTS[json.loads((RUNS/"scores_tiny.json").read_text())["choice"]], TINY/"onnx")
    make_card()
    files = [f for f in TINY.rglob("*") if f.is_file()]
    told = [f.name for f in files if str(ROOT).encode() in f.read_bytes()]
    for f in files: f.chmod(0o644)  # safetensors writes files that only their owner may read
    size = sum(f.stat().st_size for f in files)/1e6
    if told or size > LIMIT_MB: sys.exit(f"실을 수 없습니다: {size:.1f} MB (한도 {LIMIT_MB}), 이 컴퓨터의 경로가 든 파일 {told}")
    print(f"실은 것 {size:.1f} MB (한도 {LIMIT_MB} MB)")


def main():
    RUNS.mkdir(exist_ok=True)
    base, lora = (load_recipe(path) for path in RECIPES.values())
    texts = digest(list(prompts.corpus_texts(base.Data["rows"], seed=base.Data["seed"])))
    rows = digest(list(prompts.make_rows(lora.Data["rows"], seed=lora.Data["seed"])))
    stage("data", RUNS/"data", rows, make_data)
    stage("base", BASE, digest(texts, RECIPES["base"]), lambda: train(base, output=BASE))
    stage("shipbase", TINY/"base", digest(BASE/"model.safetensors", BASE/"tokenizer.json"), ship_base)
    stage("lora", ADAPTER, digest(rows, RECIPES["lora"], TINY/"base"/"model.safetensors"), lambda: train(lora, output=ADAPTER))
    stage("merge", MERGED, digest(ADAPTER/"adapter_model.safetensors", TINY/"base"/"model.safetensors"), lambda: merge_adapter(ADAPTER, TINY/"base", MERGED))
    for p, folder in EXPORTS.items(): stage(p, folder, digest(p, MERGED/"model.safetensors"), lambda: export_onnx(MERGED, folder, p))
    stage("scores", RUNS/"scores_tiny.json", digest(CHOICE_ROWS, TEST_ROWS, HELD_ROWS, *(f/"model.onnx.data" for f in EXPORTS.values())), lambda: make_scores(RUNS/"scores_tiny.json"))
    ship()


if __name__ == "__main__": main()
