"Strangers who mean harm, on loopback only: connections that never read, drip or say nothing; a server to try them on."
import json, os, re, signal, socket, subprocess, sys, time, uuid
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedReader
from itertools import cycle
from pathlib import Path
from threading import Event, Thread
from urllib.parse import quote
from weakref import WeakKeyDictionary

import psutil

HERE = ("127.0.0.1",)
CROWDED = tuple(f"127.0.1.{i}" for i in range(1, 51)) if sys.platform == "linux" else HERE  # fifty clients
OTHER = "127.0.0.2" if sys.platform == "linux" else None                                    # an honest one


# one connection

def connect(port, source=None, host="127.0.0.1", window=None, wait=10):
    "A connection; `window` is a small receive buffer in bytes, so that what is not read waits at the server."
    found = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        found.settimeout(wait)
        if window: found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        if source: found.bind((source, 0))
        with suppress(BlockingIOError): found.connect((host, port))   # only where `wait` is 0
        return found
    except OSError:
        found.close()
        raise


def say(s, sent):
    "Sends what fits now; a connection that is over is no error."
    s.setblocking(False)
    with suppress(OSError): return s.send(sent)


def reset(s):
    "Ends a connection with RST instead of FIN."
    with suppress(OSError): s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    s.close()


@dataclass
class Reply:
    "An answer; status 0 when none came that is HTTP."
    status: int
    headers: object
    body: bytes

    @property
    def json(self): return json.loads(self.body)


class _Ear(BufferedReader):
    "What came on a connection; it stays open from one answer to the next."
    def makefile(self, *_): return self

    def close(self): pass


_EARS = WeakKeyDictionary()


def heard(s, method="GET"):
    "The next answer on a connection."
    reply = HTTPResponse(_EARS.setdefault(s, _Ear(socket.SocketIO(s, "r"))), method=method)
    try:
        reply.begin()
        return Reply(reply.status, reply.headers, reply.read())
    except (HTTPException, OSError) as e: return Reply(0, {}, repr(e).encode())


def raw(port, sent, seconds=10, **where):
    "The answer to bytes as they are."
    try: s = connect(port, **where)
    except OSError as e: return Reply(0, {}, repr(e).encode())
    with s:
        s.settimeout(seconds)
        with suppress(OSError): s.sendall(sent)
        return heard(s, "HEAD" if sent[:5] == b"HEAD " else "GET")


def request(method, path, body=None, host="localhost", **headers):
    "The bytes of a request; `X_API_Key=` is the header X-API-Key."
    data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    head = {"Host": host, "Connection": "close"}
    if body is not None: head |= {"Content-Type": "application/json", "Content-Length": len(data)}
    head |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{method} {quote(path, safe='/?=&%')} HTTP/1.1", *(f"{k}: {v}" for k, v in head.items() if v is not None)]
    return "\r\n".join([*lines, "", ""]).encode() + data


def get(port, path, source=None, seconds=10, **headers):
    "The answer to GET."
    return raw(port, request("GET", path, **headers), seconds, source=source)


def post(port, path, body, source=None, seconds=30, **headers):
    "The answer to POST."
    return raw(port, request("POST", path, body, **headers), seconds, source=source)


# many connections

@contextmanager
def _crowd(port, n, sources=HERE, window=None):
    "Connections from the given addresses in turn; those that the server turns away are no error."
    with ExitStack() as all_of_them:
        crowd = []
        for _, source in zip(range(n), cycle(sources)):
            with suppress(OSError): crowd.append(all_of_them.enter_context(connect(port, source, window=window,
                wait=0)))
        yield crowd


@contextmanager
def idle_connections(port, n, sources=HERE):
    "Connections that say nothing."
    with _crowd(port, n, sources) as crowd: yield crowd


@contextmanager
def _meanwhile(task, seconds):
    "Does something again and again in the background."
    over = Event()

    def work():
        while not over.wait(seconds): task()
    thread = Thread(target=work, daemon=True)
    thread.start()
    try: yield
    finally:
        over.set()
        thread.join()


@contextmanager
def slow_readers(port, n, path="/style.css", sources=HERE, times=4000):
    "Connections that ask for a file again and again and never read."
    with _crowd(port, n, sources, window=4096) as crowd:
        left = dict.fromkeys(crowd, f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()*times)

        def push():
            for s, data in left.items(): left[s] = data[data and say(s, data) or 0:]
        push()
        with _meanwhile(push, 0.05): yield crowd


@contextmanager
def _dripping(port, n, head, sources):
    "Connections that begin a request and send another byte every half second."
    with _crowd(port, n, sources) as crowd:
        def drip(sent=b"a"):
            for s in crowd: say(s, sent)
        drip(head)
        with _meanwhile(drip, 0.5): yield crowd


def dripping_headers(port, n, sources=HERE):
    "Connections whose header never ends."
    return _dripping(port, n, b"GET /check HTTP/1.1\r\nHost: localhost\r\nX-Drip: ", sources)


def dripping_bodies(port, n, sources=HERE):
    "Connections whose body never ends."
    head = b"POST /name HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n{"
    return _dripping(port, n, head, sources)


@contextmanager
def many_files(n):
    "Room for n open files in this process and those that it starts, where the system lets us."
    resource = None
    with suppress(ImportError): import resource
    if not resource: return (yield)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = before[1] if before[1] != resource.RLIM_INFINITY else max(n, before[0])
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(before[0], min(n, most)), before[1]))
    try: yield
    finally: resource.setrlimit(resource.RLIMIT_NOFILE, before)


# another server behind the server

class Backend(BaseHTTPRequestHandler):
    "An OpenAI-compatible server: `says(body)` makes (status, what it says) of a question, `asked` counts requests."
    says, asked, phrase = None, None, None

    def log_message(self, *_): pass

    def do_GET(self):
        self.asked.append(("GET", None, self.client_address))
        self._reply(200, {"data": [{"id": "one"}]})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append(("POST", body, self.client_address))
        self._reply(*self.says(body))

    def _reply(self, status, said):
        data = said if isinstance(said, bytes) else json.dumps(said).encode()
        with suppress(OSError):
            self.send_response(status, self.phrase)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)


def chat(text="모르겠습니다"):
    "A chat's answer; the default one is no name, so that the rule engine answers."
    return 200, {"choices": [{"message": {"content": text}}]}


@contextmanager
def backend(says=lambda body: chat()):
    "A running backend; its `kind` has `says` and `asked`, its `address` is for --model."
    kind = type("Own", (Backend,), {"says": staticmethod(says), "asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    server.daemon_threads = True
    Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    server.kind, server.address = kind, f"http://127.0.0.1:{server.server_port}/v1#one"
    try: yield server
    finally:
        server.shutdown()
        server.socket.close()


# a server to try it on

_CODE = """
import sys
import saju_naming.serve as room
{before}
changed, real = {changed}, room.serve
def serve(**asked): return real(**(asked | changed))
room.serve = serve
from saju_naming.cli import main
main(sys.argv[1:])
"""
MANY = "1000000 per minute"


def command(words, before="", **changed):
    "The command line of `saju-naming serve`; `changed` is what only Python may ask: engine=None, rate, limit."
    code = _CODE.format(changed=repr(changed), before=before)
    return [sys.executable, "-B", "-c", code, "serve", *map(str, words)]


def free_port(host="127.0.0.1"):
    "A port that is free now at every address of the kind."
    every, family = ("::", socket.AF_INET6) if ":" in host else ("", socket.AF_INET)
    with socket.create_server((every, 0), family=family) as s:
        return s.getsockname()[1]


def until(true, seconds=30, why="it never came"):
    "Waits for something to become true; gives it."
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, why
        time.sleep(0.05)
    return found


@dataclass
class Served:
    "A server as a process of its own, with what it wrote."
    process: subprocess.Popen
    port: int
    folder: Path
    token: str
    host: str = "127.0.0.1"

    def _text(self, name): return (self.folder/name).read_text(encoding="utf-8", errors="replace")

    @property
    def out(self): return self._text("out")

    @property
    def err(self): return self._text("err")

    def is_up(self): return raw(self.port, request("GET", "/check"), 2, host=self.host).status == 200

    def is_ready(self):
        found = raw(self.port, request("GET", "/check"), 2, host=self.host)
        return found.status == 200 and found.json["isReady"]

    def workers(self):
        "The processes that do jobs."
        with suppress(psutil.Error):
            found = psutil.Process(self.process.pid).children(recursive=True)
            return [p for p in found if "spawn_main" in " ".join(p.cmdline())]
        return []

    def family(self):
        "Every process that this server started, though its parent may be gone."
        return [p for p in psutil.process_iter() if p.pid != os.getpid() and _env(p).get("SAJU_ATTACK") == self.token]

    def holds(self, crowd):
        "How many of these connections the server has open."
        ours = {s.getsockname() for s in crowd if s.fileno() >= 0}
        return sum(tuple(c.raddr or ()) in ours for c in psutil.Process(self.process.pid).net_connections("tcp"))

    def signal(self, number):
        "SIGTERM to the server; SIGINT to all of its processes, as a terminal sends Ctrl-C."
        if number == signal.SIGINT: os.killpg(self.process.pid, number)
        else: self.process.send_signal(number)


def _env(process):
    with suppress(psutil.Error, OSError): return process.environ()
    return {}


@contextmanager
def serving(folder, *words, shell=None, wait="is_ready", port=None, env=(), host="127.0.0.1", **changed):
    "A running `saju-naming serve`; `shell` is what `sh` does with the command, such as 'exec \"$@\" >&-'."
    token, port = uuid.uuid4().hex, port or free_port(host)
    folder = Path(folder)/token
    folder.mkdir(parents=True)
    line = command(["--port", port, "--workers", 1, *words], **({"rate": MANY} | changed))
    if shell: line = ["sh", "-c", shell, "sh", *line]
    variables = {k: v for k, v in os.environ.items() if k != "SAJU_NAMING_SERVE_KEY"}
    variables |= {"PYTHONIOENCODING": "utf-8", "SAJU_ATTACK": token, **dict(env)}
    with open(folder/"out", "wb") as out, open(folder/"err", "wb") as err:
        process = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=variables,
                                   start_new_session=True)
    served = Served(process, port, folder, token, host)
    try:
        if wait: until(lambda: getattr(served, wait)() or process.poll() is not None, why="the server never came up")
        assert process.poll() is None, served.err
        yield served
    finally:
        for p in served.family():
            with suppress(psutil.Error): p.kill()
        process.wait()


def started(*words, seconds=30, env=(), **changed):
    "(exit status, stdout, stderr) of a `serve` that should refuse to start; status None when it was still running."
    variables = {k: v for k, v in os.environ.items() if k != "SAJU_NAMING_SERVE_KEY"}
    variables |= {"PYTHONIOENCODING": "utf-8", **dict(env)}
    process = subprocess.Popen(command(["--workers", 1, *words], **changed), stdin=subprocess.DEVNULL, encoding="utf-8",
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=variables, start_new_session=True)
    try: said = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return (None, *process.communicate())
    return (process.returncode, *said)


def one_error(found):
    "Asserts that a command ended with one Korean sentence and wrote nothing else."
    status, out, err = found
    assert status == 2, f"exit status {status}: {out} {err}"
    assert out == "" and re.fullmatch(r"오류: [^\n]*[가-힣][^\n]*\n", err), f"{out!r} {err!r}"
    return err
