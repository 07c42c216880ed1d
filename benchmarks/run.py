"""All benchmarks of speed, and the bars on the names (names.py), one after another, and one table of ratios against the peers that were measured in the same run.

    python benchmarks/run.py [--only NAMES] [--quick] [--output FILE] [--again]

A whole run takes about an hour on two idle cores (manse, naming and prompts 2, names 7, train 11, generate 2, curves 6, serve 25, page 1) and writes benchmarks/results.md
with the plots beside it. With --only or --quick the table goes to the screen, unless --output names a file; --only with --again puts the rows
into the table that is there, which then says when they were measured. A benchmark that fails is named in the table, the others still run, and the exit status is 1. Ours or the peer's, the value is the best of the rounds where there are several; "배" above 1 is ours ahead.
train_gpu.py is not part of it: it needs a GPU.

Examples:
    make bench                                              everything, into benchmarks/results.md
    python benchmarks/run.py --only manse,prompts           two of them, to the screen
    python benchmarks/run.py --quick                        everything on tiny sizes: does it all run? (not for comparing)
    python benchmarks/run.py --only curves --output results/one.md
    python benchmarks/run.py --only manse --again           its rows anew in benchmarks/results.md
"""
import argparse, json, os, platform, subprocess, sys, tempfile, time
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

HERE = Path(__file__).parent
RESULTS = HERE/"results.md"
SCRIPTS = {  # benchmark → its arguments for --quick
    "manse": ["--births", "10000", "--repeats", "1"], "naming": ["--repeats", "1"], "names": ["--births", "2", "--surnames", "5"],
    "prompts": ["--rows", "1000", "--peer-rows", "500"], "train": ["--rows", "8", "--held", "4"],
    "generate": ["--rows", "1", "--repeats", "1"], "curves": ["--up-to", "1000", "--requests", "4"], "serve": ["--quick"], "page": ["--repeats", "1"]}
PACKAGES = ("saju-naming", "numpy", "onnxruntime-genai", "llguidance", "torch", "transformers", "peft", "trl", "bitsandbytes", "datasets", "pandas",
            "korean-saju", "sajupy", "lunar-python", "sxtwl")


def number(x): return "" if x is None else f"{x:,.0f}" if abs(x) >= 100 else f"{x:.3g}"


def grid(head, rows):
    "A Markdown table."
    return "\n".join("| " + " | ".join(map(str, cells)) + " |" for cells in (head, ["---"]*len(head), *rows))


def processor():
    "The processor's name."
    try: lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError: lines = []
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor() or "?")


def installed(package):
    "Its version, or nothing."
    try: return version(package)
    except PackageNotFoundError: return None


def setting():
    "Date, machine and versions, as Markdown."
    versions = [f"{p} {v}" for p in PACKAGES if (v := installed(p))]
    return "\n".join([f"- 날짜: {date.today()}", f"- 기계: {processor()} ({platform.machine()}), 코어 {os.cpu_count()}개, {platform.system()}, 시작할 때 다른 일의 부하 {os.getloadavg()[0]:.1f}",
                      f"- 판: Python {platform.python_version()}, {', '.join(versions)}"])


def ratio(row):
    "How many times ahead of the peer: a rate (…/초) is better when larger, anything else when smaller."
    if not row.get("theirs") or not row["ours"]: return None
    return row["ours"]/row["theirs"] if row["unit"].endswith("/초") else row["theirs"]/row["ours"]


def table(results):
    "The one table: a line for each thing measured, or for the benchmark that failed."
    lines = []
    for name, found in results.items():
        if found is None: lines.append([name, "**실패**", "", "", "", "", "", "까닭은 실행한 화면에 있습니다"])
        for row in (found or {}).get("rows", []):
            times = ratio(row)
            lines.append([name, row["what"], row["unit"], number(row["ours"]), row.get("peer") or "", number(row.get("theirs")), f"**{number(times)}**" if times else "", row.get("note", "")])
    return grid(["벤치마크", "무엇", "단위", "우리", "상대", "상대의 값", "배", "참고"], lines)


def curve(found):
    "A picture and its numbers."
    rows = [[label, f"{p['n']:,}", *(number(p[k]) for k in found["measures"])] for label, points in found["lines"].items() for p in points]
    return f"### {found['title']}\n\n![{found['title']}](curve_{found['name']}.png)\n\n" + grid(["", found["axis"], *found["measures"].values()], rows)


def page(results, where):
    "The whole of results.md."
    curves = (results.get("curves") or {}).get("curves", [])
    told = "`make bench`가 씁니다. 손으로 고치지 마세요. 상대도 같은 때 같은 기계에서 잰 값이고, 여러 번 쟀으면 가장 좋은 값입니다. 배가 1보다 크면 우리가 앞섭니다."
    parts = ["# 빠르기", told, where, "## 견주기", table(results)]
    if curves: parts += ["## 크기와 비용", "점마다 새 프로세스에서 잽니다. 메모리는 그 프로세스가 가장 많이 쓴 때의 값입니다(RSS).", *map(curve, curves)]
    return "\n\n".join(parts) + "\n"


def renewed(text, results):
    "An earlier page with the rows of some benchmarks measured again, and a line that says when and at which load."
    names, lines = list(results), text.split("\n")
    old = [line for line in lines if line.split(" | ")[0].removeprefix("| ") in names]
    if not old: raise ValueError(f"no row of {', '.join(names)} to renew")
    at = lines.index(old[0])
    told = f"- 따로 다시 잰 것: {', '.join(names)} ({date.today()}, 시작할 때 다른 일의 부하 {os.getloadavg()[0]:.1f})"
    lines[at:at] = table(results).split("\n")[2:]
    kept = [line for line in lines if line not in old and not line.startswith(told.partition(" (")[0])]
    machine = next(i for i, line in enumerate(kept) if line.startswith("- 판:"))
    return "\n".join([*kept[:machine + 1], told, *kept[machine + 1:]])


def bench(name, options):
    "What a benchmark handed over; None if it failed."
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder)/"numbers.json"
        code = subprocess.run([sys.executable, HERE/f"{name}.py", "--json", file, *options]).returncode
        return json.loads(file.read_text(encoding="utf-8")) if code == 0 and file.is_file() else None


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=None, metavar="NAMES", help=f"some of {','.join(SCRIPTS)}")
    parser.add_argument("--quick", action="store_true", help="tiny sizes")
    parser.add_argument("--again", action="store_true", help="with --only: renew those rows of benchmarks/results.md")
    parser.add_argument("--output", type=Path, metavar="FILE", help="where the table goes, plots beside it")
    args = parser.parse_args(argv)
    names = args.only.split(",") if args.only else list(SCRIPTS)
    if unknown := set(names) - set(SCRIPTS): parser.error(f"--only {','.join(unknown)}: one or more of {','.join(SCRIPTS)}")
    if args.again and (not args.only or args.quick or "curves" in names): parser.error("--again: with --only, without --quick and curves")
    output = args.output or (None if (args.only or args.quick) and not args.again else RESULTS)
    if output: output.parent.mkdir(parents=True, exist_ok=True)
    where, results = setting(), {}
    if args.quick: where += "\n- **작은 크기로 돌린 것이라 견주는 데 쓸 수 없습니다.**"
    for i, name in enumerate(names, 1):
        print(f"\n[{i}/{len(names)}] {name}", flush=True)
        began = time.perf_counter()
        results[name] = bench(name, (SCRIPTS[name] if args.quick else []) + (["--plots", str(output.parent)] if output and name == "curves" else []))
        print(f"[{i}/{len(names)}] {name}: {'done' if results[name] else 'FAILED'}, {time.perf_counter() - began:.0f} s", flush=True)
    if args.again and None in results.values(): return 1
    text = renewed(output.read_text(encoding="utf-8"), results) if args.again else page(results, where)
    print("\n" + (text if output is None else f"{output} is written"))
    if output: output.write_text(text, encoding="utf-8")
    return int(None in results.values())


if __name__ == "__main__": sys.exit(main())
