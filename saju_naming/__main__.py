"`python -m saju_naming` is the `saju-naming` command. Written by hand: nbdev writes one module for each notebook, and this belongs to none."
from saju_naming.cli import main

if __name__ == "__main__": main()
