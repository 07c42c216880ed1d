"Writes README.md (and its picture) from nbs/index.ipynb: the text and the outputs, without the code cells."
import re
from pathlib import Path

from nbconvert import MarkdownExporter

ROOT = Path(__file__).parents[1]


def readme():
    "The README's text and its pictures by file name."
    text, resources = MarkdownExporter(exclude_input=True).from_filename(str(ROOT/"nbs"/"index.ipynb"), {"output_files_dir": "README_files"})
    text = re.sub(r"\]\(((?:tutorials/|lib/)?\w+\.ipynb|images/)", r"](nbs/\1", text)
    text = re.sub(r"\n{3,}", "\n\n", re.sub(r"[ ]+\n", "\n", text)).replace("![png]", "![이름 앞뒤의 오행 막대그림]")
    return text.strip() + "\n", resources["outputs"]


if __name__ == "__main__":
    text, pictures = readme()
    (ROOT/"README.md").write_text(text, encoding="utf-8")
    for name, data in pictures.items():
        (ROOT/name).parent.mkdir(exist_ok=True)
        (ROOT/name).write_bytes(data)
