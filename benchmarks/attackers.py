"A copy of what tests/attackers.py has, until that is here."
import socket, sys
from contextlib import ExitStack, contextmanager, suppress
from itertools import cycle
from threading import Event, Thread

HERE = ("127.0.0.1",)
CROWDED = tuple(f"127.0.1.{i}" for i in range(1, 51)) if sys.platform == "linux" else HERE  # fifty clients
OTHER = "127.0.0.2" if sys.platform == "linux" else None                                    # an honest one


def connect(port, source=None, host="127.0.0.1", window=None):
    "A connection; `window` is a small receive buffer in bytes, so that what is not read waits at the server."
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    found.settimeout(10)
    if window: found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    if source: found.bind((source, 0))
    try: found.connect((host, port))
    except OSError:
        found.close()
        raise
    return found


def say(s, sent):
    "Sends what fits now; a connection that is over is no error."
    s.setblocking(False)
    with suppress(OSError): return s.send(sent)


# many connections

@contextmanager
def _crowd(port, n, sources=HERE, window=None):
    "Connections from the given addresses in turn; those that the server turns away are no error."
    with ExitStack() as all_of_them:
        crowd = []
        for _, source in zip(range(n), cycle(sources)):
            with suppress(OSError): crowd.append(all_of_them.enter_context(connect(port, source, window=window)))
        yield crowd


@contextmanager
def idle_connections(port, n, sources=HERE):
    "Connections that say nothing."
    with _crowd(port, n, sources) as crowd: yield crowd


@contextmanager
def slow_readers(port, n, path="/style.css", sources=HERE, times=1000):
    "Connections that ask for a file again and again and never read."
    with _crowd(port, n, sources, window=4096) as crowd:
        for s in crowd: say(s, f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()*times)
        yield crowd


@contextmanager
def _dripping(port, n, head, sources):
    "Connections that begin a request and send another byte every half second."
    with _crowd(port, n, sources) as crowd:
        over = Event()

        def drip():
            while not over.wait(0.5):
                for s in crowd: say(s, b"a")
        for s in crowd: say(s, head)
        thread = Thread(target=drip, daemon=True)
        thread.start()
        try: yield crowd
        finally:
            over.set()
            thread.join()


def dripping_headers(port, n, sources=HERE):
    "Connections whose header never ends."
    return _dripping(port, n, b"GET /check HTTP/1.1\r\nHost: localhost\r\nX-Drip: ", sources)


def dripping_bodies(port, n, sources=HERE):
    "Connections whose body never ends."
    head = b"POST /name HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n{"
    return _dripping(port, n, head, sources)
