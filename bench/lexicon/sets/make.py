#!/usr/bin/env python3
"""Makes the sets that `glyphward bench lexicon --eval` reads, from the lexicon's terms and from texts that packages hold.

    bench/lexicon/sets/make.py [--out FOLDER] [--seed N] [--only disguises|hostile|close|ordinary ...] [--sample]

On the first run it makes a virtual environment in the cache folder (GLYPHWARD_CACHE) with the packages of
requirements.txt. --sample writes the small sets of tests/data/lexicon. README.md says what each set holds."""
import argparse
import os
import pathlib
import subprocess
import sys

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))
sys.dont_write_bytecode = True
SETS = ["disguises", "hostile", "close", "ordinary"]


def cache():
    base = os.environ.get("GLYPHWARD_CACHE") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "glyphward")
    return pathlib.Path(base) / "lexicon-sets"


def environment():
    """The interpreter of the virtual environment, made where the requirements have changed."""
    python, done = cache() / "env/bin/python", cache() / "installed.txt"
    wanted = (FOLDER / "requirements.txt").read_text()
    if not done.exists() or done.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", cache() / "env"], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r",
                        FOLDER / "requirements.txt"], check=True)
        done.write_text(wanted)
    return python


def make(options):
    import close
    import common
    import disguises
    import hostile
    import ordinary
    if options.sample:
        folder = common.ROOT / "tests/data/lexicon"
        common.write(folder / "split.jsonl", disguises.rows(options.seed, 1100))
        common.write(folder / "close.jsonl", close.rows(options.seed, sample=True))
        return
    options.out.mkdir(parents=True, exist_ok=True)
    for name in options.only or SETS:
        rows = {"disguises": lambda: disguises.rows(options.seed, 20000), "hostile": lambda: hostile.rows(options.seed),
                "close": lambda: close.rows(options.seed), "ordinary": ordinary.rows}[name]()
        common.write(options.out / f"{name}.jsonl", rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=cache() / "sets")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="+", choices=SETS)
    parser.add_argument("--sample", action="store_true")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        make(options)
    else:
        command = [environment(), __file__, *sys.argv[1:], "--inside"]
        sys.exit(subprocess.run(command).returncode)


if __name__ == "__main__":
    main()
