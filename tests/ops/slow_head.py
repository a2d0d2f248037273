"""slow_head.py ADDRESS PORT NAME CA: sends the head of a request a byte a second; prints after how many ms it was cut off."""
import socket
import ssl
import sys
import time

address, port, name, ca = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
PATIENCE_S = 25
plain = socket.create_connection((address, port), timeout=PATIENCE_S)
client = ssl.create_default_context(cafile=ca).wrap_socket(plain, server_hostname=name)
began = time.monotonic()
client.settimeout(1)
client.sendall(b"GET /health HTTP/1.1\r\nX-Slow: ")
while time.monotonic() - began < PATIENCE_S:
    try:
        client.sendall(b"x")
        if client.recv(1) == b"":
            break
    except TimeoutError:
        continue
    except OSError:
        break
else:
    sys.exit(f"still open after {PATIENCE_S} s")
print(round((time.monotonic() - began) * 1000))
