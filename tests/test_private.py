"Nothing that people send is written down: every route and error at DEBUG, then the log is searched in every encoding."
import base64, hashlib, json, os, re, signal, socket, sys, time, unicodedata
from contextlib import ExitStack, contextmanager, suppress
from itertools import product
from threading import Thread
from urllib.parse import quote

import psutil
import pytest
from attackers import (OTHER, chat, connect, get, post, raw, request, reset, say, serving)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and addresses of POSIX")
BIRTH = {"birth": "1987-03-09T05:43", "gender": "여", "surname": "제갈", "surname_hanja": "諸葛"}
NAME, HANJA = "제갈휘령", "諸葛輝玲"
KEY = "zqkey-of-this-server"


def token(where):
    "A word that stands nowhere else."
    return "zq" + hashlib.sha256(where.encode()).hexdigest()[:12]


# what may not be found

SENT = ["1987-03-09", "19870309", "1987.03.09", "1987/03/09", "1987년", "3월 9일", "1987-3-9", "T05:43", "T0543",
        "제갈", "諸葛", "휘령", "輝玲", "203.0.113.77", "2001:db8::77", KEY]
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
        percent, coded = "".join(f"%{b:02x}" for b in data), quote(data, safe="")
        shown = [percent, percent.replace("%", "%25"), data.hex(), coded, quote(coded)]
        shown += [repr(data)[2:-1], ascii(latin)[1:-1], json.dumps(latin)[1:-1], latin]
        with suppress(UnicodeError): shown += [ascii(data.decode())[1:-1], json.dumps(data.decode())[1:-1]]
        found = {data.lower(), *(s.lower().encode() for s in shown)}
        loose |= found | {form.replace(b"\\", b"\\\\") for form in found}
        exact |= set(base64_of(data))
    return {f for f in loose if len(f) > 2}, exact


def found_in(text, secrets):
    "What of the secrets stands in bytes: (secret, form, the place)."
    lower, hits = text.lower(), []
    for secret in secrets:
        loose, exact = forms(secret)
        where = [(lower, f) for f in loose if f in lower] + [(text, f) for f in exact if f in text]
        hits += [(secret, form, _around(at, at.index(form))) for at, form in where[:1]]
    return hits


def years_in(text):
    "Where the year or the day of the birth stands alone."
    return [("1987", m[0], _around(text, m.start())) for m in YEAR.finditer(text)][:3]


def _around(text, at): return text[max(0, at - 80):at + 80]


HIDDEN = (
    b"%EC%A0%9C%EA%B0%88", b"%25EC%25A0%259C%25EA%25B0%2588", rb"\uc81c\uac08", rb"\\uc81c\\uac08",
    rb"\xec\xa0\x9c\xea\xb0\x88",
    "제갈".encode("cp949"), "제갈".encode("utf-16-le"), "제갈".encode("punycode"), "제갈".encode().hex().encode(),
    "제갈".encode().decode("latin-1").encode(), b"&#51228;&#44040;", unicodedata.normalize("NFD", "제갈").encode(),
    *(base64.b64encode(b"x"*n + "제갈이고".encode()) for n in range(3)))


def test_every_encoding_is_searched():
    for hidden in HIDDEN: assert found_in(b"x " + hidden + b" y", ["제갈"]), hidden
    assert found_in(base64.b64encode(b"born 1987-03-09 here"), SENT) and years_in(b"(1987)") and years_in(b"03-09")
    fine = b"2026-03-09 19:87:10 41987 pid 1987.2 " + "제주 갈비".encode()
    assert not found_in(fine, SENT) and not years_in(fine)


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
        files = (folder/"log", served.folder/"out", served.folder/"err")
        yield served, lambda: b"\n".join(file.read_bytes() for file in files)


# what is sent

HEADS = (
    "User-Agent", "Referer", "Cookie", "Origin", "X-API-Key", "Authorization", "Accept", "Accept-Language",
    "Accept-Encoding", "If-None-Match", "If-Modified-Since", "If-Range", "Range", "Content-Type", "Content-Encoding",
    "Upgrade", "X-Request-ID", "Forwarded", "X-Real-IP", "X-Forwarded-Host", "X-Forwarded-Proto", "Via", "From",
    "Expect",
    "Transfer-Encoding", "Content-Length", "Connection", "X-HTTP-Method-Override")
HOLDERS = (
    *HEADS, "X-Forwarded-For", "Host", "method", "path", "query", "field", "value", "version", "header name", "chunk",
    "extension", "trailer", "target")
TOKENS = {where: token(where) for where in HOLDERS}
FIELDS = ("birth", "year", "month", "day", "gender", "surname", "surname_hanja", "count", "fixed_syllable",
    "siblings", "tz",
          "longitude", "place", TOKENS["field"], "제갈")
VALUES = ("1987년 3월 9일 제갈", {"제갈": "1987-03-09"}, [["휘령"]], -19870309, TOKENS["value"], "諸葛"*200, None)
NAMES = ("제갈", NAME + "!", "휘령(諸葛)", TOKENS["value"], 19870309)
NO_JSON = ('{"name": "휘령", "birth": "1987-03-09"'.encode(), "제갈".encode("cp949"), b'"1987-03-09"',
           '["제갈", 1987]'.encode(), b'{"birth": "1987-03-09' + b" "*20_000, b"\xff1987-03-09", b"["*9000 + b"1987")
PAGES = ("/", "/check", "/style.css", "/docs", "/docs/swagger", "/openapi.json", "/metrics", "/surnames/제갈")
NOWHERE = (f"/{TOKENS['path']}", "/surnames/제갈휘령", "/surnames/1987-03-09", "/제갈/1987-03-09", "/docs/제갈",
           "/surnames/" + "제갈"*300, "/name?birth=1987-03-09", "/surnames/%ff1987-03-09", "/surnames/제갈/휘령")
METHODS = (TOKENS["method"].upper(), "1987-03-09", "POST", "DELETE", "TRACE", "CONNECT")
DATE = {"year": "1987", "month": "3", "day": "9", "hour": 5, "minute": 43, "gender": "여자"}


def asked_well():
    "Requests that are answered: (method, path, body)."
    for body in (BIRTH | {"count": 2}, DATE): yield "POST", "/name", body
    yield "POST", "/mean", {"name": "휘령(輝玲)"}
    yield "POST", "/review", {"name": NAME, "hanja": HANJA, **BIRTH}
    yield "POST", "/hanja-for", {"name": "휘령", **BIRTH}
    yield "POST", "/compare", {"names": [f"{NAME}:{HANJA}", "제갈 휘"], "birth": BIRTH["birth"], "siblings": ["제갈휘령"]}
    yield "POST", "/saju", {"birth": BIRTH["birth"], "gender": "여"}
    yield "POST", "/name", {"birth": "1987-03-09~1987-03-12", "surname": "제갈", "avoid_relatives": [NAME]}
    for surname in ("제갈", "諸葛"): yield "GET", f"/surnames/{surname}", None
    for page in PAGES: yield "GET", f"{page}?name={NAME}&birth=1987-03-09&q={TOKENS['query']}", None
    for method in ("HEAD", "OPTIONS"): yield method, "/surnames/제갈", None


def asked_badly():
    "Requests that are refused: (method, path, body)."
    for field, value in product(FIELDS, VALUES): yield "POST", "/name", BIRTH | {field: value}
    for path, value, more in product(("/mean", "/review"), NAMES, ({}, BIRTH)):
        yield "POST", path, {"name": value, "hanja": value, **more}
    for value, more in product(NAMES, ({}, BIRTH)):
        yield "POST", "/hanja-for", {"name": value, **more}
        yield "POST", "/compare", {"names": [NAME, value], **more}
        yield "POST", "/saju", {**more, "birth": value}
    for path, body in product(("/name", "/mean", "/review", "/hanja-for", "/compare", "/saju"), NO_JSON):
        yield "POST", path, body
    for path in NOWHERE: yield "GET", path, None
    for method in METHODS: yield method, "/surnames/제갈", None


def heads():
    "Each header with its own secret, and with a person's."
    for name in HEADS: yield {name: TOKENS[name]}
    for name, value in product(HEADS, ("1987-03-09", quote(NAME), NAME, "제갈")): yield {name: value}
    for value in (f"203.0.113.77, {TOKENS['X-Forwarded-For']}", "2001:db8::77", "203.0.113.77"):
        yield {"X-Forwarded-For": value}
    for host in (f"{TOKENS['Host']}.example", "제갈", "1987-03-09"): yield {"host": host}
    yield {TOKENS["header name"]: "1987-03-09"}
    yield {"Origin": "http://제갈.example"}


END = b"\r\n\r\n"
SURNAME = b"GET /surnames/%EC%A0%9C%EA%B0%88 HTTP/1.1\r\nHost: localhost\r\n"
BODY = b"POST /name HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
CHUNKED = BODY + b"Transfer-Encoding: chunked" + END
LINES = ("1987-03-09", "제갈", f"GET /{NAME} HTTP/1.1", f"GET /check HTTP/{TOKENS['version']}",
         f"GET http://{TOKENS['target']}:1987-03-09/ HTTP/1.1", f"GET http://[{TOKENS['target']}/ HTTP/1.1",
         f"{TOKENS['method']} / HTTP/1.1\r\nHost: localhost")
HEADERS = (b"1987-03-09", "제갈: 휘령".encode(), b"X: 1987-03-09\rY: 1", b"X: 1987-03-09\0",
    b"X: " + b"1987-03-09"*3000,
           b"Range: bytes=1987-03-09")
LENGTHS = ("1987-03-09", "-19870309", TOKENS["Content-Length"], "19870309"*5, "2, 19870309")
CHUNKS = (b"19870309zz\r\n", f"{TOKENS['chunk']}\r\n".encode(), b"-1\r\n1987-03-09",
    b"a\r\n1987-03-09 and more\r\n0" + END,
          f"2;{TOKENS['extension']}=1987-03-09\r\n{{}}\r\n0\r\nX: {TOKENS['trailer']}".encode() + END)


def broken():
    "What is no HTTP, with a person in it."
    for line in LINES: yield line.encode() + END
    yield b"GET /surnames/" + "제갈".encode("cp949") + b" HTTP/1.1" + END
    for header in HEADERS: yield SURNAME + header + END
    for length in LENGTHS: yield BODY + f"Content-Length: {length}".encode() + END + b'{"birth": "1987-03-09"}'
    for chunk in CHUNKS: yield CHUNKED + chunk
    yield BODY + b"Expect: 1987-03-09\r\nContent-Length: 2" + END + b"{}"
    yield BODY + f"Transfer-Encoding: {TOKENS['Transfer-Encoding']}".encode() + END


def drive(port, key=None):
    "Asks everything; gives the replies."
    own = {"X-API-Key": key} if key else {}
    asked = [*asked_well(), *asked_badly()]
    replies = [raw(port, request(*words, **own), source=OTHER) for words in asked]
    for head, words in product(heads(), (("GET", "/surnames/제갈", None), ("POST", "/name", BIRTH))):
        replies.append(raw(port, request(*words, **(own | head)), 1, source=OTHER))
    return replies + [raw(port, sent, 1, source=OTHER) for sent in broken()]


# connections that break off

def unfinished(own):
    "What is sent before a connection breaks off."
    surname, name = request("GET", "/surnames/제갈", **own), request("POST", "/name", BIRTH, **own)
    page = request("GET", "/style.css?제갈", **own)
    return (surname, name, surname*50, page*300, (surname + name)*5, name[:-9], name[:60], surname[:30],
            name + b"\0 1987-03-09", page*20 + surname*20)


def aborted(port, key=None):
    "Every way to leave: before, while and after an answer is made, alone and in a pipeline."
    own = {"Connection": "keep-alive"} | ({"X-API-Key": key} if key else {})
    for sent, wait, leave in product(unfinished(own), (0, 0.02, 0.1), (reset, socket.socket.close, half)):
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
    hits = found_in(written, secrets) + years_in(written)
    assert not hits, "\n".join(f"{secret!r} as {form!r} in {place!r}" for secret, form, place in hits)


def test_nothing_is_written_down(tmp_path):
    "The rule engine: every route, every error."
    with watched(tmp_path, "--metrics", "--docs", engine=None) as (served, written):
        replies = drive(served.port)
        assert sum(reply.status == 200 for reply in replies) > 20
        assert {400, 404, 405, 413, 415, 422} <= {reply.status for reply in replies}
        assert_private(written() + get(served.port, "/metrics").body, replies)


def killed_at_work(served):
    "Requests whose worker is killed, sooner or later."
    for number, wait in product((signal.SIGKILL, signal.SIGABRT, signal.SIGTERM), (0, 0.1)):
        asking = Thread(target=post, args=(served.port, "/name", BIRTH, OTHER))
        asking.start()
        time.sleep(wait)
        for p in served.workers():
            with suppress(psutil.Error): p.send_signal(number)
        asking.join()


def stopped_at_work(served):
    "The end in the middle of a request, a pipeline and half a line; more comes while it stops."
    asked = request("POST", "/name", BIRTH)
    with ExitStack() as stack:
        for sent in (asked, request("GET", "/surnames/제갈")*50, b"GET /surnames/%EC%A0%9C"):
            say(stack.enter_context(connect(served.port, OTHER)), sent)
        served.signal(signal.SIGTERM)
        with suppress(OSError): say(stack.enter_context(connect(served.port, OTHER)), asked)
        served.process.wait(15)


def test_nothing_is_written_down_of_those_who_leave(tmp_path):
    "Aborted requests and pipelines, a killed worker, and the end in the middle of it all."
    with watched(tmp_path, "--metrics", engine=None) as (served, written):
        aborted(served.port)
        killed_at_work(served)
        assert_private(written() + get(served.port, "/metrics").body)
        stopped_at_work(served)
        assert_private(written())


# another server, which repeats what it was asked

CODINGS = (str.encode, lambda said: json.dumps(said).encode(), lambda said: unicodedata.normalize("NFD", said).encode(),
           lambda said: quote(said).encode(), lambda said: base64.b64encode(said.encode()),
           lambda said: said.encode("cp949", "replace"), lambda said: said.encode("utf-16"),
           lambda said: said.encode().hex().encode())


def echo(body, coding):
    "The question and more, in a coding."
    return coding(body["messages"][0]["content"] + " 1987-03-09 zqbackend")


def sized(data, status=200):
    "A reply of HTTP with a body."
    return b"HTTP/1.1 %d x\r\nContent-Length: %d\r\n\r\n" % (status, len(data)) + data


def faults(data):
    "Every way to say it wrong: replies as raw bytes."
    line, ok = data.replace(b"\n", b" ").replace(b"\r", b" "), b"HTTP/1.1 200 x\r\n"
    for status in (400, 401, 404, 418, 422, 429, 500, 503): yield sized(data, status)
    for first in (b"HTTP/1.1 500 " + line, b"HTTP/1.1 " + line, line): yield first + END
    yield from (line, sized(data), ok + line + END, ok + b"Content-Length: 99999" + END + data)
    yield ok + b"Transfer-Encoding: chunked" + END + data + b"\r\n"
    for place in (line, b"http://" + line, b"/" + line, b"http://127.0.0.1:1/" + quote(line).encode()):
        yield b"HTTP/1.1 302 x\r\nLocation: " + place + b"\r\nContent-Length: 0" + END
    latin, text = data.decode("latin-1"), data.decode("utf-8", "replace")
    for said in ([latin], {"error": {"message": latin}}, {"choices": [{"message": {"content": [latin]}}]},
        chat(text)[1]):
        yield sized(json.dumps(said).encode())


@contextmanager
def parrot():
    "A backend that answers with `says(body)`, raw bytes; then it closes, or resets."
    server = socket.create_server(("127.0.0.1", 0), backlog=64)
    state = {"says": None, "asked": 0}

    def answer(s):
        with suppress(OSError, ValueError, LookupError), s:
            s.settimeout(10)
            head, body = b"", b""
            while END not in head: head += s.recv(65536)
            head, _, body = head.partition(END)
            length = int((re.search(rb"(?i)content-length: (\d+)", head) or [0, 0])[1])
            while len(body) < length: body += s.recv(65536)
            state["asked"] += 1
            fine = sized(json.dumps(chat()[1]).encode())
            s.sendall(state["says"](json.loads(body)) if state["says"] and body else fine)

    def listen():
        with suppress(OSError):
            while True: Thread(target=answer, args=(server.accept()[0],), daemon=True).start()
    Thread(target=listen, daemon=True).start()
    with server: yield state, f"http://127.0.0.1:{server.getsockname()[1]}/v1#one"


def ask_the_parrot(port, behind):
    "Both questions that go to a model, and every fault in every coding; gives the replies."
    questions = (("/name", BIRTH), ("/mean", {"name": "휘령(輝玲)"}))
    for n, (coding, kind) in enumerate(product(CODINGS, range(len(list(faults(b"")))))):
        behind["says"] = lambda body, coding=coding, kind=kind: list(faults(echo(body, coding)))[kind]
        yield post(port, *questions[n % 2], OTHER, X_API_Key=KEY)
    behind["says"] = None


def test_nothing_of_a_backend_that_repeats_the_question(tmp_path):
    "Neither the log nor the client gets what the server behind says; all of it with a key."
    words = ("--engine", "openai", "--metrics", "--model")
    with parrot() as (behind, address), watched(tmp_path, *words, address, env={"SAJU_NAMING_SERVE_KEY": KEY}) as found:
        served, written = found
        replies = list(ask_the_parrot(served.port, behind))
        assert behind["asked"] > len(replies)/2
        assert not found_in(b"\n".join(reply.body for reply in replies), ["zqbackend"]), "the client was told"
        assert_private(written() + get(served.port, "/metrics", X_API_Key=KEY).body, replies)
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
