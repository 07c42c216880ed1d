"""Makes _proc, the notebooks as the site shows them, from nbs.

    python tools/docs.py

What `nbdev_proc_nbs` does, without its first step: where Quarto is missing that one fetches it as root and installs this package into whichever Python is first on the path.
"""
from nbdev.config import get_config
from nbdev.quarto import nbdev_sidebar, refresh_quarto_yml
from nbdev.serve import proc_nbs

if __name__ == "__main__":
    refresh_quarto_yml()
    nbdev_sidebar.__wrapped__(path=get_config().nbs_path)
    proc_nbs(force=True, n_workers=2)
