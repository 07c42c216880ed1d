"""The answers of every run to the benchmark, recorded for notebook 10: saju_naming/data/runs.jsonl.xz.

    python tools/record_runs.py [--only base,int8,held] [--limit N]

Free runs in torch are greedy and batched, so their seconds are shares of a batch. A run that is recorded is kept; name it with --only to record it anew.
"""
import argparse, json, random, sys, tempfile, time
from pathlib import Path

from tqdm import tqdm

from saju_naming import prompts
from saju_naming.evaluation import RUNS, answer, collect, count_tokens, hundred, load_benchmark, load_runs, model_perplexity, perplexity, save_runs, seed_answer
from saju_naming.generate import SHIPPED, EmbeddedEngine
from saju_naming.merge import attach_adapter, export_onnx, greedy, loss_torch, merge_adapter, merge_into_8bit
from saju_naming.model import load_base, load_tokenizer

ROOT = Path(__file__).parents[1]
FILE, TINY = ROOT/"saju_naming"/"data"/"runs.jsonl.xz", ROOT/"saju_naming"/"data"/"tiny"
LOGS = {"base": ROOT/"runs"/"tiny_base"/"log.json", "int8": ROOT/"runs"/"tiny_lora8"/"log.json"}
LOSS_ROWS, AGAIN, BATCH = 200, 20, 32


def loss_rows(): return [(q, a) for _, q, a in prompts.make_rows(LOSS_ROWS, "test")]


def in_torch(model, items):
    "A free run of a torch model; questions that leave no room for an answer are refused, as the embedded engine does."
    tokenizer, engine, parts = load_tokenizer("tiny"), EmbeddedEngine(), {True: [], False: []}
    for item in items: parts[len(engine.prompt(item["question"])) <= engine.context//2].append(item)
    fits, answers = parts[True], [answer(item, engine, held=False) for item in parts[False]]
    for i in tqdm(range(0, len(fits), BATCH)):
        batch, began = fits[i:i+BATCH], time.perf_counter()
        texts = greedy(model, tokenizer, [item["question"] for item in batch], batch=BATCH)
        seconds = (time.perf_counter() - began)/len(batch)
        answers += [{"id": item["id"], "text": t, "source": "model", "tokens": count_tokens(t), "seconds": round(seconds, 4)} for item, t in zip(batch, texts)]
    return {"answers": answers, "perplexity": perplexity([loss_torch(model, tokenizer, loss_rows())])}


def in_onnx(folder, items, held=False):
    "A run of an exported model, or, without a folder, of the rule engine."
    engine = folder and EmbeddedEngine(folder)
    record = {"answers": list(collect(tqdm(items), engine, held)), "variety": hundred(engine, held), "again": [answer(item, engine, held) for item in items[::AGAIN]]}
    return record | ({"perplexity": model_perplexity(folder, loss_rows())} if folder and not held else {})


def of_seed(items):
    "The seed's form, for the count vectors that it knows."
    rng = random.Random(0)
    asked = [item for item in items if item["kind"] == "vectors"]
    texts = [seed_answer(rng, tuple(item["facts"]["counts"])) for item in asked]
    return {"answers": [{"id": item["id"], "text": t, "source": "model", "tokens": count_tokens(t), "seconds": 0.0} for item, t in zip(asked, texts)]}


def adapted():
    "The 8-bit base with the adapter beside it, as it was tuned."
    return attach_adapter(load_base("tiny", quantization="8bit"), TINY/"adapter")


def merged(work): return merge_adapter(TINY/"adapter", "tiny", Path(work)/"merged")


def losses(name):
    "The training log of a run, thinned to what a plot needs."
    if name not in LOGS or not LOGS[name].exists(): return {}
    return {"losses": [{k: h[k] for k in ("step", "loss", "eval_loss") if k in h} for h in json.loads(LOGS[name].read_text()) if "loss" in h or "eval_loss" in h]}


def make(name, items, work):
    "The record of one run."
    match name:
        case "seed": return of_seed(items)
        case "engine": return in_onnx(None, items, held=True)
        case "base": return in_onnx(export_onnx(TINY/"base", Path(work)/"base"), items)
        case "sft": return in_torch(adapted(), items)
        case "merge8": return in_torch(merge_into_8bit(TINY/"adapter", "tiny"), items)
        case "merge32": return in_torch(load_base(merged(work)), items)
        case "int8" | "int4": return in_onnx(export_onnx(merged(work), Path(work)/name, name), items)
        case "held": return in_onnx(SHIPPED, items, held=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="RUNS", help=f"of {', '.join(RUNS)}")
    parser.add_argument("--limit", type=int, help="only so many items, spread over all (a trial; nothing is written)")
    args = parser.parse_args()
    items = load_benchmark()
    if args.limit: items = items[::max(1, len(items)//args.limit)]
    known = load_runs() if FILE.exists() and not args.limit else {}
    wanted = args.only.split(",") if args.only else [name for name in RUNS if name not in known]
    if unknown := set(wanted) - set(RUNS): sys.exit(f"모르는 이름: {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory() as work:
        for name in wanted:
            began = time.perf_counter()
            known[name] = make(name, items, work) | losses(name)
            print(f"{name:8} {len(known[name]['answers'])}개, {time.perf_counter() - began:,.0f}초")
            if not args.limit: save_runs({n: known[n] for n in RUNS if n in known}, FILE)


if __name__ == "__main__": main()
