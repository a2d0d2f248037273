// Queues as the provider makes them: each planned attribute under the name that SQS has for it.

const ATTRIBUTES = {
    delay_seconds: "DelaySeconds",
    deduplication_scope: "DeduplicationScope",
    fifo_queue: "FifoQueue",
    fifo_throughput_limit: "FifoThroughputLimit",
    kms_data_key_reuse_period_seconds: "KmsDataKeyReusePeriodSeconds",
    kms_master_key_id: "KmsMasterKeyId",
    max_message_size: "MaximumMessageSize",
    message_retention_seconds: "MessageRetentionPeriod",
    receive_wait_time_seconds: "ReceiveMessageWaitTimeSeconds",
    redrive_policy: "RedrivePolicy",
    sqs_managed_sse_enabled: "SqsManagedSseEnabled",
    visibility_timeout_seconds: "VisibilityTimeout",
};

async function call({ endpoints, region, access_key, secret_key }, action, input) {
    const endpoint = endpoints?.[0]?.sqs;
    if (!endpoint) throw new Error("the stand-in makes queues only where endpoints { sqs } says");
    const sqs = await import("@aws-sdk/client-sqs"); // costs more than all the rest, and few need it
    const client = new sqs.SQSClient({ endpoint, region, credentials: { accessKeyId: access_key, secretAccessKey: secret_key } });
    return client.send(new sqs[`${action}Command`](input));
}

// SQS refuses FifoQueue = false.
function attributesOf(queue) {
    const given = Object.entries(ATTRIBUTES).filter(([name]) => name in queue && (name !== "fifo_queue" || queue[name]));
    return Object.fromEntries(given.map(([name, attribute]) => [attribute, `${queue[name]}`]));
}

async function makeQueue(provider, queue) {
    const { QueueUrl } = await call(provider, "CreateQueue", { QueueName: queue.name, Attributes: attributesOf(queue), tags: queue.tags });
    const { Attributes } = await call(provider, "GetQueueAttributes", { QueueUrl, AttributeNames: ["QueueArn"] });
    return { id: QueueUrl, url: QueueUrl, arn: Attributes.QueueArn };
}

const setting = (attribute, name) => async (provider, resource) => {
    await call(provider, "SetQueueAttributes", { QueueUrl: resource.queue_url, Attributes: { [attribute]: resource[name] } });
    return { id: resource.queue_url };
};

export const makers = {
    aws_sqs_queue: makeQueue,
    aws_sqs_queue_policy: setting("Policy", "policy"),
    aws_sqs_queue_redrive_allow_policy: setting("RedriveAllowPolicy", "redrive_allow_policy"),
};
