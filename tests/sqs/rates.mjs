// What other clients do in the same time as our workers, for tests/bench: the AWS SDK publishes,
// sqs-consumer consumes into SQLite, the SDK's signer signs. Each prints {"rate", "cpu_us"}, of one;
// what a process needs to begin with (modules, connections) is not counted.
//
//   node rates.mjs publish ENDPOINT QUEUE_URL COUNT IN_FLIGHT            events as ours, ten a batch
//   node rates.mjs consume ENDPOINT QUEUE_URL COUNT CONSUMERS DATABASE   a transaction a batch
//   node rates.mjs sign SECONDS                                          requests with 400 bytes
import { createHash, createHmac, randomUUID } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { SendMessageBatchCommand, SQSClient } from "@aws-sdk/client-sqs";
import { SignatureV4 } from "@smithy/signature-v4";
import { Consumer } from "sqs-consumer";

const BATCH = 10;
const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };

function client(endpoint) {
    return new SQSClient({ endpoint, region: "us-east-1", credentials });
}

// begun() ... report(count): what lies between.
function begun() {
    const [time, cpu] = [process.hrtime.bigint(), process.cpuUsage()];
    return (count) => {
        const { user, system } = process.cpuUsage(cpu);
        const seconds = Number(process.hrtime.bigint() - time) / 1e9;
        console.log(JSON.stringify({ rate: count / seconds, cpu_us: (user + system) / count }));
    };
}

const text = (StringValue) => ({ DataType: "String", StringValue });

function entry(i) {
    const [bookingId, eventId, providerId] = [randomUUID(), randomUUID(), `provider-${i % 100}`];
    const timestamp = new Date().toISOString().replace(/\.\d+/, "");
    return {
        Id: `${i % BATCH}`,
        MessageBody: JSON.stringify({ bookingId, userId: `user-${i}`, providerId, slotId: `slot-${i}`, slotStart: "2099-01-01T10:00:00Z",
            slotEnd: "2099-01-01T10:30:00Z", eventType: "BOOKING_CREATED", timestamp, eventId }),
        MessageAttributes: { EventType: text("BOOKING_CREATED"), BookingId: text(bookingId), ProviderId: text(providerId), EventId: text(eventId) },
        MessageGroupId: providerId,
    };
}

async function publish(endpoint, QueueUrl, count, inFlight) {
    const sqs = client(endpoint);
    const report = begun();
    let next = 0;
    const sender = async () => {
        while (next < count) {
            const from = next;
            next = Math.min(next + BATCH, count);
            const Entries = Array.from({ length: next - from }, (_, i) => entry(from + i));
            const { Failed = [] } = await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
            if (Failed.length) throw new Error(`not taken: ${JSON.stringify(Failed)}`);
        }
    };
    await Promise.all(Array.from({ length: inFlight }, sender));
    report(Number(count));
}

function openStore(path) {
    const db = new DatabaseSync(path);
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE events (id TEXT PRIMARY KEY);"
        + "CREATE TABLE bookings (id TEXT PRIMARY KEY, user TEXT, provider TEXT, slot TEXT, start TEXT, end TEXT, status TEXT)");
    return db;
}

// One transaction a batch: seen before, or a booking more.
function applier(db) {
    const seen = db.prepare("INSERT INTO events VALUES (?) ON CONFLICT DO NOTHING");
    const add = db.prepare("INSERT INTO bookings VALUES (?, ?, ?, ?, ?, ?, 'pending') ON CONFLICT DO NOTHING");
    return (messages) => {
        db.exec("BEGIN IMMEDIATE");
        for (const { Body } of messages) {
            const event = JSON.parse(Body);
            if (seen.run(event.eventId).changes)
                add.run(event.bookingId, event.userId, event.providerId, event.slotId, event.slotStart, event.slotEnd);
        }
        db.exec("COMMIT");
    };
}

async function consume(endpoint, queueUrl, count, consumers, path) {
    const db = openStore(path);
    const apply = applier(db);
    const rows = db.prepare("SELECT max(rowid) AS rows FROM events");
    const report = begun();
    await new Promise((done, failed) => {
        for (let i = 0; i < consumers; i++) {
            const consumer = Consumer.create({
                queueUrl, sqs: client(endpoint), batchSize: BATCH, waitTimeSeconds: 1, messageAttributeNames: ["All"],
                handleMessageBatch: async (messages) => { apply(messages); return messages; },
            });
            for (const trouble of ["error", "processing_error"]) consumer.on(trouble, failed);
            consumer.on("response_processed", () => { if (rows.get().rows >= count) done(); }); // and deleted
            consumer.start();
        }
    });
    report(Number(count));
    process.exit();
}

class Sha256 {
    constructor(key) {
        this.hash = key ? createHmac("sha256", key) : createHash("sha256");
    }
    update(data) {
        this.hash.update(data);
    }
    async digest() {
        return this.hash.digest();
    }
}

async function sign(seconds) {
    const signer = new SignatureV4({ credentials, region: "eu-central-1", service: "sqs", sha256: Sha256 });
    const headers = { host: "sqs.eu-central-1.amazonaws.com", "content-type": "application/x-amz-json-1.0", "x-amz-target": "AmazonSQS.SendMessageBatch" };
    const signingDate = new Date("2026-01-01T00:00:00Z");
    const end = Date.now() + seconds * 1000;
    const report = begun();
    let count = 0;
    for (; Date.now() < end; count++)
        await signer.sign({ method: "POST", protocol: "https:", hostname: headers.host, path: "/", query: {}, headers, body: `${count}`.padStart(400, "0") }, { signingDate });
    report(count);
}

const [verb, ...words] = process.argv.slice(2);
await { publish, consume, sign }[verb](...words);
