// The request of the form as something to paste: what the page would send, but for the key and its wish for
// sketches.

import { $, button, closable, openDialog } from "./dom.js";
import { address, hasKey } from "./service.js";

const WAIT = 60;
const WRITERS = { curl: asCurl, Python: asPython, JavaScript: asJavaScript };
let request = {};
let chosen = "curl";

export function prepareSnippets() {
  closable($("snippets"));
  const tabs = Object.keys(WRITERS).map((name) =>
    button(name, () => choose(name), { role: "tab", id: `snippet-tab-${name}`, "aria-controls": "snippet" }),
  );
  $("snippet-tabs").append(...tabs);
  $("snippet-tabs").addEventListener("keydown", turn);
  $("snippet-copy").addEventListener("click", copy);
}

export function showSnippets(asked) {
  request = asked;
  choose(chosen);
  openDialog($("snippets"));
}

function choose(name) {
  chosen = name;
  for (const tab of $("snippet-tabs").children) {
    tab.setAttribute("aria-selected", String(tab.textContent === name));
    tab.tabIndex = tab.textContent === name ? 0 : -1;
  }
  $("snippet").setAttribute("aria-labelledby", `snippet-tab-${name}`);
  $("snippet").textContent = WRITERS[name](request);
  $("snippet-said").textContent = "";
}

function turn(event) {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!step) return;
  const names = Object.keys(WRITERS);
  choose(names[(names.indexOf(chosen) + step + names.length) % names.length]);
  $(`snippet-tab-${chosen}`).focus();
}

async function copy() {
  try {
    await navigator.clipboard.writeText($("snippet").textContent);
    $("snippet-said").textContent = "Copied.";
  } catch {
    getSelection().selectAllChildren($("snippet"));
    $("snippet-said").textContent = "Selected: copy it with your keyboard.";
  }
}

function asCurl(asked) {
  const quoted = JSON.stringify(asked, null, 2).replaceAll("'", "'\\''");
  const key = hasKey() ? `\n  -H "Authorization: Bearer $DARKROOM_API_KEY" \\` : "";
  return `curl -sS '${address("api/v1/generations")}' \\
  -H 'Content-Type: application/json' \\
  -H 'Prefer: wait=${WAIT}' \\${key}
  -d '${quoted}'
`;
}

/** By our own client, which reads the key from DARKROOM_API_KEY itself. */
function asPython({ prompt, ...fields }) {
  const given = [
    pythonOf(prompt, "        "),
    ...Object.entries(fields).map(([name, value]) => `${name}=${pythonOf(value, "        ")}`),
  ];
  return `from darkroom import Client

with Client("${address("").replace(/\/$/, "")}") as client:
    generation = client.generate(
${given.map((argument) => `        ${argument},\n`).join("")}    )
    for path in client.save(generation, "picture.${extensionOf(fields)}"):
        print(path)
`;
}

function asJavaScript(asked) {
  const headers = hasKey() ? "{ Authorization: `Bearer ${process.env.DARKROOM_API_KEY}` }" : "{}";
  return `import { writeFile } from "node:fs/promises";

const asked = ${JSON.stringify(asked, null, 2)};
const headers = ${headers};
const answer = await fetch("${address("api/v1/generations")}", {
  method: "POST",
  headers: { ...headers, "Content-Type": "application/json", Prefer: "wait=${WAIT}" },
  body: JSON.stringify(asked),
});
if (!answer.ok) throw new Error(await answer.text());
const { images } = await answer.json();
for (const [index, image] of images.entries()) {
  const picture = await fetch(image.url, { headers });
  await writeFile(\`picture-\${index}.${extensionOf(asked)}\`, Buffer.from(await picture.arrayBuffer()));
  console.log(\`picture-\${index}.${extensionOf(asked)}\`);
}
`;
}

const extensionOf = ({ output_format = "png" }) => output_format;

/** A literal of Python: JSON's strings and numbers are Python's as well. */
function pythonOf(value, indent = "") {
  const inner = `${indent}    `;
  if (value === true) return "True";
  if (value === false) return "False";
  if (value === null) return "None";
  if (typeof value !== "object") return JSON.stringify(value);
  const [open, close, items] = Array.isArray(value)
    ? ["[", "]", value.map((item) => pythonOf(item, inner))]
    : ["{", "}", Object.entries(value).map(([name, item]) => `${JSON.stringify(name)}: ${pythonOf(item, inner)}`)];
  return items.length
    ? `${open}\n${items.map((item) => `${inner}${item},\n`).join("")}${indent}${close}`
    : open + close;
}
