// Who is told, for the tests of notices: a webhook receiver that verifies by npm's standardwebhooks,
// and Amazon SNS by fauxqs behind the verifying proxy. What arrives is kept, and faults happen.
//
//   node notices.mjs SECRET [SEED]   prints {"webhook", "sns", "control"} when all listen; with a seed
//                                    every third message meets trouble, once. Ended with stdin.
//
//   GET /told                        {webhooks: [payload + {id}], sms: [{to, text}], refused: [why]}
//   GET /next?answer=STATUS          the next webhook is answered so, once
import { startFauxqs } from "fauxqs";
import http from "node:http";
import net from "node:net";
import { Webhook } from "standardwebhooks";
import { allow, refusal } from "./signature.mjs";

const LOOPBACK = "127.0.0.1";
const [secret, seed] = process.argv.slice(2);
const told = { webhooks: [], sms: [], refused: [] };
const answers = [];
const met = new Set();

// startFauxqs() listens on every address.
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (options, ...more) {
    return listen.call(this, typeof options === "object" ? { ...options, host: LOOPBACK } : options, ...more);
};

let state = Number(seed ?? 0);
const dice = (many) => (state = (Math.imul(state, 1103515245) + 12345) >>> 0, (state >>> 16) % many);

// Once for each: nothing heard, heard and the answer lost, busy.
function trouble(id) {
    if (!seed || met.has(id) || dice(3)) return null;
    met.add(id);
    return ["deaf", "mute", "busy"][dice(3)];
}

function serve(request, response, id, keep, answer) {
    const what = trouble(id);
    if (what === "deaf") return request.socket.destroy();
    if (what === "busy") return response.writeHead(503).end();
    keep();
    if (what === "mute") return request.socket.destroy();
    return answer();
}

const readBody = (request) => new Promise((done, failed) => {
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("error", failed);
    request.on("end", () => done(Buffer.concat(parts)));
});

const listening = async (handle) => {
    const server = http.createServer((request, response) => {
        readBody(request).then((body) => handle(request, response, body)).catch((error) => {
            told.refused.push(`${error}`);
            response.writeHead(400).end();
        });
    });
    await new Promise((done) => server.listen({ port: 0, host: LOOPBACK }, done));
    return `http://${LOOPBACK}:${server.address().port}`;
};

const verifier = new Webhook(secret);

async function webhook(request, response, body) {
    const payload = verifier.verify(body.toString(), request.headers);
    const id = request.headers["webhook-id"];
    const asked = answers.shift();
    if (asked) return response.writeHead(Number(asked), { location: "/elsewhere" }).end();
    return serve(request, response, id, () => told.webhooks.push({ ...payload, id }), () => response.end("ok"));
}

const faux = await startFauxqs({ port: 0, logger: false });
const call = (form) => fetch(`http://${LOOPBACK}:${faux.port}/`, {
    method: "POST", body: `${form}`,
    headers: { "content-type": "application/x-www-form-urlencoded", authorization: "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/sns/aws4_request" },
});
const topic = /<TopicArn>(.*)<\/TopicArn>/.exec(await (await call("Action=CreateTopic&Name=phones")).text())[1];

// A phone stands for a topic: that is where fauxqs publishes to.
async function sns(request, response, body) {
    const why = await refusal(request, body);
    const form = new URLSearchParams(body.toString());
    const [to, text] = [form.get("PhoneNumber"), form.get("Message")];
    if (why || !/^\+\d{8,15}$/.test(to)) {
        told.refused.push(why ?? `phone ${to}`);
        return response.writeHead(403).end(`<ErrorResponse><Error><Code>${why ?? "InvalidParameter"}</Code></Error></ErrorResponse>`);
    }
    form.delete("PhoneNumber");
    form.set("TopicArn", topic);
    const reply = await call(form);
    const answer = await reply.text();
    if (reply.status !== 200) told.refused.push(answer);
    return serve(request, response, `${to} ${text}`, () => told.sms.push({ to, text }),
        () => response.writeHead(reply.status, { "content-type": "text/xml" }).end(answer));
}

async function control(request, response) {
    const { pathname, searchParams } = new URL(request.url, "http://control");
    if (pathname === "/next") answers.push(searchParams.get("answer"));
    response.end(JSON.stringify(told));
}

allow({ accessKey: "AKIDEXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" });
console.log(JSON.stringify({ webhook: await listening(webhook), sns: await listening(sns), control: await listening(control) }));
process.stdin.on("end", () => process.exit()).resume();
