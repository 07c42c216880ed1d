"The HTTP server under the application, as strangers meet it: on loopback, with short deadlines."
import json, logging, os, re, socket, subprocess, sys, textwrap, time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from importlib import import_module
from threading import Event, Thread
from urllib.parse import quote

import pytest
from flask import Flask, request, send_file
from saju_naming.errors import InputError
from saju_naming.front import Front, Limits, listen, url_of

LONG = 3600                            # a deadline that no test waits for
QUICK = dict(request=0.4, idle=0.4, reply=0.4, stall=0.4, rate=1e12, leave=0.2)
SLOW = dict.fromkeys(("request", "idle", "reply", "stall", "leave"), LONG)
BIG = 2**22
CHECK = b"GET /check HTTP/1.1\r\nHost: x\r\n\r\n"
SECRET = "비밀김서연"
resource = None if os.name == "nt" else import_module("resource")


@pytest.fixture(autouse=True, scope="module")
def files():
    "Both ends of hundreds of connections are in this process: how many files it may open, 0 where nobody says."
    if not resource:
        yield 0
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = max(soft, min(hard, 4096)) if hard != resource.RLIM_INFINITY else 4096
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    yield most
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class App:
    "A small application whose answers wait for a gate, and the server in front of it."
    def __init__(self, folder):
        self.gate, self.begun, self.asked = Event(), Event(), []
        self.flask = flask = Flask("front")
        file = folder/"big.bin"
        file.write_bytes(b"x"*BIG)
        flask.get("/check")(self.check)
        flask.get("/file", endpoint="file")(lambda: send_file(file))
        flask.get("/big", endpoint="big")(lambda: b"x"*BIG)
        flask.get("/gate")(self.wait)
        flask.get("/pour", endpoint="pour")(lambda: (self.pour(), {"Content-Length": "8"}))
        flask.post("/size")(self.size)

    def check(self): return {"isReady": True}

    def size(self): return {"size": len(request.get_data())}

    def wait(self):
        self.begun.set()
        assert self.gate.wait(30)
        return {"open": True}

    def pour(self):
        for _ in range(8):
            time.sleep(0.15)
            yield b"a"

    def __call__(self, environ, start_response):
        path = environ["PATH_INFO"]
        self.asked.append(path)
        if path.startswith("/raise"): raise KeyError(SECRET)
        if path.startswith("/system"): raise ConnectionRefusedError(SECRET)
        if path.startswith("/exit"): raise SystemExit(SECRET)
        return self.flask(environ, start_response)


def refusal(status): return [("Content-Type", "application/json"), ("X-Ours", "1")], json.dumps({"error": status}).encode()


@pytest.fixture
def app(tmp_path):
    app = App(tmp_path)
    yield app
    app.gate.set()


@contextmanager
def opened(app, threads=4, host="127.0.0.1", refusal=refusal, uncapped=(), **limits):
    front = Front(app, listen(host, 0), threads, refusal, uncapped=uncapped, limits=Limits(**(SLOW | limits)))
    try: yield front
    finally: front.stop(0)


def knock(front, sent=b"", timeout=20, **options):
    client = socket.create_connection(("127.0.0.1", front.port), timeout=timeout, **options)
    client.sendall(sent)
    return client


def hear(client):
    "All until the server closes."
    return b"".join(iter(lambda: client.recv(2**16), b""))


def gone(client):
    "Waits until the server has ended a connection."
    try: hear(client)
    except ConnectionError: pass
    return True


def reply(client):
    "The status of one reply of this client, all of it read."
    heard = b""
    while b"\r\n\r\n" not in heard: heard += client.recv(1) or b"HTTP/1.1 0  \r\n\r\n"
    left = int((re.findall(rb"Content-Length: (\d+)", heard) or [0])[0])
    while left: left -= len(client.recv(left))
    return int(heard[9:12])


def ask(front, path="/check", **options):
    "The status of one reply, of a connection of its own. It never waits long."
    with knock(front, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode(), timeout=5, **options) as client:
        return int(hear(client)[9:12] or 0)


def until(true, seconds=20):
    end = time.monotonic()+seconds
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


def channels(front): return list(front._server.active_channels.values())


def drip(client, byte=b"a"):
    "Sends a byte at a time until the server has had enough."
    client.settimeout(0.05)
    end = time.monotonic()+20
    while time.monotonic() < end:
        try:
            client.sendall(byte)
            if not client.recv(2**16): return True
        except TimeoutError: pass
        except ConnectionError: return True
    return False


# --- those who read slowly ---

@pytest.mark.parametrize("path", ["/file", "/big"])
def test_readers_who_do_not_read_hold_nobody_up(app, path):
    "More of them than threads, each asking again and again; memory: one request and one read of 8 KB."
    with opened(app, **QUICK | dict(stall=1.5, reply=1.5)) as front, ExitStack() as stack:
        wanted = f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()*100
        for _ in range(30): stack.enter_context(knock(front, wanted))
        until(lambda: app.asked.count(path) >= 30)
        assert [ask(front) for _ in range(5)] == [200]*5
        assert app.asked.count(path) == 30  # one reply in flight each
        for channel in channels(front): assert len(channel.requests) <= 1 and len(channel.rest) <= 8192
        until(lambda: not channels(front))
        assert app.asked.count(path) == 30


def test_no_thread_waits_for_a_reader(app):
    "One thread, and a reply larger than what the kernel takes."
    with opened(app, threads=1) as front, knock(front, b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n"*9) as reader:
        until(lambda: "/big" in app.asked)
        time.sleep(0.5)  # for those that would be asked next
        assert ask(front) == 200
        assert len(reader.recv(BIG)) > 0 and app.asked == ["/big", "/check"]


def test_a_reader_who_catches_up_gets_everything_in_order(app):
    wanted = b"GET /file HTTP/1.1\r\nHost: x\r\n\r\n"*2 + CHECK + b"GET /big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with opened(app) as front, knock(front, wanted) as reader:
        until(lambda: "/file" in app.asked)
        assert len(re.findall(rb"HTTP/1.1 200", got := hear(reader))) == 4
        assert app.asked == ["/file", "/file", "/check", "/big"] and got.count(b"x"*BIG) == 3


def test_a_reader_below_the_rate_is_let_go_though_it_takes_some(app):
    with opened(app, reply=0.5, rate=BIG*4) as front, knock(front, b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n") as reader:
        took, end = 0, time.monotonic()+20
        try:
            while got := reader.recv(4096):
                took += len(got)
                time.sleep(0.01)
                assert time.monotonic() < end
        except ConnectionError: pass
        assert took < BIG


def test_a_slow_application_is_not_the_readers_fault(app):
    with opened(app, **QUICK) as front, knock(front, b"GET /pour HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") as client:
        assert hear(client).endswith(b"a"*8)


def test_a_reply_without_an_end_is_let_go(app):
    "An application that pours faster than its reader reads: neither memory nor a thread."
    def endless(environ, start_response):
        start_response("200 OK", [])
        while True: yield b"x"*2**16
    with opened(endless, threads=1, behind=2**20) as front, knock(front, CHECK) as reader:
        assert gone(reader)
        with knock(front, CHECK) as other: assert other.recv(1) == b"H"


# --- those who send slowly, or nothing ---

DRIPS = [
    (b"GET /check HTTP/1.1\r\nX-A: ", b"a"), (b"", b"G"), (b"", b"\r\n"), (b"", b"\r\n\r\n"), (CHECK, b"\r\n\r\n"),
    (b"POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n", b"a"),
    (b"POST /size HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
    (b"POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\nExpect: 100-continue\r\n\r\n", b"a")]


def test_a_request_has_a_deadline_however_it_drips(app):
    with opened(app, request=0.5) as front, ExitStack() as stack:
        dripping = {stack.enter_context(knock(front, first)): more for first, more in DRIPS}
        with ThreadPoolExecutor(len(DRIPS)) as pool: assert list(pool.map(drip, dripping, dripping.values())) == [True]*len(DRIPS)


def test_half_a_request_is_told_408(app):
    with opened(app, request=0.3, leave=0.2) as front, knock(front, b"GET /check HTTP/1.1\r\n") as client:
        told = hear(client)
        assert told.startswith(b"HTTP/1.1 408 ") and told.endswith(b'{"error": 408}')


def test_who_says_nothing_is_let_go(app):
    with opened(app, request=0.3, idle=0.3, leave=0.2) as front, ExitStack() as stack:
        silent = {stack.enter_context(knock(front, first)): first.count(b"GET") for first in (b"", CHECK, CHECK*3, b"\r\n")}
        assert [hear(client).count(b"HTTP/1.1 200") for client in silent] == list(silent.values())


def test_a_connection_that_works_outlives_every_deadline(app):
    with opened(app, **QUICK) as front, knock(front, b"GET /gate HTTP/1.1\r\nHost: x\r\n\r\n") as client:
        time.sleep(1)
        app.gate.set()
        assert reply(client) == 200
        for _ in range(3):  # and each request has its own clock
            time.sleep(0.25)
            client.sendall(CHECK)
            assert reply(client) == 200


def test_the_clock_does_not_follow_the_wall(app, monkeypatch):
    with opened(app) as front, knock(front, CHECK) as client:
        assert reply(client) == 200
        monkeypatch.setattr(time, "time", lambda: 4e9)
        time.sleep(0.5)
        client.sendall(CHECK)
        assert reply(client) == 200


def test_urgent_data_does_not_keep_the_loop_busy(app):
    with opened(app) as front, knock(front) as client:
        client.send(b"!", socket.MSG_OOB)
        assert gone(client)


# --- places ---

def test_the_oldest_of_a_client_makes_way(app):
    with opened(app, client=4) as front, ExitStack() as stack:
        idle = [stack.enter_context(knock(front, b"G")) for _ in range(4)]
        until(lambda: len(channels(front)) == 4)
        assert [ask(front) for _ in range(3)] == [200]*3
        assert gone(idle[0])
        idle[3].sendall(CHECK[1:])
        assert idle[3].recv(99).startswith(b"HTTP/1.1 200")


def test_who_is_at_work_is_never_sent_away(app):
    "Also not who has the next request on its way, nor while the application takes its time."
    with opened(app, client=3, threads=5) as front, ExitStack() as stack:
        wanted = b"GET /gate HTTP/1.1\r\nHost: x\r\n\r\nGET /gate HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        busy = [stack.enter_context(knock(front, wanted)) for _ in range(3)]
        until(lambda: app.asked.count("/gate") == 3)
        time.sleep(0.6)
        with knock(front, CHECK) as late: told = hear(late)
        assert told.startswith(b"HTTP/1.1 503 ") and told.endswith(b'{"error": 503}') and b"X-Ours: 1" in told
        app.gate.set()
        assert [re.findall(rb"HTTP/1.1 (\d+)", hear(client)) for client in busy] == [[b"200", b"200"]]*3
        assert ask(front) == 200


def test_stuck_readers_make_way_before_anyone_is_refused(app):
    with opened(app, client=5) as front, ExitStack() as stack:
        for _ in range(5): stack.enter_context(knock(front, b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n"))
        until(lambda: app.asked.count("/big") == 5)
        until(lambda: ask(front) == 200)


@pytest.mark.parametrize("uncapped", [["127.0.0.0/8"], lambda address: address == "127.0.0.1"])
def test_trusted_proxies_have_no_cap(app, uncapped):
    with opened(app, client=2, uncapped=uncapped) as front, ExitStack() as stack:
        many = [stack.enter_context(knock(front)) for _ in range(9)]
        until(lambda: len(channels(front)) == 9)
        for client in many:
            client.sendall(CHECK)
            assert reply(client) == 200


@pytest.mark.skipif(sys.platform != "linux", reason="only there is all of 127.0.0.0/8 this machine's")
def test_the_client_with_the_most_connections_makes_way(app):
    with opened(app, total=6) as front, ExitStack() as stack:
        one = stack.enter_context(knock(front, source_address=("127.0.0.3", 0)))
        until(lambda: len(channels(front)) == 1)
        many = [stack.enter_context(knock(front, source_address=("127.0.0.2", 0))) for _ in range(5)]
        until(lambda: len(channels(front)) == 6)
        others = [stack.enter_context(knock(front, CHECK)) for _ in range(3)]
        assert all(reply(client) == 200 for client in others)
        assert all(gone(client) for client in many[:3])
        one.sendall(CHECK)
        assert reply(one) == 200


def test_hundreds_of_idle_ones_of_this_address(app, files):
    "More than the total: a new connection, of this address too, is served all the while."
    if files < 2048: pytest.skip("this system lets a process open few files")
    with opened(app, client=256, total=300) as front, ExitStack() as stack:
        for i in range(600):
            stack.enter_context(knock(front, (b"", b"GET / HTTP/1.1\r\nX: ", b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n")[i % 3]))
            if i % 40 == 0: assert ask(front) == 200
        assert ask(front) == 200


@pytest.mark.skipif(not resource, reason="this system has no limit of files")
def test_where_the_system_gives_no_more_files():
    "The server's own process may open few files; the one that waits longest makes way."
    code = """
        import resource, sys, time
        from saju_naming.front import Front, Limits, listen
        def app(environ, start_response):
            start_response("200 OK", [("Content-Length", "2")])
            return [b"{}"]
        listening = listen("127.0.0.1", 0)
        resource.setrlimit(resource.RLIMIT_NOFILE, (40, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        front = Front(app, listening, 2, lambda status: ([], b""), limits=Limits(total=1000))
        print(front.port, flush=True)
        sys.stdin.read()
        front.stop(1)
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process, ExitStack() as stack:
        class There: port = int(process.stdout.readline())
        for _ in range(60): stack.enter_context(knock(There))
        assert [ask(There) for _ in range(3)] == [200]*3
        process.stdin.close()
        assert process.wait(20) == 0


def test_descriptors_past_1024(app, files):
    if files < 2048: pytest.skip("this system lets a process open few files")
    opened_before = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    try:
        with opened(app) as front: assert ask(front) == 200
    finally:
        for file in opened_before: os.close(file)


# --- what HTTP asks for ---

WRONGS = {
    b"nonsense\r\n\r\n": 400, b"GET / HTTP/1.1\nHost: x\r\n\r\n": 400, b"get / HTTP/1.1\r\n\r\n": 400, b"GET / HTTP/1.1\r\nno colon\r\n\r\n": 400,
    b"GET a://" + b"1"*16000 + b" x\r\nHost: x\r\n\r\n": 400, b"GET / HTTP/1.1\r\nX:" + b" "*16000 + b"\0\r\n\r\n": 400, b"GET /a\tb HTTP/1.1\r\nHost: x\r\n\r\n": 400,  # waitress alone: a minute
    b"GET / HTTP/1.1\r\nX:" + b" "*65 + b"a\r\n\r\n": 400, b"GET / HTTP/1.1\r\nX: a\r\n folded\r\n\r\n": 400, b"\r\n"*8: 400, b"GET / HTTP/1.1\r\n" + b"a:\r\n"*200 + b"\r\n": 431,
    b"GET / HTTP/1.1\r\n folded: first\r\n\r\n": 400, b"GET http://[::1 HTTP/1.1\r\nHost: x\r\n\r\n": 400, b"GET //[ HTTP/1.1 more\r\n\r\n": 400,
    b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n": 400, b"POST / HTTP/1.1\r\nContent-Length: 1, 1\r\n\r\n": 400, b"POST / HTTP/1.1\r\nContent-Length: 1_0\r\n\r\n": 400,
    b"POST / HTTP/1.1\r\nContent-Length: " + b"9"*5000 + b"\r\n\r\n": 400,
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n": 400, b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n": 400,
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1"*2000: 400, b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: " + b"a"*2000: 400,
    b"POST / HTTP/1.1\r\nContent-Length: 70000\r\n\r\n": 413, b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n11170\r\n" + b"a"*70000: 413,
    b"POST / HTTP/1.1\r\nContent-Length: 70000\r\nExpect: 100-continue\r\n\r\n": 413,
    b"GET /" + b"a"*17000 + b" HTTP/1.1\r\n\r\n": 431, b"GET / HTTP/1.1\r\nX: " + b"a"*17000: 431,
    b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n": 501, b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n\r\n": 501}


@pytest.mark.parametrize("wrong", WRONGS, ids=lambda wrong: repr(wrong[:60]))
def test_errors_of_the_server_are_ours(app, wrong):
    with opened(app, leave=0.2) as front, knock(front, wrong) as client: told = hear(client)
    head, _, body = told.partition(b"\r\n\r\n")
    assert int(head[9:12]) == json.loads(body)["error"] == WRONGS[wrong] and told.count(b"HTTP/1.") == 1
    assert b"\r\nX-Ours: 1" in head and not re.search(rb"(?i)\r\nserver:|waitress", told) and not app.asked


def test_broken_applications_are_ours_too(app):
    with opened(app) as front:
        for path in ("/raise", "/system"):
            with knock(front, f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()) as client: assert hear(client).endswith(b'\r\n\r\n{"error": 500}')
        with knock(front, b"HEAD /raise HTTP/1.1\r\nHost: x\r\n\r\n") as client: assert re.fullmatch(rb"(?s)HTTP/1.1 500 .*Content-Length: 14\r\n.*\r\n\r\n", hear(client))
        with knock(front, b"GET /exit HTTP/1.1\r\nHost: x\r\n\r\n") as client: assert gone(client)
        assert ask(front) == 200


def test_a_refusal_that_breaks(app):
    def broken(status): raise KeyError(SECRET)
    with opened(app, refusal=broken) as front, knock(front, b"nonsense\r\n\r\n") as client:
        assert hear(client).startswith(b"HTTP/1.0 400 Bad Request\r\n")


def test_who_sends_too_much_reads_why(app):
    "Closing over unread bytes would reset the connection before the client has read the reply."
    with opened(app) as front:
        for size in (70_000, 2**22):
            with knock(front, b"POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size) as client:
                client.sendall(b"a"*size)
                client.shutdown(socket.SHUT_WR)
                assert hear(client).startswith(b"HTTP/1.1 413 ")


def test_the_ways_of_http(app):
    with opened(app) as front:
        client = HTTPConnection("127.0.0.1", front.port, timeout=20)
        for method, path, body, size in (("GET", "/check", None, 16), ("HEAD", "/file", None, 0), ("GET", "/file", None, BIG), ("POST", "/size", b"a"*65536, 14),
                                         ("POST", "/size", iter([b"a", b"bc"]), 10), ("GET", "/check", None, 16)):
            client.request(method, path, body)  # on one connection; an iterator is sent in chunks
            reply = client.getresponse()
            assert (reply.status, len(reply.read().strip())) == (200, size) and reply.getheader("Server") is None
        client.close()


@pytest.mark.skipif(sys.platform != "linux", reason="127.0.0.2 is an address of this machine only there")
def test_a_crowd_that_waits_for_a_thread_makes_way(app):
    "Every place is one client's, and no request of it is answered: one that no thread has begun with goes."
    with opened(app, threads=1, total=8) as front, ExitStack() as stack:
        for _ in range(8): stack.enter_context(knock(front, b"GET /gate HTTP/1.1\r\nHost: x\r\n\r\n"))
        until(lambda: app.begun.is_set() and len(front._server.pool.queue) == 7)
        with knock(front, CHECK) as one_more: assert hear(one_more).startswith(b"HTTP/1.1 503 ")
        other = stack.enter_context(knock(front, CHECK, source_address=("127.0.0.2", 0)))
        until(lambda: list(front._server.pool.queue.lines) == ["127.0.0.1", "127.0.0.2"])
        app.gate.set()
        assert other.recv(2**16).startswith(b"HTTP/1.1 200 ")


@pytest.mark.skipif(sys.platform != "linux", reason="127.0.0.2 is an address of this machine only there")
def test_each_client_has_its_turn(app):
    "Thirty connections of one client wait for the only thread; another client's comes after one of them."
    with opened(app, threads=1) as front, ExitStack() as stack:
        for _ in range(30): stack.enter_context(knock(front, b"GET /gate HTTP/1.1\r\nHost: x\r\n\r\n"))
        app.begun.wait(20)
        until(lambda: len(front._server.pool.queue) == 29)
        other = stack.enter_context(knock(front, CHECK, source_address=("127.0.0.2", 0)))
        until(lambda: len(front._server.pool.queue) == 30)
        app.gate.set()
        assert other.recv(2**16).startswith(b"HTTP/1.1 200 ") and app.asked.index("/check") == 2


@pytest.mark.parametrize("head", [b"GET /check HTTP/1.0\r\n\r\n", b"GET /check\r\n\r\n", b"GET /check HTTP/1.1\r\nConnection: close\r\n\r\n"])
def test_a_connection_for_one_reply(app, head):
    with opened(app) as front, knock(front, head + CHECK) as client: assert hear(client).count(b"HTTP/1.") == 1


def test_http_1_0_stays_when_asked(app):
    with opened(app) as front, knock(front, b"GET /check HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"*2) as client:
        client.shutdown(socket.SHUT_WR)
        assert hear(client).count(b"HTTP/1.0 200") == 2


def test_who_asks_whether_to_continue(app):
    head = b"POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
    with opened(app) as front, knock(front, CHECK + head) as client:
        heard = b""
        while not heard.endswith(b"100 Continue\r\n\r\n"): heard += client.recv(999)
        client.sendall(b"abc" + b"POST /size HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n")
        assert re.fullmatch(rb'(?s)HTTP/1.1 200 .*\{"size":3\}\s*HTTP/1.1 200 .*\{"size":0\}\s*', hear(client))


def test_no_request_is_smuggled(app):
    smuggled = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
    for head in (b"Content-Length: 0\r\nTransfer-Encoding: chunked\x85", b"Transfer-Encoding: xchunked", b"Content-Length: 0\r\nContent-Length: 35", b"Content-Length : 35", b"Content-Length: +35",
                 b"Content-Length: 35\r\nTransfer-Encoding: chunked\r\n\r\n0"):
        for version in (b"1.1", b"1.0\r\nConnection: keep-alive"):
            with opened(app, leave=0.2, idle=0.2) as front, knock(front, b"POST /size HTTP/" + version + b"\r\nHost: x\r\n" + head + b"\r\n\r\n" + smuggled) as client:
                assert hear(client)[9:12] in (b"400", b"501")
    assert not app.asked


# --- what is written down ---

def test_nothing_of_a_client_is_logged(app, caplog, capfd):
    word = quote(SECRET).encode()
    sent = [b"GET /raise/%s HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /system/%s HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /exit/%s HTTP/1.1\r\nHost: x\r\n\r\n", b"%s / HTTP/1.1\r\n\r\n",
            b"GET http://[%s HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\n%s\r\n\r\n", b"GET / HTTP/1.1\r\nX: %s\n\r\n\r\n", b"GET /%s", b"\0%s\r\n\r\n"]
    sent += [form.replace(b"%s", SECRET.encode()) for form in sent]
    with caplog.at_level(logging.DEBUG), opened(app, threads=1, refusal=lambda status: 1/0 if status == 500 else refusal(status), request=0.3, idle=0.3, leave=0.1) as front:
        for form in sent:
            with knock(front, form.replace(b"%s", word)) as client: gone(client)
        with knock(front, b"GET /big?%s HTTP/1.1\r\nHost: x\r\n\r\n".replace(b"%s", word)*50): pass  # and goes away
        with knock(front, b"GET /gate?%s HTTP/1.1\r\nHost: x\r\n\r\n".replace(b"%s", word)) as client:
            assert app.begun.wait(20)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        app.gate.set()
        until(lambda: not channels(front))
    said = caplog.text + "".join(capfd.readouterr())
    assert re.search(r"KeyError test_front\.py:\d+", said) and "ERROR    saju_naming.front:" in said and "ConnectionRefusedError test_front.py:" in said and "ZeroDivisionError test_front.py:" in said
    for form in (SECRET, quote(SECRET), SECRET.encode().decode("latin-1"), repr(SECRET.encode())[2:-1], "127.0.0.1", str(front.port), "/raise", "/big", "Traceback"): assert form not in said
    assert not [r for r in caplog.records if r.name.startswith("waitress")]


# --- the end ---

def test_stopping_lets_those_inside_finish(app):
    with opened(app, threads=2) as front, ExitStack() as stack:
        inside = [stack.enter_context(knock(front, b"GET /gate HTTP/1.1\r\nHost: x\r\n\r\n")) for _ in range(4)]  # two of them in the line
        half, idle = stack.enter_context(knock(front, b"GET /check HT")), stack.enter_context(knock(front))
        until(lambda: app.asked.count("/gate") == 2 and sum(bool(c.requests) for c in channels(front)) == 4)
        ending = Thread(target=front.stop, args=(20,))
        ending.start()
        assert hear(half).startswith(b"HTTP/1.1 503 ") and hear(idle) == b""
        with pytest.raises(OSError): socket.create_connection(("127.0.0.1", front.port), timeout=5)
        assert ending.is_alive()
        app.gate.set()
        for client in inside:
            assert re.fullmatch(rb'(?s)HTTP/1.1 200 .*Connection: close.*\{"open":true\}\s*', hear(client))
        ending.join(20)
        assert not ending.is_alive() and not front._loop.thread.is_alive()


def test_stopping_waits_for_the_whole_reply(app):
    with opened(app) as front, knock(front, b"GET /file HTTP/1.1\r\nHost: x\r\n\r\n") as client:
        until(lambda: "/file" in app.asked)
        ending = Thread(target=front.stop, args=(20,))
        ending.start()
        time.sleep(0.5)
        assert hear(client).endswith(b"x"*BIG)
        ending.join(20)


def test_who_asks_on_while_the_server_stops_is_told(app):
    "The header of the reply before was on its way when the end came, so this client may well ask again."
    with opened(app) as front, knock(front, b"GET /file HTTP/1.1\r\nHost: x\r\n\r\n"*2) as client:
        until(lambda: "/file" in app.asked)
        ending = Thread(target=front.stop, args=(20,))
        ending.start()
        until(lambda: front._server.stopping)
        assert re.findall(rb"HTTP/1.1 (\d+)", hear(client)) == [b"200", b"503"] and app.asked == ["/file"]
        ending.join(20)


@pytest.mark.parametrize("sent", [b"GET /gate HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n"*9, b"GET /pour HTTP/1.1\r\nHost: x\r\n\r\n"*9])
def test_stopping_has_an_end(app, sent):
    "An application that hangs, a reader that does not read, one that comes again and again."
    with opened(app) as front, knock(front, sent) as client:
        until(lambda: app.asked)
        front.stop(0.5)
        assert not front._loop.thread.is_alive() and gone(client)
        app.gate.set()
        listen("127.0.0.1", front.port).close()


def test_stopping_twice_and_with_drips(app):
    with opened(app) as front, knock(front, b"GET / HTTP/1.1\r\nX: ") as client:
        dripping = Thread(target=drip, args=(client,))
        dripping.start()
        endings = [Thread(target=front.stop, args=(30,)) for _ in range(3)]
        for ending in endings: ending.start()
        for ending in endings: ending.join(10)
        assert not any(ending.is_alive() for ending in endings)
        front.stop(30)
        dripping.join(20)


def test_who_has_knocked_before_the_end_is_answered(app):
    with opened(app, threads=1) as front, ExitStack() as stack:
        stack.enter_context(knock(front, b"GET /gate HTTP/1.1\r\nHost: x\r\n\r\n"))
        assert app.begun.wait(20)
        clients = [stack.enter_context(knock(front, CHECK)) for _ in range(20)]
        Thread(target=front.stop, args=(20,)).start()
        until(lambda: front._server.stopping)
        app.gate.set()
        assert all(hear(client).startswith(b"HTTP/1.1 200") for client in clients)


# --- the socket ---

def test_addresses(app):
    with opened(app, host="localhost") as front: assert ask(front) == 200
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"포트.port. {port}: "): listen("127.0.0.1", port)
        with pytest.raises(InputError, match="포트"): listen("localhost", port)
    with listen("127.0.0.1", port) as again: assert url_of(again) == f"http://127.0.0.1:{port}"
    with listen("0.0.0.0", 0) as every: assert url_of(every).startswith("http://127.0.0.1:")


@pytest.mark.parametrize("host", ["", " ", None, 7, "0", "127.1", "2130706433", "*", "no.such.name.invalid", "a b", "a\0b", "가"*70, "203.0.113.9", "http://127.0.0.1", "127.0.0.1:80"])
def test_hosts_that_are_none(host):
    with pytest.raises(InputError) as e: listen(host, 0)
    assert e.value.field == "host"


@pytest.mark.parametrize("port", [-1, 65536, 2**70, "80", "", None, 1.0, True])
def test_ports_that_are_none(port):
    with pytest.raises(InputError) as e: listen("127.0.0.1", port)
    assert e.value.field == "port"


@pytest.fixture
def ipv6():
    try: socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError: pytest.skip("this machine has no IPv6")


@pytest.mark.parametrize("host", ["::1", "[::1]", "::"])
def test_ipv6(app, ipv6, host):
    told = []
    def telling(environ, start_response):
        told.append(environ["REMOTE_ADDR"])
        return app(environ, start_response)
    with opened(telling, host=host) as front:
        assert re.fullmatch(r"http://\[::1\]:\d+", url_of(front._server.socket))
        for address in ("::1", "127.0.0.1")[:2 if host == "::" and socket.has_dualstack_ipv6() else 1]:
            client = HTTPConnection(address, front.port, timeout=20)
            client.request("GET", "/check")
            assert client.getresponse().status == 200
            client.close()
    assert told == ["::1", "127.0.0.1"][:len(told)] and told
