// Reads the schemas of the provider hashicorp/aws out of bindings that were generated from them, as
// far as the module and its examples need. The bindings tell names, types, nesting, and what is
// required, optional and computed; ranges, conflicts and defaults they do not tell.
//
//   node extract_schema.mjs PACKAGE_FOLDER >schema.json
import { readFileSync } from "node:fs";

const RESOURCES = [
    "cloudwatch_dashboard", "cloudwatch_metric_alarm", "iam_policy", "iam_role", "iam_role_policy_attachment", "kms_alias",
    "kms_key", "sns_topic", "sqs_queue", "sqs_queue_policy", "sqs_queue_redrive_allow_policy",
];
const TYPES = { string: "string", number: "number", boolean: "bool" };
const folder = process.argv[2];
const text = (path) => readFileSync(`${folder}/${path}`, "utf8");
const about = JSON.parse(text("package.json"));

// string, stringList, stringMap and so on.
function typeOf(kind, storage) {
    const [, element, , collection] = /^([a-z]+)((List|Map)?)$/.exec(storage) ?? [];
    if (!TYPES[element]) throw new Error(`unknown type ${storage}`);
    return collection ? [kind, TYPES[element]] : TYPES[element];
}

const classOf = (source, name) => new RegExp(`^class ${name} extends [^]*?^}`, "m").exec(source)?.[0] ?? "";
const mapperOf = (source, name) => new RegExp(`^function ${name[0].toLowerCase()}${name.slice(1)}ToHclTerraform\\([^]*?^}`, "m").exec(source)[0];

// name -> {computed, optional, required}
function flagsOf(source) {
    const found = source.matchAll(/\/\/ (\w+) - computed: (true|false), optional: (true|false), required: (true|false)/g);
    return Object.fromEntries([...found].map(([, name, ...flags]) =>
        [name, Object.fromEntries(["computed", "optional", "required"].filter((_, i) => flags[i] === "true").map((flag) => [flag, true]))]));
}

// What cannot be set has only a getter.
const computedType = (source, name) => {
    const [, type, collection] = new RegExp(`this\\.get([A-Z][a-z]+)(Map|List|)Attribute\\('${name}'\\)`).exec(source);
    return typeOf(collection.toLowerCase(), `${type.toLowerCase()}${collection}`);
};

// Where the bindings say nothing of a block's attributes, they are taken for optional.
function blockOf(source, body, mapper) {
    const flags = flagsOf(body);
    const block = { attributes: {} };
    const settable = mapper.matchAll(/^ +(\w+): \{\s+value: .*\s+isBlock: (true|false),\s+type: "(\w+)",\s+storageClassType: "(\w+)"/gm);
    for (const [, name, isBlock, kind, storage] of settable) {
        if (isBlock === "false") {
            block.attributes[name] = { type: typeOf(kind, storage), ...(flags[name] ?? { optional: true }) };
            continue;
        }
        const type = kind === "struct" ? storage : storage.replace(/List$/, "");
        const single = body.includes(`new ${type}OutputReference(this, "${name}"`);
        (block.blocks ??= {})[name] = {
            nesting: kind === "struct" ? "single" : kind, ...(single && kind !== "struct" ? { max_items: 1 } : {}),
            ...blockOf(source, classOf(source, `${type}OutputReference`), mapperOf(source, type)),
        };
    }
    for (const [name, flag] of Object.entries(flags))
        if (!block.attributes[name] && !block.blocks?.[name]) block.attributes[name] = { type: computedType(body, name), ...flag };
    return block;
}

function schemaOf(path, base) {
    const source = text(`lib/${path}/index.js`);
    const [, name] = new RegExp(`^class (\\w+) extends cdktn\\.${base} `, "m").exec(source);
    const body = classOf(source, name);
    return blockOf(source, body, body.slice(body.indexOf("synthesizeHclAttributes")));
}

// One line for each attribute.
function print(value, indent = "") {
    const flat = JSON.stringify(value);
    if (typeof value !== "object" || Object.values(value).every((each) => typeof each !== "object" || Array.isArray(each))) return flat;
    const lines = Object.entries(value).map(([name, each]) => `${indent} ${JSON.stringify(name)}: ${print(each, `${indent} `)}`);
    return `{\n${lines.join(",\n")}\n${indent}}`;
}

console.log(print({
    source: { package: about.name, version: about.version, licence: about.license, provider: /providerVersion: '([\d.]+)'/.exec(text("lib/sqs-queue/index.js"))[1] },
    provider: schemaOf("provider", "TerraformProvider"),
    resources: Object.fromEntries(RESOURCES.map((name) => [`aws_${name}`, schemaOf(name.replaceAll("_", "-"), "TerraformResource")])),
}));
