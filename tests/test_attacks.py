"What a hostile stranger tries against `saju-naming serve`, from outside and on loopback only: every attack is bounded."
import json, os, random, re, shutil, signal, socket, string, sys, time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

import psutil
import pytest
from attackers import (CROWDED, HERE, OTHER, backend, chat, connect, dripping_bodies, dripping_headers, get,
                       heard, idle_connections, many_files, one_error, post, raw, request, serving, slow_readers,
                       started, until)
from saju_naming.generate import SHIPPED

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals, file limits and pipes of POSIX")
BIRTH = {"year": "1990", "month": "5", "day": "15", "gender": "여자"}
MARKED = BIRTH | {"surname": "황보"}   # a request that its backend knows again
WEB = Path(__file__).parents[1]/"saju_naming"/"web"
PAGES = {p.relative_to(WEB).as_posix(): p.stat().st_size for p in WEB.rglob("*") if p.is_file()}
LARGEST = "/" + max(PAGES, key=PAGES.get)
SAFE = ("X-Content-Type-Options", "Content-Security-Policy", "X-Frame-Options", "Referrer-Policy")   # of every reply
DEADLINE = 60   # seconds after which no attacker's connection may be open
SOON = 10       # seconds in which a server ends


def error_of(reply):
    "The error of a reply that must be our JSON with our headers."
    guarded(reply)
    assert reply.headers["Content-Type"] == "application/json; charset=utf-8"
    error = reply.json["error"]
    assert set(error) == {"field", "value", "reason", "remedy", "message"}
    assert all(re.search("[가-힣]", error[part]) for part in ("reason", "remedy", "message"))
    return error


def guarded(reply):
    "Asserts that a reply has our security headers."
    assert not [name for name in SAFE if not reply.headers.get(name)], f"{reply.status} {reply.body[:200]}"


def asker_of(behind):
    "The address from which the marked request came to a backend; None before."
    return next((address for _, body, address in behind.kind.asked if "황보" in str(body)), None)


@pytest.fixture(scope="module", autouse=True)
def room():
    "Room for the attackers' connections."
    with many_files(4096): yield


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    "One server for the attacks that it has to live through."
    with serving(tmp_path_factory.mktemp("attacks"), "--metrics", "--docs", engine=None) as found: yield found


# 1. connections that hold on

BUNDLE = "/docs/swagger/js/swagger-ui-bundle.js"   # 1.5 MB
SIEGES = {"slow readers": lambda port, sources: slow_readers(port, 30, BUNDLE, sources),
          "slow readers of the page": lambda port, sources: slow_readers(port, 30, LARGEST, sources),
          "dripped headers": lambda port, sources: dripping_headers(port, 200, sources),
          "dripped bodies": lambda port, sources: dripping_bodies(port, 200, sources),
          "idle": lambda port, sources: idle_connections(port, 600, sources)}
CASES = [(name, sources) for name in SIEGES for sources in (HERE, CROWDED)]


@pytest.fixture(scope="module")
def sieges(served):
    "Begins an attack once and keeps it up: (connections, when it began)."
    begun = {}
    with ExitStack() as stack:
        def begin(name, sources):
            if (name, sources) not in begun:
                crowd = stack.enter_context(SIEGES[name](served.port, sources))
                begun[name, sources] = crowd, time.monotonic()
            return begun[name, sources]
        yield begin


def seconds(port, source):
    "How long /check takes."
    began = time.monotonic()
    assert get(port, "/check", source, 5).status == 200
    return time.monotonic() - began


@pytest.mark.parametrize("name, sources", CASES, ids=[f"{name} from {len(sources)}" for name, sources in CASES])
def test_others_are_served_during_an_attack(served, sieges, name, sources):
    sieges(name, sources)
    for source in dict.fromkeys((None, OTHER)):
        took = []
        for _ in range(5):
            took.append(seconds(served.port, source))
            time.sleep(0.05)
        assert sorted(took)[-2] < 1, f"/check takes {took} seconds from {source or 'here'}"
    assert post(served.port, "/name", BIRTH, OTHER, 10).status == 200


@pytest.mark.parametrize("name, sources", CASES, ids=[f"{name} from {len(sources)}" for name, sources in CASES])
def test_an_attack_ends_by_a_deadline(served, sieges, name, sources):
    crowd, began = sieges(name, sources)
    until(lambda: not served.holds(crowd), max(5, DEADLINE - (time.monotonic() - began)), f"{name} may stay for ever")


def test_nothing_is_left_of_the_attacks(served):
    "Neither open files nor memory."
    server = psutil.Process(served.process.pid)
    until(lambda: server.num_fds() < 150, 40, "files stay open")
    assert server.memory_info().rss < 500e6


def test_few_files_are_no_way_to_stop_it(tmp_path):
    "A system that lets the server open 256 files, and 600 connections."
    with serving(tmp_path, engine=None, shell='ulimit -n 256; exec "$@"') as found:
        with idle_connections(found.port, 600, CROWDED), slow_readers(found.port, 30, LARGEST, CROWDED):
            time.sleep(0.5)
            assert [get(found.port, "/check", OTHER, 2).status for _ in range(5)] == [200]*5
            assert post(found.port, "/name", BIRTH, OTHER, 10).status == 200
        assert "Traceback" not in found.err


def test_one_client_may_not_take_every_connection(served):
    "A client's connections are bounded; the others find room."
    with idle_connections(served.port, 400) as crowd:
        time.sleep(0.5)
        assert served.holds(crowd) <= 300
        assert get(served.port, "/check", OTHER, 2).status == 200


def test_a_slow_but_honest_reader_gets_the_whole_file(served):
    "A page over a slow line: 4 kB every tenth of a second."
    with connect(served.port, OTHER, window=4096) as s:
        s.sendall(request("GET", LARGEST))
        found = b""
        while more := s.recv(4096):
            found += more
            time.sleep(0.1)
    assert found.endswith((WEB/LARGEST[1:]).read_bytes()[-100:])


# what is no HTTP

POST = b"POST /name HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
GET = b"GET /check HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
HIDDEN = b"GET /surnames/%EA%B9%80 HTTP/1.1\r\nHost: localhost\r\n\r\n"   # smuggled behind another request
BROKEN = {
    "no path": b"GET\r\n\r\n", "HTTP/0.9": b"GET /check\r\n\r\n", "bytes": b"\0\1\2\3\r\n\r\n",
    "TLS": b"\x16\3\1\2\0\1\0\1\xfc\3\3\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/9.9": b"GET /check HTTP/9.9\r\nHost: localhost\r\n\r\n",
    "words left over": b"GET /check HTTP/1.1 x\r\nHost: localhost\r\n\r\n", "no name": GET + b": x\r\n\r\n",
    "no colon": GET + b"hello\r\n\r\n", "space before the colon": GET + b"X-A : 1\r\n\r\n",
    "folded": GET + b"X-A: 1\r\n X-B: 2\r\n\r\n",
    "NUL in a header": GET + b"X-A: 1\0002\r\n\r\n",
    "NUL in the path": b"GET /che\0ck HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "bare CR": GET + b"X-A: 1\rX-B: 2\r\n\r\n",
    "broken address": b"GET http://[::1 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "broken port": b"GET http://localhost:x/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "long path": b"GET /" + b"a"*300_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "long header": GET + b"X-A: " + b"a"*20_000 + b"\r\n\r\n",
    "very long header": GET + b"X-A: " + b"a"*400_000 + b"\r\n\r\n",
    "many headers": GET + b"X-A: 1\r\n"*40_000 + b"\r\n",
    "length doubled": POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
    "length negative": POST + b"Content-Length: -1\r\n\r\n{}",
    "length a list": POST + b"Content-Length: 2, 3\r\n\r\n{} ", "length signed": POST + b"Content-Length: +2\r\n\r\n{}",
    "length with a _": POST + b"Content-Length: 0_2\r\n\r\n{}", "length hex": POST + b"Content-Length: 0x2\r\n\r\n{}",
    "length in other digits": POST + "Content-Length: ２\r\n\r\n{}".encode(),
    "length empty": POST + b"Content-Length: \r\n\r\n{}",
    "length huge": POST + b"Content-Length: " + b"9"*30 + b"\r\n\r\n{}",
    "length very long": POST + b"Content-Length: " + b"9"*5000 + b"\r\n\r\n{}",
    "length and chunks": POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "length folded": POST + b"Content-Length: 1\r\n 0\r\n\r\n0123456789",
    "length with a space": POST + b"Content-Length : 2\r\n\r\n{}",
    "chunks and length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + HIDDEN,
    "chunks of HTTP/1.0": POST.replace(b"1.1",
    b"1.0") + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + HIDDEN,
    "coding unknown": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunked twice": POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "coding and chunked": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "coding hidden": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "chunk no size": CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n", "chunk negative": CHUNKED + b"-1\r\n{}\r\n0\r\n\r\n",
    "chunk with a _": CHUNKED + b"0_2\r\n{}\r\n0\r\n\r\n",
    "chunk huge": CHUNKED + b"f"*40 + b"\r\n" + b"a"*200_000,
    "chunk longer than said": CHUNKED + b"1\r\n{}\r\n0\r\n\r\n",
    "chunk size endless": CHUNKED + b"2;" + b"a"*300_000 + b"\r\n{}\r\n0\r\n\r\n",
    "body of 100 kB": POST + b"Content-Length: 100000\r\n\r\n" + b"a"*100_000,
    "chunks of 100 kB": CHUNKED + (b"3e8\r\n" + b"a"*1000 + b"\r\n")*100 + b"0\r\n\r\n",
    "body of 2 MB": POST + b"Content-Length: 2000000\r\n\r\n" + b"a"*2_000_000,
    "no Host": b"GET /check HTTP/1.1\r\n\r\n",
    "range beyond": b"GET /style.css HTTP/1.1\r\nHost: localhost\r\nRange: bytes=9999999999-\r\n\r\n",
    "method of another": b"get /check HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "CONNECT": b"CONNECT localhost:22 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "TRACE": b"TRACE /check HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "method with signs": b"!#$%&'*+ /check HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "coded": POST + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b",
    "NUL in JSON": POST + b"Content-Length: 3\r\n\r\n\0{}",
    "not UTF-8": POST + b"Content-Length: 4\r\n\r\n\"\xff\xfe\"",
    "deep": POST + b"Content-Length: 16000\r\n\r\n" + b"["*16_000,
    "path not UTF-8": b"GET /surnames/%ff%fe HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "path NUL": b"GET /surnames/%00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "path up": b"GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "path up coded": b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "expects what nobody has": POST + b"Expect: 200-maybe\r\nContent-Length: 2\r\n\r\n{}",
    "expects to go on": POST + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}"}
REFUSED = {400, 404, 405, 408, 411, 413, 414, 415, 416, 417, 421, 422, 431, 501, 505}


BEARABLE = ("HTTP/9.9", "folded", "broken port")   # may be answered as if they were well


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_request_gets_our_error(served, name):
    reply = raw(served.port, BROKEN[name], 5)
    guarded(reply)
    if reply.status == 200 and name in BEARABLE: return
    assert reply.status in REFUSED, f"{reply.status} {reply.body[:200]}"
    error_of(reply)


ODD = {"ranges": b"Range: bytes=" + b",".join(b"%d-%d" % (i, i) for i in range(1000)),
    "range a word": b"Range: bytes=x", "range back": b"Range: bytes=9-1",
    "range last": b"Range: bytes=-99999999999999999999",
       "since": b"If-Modified-Since: yesterday", "tag": b"If-None-Match: \"\xff\"",
       "cookie": b"Cookie: " + b"a=b;"*1000, "language": b"Accept-Language: " + b"ko,"*1000,
       "upgrade": b"Connection: Upgrade\r\nUpgrade: websocket"}


@pytest.mark.parametrize("header", ODD.values(), ids=ODD)
def test_odd_headers_harm_nothing(served, header):
    reply = raw(served.port, b"GET /style.css HTTP/1.1\r\nHost: localhost\r\n" + header + b"\r\n\r\n", 5)
    guarded(reply)
    assert reply.status in (200, 206, 304) or (reply.status in REFUSED and error_of(reply))


def test_a_request_behind_a_broken_one_is_not_answered(served):
    "Nothing is smuggled: after a refusal the connection ends."
    for sent in (BROKEN["length and chunks"], BROKEN["length doubled"] + HIDDEN, BROKEN["chunk no size"] + HIDDEN,
                 BROKEN["length negative"] + HIDDEN):
        with connect(served.port) as s:
            s.sendall(sent)
            assert heard(s).status in REFUSED and heard(s).status == 0


def test_pipelined_garbage(served):
    dice = random.Random(15)
    for i in range(20):
        with suppress(OSError), connect(served.port) as s:
            s.sendall(GET + b"\r\n" + dice.randbytes(2000)*(i + 1) + b"\r\n\r\n")
            assert heard(s).status == 200
            again = heard(s)
            if again.status: error_of(again)
    assert get(served.port, "/check").status == 200


def test_pipelined_requests_are_answered_in_turn(served):
    with connect(served.port) as s:
        s.sendall(HIDDEN + GET + b"\r\n" + b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n" + HIDDEN)
        assert [heard(s).status for _ in range(4)] == [200, 200, 404, 200]


def test_labels_and_log_lines_are_bounded(served):
    dice = random.Random(15)
    def word(n): return "".join(dice.choices(string.ascii_uppercase, k=n))
    for _ in range(200): raw(served.port, request(word(2000), "/check"))
    for _ in range(200): raw(served.port, request("GET", f"/{word(2000)}?{word(2000)}", **{word(20): word(500)}))
    for _ in range(20): raw(served.port, request("GET", "/check", host=word(2000), User_Agent=word(2000)))
    for odd in ("/a%0d%0a1990 forged", "/a%1b[31m", "/%ff"): raw(served.port, request("GET", odd))
    found = get(served.port, "/metrics")
    assert found.status == 200 and len(found.body) < 100_000
    assert max(map(len, (served.out + served.err).splitlines()), default=0) < 300
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f]|forged", served.err)


# 2. the end

@contextmanager
def loading(folder):
    "A worker that still starts."
    with serving(folder, wait="is_up") as found: yield found


@contextmanager
def stuck(folder):
    "A worker whose model never comes: the library that reads it sleeps."
    (folder/"site").mkdir()
    (folder/"site"/"onnxruntime_genai.py").write_text("import time\ntime.sleep(300)\n")
    path = os.pathsep.join(filter(None, [str(folder/"site"), os.environ.get("PYTHONPATH")]))
    with serving(folder, wait=None, env={"PYTHONPATH": path}) as found:
        until(found.workers)
        time.sleep(1)
        yield found


@contextmanager
def silent_at_start(folder):
    "A backend that accepts and says nothing."
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        with serving(folder, "--engine", "openai", "--model", address, wait=None) as found:
            silent.settimeout(20)
            with silent.accept()[0]: yield found


@contextmanager
def silent_at_work(folder):
    "A backend that falls silent in the middle of a request."
    over = Event()
    with backend() as behind, serving(folder, "--engine", "openai", "--model", behind.address) as found:
        behind.kind.says = staticmethod(lambda body: over.wait(60) and chat())
        Thread(target=post, args=(found.port, "/name", MARKED), daemon=True).start()
        until(lambda: asker_of(behind))
        try: yield found
        finally: over.set()


@contextmanager
def stopped_loading(folder):
    "A worker that was sent SIGSTOP while it loads."
    with serving(folder, engine=None, wait=None) as found:
        for p in until(found.workers): p.suspend()
        time.sleep(1)
        yield found


@contextmanager
def stopped_idle(folder):
    "A worker that was sent SIGSTOP while it had nothing to do."
    with serving(folder, engine=None) as found:
        for p in until(found.workers): p.suspend()
        yield found


@contextmanager
def stopped_at_work(folder):
    "A worker that was sent SIGSTOP and then has a request."
    with stopped_idle(folder) as found:
        Thread(target=post, args=(found.port, "/name", BIRTH), daemon=True).start()
        time.sleep(0.5)
        yield found


@contextmanager
def piped(folder, number):
    "A server whose stdout (1) or stderr (2) goes into a pipe, and where that is read."
    os.mkfifo(folder/"pipe")
    reader = os.open(folder/"pipe", os.O_RDONLY | os.O_NONBLOCK)
    with serving(folder, engine=None, shell=f'exec "$@" {number}>{folder}/pipe') as found: yield found, reader


@contextmanager
def head(folder):
    "`saju-naming serve | head -1`."
    with piped(folder, 1) as (found, reader):
        with open(reader, "rb", buffering=0) as pipe: until(lambda: b"\n" in (pipe.read(1000) or b""))
        get(found.port, "/surnames/김")
        yield found


@contextmanager
def deaf(folder):
    "The reader of stderr is gone."
    with piped(folder, 2) as (found, reader):
        os.close(reader)
        get(found.port, "/surnames/김")
        yield found


@contextmanager
def without(folder, shell):
    "stdin, stdout or stderr closed from the beginning: no socket may take their place, where a library would print."
    with serving(folder, engine=None, shell=shell) as found:
        assert post(found.port, "/name", BIRTH).status == 200
        for p in [psutil.Process(found.process.pid), *found.workers()] if sys.platform == "linux" else ():
            held = [os.readlink(f"/proc/{p.pid}/fd/{n}") for n in (0, 1, 2) if os.path.exists(f"/proc/{p.pid}/fd/{n}")]
            assert not [name for name in held if name.startswith(("socket", "pipe"))]
        yield found


@contextmanager
def busy(folder):
    "Clients that ask all the time, more than the line holds; every one that is let in gets an answer."
    with serving(folder, engine=None) as found, ThreadPoolExecutor(24) as pool:
        def ask(seed):
            while found.process.poll() is None:
                reply = post(found.port, "/name", BIRTH | {"seed": seed})
                if reply.status: assert reply.status in (200, 503), reply.status
                if reply.status != 200: time.sleep(0.1)
        asking = [pool.submit(ask, seed) for seed in range(24)]
        time.sleep(1)
        yield found
        for one in asking: one.result()


@contextmanager
def besieged(folder):
    "Connections that never read, drip or say nothing."
    with serving(folder, engine=None) as found, ExitStack() as stack:
        for begin in (slow_readers, dripping_headers, dripping_bodies, idle_connections):
            stack.enter_context(begin(found.port, 20))
        time.sleep(0.5)
        yield found


@contextmanager
def opening(folder):
    "A tunnel whose company does not answer: the call that opens it hears no signal."
    (folder/"ngrok.py").write_text("import time\ndef forward(*_, **__):\n    print('opening', flush=True)\n    time.sleep(600)\n")
    env = {"PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]), "NGROK_AUTHTOKEN": "none"}
    with serving(folder, "--ngrok", "--public", engine=None, env=env) as found:
        until(lambda: b"opening" in (found.folder/"out").read_bytes())
        yield found


STATES = {"loading": loading, "stuck": stuck, "silent at start": silent_at_start, "silent at work": silent_at_work,
          "stopped, loading": stopped_loading, "stopped, idle": stopped_idle, "stopped, at work": stopped_at_work,
          "head -1": head, "deaf": deaf,
          "no stdout": lambda folder: without(folder, 'exec "$@" >&-'),
          "no stderr": lambda folder: without(folder, 'exec "$@" 2>&-'),
          "nothing open": lambda folder: without(folder, 'exec "$@" <&- >&- 2>&-'), "besieged": besieged, "busy": busy,
          "opening a tunnel": opening}
ONCE = ("stopped, loading", "stopped, idle", "deaf", "no stdout", "no stderr",
    "nothing open", "busy")   # Ctrl-C is no other way there


def assert_ends(served, number):
    "The server ends in time with exit status 0, says no traceback and leaves no process."
    began = time.monotonic()
    status = until(lambda: None if served.process.poll() is None else [served.process.returncode], SOON,
                   f"{number.name}: still there after {SOON} s")
    took = time.monotonic() - began
    assert status == [0], f"{number.name}: exit status {status} after {took:.1f} s: {served.err[-500:]}"
    until(lambda: not [p for p in served.family() if p.status() != psutil.STATUS_ZOMBIE], 3,
        "processes were left behind")
    assert "Traceback" not in served.err and "Exception" not in served.err


def end_in(folder, name):
    "Two servers in the same state: one gets SIGTERM, the other Ctrl-C."
    numbers = (signal.SIGTERM, signal.SIGINT)[:1 if name in ONCE else 2]
    with ExitStack() as stack:
        folders = [folder/number.name for number in numbers]
        for own in folders: own.mkdir(parents=True)
        both = [stack.enter_context(STATES[name](own)) for own in folders]
        for found, number in zip(both, numbers): found.signal(number)
        for found, number in zip(both, numbers): assert_ends(found, number)


def ahead(request, test, work, at_once=3):
    "Begins the chosen cases of a test, some at once: {case: what will come of it}."
    chosen = [item for item in request.session.items if getattr(item, "originalname", "") == test]
    with ThreadPoolExecutor(at_once) as pool:
        yield {name: pool.submit(work, name) for name in [item.callspec.params["name"] for item in chosen]}


@pytest.fixture(scope="module")
def ends(request, tmp_path_factory):
    "What comes of each state."
    folder = tmp_path_factory.mktemp("ends")
    yield from ahead(request, "test_it_ends_in_every_state", lambda name: end_in(folder/name.replace(" ", "-"), name))


@pytest.mark.parametrize("name", STATES)
def test_it_ends_in_every_state(ends, name): ends[name].result()


@pytest.mark.parametrize("number", (signal.SIGTERM, signal.SIGINT), ids=lambda n: n.name)
def test_an_answer_in_flight_is_finished_first(tmp_path, number):
    "A request that takes a second, with slow readers attached."
    def slowly(body):
        time.sleep(1)
        return chat()
    with backend() as behind, serving(tmp_path, "--engine", "openai", "--model", behind.address) as found:
        behind.kind.says = staticmethod(slowly)
        with slow_readers(found.port, 10, LARGEST), connect(found.port, OTHER) as s:
            s.sendall(request("POST", "/name", MARKED))
            until(lambda: asker_of(behind))
            found.signal(number)
            behind.kind.says = staticmethod(lambda body: chat())
            s.settimeout(20)
            assert heard(s).status == 200
            assert_ends(found, number)


# workers that hang, models that are damaged, /check

def test_a_worker_stopped_at_work_is_given_up(tmp_path):
    "Its request is told so when the limit is over, another worker serves the others, and a new one takes its place."
    over = Event()
    with backend() as behind, serving(tmp_path, "--engine", "openai", "--model", behind.address, "--workers", 2,
                                      limit=3, wait="is_ready") as found:
        until(lambda: len(found.workers()) == 2)
        behind.kind.says = staticmethod(lambda body: over.wait(20) and chat())
        with connect(found.port, OTHER) as s:
            s.sendall(request("POST", "/name", MARKED))
            asker = until(lambda: asker_of(behind))
            victim = next(p for p in found.workers() if asker in [c.laddr for c in p.net_connections("tcp")])
            victim.suspend()
            behind.kind.says = staticmethod(lambda body: chat())
            over.set()
            assert post(found.port, "/name", BIRTH).status == 200
            assert heard(s).status == 503
        until(lambda: not victim.is_running() or victim.status() == psutil.STATUS_ZOMBIE, 15, "it was not given up")
        until(lambda: len(found.workers()) == 2 and found.is_ready(), 30, "nobody took its place")
        assert post(found.port, "/name", BIRTH).status == 200


DAMAGE = {"cut": lambda f: (f/"model.onnx").write_bytes((f/"model.onnx").read_bytes()[:9999]),
          "settings": lambda f: (f/"genai_config.json").write_bytes(b"\xff\xfe\0"),
          "gone": lambda f: shutil.rmtree(f), "empty": lambda f: [p.unlink() for p in f.iterdir()]}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_model_refuses_to_start(tmp_path, damage):
    model = shutil.copytree(SHIPPED, tmp_path/"model")
    damage(model)
    one_error(started("--port", 0, "--model", model, "--workers", 2))


def test_a_model_with_native_code_needs_trust(tmp_path):
    model = shutil.copytree(SHIPPED, tmp_path/"model")
    settings = json.loads((model/"genai_config.json").read_text())
    settings["model"]["decoder"].setdefault("session_options", {})["custom_ops_library"] = "evil.so"
    (model/"genai_config.json").write_text(json.dumps(settings))
    assert "--trust-model" in one_error(started("--port", 0, "--model", model))


def test_check_starts_nothing(tmp_path):
    "With a backend that is down: 200 times /check, and nobody asks it or starts a process."
    def down(body): return 500, b"down"
    with backend(down) as behind, serving(tmp_path, "--engine", "openai", "--model", behind.address,
        wait="is_up") as found:
        until(lambda: behind.kind.asked and found.workers())
        post(found.port, "/name", BIRTH)
        time.sleep(1)
        asked, before = len(behind.kind.asked), {p.pid: sum(p.cpu_times()[:2]) for p in found.workers()}
        for _ in range(200): assert get(found.port, "/check").json["isReady"] is False
        time.sleep(0.5)
        assert len(behind.kind.asked) == asked
        after = {p.pid: sum(p.cpu_times()[:2]) for p in found.workers()}
        assert set(after) == set(before) and sum(after.values()) - sum(before.values()) < 0.2


# 3. who may ask

EMPTY_KEY = {"SAJU_NAMING_SERVE_KEY": ""}
UNSAFE = {  # what it is → (environment, words)
    "key empty": (EMPTY_KEY, []), "key blank": ({"SAJU_NAMING_SERVE_KEY": "  "}, []),
    "key empty and public": (EMPTY_KEY, ["--public", "--host", "0.0.0.0"]),
    "file empty": ({}, ["--key-file", "EMPTY"]), "file blank": ({}, ["--key-file", "BLANK"]),
    "file gone": ({}, ["--key-file", "GONE"]), "file a folder": ({}, ["--key-file", "."]),
    "key in words": ({}, ["--api-key", "x"]), "key in words, empty": ({}, ["--api-key", ""]),
    "every address": ({}, ["--host", "0.0.0.0"]), "every IPv6 address": ({}, ["--host", "::"]),
    "0": ({}, ["--host", "0"]), "mapped": ({}, ["--host", "::ffff:0.0.0.0"]),
    "long": ({}, ["--host", "0:0:0:0:0:0:0:0"]),
    "this machine's name": ({}, ["--host", "HOSTNAME"]), "no host": ({}, ["--host", ""]),
    "blank host": ({}, ["--host", " "]),
    "host that is none": ({}, ["--host", "nowhere.invalid"]), "any proxy": ({}, ["--trusted-proxy", "everyone"]),
    "all proxies": ({}, ["--trusted-proxy", "0.0.0.0/0"]), "half an origin": ({}, ["--origins", "example.com"]),
    "no name": ({}, ["--allow-host", "*"]), "origin null": ({}, ["--origins", "null"]),
    "tunnel": ({}, ["--ngrok"]), "a page": ({}, ["--origins", "https://example.com/page"]),
    "any origin of a kind": ({}, ["--origins", "https://*"])}


def reachable():
    "The name of this machine where it leads to an address that others reach."
    with suppress(OSError):
        if not socket.gethostbyname(socket.gethostname()).startswith("127."): return socket.gethostname()
    return "0.0.0.0"


@pytest.fixture(scope="module")
def refusals(request, tmp_path_factory):
    "How each of them ended; some run at once."
    folder = tmp_path_factory.mktemp("keys")
    (folder/"EMPTY").write_text("")
    (folder/"BLANK").write_text(" \n\n")
    own = {name: str(folder/name) for name in ("EMPTY", "BLANK", "GONE")} | {"HOSTNAME": reachable()}

    def start(name):
        env, words = UNSAFE[name]
        return started("--port", 0, *[own.get(w, w) for w in words], env=env, engine=None)
    yield from ahead(request, "test_an_unsafe_start_is_an_error", start)


@pytest.mark.parametrize("name", UNSAFE)
def test_an_unsafe_start_is_an_error(refusals, name): one_error(refusals[name].result())


def test_public_says_what_it_means(tmp_path):
    with serving(tmp_path, "--public", "--host", "0.0.0.0", engine=None, wait="is_up") as found:
        until(lambda: re.search("열쇠|누구", found.out + found.err))
        assert get(found.port, "/check").status == 200


def test_ipv6(tmp_path):
    try: socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError: pytest.skip("no IPv6 here")
    with serving(tmp_path, "--host", "::1", engine=None, host="::1") as found:
        until(lambda: re.search(rf"//(\[::1\]|localhost):{found.port}\b", found.out))
        for host in (f"[::1]:{found.port}", "localhost"):
            assert raw(found.port, request("GET", "/check", host=host), host="::1").status == 200
        refused = raw(found.port, request("GET", "/check", host="[::1].evil.com"), host="::1")
        assert refused.status in (400, 421) and error_of(refused)


KEY = "correct-horse-battery"
SLOW = "5 per 4 second"


@pytest.fixture(scope="module")
def keyed(tmp_path_factory):
    "A server with a key from a file and a small limit."
    folder = tmp_path_factory.mktemp("keyed")
    (folder/"key").write_text(KEY + "\n")
    with serving(folder, "--key-file", folder/"key", engine=None, rate=SLOW) as found: yield found


WRONG = {"key": lambda port, n: get(port, "/surnames/김", "127.0.0.3", X_API_Key=f"wrong{n}"),
         "no key": lambda port, n: get(port, "/surnames/김", "127.0.0.4"),
         "JSON": lambda port, n: post(port, "/name", b"{"*n, "127.0.0.5", X_API_Key=KEY),
         "content type": lambda port, n: post(port, "/name", b"{}", "127.0.0.6", X_API_Key=KEY,
         Content_Type="text/plain"),
         "metrics": lambda port, n: get(port, "/metrics", "127.0.0.7", X_API_Key=f"wrong{n}"),
         "size": lambda port, n: post(port, "/name", b" "*20_000, "127.0.0.8", X_API_Key=KEY)}


def knock(port, name):
    "Six mistakes, then one more when Retry-After says: the replies."
    replies = [WRONG[name](port, n) for n in range(1, 7)]
    time.sleep(int(replies[5].headers.get("Retry-After", 0)))
    return [*replies, WRONG[name](port, 9)]


@pytest.fixture(scope="module")
def knocks(request, keyed):
    "What comes of each kind of mistake."
    test = "test_failures_count_and_retry_after_is_true"
    yield from ahead(request, test, lambda name: knock(keyed.port, name), len(WRONG))


@pytest.mark.skipif(sys.platform != "linux", reason="one address of loopback only")
@pytest.mark.parametrize("name", WRONG)
def test_failures_count_and_retry_after_is_true(knocks, name):
    *wrong, refused, again = knocks[name].result()
    assert all(reply.status in (400, 401, 404, 413, 415) for reply in wrong) and refused.status == 429
    for reply in (*wrong, refused): error_of(reply)
    assert 1 <= int(refused.headers["Retry-After"]) <= 4
    assert again.status == wrong[0].status, "the time to come back was too short"


def test_the_right_key(keyed):
    until(lambda: get(keyed.port, "/surnames/김", OTHER, X_API_Key=KEY).status == 200, 15)
    assert KEY not in keyed.out + keyed.err
    assert KEY not in " ".join(psutil.Process(keyed.process.pid).cmdline())
    for near in (KEY + " x", KEY[:-1], KEY.upper(), "é", f"Bearer {KEY}"):
        assert get(keyed.port, "/surnames/김", "127.0.0.9" if OTHER else None, X_API_Key=near).status in (401, 429)
    doubled = request("GET", "/surnames/김", X_API_Key="wrong").replace(b"\r\n\r\n",
        f"\r\nX-API-Key: {KEY}\r\n\r\n".encode())
    assert raw(keyed.port, doubled, source="127.0.0.10" if OTHER else None).status in (400, 401, 429)


PRIVATE = ("/metrics", "/docs", "/docs/", "/docs/swagger", "/docs/openapi.json", "/openapi.json",
    "/docs/swagger/js/swagger-ui-bundle.js")


@pytest.mark.parametrize("path", PRIVATE)
def test_docs_and_metrics_are_private_unless_asked(tmp_path_factory, keyed, path):
    source = f"127.0.2.{PRIVATE.index(path) + 1}" if OTHER else None
    refused = get(keyed.port, path, source)
    assert refused.status in (401, 404) and error_of(refused)
    if path in ("/metrics", "/openapi.json"): assert get(keyed.port, path, source, X_API_Key=KEY).status == 200


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    "A server as it is without any option, but three questions in twenty seconds."
    with serving(tmp_path_factory.mktemp("plain"), engine=None, rate="3 per 20 second") as found: yield found


def test_nothing_private_is_open_without_options(plain):
    for i, path in enumerate(PRIVATE):
        refused = get(plain.port, path, f"127.0.4.{i + 1}" if OTHER else None)
        assert refused.status in ((404,) if OTHER else (404, 429)) and error_of(refused), path


FORWARDED = ("X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Client-IP", "CF-Connecting-IP", "True-Client-IP")


@pytest.mark.skipif(sys.platform != "linux", reason="one address of loopback only")
@pytest.mark.parametrize("header", FORWARDED)
def test_nobody_is_believed_who_says_that_he_is_another(plain, header):
    source, form = f"127.0.3.{FORWARDED.index(header) + 1}", "for={}" if header == "Forwarded" else "{}"
    asked = [get(plain.port, "/surnames/김", source,
        **{header: form.format(f"203.0.113.{i}")}).status for i in range(4)]
    assert asked == [200, 200, 200, 429]


@pytest.fixture(scope="module")
def proxied(tmp_path_factory):
    "A server behind a proxy on 127.0.0.2, for which two names and some origins are open."
    words = ["--trusted-proxy", "127.0.0.2/32", "--allow-host", "my.example", "--origins", "https://my.example",
             "--origins", "https://*.example.com", "--docs", "--metrics"]
    with serving(tmp_path_factory.mktemp("proxied"), *words, engine=None, rate="3 per 30 second") as found: yield found


@pytest.mark.skipif(sys.platform != "linux", reason="one address of loopback only")
def test_a_trusted_proxy_is_believed(proxied):
    def asked(source, forwarded): return get(proxied.port, "/surnames/김", source, X_Forwarded_For=forwarded).status
    assert [asked("127.0.0.2", f"203.0.113.{i}") for i in range(5)] == [200]*5
    assert [asked("127.0.0.2", "203.0.113.99") for i in range(4)] == [200, 200, 200, 429]
    assert [asked("127.0.0.2", f"10.9.9.{i}, 203.0.113.98") for i in range(4)] == [200, 200, 200,
        429], "the client's own words"
    lines = b"\r\nX-Forwarded-For: %d.9.9.9\r\nX-Forwarded-For: 203.0.113.97\r\n\r\n"
    two = [request("GET", "/surnames/김").replace(b"\r\n\r\n", lines % i) for i in range(4)]
    assert [raw(proxied.port, sent, source="127.0.0.2").status for sent in two] == [200, 200, 200, 429], "in two lines"
    assert [asked("127.0.0.11", f"203.0.113.{i + 50}") for i in range(4)] == [200, 200, 200,
        429], "another one is no proxy"
    for odd in ("", ",,,", "x"*4000, "unknown", "203.0.113.77:99999", "[::1", "1"*300, "203.0.113.77\t"):
        assert asked("127.0.0.2", odd) in (200, 400, 429)


EVIL = ("evil.com", "127.0.0.1.evil.com", "localhost.evil.com", "evil-localhost", "evil.com:80", "localhost@evil.com",
        "localhost:80@evil.com", "evil.com#localhost", "evil.com/localhost", "evil.com?localhost", "[::1].evil.com",
        "0.0.0.0", "localhost evil.com", "evil.com, localhost", "2130706433", "xlocalhost", "sub.my.example",
        "my.example.evil.com", "")


@pytest.mark.parametrize("host", EVIL)
def test_another_host_is_refused(proxied, host):
    for path in ("/check", "/", "/surnames/김", "/nowhere", "/metrics"):
        refused = get(proxied.port, path, host=host, X_Forwarded_Host="localhost")
        assert refused.status in ((421,) if re.fullmatch(r"[a-z.-]+", host) else (400, 421)), path
        error_of(refused)


def test_no_host_and_two_hosts_are_refused(proxied):
    line = b"GET /check HTTP/1.1\r\n"
    for hosts in (b"", b"Host: localhost\r\nHost: evil.com\r\n", b"Host: evil.com\r\nHost: localhost\r\n",
        b"Host: localhost\r\nHost: localhost\r\n"):
        refused = raw(proxied.port, line + hosts + b"\r\n", 5)
        assert refused.status in (400, 421) and error_of(refused)
    assert raw(proxied.port, b"GET /check HTTP/1.0\r\n\r\n", 5).status in (400, 421)


def test_our_own_hosts(proxied):
    for host in ("localhost", "LOCALHOST", f"localhost:{proxied.port}", "127.0.0.1", f"127.0.0.1:{proxied.port}",
        "my.example", "my.example:443", "MY.example"):
        assert get(proxied.port, "/check", host=host).status == 200, host


OURS = ("https://my.example", "https://a.example.com", "https://5kletsgo.github.io", "http://localhost:5173",
    "http://127.0.0.1:8000")
THEIRS = ("https://evil.com", "null", "", "file://", "http://my.example", "https://my.example:8443",
    "https://my.example.evil.com", "https://myxexample", "https://xmy.example", "https://example.com",
    "https://.example.com",
          "http://a.example.com", "https://a.example.com:8443", "https://a.example.com.evil.com",
          "https://evilexample.com", "https://a.examplexcom", "https://evil.com/.example.com",
          "https://evil.com?.example.com", "https://evil.com#.example.com",
          "https://evil.com\\.example.com", "https://a.example.com evil", "https://u@a.example.com",
          "https://5kletsgo.github.io.evil.com", "https://5kletsgoxgithub.io", "http://localhost.evil.com",
          "http://localhost:80@evil.com", "http://localhost:x")


def test_origins(proxied):
    def admitted(origin): return get(proxied.port, "/check", Origin=origin).headers.get("Access-Control-Allow-Origin")
    assert [admitted(origin) for origin in OURS] == list(OURS)
    assert [origin for origin in THEIRS if admitted(origin)] == []


def test_a_star_does_not_admit_null(tmp_path):
    with serving(tmp_path, "--origins", "*", engine=None, wait="is_up") as found:
        assert get(found.port, "/check",
            Origin="https://anyone.example").headers.get("Access-Control-Allow-Origin") in ("*",
            "https://anyone.example")
        assert get(found.port, "/check", Origin="null").headers.get("Access-Control-Allow-Origin") is None


def test_docs_and_metrics_when_asked(proxied):
    assert [get(proxied.port, path).status for path in ("/metrics", "/openapi.json", "/docs/swagger")] == [200, 200,
        200]
