"The server under attack: how long /check takes meanwhile, and what other clients get; bounded, a server for each."
import os, statistics, time
from contextlib import ExitStack
from dataclasses import dataclass, field
from threading import Thread

from attackers import CROWDED, dripping_bodies, dripping_headers, idle_connections, slow_readers
from clients import Client, address, questions
from sides import Server

EVERY = 0.5   # seconds between two looks at /check
PROMPT = 1    # seconds within which /check has to answer
CLIENTS = 2   # that go on asking for names meanwhile


def largest_file(side):
    "The address of the largest file of the page."
    web = side.tree/"saju_naming"/"web"
    return "/" + max(filter(os.path.isfile, web.rglob("*")), key=os.path.getsize).relative_to(web).as_posix()


ATTACKS = {  # attack → what it is, what does it
    "readers": ("읽지 않는 연결 30", lambda port, path: slow_readers(port, 30, path, sources=CROWDED)),
    "headers": ("머리글을 흘리는 연결 200", lambda port, path: dripping_headers(port, 200, sources=CROWDED)),
    "bodies": ("몸을 흘리는 연결 200", lambda port, path: dripping_bodies(port, 200, sources=CROWDED)),
    "idle": ("쉬는 연결 600", lambda port, path: idle_connections(port, 600, sources=CROWDED))}


@dataclass
class Held:
    "What was met during an attack."
    seconds: float                                # how long it lasted
    checks: list = field(default_factory=list)    # seconds of each /check; None when it was not answered
    answers: list = field(default_factory=list)   # what the other clients met
    memory: list = field(default_factory=list)    # MB, a look at a time

    @property
    def longest(self):
        "The longest /check; that of the whole attack where one was not answered."
        return max((self.seconds if s is None else s for s in self.checks), default=self.seconds)

    @property
    def prompt(self):
        "Share of /check that were answered in time."
        return statistics.fmean(s is not None and s <= PROMPT for s in self.checks) if self.checks else 0

    @property
    def stopped(self):
        "Whether no /check of the second half was answered."
        return not any(s is not None for s in self.checks[len(self.checks)//2:])

    @property
    def rate(self): return sum(not m.lost for m in self.answers)/self.seconds


def look(server, held, until):
    "One /check, noted."
    began = time.perf_counter()
    said = server.check(max(until - began, PROMPT), address(100))
    held.checks.append(None if said is None else time.perf_counter() - began)


def watch(server, held, until):
    "A /check every half second, whether or not the earlier ones were answered, and the memory."
    looks = []
    while time.perf_counter() < until - PROMPT:
        looks.append(Thread(target=look, args=(server, held, until)))
        looks[-1].start()
        held.memory.append(server.megabytes())
        time.sleep(EVERY)
    for one in looks: one.join()


def other(server, i, held, until):
    "A client that asks for names until the end; an answer that is not there then does not count."
    asked = iter(questions(f"attack {i}", 1000))
    client = Client(server.port, 200 + i, lasting=False)
    while time.perf_counter() < until:
        client.connection.timeout = client.patience = max(until - time.perf_counter(), PROMPT)
        met = client.ask(next(asked))
        if time.perf_counter() < until: held.answers.append(met)
        if met.lost: time.sleep(EVERY)


def attacked(side, name, seconds):
    "What was met while a server of this side was attacked; afterwards it is killed."
    with side.server(end=Server.kill) as server, ExitStack() as stack:
        stack.enter_context(ATTACKS[name][1](server.port, largest_file(side)))
        time.sleep(1)   # until all of it has arrived
        held = Held(seconds)
        until = time.perf_counter() + seconds
        others = [Thread(target=other, args=(server, i, held, until)) for i in range(CLIENTS)]
        for one in others: one.start()
        watch(server, held, until)
        for one in others: one.join()
        return held
