"""other_document.py URL FILE: passes everything on to URL, but answers /openapi.json with FILE; prints its port."""
import http.client
import http.server
import sys
import urllib.parse

url = urllib.parse.urlsplit(sys.argv[1])
with open(sys.argv[2], "rb") as file:
    document = file.read()


class Pass(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def pass_on(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/openapi.json":
            return self.answer(200, "application/json", document)
        connection = http.client.HTTPConnection(url.hostname, url.port, timeout=30)
        headers = {name: self.headers[name] for name in ("Content-Type", "Idempotency-Key") if self.headers[name]}
        connection.request(self.command, self.path, body or None, headers)
        answer = connection.getresponse()
        kind = answer.getheader("Content-Type")
        return self.answer(answer.status, kind, b"" if kind == "text/event-stream" else answer.read())

    def answer(self, status, kind, body):
        self.send_response(status)
        if kind:
            self.send_header("Content-Type", kind)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = pass_on

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pass)
print(server.server_address[1], flush=True)
server.serve_forever()
