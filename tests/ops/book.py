"""book.py URL FIRST COUNT: books slots s-FIRST ... on four connections that stay open; prints how long the answers took."""
import http.client
import json
import sys
import threading
import time
import urllib.parse

url, first, count, THREADS = urllib.parse.urlsplit(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), 4
took = []


def work(offset):
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=30)
    for number in range(first + offset, first + count, THREADS):
        began = time.monotonic()
        connection.request("POST", "/bookings", json.dumps({"slotId": f"s-{number}", "userId": "u"}), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        assert answer.status == 201, text
        took.append((time.monotonic() - began) * 1000)


began = time.monotonic()
threads = [threading.Thread(target=work, args=(each,)) for each in range(THREADS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert len(took) == count, f"{len(took)} of {count} were booked"
took.sort()
print(json.dumps({"rate": round(count / (time.monotonic() - began)), "p99": round(took[int(count * 0.99)], 1), "longest": round(took[-1], 1)}))
