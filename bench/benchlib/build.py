"""The programs of bench/, built Release into the cache, as the packages are."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from bedlib import cache

SOURCE = Path(__file__).resolve().parent.parent.parent


def programs(*targets):
    """Builds these and gives their paths, in the same order."""
    key = hashlib.sha256(str(SOURCE).encode()).hexdigest()[:8]
    folder = cache.folder(f"build-bench-{key}")
    environment = dict(os.environ, CCACHE_DIR=os.environ.get("CCACHE_DIR", str(cache.folder("ccache"))))
    print(f"building {', '.join(targets)} ...", file=sys.stderr, flush=True)
    for command in (["cmake", "-S", SOURCE, "-B", folder, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
                     "-DFAIRLEAD_BUILD_TESTS=OFF"], ["ninja", "-C", folder, *targets]):
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace", check=False, env=environment)
        if done.returncode != 0:
            sys.exit("bench: the build failed:\n" + "\n".join(done.stdout.splitlines()[-40:]))
    found = {file.name: file for file in folder.rglob("fairlead-*") if file.is_file() and os.access(file, os.X_OK)}
    return [found[target] for target in targets]


def packages():
    """Our .deb packages, brought up to date."""
    done = subprocess.run([SOURCE / "integration/build-packages"], stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        sys.exit("bench: the packages could not be built")
