// Stands in for the provider hashicorp/aws, which cannot be downloaded where these tests run: it
// knows the schemas of schema.json and no rule beyond them. Terraform is told of it by the variable
// TF_REATTACH_PROVIDERS, whose value is printed. It plans what it is given and makes it: queues on the
// SQS server that the configuration's endpoint names, everything else in Terraform's state alone.
//
//   node stand_in.mjs SOCKET       ends with stdin
import { readFileSync } from "node:fs";
import { ExtData, decode, encode } from "@msgpack/msgpack";
import { Server, ServerCredentials, loadPackageDefinition } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { makers } from "./queues.mjs";

const UNKNOWN = new ExtData(0, new Uint8Array(1));
const NESTING = { single: 1, list: 2, set: 3 };
const ERROR = 1;
const beside = (name) => new URL(name, import.meta.url).pathname;
const schemas = JSON.parse(readFileSync(beside("schema.json")));
let configuration = {};

// --- schemas

const asBlock = ({ attributes = {}, blocks = {} }) => ({
    attributes: Object.entries(attributes).map(([name, { type, ...more }]) => ({ name, type: Buffer.from(JSON.stringify(type)), ...more })),
    block_types: Object.entries(blocks).map(([type_name, { nesting, max_items, ...block }]) =>
        ({ type_name, nesting: NESTING[nesting], max_items, block: asBlock(block) })),
});
const asSchema = (block) => ({ block: asBlock(block) });

const providerSchema = {
    provider: asSchema(schemas.provider),
    resource_schemas: Object.fromEntries(Object.entries(schemas.resources).map(([name, block]) => [name, asSchema(block)])),
};

// --- values

const read = (value) => decode(value.msgpack);
const written = (object) => ({ msgpack: encode(object) });
const isUnknown = (value) => value instanceof ExtData;

function plan({ type_name, prior_state, new_state }) {
    const planned = read(new_state);
    if (planned && !read(prior_state))
        for (const [name, { computed }] of Object.entries(schemas.resources[type_name].attributes))
            if (computed && planned[name] === null) planned[name] = UNKNOWN;
    return { planned_state: written(planned) };
}

// What AWS would have chosen.
function chosen(resource, name) {
    const { type } = schemas.resources[resource].attributes[name];
    if (type === "string") return name === "arn" ? `arn:aws:${resource}` : `${resource}.${name}`;
    return { number: 0, bool: false }[type] ?? {};
}

async function apply({ type_name, prior_state, new_state }) {
    const state = read(new_state);
    if (read(prior_state)) throw new Error("the stand-in makes, but neither changes nor removes");
    const given = Object.fromEntries(Object.entries(state).filter(([, value]) => value !== null && !isUnknown(value)));
    const made = await makers[type_name]?.(configuration, given);
    for (const [name, value] of Object.entries(state))
        if (isUnknown(value)) state[name] = made?.[name] ?? chosen(type_name, name);
    return { new_state: written(state) };
}

// --- calls

const calls = {
    GetProviderSchema: () => providerSchema,
    ValidateProviderConfig: () => ({}),
    ValidateResourceConfig: () => ({}),
    ConfigureProvider: ({ config }) => { configuration = read(config); return {}; },
    PlanResourceChange: plan,
    ApplyResourceChange: (change) => apply(change).catch((error) => ({
        new_state: change.prior_state, diagnostics: [{ severity: ERROR, summary: `${change.type_name}: ${error.message}` }],
    })),
};

const answered = (answer) => async ({ request }, done) => {
    try {
        done(null, await answer(request));
    } catch (error) {
        done(error);
    }
};

const { tfplugin6 } = loadPackageDefinition(loadSync(beside("provider.proto"), { keepCase: true, longs: Number }));
const server = new Server();
server.addService(tfplugin6.Provider.service, Object.fromEntries(Object.entries(calls).map(([name, answer]) => [name, answered(answer)])));
const socket = process.argv[2];
server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) => {
    if (error) throw error;
    console.log(JSON.stringify({ "registry.terraform.io/hashicorp/aws": {
        Protocol: "grpc", ProtocolVersion: 6, Pid: process.pid, Test: true, Addr: { Network: "unix", String: socket },
    } }));
});
process.stdin.on("end", () => process.exit()).resume();
