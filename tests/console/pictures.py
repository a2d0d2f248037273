"""The screens as a person sees them, to be looked at: pictures.py BUILD_FOLDER OUT_FOLDER. Needs
python3-pil, fonts-dejavu-core and fonts-noto-cjk; CI does not run it."""
import ctypes
import pathlib
import sys
import time

from PIL import Image, ImageDraw, ImageFont

from fixture import Fixture, booking
from terminal import DOWN, VTERM, Position
from worker import Bench

SIZE, WIDTH, HEIGHT, MARGIN = 15, 9, 19, 8
INK, PAPER = (220, 220, 220), (18, 18, 18)
COLOURS = ((0, 0, 0), (205, 60, 60), (60, 170, 80), (215, 180, 60), (60, 110, 200), (170, 80, 170), (60, 170, 180), (235, 235, 235))
FONTS = [ImageFont.truetype(f"/usr/share/fonts/{path}", SIZE) for path in (
    "truetype/dejavu/DejaVuSansMono.ttf", "opentype/noto/NotoSansCJK-Regular.ttc")]
INDEXED, BOLD, REVERSE = 1, 1, 1 << 5


class Cell(ctypes.Structure):
    _fields_ = [("chars", ctypes.c_uint32 * 6), ("width", ctypes.c_char), ("attributes", ctypes.c_uint),
                ("ink", ctypes.c_uint8 * 4), ("paper", ctypes.c_uint8 * 4)]


def colour(of, otherwise):
    kind, index = of[0], of[1]
    return COLOURS[index % 8] if kind & 1 == INDEXED and not kind & 6 else otherwise


def picture(screen, cursor):
    image = Image.new("RGB", (screen.columns * WIDTH + 2 * MARGIN, screen.lines * HEIGHT + 2 * MARGIN), PAPER)
    draw = ImageDraw.Draw(image)
    for line in range(screen.lines):
        column = 0
        while column < screen.columns:
            cell = Cell()
            VTERM.vterm_screen_get_cell(screen.screen, Position(line, column), ctypes.byref(cell))
            width = max(1, cell.width[0])
            text = "".join(chr(code) for code in cell.chars if code and code < 0x110000)
            ink, paper = colour(cell.ink, INK), colour(cell.paper, PAPER)
            if bool(cell.attributes & REVERSE) != ((line, column) == cursor):
                ink, paper = paper, ink
            left, top = MARGIN + column * WIDTH, MARGIN + line * HEIGHT
            draw.rectangle((left, top, left + width * WIDTH - 1, top + HEIGHT - 1), fill=paper)
            draw.text((left, top - 3 * (width > 1)), text, fill=ink, font=FONTS[width > 1])
            column += width
    return image


def shoot(terminal, out, name):
    terminal.drain(0.5)
    path = out / f"{name}.png"
    picture(terminal.screen, terminal.screen.cursor()).quantize(64).save(path, optimize=True)
    print(f"{path} {path.stat().st_size} bytes")


def people():
    names = ("Zoë Müller", "José da Silva", "山田 太郎", "Олена Коваль", "Pat O'Brien", "Anne-Marie Dupont-Lefèvre", "Bo Li",
             "Amina Diallo", "Nguyễn Thị Mai")
    requests = [booking(3 * i, name, 1560 - 170 * i) for i, name in enumerate(names)]
    taken = booking(50, "Tom Baker", 9000, status="confirmed")
    taken["start"], taken["end"] = requests[1]["start"], requests[1]["end"]
    return [taken, *requests]


def main():
    out = pathlib.Path(sys.argv[2])
    with Bench(sys.argv[1]) as bench, Fixture(add=people()) as server:
        with bench.open(server.url) as terminal:
            terminal.sees(r"\[LIVE\]")
            terminal.keys("a")
            terminal.sees("will be sent")
            terminal.keys(DOWN, DOWN, " ")
            terminal.sees("1 marked")
            shoot(terminal, out, "inbox")
            terminal.keys("u", " ")
            terminal.sees("taken back")
            terminal.keys("k")
            terminal.sees("^>.*José")
            terminal.keys("2")
            terminal.sees(r"\[2 Day")
            shoot(terminal, out, "day")
            terminal.keys("a")
            terminal.sees("Accept José")
            shoot(terminal, out, "overlap")
            terminal.keys("\r")
            terminal.keys("1")
            terminal.keys("?")
            terminal.sees("Keys:")
            shoot(terminal, out, "help")
            terminal.keys("\033")
            time.sleep(0.2)  # behind Esc no key is heard for 150 ms
            terminal.keys("a")
            terminal.sees("Accept José")
            terminal.keys("y")
            terminal.sees("will be sent")
            server(all=503)
            server.process.kill()
            terminal.sees("OFFLINE")
            shoot(terminal, out, "offline")
        with Fixture(add=people()) as again, bench.open(again.url, 40, 132) as wide:
            wide.sees(r"\[LIVE\]")
            wide.keys(DOWN)
            wide.sees("^>.*José")
            shoot(wide, out, "wide")


main()
