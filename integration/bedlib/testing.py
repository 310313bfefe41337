"""What integration tests start from: a bed of their own that is gone when the test ends, whatever way it ends."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

from .system import wait_until  # noqa: F401  (tests import it from here)

BED = Path(__file__).resolve().parent.parent / "bed"
SKIP_STATUS = 77


class TestBed:
    def __init__(self, name):
        self.name = name

    def _run(self, verb, words):
        return subprocess.run([BED, verb, "--name", self.name, *words], stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)

    def status(self, verb, *words):
        """Runs `bed VERB ...` and returns its exit status."""
        return self._run(verb, words).returncode

    def __call__(self, verb, *words, check=True):
        """Runs `bed VERB ...` and returns what it printed."""
        done = self._run(verb, words)
        if check and done.returncode != 0:
            sys.exit(f"`bed {verb} {' '.join(map(str, words))}` failed with status {done.returncode}:\n{done.stdout}")
        return done.stdout.strip()

    def on(self, host, script, check=True):
        """Runs a line of shell on a host and returns what it printed."""
        return self("exec", host, "--", "sh", "-c", script, check=check)

    def copy(self, file, host, path):
        """Puts a program of this machine on a host."""
        with open(file, "rb") as source:
            subprocess.run([BED, "exec", "--name", self.name, host, "--", "sh", "-c", 'cat > "$0" && chmod 755 "$0"', path],
                           stdin=source, check=True)


def skip(why):
    """Ends the test as one that this machine cannot run."""
    print(why)
    sys.exit(SKIP_STATUS)


@contextlib.contextmanager
def bed(name, *words):
    """`with bed("test-07", "--agents", "2") as b:` A bed of this name left by a crashed run is ended first."""
    if os.geteuid() != 0:
        skip("booted hosts need root")
    it = TestBed(name)
    try:
        it("up", *words)
        yield it
    finally:
        it("down", check=False)


def expect(condition, sentence):
    """Ends the test with a sentence when something is not as it must be."""
    if not condition:
        sys.exit(f"expected: {sentence}")
