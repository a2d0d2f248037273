// The rules for variables and outputs, and the tables of the module's README that are made from them.
//
//   node tables.mjs MODULE_FOLDER           prints what breaks a rule, and whether the README is behind
//   node tables.mjs MODULE_FOLDER write     writes the tables
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { parse } from "@cdktf/hcl2json";

const [folder, write] = process.argv.slice(2);
const wrong = [];

async function read(path) {
    const files = readdirSync(path).filter((name) => name.endsWith(".tf")).map((name) => ({ name, text: readFileSync(`${path}/${name}`, "utf8") }));
    const parsed = await Promise.all(files.map(({ name, text }) => parse(name, text)));
    const source = files.map(({ text }) => text).join("");
    const all = (kind) => Object.fromEntries(parsed.flatMap((file) => Object.entries(file[kind] ?? {}))
        .sort(([a], [b]) => source.indexOf(`${kind} "${a}"`) - source.indexOf(`${kind} "${b}"`)));
    // Rules name their own variable: that is no use of it.
    const used = files.filter(({ name }) => name !== "variables.tf").map(({ text }) => text).join("");
    return { variables: all("variable"), outputs: all("output"), used };
}

const plain = (text) => text.replace(/^\$\{(.*)\}$/s, "$1");

function judge(where, { variables, outputs, used }) {
    for (const [name, [variable]] of Object.entries(variables)) {
        if (!variable.type) wrong.push(`${where}: variable ${name} has no type`);
        if (!variable.description?.endsWith(".")) wrong.push(`${where}: variable ${name} has no sentence for a description`);
        if (!new RegExp(`var\\.${name}\\b`).test(used)) wrong.push(`${where}: variable ${name} is used nowhere`);
        // Null is a value only where the default says so.
        if (variable.default !== undefined && variable.default !== null && variable.nullable !== false && where === "module") wrong.push(`${where}: variable ${name} may be null`);
    }
    for (const [name, [output]] of Object.entries(outputs))
        if (!output.description?.endsWith(".")) wrong.push(`${where}: output ${name} has no sentence for a description`);
}

const row = (...cells) => `| ${cells.join(" | ")} |`;
const code = (text) => `\`${text}\``;

function tables({ variables, outputs }) {
    const inputs = Object.entries(variables).map(([name, [{ type, default: value, description }]]) =>
        row(code(name), code(plain(type)), code(JSON.stringify(value ?? null)), description));
    return [
        row("input", "type", "default", "what"), row("---", "---", "---", "---"), ...inputs, "",
        row("output", "what"), row("---", "---"), ...Object.entries(outputs).map(([name, [{ description }]]) => row(code(name), description)),
    ].join("\n");
}

const module = await read(folder);
judge("module", module);
for (const example of readdirSync(`${folder}/examples`)) judge(example, await read(`${folder}/examples/${example}`));

const readme = readFileSync(`${folder}/README.md`, "utf8");
const marks = /(<!-- tables -->\n)[^]*(\n<!-- end of tables -->)/;
const current = readme.replace(marks, (_, begin, end) => `${begin}${tables(module)}${end}`);
if (!marks.test(readme)) wrong.push("README.md has no place for the tables");
if (write) writeFileSync(`${folder}/README.md`, current);
else if (current !== readme) wrong.push("README.md is behind: tables.mjs writes it");

for (const line of wrong) console.log(line);
if (wrong.length) process.exitCode = 1;
else console.log(`${Object.keys(module.variables).length} variables, ${Object.keys(module.outputs).length} outputs`);
