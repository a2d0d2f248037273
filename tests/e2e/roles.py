"""Every operation x every caller: roles.py URL CALLERS REPOSITORY. Called by roles.sh."""
import http.client
import json
import pathlib
import re
import sys
import time
import urllib.parse

BOOKING = "/providers/{providerId}/bookings/{bookingId}"
A, B, P = "admin", "booker", "provider"
OPEN, ANY, LOCAL = "open", "any token", "this machine or any token"

# What is expected of each operation: who may, what he is answered, and with which body he asks.
ROWS = {
    "POST /bookings": ({A, B}, 201, {"slotId": "{slot}", "userId": "u"}),
    "GET /bookings": ({A, B}, 200, None),
    "GET /bookings/{id}": ({A, B}, 200, None),
    "GET /bookings/{id}/history": ({A, B}, 200, None),
    "POST /bookings/{id}/cancel": ({A, B}, 200, {}),
    "POST /providers/{id}/slots": ({A, P}, 201, {"start": "2040-01-01T10:00:00Z", "end": "2040-01-01T11:00:00Z"}),
    "GET /providers/{id}/slots": ({A, B, P}, 200, None),
    "DELETE /slots/{id}": ({A}, 204, None),
    "POST /users": ({A}, 201, {"name": "n"}),
    "GET /users": ({A}, 200, None),
    "GET /users/{id}": ({A}, 200, None),
    "PUT /users/{id}": ({A}, 200, {"name": "n"}),
    "DELETE /users/{id}": ({A}, 204, None),
    "POST /providers": ({A}, 201, {"name": "n"}),
    "GET /providers": ({A}, 200, None),
    "GET /providers/{id}": ({A, P}, 200, None),
    "PUT /providers/{id}": ({A, P}, 200, {"name": "n"}),
    "DELETE /providers/{id}": ({A}, 204, None),
    f"POST {BOOKING}/accept": ({A, P}, 200, {}),
    f"POST {BOOKING}/reject": ({A, P}, 200, {}),
    f"POST {BOOKING}/cancel": ({A, P}, 409, {}),  # of a pending one
    "POST /providers/{providerId}/decisions": ({A, P}, 200, {"accept": ["none"]}),
    "GET /providers/{providerId}/bookings": ({A, P}, 200, None),
    f"GET {BOOKING}": ({A, P}, 200, None),
    f"GET {BOOKING}/history": ({A, P}, 200, None),
    "GET /providers/{providerId}/events": ({A, P}, 200, None),
    "GET /bookings/{id}/notices/preview": ({A}, 409, None),  # no channel is configured
    "GET /notices": ({A}, 200, None),
    "POST /notices/{id}/replay": ({A}, 404, {}),  # of none
    "POST /stores/intake/backup": ({A}, 200, {}),
    "POST /stores/decision/backup": ({A}, 200, {}),
    "GET /pipeline": (ANY, 200, None),
    "POST /queues/request/check": ({A}, 200, {"body": "x"}),
    "POST /queues/confirmation/check": ({A}, 200, {"body": "x"}),
    "GET /health": (OPEN, 200, None),
    "GET /ready": (OPEN, 200, None),
    "GET /metrics": (LOCAL, 200, None),
    "GET /openapi.json": (OPEN, 200, None),
}
STRANGERS = ("nobody", "malformed", "wrong_secret", "expired", "revoked")
ROLE_OF = {"own": P, "other": P, "booker": B, "admin": A}
BOOKINGS = 120

url, callers_file, repository = sys.argv[1:]
place = urllib.parse.urlsplit(url)
tokens = dict(line.split() for line in pathlib.Path(callers_file).read_text().splitlines())
tokens |= {"nobody": None, "malformed": "nonsense"}
wrong = []


class Answer:
    def __init__(self, response, streams):
        self.status = response.status
        # All of it but the time of day.
        self.head = sorted((n.lower(), v) for n, v in response.getheaders() if n.lower() != "date")
        self.body = b"" if streams else response.read()

    def same(self, other):
        return (self.status, self.head, self.body) == (other.status, other.head, other.body)


def ask(caller, operation, body=None, more=None):
    method, path = operation.split(" ", 1)
    headers = {"Content-Type": "application/json"} | (more or {})
    if tokens[caller]:
        headers["Authorization"] = "Bearer " + tokens[caller]
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=20)
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    response = connection.getresponse()
    streams = response.getheader("Content-Type") == "text/event-stream"
    answer = Answer(response, streams)
    connection.close()
    return answer


def admin(operation, body=None):
    answer = ask("admin", operation, body)
    assert answer.status < 300, (operation, answer.status, answer.body)
    return json.loads(answer.body) if answer.body else None


def expect(claim, *words):
    if not claim:
        wrong.append(" ".join(map(str, words)))


# --- The routes: of the document, of the sources, and the rows.


def nameless(operation):
    return re.sub(r"\{[^}]*\}", "{}", operation)


def documented():
    paths = json.loads(pathlib.Path(repository, "workers/openapi.yaml").read_text())["paths"]
    return {
        f"{method.upper()} {path}": details.get("security")
        for path, methods in paths.items()
        for method, details in methods.items()
        if method != "parameters"
    }


def routed():
    found = set()
    for source in pathlib.Path(repository, "workers").rglob("*.c"):
        text = source.read_text().replace("BOOKING \"", "\"/providers/{}/bookings/{}")
        text = re.sub(r"\.pattern = BOOKING\b", '.pattern = "/providers/{}/bookings/{}"', text)
        for method, path in re.findall(r'\.method = HTTP_(\w+),\s*\.pattern = "([^"]*)"', text):
            found.add(nameless(f"{method} {path}"))
    return found


def security_of(may):
    if may == OPEN:
        return []
    if may == LOCAL:
        return [{}, {"bearer": []}]
    if may == ANY or may == {A, B, P}:
        return [{"bearer": []}]
    return [{"bearer": [role]} for role in sorted(may)]


def check_tables():
    document = documented()
    for operation in sorted(set(document) ^ set(ROWS)):
        expect(False, operation, "has no row" if operation in document else "is not documented")
    for operation in sorted(routed() ^ set(map(nameless, ROWS))):
        expect(False, operation, "is in the sources or in the rows, but not in both")
    for operation in set(document) & set(ROWS):
        expect(document[operation] == security_of(ROWS[operation][0]), operation, "is documented otherwise")


# --- Something to ask for.

fresh = iter(range(10**6))


def prepare():
    """Slots, bookings that the provider has in his inbox, and people."""
    slots = [
        {"id": f"s-{i}", "start": f"2041-01-{1 + i // 24:02}T{i % 24:02}:00:00Z", "end": f"2041-01-{1 + i // 24:02}T{i % 24:02}:30:00Z"}
        for i in range(BOOKINGS + 60)
    ]
    admin("POST /providers/salon/slots", {"slots": slots})
    bookings = [admin("POST /bookings", {"slotId": f"s-{i}", "userId": "u"})["id"] for i in range(BOOKINGS)]
    deadline = time.monotonic() + 20
    while len(admin("GET /providers/salon/bookings?limit=1000")["bookings"]) < BOOKINGS:
        assert time.monotonic() < deadline, "the bookings do not arrive"
    return bookings, [slot["id"] for slot in slots[BOOKINGS:]]


def fill(operation, body, booking, slot):
    """The operation with ids of things that are there."""
    if operation.startswith("DELETE /providers"):
        operation = operation.replace("{id}", "salon")
    if "/users/{id}" in operation:
        name = f"user-{next(fresh)}"
        admin(f"PUT /users/{name}", {"name": "n"})
        operation = operation.replace("{id}", name)
    if "/providers/{id}" in operation or operation.startswith(("DELETE /providers", "GET /providers", "PUT /providers")):
        admin("PUT /providers/salon", {"name": "n"})
    operation = operation.replace("/providers/{id}", "/providers/salon").replace("{providerId}", "salon").replace("/notices/{id}", "/notices/none")
    operation = operation.replace("/slots/{id}", f"/slots/{slot}").replace("{bookingId}", booking)
    operation = operation.replace("/bookings/{id}", f"/bookings/{booking}")
    if body and "slotId" in body:
        body = body | {"slotId": slot}
    return operation, body


# --- The table.


def expected(operation, caller):
    may, status, _ = ROWS[operation]
    if may in (OPEN, LOCAL):
        return status
    if caller in STRANGERS:
        return 401
    if may == ANY or caller == "admin":
        return status
    if ROLE_OF[caller] not in may:
        return 403
    if caller == "other":
        return 404 if BOOKING in operation else 403
    return status


def check_refusal(operation, caller, answer, asked):
    body = json.loads(answer.body)
    expect(set(body) == {"error"}, operation, caller, "is told more than a sentence:", body)
    challenge = ("www-authenticate", "Bearer") in answer.head
    expect(challenge == (answer.status == 401), operation, caller, "WWW-Authenticate")
    if answer.status == 404:
        # Whether it is there or not: what is told is the same, to the byte.
        method, path = asked.split(" ", 1)
        for id_of_none in ("none", "x" * len(path.split("/")[4])):
            parts = path.split("/")
            parts[2], parts[4] = "other", id_of_none
            absent = ask(caller, f"{method} {'/'.join(parts)}", ROWS[operation][2])
            expect(absent.same(answer), operation, caller, "tells", vars(answer), "and of none", vars(absent))
        parts = path.split("/")
        parts[2] = "other"  # under his own name, the booking of another
        mine = ask(caller, f"{method} {'/'.join(parts)}", ROWS[operation][2])
        expect(mine.same(answer), operation, caller, "tells of his own", vars(mine))
        with_key = ask(caller, asked, ROWS[operation][2], {"Idempotency-Key": f"k-{next(fresh)}"})
        expect(with_key.same(answer), operation, caller, "with a key tells", vars(with_key))


def main():
    check_tables()
    cells = 0
    bookings, slots = prepare() if not wrong else ([], [])
    for operation, (_, _, body) in ROWS.items() if bookings else ():
        for caller in (*STRANGERS, *ROLE_OF):
            status = expected(operation, caller)
            booking, slot = bookings[-1], slots[-1]
            asked, sent = fill(operation, body, booking, slot)
            answer = ask(caller, asked, sent)
            cells += 1
            expect(answer.status == status, operation, "by", caller, "is", answer.status, "not", status, answer.body[:200])
            if caller != "admin" and status in (401, 403, 404) and answer.status == status:
                check_refusal(operation, caller, answer, asked)
            elif body is not None or operation.startswith("DELETE"):
                bookings.pop(), slots.pop()  # used up
    for booking in bookings:
        state = admin(f"GET /providers/salon/bookings/{booking}")["status"]
        expect(state == "pending", "a booking that nobody could touch is", state)
    print("\n".join(wrong), file=sys.stderr)
    print(f"{len(ROWS)} operations x {len(STRANGERS) + len(ROLE_OF)} callers: {cells} cells as they should be, "
          f"another provider's booking byte-identical to none")
    return 1 if wrong or cells < 9 * len(ROWS) else 0


sys.exit(main())
