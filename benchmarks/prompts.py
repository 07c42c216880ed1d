"""The training data: `build_dataset`, beside the seed's way of filling a pandas table row by row, on the same rows.

    python benchmarks/prompts.py [--rows 100000] [--peer-rows 5000] [--json FILE]

"built" makes the rows, with nothing remembered from an earlier call, and turns them into a DatasetDict. "listed" and "row by row" take the same
finished rows: the one makes a Dataset of them, the other writes each with `df.loc[i] = [question, answer]` as the seed's notebooks do, which costs
more for each row the longer the table is; so it is timed on fewer rows and both are given in microseconds a row.
"""
import argparse, json, platform, subprocess, sys, time
from pathlib import Path

import datasets, pandas as pd

from saju_naming import prompts
from saju_naming.verify import wrong_share


def timed(call):
    "Seconds of one call, and its answer."
    began = time.perf_counter()
    answer = call()
    return time.perf_counter() - began, answer


def row_by_row(rows):
    "The seed's way."
    df = pd.DataFrame(columns=["question", "answer"])
    for i, (_, question, answer) in enumerate(rows): df.loc[i] = [question, answer]
    return df


def built(rows):
    "Seconds of `build_dataset` in a process of its own, without the imports."
    code = ("import time, datasets\nfrom saju_naming.prompts import build_dataset\nbegan = time.perf_counter()\n"
            f"data = build_dataset({rows})\nprint(time.perf_counter() - began, sum(map(len, data.values())))")
    seconds, made = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert int(made) == rows
    return float(seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--peer-rows", type=int, default=5_000)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers to this file")
    args = parser.parse_args()
    rows = list(prompts.make_rows(args.peer_rows))
    listed, data = timed(lambda: datasets.Dataset.from_list([prompts.as_messages(*r) for r in rows]))
    slow, table = timed(lambda: row_by_row(rows))
    assert len(data) == len(table) == args.peer_rows
    seconds = built(args.rows)
    share, _, _ = wrong_share(rows)
    numbers = {"built_rows": args.rows, "built_seconds": round(seconds, 1), "peer_rows": args.peer_rows, "listed_us_a_row": round(listed/args.peer_rows*1e6, 1),
               "row_by_row_us_a_row": round(slow/args.peer_rows*1e6, 1), "ratio": round(slow/listed, 1), "wrong_share": share}
    print(f"Python {platform.python_version()}, datasets {datasets.__version__}, pandas {pd.__version__}, {platform.machine()}\n")
    print(f"built       {args.rows:,} rows, six families mixed and split: {seconds:.1f} s ({seconds/args.rows*1e6:.0f} us a row)")
    print(f"listed      {args.peer_rows:,} finished rows: {numbers['listed_us_a_row']} us a row")
    print(f"row by row  the same rows, the seed's way: {numbers['row_by_row_us_a_row']} us a row, {numbers['ratio']} times as long")
    print(f"verified    {args.peer_rows:,} rows, {share:.2%} wrong")
    compared = [{"what": "끝난 줄을 표로", "unit": "µs/줄", "ours": numbers["listed_us_a_row"], "peer": "pandas에 한 줄씩", "theirs": numbers["row_by_row_us_a_row"], "note": f"{args.peer_rows:,}줄, 틀린 줄 {share:.2%}"},
                {"what": "줄을 지어 데이터셋으로", "unit": "µs/줄", "ours": seconds/args.rows*1e6, "note": f"{args.rows:,}줄에 {seconds:.0f}초"}]
    if args.json: args.json.write_text(json.dumps(numbers | {"rows": compared}, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__": main()
