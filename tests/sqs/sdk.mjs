// The other client: AWS's own SDK, producing for our workers and consuming from them.
//
//   node sdk.mjs ENDPOINT send QUEUE_URL <LINES         each line a message without attributes
//   node sdk.mjs ENDPOINT receive QUEUE_URL             up to ten, as JSON; they stay in the queue
import { createInterface } from "node:readline/promises";
import { ReceiveMessageCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";

const [endpoint, verb, QueueUrl] = process.argv.slice(2);
const client = new SQSClient({ endpoint, region: "us-east-1" });

async function send() {
    for await (const MessageBody of createInterface({ input: process.stdin }))
        await client.send(new SendMessageCommand({ QueueUrl, MessageBody }));
}

async function receive() {
    const { Messages = [] } = await client.send(new ReceiveMessageCommand({
        QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 0, WaitTimeSeconds: 5,
        MessageAttributeNames: ["All"], MessageSystemAttributeNames: ["All"],
    }));
    console.log(JSON.stringify(Messages));
}

await { send, receive }[verb]();
