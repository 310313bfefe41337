"""Builds the tests, runs them, tells each result in a line and all of them in one: what ./run-tests starts.

Two kinds of tests: programs known to ctest, chosen by their labels (unit, sim, fuzz, layers ...; single GoogleTest
cases are what is counted), and the folders integration/TEST-NN-NAME, whose executable `test` ends with 0, or with 77 and
the reason on its last line when this machine cannot run it; a file `deadline` holds the seconds that it may take. A file
or label `slow` keeps a test out of a run without words. The words of a folder's name are labels: `./run-tests chaos`.
"""

import concurrent.futures
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(SOURCE / "integration"))

from bedlib import programs  # noqa: E402

SKIP_STATUS = 77
LOG_LINES = 80
CTEST_DEADLINE, INTEGRATION_DEADLINE = 300, 900


class Tally:
    """Counts, and prints each result as it comes."""

    def __init__(self):
        self.count = {"passed": 0, "failed": 0, "skipped": 0}

    def add(self, result, name, seconds=None, why=""):
        self.count[result] += 1
        took = f" ({seconds:.1f} s)" if seconds is not None and seconds >= 0.1 else ""
        reason = f": {why}" if why else ""
        print(f"{result:<7} {name}{took}{reason}", flush=True)

    def finish(self):
        print(", ".join(f"{number} {result}" for result, number in self.count.items()))
        return 1 if self.count["failed"] else 0


def show_log(log):
    lines = log.rstrip().splitlines()
    if len(lines) > LOG_LINES:
        print(f"    | ... {len(lines) - LOG_LINES} lines before these")
    for line in lines[-LOG_LINES:]:
        print(f"    | {line}")


def run_with_deadline(command, deadline, **options):
    """(status, output, seconds); a test that hangs is ended together with what it started."""
    start = time.monotonic()
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                   start_new_session=True, **options)
        note = ""
        try:
            status = process.wait(deadline)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            status, note = process.wait(), f"\nended by the runner: not done within {deadline} s"
        out.seek(0)
        return status, out.read().decode(errors="replace") + note, time.monotonic() - start


def build(tally, compiles):
    """Configures, and compiles unless only tests are asked for that need no program."""
    folder = programs.build_folder()
    environment = programs.environment()
    configure = programs.configuration(folder)
    if compiles:
        print("building the tests ...", flush=True)
    for command in (configure, ["ninja", "-C", str(folder), "-k", "0"])[:2 if compiles else 1]:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace", check=False, env=environment)
        if done.returncode != 0:
            tally.add("failed", "build")
            show_log("\n".join(line[:300] for line in done.stdout.splitlines() if not line.startswith("[")))
            break
    return folder


def ctest_tests(folder):
    listing = subprocess.run(["ctest", "--test-dir", str(folder), "--show-only=json-v1"], check=False,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    if listing.returncode != 0:
        return
    for test in json.loads(listing.stdout)["tests"]:
        properties = {each["name"]: each["value"] for each in test.get("properties", [])}
        yield {"name": test["name"], "command": test.get("command"), "labels": set(properties.get("LABELS", [])),
               "deadline": float(properties.get("TIMEOUT", CTEST_DEADLINE)),
               "folder": properties.get("WORKING_DIRECTORY", str(folder)),
               "environment": dict(pair.split("=", 1) for pair in properties.get("ENVIRONMENT", []))}


def run_ctest(test):
    """Everything about one program's run; GoogleTest writes what each case did into a file."""
    if not test["command"] or not os.access(test["command"][0], os.X_OK):
        return test, 1, "was not built", 0, []
    with tempfile.TemporaryDirectory() as place:
        report = Path(place, "report.json")
        status, log, seconds = run_with_deadline(
            test["command"], test["deadline"], cwd=test["folder"],
            env={**os.environ, **test["environment"], "GTEST_OUTPUT": f"json:{report}", "GTEST_COLOR": "no"})
        cases = []
        if report.exists():
            for suite in json.loads(report.read_text(encoding="utf-8", errors="replace"))["testsuites"]:
                cases += suite["testsuite"]
    return test, status, log, seconds, cases


def tell_ctest(tally, test, status, log, seconds, cases):
    before = tally.count["failed"]
    for case in cases:
        name, took = f"{case['classname']}.{case['name']}", float(case["time"].rstrip("s"))
        if case.get("failures"):
            tally.add("failed", name, took)
        elif case["result"] == "SKIPPED":
            tally.add("skipped", name, took, last_line(str((case.get("skipped") or [{}])[0].get("message", ""))))
        elif case["result"] == "COMPLETED":
            tally.add("passed", name, took)
    if not cases and status == SKIP_STATUS:
        tally.add("skipped", test["name"], seconds, last_line(log))
    elif not cases and status == 0:
        tally.add("passed", test["name"], seconds)
    elif status != 0 and tally.count["failed"] == before:
        # A crash, a timeout, a sanitizer: no case owns it.
        tally.add("failed", test["name"], seconds, f"status {status}")
    if tally.count["failed"] > before:
        show_log(log)


def last_line(log):
    return (log.strip().splitlines() or ["no reason given"])[-1]


def run_integration(tally, folders):
    if not folders:
        return
    status, log, _ = run_with_deadline([str(SOURCE / "integration/build-packages")], 3600)
    if status != 0:
        tally.add("failed", "integration/build-packages")
        show_log(log)
    for folder in folders:
        status, log, seconds = run_with_deadline([str(folder / "test")], integration_deadline(folder), cwd=folder)
        if status == 0:
            tally.add("passed", folder.name, seconds)
        elif status == SKIP_STATUS:
            tally.add("skipped", folder.name, seconds, last_line(log))
        else:
            tally.add("failed", folder.name, seconds, f"status {status}")
            show_log(log)


def integration_deadline(folder):
    file = folder / "deadline"
    return float(file.read_text(encoding="ascii")) if file.exists() else INTEGRATION_DEADLINE


def chosen(words, name, labels):
    if not words:
        return "slow" not in labels
    return bool(words & labels) or any(name.startswith(word) for word in words)


def main():
    words, tally = set(sys.argv[1:]), Tally()
    integration = []
    for folder in sorted((SOURCE / "integration").glob("TEST-*")):
        labels = {"integration", *folder.name.lower().split("-")[2:]}
        labels |= {"slow"} if (folder / "slow").exists() else set()
        if os.access(folder / "test", os.X_OK) and chosen(words, folder.name, labels):
            integration.append(folder)
    matched = bool(integration)
    if not words or words - {"integration"} - {word for word in words if word.startswith("TEST-")}:
        tests = [test for test in ctest_tests(build(tally, words != {"layers"})) if chosen(words, test["name"], test["labels"])]
        matched = matched or bool(tests)
        # Layers and other quick ones first; two at a time, told in a fixed order.
        with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            for done in pool.map(run_ctest, tests):
                tell_ctest(tally, *done)
    run_integration(tally, integration)
    if words and not matched:
        tally.add("failed", " ".join(sorted(words)), why="no test has this name or label")
    return tally.finish()


if __name__ == "__main__":
    sys.exit(main())
