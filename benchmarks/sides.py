"Two states of this repository side by side: a tree each, and its server as a process that is watched from outside."
import json, os, shutil, socket, subprocess, sys, tempfile, time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]
BEFORE, DATE = "57aa74c", "2026-11-25"   # the state before the server was taken apart into rooms, and its date
QUIET = 0.6   # seconds without work after which a server counts as idle
START = """import sys, saju_naming
print(saju_naming.__file__, flush=True)
from saju_naming.serve import serve
serve(port=int(sys.argv[1]), workers=int(sys.argv[2]), rate="1000000 per minute")
"""


def git(*words):
    "A git command in this repository; None where there is no git or it failed."
    if not shutil.which("git"): return None
    done = subprocess.run(["git", "-C", ROOT, *map(str, words)], capture_output=True, encoding="utf-8")
    return done.stdout.strip() if done.returncode == 0 else None


@contextmanager
def earlier(revision):
    "A folder with an earlier state of the repository, removed afterwards; None where git does not know that state."
    if not git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"):
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder).resolve()/"tree"
        if git("worktree", "add", "--detach", tree, revision) is None:
            raise SystemExit(f"git worktree add of {revision} failed")
        try: yield tree
        finally: git("worktree", "remove", "--force", tree)


def free_port():
    "A port that nobody listens on."
    with socket.create_server(("127.0.0.1", 0)) as one: return one.getsockname()[1]


def gone(process):
    "Whether a process has ended."
    try: return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess: return True


class Server:
    "A server as a process, imported from its own tree."
    def __init__(self, side, port):
        self.side, self.port, self.log = side, port, tempfile.TemporaryFile()
        places = {"PYTHONPATH": str(side.tree), "OPENBLAS_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
        command = [sys.executable, "-c", START, str(port), str(side.workers)]
        self.process = psutil.Popen(command, cwd=side.tree, env=os.environ | places, stdin=subprocess.DEVNULL,
                                    stdout=self.log, stderr=subprocess.STDOUT)

    def told(self):
        "What it wrote to the screen."
        self.log.seek(0)
        return self.log.read().decode("utf-8", "replace")

    def check(self, seconds=5, source="127.0.0.1"):
        "What /check says; None when no answer came."
        connection = HTTPConnection("127.0.0.1", self.port, timeout=seconds, source_address=(source, 0))
        try:
            connection.request("GET", "/check")
            return json.loads(connection.getresponse().read())
        except (OSError, HTTPException, ValueError): return None
        finally: connection.close()

    def workers(self):
        "Its worker processes that live."
        try: children = self.process.children(recursive=True)
        except psutil.NoSuchProcess: return []
        return [p for p in children if not gone(p) and "resource_tracker" not in command_of(p)]

    def spent(self):
        "Process id → seconds of CPU, of the server and its workers."
        return {p.pid: cpu(p) for p in (self.process, *self.workers())}

    def megabytes(self):
        "Memory (RSS) of the server and its workers, MB."
        return sum(rss(p) for p in (self.process, *self.workers()))/2**20

    def settle(self, seconds=180):
        "Waits until all workers are there, nothing works and /check says ready; the moment since when it was so."
        began = since = time.perf_counter()
        last = self.spent()
        while time.perf_counter() - since < QUIET or not (self.check() or {}).get("isReady"):
            if gone(self.process) or time.perf_counter() - began > seconds:
                raise SystemExit(f"the server of {self.side.name} did not get ready:\n{self.told()[-2000:]}")
            time.sleep(0.1)
            now = self.spent()
            if len(now) <= self.side.workers or worked(last, now): since = time.perf_counter()
            last = now
        return since

    def at_work(self):
        "The worker that works hardest."
        before = self.spent()
        time.sleep(0.1)
        after = self.spent()
        return max(self.workers(), key=lambda p: after.get(p.pid, 0) - before.get(p.pid, 0))

    def stop(self, seconds=60):
        "SIGTERM; seconds to its end, after the bound it is killed with its workers."
        began = time.perf_counter()
        self.process.terminate()
        try: self.process.wait(seconds)
        except psutil.TimeoutExpired: self.kill()
        return time.perf_counter() - began

    def kill(self):
        "Ends the server and its workers at once."
        for one in (*self.workers(), self.process):
            if not gone(one): one.kill()
        self.process.wait(10)


def command_of(process):
    "How a process was called; nothing when it ended meanwhile."
    try: return " ".join(process.cmdline())
    except psutil.Error: return ""


def cpu(process):
    "Seconds of CPU of a process; 0 when it ended meanwhile."
    try: return sum(process.cpu_times()[:2])
    except psutil.Error: return 0


def rss(process):
    "Memory of a process, bytes; 0 when it ended meanwhile."
    try: return process.memory_info().rss
    except psutil.Error: return 0


def worked(last, now):
    "Whether a server did more than wait between two looks at it: others are its workers, or they used the CPU."
    return last.keys() != now.keys() or sum(now.values()) - sum(last.values()) > 0.025


@dataclass(frozen=True)
class Side:
    "A state to be measured."
    name: str      # as the table calls it
    tree: Path     # where its saju_naming lies
    workers: int   # 일꾼의 수

    def start(self, port=None):
        "Its server, ready and idle, and surely its own."
        server = Server(self, port or free_port())
        try:
            server.settle()
            imported = Path(server.told().splitlines()[0]).resolve().parent.parent
            if imported != self.tree.resolve(): raise SystemExit(f"{self.name} imported {imported}, not {self.tree}")
        except BaseException:
            server.kill()
            raise
        return server

    @contextmanager
    def server(self, end=Server.stop):
        "Its server for a while."
        server = self.start()
        try: yield server
        finally: end(server)

    def told(self, asked):
        "What the library of this state answers to the same questions, in a process of its own."
        code = ("import dataclasses, json, sys\nfrom saju_naming.generate import recommend\n"
                "told = [dataclasses.asdict(recommend(engine='embedded', **one)) for one in json.load(sys.stdin)]\n"
                "print(json.dumps(told))")
        done = subprocess.run([sys.executable, "-c", code], input=json.dumps(asked), cwd=self.tree, check=True,
                              env=os.environ | {"PYTHONPATH": str(self.tree)}, stdout=subprocess.PIPE, encoding="utf-8")
        return json.loads(done.stdout)


@contextmanager
def servers(sides):
    "A server of each side, all at once."
    with ExitStack() as stack: yield [stack.enter_context(side.server()) for side in sides]
