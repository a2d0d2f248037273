#!/usr/bin/python3
"""Who was told what: all that arrived beside what the bookings have become.

usage: notices_judge.py FILE < {"bookings": [...], "told": {"webhooks": [...], "sms": [...]}}

FILE holds the mails, as notices_post.py keeps them. Invitations are read by Debian's icalendar and go
into a calendar, which in the end must hold the confirmed bookings and no other. Exit 1, and what is
wrong, when a notice contradicts a booking's state or an earlier notice, or is missing.
"""
import email
import email.policy
import json
import sys

import icalendar

ORDER = {"pending": 0, "confirmed": 1, "rejected": 1, "cancelled": 2}
USER_HEARS = {"confirmed", "rejected", "cancelled"}
wrong = []


class Calendar:
    """As a mail program keeps it: by UID, the highest sequence counts."""

    def __init__(self):
        self.events = {}

    def take(self, text):
        calendar = icalendar.Calendar.from_ical(text)
        (event,) = calendar.walk("VEVENT")
        uid, sequence = str(event["UID"]), int(event["SEQUENCE"])
        known = self.events.get(uid, (-1, None))
        if sequence >= known[0]:
            self.events[uid] = (sequence, event if calendar["METHOD"] == "REQUEST" else None)
        return calendar["METHOD"]

    def shown(self):
        return {uid for uid, (_, event) in self.events.items() if event is not None}


def read_mail(line, calendar):
    """(booking, recipient, status) of a mail, by its id."""
    message = email.message_from_string(json.loads(line)["message"], policy=email.policy.default)
    booking, status, recipient, _ = message["Message-ID"].strip("<>").split("@")[0].split("_")
    kinds = [part.get_content_type() for part in message.iter_parts()]
    if kinds[0] != "text/plain" or len(kinds) > 2:
        wrong.append(f"{booking}: parts {kinds}")
    for part in message.iter_parts():
        if part.get_content_type() != "text/calendar":
            continue
        method = calendar.take(part.get_content())
        if part.get_param("method") != method or {"REQUEST": "confirmed", "CANCEL": "cancelled"}[method] != status:
            wrong.append(f"{booking}: {method} in a mail of {status}")
    return booking, recipient, status


def told_in_order(name, messages, expected):
    """messages: (booking, status) as they arrived; expected: booking -> status."""
    last = {}
    for booking, status in messages:
        before = last.get(booking)
        if before and before != status and ORDER[status] <= ORDER[before]:
            wrong.append(f"{name}: {booking} is {status} after {before}")
        last[booking] = status
    for booking, status in expected.items():
        if last.get(booking) != status:
            wrong.append(f"{name}: {booking} ends {status}, the last said {last.get(booking)}")


def main():
    given = json.load(sys.stdin)
    ends = {booking["id"]: booking["status"] for booking in given["bookings"]}
    calendar = Calendar()
    with open(sys.argv[1], encoding="utf-8") as file:
        mails = [read_mail(line, calendar) for line in file]
    webhooks = [(hook["data"]["bookingId"], hook["data"]["status"]) for hook in given["told"]["webhooks"]]
    told_in_order("webhook", webhooks, ends)
    hears = {booking: status for booking, status in ends.items() if status in USER_HEARS}
    told_in_order("mail", [(b, s) for b, who, s in mails if who == "user"], hears)
    told_in_order("mail to the provider", [(b, s) for b, who, s in mails if who == "provider"],
                  {booking: status for booking, status in ends.items() if status == "cancelled"})
    confirmed = {booking for booking, status in ends.items() if status == "confirmed"}
    if calendar.shown() != confirmed:
        wrong.append(f"the calendar shows {calendar.shown() ^ confirmed} wrongly")
    # A short message names no booking: each user has one, and the last word counts.
    phones = {f"+4912345{booking['userId'].split('-')[1]:0>5}": booking for booking in given["bookings"]}
    word = {"confirmed": "has confirmed", "rejected": "cannot take", "cancelled": "is cancelled"}
    last = {sms["to"]: sms["text"] for sms in given["told"]["sms"]}
    for phone, booking in phones.items():
        if booking["status"] in USER_HEARS and word[booking["status"]] not in last.get(phone, ""):
            wrong.append(f"sms: {booking['id']} ends {booking['status']}: {last.get(phone)}")
    for line in wrong[:20]:
        print(line, file=sys.stderr)
    print(f"{len(mails)} mails, {len(webhooks)} webhooks, {len(given['told']['sms'])} short messages,"
          f" {len(calendar.shown())} events in the calendar")
    sys.exit(1 if wrong else 0)


main()
