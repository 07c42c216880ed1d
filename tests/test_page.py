"The web page in a real browser against the real server: every way through it, what goes wrong, and who cannot see or point."
import json, re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import SCREENS, static
from playwright.sync_api import expect

from saju_naming.generate import recommend
from saju_naming.manse import four_pillars
from saju_naming.names import surname_info
from saju_naming.naming import check_name
from saju_naming.ohaeng import ELEMENTS, element_of
from saju_naming.prompts import hun_eum

WEB = Path(__file__).parents[1]/"saju_naming"/"web"
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
BIRTH = dict(year="1990", month="5", day="15", hour="14", minute="30")


@pytest.fixture(scope="session")
def elsewhere():
    "The page as static files on another port, as on GitHub Pages."
    with static(WEB) as address: yield address


@pytest.fixture
def visit(browser):
    "A new visitor: visit(address, colour scheme, size) gives a page; errors in its console fail the test."
    visitors, errors = [], []
    def visit(address, scheme="light", size=DESKTOP):
        visitors.append(browser.new_context(color_scheme=scheme, viewport=size, locale="ko-KR", reduced_motion="reduce", accept_downloads=True))
        page = visitors[-1].new_page()
        page.set_default_timeout(20_000)
        page.errors = errors
        page.on("pageerror", lambda e: errors.append(str(e)))
        page.on("console", lambda m: m.type == "error" and not m.text.startswith("Failed to load resource") and errors.append(m.text))
        page.goto(address)
        return page
    yield visit
    for visitor in visitors: visitor.close()
    assert errors == []


def ready(page): expect(page.locator("#ready")).to_have_text("준비됨", timeout=60_000)


def fill(page, surname="김", gender="여자", **birth):
    "Types a birth, a gender and a surname."
    for field, value in (birth or BIRTH).items(): page.locator(f"#{field}").fill(value)
    page.get_by_role("radio", name=gender).check()
    page.locator("#surname").fill(surname)
    expect(page.get_by_role("group", name="성의 한자")).to_be_visible()


def submit(page):
    "Asks for names; gives the body that was sent."
    with page.expect_request("**/name") as sent: page.get_by_role("button", name="이름 짓기").click()
    expect(page.locator(".card").first).to_be_visible()
    return sent.value.post_data_json


def pillars(page):
    "The pillars on the screen, as ['庚午', ...]."
    rows = page.locator(".pillars tbody tr").all()
    return ["".join(pair) for pair in zip(*(row.locator("td b").all_text_contents() for row in rows))]


def names(page): return page.locator(".card h3 span").all_text_contents()


def no_violations(page): assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in Axe().run(page).response["violations"]] == []


def no_overflow(page): assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_birth_to_meaning(visit, server, size, scheme):
    "The whole way at two sizes in two colour schemes: the same answer as the library, nothing that axe objects to, pictures kept."
    page, mark = visit(server, scheme, size), f"{'phone' if size is PHONE else 'desktop'}-{scheme}"
    ready(page)
    def look(step):
        no_violations(page)
        no_overflow(page)
        page.screenshot(path=SCREENS/f"page-{mark}-{step}.png", full_page=step != "3-picked")
    look("1-form")
    fill(page)
    assert submit(page) == {**BIRTH, "gender": "여", "surname": "김", "surname_hanja": "金", "count": 5}
    said = recommend("1990-05-15T14:30", "여자", "김", count=5)
    assert names(page) == [n.hangul for n in said.names]
    assert page.locator(".wish").first.text_content() == said.names[0].meaning
    assert pillars(page) == list(said.analysis.pillars)
    first = page.locator(".card").first
    assert first.locator(".why li").all_text_contents() == list(said.names[0].reason)
    expect(first.locator(".years")).to_contain_text(f"{max(year for year, n in said.names[0].popularity.items() if n is not None)}년")
    first.get_by_text("획수와 소리").click()
    for c in said.names[0].chars: expect(first.get_by_role("row", name=re.compile(rf"^{c.hanja} {c.strokes} {c.original_strokes} "))).to_be_visible()
    look("2-names")
    first.get_by_role("button", name=re.compile("고르기")).click()
    chosen = page.get_by_role("dialog")
    for c in said.names[0].chars: expect(chosen.locator(".mean")).to_contain_text(hun_eum(c.hanja, c.reading))
    shown = chosen.locator(".why li").all_text_contents()
    assert shown and set(shown) < set(said.names[0].details)
    expect(chosen.locator(".mean")).to_have_text(re.compile("'의 뜻을 가집니다.$"))
    look("3-picked")


def test_elements_before_and_after(visit, server):
    "The chart counts the birth and adds the name; every character of the pillars has the colour of its element."
    page = visit(server)
    fill(page)
    submit(page)
    said = recommend("1990-05-15T14:30", "여자", "김", count=5)
    added = said.names[0].elements
    for i, e in enumerate(ELEMENTS):
        column, before, more = page.locator(".elements li").nth(i), said.analysis.counts[e], added.count(e)
        assert column.locator("i.own").count() == before and column.locator("i.added").count() == more
        expect(column).to_contain_text(f"{e} {before}개, 이름까지 {before + more}개")
    for cell in page.locator(".pillars tbody td").all(): assert cell.get_attribute("data-e") == element_of(cell.locator("b").text_content())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_element_colours_can_be_read(visit, server, scheme):
    "Contrast 4.5 of every element's colour on its tint: axe does not judge texts of one character."
    page = visit(server, scheme)
    ratio = page.evaluate("""elements => elements.map(e => {
        const node = Object.assign(document.createElement("span"), { className: "chip", textContent: "木" });
        node.dataset.e = e;
        document.body.append(node);
        const pen = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d");
        const light = colour => {
            pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1);
            const [r, g, b] = [...pen.getImageData(0, 0, 1, 1).data].map(x => x / 255).map(x => x <= .03928 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4);
            return .2126 * r + .7152 * g + .0722 * b + .05;
        };
        const { color, backgroundColor } = getComputedStyle(node), pair = [light(color), light(backgroundColor)];
        return Math.max(...pair) / Math.min(...pair);
    })""", list(ELEMENTS))
    assert all(r >= 4.5 for r in ratio), dict(zip(ELEMENTS, ratio))


def test_lunar_leap_month(visit, server):
    "윤달 can be given only with 음력, and counts as the solar day that it is."
    page = visit(server)
    expect(page.get_by_label("윤달")).to_be_hidden()
    page.get_by_role("radio", name="음력").check()
    page.get_by_label("윤달").check()
    fill(page, year="2020", month="4", day="10", hour="8")
    sent = submit(page)
    assert (sent["lunar"], sent["leap"], "minute" in sent) == (True, True, False)
    assert pillars(page) == list(four_pillars("2020-06-01T08:00").hanja)
    page.get_by_role("radio", name="양력").check()
    assert {"lunar", "leap"}.isdisjoint(submit(page))


def test_hour_unknown(visit, server):
    "Without an hour there are three pillars, and the table says so."
    page = visit(server)
    fill(page)
    page.get_by_label("시를 모름").check()
    expect(page.locator("#hour")).to_be_disabled()
    assert "hour" not in submit(page)
    assert pillars(page) == [*four_pillars("1990-05-15").hanja, "––"]
    expect(page.locator(".pillars td.none").first).to_contain_text("모름")


def test_surname_generation_syllable_and_count(visit, server):
    "The usual Hanja comes first and others can be taken; every name has the syllable in its place; as many names as asked."
    page = visit(server)
    fill(page, "정", "남자", **BIRTH)
    choices = surname_info("정").choices
    assert page.locator("#surname-hanja b").all_text_contents() == [c.hanja for c in choices]
    expect(page.get_by_role("radio", name=choices[0].hanja)).to_be_checked()
    page.get_by_role("radio", name=choices[1].hanja).check()
    expect(page.get_by_label("돌림자 자리")).to_be_disabled()
    page.get_by_label(re.compile("^돌림자 \\(")).fill("준")
    page.get_by_label("돌림자 자리").select_option("끝 글자")
    page.get_by_label("이름 개수").fill("7")
    assert submit(page)["position"] == "second"
    assert len(names(page)) == 7 and all(n.startswith("정") and n.endswith("준") for n in names(page))
    assert set(page.locator(".card .family dt").all_text_contents()) == {choices[1].hanja}


def test_wishes(visit, server):
    "What parents ask for is folded away; what is as usual is not sent, several words are a list, and a wrong one is said at its place."
    page = visit(server)
    fill(page)
    page.get_by_text("더 바라는 것").click()
    no_violations(page)
    page.get_by_label("흔함").select_option("드문 이름")
    page.get_by_label("뺄 소리").fill("ㅎ, ㅇ")
    page.get_by_label("넣을 글자").fill("서:첫")
    sent = submit(page)
    assert {k: sent.get(k) for k in ("rarity", "avoid_sounds", "wanted", "era", "ending")} == dict(rarity="rare", avoid_sounds=["ㅎ", "ㅇ"], wanted=["서:첫"], era=None, ending=None)
    assert names(page) and all(re.fullmatch("김서[^아-잏하-힣]", n) for n in names(page))
    page.get_by_label("첫소리").fill("k")
    page.get_by_text("더 바라는 것").click()
    page.get_by_role("button", name="이름 짓기").click()
    expect(page.locator("#e-wishes")).to_contain_text("첫소리")
    expect(page.get_by_label("첫소리")).to_be_focused()


COUNTS = {"2019": None, "2020": 5, "2021": None, "2022": 8, "2023": 0, "2024": 4, "2025": None}


def test_counts_by_year(visit, server):
    "A line for each run of known years; a year that no table has is a gap, not a zero, and all of it can be heard."
    page = visit(server)
    fill(page)
    def less(route):
        body = route.fetch().json()
        first, second = body["result"]["names"][:2]
        first["popularity"], second["popularity"] = COUNTS, dict.fromkeys(COUNTS)
        route.fulfill(json=body)
    page.route("**/name", less)
    submit(page)
    drawn = page.locator(".card").first.get_by_role("img")
    points = [line.get_attribute("points").split() for line in drawn.locator("polyline").all()]
    assert [len(set(run)) for run in points] == [1, 3] and points[0][0].split(",")[0] < points[1][0].split(",")[0]
    heights = [float(point.split(",")[1]) for point in points[1]]
    assert heights[0] < heights[2] < heights[1]
    assert drawn.get_attribute("aria-label") == "2019년부터 2025년까지 해마다 이 이름을 받은 아이. 가장 많은 해는 2022년 8명. 표에 없는 해 3번."
    expect(page.locator(".card").first.locator(".years")).to_have_text("2024년 4명")
    expect(page.locator(".card").nth(1).locator(".years")).to_have_count(0)
    no_violations(page)


def test_check_a_name(visit, server):
    "A name that one already has: what is said of it, with and without a birth, and what a registry would object to."
    page = visit(server, size=PHONE)
    page.get_by_role("radio", name="이름 검사").check()
    page.get_by_label("성과 이름").fill("김서연")
    page.get_by_label(re.compile("^한자")).fill("金瑞淵")
    go = page.get_by_role("button", name="이름 검사하기")
    go.click()
    expect(page.locator(".verdict strong")).to_have_text(["등록: 괜찮습니다", "어감·놀림: 괜찮습니다", "사주: 아직 모릅니다"])
    told = check_name("김서연", "金瑞淵")
    for verdict, box in zip(told.verdicts, page.locator(".verdict").all()): assert box.locator("li").all_text_contents() == list(verdict.sentences)
    expect(page.locator(".pillars")).to_have_count(0)
    no_violations(page)
    no_overflow(page)
    for field, value in BIRTH.items(): page.locator(f"#{field}").fill(value)
    go.click()
    expect(page.locator(".pillars")).to_be_visible()
    told = check_name("김서연", "金瑞淵", birth="1990-05-15T14:30")
    for sentence in (*told.name.reason, *told.name.details): expect(page.locator(".card")).to_contain_text(sentence)
    for sentence in told.verdicts[2].sentences: expect(page.locator(".verdict").last).to_contain_text(sentence)
    page.screenshot(path=SCREENS/"page-phone-light-check.png", full_page=True)
    page.get_by_role("button", name="김서연 뜻 보기").click()
    expect(page.locator("#picked .mean")).to_contain_text("상서로울 서")
    expect(page.locator("#picked .wish")).not_to_be_empty()
    page.keyboard.press("Escape")
    page.get_by_label(re.compile("^한자")).fill("")
    page.get_by_label("성과 이름").fill("김하늘빛나래별")
    go.click()
    for said in check_name("김하늘빛나래별").verdicts[0].sentences: expect(page.locator(".verdict").first).to_contain_text(said)
    expect(page.locator(".verdict strong").first).to_have_text("등록: 권하지 않습니다")


def test_what_is_missing_and_what_is_wrong(visit, server):
    "Every empty field is named at once; a date that is on no calendar is said at its field, which gets the focus."
    page = visit(server)
    page.get_by_role("button", name="이름 짓기").click()
    for said in ("년, 월, 일을 모두 적어 주세요.", "성별을 골라 주세요.", "성을 적어 주세요."): expect(page.get_by_role("alert").get_by_text(said)).to_be_visible()
    expect(page.locator("#year")).to_be_focused()
    no_violations(page)
    fill(page, **BIRTH | dict(month="2", day="30"))
    page.get_by_role("button", name="이름 짓기").click()
    expect(page.locator("#e-birth")).to_contain_text("달력에 없는 날짜")
    expect(page.locator("#year")).to_be_focused()
    assert page.locator("#year").get_attribute("aria-invalid") == "true" and page.locator("#year").get_attribute("aria-describedby") == "e-birth"
    page.screenshot(path=SCREENS/"page-desktop-light-bad-date.png")
    fill(page, **BIRTH | dict(month="13"))
    page.get_by_role("button", name="이름 짓기").click()
    expect(page.locator("#month")).to_be_focused()
    page.locator("#surname").fill("뷁")
    page.locator("#surname").blur()
    expect(page.locator("#e-surname")).to_contain_text("성씨 표에 없는 성입니다")


def test_server_down_and_back(visit, server):
    "A server that went away is said plainly; once it is back the same question can be asked again."
    page = visit(server)
    fill(page)
    page.route("**/name", lambda route: route.abort())
    page.get_by_role("button", name="이름 짓기").click()
    expect(page.locator("#failed")).to_contain_text("서버에 닿지 못했습니다")
    expect(page.get_by_role("button", name="다시 해 보기")).to_be_focused()
    no_violations(page)
    page.screenshot(path=SCREENS/"page-desktop-light-down.png")
    page.unroute("**/name")
    page.get_by_role("button", name="다시 해 보기").click()
    expect(page.locator(".card").first).to_be_visible()


@pytest.mark.parametrize("status, headers, body, said", [
    (503, {"Retry-After": "7"}, json.dumps({"error": {"field": "server", "value": None, "reason": "줄이 찼습니다", "remedy": "", "message": ""}}), "7초 뒤에 다시"),
    (500, {"Content-Type": "text/html"}, "<h1>oops</h1>", "알 수 없는 답을 보냈습니다(500)"),
    (200, {"Content-Type": "application/json"}, "{", "알 수 없는 답을 보냈습니다(200)")], ids=["busy", "html", "cut"])
def test_answers_that_are_none(visit, server, status, headers, body, said):
    page = visit(server)
    fill(page)
    page.route("**/name", lambda route: route.fulfill(status=status, headers=headers, body=body))
    page.get_by_role("button", name="이름 짓기").click()
    expect(page.locator("#failed")).to_contain_text(said)


def test_slow_answer(visit, server):
    "While one waits the page says so and can be told to stop; then it can be asked again."
    page, held = visit(server), []
    fill(page)
    page.route("**/name", lambda route: held.append(route))
    page.get_by_role("button", name="이름 짓기").click()
    expect(page.locator("#status")).to_have_text("후보를 모두 견주고 이름을 고르는 중입니다.")
    expect(page.locator("#answer")).to_have_attribute("aria-busy", "true")
    expect(page.get_by_role("button", name="이름 짓기")).to_be_disabled()
    no_violations(page)
    page.screenshot(path=SCREENS/"page-desktop-light-slow.png")
    expect(page.locator("#status")).to_contain_text("조금 더 걸리고 있습니다", timeout=15_000)
    page.get_by_role("button", name="그만두기").click()
    expect(page.locator("#intro")).to_be_visible()
    page.unroute("**/name")
    submit(page)
    assert len(held) == 1


def test_address_is_asked_and_remembered(visit, server, elsewhere):
    "As static files the page asks for the server, says when none answers, and knows the address the next time."
    page = visit(elsewhere)
    address = page.get_by_label("서버 주소")
    expect(address).to_be_visible()
    no_violations(page)
    for wrong, said in (("서버", "http:// 나 https:// 로 시작하는"), (elsewhere, "답하지 않습니다")):
        address.fill(wrong)
        page.get_by_role("button", name="연결").click()
        expect(page.locator("#e-address")).to_contain_text(said)
    address.fill(server)
    page.get_by_role("button", name="연결").click()
    ready(page)
    expect(page.locator("#e-address")).to_be_empty()
    page.reload()
    ready(page)
    expect(address).to_have_value(server + "/")
    fill(page)
    submit(page)


def test_api_key_is_asked(visit, server):
    "A server that wants a key gets it in a header."
    def guard(route): route.continue_() if route.request.headers.get("x-api-key") == "열려라".encode().hex() else route.fulfill(status=401, content_type="application/json", body="{}")
    page = visit(server)
    page.route("**/name", guard)
    fill(page)
    page.get_by_role("button", name="이름 짓기").click()
    expect(page.get_by_label("API 키")).to_be_focused()
    page.get_by_label("API 키").fill("열려라".encode().hex())
    page.get_by_role("button", name="연결").click()
    submit(page)


def test_keyboard_alone(visit, server):
    "Every step by keys; after the dialog the focus is where it was."
    page = visit(server)
    ready(page)
    def press(*keys): [page.keyboard.press(k) for k in keys]
    press("Tab")
    expect(page.get_by_role("link", name="본문으로 건너뛰기")).to_be_focused()
    press("Enter", "Tab", "Tab", "Tab")                                  # 할 일, 달력, 년
    for value in BIRTH.values():
        page.keyboard.type(value)
        press("Tab")
    press("Tab", "Space", "Tab")                                         # 시를 모름을 지나 남자
    page.keyboard.type("이")
    expect(page.get_by_role("radio", name="李")).to_be_visible()
    press("Tab", "ArrowRight")
    expect(page.get_by_role("radio", name=surname_info("이").choices[1].hanja)).to_be_checked()
    press("Enter")
    expect(page.get_by_role("heading", name="사주와 오행")).to_be_focused()
    choose = page.locator(".card").first.get_by_role("button", name=re.compile("고르기"))
    for _ in range(12):
        press("Tab")
        if choose.evaluate("node => node === document.activeElement"): break
    press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(choose).to_be_focused()


def test_copy_image_and_print(visit, server):
    "A name goes along as text, as a picture and on paper."
    page = visit(server)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    fill(page)
    submit(page)
    page.get_by_role("button", name="모두 복사").click()
    expect(page.locator("#said")).to_have_text("복사했습니다.")
    copied = page.evaluate("navigator.clipboard.readText()").split("\n\n")
    first = recommend("1990-05-15T14:30", "여자", "김", count=5).names[0]
    assert len(copied) == 5 and copied[0].split("\n")[0] == f"{first.hangul}({first.hanja}) {first.romanization}" and first.meaning in copied[0]
    page.emulate_media(media="print")
    expect(page.locator("#form")).to_be_hidden()
    expect(page.locator(".card").last).to_be_visible()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(page.locator("details.fold[open]")).to_have_count(5)
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(page.locator("details.fold[open]")).to_have_count(0)
    page.emulate_media(media="screen")
    page.pdf(path=SCREENS/"page-print.pdf", format="A4")
    page.locator(".card .main").first.click()
    expect(page.locator(".mean")).to_be_visible()
    with page.expect_download() as got: page.get_by_role("button", name="그림으로 저장").click()
    assert got.value.suggested_filename == f"{first.hangul}.png"
    got.value.save_as(SCREENS/"page-name.png")
    assert (SCREENS/"page-name.png").read_bytes()[:24] == b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + (1080).to_bytes(4) + (1350).to_bytes(4)


KOREAN_SEEN = """() => [...document.querySelectorAll("body *")].flatMap(node => [...node.childNodes].filter(n => n.nodeType === 3 && /[가-힣]/.test(n.data)).map(n => [n.data.trim(), node]))
    .filter(([, node]) => node.checkVisibility() && !node.closest("[lang=ko]")).map(([text]) => text)"""


def test_english(visit, server):
    "In English every Korean word is content and marked as Korean; the choice is remembered, and axe is content."
    page = visit(server, size=PHONE)
    page.get_by_role("button", name="English").click()
    assert page.evaluate(KOREAN_SEEN) == [] and page.evaluate("document.documentElement.lang") == "en"
    page.reload()
    expect(page.locator("#ready")).to_have_text("Ready")
    page.get_by_role("button", name="Find names").click()
    assert page.evaluate(KOREAN_SEEN) == []
    for field, value in BIRTH.items(): page.locator(f"#{field}").fill(value)
    page.get_by_role("radio", name="Female").check()
    page.locator("#surname").fill("김")
    page.get_by_role("button", name="Find names").click()
    expect(page.locator(".card").first).to_be_visible()
    for summary in page.locator("#shown summary").all(): summary.click()
    assert page.evaluate(KOREAN_SEEN) == []
    no_violations(page)
    no_overflow(page)
    page.screenshot(path=SCREENS/"page-phone-light-english.png", full_page=True)
    page.get_by_role("button", name="Choose").first.click()
    expect(page.locator(".mean")).to_contain_text("It means")
    assert page.evaluate(KOREAN_SEEN) == []
    page.keyboard.press("Escape")
    page.get_by_role("radio", name="Check a name").check()
    page.locator("#name").fill("김")
    page.get_by_role("button", name="Check the name").click()
    expect(page.locator("#e-name")).to_contain_text("Please look at this field again.")
    assert page.evaluate(KOREAN_SEEN) == []


def test_errors_are_shown(visit, server):
    "An error in the page is shown, not swallowed: thrown, refused by a promise, or a file that does not come."
    page = visit(server)
    ready(page)
    page.evaluate("setTimeout(() => { throw new Error('시험 하나'); })")
    expect(page.locator("#problem")).to_contain_text("시험 하나")
    no_violations(page)
    page.locator("#problem button").click()
    expect(page.locator("#problem")).to_be_hidden()
    page.evaluate("void Promise.reject(new Error('시험 둘'))")
    expect(page.locator("#problem")).to_contain_text("시험 둘")
    page.route("**/name", lambda route: route.fulfill(json={"result": {"names": []}}))
    fill(page)
    page.locator("#problem button").click()
    page.get_by_role("button", name="이름 짓기").click()
    expect(page.locator("#problem")).to_contain_text("TypeError")
    page.errors.clear()
    page.route("**/view.js", lambda route: route.abort())
    page.reload()
    expect(page.locator("#problem")).to_contain_text(re.compile(r"could not load.*/(app|view)\.js"))   # whichever is told last
    page.errors.clear()


def test_server_text_is_never_html(visit, server):
    "Words of the server are shown as words."
    page = visit(server)
    fill(page)
    page.route("**/name", lambda route: route.fulfill(status=422, json={"error": {"field": "birth", "value": "", "reason": "<img src=x onerror=alert(1)>", "remedy": "없음", "message": ""}}))
    page.get_by_role("button", name="이름 짓기").click()
    expect(page.locator("#e-birth")).to_contain_text("<img src=x")
    assert page.locator("#e-birth img").count() == 0


def test_narrowest_phone(visit, server):
    "320 CSS pixels, which is also 400% zoom of a usual screen (WCAG 1.4.10)."
    page = visit(server, size={"width": 320, "height": 640})
    fill(page, "남궁")
    page.get_by_text("더 바라는 것").click()
    no_overflow(page)
    page.screenshot(path=SCREENS/"page-narrow-wishes.png", full_page=True)
    submit(page)
    for summary in page.locator("#shown summary").all(): summary.click()
    no_overflow(page)
