"Pairs of rounds, old and new, and the lines of the table that are made of them."
from run import number, ratio


def beside(values, form):
    "A value of this state, the earlier one's behind it."
    *old, new = [form(v) for v in values]
    return f"{new}(앞선 판 {old[0]})" if old else new


def both(running, n, one):
    "n rounds in turns, old, new, old, new: for each side what its rounds met."
    found = [[] for _ in running]
    for k in range(n):
        for of_side, server in zip(found, running): of_side.append(one(server, k))
    return found


def paired(found, number):
    "A number of each round, as pairs (old, new)."
    return list(zip(*[[number(one) for one in rounds] for rounds in found]))


def middle(pairs):
    "The pair (old, new) whose ratio is in the middle; that of the new one alone where there is no old one."
    ranked = sorted(pairs, key=lambda pair: pair[-1]/pair[0] if len(pair) > 1 and pair[0] else pair[-1])
    return ranked[(len(ranked) - 1)//2]


def row(what, unit, pairs, note="", bar="", held=True):
    "A line of the table, from one or more pairs (old, new); `held` tells whether it is within the bar."
    *old, new = middle(pairs)
    ratios = [pair[1]/pair[0] for pair in pairs if len(pair) > 1 and pair[0] and pair[1]]
    if not unit.endswith("/초"): ratios = [1/r for r in ratios]
    if len(ratios) > 1: note += f", 짝지은 {len(ratios)}판의 배 {min(ratios):.2f}~{max(ratios):.2f}"
    if bar: note += f", 목표({bar}) {'이룸' if held else '**못 미침**'}"
    return {"what": what, "unit": unit, "ours": new, "note": note} | ({"theirs": old[0]} if old else {})


def shown(one):
    "A row on the screen: old, new, times."
    old, times = one.get("theirs"), ratio(one)
    before = "" if old is None else f"  old {number(old):>8}"
    ahead = f"  x{times:.2f}" if times else ""
    return f"{one['what']} ({one['unit']}){before}  new {number(one['ours']):>8}{ahead}\n    {one['note']}"
