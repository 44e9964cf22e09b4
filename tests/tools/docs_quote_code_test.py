#!/usr/bin/env python3
"""What docs_quote_code.py catches: each planted fault has to be named, and what is right has to pass.

    docs_quote_code_test.py
"""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import docs_quote_code as checker  # noqa: E402

SOURCE = """// Adds.
int add(int a, int b) {
  // Whole numbers only.
  const int sum = a + b;  // no carry

  return sum;
}

int twice(int a) {
  return add(a, a);
}
"""
SOURCES = [checker.Source("core/add.cpp", SOURCE)]
DOCUMENT = checker.ROOT / "docs" / "01-a-face-comes-in.md"
KNOWN = {
    "words": {"add", "twice", "call_twice", "Adder"},
    "keys": {"loss.margin", "augment.erase"},
    "variables": {"TWINAGE_ISA"},
    "options": {"": {"--help"}, "train": {"--data", "--out", "--steps", "--set", "--resume"},
                "synth": {"--out"}, "eval": {"--data"}},
    "benchmarks": {"benchmark_conv2d": {"--json"}},
    "tests": {"tests_core": ["random: numbers belong to a stream"]},
    "presets": {"release"},
    "targets": {"twinage"},
}


def quoted(code):
    return list(checker.quotation_faults(f"```cpp\n{code}```\n", SOURCES))


def commands(text):
    return list(checker.command_faults(text, KNOWN))


def folders(text, all_is_made_here=False):
    return list(checker.folder_faults(text, set(), all_is_made_here))


class Quotations(unittest.TestCase):
    RIGHT = "  // Whole numbers only.\n  const int sum = a + b;  // no carry\n  return sum;\n"

    def test_what_stands_there_passes(self):
        self.assertEqual(quoted(self.RIGHT), [])
        self.assertEqual(quoted("int add(int a, int b) {\n  // ...\n  return sum;\n}\n"), [])

    def test_a_wrong_line_is_named(self):
        faults = quoted(self.RIGHT.replace("a + b", "a - b"))
        self.assertIn("no source has this line any more: const int sum = a - b;", faults[0])

    def test_a_quotation_in_a_list_is_one(self):
        block = "1. Add:\n\n   ```cpp\n     return {};\n   ```\n"
        self.assertEqual(list(checker.quotation_faults(block.format("sum"), SOURCES)), [])
        self.assertTrue(list(checker.quotation_faults(block.format("a"), SOURCES)))

    def test_a_part_of_a_line_is_no_line(self):
        self.assertTrue(quoted("  const int sum = a + b;\n"))

    def test_a_wrong_comment_is_named(self):
        any_numbers = self.RIGHT.replace("Whole numbers only", "Any numbers")
        self.assertIn("// Any numbers.", quoted(any_numbers)[0])
        self.assertIn("// a carry", quoted(self.RIGHT.replace("no carry", "a carry"))[0])

    def test_lines_in_another_order_are_named(self):
        first, second, third = self.RIGHT.splitlines(keepends=True)
        self.assertIn("one after another", quoted(first + third + second)[0])

    def test_a_line_left_out_in_silence_is_named(self):
        self.assertIn("one after another", quoted("int add(int a, int b) {\n  return sum;\n")[0])

    def test_an_ellipsis_does_not_go_backwards(self):
        self.assertTrue(quoted("int twice(int a) {\n  ...\n  return sum;\n"))

    def test_lines_of_two_files_are_no_quotation(self):
        other = checker.Source("core/other.cpp", "int other();\n")
        block = "```cpp\n}\nint other();\n```\n"
        self.assertTrue(list(checker.quotation_faults(block, [*SOURCES, other])))

    def test_the_number_of_a_line_is_held_to_it(self):
        self.assertEqual(quoted("  return sum;  // line 6\n"), [])
        self.assertTrue(quoted("  return sum;  // line 7\n"))

    def test_code_within_a_sentence(self):
        self.assertTrue(list(checker.quotation_faults("`const int sum = a - b;`", SOURCES)))
        self.assertEqual(list(checker.quotation_faults("`const int sum = a + b;`", SOURCES)), [])


class Places(unittest.TestCase):
    def test_files_links_and_anchors(self):
        def faults(text):
            return list(checker.link_faults(DOCUMENT, text))
        self.assertEqual(faults("`core/shape.h` [x](02-tensors-and-views.md#the-pitch)"), [])
        self.assertTrue(faults("`core/no_such.h`"))
        self.assertTrue(faults("[x](no-such.md)"))
        self.assertEqual(faults("```cpp\nf([&](Head& head) {});\n```\n"), [])
        self.assertTrue(faults("[x](02-tensors-and-views.md#no-such-heading)"))

    def test_lines_of_files(self):
        def faults(text):
            return list(checker.place_faults(text, SOURCES))
        self.assertEqual(faults("at core/add.cpp:4\n    6         return sum;\n"), [])
        self.assertTrue(faults("at core/add.cpp:5"))   # empty
        self.assertTrue(faults("at core/add.cpp:99"))
        self.assertTrue(faults("at core/gone.cpp:1"))
        self.assertTrue(faults("at core/add.cpp:4\n    5         return sum;\n"))


class Names(unittest.TestCase):
    def test_keys_and_variables(self):
        def faults(text):
            return list(checker.name_faults(text, KNOWN))
        self.assertEqual(faults("`loss.margin` and TWINAGE_ISA, --set augment.erase=0"), [])
        self.assertTrue(faults("`loss.margins`"))
        self.assertTrue(faults("--set augment.erased=0"))
        self.assertTrue(faults("TWINAGE_ISAS=avx2"))

    def test_names_of_code(self):
        def faults(text):
            return list(checker.name_faults(text, KNOWN))
        self.assertEqual(faults("`call_twice`, `Adder::add`, `twice()`; not `x_i`, `word`"), [])
        self.assertTrue(faults("`call_thrice`"))
        self.assertTrue(faults("`Adder::sub`"))
        self.assertTrue(faults("`thrice()`"))

    def test_options_and_commands(self):
        self.assertEqual(commands("    twinage train --steps 5 --out run   explains --this\n"), [])
        self.assertTrue(commands("    twinage train --data faces --stop 5\n"))
        self.assertTrue(commands("> Try:\n>\n>     twinage train --data faces \\\n>       --stop 5\n"))
        self.assertTrue(commands("```\ntwinage report\n```\n"))
        self.assertTrue(commands("say `twinage train --stop 5`"))
        self.assertTrue(commands("```cpp\nint a;\n```\nsay `twinage train --stop 5`"))
        self.assertEqual(commands("```cpp\n    twinage report();\n```\n"), [])
        self.assertTrue(commands("    benchmark_conv2d --jason\n"))

    def test_builds_and_test_cases(self):
        self.assertEqual(commands("    cmake --build --preset release --target twinage\n"), [])
        self.assertTrue(commands("    cmake --preset relaese && true\n"))
        self.assertTrue(commands("    cmake --build --preset release --target twin\n"))
        self.assertEqual(commands("    TWINAGE_ISA=avx2 build/x/tests_core -tc='random*'\n"), [])
        self.assertTrue(commands("    build/x/tests_core --test-case='rnadom*'\n"))


class Settings(unittest.TestCase):
    SETTINGS = {"default": {"loss.margin": "2.0", "loss.kind": "gap"},
                "paper": {"loss.margin": "2.0", "loss.kind": "revised"}}
    RIGHT = ("| key | `default` | why |\n|---|---|---|\n"
             "| `loss.margin` | 2.0 | ours |\n| `loss.kind` | gap | measured |\n\n"
             "| key | `paper` | why |\n|---|---|---|\n| `loss.kind` | revised | the paper's |\n")

    def faults(self, text):
        return list(checker.settings_faults(text, self.SETTINGS))

    def test_the_whole_table_passes(self):
        self.assertEqual(self.faults(self.RIGHT), [])

    def test_what_is_missing_or_wrong_is_named(self):
        for right, wrong in (("| `loss.margin` | 2.0 | ours |\n", ""), ("ours", ""),
                             ("2.0", "3.0"), ("revised", ""), ("the paper's", ""),
                             ("`loss.kind` | revised", "`loss.margin` | 2.0"),
                             ("`paper`", "`papers`"), ("`loss.kind` | gap", "`loss.kinds` | gap")):
            self.assertNotEqual(self.faults(self.RIGHT.replace(right, wrong)), [], (right, wrong))


    def test_a_table_may_have_a_row_for_each_recipe(self):
        by_recipe = self.RIGHT.split("| key | `paper`")[0] + (
            "| recipe | `loss.kind` | why |\n|---|---|---|\n| `paper` | revised | the paper's |\n")
        settings = {recipe: {"recipe": recipe, **values} for recipe, values in self.SETTINGS.items()}
        by_recipe = by_recipe.replace("| `loss.margin`", "| `recipe` | default | is that |\n| `loss.margin`")
        self.assertEqual(list(checker.settings_faults(by_recipe, settings)), [])
        for right, wrong in (("revised", "gap"), ("the paper's", ""), ("| `paper`", "| `papers`"),
                             ("recipe | `loss.kind`", "recipe | `loss.kinds`")):
            self.assertNotEqual(list(checker.settings_faults(by_recipe.replace(right, wrong), settings)), [],
                                (right, wrong))


class Folders(unittest.TestCase):
    def test_a_folder_made_twice_is_named(self):
        once = "    twinage train --data faces --out run\n    twinage train --resume --out run\n"
        self.assertEqual(folders(once), [])
        self.assertTrue(folders(once + "    twinage synth --out run\n"))

    def test_what_was_never_made_is_named(self):
        made = "    twinage synth --out faces\n    twinage train --data faces --out run\n"
        self.assertEqual(folders(made + "    twinage eval run --data faces\n", True), [])
        self.assertTrue(folders(made + "    twinage eval run2 --data faces\n", True))
        self.assertTrue(folders(made + "    twinage eval run --data others\n", True))
        self.assertTrue(folders("    twinage train --resume --out run\n", True))


if __name__ == "__main__":
    unittest.main()
