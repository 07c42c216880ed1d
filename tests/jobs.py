"Jobs for tests/test_workers.py that worker processes import: quick, slow, deadly, and those that stop half-way."
import os, signal, sys, time
from multiprocessing import connection
from pathlib import Path

from saju_naming.errors import Busy, InputError, SajuError, Unavailable


class Odd(SajuError):
    "An error that pickle cannot put together again."
    def __init__(self, one): super().__init__("odd", one, "이상합니다", "고치세요")


class Unreadable:
    "A reply that cannot be put together again where it arrives."
    def __reduce__(self): return (int, ("1990-05-15",))


def echo(**asked): return asked


def pid(): return os.getpid()


def nap(long, **asked):
    time.sleep(long)
    return asked


def mark(path, then, **asked):
    "Leaves a line at a place, then does another job."
    with open(path, "a") as f: f.write(f"{os.getpid()}\n")
    return JOBS[then](**asked)


def once(path, then, **asked):
    "Does another job the first time, and answers the second."
    if Path(path).exists(): return "answered"
    return mark(path, then, **asked)


def die(): os.kill(os.getpid(), signal.SIGKILL) if hasattr(signal, "SIGKILL") else os._exit(9)


def freeze(): os.kill(os.getpid(), signal.SIGSTOP)


def half(then, size=1_000_000):
    "Answers, but the answer ends in the middle: the process stops, or hangs."
    write = connection.Connection._send

    def some(self, data, *rest):
        if len(data) < 1000: return write(self, data, *rest)
        write(self, bytes(data)[:len(data)//2], *rest)
        JOBS[then]()
    connection.Connection._send = some
    return bytes(size)


def hang(): time.sleep(1000)


def spin():
    while True: pass


def refuse(kind, secret=""):
    kinds = {"input": InputError, "gone": Unavailable, "busy": Busy}
    raise kinds[kind]("model", secret, "안 됩니다", "고치세요")


def odd(): raise Odd("1990-05-15")


def fail(words): raise ValueError(words)


def leave(words): sys.exit(words)


def unpicklable(): return lambda: "1990-05-15"


def unreadable(): return Unreadable()


def refuse_unpicklable(): raise InputError("x", lambda: "1990-05-15", "안 됩니다", "고치세요")


def child(path):
    "A process of the worker's own, which holds what it inherited, and outlives it."
    if os.fork() == 0:
        Path(path).write_text(str(os.getpid()))
        time.sleep(1000)
    time.sleep(1000)


def gone_while(path):
    "Unavailable while a file is not there."
    if not Path(path).exists(): raise Unavailable("server", None, "서버에 닿지 못했습니다", "켜 주세요")
    return "up"


def exits(path, deaths):
    "Ends the process while the file has fewer lines than `deaths`."
    with open(path, "a") as f: f.write("x\n")
    if len(Path(path).read_text().split()) <= deaths: os._exit(7)
    return "loaded"


_ALL = (echo, pid, nap, mark, once, die, freeze, half, hang, spin, refuse, odd, fail, leave, unpicklable, unreadable,
        refuse_unpicklable, child, gone_while, exits)
JOBS = {job.__name__: job for job in _ALL}


def answer(job, asked): return JOBS[job](**asked)


class LoadsSlowly:
    "An answer whose engine never comes to be loaded: as it is put together in the worker, the process hangs or stops."
    def __init__(self, then): self.then = then

    def __reduce__(self): return (_load, (self.then,))

    def __call__(self, job, asked): return answer(job, asked)


def _load(then):
    JOBS[then]()
    return answer
