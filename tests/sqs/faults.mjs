// What can go wrong on the way to SQS and back. Each fault says which calls it can happen to and
// takes the exchange: it answers, breaks off, or passes on what it has changed. A fault that finds
// nothing to do to an exchange passes it on and does not count.

const SEND = "SendMessageBatch";
const RECEIVE = "ReceiveMessage";
const DELETE = "DeleteMessageBatch";
const VISIBILITY = "ChangeMessageVisibilityBatch";
const BATCHES = [SEND, DELETE, VISIBILITY];
export const CALLS = [SEND, RECEIVE, DELETE, VISIBILITY];

const JSON_TYPE = "application/x-amz-json-1.0";
const later = (ms) => new Promise((done) => setTimeout(done, ms));
const asJson = (object) => Buffer.from(JSON.stringify(object));

export function fail(response, status, code, message = code, more = {}) {
    response.writeHead(status, { "content-type": JSON_TYPE, ...more });
    response.end(asJson({ __type: `com.amazonaws.sqs#${code}`, message }));
}

// --- kinds of faults

const refuse = (...how) => ({ calls: CALLS, act: async (exchange) => {
    exchange.fired();
    fail(exchange.response, ...how);
} });

// Has its effect; then the answer is handled by `act`.
const answered = (calls, act) => ({ calls, act: async (exchange) => {
    exchange.fired();
    await act(exchange, await exchange.forward());
} });

// The answer's object is changed; `change` says whether there was anything to change.
const edited = (calls, change) => ({ calls, act: async (exchange) => {
    const answer = await exchange.forward();
    const object = JSON.parse(answer.body.toString() || "{}");
    if (answer.status !== 200 || !change(object, exchange)) return exchange.answer(answer);
    exchange.fired();
    exchange.answer({ ...answer, body: asJson(object) });
} });

// The request's object is changed.
const asked = (calls, change) => ({ calls, act: async (exchange) => {
    const object = JSON.parse(exchange.body.toString());
    if (!change(object)) return exchange.answer(await exchange.forward());
    exchange.fired();
    exchange.answer(await exchange.forward(asJson(object)));
} });

const each = (list, change) => {
    for (const one of list ?? []) change(one);
    return (list ?? []).length > 0;
};

const WRONG = "0".repeat(32);
const failedEntry = (Id, Code, SenderFault = false) => ({ Id, SenderFault, Code, Message: "try again" });

// The first entry fails, without effect.
async function partly(exchange) {
    const object = JSON.parse(exchange.body.toString());
    const [first, ...rest] = object.Entries;
    const reply = rest.length
        ? await exchange.forward(asJson({ ...object, Entries: rest }))
        : { status: 200, headers: { "content-type": JSON_TYPE }, body: Buffer.from("{}") };
    const said = JSON.parse(reply.body.toString() || "{}");
    said.Failed = [...(said.Failed ?? []), failedEntry(first.Id, "InternalError")];
    exchange.fired();
    exchange.answer({ ...reply, body: asJson(said) });
}

// Headers that promise another length than the body has.
const length = (difference) => answered(CALLS, ({ request, response }, reply) => {
    const { "transfer-encoding": _, ...headers } = reply.headers;
    response.strictContentLength = false;
    response.writeHead(reply.status, { ...headers, "content-length": Math.max(1, reply.body.length + difference) });
    response.write(reply.body.length ? reply.body : Buffer.from("{}"), () => request.socket.destroySoon());
});

export const FAULTS = {
    // The connection.
    "refused": { calls: CALLS, act: async ({ fired, refuseConnections, fault }) => { fired(); await refuseConnections(fault.ms ?? 1000); } },
    "reset-before": { calls: CALLS, act: async ({ fired, request }) => { fired(); request.socket.resetAndDestroy(); } },
    "reset-after": answered(CALLS, ({ request }) => request.socket.resetAndDestroy()),
    "reply-lost": answered(CALLS, ({ request }) => request.socket.destroy()),
    "delay": answered(CALLS, async ({ answer, fault }, reply) => { await later(fault.ms ?? 300); answer(reply); }),
    "stall": answered(CALLS, async ({ request, fault }) => { await later(fault.ms ?? 15000); request.socket.destroy(); }),
    "closes": answered(CALLS, ({ answer }, reply) => answer({ ...reply, headers: { ...reply.headers, connection: "close" } })),
    // The answer.
    "truncated": length(100),
    "length-too-short": length(-1),
    "not-json": answered(CALLS, ({ answer }, reply) => answer({ ...reply, status: 200, body: Buffer.from("<html>welcome</html>") })),
    "not-an-object": answered(CALLS, ({ answer }, reply) => answer({ ...reply, status: 200, body: Buffer.from("[1,2]") })),
    "empty-error": { calls: CALLS, act: async ({ fired, response }) => { fired(); response.writeHead(500); response.end(); } },
    "html-error": { calls: CALLS, act: async ({ fired, response }) => { fired(); response.writeHead(503, { "content-type": "text/html" }); response.end("<h1>busy</h1>"); } },
    "500": refuse(500, "InternalFailure"),
    "503": refuse(503, "ServiceUnavailable"),
    "500-after": answered(CALLS, ({ response }) => fail(response, 500, "InternalFailure")),
    "empty-body": answered(CALLS, ({ answer }, reply) => answer({ ...reply, status: 200, body: Buffer.alloc(0) })),
    // Too much at once.
    "throttled": refuse(400, "ThrottlingException", "Rate exceeded", { "x-amz-retry-after": "20" }),
    "throttled-403": refuse(403, "RequestThrottled"),
    "kms-throttled": refuse(400, "KmsThrottled"),
    "over-limit": refuse(403, "OverLimit"),
    // Who is asking.
    "expired": refuse(403, "ExpiredToken", "The security token included in the request is expired"),
    "wrong-signature": refuse(403, "SignatureDoesNotMatch"),
    "unknown-key": refuse(403, "InvalidClientTokenId"),
    "denied": refuse(403, "AccessDenied"),
    "skewed": { calls: CALLS, act: async ({ fired, response }) => { fired(); fail(response, 403, "SignatureDoesNotMatch", "Signature expired", { date: new Date(Date.now() + 3600000).toUTCString() }); } },
    // The queue.
    "no-queue": refuse(400, "QueueDoesNotExist", "The specified queue does not exist."),
    "too-large": { calls: [SEND, DELETE], act: async ({ fired, forward, answer, response, body }) => {
        if (JSON.parse(body.toString()).Entries.length === 1) return answer(await forward());
        fired();
        fail(response, 400, "BatchRequestTooLong");
    } },
    "partial": { calls: BATCHES, act: partly },
    "lies": edited(BATCHES, (object) => { // had its effect, is said to have failed
        object.Failed = (object.Successful ?? []).map(({ Id }) => failedEntry(Id, "InternalError"));
        object.Successful = [];
        return object.Failed.length > 0;
    }),
    "receipts-gone": { calls: [DELETE, VISIBILITY], act: async ({ fired, answer, body }) => {
        fired();
        const Failed = JSON.parse(body.toString()).Entries.map(({ Id }) => failedEntry(Id, "ReceiptHandleIsInvalid", true));
        answer({ status: 200, headers: { "content-type": JSON_TYPE }, body: asJson({ Successful: [], Failed }) });
    } },
    "empty-receive": { calls: [RECEIVE], act: async ({ fired, answer }) => { fired(); answer({ status: 200, headers: { "content-type": JSON_TYPE }, body: Buffer.from("{}") }); } },
    // The entries of an answer.
    "wrong-ids": edited(BATCHES, (object) => each(object.Successful, (entry) => { entry.Id = `x${entry.Id}`; })),
    "short-reply": edited(CALLS, (object) => Boolean(object.Successful?.pop() ?? object.Messages?.pop())),
    "doubled-reply": edited(CALLS, (object) => {
        object.Successful?.push(...object.Successful);
        object.Messages = object.Messages && [...object.Messages, ...object.Messages].slice(0, 10);
        return Boolean(object.Successful?.length || object.Messages?.length);
    }),
    "wrong-message-ids": edited([SEND], (object) => each(object.Successful, (entry) => { entry.MessageId = "none-of-yours"; })),
    "wrong-md5": edited([SEND, RECEIVE], (object) =>
        each(object.Successful, (entry) => { entry.MD5OfMessageBody = WRONG; }) ||
        each(object.Messages, (message) => { message.MD5OfBody = WRONG; })),
    "wrong-attributes-md5": edited([SEND, RECEIVE], (object) =>
        each(object.Successful, (entry) => { entry.MD5OfMessageAttributes = WRONG; }) ||
        each(object.Messages, (message) => { message.MD5OfMessageAttributes = WRONG; })),
    "garbled": edited([RECEIVE], (object) => each(object.Messages, (message) => { message.Body = message.Body.replace(/[a-z]/g, "?"); })),
    // Delivery: what standard queues may do.
    "twice": { calls: CALLS, act: async ({ fired, forward, answer }) => { fired(); await forward(); answer(await forward()); } },
    "reordered": { calls: [SEND, RECEIVE], act: async ({ fired, forward, answer, body }) => {
        const object = JSON.parse(body.toString());
        object.Entries?.reverse();
        const reply = await forward(asJson(object));
        const said = JSON.parse(reply.body.toString() || "{}");
        said.Messages?.reverse();
        if (object.Entries?.length > 1 || said.Messages?.length > 1) fired();
        answer({ ...reply, body: asJson(said) });
    } },
    "late": asked([SEND, VISIBILITY], (object) => each(object.Entries, (entry) => {
        if ("VisibilityTimeout" in entry) entry.VisibilityTimeout += 2;
        else entry.DelaySeconds = 2;
    })),
    "to-two": { calls: [RECEIVE], act: async ({ fired, forward, answer, call }) => { // the next receive gets them as well
        const reply = await forward();
        const Messages = JSON.parse(reply.body.toString() || "{}").Messages ?? [];
        if (Messages.length) {
            fired();
            await call(VISIBILITY, { Entries: Messages.map(({ ReceiptHandle }, i) => ({ Id: `${i}`, ReceiptHandle, VisibilityTimeout: 0 })) });
        }
        answer(reply);
    } },
};
