#!/usr/bin/python3
"""A mail server for the tests of notices: Debian's aiosmtpd, which keeps what it takes.

usage: notices_post.py FILE [--trouble SEED] [--tls CERTIFICATE] [--starttls CERTIFICATE] [--auth USER:PASSWORD]

Prints its port when it listens; ends with its standard input. Each message becomes a line of JSON in
FILE: {"from", "to", "message"}. With a seed every third message meets trouble, once: refused for now,
thrown away with the connection, or taken with the answer lost.
"""
import argparse
import asyncio
import json
import random
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


class Post:
    def __init__(self, path, seed):
        self.path = path
        self.random = random.Random(seed) if seed else None
        self.met = set()

    def trouble(self, message):
        key = next(line for line in message.splitlines() if line.lower().startswith("message-id:"))
        if not self.random or key in self.met or self.random.randrange(3):
            return None
        self.met.add(key)
        return self.random.choice(["busy", "deaf", "mute"])

    async def handle_DATA(self, server, session, envelope):
        message = envelope.content.decode("ascii")
        trouble = self.trouble(message)
        if trouble == "busy":
            return "451 not now"
        if trouble != "deaf":
            line = {"from": envelope.mail_from, "to": envelope.rcpt_tos, "message": message}
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        if trouble:
            server.transport.abort()
        return "250 taken"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return "550 5.1.1 <" + address + "> unknown"
        envelope.rcpt_tos.append(address)
        return "250 ok"


def context_of(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


async def serve(options):
    post = Post(options.file, options.trouble)
    starttls = context_of(options.starttls) if options.starttls else None

    def authenticate(server, session, envelope, mechanism, data):
        good = isinstance(data, LoginPassword) and f"{data.login.decode()}:{data.password.decode()}" == options.auth
        return AuthResult(success=good, handled=False)

    def protocol():
        return SMTP(post, hostname="post.test", tls_context=starttls, require_starttls=starttls is not None,
                    authenticator=authenticate if options.auth else None, auth_required=bool(options.auth),
                    auth_require_tls=False)

    loop = asyncio.get_running_loop()
    tls = context_of(options.tls) if options.tls else None
    host = "0.0.0.0" if options.starttls else "127.0.0.1"
    server = await loop.create_server(protocol, host, 0, ssl=tls)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--trouble", type=int)
    parser.add_argument("--tls")
    parser.add_argument("--starttls")
    parser.add_argument("--auth")
    asyncio.run(serve(parser.parse_args()))


main()
