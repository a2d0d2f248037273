"""What a measurement stands on: the programs under test as processes, what they use, and the load."""
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request

DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
               "AWS_REGION": "us-east-1"}
TICK = os.sysconf("SC_CLK_TCK")
PATIENCE_S = 120


class Wrong(Exception):
    """A load was not answered as it must be: there is no figure."""


def until(what, true, seconds=PATIENCE_S, pause=0.005):
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise Wrong(f"it took too long: {what}")
        time.sleep(pause)


def demand(true, what):
    if not true:
        raise Wrong(what)


def sync(path):
    """So that nobody's measurement pays for what was written before it."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())


class Process:
    """A child of ours and what it has used. Ends with the block."""

    def __init__(self, words, **more):
        self.child = subprocess.Popen(words, **more)
        self.pid = self.child.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        for pipe in (self.child.stdin, self.child.stdout):
            if pipe:
                pipe.close()

    def cpu_s(self):
        with open(f"/proc/{self.pid}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def _field(self, file, name):
        with open(f"/proc/{self.pid}/{file}", encoding="ascii") as lines:
            return next(int(line.split()[1]) for line in lines if line.startswith(name + ":"))

    def memory_mb(self, name="VmRSS"):
        return self._field("status", name) / 1024

    def written_bytes(self):
        return self._field("io", "write_bytes")


class Server(Process):
    """One that prints its port and ends with its stdin."""

    def __init__(self, words):
        super().__init__(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.port = int(self.child.stdout.readline())


class Silent:
    """Takes connections and never answers: a queue that holds a publisher still and costs nothing."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.endpoint = f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()


class Sqs(Server):
    """The test server, without the proxy that verifies."""

    def __init__(self, bench):
        super().__init__([bench.node, "--no-warnings", bench.peers + "/fauxqs.mjs"])
        self.endpoint = f"http://127.0.0.1:{self.port}"

    def call(self, action, **body):
        request = urllib.request.Request(self.endpoint, json.dumps(body).encode(), {
            "content-type": "application/x-amz-json-1.0", "x-amz-target": f"AmazonSQS.{action}"})
        with DIRECT.open(request, timeout=60) as answer:
            return json.loads(answer.read() or b"{}")

    def queue(self, name):
        self.call("CreateQueue", QueueName=name, Attributes={"VisibilityTimeout": "60"})
        return f"{self.endpoint}/000000000000/{name}"

    def depth(self, url):
        """Visible and hidden."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.call("GetQueueAttributes", QueueUrl=url, AttributeNames=names)
        return sum(int(answer["Attributes"][name]) for name in names)


class Worker(Process):
    """`bookflow serve ROLE` on a store, with the queues given; ready when it is made."""

    def __init__(self, bench, role, state, queues):
        self.log_path = f"{state}/{role}.log"
        environment = {"PATH": os.environ["PATH"], "HOME": state, "TZ": "UTC", "BOOKFLOW_LISTEN": "127.0.0.1:0",
                       "BOOKFLOW_STATE_DIR": state, **queues}
        with open(self.log_path, "wb") as log:
            super().__init__([bench.bookflow, "serve", role], env=environment, stdin=subprocess.DEVNULL, stderr=log)
        try:
            until(f"{role} listens", self._listens, pause=0.001)
        except Wrong:
            self.__exit__()
            raise

    def _listens(self):
        with open(self.log_path, encoding="utf-8") as log:
            line = next((line for line in log if " serve.ready " in line), None)
        if self.child.poll() is not None:
            raise Wrong(self._obituary())
        if line:
            self.port = int(line.split(" address=")[1].split()[0].rpartition(":")[2])
        return line is not None

    def _obituary(self):
        with open(self.log_path, encoding="utf-8") as log:
            return f"the worker is gone, its code is {self.child.poll()}: {log.read()[-2000:]}"

    def get(self, path):
        try:
            with DIRECT.open(f"http://127.0.0.1:{self.port}{path}", timeout=60) as answer:
                return answer.read().decode()
        except OSError as error:
            raise Wrong(f"GET {path}: {error}; {self._obituary()}") from error

    def metrics(self):
        """Summed over the roles of the process."""
        values = {}
        for line in self.get("/metrics").splitlines():
            if not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                name = name.partition("{")[0]
                values[name] = values.get(name, 0) + float(value)
        return values

    def stop(self):
        """Drained, with exit code 0."""
        self.child.terminate()
        demand(self.child.wait(20) == 0, "the worker did not stop as it should")


def sqs_queues(endpoint, requests, confirmations):
    return {**CREDENTIALS, "AWS_ENDPOINT_URL_SQS": endpoint, "SQS_BOOKING_REQUEST_QUEUE_URL": requests,
            "SQS_BOOKING_CONFIRMATION_QUEUE_URL": confirmations}


def silent_queues(silent):
    name = silent.endpoint + "/000000000000/"
    return sqs_queues(silent.endpoint, name + "requests", name + "confirmations")


def embedded_queues(folder):
    return {f"SQS_BOOKING_{name.upper()}_QUEUE_URL": f"sqlite:{folder}/queues.db?queue={name}"
            for name in ("request", "confirmation")}


class Load:
    """bench_load, begun; finish() waits for it and checks that every answer was as it must be."""

    def __init__(self, bench, port, requests, *, connections, seconds, rate=0, status=201, answers="-"):
        self.input = open(requests, "rb")
        self.process = Process([bench.program("bench_load"), str(port), str(connections), str(seconds), str(rate),
                                str(status), answers], stdin=self.input, stdout=subprocess.PIPE)

    def finish(self):
        with self.process, self.input:
            out = self.process.child.stdout.read()
            code = self.process.child.wait()
        demand(code == 0, f"the load ended with {code}: {out.decode()}")
        return json.loads(out)


class Bench:
    """The settings of a run, its programs and its scratch folder."""

    def __init__(self, build, work, node):
        self.build, self.work, self.node = build, work, node
        self.peers = os.path.dirname(build) + "/sqs-peers" # where peers.sh puts them
        self.bookflow = build + "/workers/bookflow"
        self.folders = 0

    def program(self, name):
        return f"{self.build}/tests/bench/{name}"

    def folder(self):
        self.folders += 1
        path = f"{self.work}/{self.folders}"
        os.mkdir(path)
        return path

    def copy(self, store):
        """A store as it was left, synced, in a folder of its own."""
        path = self.folder()
        for name in os.listdir(store):
            if ".db" in name:
                shutil.copyfile(f"{store}/{name}", f"{path}/{name}")
                sync(f"{path}/{name}")
        return path

    def number(self, program, *words):
        """What a program of ours measures: one number."""
        return float(subprocess.run([self.program(program), *map(str, words)], check=True, stdout=subprocess.PIPE).stdout)

    def peer(self, *words):
        """What the other client measures, as rates.mjs says it."""
        done = subprocess.run([self.node, "--no-warnings", self.peers + "/rates.mjs", *map(str, words)], check=True,
                              stdout=subprocess.PIPE)
        return json.loads(done.stdout)
