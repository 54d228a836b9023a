// The API's description, set out for reading: from /openapi.json alone, so that the two cannot differ.

import { announce, byId, h, request, showProblem } from "./results.js";

let description = null;

/** What a reference points at, or the value itself. */
function resolve(value) {
  if (typeof value?.$ref !== "string") return value;
  return value.$ref.slice(2).split("/").reduce((at, name) => at?.[name.replaceAll("~1", "/")], description);
}

const nameOf = (schema) => schema?.$ref?.split("/").pop();

// MARK: Texts

/** `code` in a text of the description. */
function inline(text) {
  return String(text ?? "").split("`").map((part, index) => (index % 2 === 1 ? h("code", null, part) : part));
}

/** Paragraphs and lists: the Markdown that the description keeps to. */
function prose(text) {
  return String(text ?? "").split("\n\n").filter(Boolean).map((block) => {
    const lines = block.split("\n");
    return lines.every((line) => line.startsWith("- "))
      ? h("ul", null, ...lines.map((line) => h("li", null, ...inline(line.slice(2)))))
      : h("p", null, ...inline(block));
  });
}

// MARK: Schemas

/** What kind of value a schema allows, as nodes: names of other schemas are links to them. */
function kind(schema) {
  const name = nameOf(schema);
  if (name) return [h("a", { href: `#schema-${name}` }, name)];
  if (schema.const !== undefined) return [h("code", null, JSON.stringify(schema.const))];
  if (schema.enum) return joined(schema.enum.map((value) => [h("code", null, value === null ? "null" : value)]), ", ");
  if (schema.anyOf && !schema.properties) return joined(schema.anyOf.map(kindWithLimits), ", or ");
  const types = [schema.type ?? "anything"].flat().map((type) => {
    if (type !== "array") return [type];
    if (!schema.items) return ["list"];
    const each = limits(schema.items);
    return ["list of ", ...kind(schema.items), each ? ` (each ${each})` : ""];
  });
  return joined(types, " or ");
}

function kindWithLimits(schema) {
  const limit = schema.$ref ? "" : limits(schema);
  return [...kind(schema), limit ? `, ${limit}` : ""];
}

const joined = (parts, glue) => parts.flatMap((part, index) => (index === 0 ? part : [glue, ...part]));

/** Limits in words: “1 to 100”, “at most 200 characters”. */
function limits(schema) {
  const between = (low, high, noun) => {
    if (low === undefined && high === undefined) return null;
    const unit = noun === "" ? "" : ` ${noun}${(high ?? low) === 1 ? "" : "s"}`;
    if (low === high) return `exactly ${low}${unit}`;
    if (high === undefined) return `at least ${low}${unit}`;
    return low === undefined ? `at most ${high}${unit}` : `${low} to ${high}${unit}`;
  };
  return [
    between(schema.minimum, schema.maximum, ""),
    between(schema.minLength, schema.maxLength, "character"),
    between(schema.minItems, schema.maxItems, "element"),
    between(schema.minProperties, schema.maxProperties, "member"),
    schema.format ?? null,
    schema.default === undefined ? null : `default ${JSON.stringify(schema.default)}`,
  ].filter(Boolean).join(", ");
}

/** The object whose fields are worth listing inside `schema`: itself, an element of a list, one of several. */
function inner(schema) {
  if (schema.$ref) return null; // Linked instead.
  if (schema.properties) return schema;
  if (schema.items) return inner(schema.items);
  return schema.anyOf?.map(inner).find(Boolean) ?? null;
}

/** `note` says whether it must or may be there. */
function field(name, schema, note) {
  const within = inner(schema);
  return h("li", null,
    h("p", { class: "field" },
      h("code", null, name), " ", h("span", { class: "kind" }, ...kindWithLimits(schema)),
      note ? h("strong", { class: "required" }, ` ${note}`) : null),
    schema.description ? h("p", { class: "hint" }, ...inline(schema.description)) : null,
    within ? fields(within) : null);
}

function fields(schema) {
  const required = new Set(schema.required ?? []);
  // Requests refuse unknown fields. Of their fields few are required; of a reply's few can be missing.
  const isRequest = schema.additionalProperties === false;
  const note = (name) => (isRequest ? required.has(name) && "required" : !required.has(name) && "not always there");
  const entries = Object.entries(schema.properties ?? {});
  return h("ul", { class: "fields", role: "list" },
    ...entries.map(([name, value]) => field(name, value, note(name))));
}

function schemaEntry([name, schema]) {
  const within = inner(schema);
  return h("details", { id: `schema-${name}`, class: "schema" },
    h("summary", null, name),
    ...prose(schema.description),
    within ? fields(within) : h("p", null, ...kindWithLimits(schema)));
}

// MARK: Examples

/** A block of code with a button that copies it; it can be reached by keyboard, as it may scroll. */
function code(text, label) {
  const block = h("pre", { tabindex: 0, role: "group", "aria-label": label }, h("code", null, text));
  const button = h("button", { type: "button", class: "copy", onclick: copy, "aria-label": `Copy: ${label}` }, "Copy");
  const tell = (word, sentence) => {
    button.textContent = word;
    announce(sentence);
    setTimeout(() => { button.textContent = "Copy"; }, 2_000);
  };
  async function copy() {
    try {
      await navigator.clipboard.writeText(text);
      tell("Copied", "Copied.");
    } catch {
      // Browsers keep the clipboard for secure origins: the text is selected for the reader to copy.
      getSelection().selectAllChildren(block);
      tell("Selected", "The text is selected; copy it with your keyboard.");
    }
  }
  return h("div", { class: "code" }, block, button);
}

function examples(content) {
  if (content.example !== undefined) return [{ summary: "Example", value: content.example }];
  return Object.values(content.examples ?? {});
}

const shown = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));
const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

/** The path with its parameters' example values. */
function samplePath(path, parameters) {
  return path.replaceAll(/\{(\w+)\}/g, (_, name) =>
    encodeURIComponent(parameters.find((each) => each.name === name)?.example ?? name));
}

/** The command for one request; `body` is absent, or a media type and a value. */
function curl(method, path, operation, parameters, body) {
  const options = [];
  if (method !== (body ? "post" : "get")) options.push(`-X ${method.toUpperCase()}`);
  // Where nobody gets in without.
  const isClosed = operation.security?.length > 0 && operation.security.every((each) => Object.keys(each).length > 0);
  if (isClosed && operation.security.some((each) => each.bearer)) {
    options.push(`-H "Authorization: Bearer $PATHLIGHT_KEY"`);
  } else if (isClosed) {
    options.push(`-b "$PATHLIGHT_COOKIE"`);
    if (operation.security.some((each) => each.csrf)) options.push(`-H "X-CSRF-Token: $PATHLIGHT_TOKEN"`);
  }
  if (body?.type === "application/json") options.push(`-H 'Content-Type: ${body.type}'`);
  if (body) {
    const isForm = body.type === "application/x-www-form-urlencoded";
    options.push(`-d ${quoted(isForm ? String(new URLSearchParams(body.value)) : shown(body.value))}`);
  }
  return [`curl ${quoted(location.origin + samplePath(path, parameters))}`, ...options].join(" \\\n  ");
}

/** The media type that a request is best sent as, and what it describes: JSON, or else a form. */
const bodyOf = (operation) => Object.entries(operation.requestBody?.content ?? {})[0];

// MARK: Operations

function parameterList(parameters) {
  if (parameters.length === 0) return [];
  return [
    h("h4", null, "Parameters"),
    h("ul", { class: "fields", role: "list" }, ...parameters.map((each) => {
      const place = { path: "in the path", query: "in the query", header: "a header field" }[each.in];
      return field(each.name, { ...each.schema, description: `${each.description ?? ""} (${place})` },
        each.required && "required");
    })),
  ];
}

function requestBody(operation) {
  const body = bodyOf(operation);
  if (!body) return [];
  const [type, content] = body;
  const schema = resolve(content.schema);
  const note = type === "application/json" ? "" : ` Sent as ${type}.`;
  return [h("h4", null, "Body"), h("p", { class: "hint" }, ...inline(schema.description), note), fields(schema)];
}

function commands(method, path, operation, parameters) {
  const [type, content] = bodyOf(operation) ?? [];
  const title = `${method.toUpperCase()} ${path}`;
  if (!content) return [code(curl(method, path, operation, parameters), `command for ${title}`)];
  return examples(content).flatMap(({ summary, value }) => [
    h("p", { class: "caption" }, summary),
    code(curl(method, path, operation, parameters, { type, value }), `command for ${title}, ${summary}`),
  ]);
}

function response([status, given]) {
  const reply = resolve(given);
  const line = [h("code", { class: `status status-${status[0]}` }, status), " ", ...inline(reply.description)];
  // What routes share is a problem like any other: its document would only make the page longer.
  if (given.$ref) return h("p", { class: "reply" }, ...line);
  return h("details", { class: "reply" }, h("summary", null, ...line),
    ...Object.entries(reply.content ?? {}).flatMap(([type, content]) => [
      h("p", { class: "hint" }, type, nameOf(content.schema) ? ": " : null,
        ...(nameOf(content.schema) ? kind(content.schema) : [])),
      ...examples(content).flatMap(({ summary, value }) => [
        h("p", { class: "caption" }, summary),
        code(shown(value), `reply ${status}, ${summary}`),
      ]),
    ]));
}

/** Sends a GET from the page, with the parameters that the reader enters; header fields are the browser's own affair. */
function tryIt(path, all) {
  const parameters = all.filter((each) => each.in !== "header");
  const output = h("div", { role: "status" });
  const inputs = parameters.map((each) => h("input", {
    name: each.name, value: each.in === "path" ? each.example : each.schema.default, required: each.in === "path",
    autocomplete: "off",
  }));
  const send = async (event) => {
    event.preventDefault();
    const data = new FormData(event.target);
    const given = parameters.filter((each) => each.in === "query" && data.get(each.name));
    const query = new URLSearchParams(given.map(({ name }) => [name, data.get(name)]));
    const filled = path.replaceAll(/\{(\w+)\}/g, (_, name) => encodeURIComponent(data.get(name)));
    try {
      const reply = await fetch(query.size > 0 ? `${filled}?${query}` : filled);
      const text = await reply.text();
      const isJSON = /\bjson\b/.test(reply.headers.get("Content-Type") ?? "");
      output.replaceChildren(
        h("p", { class: "caption" }, `Status ${reply.status}`),
        code(isJSON ? shown(JSON.parse(text)) : text, `reply of ${filled}`));
    } catch {
      output.replaceChildren(h("p", null, "The service could not be reached, or its reply could not be read."));
    }
  };
  return h("details", { class: "try" }, h("summary", null, "Try it"),
    h("form", { onsubmit: send },
      ...inputs.map((input) => h("label", null, h("code", null, input.name), " ", input)),
      h("button", { type: "submit" }, "Send")),
    output);
}

function operationEntry({ path, method, operation }) {
  const parameters = (operation.parameters ?? []).map(resolve);
  return h("article", { id: operation.operationId, class: "card", "aria-labelledby": `title-${operation.operationId}` },
    h("h3", { id: `title-${operation.operationId}` },
      h("code", { class: `method method-${method}` }, method.toUpperCase()), " ", h("code", null, path)),
    h("p", null, h("strong", null, operation.summary)),
    ...prose(operation.description),
    ...parameterList(parameters),
    ...requestBody(operation),
    h("h4", null, "Example"),
    ...commands(method, path, operation, parameters),
    method === "get" && !path.startsWith("/assets/") ? tryIt(path, parameters) : null,
    h("h4", null, "Replies"),
    ...Object.entries(operation.responses).map(response));
}

// MARK: The page

function operationsByTag() {
  const all = Object.entries(description.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, operation })));
  return description.tags.map((tag) => ({ tag, all: all.filter((each) => each.operation.tags?.includes(tag.name)) }));
}

function contents(groups) {
  const entry = ({ method, path, operation }) => h("li", null,
    h("a", { href: `#${operation.operationId}` }, h("code", null, `${method.toUpperCase()} ${path}`)),
    h("span", { class: "hint" }, ` ${operation.summary}`));
  return h("nav", { class: "contents", "aria-label": "On this page" },
    ...groups.map(({ tag, all }) => [
      h("p", { class: "caption" }, h("a", { href: `#tag-${tag.name}` }, tag.name)), h("ul", null, ...all.map(entry)),
    ]).flat(),
    h("p", { class: "caption" }, h("a", { href: "#problems" }, "Problems")),
    h("p", { class: "caption" }, h("a", { href: "#schemas" }, "Schemas")));
}

function problems() {
  const [example] = Object.values(description.components.responses)
    .flatMap((each) => Object.values(each.content ?? {}).flatMap(examples))
    .filter(({ value }) => value.errors);
  return h("section", { "aria-labelledby": "problems" },
    h("h2", { id: "problems" }, "Problems"),
    h("p", null, "A failure is a ", h("a", { href: "#schema-Problem" }, "Problem"),
      " of type ", h("code", null, "application/problem+json"), ". Programs test its ", h("code", null, "code"),
      "; more codes may come."),
    example ? code(shown(example.value), "problem document") : null,
    h("dl", { class: "codes" }, ...(description["x-problems"] ?? []).flatMap((each) => [
      h("dt", { id: `problem-${each.code}` },
        h("code", { class: `status status-${String(each.status)[0]}` }, String(each.status)), " ",
        h("code", null, each.code)),
      h("dd", null, `${each.title}. `, ...inline(each.description)),
    ])));
}

function render() {
  const groups = operationsByTag();
  byId("docs-body").replaceChildren(
    h("p", { class: "hint" }, `Version ${description.info.version}, at `, h("code", null, location.origin), "."),
    ...prose(description.info.description),
    h("h2", null, "Contents"),
    contents(groups),
    ...groups.map(({ tag, all }) => h("section", { "aria-labelledby": `tag-${tag.name}` },
      h("h2", { id: `tag-${tag.name}` }, tag.name), ...prose(tag.description), ...all.map(operationEntry))),
    problems(),
    h("section", { "aria-labelledby": "schemas" }, h("h2", { id: "schemas" }, "Schemas"),
      ...Object.entries(description.components.schemas).map(schemaEntry)));
}

/** Opens and shows what the address names: it did not exist when the browser looked for it, or is folded away. */
function showTarget() {
  const target = location.hash.length > 1 ? byId(decodeURIComponent(location.hash.slice(1))) : null;
  if (!target) return;
  if (target instanceof HTMLDetailsElement) target.open = true;
  target.scrollIntoView();
}

/** Paper cannot be unfolded. */
function unfoldForPrint() {
  const folded = [...document.querySelectorAll("details:not([open]):not(.try)")];
  for (const each of folded) each.open = true;
  addEventListener("afterprint", () => {
    for (const each of folded) each.open = false;
  }, { once: true });
}

async function start() {
  byId("docs-loading").hidden = false;
  try {
    description = await request("/openapi.json");
    byId("docs-problem").replaceChildren();
    render();
    showTarget();
  } catch (error) {
    showProblem(byId("docs-problem"), error, { retry: start, trigger: byId("main") });
  } finally {
    byId("docs-loading").hidden = true;
  }
}

addEventListener("hashchange", showTarget);
addEventListener("beforeprint", unfoldForPrint);
start();
