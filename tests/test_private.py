"Nothing of what people send is written down: every route and error at DEBUG, then the log is searched in every encoding."
import base64, codecs, hashlib, json, os, re, signal, socket, sys, time, unicodedata
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from urllib.parse import quote

import psutil
import pytest
from attackers import (OTHER, backend, chat, connect, get, heard, post, raw, request, reset, say, serving, until)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and addresses of POSIX")
BIRTH = {"birth": "1987-03-09T05:43", "gender": "여", "surname": "제갈", "surname_hanja": "諸葛"}
NAME, HANJA = "제갈휘령", "諸葛輝玲"
KEY = "zqkey-of-this-server"


def token(where):
    "A word that stands nowhere else."
    return "zq" + hashlib.sha256(where.encode()).hexdigest()[:12]


# what may not be found

SENT = ["1987-03-09", "19870309", "1987.03.09", "1987/03/09", "1987년", "3월 9일", "1987-3-9", "T05:43", "T0543", "제갈", "諸葛",
        "휘령", "輝玲", "203.0.113.77", "2001:db8::77", KEY]
YEAR = re.compile(rb"(?<![\d.:])1987(?![\d.:])|(?<![\d-])0?3-0?9(?![\d-])")


def base64_of(data):
    "The part of a base64 text that does not depend on what stands around the bytes, in the three ways it may fall."
    for before in range(3):
        text = base64.b64encode(bytes(before) + data)
        inner = text[-(-before*8//6):(before + len(data))*8//6]
        if len(inner) >= 7: yield from (inner, inner.replace(b"+", b"-").replace(b"/", b"_"))


def bytes_of(text):
    "A text in the encodings that a Korean letter may come in."
    for form in ("NFC", "NFD"):
        plain = unicodedata.normalize(form, text)
        for coding in ("utf-8", "cp949", "euc-kr", "utf-16-le", "utf-16-be", "utf-32-le", "utf-7", "punycode"):
            with suppress(UnicodeError): yield plain.encode(coding)
        yield plain.encode("utf-8").decode("latin-1").encode("utf-8")
        yield plain.encode("utf-8").decode("cp1252", "replace").encode("utf-8")
        yield plain.encode("ascii", "xmlcharrefreplace")
        yield plain.encode("ascii", "namereplace")
        yield "".join(f"&#x{ord(c):x};" for c in plain).encode()


def forms(text):
    "Every way in which a text may be written down: {bytes in lower case}, {bytes as they are}."
    loose, exact = set(), set()
    for data in set(bytes_of(text)):
        latin = data.decode("latin-1")
        percent, hexed = "".join(f"%{b:02x}" for b in data), data.hex()
        shown = [percent, percent.replace("%", "%25"), hexed, hexed.upper(), quote(data, safe=""), quote(quote(data, safe=""))]
        shown += [repr(data)[2:-1], ascii(latin)[1:-1], json.dumps(latin)[1:-1], latin]
        with suppress(UnicodeError): shown += [ascii(data.decode())[1:-1], json.dumps(data.decode())[1:-1]]
        loose |= {data.lower(), *(s.lower().encode() for s in shown), *(s.lower().encode().replace(b"\\", b"\\\\") for s in shown)}
        exact |= set(base64_of(data))
    return {f for f in loose if len(f) > 2}, exact


def found_in(text, secrets):
    "What of the secrets stands in bytes, with the place."
    lower, hits = text.lower(), []
    for secret in secrets:
        loose, exact = forms(secret)
        where = [(lower, f) for f in loose if f in lower] + [(text, f) for f in exact if f in text]
        hits += [(secret, form, text[max(0, at.index(form) - 80):at.index(form) + 80]) for at, form in where[:1]]
    return hits + [("1987", m[0], text[max(0, m.start() - 80):m.end() + 80]) for m in YEAR.finditer(text)][:3]


def test_every_encoding_is_searched():
    for hidden in ("제갈".encode("cp949"), b"%EC%A0%9C%EA%B0%88", b"%25EC%25A0%259C%25EA%25B0%2588", rb"\uc81c\uac08", rb"\\uc81c\\uac08",
                   rb"\xec\xa0\x9c\xea\xb0\x88", "제갈".encode().hex().encode(), base64.b64encode("성은 제갈이고".encode()),
                   unicodedata.normalize("NFD", "제갈").encode(), "제갈".encode().decode("latin-1").encode(), "제갈".encode("utf-16-le"),
                   b"&#51228;&#44040;", "제갈".encode("punycode")):
        assert found_in(b"x " + hidden + b" y", ["제갈"]), hidden
    assert found_in(base64.b64encode(b"born 1987-03-09 here"), ["1987-03-09"]) and found_in(b"(1987)", []) and found_in(b"03-09", [])
    assert not found_in(b"2026-03-09 19:87:10 41987 pid 1987.2 " + "제주 갈비".encode(), SENT)


# servers at DEBUG

_DEBUG = """
import logging, os
handler = logging.FileHandler(os.environ["SAJU_LOG"], encoding="utf-8", errors="backslashreplace")
logging.basicConfig(level=logging.DEBUG, handlers=[handler], format="%(asctime)s %(name)s %(levelname)s %(message)s")
"""


@contextmanager
def watched(folder, *words, env=(), **more):
    "A server of which every process logs everything, from its first line on; gives it and what it wrote."
    (folder/"site").mkdir(parents=True)
    (folder/"site"/"sitecustomize.py").write_text(_DEBUG)
    path = os.pathsep.join(filter(None, [str(folder/"site"), os.environ.get("PYTHONPATH")]))
    env = {"SAJU_LOG": str(folder/"log"), "PYTHONPATH": path, **dict(env)}
    with serving(folder, *words, env=env, **more) as served:
        def written(): return b"\n".join((p.read_bytes() for p in (folder/"log", served.folder/"out", served.folder/"err")))
        yield served, written


# what is sent

HEADS = ("User-Agent", "Referer", "Cookie", "Origin", "X-API-Key", "Authorization", "Accept", "Accept-Language", "Accept-Encoding",
         "If-None-Match", "If-Modified-Since", "If-Range", "Range", "Content-Type", "Content-Encoding", "Upgrade", "X-Request-ID", "Forwarded", "X-Real-IP",
         "X-Forwarded-Host", "X-Forwarded-Proto", "Via", "From", "Expect", "Transfer-Encoding", "Content-Length", "Connection", "X-HTTP-Method-Override")
HOLDERS = (*HEADS, "X-Forwarded-For", "Host", "method", "path", "query", "field", "value", "version", "header name", "chunk", "extension", "trailer", "target")
TOKENS = {where: token(where) for where in HOLDERS}


def asked_well(secret):
    "Requests that are answered: (method, path, body)."
    whole = BIRTH | {"count": 2}
    date = {"year": "1987", "month": "3", "day": "9", "hour": 5, "minute": 43, "gender": "여자"}
    yield from (("POST", "/name", whole), ("POST", "/name", date), ("POST", "/mean", {"name": "휘령(輝玲)"}))
    yield from (("POST", "/review", {"name": NAME, "hanja": HANJA, **BIRTH}), ("GET", "/surnames/제갈", None), ("GET", "/surnames/諸葛", None))
    yield from (("GET", f"{path}?name={NAME}&birth=1987-03-09&q={secret['query']}", None) for path in ("/", "/check", "/style.css", "/docs", "/docs/swagger", "/openapi.json", "/metrics", "/surnames/제갈"))
    yield from ((method, "/surnames/제갈", None) for method in ("HEAD", "OPTIONS"))


def asked_badly(secret):
    "Requests that are refused: (method, path, body)."
    for field in ("birth", "year", "month", "day", "gender", "surname", "surname_hanja", "count", "fixed_syllable", "siblings", "tz", "longitude", "place", secret["field"], "제갈"):
        for value in ("1987년 3월 9일 제갈", {"제갈": "1987-03-09"}, [["휘령"]], -19870309, secret["value"], "諸葛"*200, None): yield "POST", "/name", BIRTH | {field: value}
    yield from (("POST", path, {"name": value, "hanja": value, **more}) for path in ("/mean", "/review") for value in ("제갈", NAME + "!", "휘령(諸葛)", secret["value"], 19870309) for more in ({}, BIRTH))
    yield from (("POST", path, body) for path in ("/name", "/mean", "/review") for body in ('{"name": "휘령", "birth": "1987-03-09"'.encode(), "제갈".encode("cp949"), b'"1987-03-09"', '["제갈", 1987]'.encode(), b'{"birth": "1987-03-09' + b" "*20_000, b"\xff1987-03-09", b"[" * 9000 + b"1987"))
    yield from (("GET", path, None) for path in (f"/{secret['path']}", "/surnames/제갈휘령", "/surnames/1987-03-09", "/제갈/1987-03-09", "/surnames/" + "제갈"*300, "/name?birth=1987-03-09", "/surnames/%ff1987-03-09", "/docs/제갈", "/surnames/제갈/휘령"))
    yield from ((method, "/surnames/제갈", None) for method in (secret["method"].upper(), "1987-03-09", "POST", "DELETE", "TRACE", "CONNECT"))


def heads(secret):
    "Each header with its own secret, and with a person's."
    for name in HEADS: yield {name: secret[name]}
    for value in ("1987-03-09", quote(NAME), NAME, "제갈"): yield from ({name: value} for name in HEADS)
    yield from ({"X-Forwarded-For": f"203.0.113.77, {secret['X-Forwarded-For']}"}, {"X-Forwarded-For": "2001:db8::77"}, {"X-Forwarded-For": "203.0.113.77"})
    yield from ({secret["header name"]: "1987-03-09"}, {"host": f"{secret['Host']}.example"}, {"host": "제갈"}, {"host": "1987-03-09"}, {"Origin": "http://제갈.example"})


def broken(secret):
    "What is no HTTP, with a person in it."
    line, end = b"GET /surnames/%EC%A0%9C%EA%B0%88 HTTP/1.1\r\nHost: localhost\r\n", b"\r\n\r\n"
    body = b"POST /name HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    chunked = body + b"Transfer-Encoding: chunked\r\n\r\n"
    yield from (b"1987-03-09" + end, "제갈".encode() + end, f"GET /{NAME} HTTP/1.1".encode() + end, b"GET /surnames/" + "제갈".encode("cp949") + b" HTTP/1.1" + end)
    yield from (f"GET /check HTTP/{secret['version']}".encode() + end, f"GET http://{secret['target']}:1987-03-09/ HTTP/1.1".encode() + end, f"GET http://[{secret['target']}/ HTTP/1.1".encode() + end)
    yield from (line + b"1987-03-09" + end, line + "제갈: 휘령".encode() + end, line + b"X: 1987-03-09\rY: 1" + end, line + b"X: 1987-03-09\0" + end, line + b"X: " + b"1987-03-09"*3000 + end, line + b"Range: bytes=1987-03-09" + end)
    yield from (body + f"Content-Length: {value}".encode() + end + b'{"birth": "1987-03-09"}' for value in ("1987-03-09", "-19870309", secret["Content-Length"], "19870309"*5, "2, 19870309"))
    yield from (chunked + b"19870309zz\r\n", chunked + secret["chunk"].encode() + b"\r\n", chunked + f"2;{secret['extension']}=1987-03-09\r\n{{}}\r\n0\r\nX: {secret['trailer']}".encode() + end, chunked + b"-1\r\n1987-03-09", chunked + b"a\r\n1987-03-09 and more\r\n0" + end)
    yield from (body + b"Expect: 1987-03-09\r\nContent-Length: 2" + end + b"{}", body + f"Transfer-Encoding: {secret['Transfer-Encoding']}".encode() + end, f"{secret['method']} / HTTP/1.1\r\nHost: localhost".encode() + end)


def drive(port, key=None):
    "Asks everything; gives the replies."
    own = {"X-API-Key": key} if key else {}
    replies = [raw(port, request(*asked, **own), source=OTHER) for ask in (asked_well, asked_badly) for asked in ask(TOKENS)]
    for head in heads(TOKENS):
        for asked in (("GET", "/surnames/제갈", None), ("POST", "/name", BIRTH), ("GET", "/style.css", None)):
            head = {**own, **head}
            replies.append(raw(port, request(*asked, **head), 3, source=OTHER))
    return replies + [raw(port, sent, 3, source=OTHER) for sent in broken(TOKENS)]


# connections that break off

def aborted(port, key=None):
    "Every way to leave: before, while and after an answer is made, alone and in a pipeline."
    own = {"X-API-Key": key} if key else {}
    own["Connection"] = "keep-alive"
    surname, name, page = request("GET", "/surnames/제갈", **own), request("POST", "/name", BIRTH, **own), request("GET", "/style.css?제갈", **own)
    for sent in (surname, name, surname*50, page*300, (surname + name)*5, name[:-9], name[:60], surname[:30], name + b"\0 1987-03-09", page*20 + surname*20):
        for wait in (0, 0.02, 0.1):
            for leave in (reset, socket.socket.close, half):
                with suppress(OSError):
                    s = connect(port, OTHER, window=4096)
                    say(s, sent)
                    time.sleep(wait)
                    leave(s)


def half(s):
    "Says that nothing more comes, reads a little, and breaks off."
    s.shutdown(socket.SHUT_WR)
    s.settimeout(0.05)
    with suppress(OSError): s.recv(100)
    reset(s)


def names_in(replies):
    "The names that were given: private as well."
    for reply in replies:
        with suppress(ValueError, KeyError, TypeError, AttributeError):
            for i in "123": yield from re.findall(r"[가-힣]{2,}|[一-鿿]{2,}", reply.json[f"name{i}"].split("\n")[0])


def assert_private(written, replies=()):
    "Nothing that was sent or given stands in what was written."
    time.sleep(0.3)
    secrets = [*SENT, *TOKENS.values(), *set(names_in(replies)), *([OTHER] if OTHER else [])]
    hits = found_in(written, secrets)
    assert not hits, "\n".join(f"{secret!r} as {form!r} in {place!r}" for secret, form, place in hits)


def test_nothing_is_written_down(tmp_path):
    "The rule engine: every route, every error."
    with watched(tmp_path, "--metrics", "--docs", engine=None) as (served, written):
        replies = drive(served.port)
        assert sum(reply.status == 200 for reply in replies) > 20 and {400, 404, 405, 413, 415, 422} <= {r.status for r in replies}
        assert_private(written() + get(served.port, "/metrics").body, replies)


def test_nothing_is_written_down_of_those_who_leave(tmp_path):
    "Aborted requests and pipelines, a killed worker, and the end in the middle of it all."
    with watched(tmp_path, "--metrics", engine=None) as (served, written):
        aborted(served.port)
        for number in (signal.SIGKILL, signal.SIGABRT, signal.SIGTERM):
            for wait in (0, 0.03, 0.1):
                asking = Thread(target=post, args=(served.port, "/name", BIRTH, OTHER))
                asking.start()
                time.sleep(wait)
                for p in served.workers():
                    with suppress(psutil.Error): p.send_signal(number)
                asking.join()
        assert_private(written() + get(served.port, "/metrics").body)
        with ExitStack() as stack:
            for sent in (request("POST", "/name", BIRTH), request("GET", "/surnames/제갈")*50, b"GET /surnames/%EC%A0%9C"):
                say(stack.enter_context(connect(served.port, OTHER)), sent)
            served.signal(signal.SIGTERM)
            time.sleep(0.2)
            say(stack.enter_context(connect(served.port, OTHER)), request("POST", "/name", BIRTH)) if served.process.poll() is None else None
        with suppress(Exception): served.process.wait(15)
        assert_private(written())


# another server, which repeats what it was asked

def echoes(body):
    "The question in every coding, so that each is tried."
    said = body["messages"][0]["content"] + " 1987-03-09 zqbackend"
    codings = [said, json.dumps(said), unicodedata.normalize("NFD", said), quote(said), base64.b64encode(said.encode()).decode()]
    return [c.encode() for c in codings] + [said.encode("cp949", "replace"), said.encode("utf-16"), said.encode().hex().encode()]


def faults(data):
    "Every way to say it wrong: a reply as raw bytes."
    for status in (400, 401, 404, 418, 422, 429, 500, 503): yield b"HTTP/1.1 %d x\r\nContent-Length: %d\r\n\r\n" % (status, len(data)) + data
    line = data.replace(b"\n", b" ").replace(b"\r", b" ")
    ok = b"HTTP/1.1 200 OK\r\n"
    yield from (b"HTTP/1.1 500 " + line + b"\r\n\r\n", b"HTTP/1.1 " + line + b"\r\n\r\n", line + b"\r\n\r\n", line)
    yield from (ok + b"Content-Length: 99999\r\n\r\n" + data, ok + b"Content-Length: %d\r\n\r\n" % len(data) + data, ok + line + b"\r\n\r\n", ok + b"Transfer-Encoding: chunked\r\n\r\n" + data + b"\r\n")
    yield from (b"HTTP/1.1 %d x\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % (status, place) for status in (302, 308) for place in (line, b"http://" + line, b"/" + line, b"http://127.0.0.1:1/" + quote(line).encode()))
    told = [{"error": {"message": data.decode("latin-1")}}, {"choices": [{"message": {"content": data.decode("utf-8", "replace")}}]}, {"choices": [{"message": {"content": [data.decode("latin-1")]}}]}, [data.decode("latin-1")]]
    for said in told:
        body = json.dumps(said).encode()
        yield ok + b"Content-Length: %d\r\n\r\n" % len(body) + body


@contextmanager
def parrot():
    "A backend that answers with `says(body)`, raw bytes; then it closes, or resets."
    server = socket.create_server(("127.0.0.1", 0), backlog=64)
    state = {"says": None, "asked": 0}

    def answer(s):
        with suppress(OSError, ValueError, LookupError), s:
            s.settimeout(10)
            head, body = b"", b""
            while b"\r\n\r\n" not in head: head += s.recv(65536)
            head, _, body = head.partition(b"\r\n\r\n")
            length = int((re.search(rb"(?i)content-length: (\d+)", head) or [0, 0])[1])
            while len(body) < length: body += s.recv(65536)
            state["asked"] += 1
            s.sendall(state["says"](json.loads(body)) if state["says"] and body else fine(body))

    def listen():
        with suppress(OSError):
            while True: Thread(target=answer, args=(server.accept()[0],), daemon=True).start()
    Thread(target=listen, daemon=True).start()
    with server: yield state, f"http://127.0.0.1:{server.getsockname()[1]}/v1#one"


def fine(body):
    "A reply that is well."
    said = json.dumps(chat()[1]).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(said) + said


def test_nothing_of_a_backend_that_repeats_the_question(tmp_path):
    "Neither the log nor the client gets what the server behind says; all of it with a key."
    env = {"SAJU_NAMING_SERVE_KEY": KEY}
    with parrot() as (behind, address), watched(tmp_path, "--engine", "openai", "--model", address, "--metrics", env=env) as (served, written):
        replies = []
        for coding in range(len(echoes({"messages": [{"content": ""}]}))):
            for n in range(len(list(faults(b"")))):
                behind["says"] = lambda body: list(faults(echoes(body)[coding]))[n]
                path, body = (("/name", BIRTH), ("/mean", {"name": "휘령(輝玲)"}))[n % 2]
                replies.append(post(served.port, path, body, OTHER, X_API_Key=KEY))
        assert behind["asked"] > len(replies)/2
        assert not [r.body for r in replies if r.status == 503 and b"zqbackend" in r.body]
        assert_private(written() + get(served.port, "/metrics", X_API_Key=KEY).body, replies)
        behind["says"] = None
        drive(served.port, KEY)
        aborted(served.port, KEY)
        assert_private(written())


_BUG = "def bug(*words, **more): raise ValueError(f'{words} {more}')\nroom.surname_reply = bug"


def test_nothing_of_an_error_that_nobody_foresaw(tmp_path):
    "Its words may hold a name."
    with watched(tmp_path, engine=None, before=_BUG) as (served, written):
        assert get(served.port, "/surnames/제갈", OTHER).status == 500
        assert b"ValueError" in written()
        assert_private(written())
