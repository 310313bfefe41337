"""Holds the include directions of the design: a layer leaks one include at a time, so each include is checked.

A folder may include itself, what ALLOWED names for it, and of the daemons nothing else. PURE folders, the cores, may in
addition use no I/O, threads or clocks: everything that they know comes in as an argument.
"""

import re
import sys
import unittest
from pathlib import Path

SOURCE = Path(sys.argv.pop(1)) if len(sys.argv) > 1 else Path(__file__).resolve().parents[3]
SUFFIXES = {".hpp", ".cpp", ".h", ".cc"}

LIBRARIES = ["common/base", "common/resources", "common/config", "common/log", "common/async", "common/wire",
             "common/http", "common/zookeeper", "common/detection", "common/systemd", "proto"]

# The most specific folder that a file lies in decides. `proto` stands for the generated headers, fairlead/*.pb.h.
ALLOWED = {
    "common/base": [],
    "common/resources": ["common/base", "proto"],
    "common/config": ["common/base"],
    "common/log": ["common/base"],
    "common/async": ["common/base"],
    "common/wire": ["common/base", "proto"],
    "common/http": ["common/base", "common/async", "common/wire", "common/log", "proto"],
    "common/zookeeper": ["common/base", "common/async"],
    "common/detection": ["common/base", "common/config", "common/async", "common/wire", "common/log", "common/zookeeper",
                         "proto"],
    "common/systemd": ["common/base", "common/async"],
    "allocator": ["common/base", "common/resources"],
    "sdk": LIBRARIES,
    "cli": LIBRARIES + ["sdk"],
    "frameworks": LIBRARIES + ["sdk"],
    "masterd/core": ["common/base", "common/resources", "proto", "allocator"],
    "masterd/registry": LIBRARIES + ["masterd/core"],
    "masterd/election": LIBRARIES + ["masterd/core"],
    "masterd/driver": LIBRARIES + ["allocator", "masterd/core", "masterd/registry", "masterd/election"],
    "masterd/api": LIBRARIES + ["allocator", "masterd/core", "masterd/driver"],
    "masterd": LIBRARIES + ["allocator", "masterd"],
    "nodeagentd/core": ["common/base", "common/resources", "proto", "nodeagentd/ports"],
    "nodeagentd/ports": ["common/base", "common/resources", "common/async", "proto", "nodeagentd/core"],
    "nodeagentd/supervisor": ["common/base"],
    "nodeagentd/driver": LIBRARIES + ["nodeagentd/core", "nodeagentd/ports"],
    "nodeagentd/api": LIBRARIES + ["nodeagentd/core", "nodeagentd/ports", "nodeagentd/driver"],
    "nodeagentd": LIBRARIES + ["nodeagentd"],
}
# What the agent needs of the world: each knows the ports and never a sibling.
ADAPTERS = ["runtime", "network", "checkpoint", "link", "inventory", "fetcher", "sandboxes"]
for adapter in ADAPTERS:
    ALLOWED[f"nodeagentd/{adapter}"] = LIBRARIES + ["nodeagentd/core", "nodeagentd/ports"]
# The one protocol that two programs share: the supervisor's, without code.
SHARED = {"nodeagentd/supervisor/protocol.hpp"}

PURE = ["allocator", "masterd/core", "nodeagentd/core"]
IMPURE = re.compile(r"boost/asio|boost/beast|systemd/|^thread$|^mutex$|^condition_variable$|^future$|^shared_mutex$"
                    r"|^iostream$|^fstream$|^filesystem$|^random$|^ctime$|^sys/|^unistd\.h$|^pthread\.h$|^time\.h$")
CLOCKS = re.compile(r"read_clocks|system_clock|steady_clock|high_resolution_clock|random_device|\bstd::rand\b"
                    r"|clock_gettime|gettimeofday|\bgetenv\b|\bstd::thread\b|\bsleep_for\b")
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.M)
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.S)


def layer_of(path):
    """The most specific known folder of a path from the project's root; None for what is not ours."""
    if re.match(r"(proto/)?fairlead/.*\.pb\.h$", path):
        return "proto"
    fitting = [folder for folder in ALLOWED if path.startswith(folder + "/")]
    return max(fitting, key=len) if fitting else None


def our_files():
    for top in ("common", "allocator", "sdk", "masterd", "nodeagentd", "cli", "frameworks"):
        for file in sorted((SOURCE / top).rglob("*")):
            if file.suffix in SUFFIXES:
                yield str(file.relative_to(SOURCE)), COMMENT.sub("", file.read_text(encoding="utf-8"))


def violations(path, text):
    layer = layer_of(path)
    if layer is None:
        return
    for _, name in INCLUDE.findall(text):
        target = layer_of(name)
        if target and target != layer and target not in ALLOWED[layer] and name not in SHARED \
                and not (layer in ("masterd", "nodeagentd") and name.startswith(layer + "/")):
            yield f"{path} includes {name}: {layer} may not know {target}"
        if layer in PURE and IMPURE.search(name):
            yield f"{path} includes {name}: {layer} has no I/O, threads or clocks of its own"
    if layer in PURE:
        for word in sorted(set(CLOCKS.findall(text))):
            yield f"{path} uses {word}: {layer} has no I/O, threads or clocks of its own"


class Layers(unittest.TestCase):
    def test_includes_go_one_way(self):
        found = [line for path, text in our_files() for line in violations(path, text)]
        self.assertEqual(found, [], "\n" + "\n".join(found))

    def test_files_were_looked_at(self):
        self.assertGreater(sum(1 for _ in our_files()), 10)

    def test_a_wrong_include_is_found(self):
        for path, text in [
            ("common/base/a.hpp", '#include "common/http/server.hpp"'),
            ("masterd/core/a.cpp", '#include "masterd/driver/driver.hpp"'),
            ("masterd/core/a.cpp", "#include <boost/asio/io_context.hpp>"),
            ("masterd/core/a.cpp", "auto now = std::chrono::steady_clock::now();"),
            ("masterd/api/a.cpp", '#include "nodeagentd/core/io.hpp"'),
            ("nodeagentd/runtime/a.cpp", '#include "nodeagentd/checkpoint/store.hpp"'),
            ("nodeagentd/driver/a.cpp", '#include "masterd/core/io.hpp"'),
            ("nodeagentd/main.cpp", '#include "masterd/core/io.hpp"'),
        ]:
            self.assertTrue(list(violations(path, text)), f"{path}: {text}")

    def test_a_right_include_is_not(self):
        for path, text in [
            ("masterd/core/a.cpp", '#include "allocator/allocator.hpp"\n#include "fairlead/v1/mesos.pb.h"'),
            ("masterd/main.cpp", '#include "masterd/api/routes.hpp"'),
            ("nodeagentd/main.cpp", '#include "nodeagentd/runtime/runtime.hpp"'),
        ]:
            self.assertEqual(list(violations(path, text)), [], f"{path}: {text}")


if __name__ == "__main__":
    unittest.main()
