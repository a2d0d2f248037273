#!/usr/bin/env python3
"""R10, second half: small faults planted in the rules and the outbox, one at a time, and whether the
unit tests notice. A mutant is a copy of one file with one line changed; only that object is compiled,
and linked in front of the library that holds the right one.

  mutate.py BUILD_FOLDER [SEED]            PROVE_SIZE: ci 30 mutants, full 230, nightly all
  mutate.py BUILD_FOLDER SEED FILE...      all mutants of these files

What survives is shown to the sanitizer build as well, if there is one (SANITIZED, or build/dev): there a
leak or a read behind the end is noticed, too. A mutant that cannot be noticed, because it does the same, is listed with the reason in
equivalent_mutants.txt; an entry that fits no mutant any more is an error.
"""
import concurrent.futures
import json
import os
import random
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LISTED = os.path.join(ROOT, "tests/prove/equivalent_mutants.txt")
# Each file with the tests that cover it, the quickest first.
FILES = {
    "store/domain/booking.c": ["booking", "decision", "intake", "convergence"],
    "store/domain/event.c": ["event", "event_edges"],
    "store/outbox.c": ["outbox", "store_failures", "publisher"],
    "workers/intake/intake.c": ["intake_trail", "intake", "store_failures", "convergence"],
    "workers/decision/decision.c": ["decision_trail", "decision", "store_failures", "convergence"],
}
SIZES = {"ci": 30, "full": 230, "nightly": None}
SEATS = 2
CPU_S, WAIT_S = 5, 90 # a busy machine must not make a mutant look killed
GOAL = 90

# --- Mutants.

RELATIONS = {"==": ["!="], "!=": ["=="], "<": ["<=", ">="], "<=": ["<", ">"],
             ">": [">=", "<="], ">=": [">", "<"]}
ARITHMETIC = {"++": ["--"], "--": ["++"], "+=": ["-="], "-=": ["+="], "+": ["-"], "-": ["+"],
              "*": ["/"], "/": ["*"], "%": ["*"], "&": ["|"], ">>": ["<<"], "<<": [">>"]}
BOOLEANS = {"&&": ["||"], "||": ["&&"], "true": ["false"], "false": ["true"]}
STATES = ["BOOKING_PENDING", "BOOKING_CONFIRMED", "BOOKING_REJECTED", "BOOKING_CANCELLED",
          "BOOKING_ABSENT"]
TOKEN = re.compile(r"->|\+\+|--|\+=|-=|==|!=|<=|>=|<<|>>|&&|\|\||[A-Za-z_]\w*|\d\w*|\"|\S")
STATEMENT = re.compile(r"^\s*(?!return\b|case\b|break\b|else\b|static\b|const\b|struct\b|enum\b|bool\b"
                       r"|char\b|size_t\b|int64_t\b|\})(\(void\))?[\w*(][^=]*(=[^=].*|\(.*\)|\+\+|--);$")
CONDITION = re.compile(r"^(\s*(?:if|while) \()(.*)(\)(?: \{)?)$")
CHOICE = re.compile(r"(\? )([\w.>\[\]\"-]+)( : )([\w.>\[\]\"-]+)")
FUNCTION = re.compile(r"[A-Za-z].*?(\w+)\([^;]*$")
SQL = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE|WHERE|ORDER BY)\b")


def masked(text):
    """The text with comments and preprocessor lines blanked, lines kept."""
    text = re.sub(r"/\*.*?\*/", lambda match: re.sub(r"[^\n]", " ", match[0]), text, flags=re.S)
    return re.sub(r"^#.*(?:\\\n.*)*", lambda match: re.sub(r"[^\n]", " ", match[0]), text, flags=re.M)


def strings_of(line):
    return [match.span() for match in re.finditer(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'", line)]


def replacements(token, before, after):
    """What may stand in for a token, where it is an operator between two values or a constant."""
    if token in RELATIONS:
        return RELATIONS[token]
    if token in BOOLEANS:
        return BOOLEANS[token]
    if token in ("++", "--", "+=", "-="):
        return ARITHMETIC[token]
    if token in ARITHMETIC and before.endswith(" ") and after.startswith(" "):
        return ARITHMETIC[token]
    if token == "!" and not after.startswith("="):
        return [""]
    if re.fullmatch(r"\d+", token) and not before.endswith("%"):
        return [str(int(token) + 1)] if token != "1" else ["0", "2"]
    if token in STATES:
        at = STATES.index(token)
        return [STATES[(at + step) % len(STATES)] for step in (1, 2)]
    return []


def changes_of(line):
    """Every changed form of one line of code."""
    strings = strings_of(line)
    for match in TOKEN.finditer(line):
        inside = [span for span in strings if span[0] <= match.start() < span[1]]
        if inside and not SQL.search(line[slice(*inside[0])]):
            continue
        before, after = line[:match.start()], line[match.end():]
        for other in replacements(match[0], before, after):
            yield before + other + after
    condition = CONDITION.match(line)
    if condition:
        yield f"{condition[1]}!({condition[2]}){condition[3]}"
    choice = CHOICE.search(line)
    if choice:
        yield line[:choice.start()] + choice[1] + choice[4] + choice[3] + choice[2] + line[choice.end():]
    if STATEMENT.match(line):
        yield re.match(r"\s*", line)[0] + ";"
    if "return error_set(" in line or "return error_context(" in line:
        yield line.replace("return error", "return !error")


def mutants_of(path):
    """(path, line number, changed line), each change once."""
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        text = file.read()
    original = text.split("\n")
    for number, line in enumerate(masked(text).split("\n")):
        if "assert(" in line: # a bug that an assert would stop is one that does not exist
            continue
        done = {original[number]}
        for changed in changes_of(line.rstrip()):
            if changed not in done:
                done.add(changed)
                yield path, number, changed


def keys_of(mutant):
    """How the list names a mutant: by file, function and text, so that lines may move; or by file and text."""
    path, number, changed = mutant
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        lines = file.read().split("\n")
    starts = (FUNCTION.match(line) for line in reversed(lines[:number]))
    function = next((match[1] for match in starts if match), "")
    return [(place, lines[number].strip(), changed.strip()) for place in (f"{path} {function}", path)]


def listed():
    """{key: reason}: stanzas of four lines - file and perhaps function, line, changed line, reason."""
    entries = {}
    with open(LISTED, encoding="utf-8") as file:
        for stanza in re.split(r"\n\s*\n", re.sub(r"^#.*\n", "", file.read(), flags=re.M).strip()):
            lines = [line.strip() for line in stanza.split("\n") if line.strip()]
            if lines:
                place, before, after, *reason = lines
                entries[place, before, after.removeprefix("-> ")] = " ".join(reason)
    return entries


# --- How one is tried.


class Tester:
    def __init__(self, build, work):
        self.build = build
        self.work = work
        with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
            self.compile = {os.path.relpath(entry["file"], ROOT): entry for entry in json.load(file)}
        tests = {test for names in FILES.values() for test in names}
        self.link = {test: self.link_command(test) for test in tests}
        self.here = os.path.join(work, "mkdtemp_here.o")
        subprocess.run(["cc", "-D_GNU_SOURCE", "-c", "-o", self.here,
                        os.path.join(ROOT, "tests/prove/mkdtemp_here.c")], check=True)

    def link_command(self, test):
        commands = subprocess.run(["ninja", "-C", self.build, "-t", "commands", f"test_{test}"], check=True,
                                  capture_output=True, text=True).stdout.strip().split("\n")
        command = commands[-1].removeprefix(": && ").removesuffix(" && :")
        return shlex.split(command)

    def compiled(self, path, source, out):
        command = shlex.split(self.compile[path]["command"])
        for option in ("-o", "-c", "-MF", "-MT"):
            if option in command:
                at = command.index(option)
                del command[at:at + 2]
        command = [word for word in command if word != "-MD" and not word.startswith(("-W", "-g"))]
        command += ["-w", "-I", os.path.dirname(os.path.join(ROOT, path)), "-c", source, "-o", out]
        return self.ran(command, self.compile[path]["directory"])

    def linked(self, test, thing, out):
        command = list(self.link[test])
        command[command.index("-o") + 1] = out
        first = next(i for i, word in enumerate(command) if word.endswith(".a"))
        return self.ran(command[:first] + [thing, self.here] + command[first:], self.build)

    @staticmethod
    def ran(command, folder):
        """True when it ended well and in time. In a session of its own, so that nothing stays."""
        with subprocess.Popen(["prlimit", f"--cpu={CPU_S}", "--core=0", *command], cwd=folder,
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, start_new_session=True,
                              env={**os.environ, "ASAN_OPTIONS": "abort_on_error=1"}) as process:
            try:
                return process.wait(WAIT_S) == 0
            except subprocess.TimeoutExpired:
                return False
            finally:
                try:
                    os.killpg(process.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass

    def verdict(self, path, text, tests):
        """"killed", "survived", or "invalid" when it does not compile."""
        folder = tempfile.mkdtemp(dir=self.work)
        try:
            source = os.path.join(folder, os.path.basename(path))
            thing, program = os.path.join(folder, "mutant.o"), os.path.join(folder, "test")
            with open(source, "w", encoding="utf-8") as file:
                file.write(text)
            if not self.compiled(path, source, thing):
                return "invalid"
            for test in tests:
                if not self.linked(test, thing, program):
                    return "invalid"
                if not self.ran([program, "--fail-fast", "-j1"], folder):
                    return "killed"
            return "survived"
        finally:
            shutil.rmtree(folder, ignore_errors=True)

class Panel:
    """Two testers: the quick one, and for what it lets pass the strict one."""

    def __init__(self, quick, strict):
        self.quick, self.strict = quick, strict

    def try_mutant(self, mutant):
        path, number, changed = mutant
        with open(os.path.join(ROOT, path), encoding="utf-8") as file:
            lines = file.read().split("\n")
        lines[number] = changed
        text = "\n".join(lines)
        verdict = self.quick.verdict(path, text, FILES[path])
        if verdict == "survived" and self.strict:
            verdict = self.strict.verdict(path, text, FILES[path])
        return mutant, verdict


def sanitized():
    """A sanitizer build that has the tests, or None."""
    build = os.environ.get("SANITIZED") or os.path.join(ROOT, "build/dev")
    names = {test for tests in FILES.values() for test in tests}
    return build if all(os.path.exists(os.path.join(build, "tests", f"test_{name}")) for name in names) else None


def controls(tester):
    """What every run must show: the right code passes, a gross fault is found, and a fault that no test
    looks at is not called killed."""
    wrong = []
    for path, tests in FILES.items():
        with open(os.path.join(ROOT, path), encoding="utf-8") as file:
            text = file.read()
        if tester.verdict(path, text, tests) != "survived":
            wrong.append(f"the right {path} does not pass")
    path = "store/domain/booking.c"
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        text = file.read().replace("return RANKS[to] > RANKS[from];", "return false;")
    if tester.verdict(path, text, FILES[path]) != "killed":
        wrong.append("states that never move are not found")
    if tester.verdict(path, text, ["event"]) != "survived":
        wrong.append("a fault that no test looks at counts as found")
    return wrong


# --- The program.


def build_tests(build):
    targets = sorted({f"test_{test}" for tests in FILES.values() for test in tests})
    log = os.path.join(build, "mutate.log")
    os.makedirs(build, exist_ok=True)
    with open(log, "w", encoding="utf-8") as out:
        for command in (["cmake", "-S", ROOT, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug",
                         "-DBOOKFLOW_SANITIZE=OFF", "-DBOOKFLOW_WERROR=OFF", "-DCMAKE_C_FLAGS_DEBUG=-O0"],
                        ["ninja", "-C", build, *targets]):
            if subprocess.run(command, stdout=out, stderr=out, check=False).returncode != 0:
                sys.exit(f"the tests do not build: {log}")


def chosen(seed, files):
    mutants = [mutant for path in files or FILES for mutant in mutants_of(path)]
    count = SIZES[os.environ.get("PROVE_SIZE") or "full"]
    if files or count is None or count >= len(mutants):
        return mutants
    return random.Random(seed).sample(mutants, count)


def stale_entries(equivalents):
    known = {key for path in FILES for mutant in mutants_of(path) for key in keys_of(mutant)}
    return [key for key in equivalents if key not in known]


def main():
    began = time.monotonic()
    build = os.path.abspath(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 31)
    equivalents = listed()
    build_tests(build)
    mutants = chosen(seed, sys.argv[3:])
    with tempfile.TemporaryDirectory(prefix="bookflow-mutate-") as work:
        tester, strict = Tester(build, work), sanitized() and Tester(sanitized(), work)
        wrong = controls(tester) + [f"stale: {' | '.join(key)}" for key in stale_entries(equivalents)]
        equal = [mutant for mutant in mutants if any(key in equivalents for key in keys_of(mutant))]
        tried = [mutant for mutant in mutants if mutant not in equal]
        with concurrent.futures.ThreadPoolExecutor(SEATS) as pool:
            results = list(pool.map(Panel(tester, strict).try_mutant, tried))
    killed = sum(verdict == "killed" for _, verdict in results)
    survivors = [mutant for mutant, verdict in results if verdict == "survived"]
    for path, number, changed in survivors:
        print(f"survived: {path}:{number + 1}\n    {keys_of((path, number, changed))[0][1]}\n -> {changed.strip()}")
    for sentence in wrong:
        print(f"control: {sentence}")
    valid = killed + len(survivors)
    good = not wrong and valid > 0 and killed * 100 >= valid * GOAL
    print(f"FIGURE R10 {'ok' if good else 'MISSED'} mutation: {killed} of {valid} mutants killed "
          f"({killed * 100 // max(valid, 1)} %), {len(equal)} listed as equivalent; seed {seed}")
    print(f"{time.monotonic() - began:.0f} s, {len(mutants)} mutants, {len(results) - valid} do not compile, "
          f"{'with' if strict else 'without'} the sanitizer build")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
