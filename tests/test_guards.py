"Who may ask, how often, from where: the guards of saju_naming.guards around a small application of no names; and the options of `serve`."
import json, logging, re, time
from inspect import signature

import pytest
from click.testing import CliRunner
from conftest import CFG
from flask import Flask, abort, redirect, request, send_file

from saju_naming import checks, guards
from saju_naming.cli import cli
from saju_naming.errors import Busy, InputError, Unavailable
from saju_naming.guards import (ENV_KEY, HEADERS, MOST_BYTES, Door, Hosts, Rate, add_errors, add_guards, add_metrics, check_exposure, client_of,
                                error_body, keys_in, networks, opens, origin_pattern, plain_words, read_keys, refusal)
from saju_naming.options import OPTIONS, SERVER, SERVER_GROUPS, TABLES, options_data

KEY, MANY = {"X-API-Key": "spring-key"}, "100000 per minute"
LOG = logging.getLogger("guards.test")


@pytest.fixture(autouse=True)
def no_key_outside(monkeypatch): monkeypatch.delenv(ENV_KEY, raising=False)


def small(trouble=None, **options):
    "An application that echoes, behind the guards; `trouble` is what /trouble raises."
    app = Flask("small", static_folder=None)
    add_metrics(app, LOG, [("small_number", "a number", lambda: 7)])
    door = Door(**{"rate": MANY} | options)
    add_guards(app, door, guarded=("echo", "word", "trouble"))
    add_errors(app, LOG, again=lambda: 2.2, in_address=("word",))
    app.add_url_rule("/echo", "echo", lambda: request.get_json(), methods=["POST"])
    app.add_url_rule("/check", "check", lambda: {"isReady": True})
    app.add_url_rule("/word/<word>", "word", lambda word: fail(InputError("surname", word, "없는 성입니다", "확인해 주세요")))
    app.add_url_rule("/trouble", "trouble", lambda: fail(trouble))
    app.add_url_rule("/status/<int:code>", "status", lambda code: abort(code))
    app.add_url_rule("/file", "file", lambda: send_file(__file__, mimetype="text/plain"))
    app.add_url_rule("/old", "old", lambda: redirect("check"))
    for path in ("/docs/", "/docs/swagger", "/openapi.json"): app.add_url_rule(path, path, lambda: "the document")
    client = app.test_client()
    client.door = door
    return client


def fail(error): raise error


def error_of(reply):
    "The error of a reply, which has our form and our headers."
    assert reply.content_type == "application/json; charset=utf-8" and reply.headers["Cache-Control"] == "no-store"
    for name, value in HEADERS.items(): assert reply.headers[name] == value
    error = reply.json["error"]
    assert list(error) == ["field", "value", "reason", "remedy", "message"] and list(reply.json) == ["error"]
    return error


# keys

@pytest.mark.parametrize("bad", ["", " ", "a b", " a", "a ", "a\n", "a\r", "a\t", "비밀", "é", "a\x00b", "a\x7f", "x"*201, "\ud800"])
def test_a_key_that_no_header_carries_is_an_error(bad, tmp_path):
    with pytest.raises(InputError, match="keys"): read_keys(keys=(bad,))
    with pytest.raises(InputError, match="keys"): read_keys(keys=("good", bad))
    with pytest.raises(InputError, match="keys"): read_keys(keys=bad)
    with pytest.raises(InputError, match=ENV_KEY): read_keys(environ={ENV_KEY: bad})
    with pytest.raises(InputError, match="keys"): Door(keys=(bad,))
    if not bad.strip() or "\ud800" in bad: return
    file = tmp_path/"key.txt"
    file.write_bytes(b"good\n" + bad.rstrip("\r\n").encode() + b"\n# end")
    if bad.rstrip("\r\n") == "a": return
    with pytest.raises(InputError, match="2째 열쇠") as told: read_keys(key_file=file)
    assert bad not in str(told.value)


@pytest.mark.parametrize("bad", [b"", b"\n\n", b"  \n# a comment\n", b"\xef\xbb\xbf", "key".encode("utf-16"), b"\xff\xfe", b"a"*70_000, b"k\n"*40_000],
                         ids=["empty", "blank", "comments", "mark", "utf16", "bytes", "long", "large"])
def test_a_file_without_keys_is_an_error(bad, tmp_path):
    file = tmp_path/"key.txt"
    file.write_bytes(bad)
    with pytest.raises(InputError, match="key_file") as told: Door(key_file=file)
    assert told.value.__cause__ is None and (told.value.__context__ is None or told.value.__suppress_context__)   # nothing of the file is shown


def test_a_file_of_keys(tmp_path):
    file = tmp_path/"key.txt"
    file.write_bytes(b"\xef\xbb\xbf# spring\r\nspring-key\r\n\r\n  # summer\nsummer-key\nspring-key")
    assert keys_in(file) == ("spring-key", "summer-key") == Door(key_file=str(file)).keys
    for missing in (tmp_path, tmp_path/"none", "a\0b"):
        with pytest.raises(InputError, match="key_file"): keys_in(missing)


def test_keys_come_from_one_place(tmp_path, monkeypatch):
    file = tmp_path/"key.txt"
    file.write_text("a\n")
    assert read_keys() == () and Door().keys == ()
    monkeypatch.setenv(ENV_KEY, "b")
    assert Door().keys == ("b",)
    for two in (dict(key_file=file), dict(keys=("c",)), dict(key_file=file, keys=("c",))):
        with pytest.raises(InputError, match="두 곳"): Door(**two)
    monkeypatch.setenv(ENV_KEY, "")
    with pytest.raises(InputError, match=ENV_KEY): Door()
    with pytest.raises(InputError, match="두 곳"): Door(keys=("c",))


def test_every_key_is_compared(monkeypatch):
    seen, compare = [], guards.hmac.compare_digest
    monkeypatch.setattr(guards.hmac, "compare_digest", lambda a, b: seen.append(b) or compare(a, b))
    assert opens(("a", "b", "c"), "a") and seen == [b"a", b"b", b"c"]


def test_the_key(caplog):
    client = small(keys=("spring-key", "summer-key"))
    for key in ("spring-key", "summer-key"): assert client.post("/echo", json=[1], headers={"X-API-Key": key}).json == [1]
    for key in ("", "spring", "spring-key, spring-key", "é", " "):
        refused = client.post("/echo", data=b"no json", headers={"X-API-Key": key})
        assert refused.status_code == 401 and error_of(refused)["field"] == "X-API-Key" and refused.headers["WWW-Authenticate"]
    assert client.post("/echo", json={}).status_code == 401
    assert [client.get(p).status_code for p in ("/check", "/file")] == [200, 200]
    assert client.options("/echo").status_code == 200


# where it opens

@pytest.mark.parametrize("host", ["127.0.0.1", "127.255.0.3", "::1", "::ffff:127.0.0.1", "localhost", "0:0:0:0:0:0:0:1"])
def test_this_machine_alone_needs_no_key(host): assert check_exposure(host) == "" == check_exposure(host, public=True)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "0", "::ffff:0.0.0.0", "192.0.2.7", "2001:db8::7", "::ffff:192.0.2.7", "::0"])
def test_others_need_a_key_or_public(host):
    with pytest.raises(InputError, match="--key-file.*--public"): check_exposure(host)
    assert "생년월일" in check_exposure(host, public=True) and "누구나" in check_exposure(host, public=True)
    assert "누구나" not in check_exposure(host, keys=("k",))
    with pytest.raises(InputError, match="--public"): Door(host=host)
    assert Door(host=host, keys=("k",)).notice and Door(host=host, public=True).notice


def test_a_name_is_judged_by_all_its_addresses(monkeypatch):
    found = [(2, 1, 6, "", ("127.0.0.1", 0))]
    monkeypatch.setattr(guards.socket, "getaddrinfo", lambda *_, **__: found)
    assert check_exposure("my-pc") == ""
    found.append((2, 1, 6, "", ("192.0.2.7", 0)))
    with pytest.raises(InputError, match="--public"): check_exposure("my-pc")


def test_a_tunnel_needs_a_key_or_public():
    with pytest.raises(InputError, match="ngrok"): Door(ngrok=True)
    assert "누구나" in Door(ngrok=True, public=True).notice and Door(ngrok=True, keys=("k",)).notice == ""


@pytest.mark.parametrize("host", ["", " ", " 127.0.0.1", "127.0.0.1\n", "[::1]", "http://localhost", "a b", "\0", "x"*300, "없는.invalid", "no-such.invalid", None, 5])
def test_what_is_no_address_to_listen_at(host):
    for more in ({}, dict(public=True), dict(keys=("k",))):
        with pytest.raises(InputError, match="host"): Door(host=host, **more)


# whom a request counts for

@pytest.mark.parametrize("peer, forwarded, trusted, client", [
    ("203.0.113.9", "198.51.100.1", [], "203.0.113.9"),
    ("127.0.0.1", "198.51.100.1", [], "127.0.0.1"),
    ("203.0.113.9", "198.51.100.1", ["127.0.0.1"], "203.0.113.9"),
    ("127.0.0.1", "198.51.100.1", ["127.0.0.1"], "198.51.100.1"),
    ("127.0.0.1", "6.6.6.6, 198.51.100.1", ["127.0.0.1"], "198.51.100.1"),
    ("127.0.0.1", "127.0.0.1, 198.51.100.1", ["127.0.0.1"], "198.51.100.1"),
    ("10.0.0.2", "6.6.6.6,198.51.100.1 , 10.0.0.3,10.0.0.1", ["10.0.0.0/24"], "198.51.100.1"),
    ("::ffff:10.0.0.2", "::ffff:198.51.100.1", ["10.0.0.2"], "198.51.100.1"),
    ("10.0.0.2", "198.51.100.1:4711", ["10.0.0.2"], "198.51.100.1"),
    ("10.0.0.2", "[2001:db8:1:2:3::4]:4711", ["10.0.0.2"], "2001:db8:1:2::/64"),
    ("10.0.0.2", "2001:db8:1:2:3::4", ["10.0.0.2"], "2001:db8:1:2::/64"),
    ("fd00::5", "2001:db8:1:2:3::4", ["fd00::/8"], "2001:db8:1:2::/64"),
    ("10.0.0.2", "", ["10.0.0.2"], "10.0.0.2"),
    ("10.0.0.2", "6.6.6.6, unknown", ["10.0.0.2"], "10.0.0.2"),
    ("10.0.0.2", "6.6.6.6, 1.2.3", ["10.0.0.2"], "10.0.0.2"),
    ("10.0.0.2", "6.6.6.6, " + "9"*5000, ["10.0.0.2"], "10.0.0.2"),
    ("10.0.0.2", ", ,", ["10.0.0.2"], "10.0.0.2"),
    ("10.0.0.2", "10.0.0.7", ["10.0.0.0/24"], "10.0.0.7"),
    ("10.0.0.2", "6.6.6.6, ?, 10.0.0.7", ["10.0.0.0/24"], "10.0.0.7"),
    ("10.0.0.2", "１.２.３.４", ["10.0.0.2"], "10.0.0.2"),
    ("fe80::1%eth0", "", [], "fe80::/64"), ("", "1.2.3.4", ["10.0.0.2"], "unknown"), ("@", "1.2.3.4", ["10.0.0.2"], "unknown")])
def test_whom_a_request_counts_for(peer, forwarded, trusted, client):
    claims = dict.fromkeys(("HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_X_FORWARDED_HOST", "HTTP_CLIENT_IP"), "for=5.5.5.5")
    assert client_of({"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": forwarded, **claims}, networks(trusted)) == client


def test_a_long_line_of_addresses_ends_soon():
    environ = {"REMOTE_ADDR": "10.0.0.2", "HTTP_X_FORWARDED_FOR": ", ".join(["10.0.0.3"]*100_000)}
    assert client_of(environ, networks("10.0.0.0/24")) == "10.0.0.3"


@pytest.mark.parametrize("bad", ["", "localhost", "10.0.0.1/8", "0.0.0.0/0", "::/0", "10.0.0.0/33", "10.0.0", "*", "10.0.0.1:80", None, 7])
def test_what_is_no_proxy(bad):
    with pytest.raises(InputError, match="trusted_proxy"): Door(trusted_proxy=[bad])


# how often

WRONG = {401: dict(json={}), 400: dict(data=b"{", content_type="application/json", headers=KEY), 415: dict(data=b"a", content_type="text/plain", headers=KEY),
         413: dict(data=b" "*(MOST_BYTES + 1), content_type="application/json", headers=KEY), 200: dict(json={}, headers=KEY)}


@pytest.mark.parametrize("status", WRONG)
def test_all_that_is_asked_counts(status):
    client = small(keys=("spring-key",), rate="3 per minute")
    assert [client.post("/echo", **WRONG[status]).status_code for _ in range(5)] == [status]*3 + [429]*2
    late = client.post("/echo", json={}, headers=KEY)
    assert late.status_code == 429 and error_of(late)["field"] == "client" and 1 <= int(late.headers["Retry-After"]) <= 60
    assert client.post("/echo", json={}, headers=KEY, environ_base={"REMOTE_ADDR": "10.0.0.2"}).status_code == 200
    assert client.get("/check").status_code == 200


def test_what_is_wrong_in_the_address_counts():
    client = small(rate="2 per minute")
    replies = [client.get("/word/뷁") for _ in range(3)]
    assert [r.status_code for r in replies] == [404, 404, 429] and error_of(replies[0])["value"] == "뷁"


def test_guessing_keys_at_inner_pages_counts():
    client = small(keys=("spring-key",), rate="3 per minute")
    assert [client.get(p, headers={"X-API-Key": "guess"}).status_code for p in ("/metrics", "/docs/", "/openapi.json", "/metrics")] == [404]*3 + [429]


def test_retry_after_is_what_is_left(monkeypatch):
    rate, now = Rate("1 per minute"), time.time()
    assert rate.count("a") == 0
    for passed, left in ((0.5, 60), (50.2, 10), (59.9, 1)):
        with monkeypatch.context() as m:
            m.setattr(time, "time", lambda: now + passed)
            assert rate.count("a") in (left, left + 1)
    with monkeypatch.context() as m:
        m.setattr(time, "time", lambda: now + 61)
        assert rate.count("a") == 0


def test_the_counts_hold_no_address():
    rate = Rate("1 per minute")
    rate.count("203.0.113.77")
    assert "203.0.113" not in repr(vars(rate.windows.storage)) and "203.0.113" not in repr(vars(rate))


def test_clients_behind_a_proxy_are_told_apart():
    client = small(rate="1 per minute", trusted_proxy=["127.0.0.1"])
    def ask(forwarded): return client.post("/echo", json={}, headers={"X-Forwarded-For": forwarded}).status_code
    assert [ask(f) for f in ("198.51.100.1", "198.51.100.2", "6.6.6.6, 198.51.100.1")] == [200, 200, 429]
    alone = small(rate="1 per minute")
    assert [alone.post("/echo", json={}, headers={"X-Forwarded-For": f"10.0.0.{n}"}).status_code for n in (1, 2)] == [200, 429]


# the name that it is called by

@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "evil.localhost.example", "localhost, localhost", "localhost,evil.example", "", " ", "192.0.2.7",
                                  "0.0.0.0", "[::]", "[2001:db8::1]", "localhost:x", "localhost:80:80", "a@localhost", "localhost/", "http://localhost", "ｌocalhost", "x"*9000, "\xff"])
def test_another_name_is_refused_everywhere(host):
    client = small(keys=("spring-key",))
    for path in ("/", "/check", "/file", "/docs/", "/metrics", "/nowhere", "/old", "/status/500"):
        reply = client.get(path, headers=KEY, environ_overrides={"HTTP_HOST": host})
        assert reply.status_code == 421 and error_of(reply)["field"] == "Host" and len(reply.data) < 1500
    assert client.post("/echo", json={}, headers=KEY, environ_overrides={"HTTP_HOST": host}).status_code == 421


def test_no_name_is_refused():
    def app(environ, start, app=small().application):
        environ.pop("HTTP_HOST")
        return app(environ, start)
    from werkzeug.test import Client
    assert Client(app).get("/check").status_code == 421


def test_names_that_are_ours():
    client = small(allow_host=["Names.Example.com", "10.0.0.7", "::ffff:10.0.0.8"])
    def ask(host): return client.get("/check", environ_overrides={"HTTP_HOST": host}).status_code
    ours = ["localhost", "LOCALHOST:1", "localhost.:8000", "127.0.0.1:8000", "127.0.0.2", "[::1]:8000", "[0:0::1]", "names.example.com.", "10.0.0.7:80", "10.0.0.8"]
    assert {host: ask(host) for host in ours} == dict.fromkeys(ours, 200)
    assert ask("abc.ngrok.app") == 421
    client.door.hosts.add("https://abc.ngrok.app/")
    assert [ask("abc.ngrok.app"), ask("abc.ngrok.app:443"), ask("x.abc.ngrok.app")] == [200, 200, 421]


def test_addresses_are_ours_when_others_may_come():
    for bound in ("0.0.0.0", "::", "192.0.2.7"):
        hosts = Hosts(bound)
        assert all(map(hosts.allows, ("192.0.2.7:8000", "[2001:db8::1]:8000", "localhost", "127.0.0.1"))) and not hosts.allows("evil.example")


@pytest.mark.parametrize("bad", ["", "*", "*.example.com", "https://example.com", "example.com:80", "a/b", "a b", "-a", "a..b", ".", "a,b", "x"*300, None])
def test_what_is_no_name(bad):
    with pytest.raises(InputError, match="allow_host"): Door(allow_host=[bad])


# inner pages

INNER = ("/docs/", "/docs/swagger", "/openapi.json", "/metrics")


def test_inner_pages_are_private():
    client = small()
    for path in INNER:
        for method in ("GET", "HEAD", "POST", "OPTIONS", "PUT"):
            reply = client.open(path, method=method, headers=KEY)
            assert reply.status_code == 404 and not reply.headers.get("Allow")
        assert re.search("--docs|--metrics", error_of(client.get(path))["remedy"])


def test_inner_pages_have_one_address():
    for path in ("//metrics", "/docs//swagger", "///openapi.json", "/metrics/", "/docs/x/y"):
        assert small().get("/", environ_overrides={"PATH_INFO": path}).status_code == 404


def test_a_key_opens_inner_pages():
    client = small(keys=("spring-key",))
    assert [client.get(p).status_code for p in INNER] == [404]*4
    assert [client.get(p, headers={"X-API-Key": "guess"}).status_code for p in INNER] == [404]*4
    assert [client.get(p, headers=KEY).status_code for p in INNER] == [200]*4


def test_flags_open_inner_pages():
    for more in ({}, {"keys": ("spring-key",)}):
        assert [small(docs=True, **more).get(p).status_code for p in INNER] == [200, 200, 200, 404]
        assert [small(metrics=True, **more).get(p).status_code for p in INNER] == [404, 404, 404, 200]


# pages elsewhere

def allowed(client, origin, method="GET"):
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    reply = client.open("/echo", method="OPTIONS", headers=asked) if method == "OPTIONS" else client.get("/check", headers={"Origin": origin})
    assert reply.headers.getlist("Vary") == ["Origin"]
    assert reply.headers.get("Access-Control-Allow-Origin") in (None, origin)
    return "Access-Control-Allow-Origin" in reply.headers


@pytest.mark.parametrize("given, good, bad", [
    ([], ["https://5kletsgo.github.io", "http://localhost:5173", "http://127.0.0.1", "http://[::1]:3000"],
     ["https://5kletsgo.github.io.evil.com", "https://5kletsgo-github.io", "https://5kletsgoxgithub.io", "http://5kletsgo.github.io", "https://localhost", "http://localhost.evil.com",
      "http://localhost:80@evil.com", "null", "https://5kletsgo.github.io:444", "http://127.0.0.1.evil.com", "http://127x0x0x1"]),
    (["https://*.example.com"], ["https://a.example.com", "https://a.b.example.com", "https://xn--hy1b43c.example.com"],
     ["https://example.com", "https://evilexample.com", "https://.example.com", "https://a.example.com.evil.com", "http://a.example.com", "https://a.example.com:8443",
      "https://evil.com/.example.com", "https://evil.com#.example.com", "https://a@b.example.com", "https://axexample.com", "https://a.examplexcom", "null"]),
    (["*"], ["https://any.site", "http://10.0.0.1:81", "http://[2001:db8::1]:8"], ["null", "file://", "https://", "chrome-extension://abc", "*", "https://a b", "https://a,https://b"]),
    (["https://my.example:443", "http://h:80", "http://h:81", "HTTPS://Big.Example", "https://이름.kr", "http://[::2]:9"],
     ["https://my.example", "http://h", "http://h:81", "https://big.example", f"https://{'이름'.encode('idna').decode()}.kr", "http://[::2]:9"], ["https://my.example:444", "https://myxexample", "http://h:82"])])
def test_origins(given, good, bad):
    client = small(origins=given)
    for method in ("GET", "OPTIONS"):
        assert {origin: allowed(client, origin, method) for origin in good} == dict.fromkeys(good, True)
        assert {origin: allowed(client, origin, method) for origin in bad} == dict.fromkeys(bad, False)
    assert client.get("/check").headers["Vary"] == "Origin"


@pytest.mark.parametrize("bad", ["", "null", "example.com", "//example.com", "https://", "https://example.com/", "https://example.com/a", "https://example.com?x", "https://example.com#x",
                                 "https://*", "https://*.com", "https://*.*.com", "https://a.*.com", "https://*a.com", "https://**.a.com", "*.example.com", "ftp://a.b", "https://u@a.b",
                                 "https://a.b:0x", "https://a.b:99999", "https://*.0.0.1", "https://[::1", "https://::1", ".*", "https://a.(b|c)", "https://a.b ", "https://a.b,https://c.d", "httpſ://a.b", "https://ａ.b:８０", None])
def test_what_is_no_origin(bad):
    with pytest.raises(InputError, match="origins"): Door(origins=[bad])


def test_patterns_are_anchored(): assert not origin_pattern("https://a.b").search("xhttps://a.b") and not origin_pattern("https://a.b").match("https://a.b\n")


# every error is ours

@pytest.mark.parametrize("code", [400, 401, 403, 404, 405, 406, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 418, 421, 422, 428, 429, 431, 451, 500, 501, 502, 503, 504, 505])
def test_every_status_is_ours(code):
    reply = small().get(f"/status/{code}")
    error = error_of(reply)
    assert reply.status_code == code and re.search("[가-힣]", error["reason"]) and re.search("[가-힣]", error["remedy"])
    headers, body = refusal(code)
    assert isinstance(body, bytes) and headers == [(str(k), str(v)) for k, v in headers]
    alone, said = dict(headers), json.loads(body)["error"]
    assert all(alone[name] == value for name, value in HEADERS.items()) and alone["Content-Type"] == reply.content_type and alone["Cache-Control"] == "no-store"
    assert {k: said[k] for k in ("field", "reason", "remedy")} == {k: error[k] for k in ("field", "reason", "remedy")}


def test_answers_are_not_kept():
    "By a browser or a proxy; a file of the page may be."
    client = small(docs=True, metrics=True)
    replies = [client.post("/echo", json={}), client.get("/docs/"), client.get("/metrics")]
    assert [(reply.status_code, reply.headers["Cache-Control"]) for reply in replies] == [(200, "no-store")]*3
    assert "no-store" not in client.get("/file").headers.get("Cache-Control", "")


def test_headers_of_errors_are_kept():
    client = small()
    away = client.get("/file", headers={"Range": "bytes=9999999-"})
    assert away.status_code == 416 and error_of(away)["value"] == "bytes=9999999-" and away.headers["Content-Range"].startswith("bytes */")
    assert client.get("/file", headers={"Range": "bytes=0-9"}).status_code == 206
    wrong = client.get("/echo")
    assert wrong.status_code == 405 and error_of(wrong)["value"] == "GET" and set(wrong.headers["Allow"].split(", ")) == {"POST", "OPTIONS"}
    moved = client.get("/", environ_overrides={"PATH_INFO": "/word//seo"})
    assert moved.status_code == 308 and moved.headers["Location"].endswith("localhost/word/seo")
    assert client.get("/old").headers["Location"] == "check" and client.get("/docs").status_code == 404
    assert client.post("/echo", data=b"["*9000, content_type="application/json").status_code == 400
    assert client.post("/echo", data=b"\xff", content_type="application/json").status_code == 400


def test_what_a_client_chose_is_cut():
    client = small()
    for reply in (client.get("/" + "길"*2000), client.open("/echo", method="X"*5000), client.post("/echo", data=b"{}", content_type="a/" + "b"*5000),
                  client.get("/file", headers={"Range": "bytes=" + "9"*5000}), client.get("/word/" + "성"*1000)):
        said = error_of(reply)
        assert len(said["value"]) <= 81 and max(map(len, (said["field"], said["reason"], said["remedy"], said["message"]))) < 400
    said = json.loads(error_body(InputError("칸"*9000, {"값": "값"*9000}, "까닭"*9000, "법"*9000)))["error"]
    assert len(said["field"]) <= 81 and len(said["value"]) <= 81 and all(len(text) < 1300 for text in said.values())
    sent = "가 "*500
    told = json.loads(error_body(InputError("exclude", sent, f"'{sent}'은 안 됩니다", f"{sent}를 빼거나 {'나'*500}를 빼 주세요")))["error"]
    assert all(len(text) < 500 and "가 "*50 not in text and "나"*90 not in text for text in told.values())
    for odd in ("\ud800", float("nan"), float("inf"), 10**400, [1, "\udfff"], b"\xff", True, None): json.loads(error_body(InputError("a", odd, "b", "c")))


SECRET = "http://10.0.0.7:8000/v1 said '1990-05-15 김서연' in /srv/models/secret, connection refused"


@pytest.mark.parametrize("trouble", [Unavailable("model", "/srv/models/secret", SECRET, SECRET), Unavailable("김서연", None, SECRET, SECRET),
                                     Busy("server", SECRET, SECRET, SECRET)], ids=["model", "field", "busy"])
def test_what_broke_here_is_not_told(trouble, caplog):
    with caplog.at_level(logging.DEBUG): reply = small(trouble).get("/trouble")
    error = error_of(reply)
    assert reply.status_code == 503 and reply.headers["Retry-After"] == "3" and error["field"] == "server" and error["value"] is None
    for text in (reply.text, caplog.text):
        for secret in ("10.0.0.7", "1990", "김서연", "srv", "secret", "8000", "v1"): assert secret not in text
    assert ("connection refused" in caplog.text) == (not isinstance(trouble, Busy))


def test_a_bug_is_told_by_its_place(caplog):
    with caplog.at_level(logging.DEBUG): reply = small(ValueError(SECRET)).get("/trouble")
    assert reply.status_code == 500 and error_of(reply)["field"] == "server"
    assert "bug: ValueError test_guards.py:" in caplog.text and "1990" not in caplog.text + reply.text


def test_the_line_knows_when_to_come_back():
    full = Busy("server", None, "줄이 찼습니다", "7초 뒤에 다시 보내 주세요")
    full.after = 6.2
    reply = small(full).get("/trouble")
    assert reply.status_code == 503 and reply.headers["Retry-After"] == "7" and "Retry-After" in error_of(reply)["remedy"]


def test_what_breaks_after_a_reply_is_told_by_its_place(caplog):
    client = small()
    @client.application.after_request
    def broken(reply): raise ValueError(SECRET)
    with caplog.at_level(logging.DEBUG): client.get("/word/제갈")
    assert "bug: ValueError test_guards.py:" in caplog.text
    assert not [m for m in (r.getMessage() for r in caplog.records) if "1990" in m or "제갈" in m or "EC%" in m]


def test_plain_words_are_english():
    from base64 import b32encode, b64encode, urlsafe_b64encode
    from html import escape
    from quopri import encodestring
    from urllib.parse import quote
    assert plain_words("Connection refused: the model did not answer, HTTP 503.") == "Connection refused: the model did not answer, HTTP"
    assert plain_words("No such file or directory; out of memory on GPU") == "No such file or directory; out of memory on GPU"
    for name in ("김서연", "金瑞淵", "제갈공명", "1990-05-15", "1990년 5월 15일 오후 2시 30분"):
        raw = name.encode()
        codes = [name, ascii(name), json.dumps(name), repr(raw), raw.hex(), raw.hex(" "), raw.hex(" ").upper(), raw.hex("-"), quote(name), encodestring(raw).decode(), escape(name),
                 b64encode(raw).decode(), urlsafe_b64encode(raw).decode(), b64encode(name.encode("utf-16")).decode(), b32encode(raw).decode(), name.encode("utf-7").decode(),
                 name.encode("punycode").decode(), raw.decode("latin-1"), name.encode("cp949").decode("latin-1"), " ".join(name), *(name.encode("ascii", how).decode()
                 for how in ("namereplace", "xmlcharrefreplace", "backslashreplace")), f"\x1b[31m{name}\x1b[0m", f"http://10.0.0.7/surnames/{quote(name)}?name={name}"]
        for code in codes:
            kept = plain_words(f"seen {code} there")
            assert kept == "seen there" or (name in ("1990-05-15",) and kept == "seen there"), (code, kept)
    assert len(plain_words("word "*9000)) <= 200 and plain_words("") == "" and plain_words(None) is not None


# counts and log

def test_nothing_that_a_client_chose_is_counted(caplog):
    client = small(metrics=True)
    with caplog.at_level(logging.DEBUG):
        for n in range(200):
            client.open("/echo" if n % 2 else f"/{n}{'길'*500}", method=f"M{n}" + "X"*5000, headers={"Origin": f"https://{n}.secret.example", "Host": "localhost"})
    page = client.get("/metrics").text
    assert len(page) < 100_000 and "XX" not in page and "small_number 7.0" in page
    assert 'saju_request_seconds_count{method="other",route="-",status="405"} 100.0' in page
    assert all(len(r.getMessage()) < 120 for r in caplog.records) and "XX" not in caplog.text and "secret" not in caplog.text
    assert "other - 404" in caplog.text


def test_no_address_is_logged(caplog):
    client = small(keys=("spring-key",), rate="1 per minute", trusted_proxy=["198.51.100.7"])
    with caplog.at_level(logging.DEBUG):
        for _ in range(3): client.post("/echo", json={}, environ_base={"REMOTE_ADDR": "198.51.100.7"}, headers={"X-Forwarded-For": "203.0.113.77", "X-API-Key": "guess-guess"})
    assert "POST /echo 429" in caplog.text
    for text in ("198.51", "203.0.113", "guess"): assert text not in caplog.text


# the options of `serve`

def test_the_table_is_the_command():
    found = {p.name: p for p in cli.commands["serve"].params}
    for option in SERVER:
        assert option.flag in found[option.name].opts and found[option.name].help.startswith(option.help), option.name
        assert re.search("[가-힣]", option.ko) and option.en.isascii()
        assert found[option.name].multiple == (option.kind == "addresses")
    assert {o.name for o in SERVER} == {"host", "port", "workers", "ngrok", "public", "key_file", "trusted_proxy", "allow_host", "origins", "docs", "metrics"}
    assert set(signature(Door).parameters) - {"keys", "rate"} <= {o.name for o in SERVER}


def test_strangers_do_not_see_the_table():
    assert not {o.name for o in SERVER} & set(OPTIONS) and "server" not in TABLES
    assert not {o.name for o in SERVER} & {name for table in options_data().values() for name in table}


def test_python_takes_the_table():
    @checks.takes(SERVER)
    def start(**options): return options
    assert start() == {o.name: o.default for o in SERVER} | {"workers": None, "key_file": None}
    assert start(origins="https://a.b", trusted_proxy=["10.0.0.1"], port=0)["origins"] == ("https://a.b",)
    for bad in (dict(host=""), dict(host="a b"), dict(port=70000), dict(port=True), dict(workers=0), dict(public="아니오"), dict(key_file=""), dict(origins=[""]),
                dict(origins=5), dict(allow_host=["a"]*101), dict(api_key="x"), dict(hots="::1")):
        with pytest.raises(InputError): start(**bad)


@pytest.fixture
def served(monkeypatch):
    "What the command calls `serve` with."
    import saju_naming.serve as room
    seen = {}
    monkeypatch.setattr(room, "serve", lambda **options: seen.update(options))
    return seen


def test_the_command_gives_the_options(served):
    done = CliRunner().invoke(cli, ["serve", "--key-file", "key.txt", "--host", "::", "--origins", "https://a.b", "--origins", "https://*.c.d", "--allow-host", "a.b", "--trusted-proxy",
                                    "10.0.0.0/8", "--docs", "--metrics", "--public", "--port", "0", "--base-url", "http://localhost:8001/v1", "--engine", "openai"])
    assert done.exit_code == 0, done
    assert {o.name: served[o.name] for o in SERVER} == dict(host="::", port=0, workers=None, ngrok=False, public=True, key_file="key.txt", allow_host=("a.b",),
        origins=("https://a.b", "https://*.c.d"), trusted_proxy=("10.0.0.0/8",), docs=True, metrics=True)
    assert (served["engine"], served["model"]) == ("openai", "http://localhost:8001/v1") and "api_key" not in served


@pytest.mark.parametrize("typed", [["--api-key", "hunter2"], ["--api-key=hunter2"], ["--api-key", ""], ["--key-file", "k", "--api-key", "hunter2"], ["--api-key", "hunter2", "--nonsense"]])
def test_a_key_is_not_typed(typed, served):
    done = CliRunner().invoke(cli, ["serve", *typed])
    assert "hunter2" not in str(done.exception) + done.output and not served
    if "--nonsense" not in typed: assert isinstance(done.exception, InputError) and "ps" in str(done.exception) and "--key-file" in str(done.exception)


@pytest.mark.parametrize("typed", [["--host", ""], ["--origins", ""], ["--allow-host", ""], ["--trusted-proxy", ""], ["--key-file", ""], ["--port", "99999"], ["--workers", "0"]])
def test_empty_options_are_errors(typed, served):
    done = CliRunner().invoke(cli, ["serve", *typed])
    assert isinstance(done.exception, InputError) and not served


def test_help_has_groups_and_examples():
    said = CliRunner().invoke(cli, ["serve", "--help"]).output
    for words in (*SERVER_GROUPS, "saju-naming serve --key-file key.txt --host 0.0.0.0", "--public", "--docs", "--base-url"): assert words in said
    assert "--api-key" not in said


def test_limits_is_what_counts(): assert "limits>=" in CFG["serve_requirements"] and "flask-limiter" not in CFG["serve_requirements"].replace("without flask-limiter", "")
