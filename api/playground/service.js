// Talking to the service: JSON, problems, pictures and events. The key lives here and nowhere else.

import { pause } from "./dom.js";
import { keep as keepIn, recall } from "./kept.js";

const KEPT_KEY = "darkroom.key";
const MOST_PICTURES = 200;
const ENDS = new Set(["succeeded", "failed", "canceled", "expired", "blocked"]);

let key = recall("sessionStorage", KEPT_KEY) ?? "";
const pictures = new Map();

/** What the service answered instead: RFC 9457. `errors` has one entry a field. */
export class Problem extends Error {
  constructor(status, described) {
    super(described.detail ?? described.title ?? "The service could not do that.");
    this.status = status;
    this.code = described.code ?? "unknown";
    this.retryAfter = described.retryAfter;
    this.errors = described.errors ?? (described.field ? [{ field: described.field, detail: this.message }] : []);
  }
}

export const hasKey = () => key !== "";
export const ended = (state) => ENDS.has(state);

/** Where this path is, seen from the page: also behind a proxy that puts us below a path of its own. */
export const address = (path) => new URL(path, document.baseURI).href;

export function useKey(value, { keep }) {
  key = value;
  for (const path of [...pictures.keys()]) forget(path);
  keepIn("sessionStorage", KEPT_KEY, keep && value ? value : null);
}

export async function call(method, path, { json, body, headers = {}, signal } = {}) {
  const sent = { ...headers };
  const asked = key;
  if (key) sent.Authorization = `Bearer ${key}`;
  if (json !== undefined) sent["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(address(path), {
      method,
      headers: sent,
      body: json === undefined ? body : JSON.stringify(json),
      signal,
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, { code: "unreachable", detail: "The service cannot be reached. Is it still running?" });
  }
  if (answer.ok) return answer;
  const problem = await problemIn(answer);
  // What was sent without the key of now, and comes back late, says nothing about it.
  if (problem.status === 401 && asked === key)
    document.dispatchEvent(new CustomEvent("darkroom:key", { detail: problem }));
  throw problem;
}

async function problemIn(answer) {
  const retryAfter = Number(answer.headers.get("Retry-After")) || undefined;
  const described = await answer.json().catch(() => ({}));
  return new Problem(answer.status, { ...described, retryAfter });
}

export const get = async (path, signal) => (await call("GET", path, { signal })).json();
export const post = async (path, json) => (await call("POST", path, { json })).json();

export async function upload(picture) {
  return (await call("POST", "api/v1/assets", { body: picture, headers: { "Content-Type": picture.type } })).json();
}

export async function verify(picture) {
  const headers = { "Content-Type": picture.type || "application/octet-stream" };
  return (await call("POST", "api/v1/provenance/verify", { body: picture, headers })).json();
}

export const picturePath = (generationId, index) => `api/v1/generations/${generationId}/images/${index}`;

export async function blobOf(path) {
  return (await call("GET", path)).blob();
}

/** What an `img` may show. With a key the page fetches it itself, since an `img` cannot send one. */
export async function pictureUrl(path) {
  if (!key) return address(path);
  if (!pictures.has(path)) {
    const fetched = blobOf(path).then((picture) => URL.createObjectURL(picture));
    pictures.set(path, fetched);
    fetched.catch(() => pictures.get(path) === fetched && pictures.delete(path)); // the next who asks tries again
    if (pictures.size > MOST_PICTURES) forget(pictures.keys().next().value);
  }
  return pictures.get(path);
}

function forget(path) {
  pictures.get(path).then(
    (url) => URL.revokeObjectURL(url),
    () => {},
  );
  pictures.delete(path);
}

/** Puts the picture at `path` into an `img`, or a sign that it cannot be had, as when its time is over. */
export async function show(img, path) {
  img.onerror = () => {
    img.onerror = null; // the sign cannot be had either where the service is away
    img.src = address("playground/gone.svg");
  };
  if (key && img.loading === "lazy") await inSight(img);
  try {
    img.src = await pictureUrl(path);
  } catch {
    img.onerror();
  }
}

const sights = new WeakMap();
const watch = new IntersectionObserver(
  (entries) => {
    for (const { target } of entries.filter(({ isIntersecting }) => isIntersecting)) {
      watch.unobserve(target);
      sights.get(target)();
    }
  },
  { rootMargin: "50%" },
);

/** Until it is nearly scrolled to: what an `img` does by itself for what the browser fetches. */
const inSight = (img) =>
  new Promise((resolve) => {
    sights.set(img, resolve);
    watch.observe(img);
  });

/** The events of a generation until it has ended; goes on where it was cut off. EventSource could not send a key. */
export async function* events(generationId, signal) {
  let last = "";
  for (let failures = 0; ; failures += 1) {
    try {
      const headers = last ? { "Last-Event-ID": last } : {};
      const answer = await call("GET", `api/v1/generations/${generationId}/events`, { headers, signal });
      if (answer.status === 204) return;
      for await (const event of eventsIn(answer.body)) {
        [last, failures] = [event.id, 0];
        yield event;
        if (ENDS.has(event.name)) return;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Problem && error.status >= 400 && error.status < 500 && error.status !== 429) throw error;
    }
    await pause(Math.min(1000 * 2 ** failures, 15_000));
  }
}

async function* eventsIn(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let [rest, fields] = ["", {}];
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const lines = (rest + value).split(/\r?\n/);
      rest = lines.pop();
      for (const line of lines) {
        if (line === "") {
          if (fields.data !== undefined)
            yield { id: fields.id, name: fields.event, data: JSON.parse(fields.data).data };
          fields = {};
        } else if (!line.startsWith(":")) {
          const colon = line.indexOf(":");
          fields[line.slice(0, colon)] = line.slice(colon + 1).replace(/^ /, "");
        }
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
