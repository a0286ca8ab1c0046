"""leat sql at a terminal: statements over several lines, what was typed before, Ctrl-C on a line and on a query."""

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from trial import LEAT, WORK, check, finish

HISTORY = WORK / "history"
UP, INTERRUPT, END = b"\x1b[A", b"\x03", b"\x04"
ANSWER_SECONDS = 20


class Prompt:
    """A leat sql of its own, on a terminal of its own."""

    def __init__(self, terminal="xterm", locale="C"):
        self.rest = b""  # what it has said and nobody has looked at
        self.before = b""  # what it had said when the last answer came
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            own = {"TERM": terminal, "LC_ALL": locale, "LEAT_HISTORY": str(HISTORY)}
            os.execve(LEAT, [LEAT, "sql"], {**os.environ, **own})
        self.expect(b"leat> ")

    def expect(self, text, seconds=ANSWER_SECONDS):
        """All that it says up to `text`; a problem when that does not come."""
        deadline, said = time.monotonic() + seconds, self.rest
        while text not in said:
            if not select.select([self.terminal], [], [], max(0, deadline - time.monotonic()))[0]:
                self.rest = said
                return [f"{text!r} did not come: {said[-600:]!r}"]
            try:
                said += os.read(self.terminal, 4096)
            except OSError:
                return [f"it left before {text!r}: {said[-600:]!r}"]
        self.before, self.rest = self.before[-2000:] + said, said[said.index(text) + len(text):]
        return []

    def type(self, keys, text, seconds=ANSWER_SECONDS):
        os.write(self.terminal, keys)
        return self.expect(text, seconds)

    def interrupt(self, text):
        """Ctrl-C until it says `text`: on a busy machine the first may come before there is anything to interrupt."""
        problems = ["never asked"]
        for _ in range(ANSWER_SECONDS):
            problems = self.type(INTERRUPT, text, seconds=1)
            if not problems:
                break
        return problems

    def leave(self):
        """Ctrl-D until it leaves: one between the prompt and the moment when libedit takes the terminal is lost."""
        status, deadline, again = None, time.monotonic() + ANSWER_SECONDS, 0
        while status is None:
            if time.monotonic() > again:
                if again:
                    os.write(self.terminal, INTERRUPT)  # what the line may hold
                    time.sleep(0.3)
                os.write(self.terminal, END)
                again = time.monotonic() + 1
            pid, ended = os.waitpid(self.pid, os.WNOHANG)
            status = ended if pid else None
            if not pid and time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
            time.sleep(0.02)
        os.close(self.terminal)
        return [] if os.waitstatus_to_exitcode(status) == 0 else [f"left with {status}"]


for terminal in ("xterm", "dumb"):
    prompt = Prompt(terminal)
    problems = prompt.type(b"SELECT 40 + 2\r", b"    > ") + prompt.type(b"  AS answer;\r", b"|42    |") + prompt.expect(b"leat> ")
    check(f"{terminal}: a statement over two lines", problems)
    problems = prompt.type(b"SELECT nonsense ", b"nonsense ")
    time.sleep(0.5)  # the terminal echoes before leat reads
    problems += prompt.interrupt(b"leat> ")
    check(f"{terminal}: Ctrl-C drops the line", problems + prompt.type(b"SELECT 7 AS n;\r", b"|7  |") + prompt.expect(b"leat> "))
    problems = prompt.type(b"SELECT count(*) FROM range(1000000000000);\r", b"\r\n")
    time.sleep(0.5)
    check(f"{terminal}: Ctrl-C ends the query", problems + prompt.interrupt(b"was stopped") + prompt.expect(b"leat> "))
    fcntl.ioctl(prompt.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
    problems = prompt.type(b"SELECT repeat('x', 90) AS x;\r", b"lines end where the terminal does") + prompt.expect(b"leat> ")
    check(f"{terminal}: a wide table is cut", problems + ([] if b"|" + b"x" * 39 + b"\r\n" in prompt.before else [repr(prompt.before)]))
    check(f"{terminal}: Ctrl-D leaves", prompt.leave())

prompt = Prompt()
check("a dot command that is none", prompt.type(b".foo\r", b".foo is no command") + prompt.expect(b"leat> "))
problems = prompt.type(b"SELECT 1\r", b"    > ") + prompt.type(b"exit\r", b"a statement is open") + prompt.expect(b"    > ")
check("exit behind an open statement", problems + prompt.interrupt(b"leat> ") + prompt.leave())

for locale in ("C", "C.UTF-8", "POSIX", "nowhere"):
    prompt = Prompt(locale=locale)
    problems = prompt.type("SELECT 'Köln→😀' AS p, hex('Köln') AS h, 1.5 AS d;\r".encode(), "|Köln→😀|4BC3B66C6E|1.5|".encode())
    check(f"locale {locale}: letters of all alphabets", problems + prompt.expect(b"leat> ") + prompt.leave())

edits = b"libedit" in Path(LEAT).read_bytes()
if edits:
    prompt = Prompt()
    problems = prompt.type(b"SELECT 7 AS n;\r", b"|7  |") + prompt.expect(b"leat> ")
    os.kill(prompt.pid, signal.SIGKILL)
    os.waitpid(prompt.pid, 0)
    os.close(prompt.terminal)
    check("a kill forgets no statement", problems + ([] if "SELECT\\0407\\040AS\\040n;" in HISTORY.read_text() else [HISTORY.read_text()]))
    prompt = Prompt()
    check("what an earlier session typed comes back", prompt.type(UP + b"\r", b"|7  |") + prompt.expect(b"leat> "))
    check("the end of it", prompt.leave())
    check("the history is its owner's", [] if HISTORY.stat().st_mode & 0o077 == 0 else [oct(HISTORY.stat().st_mode)])
finish(skipped=0 if edits else 4)
