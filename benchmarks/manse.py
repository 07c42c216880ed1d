"""Four pillars: this library beside korean-saju, sajupy, lunar-python and sxtwl, in one run on one core.

    python benchmarks/manse.py [--births 1000000] [--repeats 5] [--json FILE]

Each round times every engine once, so that a busy moment of the machine falls on all of them; the table shows the best
round (and the median, in brackets). The peers take one datetime a call; ours takes an array of datetime64 in random order (and, in the
second row, one str a call). The peers get consecutive births of the same set sorted by time, which is their best case: some
keep the last year's tables (sxtwl is about a thousand times slower on births in random order). "wrong" is context, not speed: the
share of births 2, 5, 10, 20 and 30 minutes before and after each 절 of every fifth year 1950-2020 whose year or month pillar is wrong
when the birth is given as people give it, by the Korean clock, with the peer's own defaults. (Right by the terms of this
library, which agree with KASI within 40 s, so that no birth of the test is in doubt.)
Needs: pip install -e ".[dev,bench]"
"""
import argparse, json, platform, statistics, time
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

import korean_saju, sajupy, sxtwl
from lunar_python import Solar
from saju_naming.manse import four_pillars, solar_term_times
from saju_naming.ohaeng import ganji

_, KOREAN_SAJU_TERMS = korean_saju.load_bundled_data()
SEOUL = 126.978


def by_korean_saju(t):
    saju = korean_saju.Saju.from_birth(kst_moment=t, solar_terms=KOREAN_SAJU_TERMS, longitude=SEOUL)
    return [p.hanja for p in (saju.year_pillar, saju.month_pillar, saju.day_pillar, saju.hour_pillar)]


def by_sajupy(t):
    saju = sajupy.calculate_saju(t.year, t.month, t.day, t.hour, t.minute)
    return [saju[f"{p}_pillar"] for p in ("year", "month", "day", "hour")]


def by_lunar_python(t):
    eight = Solar.fromYmdHms(t.year, t.month, t.day, t.hour, t.minute, t.second).getLunar().getEightChar()
    return [eight.getYear(), eight.getMonth(), eight.getDay(), eight.getTime()]


def by_sxtwl(t):
    day = sxtwl.fromSolar(t.year, t.month, t.day)
    pairs = day.getYearGZ(), day.getMonthGZ(), day.getDayGZ(), day.getHourGZ(t.hour)
    return [ganji((6*p.tg - 5*p.dz) % 60) for p in pairs]


PEERS = {"korean-saju": (by_korean_saju, 1000), "sajupy": (by_sajupy, 400), "lunar-python": (by_lunar_python, 2000), "sxtwl": (by_sxtwl, 10000)}  # births a round


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


def share_wrong(engine, births, right):
    "Share of births whose year or month pillar differs."
    return sum(engine(t)[:2] != r for t, r in zip(births, right))/len(births)


def seconds(call):
    "Time of one call."
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def measure(births, repeats):
    "Seconds a birth for each engine, one list entry a round."
    singles = [t.item() for t in np.sort(births)[len(births)//2:][:10000]]
    texts = [t.item().isoformat() for t in births[:5000]]
    four_pillars(births[:10])
    for engine, _ in PEERS.values(): engine(singles[0])
    times = {name: [] for name in ("saju-naming (batch)", "saju-naming (one)", *PEERS)}
    for _ in range(repeats):
        times["saju-naming (batch)"].append(seconds(lambda: four_pillars(births))/len(births))
        times["saju-naming (one)"].append(seconds(lambda: [four_pillars(t).hanja for t in texts])/len(texts))
        for name, (engine, n) in PEERS.items():
            times[name].append(seconds(lambda: [engine(t) for t in singles[:n]])/min(n, len(singles)))
    return times


def report(times, wrong):
    "Rows: engine, births/s at best and at the median, microseconds a birth, share wrong."
    rows = []
    for name, all_rounds in times.items():
        best, middle = min(all_rounds), statistics.median(all_rounds)
        package = name.split(" ")[0]
        rows.append(dict(engine=f"{name} {version(package)}", births_per_s=1/best, median_births_per_s=1/middle, us_per_birth=best*1e6,
                         wrong_near_terms=wrong.get(name.split(" (")[0])))
    return rows


def compared(rows):
    "Each of our ways beside each peer, for the table of all benchmarks."
    ours = {"한꺼번에": rows[0], "한 건씩": rows[1]}
    return [{"what": f"네 기둥, {how}", "unit": "건/초", "ours": our["births_per_s"], "peer": peer["engine"], "theirs": peer["births_per_s"],
             "note": f"절 앞뒤에서 틀린 몫: 우리 {our['wrong_near_terms']:.1%}, 상대 {peer['wrong_near_terms']:.1%}"} for how, our in ours.items() for peer in rows[2:]]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--births", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers to this file")
    args = parser.parse_args()
    births = random_births(args.births)
    near, right = boundary_births()
    ours = four_pillars(near).hanja[:, :2].tolist()
    wrong = {"saju-naming": sum(a != b for a, b in zip(ours, right))/len(near)} | {name: share_wrong(e, near, right) for name, (e, _) in PEERS.items()}
    rows = report(measure(births, args.repeats), wrong)
    fastest = max(r["births_per_s"] for r in rows[2:])
    print(f"Python {platform.python_version()}, NumPy {np.__version__}, {platform.machine()}, {len(births):,} births, best of {args.repeats} rounds (median)\n")
    print(f"{'engine':32}{'births/s':>14}{'(median)':>14}{'us/birth':>10}{'x fastest peer':>16}{'wrong near 절':>14}")
    for r in rows:
        print(f"{r['engine']:32}{r['births_per_s']:14,.0f}{'(' + format(r['median_births_per_s'], ',.0f') + ')':>14}{r['us_per_birth']:10.2f}"
              f"{r['births_per_s']/fastest:16,.2f}{r['wrong_near_terms']:13.1%}")
    if args.json: args.json.write_text(json.dumps({"engines": rows, "rows": compared(rows)}, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
