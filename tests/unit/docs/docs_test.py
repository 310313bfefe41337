"""Holds the documents to the code: keys of configuration, options of fairctl, the example, and pages that render."""

import re
import subprocess
import sys
import unittest
from pathlib import Path

SOURCE = Path(sys.argv.pop(1)) if len(sys.argv) > 1 else Path(__file__).resolve().parents[3]
MANUALS = sorted((SOURCE / "docs/man").glob("*.[1-8]"))
# Who reads which NAME.conf, and under which section.
CONFIGURATIONS = {"masterd": ("masterd", "Master"), "nodeagentd": ("nodeagentd", "Agent"), "client": ("cli", "Client")}
EXAMPLE_LINES_MAX = 80


def text(path):
    return (SOURCE / path).read_text(encoding="utf-8")


def keys_in_code(folder, section):
    """Names of the form "CamelCase" in the one file of a program that declares its keys."""
    found = [file.read_text(encoding="utf-8") for file in sorted((SOURCE / folder).glob("*.cpp"))
             if "config::Key" in file.read_text(encoding="utf-8")]
    return {name for content in found for name in re.findall(r'"([A-Z][A-Za-z]+)"', content)} - {section}


def keys_in_manual(name):
    return set(re.findall(r"^\.B \"?([A-Z][A-Za-z]+)=", text(f"docs/man/{name}.conf.5"), re.M))


def keys_in_shipped_file(name):
    return set(re.findall(r"^#?([A-Z][A-Za-z]+)=", text(f"units/{name}.conf"), re.M))


class Configuration(unittest.TestCase):
    def test_every_key_is_in_its_manual_and_no_other(self):
        for name, (folder, section) in CONFIGURATIONS.items():
            keys = keys_in_code(folder, section)
            self.assertTrue(keys, f"no keys were found in {folder}")
            self.assertEqual(keys, keys_in_manual(name), f"docs/man/{name}.conf.5 and the keys of {folder}")

    def test_every_key_is_in_the_file_that_is_shipped_under_its_section(self):
        for name, (folder, section) in CONFIGURATIONS.items():
            self.assertEqual(keys_in_code(folder, section), keys_in_shipped_file(name), f"units/{name}.conf")
            self.assertEqual(re.findall(r"^\[(\w+)\]$", text(f"units/{name}.conf"), re.M), [section])
            self.assertIn(f'"[{section.upper()}] SECTION"', text(f"docs/man/{name}.conf.5"))


class Manuals(unittest.TestCase):
    def test_they_render_without_a_warning(self):
        self.assertGreater(len(MANUALS), 5)
        for page in MANUALS:
            done = subprocess.run(["groff", "-man", "-ww", "-Tutf8", str(page)], stdin=subprocess.DEVNULL, check=False,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            self.assertEqual((done.returncode, done.stderr), (0, ""), page.name)

    def test_they_refer_to_pages_that_are_there(self):
        ours = {page.name for page in MANUALS}
        for page in MANUALS:
            for name, section in re.findall(r"^\.BR ([\w.\\-]+) \((\d)\)", page.read_text(encoding="utf-8"), re.M):
                plain = f"{name}.{section}".replace("\\-", "-")
                if plain.startswith("fair") or plain.endswith(".conf.5"):
                    self.assertIn(plain, ours, f"SEE ALSO of {page.name}")

    def test_every_program_and_command_that_is_installed_has_one(self):
        installed = text("cmake/FairleadInstall.cmake")
        for page in MANUALS:
            self.assertIn(page.name, installed)


class Fairctl(unittest.TestCase):
    def test_every_option_is_in_the_manual_and_no_other(self):
        source = text("cli/main.cpp")
        names = re.findall(r'"(?:-\w,)?(--[a-z]+)(?:,-\w)?"', source)
        options = set(names) | {"--help"}
        manual = set(re.findall(r"--[a-z]+", text("docs/man/fairctl.1").replace("\\-", "-")))
        self.assertEqual(options, manual)

    def test_every_command_is_in_the_manual_and_completed_by_the_shell(self):
        commands = set(re.findall(r'\bapp\.add_subcommand\("(\w+)"', text("cli/main.cpp")))
        manual = set(re.findall(r"^\.BR? (\w+)", text("docs/man/fairctl.1").partition(".SH COMMANDS")[2], re.M))
        completed = set(re.search(r'commands="([^"]+)"', text("cli/completion/fairctl.bash")).group(1).split())
        self.assertLessEqual(commands, manual)
        self.assertEqual(commands, completed)

    def test_every_command_of_a_command_is_in_the_manual_and_completed_by_the_shell(self):
        nested = re.findall(r'\b(\w+)_\.add_subcommand\("(\w+)"', text("cli/main.cpp"))
        self.assertEqual(len(nested), text("cli/main.cpp").count("_.add_subcommand("))
        manual = re.sub(r'[" ]+', " ", text("docs/man/fairctl.1").partition(".SH COMMANDS")[2])
        for command, inner in nested:
            self.assertRegex(manual, rf"(?m)^\.BR {command} (\[ )?{inner}\b")
            self.assertRegex(text("cli/completion/fairctl.bash"), rf'\b{command}\) .*"[^"]*\b{inner}\b')


class Example(unittest.TestCase):
    def test_the_page_shows_what_is_compiled(self):
        self.assertIn(text("docs/examples/hello_scheduler.cpp"), text("docs/writing-a-framework.md"))
        self.assertIn(text("docs/examples/CMakeLists.txt"), text("docs/writing-a-framework.md"))
        self.assertIn(text("docs/examples/allocation-module/first_come.cpp"), text("docs/writing-an-allocation-module.md"))

    def test_it_is_short(self):
        self.assertLess(len(text("docs/examples/hello_scheduler.cpp").splitlines()), EXAMPLE_LINES_MAX)


if __name__ == "__main__":
    unittest.main()
