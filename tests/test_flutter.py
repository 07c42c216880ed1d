"The Flutter client in a real browser against the real server: served from here and published as static files."
import asyncio, re, socket, threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest, uvicorn, yaml
from click.testing import CliRunner
from conftest import SCREENS, static
from playwright.sync_api import expect

from saju_naming import flutter
from saju_naming.cli import cli
from saju_naming.generate import recommend
from saju_naming.prompts import hun_eum, name_block

ROOT = Path(__file__).parents[1]
WAIT = 240_000  # ms: Python itself has to arrive in the browser, on a machine that may be busy
DESKTOP, PHONE = {"width": 1000, "height": 900}, {"width": 390, "height": 844}
BIRTH = {"년 (양력)": "1990", "월": "5", "일": "15", "시각 (모르면 비움)": "14:30", "성 (비우면 김)": "김"}


@pytest.fixture(scope="module")
def served():
    "The client as `saju-naming flutter` serves it."
    sock = socket.create_server(("127.0.0.1", 0))
    web = uvicorn.Server(uvicorn.Config(flutter.web_app(), log_level="warning", ws="websockets-sansio"))
    thread = threading.Thread(target=web.run, kwargs={"sockets": [sock]})
    thread.start()
    yield f"http://127.0.0.1:{sock.getsockname()[1]}/"
    web.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    "The client as `saju-naming flutter --publish` writes it, below /saju_naming_web/ of a plain file server."
    root = tmp_path_factory.mktemp("pages")
    said = CliRunner().invoke(cli, ["flutter", "--publish", "--base-href", "/saju_naming_web/", "--output", str(root/"saju_naming_web")])
    assert said.exit_code == 0 and "GitHub Pages" in said.output
    with static(root) as address: yield address + "saju_naming_web/"


@pytest.fixture
def visit(browser):
    "A new visitor: visit(address, size, colour scheme) gives a page whose texts can be found. Afterwards: no glyph was missing, nothing came from elsewhere."
    contexts, glyphs, elsewhere = [], [], []
    def note(request):
        if "/assets/fonts/noto" in request.url: glyphs.append(request.url)                       # the engine looks for a font when its own lacks a character
        if request.url.startswith("http") and urlsplit(request.url).hostname not in ("127.0.0.1", "localhost"): elsewhere.append(request)
    def visit(address, size=DESKTOP, scheme="light"):
        contexts.append(browser.new_context(viewport=size, color_scheme=scheme, locale="ko-KR"))
        page = contexts[-1].new_page()
        page.on("request", note)
        return opened(page, address)
    yield visit
    for context in contexts: context.close()
    assert glyphs == []
    assert [r.url for r in elsewhere if r.failure != "csp"] == []


def opened(page, address):
    "Opens the client and switches its accessibility tree on."
    page.goto(address)
    page.wait_for_selector("flt-semantics-placeholder", state="attached", timeout=WAIT)
    page.locator("flt-semantics-placeholder").evaluate("node => node.click()")
    page.get_by_label("서버 주소").wait_for(timeout=WAIT)
    return page


def fill(page, **fields):
    "Types as a person does; Flutter takes the keys only when the field is ready."
    for label, value in fields.items():
        field = page.get_by_label(label, exact=True)
        field.click()
        page.wait_for_timeout(300)
        page.keyboard.press("Control+A")
        page.keyboard.type(value, delay=40)
        expect(field).to_have_value(value)


def button(page, name): return page.get_by_role("button", name=name, exact=True)


def connect(page, server):
    fill(page, **{"서버 주소": server})
    button(page, "연결").click()


def ready(page, server):
    connect(page, server)
    expect(page.get_by_text("서버가 준비되었습니다.")).to_be_visible()


def give_birth(page, gender="여자", **other):
    fill(page, **BIRTH | other)
    page.get_by_role("radio", name=gender).click()


def screenshot(page, name):
    page.wait_for_timeout(500)   # ripples end
    page.screenshot(path=SCREENS/f"flutter-{name}.png")


def no_overflow(page):
    for part in page.locator("flt-semantics input, flt-semantics [role=button], flt-semantics span").all():
        box = part.bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= page.viewport_size["width"], part.text_content()


@pytest.mark.parametrize("how, size, scheme", [("served", DESKTOP, "light"), ("served", PHONE, "dark"), ("published", PHONE, "light")], ids=["served", "served-phone", "published-phone"])
def test_birth_to_meaning(request, visit, server, how, size, scheme):
    "The three steps, the same names as the library's, and the way back."
    page, mark = visit(request.getfixturevalue(how), size, scheme), f"{how}-{'phone' if size is PHONE else 'desktop'}-{scheme}"
    ready(page, server)
    give_birth(page)
    screenshot(page, f"{mark}-1-form")
    no_overflow(page)
    button(page, "이름 짓기").click()
    said = recommend("1990-05-15T14:30", "여자", "김", count=3)
    expect(page.get_by_text("년 ".join(said.analysis.pillars_ko[:2]) + "월")).to_be_visible()
    expect(page.get_by_text(said.explanation)).to_be_visible()
    blocks = [name_block(tuple((c.hanja, c.reading) for c in n.chars)) for n in said.names]
    cards = [page.get_by_role("button", name=re.compile(re.escape(b.split("\n")[0]))) for b in blocks]
    for card, block in zip(cards, blocks):
        for line in block.split("\n"): expect(card).to_contain_text(line)
    screenshot(page, f"{mark}-2-names")
    no_overflow(page)
    cards[1].click()
    meaning = page.get_by_text("의 뜻을 가집니다.")
    for c in said.names[1].chars: expect(meaning).to_contain_text(hun_eum(c.hanja, c.reading))
    screenshot(page, f"{mark}-3-meaning")
    no_overflow(page)
    button(page, "다른 이름 고르기").click()
    expect(cards[0]).to_be_visible()
    button(page, "처음으로").click()
    page.get_by_label("년 (양력)").click()   # Flutter tells the value of a field when it has the focus
    expect(page.get_by_label("년 (양력)")).to_have_value("1990")


def test_server_down_and_back(visit, served, server):
    "An address where nothing answers is said plainly, at the start and in between; what was typed stays; a good address is remembered."
    with socket.create_server(("127.0.0.1", 0)) as nothing: dead = f"http://127.0.0.1:{nothing.getsockname()[1]}"
    page = visit(served)
    connect(page, dead)
    expect(page.get_by_text(re.compile(f"{dead}.*서버에 닿지 못했습니다"))).to_be_visible()
    expect(button(page, "이름 짓기")).to_be_disabled()
    screenshot(page, "down")
    ready(page, server)
    give_birth(page)
    fill(page, **{"서버 주소": dead})
    button(page, "이름 짓기").click()
    expect(page.get_by_text("서버에 닿지 못했습니다")).to_be_visible()
    fill(page, **{"서버 주소": server})
    button(page, "이름 짓기").click()
    expect(page.get_by_text("이름을 하나 고르세요.")).to_be_visible()
    opened(page, served)
    expect(page.get_by_text("서버가 준비되었습니다.")).to_be_visible()
    page.get_by_label("서버 주소").click()
    expect(page.get_by_label("서버 주소")).to_have_value(server)


def test_what_is_missing_and_what_is_wrong(visit, served, server):
    "The server's sentence about a date that is on no calendar, and about a gender that was not chosen."
    page = visit(served, PHONE)
    ready(page, server)
    fill(page, **BIRTH)
    button(page, "이름 짓기").click()
    expect(page.get_by_text("성별(gender)")).to_be_visible()
    give_birth(page, **{"월": "2", "일": "30"})
    button(page, "이름 짓기").click()
    expect(page.get_by_text("달력에 없는 날짜")).to_be_visible()
    screenshot(page, "bad-date")
    fill(page, **{"일": "28"})
    button(page, "이름 짓기").click()
    expect(page.get_by_text("이름을 하나 고르세요.")).to_be_visible()


def test_slow_answer(visit, served, server, monkeypatch):
    "While one waits the page says so, and pressing again asks nothing more."
    asked, go, call = [], threading.Event(), flutter.call
    async def held(server, path, *rest):
        asked.append(path)
        while path == "/name" and not go.is_set(): await asyncio.sleep(0.05)
        return await call(server, path, *rest)
    monkeypatch.setattr(flutter, "call", held)
    page = visit(served)
    ready(page, server)
    give_birth(page, "남자")
    button(page, "이름 짓기").click()
    expect(page.get_by_text("이름을 고르고 있습니다…")).to_be_visible()
    expect(button(page, "이름 짓기")).to_be_disabled()
    screenshot(page, "slow")
    go.set()
    expect(page.get_by_text("이름을 하나 고르세요.")).to_be_visible()
    expect(page.get_by_text("이름을 고르고 있습니다…")).to_be_hidden()
    assert asked.count("/name") == 1


def test_model_that_is_still_loading(visit, served, server, monkeypatch):
    "The button waits until the server says that it is ready."
    replies, call = [False, False], flutter.call
    async def loading(server, path, *rest): return {"isReady": replies.pop()} if replies else await call(server, path, *rest)
    page = visit(served)
    monkeypatch.setattr(flutter, "call", loading)
    connect(page, server)
    expect(page.get_by_text("서버가 모델을 읽고 있습니다…")).to_be_visible()
    expect(button(page, "이름 짓기")).to_be_disabled()
    expect(page.get_by_text("서버가 준비되었습니다.")).to_be_visible()
    expect(button(page, "이름 짓기")).to_be_enabled()


def test_workflow_publishes_with_this_command(tmp_path, monkeypatch):
    "The workflow's command line is one that this version takes."
    steps = yaml.safe_load((ROOT/".github"/"workflows"/"docs.yml").read_text(encoding="utf-8"))["jobs"]["build"]["steps"]
    [line] = [s["run"] for s in steps if "saju-naming flutter" in s.get("run", "")]
    command = line.replace('"${{ steps.pages.outputs.base_path }}/app/"', "/saju-naming/app/").split()[1:]
    [folder] = [s["with"]["path"] for s in steps if "upload-pages-artifact" in s.get("uses", "")]
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(cli, command).exit_code == 0
    assert '<base href="/saju-naming/app/">' in (Path(folder)/"app"/"index.html").read_text(encoding="utf-8")
