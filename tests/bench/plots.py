#!/usr/bin/env python3
"""Draws what `./run bench growth` measured: one SVG for each thing that grows, a panel for each thing measured.

  plots.py GROWTH.json FOLDER
"""
import json
import statistics
import sys

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 420, 240, 62, 34, 16, 44
INK, FAINT, LINE = "#24292f", "#d0d7de", "#0969da"


def short(value):
    for size, unit in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}"


def text(x, y, words, anchor="middle", **more):
    style = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in more.items())
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{style}>{words}</text>'


def top_of(highest):
    """A round number at or above."""
    step = 10 ** len(str(int(highest))) / 10
    return next(step * part for part in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * part >= highest)


class Panel:
    def __init__(self, number, sizes, highest):
        self.left, self.sizes, self.top = number * WIDTH + LEFT, sizes, top_of(highest)

    def x(self, index):
        return self.left + (WIDTH - LEFT - RIGHT) * (index + 0.5) / len(self.sizes)

    def y(self, value):
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / self.top

    def frame(self, series, what):
        right = self.left + WIDTH - LEFT - RIGHT
        for part in range(5):
            value = self.top * part / 4
            yield f'<path d="M{self.left} {self.y(value):.1f}H{right}" stroke="{FAINT}"/>'
            yield text(self.left - 8, self.y(value) + 4, short(value), "end")
        for index, size in enumerate(self.sizes):
            yield text(self.x(index), HEIGHT - BOTTOM + 18, short(int(size)))
        yield text((self.left + right) / 2, HEIGHT - 8, series)
        yield text(self.left, TOP - 14, what, "start", font_weight="bold")

    def curve(self, rounds):
        """Medians, and from the least to the most of the rounds."""
        medians = [statistics.median(values) for values in rounds]
        points = " ".join(f"{self.x(i):.1f},{self.y(value):.1f}" for i, value in enumerate(medians))
        yield f'<polyline points="{points}" fill="none" stroke="{LINE}" stroke-width="2"/>'
        for i, values in enumerate(rounds):
            yield (f'<path d="M{self.x(i):.1f} {self.y(min(values)):.1f}V{self.y(max(values)):.1f}" stroke="{LINE}"'
                   ' stroke-width="6" stroke-opacity="0.25" stroke-linecap="round"/>')
            yield f'<circle cx="{self.x(i):.1f}" cy="{self.y(medians[i]):.1f}" r="3.5" fill="{LINE}"/>'
            yield text(self.x(i), self.y(max(values)) - 8, short(medians[i]), font_size=11)


def draw(series, rounds):
    """`rounds`: of each round, {size: {what: value}}."""
    sizes = list(rounds[0])
    names = list(rounds[0][sizes[0]])
    yield (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH * len(names)}" height="{HEIGHT}" fill="{INK}"'
           ' font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>')
    for number, what in enumerate(names):
        values = [[values[size][what] for values in rounds] for size in sizes]
        panel = Panel(number, sizes, max(map(max, values)) * 1.1)
        yield from panel.frame(series, what)
        yield from panel.curve(values)
    yield "</svg>"


def main(source, folder):
    with open(source, encoding="utf-8") as file:
        rounds = json.load(file)["rounds"]
    for series in rounds[0]:
        with open(f"{folder}/{series}.svg", "w", encoding="utf-8") as file:
            file.write("\n".join(draw(series, [values[series] for values in rounds])) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
