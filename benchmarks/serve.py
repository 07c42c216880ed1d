"""The server on loopback, beside its state before it was taken apart: load, memory, death and restart at work, attacks.

    python benchmarks/serve.py [--only load,memory,kill,restart,equal,attacks] [--quick] [--against REV] [--workers N]
                               [--json FILE]

Both states run as processes, each from its own tree (`git worktree` of REV in a temporary folder, removed afterwards),
with as many workers, warm, and are asked the same questions in the same order, in turns: old, new, old, new. "배" comes
from such pairs of rounds: the row shows the pair in the middle, the note the smallest and the largest. Where git does
not know REV, or with --against none, this state is measured alone.
A client that is turned away (503) comes back when Retry-After says; its waiting counts. Every answer is looked at:
surname, gender, seed and pillars are those of its question. Anything that is neither an answer nor a 503 is lost.
About 25 minutes on two idle cores; --quick two, not for comparing. Exit status 1: this state lost or mixed answers.
"""
import argparse, json, os, signal, statistics, sys, time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT/"benchmarks"), str(ROOT), str(ROOT/"tests")]

from attacks import ATTACKS, attacked  # noqa: E402
from clients import load, questions  # noqa: E402
from pairs import beside, both, middle, paired, row, shown  # noqa: E402
from sides import BEFORE, DATE, Side, earlier, servers  # noqa: E402


@dataclass(frozen=True)
class Sizes:
    "How much is measured."
    clients: tuple = (1, 4, 32)
    rounds: int = 5         # pairs of rounds of each number of clients
    answers: int = 60       # of a round, at least four of each client
    requests: int = 3000    # after which memory is looked at again
    early: int = 200        # after which it is looked at first
    kills: int = 3          # pairs
    restart: int = 80       # questions during a restart
    equal: int = 200        # connections at once
    seconds: float = 20     # of an attack


QUICK = Sizes((1, 4), 1, 12, 40, 20, 1, 24, 24, 3)


def faults(loads):
    "What this state did that it never may: answers that were lost, and answers that belong to other questions."
    found = {"lost": lost(loads), "mixed": mixed(loads)}
    return [f"{n} answers {what}" for what, n in found.items() if n]


def lost(loads): return sum(one.lost.total() for one in loads)


def mixed(loads): return sum(one.mixed for one in loads)


def load_row(running, n, sizes):
    "(row, what this state's clients met) at a number of clients."
    size = max(sizes.answers, 4*n)
    met = both(running, sizes.rounds, lambda server, k: load(server.port, questions(f"{n} {k}", size), n))
    pairs = paired(met, lambda one: one.rate)

    def waited(share): return [statistics.median(one.waited(share) for one in loads) for loads in met]
    note = (f"p50 {beside(waited(.5), '{:.2f}초'.format)}, p95 {beside(waited(.95), '{:.2f}초'.format)}, "
            f"503 {beside([sum(one.refused for one in loads) for loads in met], str)}, "
            f"오류 {beside([lost(loads) for loads in met], str)}")
    *old, new = middle(pairs)
    bar = "배 1.5 이상" if n == 4 and old else ""
    return row(f"/name, 손님 {n}", "요청/초", pairs, note, bar, bool(old) and new >= 1.5*old[0]), met[-1]


def load_rows(sides, sizes):
    "/name at some numbers of clients."
    with servers(sides) as running:
        both(running, 1, lambda server, k: load(server.port, questions("warm", 8*server.side.workers), 4))
        found = [load_row(running, n, sizes) for n in sizes.clients]
    return [one for one, _ in found], [fault for _, loads in found for fault in faults(loads)]


def memory_of(side, sizes):
    "(MB after some requests, MB after many, what the clients met)."
    asked = questions("memory", sizes.requests)
    with side.server() as server:
        first = load(server.port, asked[:sizes.early], 4)
        server.settle()
        early = server.megabytes()
        second = load(server.port, asked[sizes.early:], 4)
        server.settle()
        return early, server.megabytes(), [first, second]


def memory_rows(sides, sizes):
    "Memory after some requests, and after many."
    early, late, met = zip(*[memory_of(side, sizes) for side in sides])
    growth = [after/before - 1 for before, after in zip(early, late)]
    note = f"요청 {sizes.early} 때 {beside(early, '{:.0f} MB'.format)}, 그 뒤 {beside(growth, '{:+.1%}'.format)}"
    rows = [row(f"메모리, 요청 {sizes.requests}", "MB", [late], note, "5% 안", growth[-1] <= 0.05)]
    return rows, faults(met[-1])


def killed(server, k):
    "(what clients met while a worker was killed at work, seconds from then until all workers wait for work again)."
    clients = 2*server.side.workers
    with ThreadPoolExecutor(1) as pool:
        meeting = pool.submit(load, server.port, questions(f"kill {k}", 4*clients), clients)
        time.sleep(0.5)
        server.at_work().kill()
        began = time.perf_counter()
        met = meeting.result()
    if len(server.workers()) < server.side.workers:   # it died between two jobs: the next ones find that out
        load(server.port, questions(f"after {k}", clients), clients)
    return met, server.settle() - began


def kill_rows(sides, sizes):
    "kill -9 of a worker at work."
    with servers(sides) as running: found = both(running, sizes.kills, killed)
    loads = [[met for met, _ in rounds] for rounds in found]
    slowest = [max(one.waited(1) for one in of_side) for of_side in loads]
    missing = [lost(of_side) for of_side in loads]
    note = (f"kill -9 {sizes.kills}번, 잃은 답 {beside(missing, str)}, "
            f"그동안 가장 늦은 답 {beside(slowest, '{:.1f}초'.format)}")
    pairs = paired(found, lambda one: one[1])
    rows = [row("일하다 죽은 일꾼이 돌아오기까지", "초", pairs, note, "잃은 답 0", not missing[-1])]
    return rows, faults(loads[-1])


def restarted(side, sizes):
    "(what 8 patient clients met, seconds from SIGTERM to the end, the longest time without an answer)."
    server = side.start()
    try:
        with ThreadPoolExecutor(1) as pool:
            asked = questions("restart", sizes.restart)
            meeting = pool.submit(load, server.port, asked, 8, lasting=False, patient=True)
            time.sleep(1.5)
            ended = server.stop()
            server = side.start(server.port)
            met = meeting.result()
    finally: server.kill()
    times = sorted(m.ended for m in met.answers)
    return met, ended, max(b - a for a, b in zip(times, times[1:]))


def cut(met):
    "Tries that were taken and then closed without an answer or a refusal."
    return sum(name != "ConnectionRefusedError" for m in met.met for name in m.failed)


def restart_rows(sides, sizes):
    "SIGTERM under load, and a new server on the same port."
    met, ended, silent = zip(*[restarted(side, sizes) for side in sides])
    missing, others = [lost([one]) for one in met], [one.mixed for one in met]
    note = (f"손님 8, 물음 {sizes.restart}, 답을 잃은 물음 {beside(missing, str)}, 뒤바뀐 답 {beside(others, str)}, "
            f"끊겨 다시 물은 것 {beside(list(map(cut, met)), str)}, 503 {beside([one.refused for one in met], str)}")
    rows = [row("다시 띄우기, SIGTERM에서 끝까지", "초", [ended], note, "10초 안", ended[-1] <= 10),
            row("다시 띄우기, 답이 없던 시간", "초", [silent], "새 서버가 모델을 읽는 시간까지", "잃거나 뒤바뀐 답 0",
                not missing[-1] + others[-1])]
    return rows, faults(met[-1:])


def at_once(running, asked, what, told):
    "(row, what each side's clients met) when all questions come at once."
    met = [load(server.port, asked, len(asked)) for server in running]
    note = (f"503 {beside([one.refused for one in met], str)}, 오류 {beside([lost([one]) for one in met], str)}, "
            f"한 손님이 가장 많이 돌아온 횟수 {beside([max(m.turned for m in one.met) for one in met], str)}")
    bar, wrong, best = told(met)
    found = row(f"{what} 물음 {len(asked)}건을 한꺼번에, 모두 답하기까지", "초", [tuple(one.took for one in met)],
               f"{note}, {bar} {beside(wrong, str)}", f"{bar} {best}", wrong[-1] == best)
    return found, faults(met[-1:]) + ([f"{bar}: {wrong[-1]}"] if wrong[-1] != best else [])


def equal_rows(sides, sizes):
    "Many equal questions at once, then as many different ones, of which some are compared with the library."
    same, other = questions("equal", 1)*sizes.equal, questions("different", sizes.equal)

    def kinds(met): return "서로 다른 답", [len({m.body for m in one.answers}) for one in met], 1

    def unlike(met):
        return "라이브러리와 다른 답", [unlike_library(side, one, other[:10]) for side, one in zip(sides, met)], 0
    with servers(sides) as running:
        found = [at_once(running, same, "같은", kinds), at_once(running, other, "다른", unlike)]
    return [one for one, _ in found], [fault for _, of_row in found for fault in of_row]


def unlike_library(side, met, asked):
    "How many of these questions were answered in another way than the library does."
    told = {json.dumps(m.asked): json.loads(m.body)["result"] for m in met.answers}
    return sum(told.get(json.dumps(one)) != answer for one, answer in zip(asked, side.told(asked)))


def attack_row(sides, name, seconds):
    "An attack, one side after the other."
    found = [attacked(side, name, seconds) for side in sides]
    longest, rates = tuple(held.longest for held in found), [held.rate for held in found]
    note = (f"1초 안에 답한 /check {beside([held.prompt for held in found], '{:.0%}'.format)}, "
            f"다른 손님 둘에게 초당 답 {beside(rates, '{:.1f}'.format)}, "
            f"메모리 {beside([max(held.memory) for held in found], '{:.0f} MB'.format)}")
    stopped = [side.name for side, held in zip(sides, found) if held.stopped]
    if stopped: note += f", {', '.join(stopped)}: {seconds:g}초 뒤 멈춰 있어 죽임"
    return row(f"공격: {ATTACKS[name][0]}, 가장 늦은 /check", "초", [longest], note,
               "1초 안, 다른 손님도 답을 받음", longest[-1] <= 1 and rates[-1] > 0)


def attack_rows(sides, sizes): return [attack_row(sides, name, sizes.seconds) for name in ATTACKS], []


LINES = {"load": load_rows, "memory": memory_rows, "kill": kill_rows, "restart": restart_rows, "equal": equal_rows,
         "attacks": attack_rows}


def measured(sides, names, sizes):
    "(rows, faults) of some lines, printed as they come."
    rows, wrong = [], []
    for name in names:
        print(f"\n{name}", flush=True)
        found, bad = LINES[name](sides, sizes)
        if len(sides) > 1: found = [one | {"peer": sides[0].name} for one in found]
        for one in found: print(shown(one), flush=True)
        rows, wrong = rows + found, wrong + [f"{name}: {fault}" for fault in bad]
    return rows, wrong


def options():
    "What was asked for."
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(LINES), metavar="NAMES", help=f"some of {','.join(LINES)}")
    parser.add_argument("--quick", action="store_true", help="tiny sizes")
    parser.add_argument("--against", default=BEFORE, metavar="REV",
                        help=f"the earlier state ({BEFORE} of {DATE}), or none")
    parser.add_argument("--workers", type=int, default=min(4, os.cpu_count()))
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers to this file")
    args = parser.parse_args()
    unknown = set(args.only.split(",")) - set(LINES)
    if unknown: parser.error(f"--only {','.join(unknown)}: one or more of {','.join(LINES)}")
    return args


def main():
    args = options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))   # so that servers and the other tree go too
    with earlier(args.against) as tree:
        if not tree: print(f"git does not know {args.against} here: this state is measured alone")
        old = [Side(f"앞선 판 {args.against}", tree, args.workers)] if tree else []
        sides = [*old, Side("이 판", ROOT, args.workers)]
        for side in sides: print(f"{side.name}: {side.tree}, {side.workers} workers")
        rows, wrong = measured(sides, args.only.split(","), QUICK if args.quick else Sizes())
    if args.json:
        numbers = json.dumps({"rows": rows, "wrong": wrong}, ensure_ascii=False, indent=1)
        args.json.write_text(numbers, encoding="utf-8")
    sys.exit("\n".join(wrong) or None)


if __name__ == "__main__": main()
