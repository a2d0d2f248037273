"""liar.py FILE: answers one backup with FILE, then is gone; prints its port."""
import http.server
import json
import sys


class Liar(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.dumps({"store": "intake", "file": sys.argv[1], "bytes": 1, "tookMs": 1}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


server = http.server.HTTPServer(("127.0.0.1", 0), Liar)
print(server.server_address[1], flush=True)
server.handle_request()
