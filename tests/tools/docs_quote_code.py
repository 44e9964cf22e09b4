#!/usr/bin/env python3
"""Holds the documents to the code: what is no longer so is named.

    docs_quote_code.py [TWINAGE]      TWINAGE: the binary whose --help knows the options

In docs/*.md and README.md:
- a block marked ```cpp stands in a source file as it is, comments included, as a run of whole lines
  (blanks and empty lines apart). A line `// ...` or `...` leaves lines out; `// line 12` at the end
  of a line says where it stands. Code that nobody quotes from goes into an indented block.
- every `name_of_code()`, every `folder/file`, every link and its #anchor, every file.cu:12 and every source line that a
  debugger shows exists; so do the keys of the configuration and the TWINAGE_... variables;
- docs/settings.md has every key that `twinage train --settings` prints, with the value of each recipe
  and a reason;
- commands name subcommands, options, presets, targets and test cases that exist;
- no folder is made twice, and the chapters, read in one folder from the first to the last, use only
  what they have made before.

Exits with 1 when something is not so. docs_quote_code_test.py shows what each rule catches.
"""

import fnmatch
import json
import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = "core|kernels|layers|siamese|train|tools|tests|benchmarks|cmake|docs"
CODE = ("*.h", "*.cpp", "*.cu")


def squeezed(text):
    return re.sub(r"\s+", "", text)


def tracked(*patterns):
    listed = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, check=True,
                            capture_output=True, text=True)
    return [ROOT / name for name in listed.stdout.split()]


class Source:
    """A file's lines without blanks and empty ones, and at which line of the file each stands."""

    def __init__(self, name, text):
        self.name = name
        self.raw = text.splitlines()
        kept = [(number, squeezed(line)) for number, line in enumerate(self.raw, 1) if line.strip()]
        self.numbers = [number for number, _ in kept]
        self.lines = [line for _, line in kept]

    def end_of(self, quoted, first):
        """Behind the run of lines equal to `quoted` ([(text, line number or None)]) that begins at
        `first` or later; None where there is none."""
        for start in range(first, len(self.lines) - len(quoted) + 1):
            if all(self.lines[start + i] == text and number in (None, self.numbers[start + i])
                   for i, (text, number) in enumerate(quoted)):
                return start + len(quoted)
        return None

    def holds(self, parts):
        at = 0
        for part in parts:
            at = self.end_of(part, at)
            if at is None:
                return False
        return True


# ---- quotations ----

def parts_of(block):
    """The runs of lines of a quotation, between ellipses."""
    parts = [[]]
    for line in block.splitlines():
        if re.fullmatch(r"\s*(//\s*)?\.\.\.\s*", line):
            parts.append([])
        elif line.strip():
            place = re.search(r"\s*// line (\d+)$", line)
            text = line[:place.start()] if place else line
            parts[-1].append((squeezed(text), int(place.group(1)) if place else None))
    return [part for part in parts if part]


def quotation_faults(text, sources):
    for block in re.findall(r"^ *```cpp\n(.*?)^ *```", text, re.S | re.M):
        parts = parts_of(block)
        if any(source.holds(parts) for source in sources):
            continue
        alone = [line.strip() for line in block.splitlines() if line.strip()
                 and not any(source.holds(parts_of(line)) for source in sources)]
        if alone:
            yield from (f"no source has this line any more: {line}" for line in alone)
        else:
            yield ("no source has these lines one after another: "
                   + block.strip().splitlines()[0].strip())
    for span in re.findall(r"`(const \w+ [^`]* = [^`]*;|[\w\[\]]+ = [^`]*;)`", text):
        if not any(squeezed(span) in "".join(source.lines) for source in sources):
            yield f"no source has this any more: {span}"


# ---- files, links, lines ----

def anchors_of(text):
    for heading in re.findall(r"^#+ (.*)$", re.sub(r"^ *```.*?^ *```", "", text, flags=re.S | re.M), re.M):
        yield re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def link_faults(document, text):
    for name in re.findall(rf"`((?:{FOLDERS})/[\w./-]+)`", text):
        # `train/faces/augment` stands for both augment.h and augment.cpp.
        # NAME stands for whatever a reader adds.
        if "NAME" not in name and not (ROOT / name).exists() and not list(ROOT.glob(name + ".*")):
            yield f"no such file: {name}"
    prose = re.sub(r"^ *```.*?^ *```", "", text, flags=re.S | re.M)  # lambdas look like links
    for target in re.findall(r"\]\(([^)\s]+)[^)]*\)", prose):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        file = document.parent / path if path else document
        if not file.exists():
            yield f"a link leads nowhere: {target}"
        elif anchor and anchor not in anchors_of(file.read_text()):
            yield f"no heading has this anchor: {target}"


def place_faults(text, sources):
    """file.cu:12 is a line with code; a debugger's `12   code` is line 12 of the file named last."""
    shown = None
    for line in text.splitlines():
        for name, number in re.findall(r"([\w./]+\.(?:cu|cpp|h)):(\d+)", line):
            files = [s for s in sources if s.name == name or s.name.endswith("/" + name)]
            if not files:
                yield f"no such file: {name}:{number}"
                continue
            shown = files[0]
            if not re.search(r"\w", "".join(shown.raw[int(number) - 1:int(number)])):
                yield f"no code stands at {name}:{number}"
        listing = re.fullmatch(r"\s{4,}(\d+)\s{2,}(\S.*)", line)
        if listing and shown:
            number, code = int(listing.group(1)), listing.group(2)
            if squeezed("".join(shown.raw[number - 1:number])) != squeezed(code):
                yield f"line {number} of {shown.name} is another: {code}"


# ---- names of the program ----

def name_faults(text, known):
    groups = "|".join(sorted({key.split(".")[0] for key in known["keys"] if "." in key}))
    for key in re.findall(rf"(?:`|--set )((?:{groups})\.\w+)\b(?!\()", text):
        suffix = key.rsplit(".", 1)[1]
        if key not in known["keys"] and suffix not in ("h", "cpp", "cu", "md", "safetensors"):
            yield f"the configuration has no such key: {key}"
    for name in sorted(set(re.findall(r"\bTWINAGE_[A-Z0-9_]+", text))):
        if name not in known["variables"]:
            yield f"no source knows this variable: {name}"
    # `conv2d_workspace`, `FaceStore`, `Trainer::run`, `plan()`; formulas' `x_i` is none.
    prose = re.sub(r"^ *```.*?^ *```", "", text, flags=re.S | re.M)
    for span in sorted(set(re.findall(r"`([A-Za-z]\w*(?:::\w+)*(?:\(\))?)`", prose))):
        if re.search(r"_\w\w|[a-z][A-Z]|::|\(", span):
            yield from (f"no source has this name: {span}" for word in re.findall(r"\w+", span)
                        if word not in known["words"])


def commands_of(text):
    """(the words of a command, whether it stands in a block of code) in the order of the text."""
    text = re.sub(r"^> ?", "", text, flags=re.M)
    language, joined = None, ""  # of the fenced block that is open; without a name: commands
    for line in text.splitlines():
        if line.lstrip().startswith("```"):
            language = line.strip()[3:] if language is None else None
            continue
        if language:
            continue
        if language == "" or line.startswith("    "):
            joined += line.strip().removesuffix("\\")
            if line.endswith("\\"):
                continue
            # What follows a # or three blanks explains.
            for command in re.split(r"&&", re.split(r"\s#|(?<=\S)\s{3,}", joined)[0]):
                yield words_of(command.replace("$ ", "", 1) if command.strip().startswith("$ ")
                               else command), True
        else:
            for span in re.findall(r"`([^`]+)`", line):
                yield words_of(span), False
        joined = ""


def words_of(command):
    try:
        words = shlex.split(command)
    except ValueError:
        return []
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        words.pop(0)
    return words


def command_faults(text, known):
    for words, in_block in commands_of(text):
        if len(words) < 2:
            continue
        program, options = words[0].split("/")[-1], [w.split("=")[0] for w in words if w[:2] == "--"]
        if program == "twinage" and (in_block or options) and known["options"] is not None:
            command = words[1] if words[1][:2] != "--" else ""
            if command not in known["options"]:
                yield f"twinage has no such command: {command}"
                continue
            yield from (f"twinage {command} has no such option: {option}" for option in options
                        if option not in known["options"][command])
        elif program.startswith("benchmark_"):
            yield from (f"{program} has no such option: {option}" for option in options
                        if option not in known["benchmarks"].get(program, []))
        elif program.startswith("tests_"):
            yield from test_case_faults(program, words, known)
        elif program == "cmake":
            yield from build_faults(words, known)


def test_case_faults(program, words, known):
    for word in words:
        given = re.fullmatch(r"(?:--test-case|-tc)=(.*)", word)
        names = known["tests"].get(program, [])
        if given and not any(fnmatch.fnmatch(n.lower(), given.group(1).lower()) for n in names):
            yield f"{program} has no test case of this name: {given.group(1)}"


def build_faults(words, known):
    for option, kind in (("--preset", "presets"), ("--target", "targets")):
        if option in words and words[words.index(option) + 1] not in known[kind]:
            yield f"cmake {option}: nothing is called {words[words.index(option) + 1]}"


# ---- the table of settings ----

def rows_of(text):
    """Of the tables whose first column is `key`, a column for each recipe, or `recipe`, a column for each
    key: {recipe: {key: value}}, and {key: [reasons]}."""
    values, reasons, recipes, keys = {}, {}, None, None
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            recipes = keys = None
        elif cells[0] == "key":
            recipes = [cell.strip("`") for cell in cells[1:-1]]
        elif cells[0] == "recipe":
            keys = [cell.strip("`") for cell in cells[1:-1]]
        elif keys is not None and not set(cells[0]) <= set("-"):
            recipe = cells[0].strip("`")
            values.setdefault(recipe, {})["recipe"] = recipe
            for key, value in zip(keys, cells[1:-1]):
                values[recipe][key] = value
                reasons.setdefault(key, []).append(cells[-1])
        elif recipes is not None and not set(cells[0]) <= set("-"):
            key = cells[0].strip("`")
            reasons.setdefault(key, []).append(cells[-1])
            for recipe, value in zip(recipes, cells[1:-1]):
                values.setdefault(recipe, {})[key] = value
    return values, reasons


def settings_faults(text, settings):
    """settings: {recipe: {key: value}} as the program prints them. The default recipe's table has every
    key; another's column has its value where that is another one, and is empty elsewhere."""
    written, reasons = rows_of(text)
    default = next(iter(settings))
    for recipe, values in settings.items():
        for key, value in values.items():
            expected = value if recipe == default or value != settings[default][key] else ""
            got = written.get(recipe, {}).get(key, None if recipe == default else "")
            if got != expected:
                yield f"{key} is '{value}' in recipe {recipe}, the table has '{got}'"
    yield from (f"no reason for the setting {key}" for key, all_of in reasons.items() if "" in all_of)
    yield from (f"the program has no setting {key}" for key in reasons if key not in settings[default])


# ---- what a reader makes, step by step ----

def value_of(words, option):
    return words[words.index(option) + 1] if option in words[:-1] else None


def folder_faults(text, made, all_is_made_here):
    """A reader types the commands one after another: `made` grows. With all_is_made_here, whatever
    a command reads has to be in it."""
    for words, in_block in commands_of(text):
        if not in_block or len(words) < 2 or words[0] != "twinage":
            continue
        command, out = words[1], value_of(words, "--out")
        read = [value_of(words, "--data"), value_of(words, "--val")]
        if command in ("eval", "embed", "predict", "compare", "info"):
            read += [word for word in words[2:3] if word[0] != "-"]
        if command == "train" and "--resume" in words:
            read.append(out)
        elif out is not None and command in ("train", "synth", "embed"):
            if out in made:
                yield f"--out {out} is made twice: {' '.join(words)}"
            made.add(out)
        if all_is_made_here:
            yield from (f"{name} was not made before: {' '.join(words)}"
                        for name in read if name and name not in made)


# ---- all of it ----

def options_by_help(twinage):
    def options(*command):
        text = subprocess.run([twinage, *command, "--help"], check=True, capture_output=True,
                              text=True).stdout
        return text, set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text))

    text, alone = options()
    names = re.findall(r"^  (\w+) {2,}", text.split("Subcommands:")[1], re.M)
    return {"": alone, **{name: options(name)[1] for name in names}}


def settings_by_recipe(twinage):
    def printed(*options):
        return subprocess.run([twinage, "train", "--settings", *options], check=True,
                              capture_output=True, text=True).stdout

    def values(text):
        found = re.findall(r"^([a-z][\w.]*) = (.*?)(?: ~)?(?:  \(.*\))?$", text, re.M)
        return {key: value if value.startswith("[") else value.strip("'\"") for key, value in found}

    text = printed()
    recipes = re.search(r"^recipe = [^(]*\(([^)]*)\)$", text, re.M).group(1)
    names = [name for name in re.findall(r"[\w-]+", recipes) if name != "or"]
    return {name: values(printed("--recipe", name)) for name in names}


def known_names(twinage):
    def text_of(*patterns):
        return "\n".join(path.read_text() for path in tracked(*patterns))

    tests = {}
    for path in tracked("tests/**/*.cpp"):
        tests.setdefault("tests_" + path.relative_to(ROOT / "tests").parts[0], []).extend(
            re.findall(r'TEST_CASE\w*\(\s*"([^"]*)"', path.read_text()))
    shared = text_of("benchmarks/measure.*", "benchmarks/gpu_measure.*")
    of_a_step = text_of("benchmarks/step_options.h")
    benchmarks = {}
    for path in tracked("benchmarks/*.cpp"):
        text = path.read_text()
        text += shared + (of_a_step if "step_options.h" in text else "")
        benchmarks["benchmark_" + path.stem] = set(re.findall(r'"!?(--[a-z-]+)', text))
    settings = settings_by_recipe(twinage) if twinage else None
    declared = (ROOT / "train/settings/settings.cpp").read_text()
    cmake = text_of("*CMakeLists.txt", "cmake/*.cmake")
    presets = json.loads((ROOT / "CMakePresets.json").read_text())["configurePresets"]
    return {
        "words": set(re.findall(r"\w+", text_of(*CODE, "*.sh", "*.cmake", "*CMakeLists.txt"))),
        "keys": (set(next(iter(settings.values()))) if settings else
                 set(re.findall(r'add(?:_later)?\("([\w.]+)"', declared))),
        "settings": settings,
        "variables": set(re.findall(r"TWINAGE_[A-Z0-9_]+", text_of(
            *CODE, "*CMakeLists.txt", "cmake/*.cmake", "CMakePresets.json", "*.sh"))),
        "options": options_by_help(twinage) if twinage else None,
        "benchmarks": benchmarks,
        "tests": tests,
        "presets": {preset["name"] for preset in presets},
        "targets": set(re.findall(r"add_(?:executable|library)\((\w+)", cmake)) | set(tests),
    }


def faults_of(document, text, sources, known, made, all_is_made_here):
    yield from quotation_faults(text, sources)
    yield from link_faults(document, text)
    yield from place_faults(text, sources)
    yield from name_faults(text, known)
    yield from command_faults(text, known)
    yield from folder_faults(text, made, all_is_made_here)
    if document.name == "settings.md" and known["settings"] is not None:
        yield from settings_faults(text, known["settings"])


def main():
    built = ROOT / "build/release/twinage"
    twinage = sys.argv[1] if len(sys.argv) > 1 else str(built) if built.exists() else None
    sources = [Source(str(p.relative_to(ROOT)), p.read_text()) for p in tracked(*CODE)]
    known = known_names(twinage)
    documents = sorted(tracked("docs/*.md", "README.md"))
    made_in_chapters, faults = set(), []
    for document in documents:
        chapter = document.name[:2].isdigit()
        found = faults_of(document, document.read_text(), sources, known,
                          made_in_chapters if chapter else set(), chapter)
        faults += [f"{document.relative_to(ROOT)}: {fault}" for fault in found]
    print("\n".join(faults) if faults else f"{len(documents)} documents say what the code says")
    if twinage is None:
        print("options of twinage were not looked at: build it, or name it as the argument")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
