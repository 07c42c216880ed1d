"""The web page in Chromium, against the server on loopback: first paint, and from the button to the names.

    python benchmarks/page.py [--repeats 5] [--json FILE]

Every round is a new visitor with an empty cache. "first paint" is the browser's own first-contentful-paint after the navigation began; "names shown"
is from the click to the first card on the screen, five names. The server is warm: its /check says ready.
Bars: first paint under 0.3 s, names within 2 s, both on an idle machine.
"""
import argparse, json, shutil, statistics, time
from pathlib import Path

from playwright.sync_api import sync_playwright

from saju_naming.serve import start

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
BIRTH = dict(year="1990", month="5", day="15", hour="14", minute="30", surname="김")
PAINT = "new Promise(done => new PerformanceObserver(list => done(list.getEntriesByName('first-contentful-paint')[0].startTime / 1000)).observe({type: 'paint', buffered: true}))"


def ask(page, form):
    "Fills the form of an open page and waits for the names; seconds from the button to the first card."
    page.wait_for_selector("#ready[data-state=ready]", timeout=120_000)
    for field, value in form.items(): page.fill(f"#{field}", value)
    page.get_by_role("radio", name="여자").check()
    page.wait_for_selector("#surname-hanja:not([hidden])")
    began = time.perf_counter()
    page.click("#go")
    page.wait_for_selector(".card")
    return time.perf_counter() - began


def visit(browser, address):
    "(first paint, names shown) in seconds, of a new visitor."
    page = browser.new_page(locale="ko-KR")
    page.goto(address)
    painted, took = page.evaluate(PAINT), ask(page, BIRTH)
    page.close()
    return painted, took


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers to this file")
    args = parser.parse_args()
    running = start(port=0, rate="100000 per minute")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        visit(browser, f"http://127.0.0.1:{running.port}/")
        rounds = [visit(browser, f"http://127.0.0.1:{running.port}/") for _ in range(args.repeats)]
        browser.close()
    running.stop()
    rows = [{"what": what, "unit": "초", "ours": min(values), "note": f"가운데 값 {statistics.median(values):.2f}, 가장 느린 값 {max(values):.2f}"}
            for what, values in zip(("웹 페이지, 첫 그림까지", "웹 페이지, 단추에서 이름까지"), zip(*rounds))]
    for row in rows: print(f"{row['what']}: {row['ours']:.2f} {row['unit']} ({row['note']})")
    if args.json: args.json.write_text(json.dumps({"rounds": rounds, "rows": rows}, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__": main()
