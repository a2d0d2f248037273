// Asks a worker what its OpenAPI document lets one ask, and much that it does not, and holds every answer against the document.
//
//   node requests.mjs URL RUNS SEED ID...   prints {operations, requests, statuses}; exits 1 with the smallest request that went wrong;
//                                           ID: of what is there, so that not everything is 404
import { Validator } from "@seriousme/openapi-schema-validator";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import fc from "fast-check";

const [url, runs, seed] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const METHODS = ["get", "post", "put", "delete"];
const counted = { operations: 0, requests: 0, statuses: {} };

const said = await (await fetch(`${url}/openapi.json`)).json();
const verdict = await new Validator().validate(structuredClone(said));
if (!verdict.valid) {
    console.error("not an OpenAPI document:", JSON.stringify(verdict.errors, null, 1));
    process.exit(1);
}
const ajv = addFormats(new Ajv2020({ strict: false, allErrors: true }));
ajv.addSchema({ ...said, $id: "openapi" });

const at = (reference) => reference.slice(2).split("/").reduce((node, key) => node[key.replaceAll("~1", "/")], said);
const plain = (node) => (node?.$ref ? plain(at(node.$ref)) : node);
const pointer = (path) => `openapi#/${path.map((key) => encodeURIComponent(String(key).replaceAll("~", "~0").replaceAll("/", "~1"))).join("/")}`;

// --- values by schema

const IDS = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...process.argv.slice(5)) }, { weight: 1, arbitrary: fc.stringMatching(/^[A-Za-z0-9._:-]{1,128}$/) },
    { weight: 1, arbitrary: fc.string({ minLength: 1, maxLength: 200 }) });

const TIMES = fc.integer({ min: 1700000000, max: 4000000000 }).map((s) => new Date(s * 1000).toISOString().replace(/\.\d+/, ""));

function text(schema) {
    if (schema === at("#/components/schemas/Id")) return IDS;
    if (schema.enum) return fc.constantFrom(...schema.enum);
    if (schema.format === "date-time") return TIMES;
    if (schema.pattern) return fc.stringMatching(new RegExp(schema.pattern)).map((value) => value.slice(0, schema.maxLength ?? 128));
    return fc.string({ minLength: schema.minLength ?? 0, maxLength: Math.min(schema.maxLength ?? 60, 300), unit: "grapheme" });
}

function object(schema) {
    const keys = schema.properties ?? {};
    return fc.record(Object.fromEntries(Object.entries(keys).map(([key, value]) => [key, valueOf(value)])), { requiredKeys: schema.required ?? [] });
}

const BY_TYPE = {
    string: text,
    integer: (schema) => fc.integer({ min: schema.minimum ?? -5, max: schema.maximum ?? 2000 }),
    number: () => fc.double({ noNaN: true }),
    boolean: () => fc.boolean(),
    null: () => fc.constant(null),
    array: (schema) => fc.array(valueOf(schema.items ?? {}), { maxLength: 4 }),
    object,
};

function valueOf(node) {
    const schema = plain(node);
    const choices = schema.oneOf ?? schema.anyOf;
    if (choices) return fc.oneof(...choices.map(valueOf));
    if (schema.const !== undefined) return fc.constant(schema.const);
    const types = [schema.type ?? (schema.properties ? "object" : "string")].flat();
    return fc.oneof(...types.map((type) => BY_TYPE[type](schema)));
}

// --- requests

function bodyOf(operation) {
    const schema = plain(operation.requestBody)?.content?.["application/json"]?.schema;
    if (!schema) return fc.oneof(fc.constant(undefined), fc.json());
    const known = fc.record({ slotId: fc.integer({ min: 1, max: 200 }).map((n) => `s-${n}`), userId: fc.constant("u-1") });
    return fc.oneof({ weight: 4, arbitrary: valueOf(schema).map((value) => JSON.stringify(value)) },
        { weight: 2, arbitrary: known.map((value) => JSON.stringify(value)) },
        { weight: 2, arbitrary: fc.tuple(fc.object({ maxDepth: 2 }), valueOf(schema)).map(([odd, value]) => JSON.stringify({ ...value, ...odd })) },
        { weight: 1, arbitrary: fc.json() },
        { weight: 1, arbitrary: fc.string() },
        { weight: 1, arbitrary: fc.constant(undefined) });
}

function queryOf(parameters) {
    const asked = parameters.filter((parameter) => parameter.in === "query");
    const one = (parameter) => fc.oneof({ weight: 3, arbitrary: valueOf(parameter.schema).map(String) }, { weight: 1, arbitrary: fc.string() });
    const all = fc.record(Object.fromEntries(asked.map((parameter) => [parameter.name, one(parameter)])), { requiredKeys: [] });
    return fc.oneof(fc.constant({}), all);
}

function requestOf(path, item, operation) {
    const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])].map(plain);
    const names = [...path.matchAll(/\{([^}]+)\}/g)].map((match) => match[1]);
    return fc.record({
        ids: fc.tuple(...names.map(() => IDS)),
        query: queryOf(parameters),
        body: bodyOf(operation),
        key: fc.oneof(fc.constant(undefined), fc.stringMatching(/^[a-z]{1,3}$/)),
        type: fc.oneof({ weight: 9, arbitrary: fc.constant("application/json") }, { weight: 1, arbitrary: fc.constantFrom("text/plain", "application/json; charset=utf-8") }),
    });
}

async function ask(method, path, request) {
    let next = 0;
    const filled = path.replaceAll(/\{[^}]+\}/g, () => encodeURIComponent(request.ids[next++]).replace(/^\.{1,2}$/, "x"));
    const query = new URLSearchParams(request.query).toString();
    const headers = { "Content-Type": request.type, ...(request.key && { "Idempotency-Key": request.key }) };
    const stop = new AbortController();
    const answer = await fetch(`${url}${filled}${query && `?${query}`}`,
        { method: method.toUpperCase(), headers, body: method === "get" ? undefined : request.body, signal: stop.signal, redirect: "manual" });
    const streams = answer.headers.get("content-type")?.startsWith("text/event-stream");
    const body = streams ? "" : await answer.text();
    if (streams) stop.abort();
    return { status: answer.status, type: answer.headers.get("content-type")?.split(";")[0] ?? "", body };
}

// --- answers

function judge(path, method, operation, answer) {
    const key = [answer.status, `${String(answer.status)[0]}XX`, "default"].find((each) => operation.responses[each]);
    if (!key) throw new Error(`${answer.status} is not in the document: ${answer.body.slice(0, 300)}`);
    const response = plain(operation.responses[key]);
    if (!response.content) {
        if (answer.body) throw new Error(`${answer.status} has a body that is not in the document: ${answer.body.slice(0, 300)}`);
        return;
    }
    if (!response.content[answer.type]) throw new Error(`${answer.status} as ${answer.type} is not in the document`);
    if (answer.type !== "application/json") return;
    const reference = operation.responses[key].$ref;
    const where = reference ? reference.slice(2).split("/") : ["paths", path, method, "responses", key];
    const check = ajv.getSchema(pointer([...where, "content", answer.type, "schema"]));
    if (!check(JSON.parse(answer.body))) throw new Error(`${answer.status} ${answer.body.slice(0, 300)}: ${ajv.errorsText(check.errors)}`);
}

async function hold(path, method, item) {
    const operation = item[method];
    counted.operations++;
    await fc.assert(fc.asyncProperty(requestOf(path, item, operation), async (request) => {
        const answer = await ask(method, path, request);
        counted.requests++;
        counted.statuses[answer.status] = (counted.statuses[answer.status] ?? 0) + 1;
        judge(path, method, operation, answer);
    }), { numRuns: runs, seed, interruptAfterTimeLimit: 20000, endOnFailure: Boolean(process.env.NO_SHRINKING) });
}

for (const [path, item] of Object.entries(said.paths))
    for (const method of METHODS.filter((each) => item[each]))
        try {
            await hold(path, method, item);
        } catch (trouble) {
            console.error(`${method.toUpperCase()} ${path}: ${trouble.message}\n${trouble.cause ?? ""}`);
            process.exitCode = 1;
        }
console.log(JSON.stringify(counted));
process.exit();
