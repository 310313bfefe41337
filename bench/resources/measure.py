"""Resource arithmetic: nanoseconds for adding, subtracting and comparing what offers and tasks are made of."""

import json
import subprocess

from benchlib import build, table


def measure():
    program, = build.programs("fairlead-bench-resources")
    done = subprocess.run([program, "--benchmark_format=json"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=True)
    rows = [[each["name"], f"{each['cpu_time']:.1f} {each['time_unit']}"] for each in json.loads(done.stdout)["benchmarks"]]
    table.show("Resource arithmetic, CPU time of one operation", ["", "time"], rows)
