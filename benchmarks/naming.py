"""Recommendation: every legal pair ranked by tables, beside the same scores counted one pair at a time; and the command from a cold shell.

    python benchmarks/naming.py [--repeats 5] [--json FILE]

"tables" is `rank_names` as it is, warm: all pairs for a plan, the pick of ten, facts and reasons included. "one by one" scores
pairs with the plain functions that the reasons come from (the notebook checks that both give the same points), on a sample.
It reaches into the private functions of `naming` for that. "cold shell" starts the command in a new process; "import numpy" is the least that such a process can cost.
"""
import argparse, json, os, platform, statistics, subprocess, sys, time
from pathlib import Path

import numpy as np

from saju_naming import naming
from saju_naming.names import SYLLABLES

CASES = [("1990-05-15T14:30", "여자", "김"), ("2024-02-04T18:00", "남자", "이"), ("2001-11-07T09:10", "남자", "남궁"), ("1977-07-07T07:07", "여자", "황보")]


def seconds(call):
    "Time of one call and its answer."
    began = time.perf_counter()
    answer = call()
    return time.perf_counter() - began, answer


def one_by_one(pairs):
    "Scores a sample of pairs with the plain functions."
    request = naming._request("여자", "김")
    pool = naming.hanja_pool()
    picks = np.random.default_rng(0).integers(0, len(pool), (pairs, 2))
    for i, j in picks:
        spelled = [(pool.hanja[k].item(), SYLLABLES[pool.syllable[k]]) for k in (i, j)]
        naming._parts(request, "".join(r for _, r in spelled), [naming._char_facts(h, r, "haerye") for h, r in spelled])


def shell(*command):
    "A process from start to end."
    return lambda: subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL, env={**os.environ, "PYTHONIOENCODING": "utf-8"})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers to this file")
    args = parser.parse_args()
    birth, gender, surname = CASES[0]
    recommend = shell("-c", "from saju_naming.cli import main; main()", "recommend", "--birth", birth, "--gender", gender, "--surname", surname, "--no-model")
    naming.rank_names(*CASES[0], count=10)
    rounds = {"tables": [], "one by one": [], "cold shell": [], "import numpy": []}
    for _ in range(args.repeats):
        took = [seconds(lambda: naming.rank_names(*case, count=10)) for case in CASES]
        rounds["tables"].append(sum(t for t, _ in took)/sum(r.searched for _, r in took)*1e6)
        rounds["one by one"].append(seconds(lambda: one_by_one(2000))[0]/2000*1e6)
        rounds["cold shell"].append(seconds(recommend)[0])
        rounds["import numpy"].append(seconds(shell("-c", "import numpy"))[0])
    best = {k: min(v) for k, v in rounds.items()}
    middle = {k: statistics.median(v) for k, v in rounds.items()}
    searched = [naming.rank_names(*case, count=10).searched for case in CASES]
    print(f"Python {platform.python_version()}, NumPy {np.__version__}, {platform.machine()}, best of {args.repeats} rounds (median)")
    print(f"pairs searched: {', '.join(f'{n:,}' for n in searched)}\n")
    print(f"{'what':34}{'best':>12}{'(median)':>14}{'ratio':>12}")
    for a, b, unit in (("tables", "one by one", "ms per million pairs"), ("one by one", "one by one", "ms per million pairs"), ("cold shell", "import numpy", "s"), ("import numpy", "import numpy", "s")):
        scale = 1000 if "million" in unit else 1
        print(f"{a + ', ' + unit:34}{best[a]*scale:12,.2f}{'(' + format(middle[a]*scale, ',.2f') + ')':>14}{best[b]/best[a] if scale > 1 else best[a]/best[b]:11,.1f}x")
    rows = [{"what": "모든 짝 견주기", "unit": "ms/백만 짝", "ours": best["tables"]*1000, "peer": "하나씩 세기", "theirs": best["one by one"]*1000},
            {"what": "recommend (엔진만), 새 셸", "unit": "초", "ours": best["cold shell"], "peer": "import numpy", "theirs": best["import numpy"], "note": "상대는 아무리 빨라도 드는 시간"}]
    if args.json: args.json.write_text(json.dumps({"rounds": rounds, "searched": searched, "rows": rows}, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
