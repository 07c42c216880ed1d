"What the README tells a reader to type works, and what it points to is there."
import os, re, shlex, shutil, subprocess, sys
from pathlib import Path

import pytest
from conftest import BIN, CFG, ROOT

README = (ROOT/"README.md").read_text(encoding="utf-8")


def blocks(language): return re.findall(rf"(?ms)^```{language}\n(.*?)^```", README)


COMMANDS = [words for block in blocks("sh") for line in block.splitlines() if (words := shlex.split(line, comments=True))]


@pytest.mark.parametrize("words", [w for w in COMMANDS if w[0] == "make"], ids=" ".join)
def test_make(words):
    "CI runs `make name` and `make test` themselves."
    if not shutil.which("make"): pytest.skip("make가 없습니다")
    assert subprocess.run([*words, "-n"], cwd=ROOT, capture_output=True, check=True).stdout


@pytest.mark.parametrize("words", [w for w in COMMANDS if w[0] != "make"], ids=" ".join)
def test_without_make(words):
    "The command is run; an installation and the tests, which a test cannot run, must at least be there."
    program = Path(words[0]).name
    if program == "saju-naming": assert subprocess.run([BIN/program, *words[1:]], capture_output=True, check=True).stdout
    elif program == "pip": assert set(re.findall(r"\w+", words[-1])) <= {f.removesuffix("_requirements") for f in CFG if f.endswith("_requirements")} and words[-1].startswith(".")
    elif "-m" in words: assert subprocess.run([sys.executable, *words[1:3], "--help"], capture_output=True, check=True).stdout
    else: assert shutil.which(program, path=os.pathsep.join([str(BIN), os.environ["PATH"]]))


def test_the_code():
    for block in blocks("python"): exec(block, {})
    assert blocks("python")


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\((.+?)\)", README))))
def test_links(link):
    "Files of this repository, also where they are named by their address."
    path = link.removeprefix(CFG["git_url"] + "/blob/main/")
    assert re.match("https?:", path) or (ROOT/path).is_file()


def test_the_pictures_are_described():
    assert len(re.findall(r"!\[[^]]{5,}\]\(\S+\.(?:png|svg)\)", README)) == README.count("![") > 2
