"""Where things that are built once live: outside the source tree, shared by all checkouts of one user."""

import os
from pathlib import Path


def folder(*parts):
    """$FAIRLEAD_CACHE, else ~/.cache/fairlead; the folder is made when missing."""
    base = os.environ.get("FAIRLEAD_CACHE")
    if not base:
        base = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "fairlead")
    path = Path(base).absolute().joinpath(*parts)
    path.mkdir(parents=True, exist_ok=True)
    return path
