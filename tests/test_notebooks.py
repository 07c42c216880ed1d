"Every notebook once, as a learner runs it: in JupyterLab's own kernel, each in a kernel of its own, in an order that nobody chose."
import os, random, re
from concurrent.futures import ThreadPoolExecutor

import nbformat
from conftest import BIN, CFG, NOTEBOOKS
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

SKIPPED = re.compile(rf"(?m)^#\|\s*(?:eval:\s*false|{'|'.join(CFG['tst_flags'].split())})\s*$")  # cells that nbdev_test leaves out too
FONTS = re.compile(r"Glyph \d+ .* missing|findfont: |font cache")                                    # what matplotlib says of letters that it cannot draw


def said(notebook):
    "What the cells of a notebook wrote on stderr."
    outputs = [o for c in notebook.cells if c.cell_type == "code" for o in c.outputs]
    return "".join(o.text for o in outputs if o.output_type == "stream" and o.name == "stderr")


def execute(path):
    "What went wrong in a notebook, or ''."
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if SKIPPED.search(cell.source): cell.metadata["tags"] = ["skip-execution"]
        if cell.cell_type == "code": cell.outputs = []
    client = NotebookClient(notebook, timeout=900, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}})
    try: client.execute()
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as e: return str(e)
    return "\n".join(line for line in said(notebook).splitlines() if FONTS.search(line))


def test_notebooks_in_any_order(monkeypatch):
    monkeypatch.setenv("PATH", os.pathsep.join([str(BIN), os.environ["PATH"]]))
    order = random.sample(NOTEBOOKS, len(NOTEBOOKS))
    with ThreadPoolExecutor(2) as pool: found = dict(zip(order, pool.map(execute, order)))
    assert not {p.name: text for p, text in found.items() if text}, [p.stem for p in order]


def test_cells_with_a_flag_are_left_out():
    assert [bool(SKIPPED.search(s)) for s in ("#| gpu\nx", "#| export\n#| notest", "#| eval: false\nx", "#| export\nx", "x  #| gpu")] == [True, True, True, False, False]
