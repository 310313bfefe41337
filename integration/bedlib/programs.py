"""Test programs for booted hosts, built by CMake where ./run-tests builds all other tests."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from . import cache

SOURCE = Path(__file__).resolve().parents[2]


def build_folder():
    key = hashlib.sha256(str(SOURCE).encode()).hexdigest()[:8]
    return cache.folder(f"build-tests-{key}")


def configuration(folder):
    return ["cmake", "-S", str(SOURCE), "-B", str(folder), "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug",
            "-DCMAKE_CXX_FLAGS_DEBUG=-O1 -g1"]


def environment():
    # ccache takes files that use a precompiled header only when it may be less than exact about macros and times.
    return dict(os.environ, CCACHE_DIR=os.environ.get("CCACHE_DIR", str(cache.folder("ccache"))),
                CCACHE_SLOPPINESS="pch_defines,time_macros", CCACHE_INODECACHE="true")


def build(*targets):
    """Builds targets and returns where their programs are; a failed build ends the test with its output."""
    folder = build_folder()
    for command in (configuration(folder), ["ninja", "-C", str(folder), "-j2", *targets]):
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace", check=False, env=environment())
        if done.returncode != 0:
            sys.exit(done.stdout)
    return [next(path for path in folder.rglob(target) if path.is_file() and os.access(path, os.X_OK))
            for target in targets]
