// The SQS server of the tests: fauxqs on the loopback, behind a proxy that verifies every signature
// and does what it is told to do wrong.
//
//   node peer.mjs [FOLDER]       prints {"control", "url"} when all listen; FOLDER: the queues
//                                outlive a kill of the server
//
// What it is told, at its control address (bodies are JSON; everything is ended with stdin):
//   GET  /about                                  {calls, faults: {name: [call]}}
//   POST /account   {accessKey, secretKey, token, expires}  who may call; expires: epoch ms
//   GET  /credentials                            temporary ones, as a container's endpoint gives them
//   POST /expire    {}                           all that were given so far are expired now
//   POST /listener  {name}                       one more proxy with faults of its own: {url}
//   POST /faults    {listener, rules: [{call, fault, chance, times, ms}], seed}   call "*": every
//   GET  /counts?listener=NAME                   {calls, faults, refused, asked} so far; asked: "KEY CALL QUEUE"
//   POST /queue     {name, maxReceives, visibility}         and NAME-dlq behind it: {url}
//   POST /put       {queue, messages: [{body, attributes}]} another producer
//   GET  /depth?queue=NAME                       {depth}: visible, hidden and delayed
//   GET  /messages?queue=NAME                    [{id, body, attributes: {}}], untouched
//   POST /redrive   {queue}                      from NAME-dlq back to NAME: {moved}
//   POST /server    {state: "up" | "down" | "killed"}       with "down" connections are refused
import { spawn } from "node:child_process";
import http from "node:http";
import { CALLS, FAULTS, fail } from "./faults.mjs";
import { accountOf, allow, refusal } from "./signature.mjs";

const LOOPBACK = "127.0.0.1";
const listeners = new Map();
const agent = new http.Agent({ keepAlive: true, maxSockets: Infinity });
let behind = { child: null, port: 0 };

// --- the server behind

function startServer() {
    const child = spawn(process.execPath, ["--no-warnings", new URL("fauxqs.mjs", import.meta.url).pathname, ...process.argv.slice(2, 3)],
        { stdio: ["pipe", "pipe", "inherit"] });
    return new Promise((done, failed) => {
        child.once("exit", (code) => failed(new Error(`fauxqs ended with ${code}`)));
        child.stdout.once("data", (line) => {
            behind = { child, port: Number(line) };
            done();
        });
    });
}

function stopServer(signal) {
    const { child } = behind;
    return new Promise((done) => {
        child.removeAllListeners("exit");
        child.once("exit", done);
        child.kill(signal);
    });
}

function send(method, path, headers, body, socket) {
    return new Promise((done, failed) => {
        const passed = http.request({ port: behind.port, host: LOOPBACK, method, path, headers, agent }, (reply) => {
            const parts = [];
            reply.on("data", (part) => parts.push(part));
            reply.on("error", failed);
            reply.on("end", () => done({ status: reply.statusCode, headers: reply.headers, body: Buffer.concat(parts) }));
        });
        const gone = () => passed.destroy();
        passed.on("error", failed);
        passed.on("close", () => socket?.off("close", gone));
        socket?.once("close", gone);
        passed.end(body);
    });
}

async function call(action, object) {
    const reply = await send("POST", "/", { "content-type": "application/x-amz-json-1.0", "x-amz-target": `AmazonSQS.${action}` }, JSON.stringify(object));
    if (reply.status !== 200) throw new Error(`${action}: ${reply.body}`);
    return JSON.parse(reply.body.toString() || "{}");
}

// --- a listener

const count = (where, name) => { where[name] = (where[name] ?? 0) + 1; };

// mulberry32: the same seed, the same chances.
function chanceOf(listener) {
    listener.seed = (listener.seed + 0x6d2b79f5) | 0;
    let t = Math.imul(listener.seed ^ (listener.seed >>> 15), 1 | listener.seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}

function takeFault(listener, action) {
    const rule = listener.rules.find((each) => (each.times ?? 1) > 0 && (each.call === action || each.call === "*"));
    if (!rule || chanceOf(listener) >= (rule.chance ?? 1)) return null;
    if (rule.times !== undefined) rule.times--;
    return rule;
}

const listening = (server, port) => new Promise((done, failed) => {
    server.once("error", failed);
    server.listen(port, LOOPBACK, () => { server.off("error", failed); done(server.address().port); });
});

function refuseConnections(listener) {
    listener.server.close();
    listener.server.closeAllConnections();
}

async function acceptConnections(listener) {
    if (!listener.server.listening) listener.port = await listening(listener.server, listener.port);
}

async function refuseFor(listener, ms) {
    if (!listener.server.listening) return;
    refuseConnections(listener);
    await new Promise((done) => setTimeout(done, ms));
    await acceptConnections(listener);
}

async function serve(listener, request, response, body) {
    const action = (request.headers["x-amz-target"] ?? "").replace("AmazonSQS.", "");
    const { counts } = listener;
    count(counts.calls, action);
    const why = await refusal(request, body);
    if (why) {
        count(counts.refused, why);
        return fail(response, 403, why);
    }
    const { QueueUrl } = JSON.parse(body.toString());
    count(counts.asked, [accountOf(request), action, QueueUrl?.split("/").at(-1)].join(" "));
    const { "content-length": _, connection: __, ...headers } = request.headers;
    const forward = (other = body) => send(request.method, request.url, headers, other, request.socket);
    const answer = ({ status, headers: { "transfer-encoding": ___, ...kept }, body: text }) => {
        response.writeHead(status, { ...kept, "content-length": text.length });
        response.end(text);
    };
    const fault = takeFault(listener, action);
    if (!fault) return answer(await forward());
    await FAULTS[fault.fault].act({
        request, response, body, forward, answer, fault,
        call: (other, object) => call(other, { QueueUrl, ...object }),
        fired: () => count(counts.faults, `${action} ${fault.fault}`),
        refuseConnections: (ms) => refuseFor(listener, ms),
    });
}

function readBody(request) {
    return new Promise((done, failed) => {
        const parts = [];
        request.on("data", (part) => parts.push(part));
        request.on("error", failed);
        request.on("end", () => done(Buffer.concat(parts)));
    });
}

async function addListener(name) {
    const listener = { rules: [], seed: 1, counts: { calls: {}, faults: {}, refused: {}, asked: {} } };
    listener.server = http.createServer({ keepAliveTimeout: 60000 }, (request, response) => {
        readBody(request).then((body) => serve(listener, request, response, body)).catch(() => request.socket.destroy());
    });
    listener.port = await listening(listener.server, 0);
    listener.url = `http://${LOOPBACK}:${listener.port}`;
    listeners.set(name, listener);
    return { url: listener.url };
}

// --- control

const urlOf = (name) => `${listeners.get("main").url}/000000000000/${name}`;
const inspect = async (name) => JSON.parse((await send("GET", `/_fauxqs/queues/${name}`, {})).body.toString());
const all = ({ messages: { ready, delayed, inflight } }) => [...ready, ...delayed, ...inflight.map(({ message }) => message)];

async function addQueue({ name, maxReceives = 1000, visibility = 30 }) {
    const fifo = name.endsWith(".fifo") ? { FifoQueue: "true" } : {};
    const dead = fifo.FifoQueue ? `${name.slice(0, -5)}-dlq.fifo` : `${name}-dlq`;
    await call("CreateQueue", { QueueName: dead, Attributes: fifo });
    await call("CreateQueue", { QueueName: name, Attributes: { ...fifo, VisibilityTimeout: `${visibility}`,
        RedrivePolicy: JSON.stringify({ deadLetterTargetArn: (await inspect(dead)).arn, maxReceiveCount: maxReceives }) } });
    return { url: urlOf(name) };
}

async function put({ queue, messages }) {
    const entries = messages.map(({ body, attributes }, i) => ({ Id: `${i}`, MessageBody: body, MessageAttributes: attributes }));
    for (let i = 0; i < entries.length; i += 10)
        if ((await call("SendMessageBatch", { QueueUrl: urlOf(queue), Entries: entries.slice(i, i + 10) })).Failed?.length)
            throw new Error(`not all were put into ${queue}`);
    return {};
}

// As StartMessageMoveTask does it, which fauxqs has not.
async function redrive({ queue }) {
    const QueueUrl = urlOf(`${queue}-dlq`);
    for (let moved = 0; ;) {
        const { Messages = [] } = await call("ReceiveMessage", { QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: ["All"], VisibilityTimeout: 60 });
        if (!Messages.length) return { moved };
        await put({ queue, messages: Messages.map(({ Body, MessageAttributes }) => ({ body: Body, attributes: MessageAttributes })) });
        await call("DeleteMessageBatch", { QueueUrl, Entries: Messages.map(({ ReceiptHandle }, i) => ({ Id: `${i}`, ReceiptHandle })) });
        moved += Messages.length;
    }
}

// They say that they last for an hour.
const given = [];

function giveCredentials() {
    const expires = Date.now() + 3600000;
    const account = { accessKey: `ASIA${given.length + 1}`, secretKey: `secret-${given.length + 1}`, token: `token-${given.length + 1}`, expires };
    given.push(account);
    allow(account);
    return { AccessKeyId: account.accessKey, SecretAccessKey: account.secretKey, Token: account.token, Expiration: new Date(expires).toISOString() };
}

// "killed" says when it is dead and stays down.
async function setServer({ state }) {
    if (state === "up") {
        if (behind.child.exitCode !== null || behind.child.signalCode !== null) await startServer();
        for (const listener of listeners.values()) await acceptConnections(listener);
        return {};
    }
    for (const listener of listeners.values()) refuseConnections(listener);
    if (state === "killed") await stopServer("SIGKILL");
    return {};
}

const texts = (attributes = {}) => Object.fromEntries(Object.entries(attributes).map(([name, { StringValue }]) => [name, StringValue]));

const ABOUT = { calls: CALLS, faults: Object.fromEntries(Object.entries(FAULTS).map(([name, { calls }]) => [name, calls])) };

const CONTROLS = {
    "/about": () => ABOUT,
    "/account": (given) => allow(given) ?? {},
    "/credentials": giveCredentials,
    "/expire": () => { for (const account of given) allow({ ...account, expires: 1 }); return { expired: given.length }; },
    "/listener": ({ name }) => addListener(name),
    "/faults": ({ listener = "main", rules, seed = 1 }) => Object.assign(listeners.get(listener), { rules, seed }) && {},
    "/counts": ({ listener = "main" }) => listeners.get(listener).counts,
    "/queue": addQueue,
    "/put": put,
    "/depth": async ({ queue }) => ({ depth: all(await inspect(queue)).length }),
    "/messages": async ({ queue }) => all(await inspect(queue)).map(({ messageId, body, messageAttributes }) => ({ id: messageId, body, attributes: texts(messageAttributes) })),
    "/redrive": redrive,
    "/server": setServer,
};

async function control(request, response) {
    const { pathname, searchParams } = new URL(request.url, "http://control");
    const body = await readBody(request);
    const told = body.length ? JSON.parse(body.toString()) : Object.fromEntries(searchParams);
    try {
        response.end(JSON.stringify(await CONTROLS[pathname](told)));
    } catch (error) {
        response.writeHead(400);
        response.end(JSON.stringify({ error: `${pathname}: ${error.message}` }));
    }
}

await startServer();
const controls = http.createServer({ keepAliveTimeout: 60000 }, control);
const [port] = [await listening(controls, 0), await addListener("main")];
allow({ accessKey: "AKIDEXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" });
console.log(JSON.stringify({ control: `http://${LOOPBACK}:${port}`, url: listeners.get("main").url }));
process.stdin.on("end", () => stopServer("SIGKILL").then(() => process.exit())).resume();
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => stopServer("SIGKILL").then(() => process.exit()));
