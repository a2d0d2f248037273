"""Books a slot after the other, each on a connection of its own, from four threads, and counts.

steady.py URL COUNT PREFIX: a request that is reset is tried again under its idempotency key, as a good client does; one that
is refused (nobody listens) is counted as refused. "lost" is what was never answered 201, or was answered and is not there."""
import http.client
import json
import sys
import threading
import time
import urllib.parse

url, count, prefix = urllib.parse.urlsplit(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
FIRST, THREADS, PATIENCE_S = (1000 if prefix == "s" else 300), 4, 30
lock = threading.Lock()
took, ids = [], []
numbers = {"refused": 0, "retried": 0, "lost": 0}


def once(method, path, body=None, key=None):
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=PATIENCE_S)
    try:
        headers = {"Content-Type": "application/json", "Connection": "close"}
        headers |= {"Idempotency-Key": key} if key else {}
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def note(what):
    with lock:
        numbers[what] += 1


def book(number):
    body, key = json.dumps({"slotId": f"s-{number}", "userId": f"u-{number}"}), f"{prefix}-{number}"
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            status, answer = once("POST", "/bookings", body, key)
        except ConnectionRefusedError:
            note("refused")
            continue
        except (OSError, http.client.HTTPException):
            note("retried")
            continue
        if status == 503:  # its store could not take it, or it is on its way out
            note("retried")
            continue
        return answer["id"] if status == 201 else None
    return None


def work(first):
    for number in range(first, count, THREADS):
        began = time.monotonic()
        identifier = book(FIRST + number)
        with lock:
            took.append((time.monotonic() - began) * 1000)
            ids.append(identifier)


threads = [threading.Thread(target=work, args=(each,)) for each in range(THREADS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
there = [identifier for identifier in ids if identifier and once("GET", f"/bookings/{identifier}")[0] == 200]
took.sort()
print(json.dumps(numbers | {"lost": count - len(set(there)), "answered": len(there), "p99": round(took[int(len(took) * 0.99)]),
                            "longest": round(took[-1])}))
