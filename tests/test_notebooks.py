"Every notebook as a learner runs it: `jupyter execute`, in JupyterLab's own kernel spec, each in a kernel of its own, in an order that nobody chose."
import os, random, subprocess
from concurrent.futures import ThreadPoolExecutor

from conftest import BIN, NOTEBOOKS


def execute(notebook):
    "What went wrong in a notebook, or ''."
    paths = os.pathsep.join([str(BIN), os.environ["PATH"]])
    done = subprocess.run([str(BIN/"jupyter"), "execute", "--kernel_name=python3", str(notebook)], env={**os.environ, "PATH": paths}, capture_output=True, encoding="utf-8", errors="replace", timeout=900)
    return done.stderr if done.returncode else ""


def test_notebooks_in_any_order():
    order = random.sample(NOTEBOOKS, len(NOTEBOOKS))
    with ThreadPoolExecutor(2) as pool: said = dict(zip(order, pool.map(execute, order)))
    assert not {p.name: text for p, text in said.items() if text}, [p.stem for p in order]
