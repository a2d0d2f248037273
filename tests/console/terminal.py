"""A program in a terminal of its own, with what libvterm makes of its bytes: its screen as text, the
cursor, modes and title. Every wait is for something and has a limit."""
import ctypes
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

LIMIT_S = 30
# As terminals send them once they are asked to (smkx).
DOWN, UP, LEFT, RIGHT, ENTER, ESCAPE = b"\033OB", b"\033OA", b"\033OD", b"\033OC", b"\r", b"\033"


class Position(ctypes.Structure):
    _fields_ = [("row", ctypes.c_int), ("column", ctypes.c_int)]


class Box(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int) for name in ("top", "bottom", "left", "right")]


PROPERTY_FN = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.c_void_p)


class Callbacks(ctypes.Structure):
    _fields_ = [(name, ctypes.c_void_p) for name in ("damage", "moverect", "movecursor")] + [
        ("settermprop", PROPERTY_FN)
    ] + [(name, ctypes.c_void_p) for name in ("bell", "resize", "pushline", "popline")]


def vterm_library():
    library = ctypes.CDLL("libvterm.so.0")
    for name in ("vterm_new", "vterm_obtain_screen", "vterm_obtain_state"):
        getattr(library, name).restype = ctypes.c_void_p
    library.vterm_screen_get_text.restype = ctypes.c_size_t
    return library


VTERM = vterm_library()
CURSOR_VISIBLE, ALTERNATE_SCREEN, MOUSE = 1, 3, 8
GROUND, START, STRING, END = range(4)


class Screen:
    """What a terminal shows after some bytes."""

    def __init__(self, lines, columns):
        self.lines, self.columns = lines, columns
        self.modes = {CURSOR_VISIBLE: 1, ALTERNATE_SCREEN: 0, MOUSE: 0}
        self.title = ""
        self.vterm = ctypes.c_void_p(VTERM.vterm_new(lines, columns))
        VTERM.vterm_set_utf8(self.vterm, 1)
        self.screen = ctypes.c_void_p(VTERM.vterm_obtain_screen(self.vterm))
        self.callbacks = Callbacks(settermprop=PROPERTY_FN(self.take_property))
        VTERM.vterm_screen_set_callbacks(self.screen, ctypes.byref(self.callbacks), None)
        VTERM.vterm_screen_enable_altscreen(self.screen, 1)
        VTERM.vterm_screen_reset(self.screen, 1)

    def take_property(self, which, value, _):
        if which in self.modes:
            self.modes[which] = value[0]
        return 1

    def feed(self, data):
        for title in re.findall(rb"\033\][02];([^\a\033]*)(?:\a|\033\\)", data):
            self.title = title.decode(errors="replace")
        VTERM.vterm_input_write(self.vterm, data, ctypes.c_size_t(len(data)))

    def resize(self, lines, columns):
        self.lines, self.columns = lines, columns
        VTERM.vterm_set_size(self.vterm, lines, columns)

    def row(self, line):
        text = ctypes.create_string_buffer(self.columns * 32)
        length = VTERM.vterm_screen_get_text(
            self.screen, text, ctypes.c_size_t(len(text)), Box(line, line + 1, 0, self.columns))
        return text.raw[:length].decode(errors="replace").rstrip()

    def rows(self):
        return [self.row(line) for line in range(self.lines)]

    def cursor(self):
        position = Position()
        VTERM.vterm_state_get_cursorpos(
            ctypes.c_void_p(VTERM.vterm_obtain_state(self.vterm)), ctypes.byref(position))
        return position.row, position.column

    def free(self):
        VTERM.vterm_free(self.vterm)


class Terminal:
    """The program, its screen, and every byte that it wrote."""

    def __init__(self, command, environment, lines=24, columns=80):
        self.screen = Screen(lines, columns)
        self.written = bytearray()
        self.master, worker = pty.openpty()
        self.size(lines, columns)
        self.before = termios.tcgetattr(worker)
        self.process = subprocess.Popen(
            command, stdin=worker, stdout=worker, stderr=subprocess.PIPE, env=environment, close_fds=True,
            start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        self.worker = worker  # kept open: the modes are looked at after the program's end

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stderr.close()
        os.close(self.master)
        os.close(self.worker)
        self.screen.free()

    def size(self, lines, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def resize(self, lines, columns):
        self.screen.resize(lines, columns)
        self.size(lines, columns)

    def keys(self, *keys):
        for key in keys:
            os.write(self.master, key if isinstance(key, bytes) else key.encode())

    def read(self, wait_s=0.0):
        """What the program writes within that time, at once when something comes; b"" = nothing."""
        if not select.select([self.master], [], [], wait_s)[0]:
            return b""
        data = os.read(self.master, 65536)
        self.written += data
        self.screen.feed(data)
        return data

    def drain(self, quiet_s=0.15):
        """Until it writes nothing for that long; the bytes."""
        data = bytearray()
        while True:
            piece = self.read(quiet_s)
            if not piece:
                return bytes(data)
            data += piece

    def text(self):
        return "\n".join(self.screen.rows())

    def shows(self, pattern):
        return re.search(pattern, self.text(), re.MULTILINE) is not None

    def until(self, what, is_so, limit_s=LIMIT_S):
        deadline = time.monotonic() + limit_s
        while not is_so():
            if time.monotonic() > deadline:
                raise AssertionError(f"in time: {what}\n--- screen\n{self.text()}")
            self.read(0.05)

    def sees(self, pattern, limit_s=LIMIT_S):
        self.until(pattern, lambda: self.shows(pattern), limit_s)

    def misses(self, pattern):
        self.until(f"no longer {pattern}", lambda: not self.shows(pattern))

    def signal(self, number):
        self.process.send_signal(number)

    def ends(self):
        """Waits for the end; the exit code, and what was said on stderr."""
        self.until("it ends", lambda: self.process.poll() is not None)
        self.drain(0)
        return self.process.returncode, self.process.stderr.read().decode(errors="replace")

    def is_right(self):
        """What is wrong with the terminal, now that nobody uses it: "" = nothing."""
        now = termios.tcgetattr(self.worker)
        wrong = [name for name, good in {
            "modes": now == self.before,
            "cursor": self.screen.modes[CURSOR_VISIBLE],
            "alternate screen": not self.screen.modes[ALTERNATE_SCREEN],
            "mouse": not self.screen.modes[MOUSE],
            "title": not self.screen.title,
            "bracketed paste": self.written.rfind(b"\033[?2004l") > self.written.rfind(b"\033[?2004h"),
        }.items() if not good]
        return ", ".join(wrong)


def quit_at_once(terminal):
    terminal.signal(signal.SIGTERM)
    return terminal.ends()
