"""Cost curves: how time and memory grow with births, prompt rows and concurrent requests.

    python benchmarks/curves.py [--only births,rows,requests] [--up-to N] [--plots FOLDER] [--json FILE]

births    `four_pillars` of 10 to 10^7 births in random order: best of some calls, after a first one
rows      10^3 to 10^6 rows of training data, nothing remembered from before: `make_rows` read one by one, and `build_dataset` kept in memory
requests  1 to 32 clients, each of which sends its next `recommend` (embedded model, three names) when the last is answered, to threads of one
          process (as many as clients) or to processes (as many as cores; the wait in the queue counts): requests a second, and the latency
          that 95% of them stay under

Every point is a fresh process, and memory is its peak resident size; of worker processes, the sum (pages that they share count more than once).
Examples:
    python benchmarks/curves.py --only births --up-to 100000      a few seconds
    python benchmarks/curves.py --plots benchmarks                all curves, about eleven minutes on two idle cores
"""
import argparse, json, math, os, resource, subprocess, sys, time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

# nothing heavy is imported here: a process that is started shows at least the peak memory of the one that starts it


def peak_mb(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss/(2**20 if sys.platform == "darwin" else 1024)


def timed(call):
    "Seconds of one call."
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def births(n):
    "Civil minutes of 1989-2024 (no clock changes in Korea, so that all of them exist)."
    import numpy as np
    from saju_naming.manse import four_pillars
    drawn = np.random.default_rng(1).integers(*np.array(["1989-01-01", "2025-01-01"], "M8[m]").astype(int), n).astype("M8[m]")
    four_pillars(drawn[:10])
    return {"seconds": min(timed(lambda: four_pillars(drawn)) for _ in range(max(3, min(100, 100_000//n))))}


def make_rows(n):
    from saju_naming import prompts
    return {"seconds": timed(lambda: sum(1 for _ in prompts.make_rows(n)))}


def build_dataset(n):
    import datasets  # noqa: F401 (read here, so that it is not timed)
    from saju_naming import prompts
    return {"seconds": timed(lambda: prompts.build_dataset(n))}


def answer(k=0):
    "One request; the process that answered, and its peak memory."
    from saju_naming.generate import recommend
    recommend(f"{1980 + k % 40}-05-15T14:30", "여자", "김", count=3, seed=k)
    return os.getpid(), peak_mb()


def warm(barrier):
    "A worker that is ready when all are (an error if one never is)."
    answer()
    barrier.wait(300)


def load(n, requests, pool):
    "n clients at the pool, so many requests from all together (two from each at least)."
    peaks, took = {}, []

    def client(i):
        for k in range(i, max(requests, 2*n), n):
            began = time.perf_counter()
            pid, peak = pool.submit(answer, k).result()
            took.append(time.perf_counter() - began)
            peaks[pid] = max(peak, peaks.get(pid, 0))
    with pool, ThreadPoolExecutor(n) as clients:
        list(pool.map(answer, range(n)))  # starts all workers
        seconds = timed(lambda: list(clients.map(client, range(n))))
    return {"requests_per_s": len(took)/seconds, "p95_s": sorted(took)[math.ceil(0.95*len(took)) - 1], "peak_mb": sum(peaks.values())}


def threads(n, requests):
    answer()  # one thread loads the model for all
    return load(n, requests, ThreadPoolExecutor(n))


def processes(n, requests):
    context, workers = get_context("spawn"), min(n, os.cpu_count())
    return load(n, requests, ProcessPoolExecutor(workers, context, warm, (context.Barrier(workers),)))


POINTS = {f.__name__: f for f in (births, make_rows, build_dataset, threads, processes)}
MEASURES = {"seconds": "초", "requests_per_s": "요청/초", "p95_s": "95% 지연(초)", "peak_mb": "최대 메모리(MB)"}
CURVES = {  # curve → its title, its axis, its sizes, its lines (function → label)
    "births": ("출생의 수와 비용", "출생(건)", [10**i for i in range(1, 8)], {"births": "four_pillars"}),
    "rows": ("프롬프트 줄의 수와 비용", "줄", [10**i for i in range(3, 7)], {"make_rows": "make_rows (흘려 읽기)", "build_dataset": "build_dataset (표로 만들기)"}),
    "requests": ("동시 요청의 수와 비용", "동시 요청", [2**i for i in range(6)], {"threads": "실(thread)", "processes": "프로세스(코어 수만큼)"})}


def measure(name, *numbers):
    "One point in a fresh process."
    done = subprocess.run([sys.executable, __file__, "--point", name, *map(str, numbers)], check=True, stdout=subprocess.PIPE, encoding="utf-8")
    return json.loads(done.stdout.splitlines()[-1])


def curve(name, up_to, requests):
    "All points of a curve, printed as they come."
    title, axis, sizes, lines = CURVES[name]
    print(f"\n{title}", flush=True)
    found = {"name": name, "title": title, "axis": axis, "measures": {}, "lines": {label: [] for label in lines.values()}}
    for point, label in lines.items():
        for n in (n for n in sizes if n <= up_to):
            measured = measure(point, n, *([requests] if name == "requests" else []))
            found["measures"] = {k: MEASURES[k] for k in measured}
            found["lines"][label].append({"n": n} | measured)
            print(f"{label:30} {n:>12,}  " + "  ".join(f"{MEASURES[k]} {v:,.4g}" for k, v in measured.items()), flush=True)
    return found


def plot(found, folder):
    "One log-log picture, a panel a measure."
    import matplotlib
    matplotlib.use("agg")
    import matplotlib.pyplot as plt
    from saju_naming.plots import korean_font
    plt.rcParams.update(korean_font() | {"axes.spines.top": False, "axes.spines.right": False})
    fig, panels = plt.subplots(1, len(found["measures"]), figsize=(3.4*len(found["measures"]), 2.9), layout="constrained")
    for panel, (key, measured) in zip(panels, found["measures"].items()):
        for (label, points), mark, color in zip(found["lines"].items(), "os", ("#1a4f8b", "#c62828")):
            panel.loglog([p["n"] for p in points], [p[key] for p in points], mark + "-", ms=4, label=label, color=color)
        values, sizes = zip(*((p[key], p["n"]) for points in found["lines"].values() for p in points))
        panel.set(xlabel=found["axis"], title=measured, ylim=(10**math.floor(math.log10(min(values))), 10**math.ceil(math.log10(max(values)*1.01))))
        if max(sizes) < 1000: panel.set_xticks(sizes, sizes, minor=False), panel.minorticks_off()
        panel.grid(alpha=0.3)
    if len(found["lines"]) > 1: fig.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    fig.suptitle(found["title"])
    fig.savefig(Path(folder)/f"curve_{found['name']}.png", dpi=80)
    plt.close(fig)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(CURVES), metavar="NAMES", help=f"some of {','.join(CURVES)}")
    parser.add_argument("--up-to", type=float, default=math.inf, metavar="N", help="leave out larger sizes")
    parser.add_argument("--requests", type=int, default=64, metavar="N", help="requests of each point of that curve, all clients together (64)")
    parser.add_argument("--plots", type=Path, metavar="FOLDER", help="also draw curve_NAME.png there")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers to this file")
    parser.add_argument("--point", nargs="+", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.point:
        name, *numbers = args.point
        measured = POINTS[name](*map(int, numbers))
        return print(json.dumps({**measured, "peak_mb": measured.get("peak_mb", peak_mb())}))
    if unknown := set(args.only.split(",")) - set(CURVES): parser.error(f"--only {','.join(unknown)}: one or more of {','.join(CURVES)}")
    if smallest := [name for name in args.only.split(",") if args.up_to < CURVES[name][2][0]]: parser.error(f"--up-to {args.up_to:g} leaves nothing of {','.join(smallest)}")
    found = [curve(name, args.up_to, args.requests) for name in args.only.split(",")]
    if args.plots:
        for one in found: plot(one, args.plots)
    if args.json: args.json.write_text(json.dumps({"curves": found}, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__": main()
