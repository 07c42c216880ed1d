"Clients of the server under load: they ask, come back when the server says so, and look whether an answer is theirs."
import json, math, random, socket, time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException

from saju_naming.manse import four_pillars

PATIENCE = 300   # seconds after which a client gives up
PAUSE = 0.1      # seconds until a client tries again where the connection failed


def questions(what, n):
    "Births, surnames and seeds; the same for the same words, so that both sides are asked the same in the same order."
    rng = random.Random(what)
    def one():
        day = f"{rng.randint(1950, 2020)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
        time_of_day = f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}"
        return dict(birth=f"{day}T{time_of_day}", gender=rng.choice("남여"), surname=rng.choice("김이박최정강조윤장임"),
                    seed=rng.randint(1, 10**6))
    return [one() for _ in range(n)]


def many_addresses():
    "Whether this machine has more loopback addresses than one, as Linux does: clients then are told apart by address."
    with socket.socket() as one:
        try: one.bind(("127.0.0.2", 0))
        except OSError: return False
    return True


MANY = many_addresses()


def address(i):
    "Where client i comes from; 127.0.0.1 is left to the attackers where there are more."
    return f"127.0.0.{2 + i % 250}" if MANY else "127.0.0.1"


@dataclass
class Met:
    "What came of a question."
    asked: dict
    status: int | str   # of the last try: HTTP status, or how the connection failed
    seconds: float      # from the first try to the last, waiting included
    ended: float        # when that was
    turned: int         # how often the server said 503 and when to come back
    failed: list        # how connections failed before that
    body: bytes

    @property
    def lost(self):
        "Whether no answer came, with nothing but 503 as an excuse."
        return self.status != 200

    @property
    def mixed(self):
        "Whether the answer is that of another question."
        return not self.lost and not belongs(self.asked, json.loads(self.body))


def belongs(asked, reply):
    "Whether an answer has the surname, gender, seed and pillars of its question."
    told = reply["result"]
    same = all(told["options"][field] == asked[field] for field in ("gender", "surname", "seed"))
    surnames = {name["surname"] for name in told["names"]}
    return same and surnames == {asked["surname"]} and told["analysis"]["pillars"] == four_pillars(asked["birth"]).hanja


class Client:
    "One that asks: over one connection, or over a new one for every try."
    def __init__(self, port, i=0, lasting=True, patient=False, patience=PATIENCE):
        self.connection = HTTPConnection("127.0.0.1", port, timeout=120, source_address=(address(i), 0))
        self.lasting, self.patient, self.patience = lasting, patient, patience

    def send(self, asked):
        "(status, Retry-After, body) of one try."
        try:
            self.connection.request("POST", "/name", json.dumps(asked), {"Content-Type": "application/json"})
            reply = self.connection.getresponse()
            return reply.status, reply.getheader("Retry-After"), reply.read()
        except (OSError, HTTPException) as error:
            self.connection.close()
            return type(error).__name__, None, b""

    def ask(self, asked):
        "One question until its answer: 503 is obeyed; where the connection failed, a patient client tries again."
        began, turned, failed = time.perf_counter(), 0, []
        while True:
            status, again, body = self.send(asked)
            if not self.lasting or again: self.connection.close()
            waited = time.perf_counter() - began
            obeys, retries = status == 503 and again is not None, self.patient and isinstance(status, str)
            pause = float(again) if obeys else PAUSE
            if not (obeys or retries) or waited + pause > self.patience: break
            turned += obeys
            failed += [status] if retries else []
            time.sleep(pause)
        if status == 503 and not again: status = "503 without Retry-After"
        return Met(asked, status, waited, began + waited, turned, failed, body)


@dataclass
class Load:
    "What some clients met."
    met: list
    took: float   # seconds

    @property
    def answers(self): return [m for m in self.met if not m.lost]

    @property
    def rate(self): return len(self.answers)/self.took

    @property
    def refused(self): return sum(m.turned for m in self.met)

    @property
    def lost(self): return Counter(str(m.status) for m in self.met if m.lost)

    @property
    def mixed(self): return sum(m.mixed for m in self.met)

    def waited(self, share):
        "Seconds that a share of the answers came within, from the first try on."
        times = sorted(m.seconds for m in self.answers)
        return times[math.ceil(share*len(times)) - 1] if times else math.nan


def load(port, asked, clients, **manner):
    "All questions by so many clients at once, each takes the next one (`manner`: of `Client`)."
    left, met, began = iter(asked), [], time.perf_counter()

    def one(i):
        client = Client(port, i, **manner)
        for question in left: met.append(client.ask(question))
        client.connection.close()
    with ThreadPoolExecutor(clients) as pool: list(pool.map(one, range(clients)))
    return Load(met, time.perf_counter() - began)
