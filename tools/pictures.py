"""The pictures in nbs/images, by the system's Chromium: terminal.png (the command) and page.png (the web page) as they are now, and card.png, which stands beside a link to the site.

    python tools/pictures.py
"""
import io, os, re, subprocess, sys
from pathlib import Path

from playwright.sync_api import sync_playwright
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from saju_naming.ohaeng import ELEMENT_COLORS, ELEMENT_HANJA, ELEMENTS
from saju_naming.serve import start

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT/"benchmarks"))
from page import BIRTH, CHROMIUM, ask  # noqa: E402

IMAGES = ROOT/"nbs"/"images"
COMMAND = ["recommend", "--birth", "1990-05-15T14:30", "--gender", "여자", "--surname", "김", "--count", "3"]
SHELL = """<style>i {{ display: inline-block; width: 2ch; font-style: normal }}</style><body style="margin:0"><pre id="shell" style="display:inline-block;margin:0;padding:20px 24px;background:#fdfdfc;color:#222;
font:14px/1.45 'Noto Sans Mono CJK KR',monospace"><b>$ saju-naming {command}</b>\n\n{output}</pre></body>"""
CARD = """<body style="margin:0;width:1200px;height:630px;display:flex;flex-direction:column;justify-content:center;gap:36px;background:#faf8f4;color:#222;font-family:'Noto Sans CJK KR',sans-serif">
<div style="text-align:center;font-size:84px;font-weight:700">사주 작명</div>
<div style="display:flex;justify-content:center;gap:28px">{elements}</div>
<div style="text-align:center;font-size:34px">태어난 때에서, 뜻과 까닭이 있는 한국 이름까지</div></body>"""
DISC = '<div style="width:104px;height:104px;border-radius:50%;background:{color};color:#fff;font-size:52px;line-height:100px;text-align:center">{hanja}</div>'


def terminal(browser):
    "What the command prints, in its colours."
    told = subprocess.run([sys.executable, "-m", "saju_naming", *COMMAND], env={**os.environ, "FORCE_COLOR": "1", "COLUMNS": "96"}, capture_output=True, check=True)
    console = Console(record=True, width=96, file=io.StringIO())
    console.print(Text.from_ansi(told.stdout.decode()))
    page = browser.new_page(viewport={"width": 1000, "height": 800}, device_scale_factor=1.5)
    shown = SHELL.format(command=" ".join(COMMAND), output=console.export_html(inline_styles=True, code_format="{code}"))
    page.set_content(re.sub(r"[^\x00-\xff]", lambda c: f"<i>{c[0]}</i>" if cell_len(c[0]) == 2 else c[0], shown))
    page.locator("#shell").screenshot(path=IMAGES/"terminal.png")


def web(browser):
    "The page after a birth was given."
    running = start(port=0, workers=1)
    page = browser.new_page(viewport={"width": 1200, "height": 1000}, locale="ko-KR", reduced_motion="reduce")
    page.goto(f"http://127.0.0.1:{running.port}/")
    ask(page, BIRTH | {"minute": "30", "count": "4"})
    page.screenshot(path=IMAGES/"page.png")
    running.stop()


def card(browser):
    "The five elements and what this is."
    page = browser.new_page(viewport={"width": 1200, "height": 630})
    page.set_content(CARD.format(elements="".join(DISC.format(color=ELEMENT_COLORS[e], hanja=h) for e, h in zip(ELEMENTS, ELEMENT_HANJA))))
    page.screenshot(path=IMAGES/"card.png")


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for picture in (terminal, web, card): picture(browser)
        browser.close()
