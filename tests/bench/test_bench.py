#!/usr/bin/env -S python3 -B
"""Whether the measuring can be believed: a load that is not answered as it must be fails, and a mark that is
not reached is said to be missed.  test_bench.py BUILD_FOLDER"""
import sqlite3
import sys
import tempfile
import types
import unittest

import figures
import plots
from machine import Bench, Load, Server, Silent, Worker, Wrong, embedded_queues, silent_queues, until
from pipeline import audit
from posts import MOST, Posts
from stores import booked, make_slots, write_bookings

BUILD = sys.argv.pop(1)
SETTINGS = types.SimpleNamespace(rows=1000, messages=100, seconds=1.3)


class Loads(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.bench = Bench(BUILD, self.folder.name, "node")

    def requests(self, count):
        return write_bookings(self.folder.name + "/requests", 0, count)

    def load(self, port, count=500, **how):
        return Load(self.bench, port, self.requests(count), **{"connections": 4, "seconds": 3, **how}).finish()

    def test_every_request_is_sent_once_and_its_answer_kept(self):
        answers = self.folder.name + "/answers"
        with Server([self.bench.program("bench_bare")]) as bare:
            self.assertEqual(self.load(bare.port, answers=answers)["answered"], 500)
        with open(answers, encoding="ascii") as lines:
            self.assertEqual(len(lines.readlines()), 500)

    def test_a_paced_load_keeps_its_pace(self):
        with Server([self.bench.program("bench_bare")]) as bare:
            self.assertLess(abs(self.load(bare.port, 1000, rate=300)["rate"] - 300), 100) # unpaced: many thousands

    def test_another_status_is_no_figure(self):
        with Server([self.bench.program("bench_bare")]) as bare, self.assertRaises(Wrong):
            self.load(bare.port, status=200)

    def test_no_answer_is_no_figure(self):
        with Silent() as silent, self.assertRaises(Wrong):
            self.load(int(silent.endpoint.rpartition(":")[2]), seconds=0.1)

    def test_a_slot_that_is_booked_twice_is_no_figure(self):
        state = make_slots(self.bench, 100)
        with Silent() as silent, Worker(self.bench, "intake", state, silent_queues(silent)) as worker:
            self.assertEqual(self.load(worker.port, 100)["answered"], 100)
            with self.assertRaises(Wrong):
                self.load(worker.port, 100)

    def test_a_booking_that_is_lost_is_seen(self):
        state = make_slots(self.bench, MOST[64])
        with Silent() as silent, Worker(self.bench, "intake", state, silent_queues(silent)) as worker:
            posts = Posts(self.bench, worker, state, SETTINGS)
            result = posts.once(1)
            self.assertGreaterEqual(result["commits_each"], 1)
            worker.stop()
        booked(state, posts.answered)
        for damage in ("DELETE FROM bookings WHERE booking = 1; DELETE FROM outbox WHERE sequence = 1",
                       "DELETE FROM outbox WHERE sequence = 2"):
            with sqlite3.connect(f"{state}/intake.db") as store:
                store.executescript(damage)
            with self.assertRaises(Wrong):
                booked(state, posts.answered)
            posts.answered -= 1

    def test_stores_that_disagree_are_seen(self):
        state = make_slots(self.bench, 100)
        with Worker(self.bench, "all", state, embedded_queues(state)) as worker:
            self.load(worker.port, 100)
            until("it is through", lambda: worker.metrics()["bookflow_messages_applied_total"] == 100)
            worker.stop()
        audit(self.bench, state, state)
        with sqlite3.connect(f"{state}/decision.db") as store:
            store.execute("UPDATE bookings SET status = 1 WHERE booking = 1")
        with self.assertRaises(Wrong):
            audit(self.bench, state, state)


class Figures(unittest.TestCase):
    def test_the_median_of_the_quotients_is_judged(self):
        rounds = [{"a": 10, "b": 1}, {"a": 1, "b": 1}, {"a": 30, "b": 10}]
        for relation, mark, verdict in ((">=", 3, "ok"), (">=", 3.1, "MISSED"), ("<=", 3, "ok"), ("<=", 2.9, "MISSED"),
                                        ("<=", None, "-")):
            with self.subTest(relation=relation, mark=mark):
                result = figures.judged(("V0", "what", relation, mark, "a", "b", "/s"), rounds)
                self.assertEqual((result["verdict"], result["value"], result["least"], result["most"]), (verdict, 3, 1, 10))

    def test_what_a_round_lacks_is_skipped_and_named(self):
        for figure in figures.judge([{"limit.disk": 1}], SETTINGS)[1:]:
            self.assertEqual(figure["verdict"], "SKIPPED")
            self.assertIn("not measured: ", figure["reason"])

    def test_every_line_can_be_shown(self):
        names = {name for figure in figures.FIGURES for name in figure[4:6] if name}
        for figure in figures.judge([dict.fromkeys(names, 2.0)], SETTINGS):
            self.assertLess(len(figures.line(figure).partition(figure["verdict"])[0]), 95)


class Plots(unittest.TestCase):
    def test_every_point_is_inside_and_named(self):
        svg = "\n".join(plots.draw("rows", [{"0": {"rate": 5.0}, "1000": {"rate": 1234.0}}] * 3))
        self.assertEqual(svg.count("<circle"), 2)
        self.assertIn("1.23k", svg)
        for highest in (0.3, 1, 7, 99, 12345):
            self.assertLessEqual(highest, plots.top_of(highest))


unittest.main()
