"""Foreign clients of the API, from PyPI, each set in a virtual environment of its own that is cached outside the source
tree. The environments see the system's packages: what Debian maintains need not come from PyPI."""

import hashlib
import json
import os
import sys
from pathlib import Path

from . import cache
from .system import locked, run
from .testing import skip

PYTHON = "/usr/bin/python3"  # Debian's, whose packages the environment is to see


def run_inside(name, *requirements):
    """Goes on inside the environment with exactly these packages; made when it was never made before.

    To be called first thing in a test: the test is started again, under the environment's own interpreter. What the
    packages depend on is for the caller to name, so that nothing is built that Debian has already built.
    """
    key = hashlib.sha256(json.dumps([sys.version, *requirements]).encode()).hexdigest()[:12]
    folder = cache.folder("clients") / f"{name}-{key}"
    if Path(sys.prefix) == folder:
        return
    with locked(cache.folder("clients") / f"{name}.lock"):
        if not (folder / "complete").exists():
            _make(folder, requirements)
    python = folder / "bin" / "python3"
    os.execv(python, [python, "-B", *sys.argv])


def _make(folder, requirements):
    run(PYTHON, "-m", "venv", "--clear", "--system-site-packages", folder)
    done = run(folder / "bin" / "pip", "install", "--quiet", "--no-deps", "--no-input", "--disable-pip-version-check",
               *requirements, check=False)
    if done.returncode != 0:
        skip(f"pip cannot install {requirements[0]} here: {done.stdout.strip().splitlines()[-1]}")
    (folder / "complete").touch()
