"""Generation: the embedded engine beside `transformers.generate` with the same weights; and the command from a cold shell.

    python benchmarks/generate.py [--rows 6] [--repeats 3] [--merged FOLDER] [--json FILE]

The same naming questions (of the test split) are answered by both engines in one run, greedily: freely, and inside the grammar
of each question. The weights are those that ship: the base and the adapter, merged in fp32 for transformers (or FOLDER), in
8 bits for the embedded engine. A token is a token of the shared tokenizer, whoever wrote it; those that the grammar forces count
too, since both engines write them. "cold shell" is `saju-naming recommend` as a new process from start to end, with its peak memory.
"""
import argparse, json, logging, os, platform, statistics, subprocess, sys, tempfile, time, warnings
from importlib.resources import files
from pathlib import Path

from saju_naming.generate import TransformersEngine, explanation_rule, load_engine, meanings_of, naming_grammar, pool_candidates
from saju_naming.prompts import make_rows, plan_of
from saju_naming.verify import parse_question

TINY = Path(str(files("saju_naming")))/"data"/"tiny"
COMMANDS = {"recommend": [], "recommend --no-model": ["--no-model"]}


def merged(folder):
    "The shipped base and adapter as one fp32 model."
    from saju_naming.merge import merge_adapter
    return merge_adapter(TINY/"adapter", "tiny", folder)


def requests(n):
    "(question, grammar) pairs from the naming rows of the test split."
    for _, question, _ in make_rows(n, "test", mix={"naming": 1}):
        asked = parse_question(question)
        names = pool_candidates(asked["counts"], asked["gender"], asked["surname"], asked["length"])[:asked["count"] or 3]
        told = explanation_rule(asked["counts"], plan_of(asked["counts"], asked["length"]))
        yield question, naming_grammar(told, [(chars, meanings_of(chars)) for chars in names])


def speed(engine, count, rows, held):
    "Tokens per second over all rows."
    began, texts = time.perf_counter(), [engine.generate(q, g if held else None) for q, g in rows]
    return sum(map(count, texts))/(time.perf_counter() - began)


def cold(*options):
    "(seconds, peak MB) of the command as a new process."
    command = [sys.executable, "-c", "from saju_naming.cli import main; main()", "recommend", "--birth", "2024-02-04T18:00", "--gender", "여자", "--surname", "김", *options]
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**os.environ, "PYTHONIOENCODING": "utf-8"})
    _, status, usage = os.wait4(process.pid, 0)
    if status: raise SystemExit(f"the command failed with status {status}")
    return time.perf_counter() - began, usage.ru_maxrss/1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=6)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--merged", metavar="FOLDER", help="the fp32 model that the embedded one was exported from")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers to this file")
    args = parser.parse_args()
    shells = {name: [cold(*options) for _ in range(args.repeats)] for name, options in COMMANDS.items()}
    warnings.filterwarnings("ignore")
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    import torch, transformers
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    with tempfile.TemporaryDirectory() as folder:
        engines = {"embedded": load_engine("embedded"), "transformers": TransformersEngine(str(args.merged or merged(folder)))}
    rows = list(requests(args.rows))
    tokenizer = engines["embedded"].tokenizer
    count = lambda text: len(tokenizer.tokenize_str(text))
    for engine in engines.values(): engine.generate(*rows[0])
    rounds = {(name, held): [] for held in (False, True) for name in engines}
    for _ in range(args.repeats):
        for (name, held), took in rounds.items(): took.append(speed(engines[name], count, rows, held))
    print(f"Python {platform.python_version()}, torch {torch.__version__} ({torch.get_num_threads()} threads), {platform.machine()}, {args.rows} questions, best of {args.repeats} rounds (median)\n")
    print(f"{'what':34}{'best':>12}{'(median)':>14}{'ratio':>12}")
    for (name, held), took in rounds.items():
        label = f"{name}, {'in the grammar' if held else 'freely'}, tokens/s"
        print(f"{label:34}{max(took):12,.0f}{'(' + format(statistics.median(took), ',.0f') + ')':>14}{max(took)/max(rounds['transformers', held]):11,.1f}x")
    for name, runs in shells.items():
        for label, values in zip((f"{name}, cold, s", f"{name}, peak memory, MB"), zip(*runs)):
            print(f"{label:34}{min(values):12,.2f}{'(' + format(statistics.median(values), ',.2f') + ')':>14}")
    compared = [{"what": f"생성, {how}", "unit": "토큰/초", "ours": max(rounds["embedded", held]), "peer": "transformers.generate", "theirs": max(rounds["transformers", held])}
                for how, held in (("문법 없이", False), ("문법 안에서", True))]
    compared += [{"what": f"{name}, 새 셸", "unit": "초", "ours": min(s for s, _ in runs), "note": f"최대 메모리 {max(mb for _, mb in runs):.0f} MB"} for name, runs in shells.items()]
    numbers = {"tokens_per_second": {f"{n} {'held' if h else 'free'}": v for (n, h), v in rounds.items()}, "cold": shells, "rows": compared}
    if args.json: args.json.write_text(json.dumps(numbers, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
