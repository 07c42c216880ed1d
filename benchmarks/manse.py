"""Four pillars: this library beside korean-saju, sajupy, lunar-python, sxtwl, bazi and bazi-chart, in one run on one core.

    python benchmarks/manse.py [--births 1000000] [--repeats 5] [--json FILE]

Each round times every engine once, so that a busy moment of the machine falls on all of them; the table shows the best round (and the
median, in brackets). Every engine is timed on births in two orders: as people come (random order), and sorted by time, which is the best case of
peers that keep the last year's tables (sxtwl is then about seventy times as fast). A birth is one datetime a call; in our other rows one text a call, and
one array of datetime64 for all of them. Every answer ends as four words of Hanja, but for the array, which ends as numbers.
"wrong" is context, not speed: the share of births 2, 5, 10, 20 and 30 minutes before and after each 절 of every fifth year 1950-2020 whose year or month pillar is
wrong when the birth is given as people give it, by the Korean clock, with the peer's own defaults (and a longitude or a zone where it has an argument for one).
(Right by the terms of this library, which agree with KASI within 40 s, so that no birth of the test is in doubt.)

Needs: pip install -e ".[dev,bench]". bazi and bazi-chart are both imported as `bazi`, so this script makes an environment for each in the user's cache
folder ($SAJU_BENCH_CACHE says where else) and times them inside it; where that cannot be done the table says so.
"""
import argparse, json, os, platform, statistics, subprocess, sys, time, venv
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from saju_naming.manse import four_pillars, solar_term_times
from saju_naming.ohaeng import ganji

SEOUL = 126.978
ORDERS = {"unsorted": "온 차례대로", "sorted": "시각 차례로"}
SIZES = {  # births a round, unsorted and sorted
    "korean-saju": (1000, 1000), "sajupy": (400, 400), "lunar-python": (2000, 2000), "sxtwl": (2000, 10000), "bazi": (2000, 2000), "bazi-chart": (2000, 2000)}
APART = {"bazi": "2.3.0", "bazi-chart": "1.2.0"}    # peers that need an environment of their own
CACHE = Path(os.environ.get("SAJU_BENCH_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home()/".cache")/"saju-naming"/"bench")

WORKER = '''
import json, sys, time
from datetime import datetime
if sys.argv[1] == "bazi":
    from bazi.bazi import Bazi
    def engine(t): return [str(p) for p in Bazi.create(t, "male").pillars]
else:
    from bazi.pillars import cast_pillars
    def engine(t): return list(cast_pillars(t, tz_hours=9.0).pillar_names)
for line in sys.stdin:
    births = [datetime.fromisoformat(text) for text in json.loads(line)]
    began = time.perf_counter()
    pillars = [engine(t) for t in births]
    print(json.dumps([time.perf_counter() - began, pillars]), flush=True)
'''


def korean_saju_engine():
    import korean_saju
    _, terms = korean_saju.load_bundled_data()

    def engine(t):
        saju = korean_saju.Saju.from_birth(kst_moment=t, solar_terms=terms, longitude=SEOUL)
        return [p.hanja for p in (saju.year_pillar, saju.month_pillar, saju.day_pillar, saju.hour_pillar)]
    return engine


def sajupy_engine():
    import sajupy

    def engine(t):
        saju = sajupy.calculate_saju(t.year, t.month, t.day, t.hour, t.minute)
        return [saju[f"{p}_pillar"] for p in ("year", "month", "day", "hour")]
    return engine


def lunar_python_engine():
    from lunar_python import Solar

    def engine(t):
        eight = Solar.fromYmdHms(t.year, t.month, t.day, t.hour, t.minute, t.second).getLunar().getEightChar()
        return [eight.getYear(), eight.getMonth(), eight.getDay(), eight.getTime()]
    return engine


def sxtwl_engine():
    import sxtwl
    names = [ganji(i) for i in range(60)]

    def engine(t):
        day = sxtwl.fromSolar(t.year, t.month, t.day)
        pairs = day.getYearGZ(), day.getMonthGZ(), day.getDayGZ(), day.getHourGZ(t.hour)
        return [names[(6*p.tg - 5*p.dz) % 60] for p in pairs]
    return engine


class Here:
    "A peer in this process."
    def __init__(self, name):
        self.name, self.version = name, version(name)
        self.engine = {"korean-saju": korean_saju_engine, "sajupy": sajupy_engine, "lunar-python": lunar_python_engine, "sxtwl": sxtwl_engine}[name]()

    def run(self, births):
        "Seconds for the births, their pillars."
        began = time.perf_counter()
        pillars = [self.engine(t) for t in births]
        return time.perf_counter() - began, pillars


class Apart:
    "A peer in an environment of its own, which answers line by line."
    def __init__(self, name):
        self.name, self.version = name, APART[name]
        self.process = subprocess.Popen([self.environment(), "-c", WORKER, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def environment(self):
        "The interpreter of the environment, made and filled where it is not."
        folder = CACHE/f"{self.name}-{self.version}-{platform.python_version()}"
        python = folder/("Scripts/python.exe" if os.name == "nt" else "bin/python")
        if not (folder/"ready").exists():
            venv.create(folder, with_pip=True, clear=True)
            subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", f"{self.name}=={self.version}"], check=True, stdout=sys.stderr)
            (folder/"ready").touch()
        return str(python)

    def run(self, births):
        "Seconds for the births, their pillars; what goes between the processes is not counted."
        self.process.stdin.write(json.dumps([t.isoformat() for t in births]) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer: raise RuntimeError(f"{self.name} ended with status {self.process.wait()}")
        return tuple(json.loads(answer))


def peers():
    "The peers that can be run, and why the others cannot."
    found, missing = [], {}
    for name in SIZES:
        try:
            peer = (Apart if name in APART else Here)(name)
            peer.run([datetime(1990, 5, 15, 14, 30)])
            found.append(peer)
        except (ImportError, OSError, RuntimeError, subprocess.CalledProcessError) as e:
            missing[name] = f"{type(e).__name__}: {e}"
            print(f"{name}: not measured ({missing[name]})", file=sys.stderr)
    return found, missing


def random_births(n, seed=1):
    "Civil minutes 1950-2024 in Korea that exist, as datetime64[m]."
    minutes = np.random.default_rng(seed).integers(*np.array(["1950-01-01", "2025-01-01"], "M8[m]").astype(int), n).astype("M8[m]")
    exists = np.ones(n, bool)
    zone = ZoneInfo("Asia/Seoul")
    summers = (minutes < np.datetime64("1962")) | ((minutes > np.datetime64("1987")) & (minutes < np.datetime64("1989")))
    for i in np.flatnonzero(summers):   # a time in a spring gap does not survive the way to UTC and back
        t = minutes[i].item()
        exists[i] = t.replace(tzinfo=zone).astimezone(ZoneInfo("UTC")).astimezone(zone).replace(tzinfo=None) == t
    return minutes[exists]


def boundary_births():
    "Births 2 to 30 minutes before and after a 절 of every fifth year by the Korean clock, with the right year and month pillars."
    zone, births, right = ZoneInfo("Asia/Seoul"), [], []
    for year in range(1950, 2021, 5):
        for i, instant in enumerate(list(solar_term_times(year).values())[::2]):
            k = 12*(year - 1899) + i
            for minutes in (-30, -20, -10, -5, -2, 2, 5, 10, 20, 30):
                births.append((datetime.fromisoformat(instant) + timedelta(minutes=minutes)).astimezone(zone).replace(tzinfo=None))
                now = k if minutes > 0 else k - 1
                right.append([ganji(((now - 1)//12 + 35) % 60), ganji((now + 1) % 60)])
    return births, right


def share_wrong(pillars, right):
    "Share of births whose year or month pillar differs."
    return sum(list(p[:2]) != r for p, r in zip(pillars, right))/len(right)


def seconds(call):
    "Time of one call."
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def measure(births, found, repeats):
    "Seconds a birth: engine → order → one entry a round."
    ordered = {"unsorted": births, "sorted": np.sort(births)}
    alone = {"unsorted": births[:10000].tolist(), "sorted": ordered["sorted"][len(births)//2:][:10000].tolist()}
    texts = {order: [t.isoformat() for t in some] for order, some in alone.items()}
    ours = {"saju-naming (batch)": (ordered, four_pillars), "saju-naming (one)": (alone, lambda some: [four_pillars(t).hanja for t in some]),
            "saju-naming (text)": (texts, lambda some: [four_pillars(t).hanja for t in some])}
    times = {name: {order: [] for order in ORDERS} for name in (*ours, *(peer.name for peer in found))}
    for _ in range(repeats):
        for order, size in zip(ORDERS, (0, 1)):
            for name, (some, call) in ours.items():
                call(some[order])   # untimed: the peers' rounds take seconds and are warm, ours a twentieth of one
                times[name][order].append(seconds(lambda: call(some[order]))/len(some[order]))
            for peer in found:
                some = alone[order][:SIZES[peer.name][size]]
                times[peer.name][order].append(peer.run(some)[0]/len(some))
    return times


def report(times, versions, wrong):
    "Rows: engine, births/s at best and at the median for each order, share wrong."
    rows = []
    for name, orders in times.items():
        package = name.split(" ")[0]
        row = {"engine": f"{name} {versions[package]}", "wrong_near_terms": wrong.get(package)}
        for order, rounds in orders.items(): row |= {order: 1/min(rounds), f"{order}_median": 1/statistics.median(rounds)}
        rows.append(row)
    return rows


def fastest(rows, order):
    "Births a second of the fastest peer, None without peers."
    return max((row[order] for row in rows if not row["engine"].startswith("saju-naming")), default=None)


def compared(rows, missing):
    "Each of our ways beside each peer in each order, for the table of all benchmarks."
    ours = {"한꺼번에": rows[0], "한 건씩": rows[1], "글로 한 건씩": rows[2]}
    lines = []
    for how, our in ours.items():
        for order, said in ORDERS.items():
            about = {"what": f"네 기둥, {how}, {said}", "unit": "건/초", "ours": our[order]}
            for peer in rows[3:]:
                note = f"절 앞뒤에서 틀린 몫: 우리 {our['wrong_near_terms']:.1%}, 상대 {peer['wrong_near_terms']:.1%}"
                lines.append(about | {"peer": peer["engine"], "theirs": peer[order], "note": note})
            lines += [about | {"peer": name, "note": f"재지 못함: {why}"} for name, why in missing.items()]
    return lines


def table(rows, missing):
    "What is printed."
    best = {order: fastest(rows, order) for order in ORDERS}
    lines = [f"{'engine':32}" + "".join(f"{order + ' births/s':>20}{'(median)':>14}{'x fastest peer':>16}" for order in ORDERS) + f"{'wrong near 절':>14}"]
    for row in rows:
        line = f"{row['engine']:32}"
        for order in ORDERS:
            times = f"{row[order]/best[order]:,.2f}" if best[order] else ""
            line += f"{row[order]:20,.0f}{'(' + format(row[f'{order}_median'], ',.0f') + ')':>14}{times:>16}"
        lines.append(line + f"{row['wrong_near_terms']:13.1%}")
    return "\n".join(lines + [f"{name:32}  not measured: {why}" for name, why in missing.items()])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--births", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers to this file")
    args = parser.parse_args()
    found, missing = peers()
    births = random_births(args.births)
    near, right = boundary_births()
    wrong = {"saju-naming": share_wrong(four_pillars(near).hanja.tolist(), right)} | {peer.name: share_wrong(peer.run(near)[1], right) for peer in found}
    versions = {"saju-naming": version("saju-naming")} | {peer.name: peer.version for peer in found}
    rows = report(measure(births, found, args.repeats), versions, wrong)
    print(f"Python {platform.python_version()}, NumPy {np.__version__}, {platform.machine()}, {len(births):,} births, best of {args.repeats} rounds (median)\n")
    print(table(rows, missing))
    if args.json: args.json.write_text(json.dumps({"engines": rows, "missing": missing, "rows": compared(rows, missing)}, ensure_ascii=False, indent=1), encoding="utf-8")
    for peer in found:
        if isinstance(peer, Apart): peer.process.stdin.close()


if __name__ == "__main__":
    main()
