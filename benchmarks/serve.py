"""The server under load, on loopback: rates, waiting times, refusals, memory, and a worker that is killed at work.

    python benchmarks/serve.py [--requests 2000] [--clients 1,2,4,8,16,32] [--seconds 10] [--workers N] [--json FILE]

A server of its own is started (`saju_naming.serve`, the embedded model) and stopped again. Every request is a POST /name with another birth and
seed, so nothing is answered twice. Each number of clients asks for `--seconds`; a client that is turned away (503) waits a moment and asks again.
Then `--requests` requests at 4 clients show whether memory (RSS of the server and its workers) grows, counted from request 200; then a worker is killed while all are busy.
"""
import argparse, json, os, random, statistics, subprocess, sys, time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from itertools import count
from pathlib import Path

import psutil

PORT = 8765
PAUSE = 0.1   # seconds that a client waits after a 503
NUMBER = count()


def body():
    "A birth and seed that were not asked before."
    rng = random.Random(next(NUMBER))
    return json.dumps(dict(year=rng.randint(1950, 2020), month=rng.randint(1, 12), day=rng.randint(1, 28), hour=rng.randint(0, 23), gender=rng.choice("남여"), surname=rng.choice("김이박최정강조윤장임"), seed=rng.randint(1, 10**6)))


def get(path):
    "A page of the server, or nothing while it is not up."
    connection = HTTPConnection("127.0.0.1", PORT, timeout=60)
    try:
        connection.request("GET", path)
        return connection.getresponse().read().decode()
    except OSError: return ""
    finally: connection.close()


def idle():
    "How many workers wait for work."
    return next((float(line.split()[1]) for line in get("/metrics").splitlines() if line.startswith("saju_idle_workers")), 0)


def wait(true, seconds=300):
    "Seconds until something is true."
    began = time.perf_counter()
    while not true():
        if time.perf_counter() - began > seconds: raise SystemExit("the server did not get there")
        time.sleep(0.02)
    return time.perf_counter() - began


@contextmanager
def server(workers):
    "The server as a process."
    code = f"from saju_naming.serve import serve; serve(port={PORT}, workers={workers}, rate='1000000 per minute')"
    process = psutil.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"})
    try:
        wait(lambda: idle() == workers)
        yield process
    finally:
        process.terminate()
        process.wait(60)


def family(process): return [process, *process.children(recursive=True)]


def megabytes(process): return sum(p.memory_info().rss for p in family(process))/2**20


def client(more, seen):
    "One client: asks while there is more, over one connection; notes (status, seconds)."
    connection = HTTPConnection("127.0.0.1", PORT, timeout=120)
    while more():
        began = time.perf_counter()
        try:
            connection.request("POST", "/name", body(), {"Content-Type": "application/json"})
            reply = connection.getresponse()
            reply.read()
            status = reply.status if reply.status != 503 or reply.getheader("Retry-After") else "503 without Retry-After"
        except OSError as e: status = type(e).__name__
        seen.append((status, time.perf_counter() - began))
        if status == 503: time.sleep(PAUSE)
    connection.close()


def load(clients, more):
    "What a number of clients met: answers per second, p50, p95, refusals, errors."
    seen, began = [], time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        for done in [pool.submit(client, more, seen) for _ in range(clients)]: done.result()
    took = time.perf_counter() - began
    times = [s for status, s in seen if status == 200]
    errors = [status for status, _ in seen if status not in (200, 503)]
    return dict(clients=clients, rate=len(times)/took, p50=statistics.median(times), p95=statistics.quantiles(times, n=20)[18] if len(times) > 1 else times[0],
                answers=len(times), refused=sum(status == 503 for status, _ in seen), errors=errors)


def for_seconds(seconds):
    end = time.perf_counter() + seconds
    return lambda: time.perf_counter() < end


def for_requests(n):
    left = iter(range(n))
    return lambda: next(left, None) is not None


def growth(process, requests):
    "Memory after 200 requests and after all of them, MB."
    load(4, for_requests(200))
    before = megabytes(process)
    load(4, for_requests(max(requests - 200, 1)))
    return before, megabytes(process)


def killed(process, workers):
    "Seconds from the death of a worker at work to all workers ready again, and what the clients met: 8 requests, which end sooner than that."
    with ThreadPoolExecutor(1) as pool:
        met = pool.submit(load, 4, for_requests(8))
        wait(lambda: idle() == 0)
        next(p for p in process.children() if "spawn_main" in " ".join(p.cmdline())).kill()
        back = wait(lambda: met.done() and idle() == workers)
        return back, met.result()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--clients", default="1,2,4,8,16,32")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--workers", type=int, default=min(4, os.cpu_count()))
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers to this file")
    args = parser.parse_args()
    with server(args.workers) as process:
        curve = [load(n, for_seconds(args.seconds)) for n in map(int, args.clients.split(","))]
        before, after = growth(process, args.requests)
        back, met = killed(process, args.workers)
    print(f"{'clients':>8}{'answers/s':>11}{'p50 s':>8}{'p95 s':>8}{'answers':>9}{'503':>6}  errors")
    for c in [*curve, met]: print(f"{c['clients']:8}{c['rate']:11.1f}{c['p50']:8.2f}{c['p95']:8.2f}{c['answers']:9}{c['refused']:6}  {c['errors'] or '-'}{'  (a worker killed)' if c is met else ''}")
    print(f"memory of the server and its {args.workers} workers: {before:.0f} MB after 200 requests, {after:.0f} MB after {args.requests} ({(after/before - 1):+.1%}); a killed worker is back after {back:.1f} s")
    rows = [{"what": f"/name, 손님 {c['clients']}", "unit": "요청/초", "ours": c["rate"], "note": f"p50 {c['p50']:.2f}초, p95 {c['p95']:.2f}초, 503 {c['refused']}, 오류 {len(c['errors'])}"} for c in curve]
    rows += [{"what": f"메모리, 요청 {args.requests}", "unit": "MB", "ours": after, "note": f"요청 200 때 {before:.0f} MB"},
             {"what": "일하다 죽은 일꾼이 돌아오기까지", "unit": "초", "ours": back, "note": f"그동안의 오류 {len(met['errors'])}"}]
    if args.json: args.json.write_text(json.dumps({"curve": curve, "memory_mb": [before, after], "killed": met, "rows": rows}, ensure_ascii=False, indent=1), encoding="utf-8")
    sys.exit(bool(met["errors"]) or any(c["errors"] for c in curve))


if __name__ == "__main__": main()
