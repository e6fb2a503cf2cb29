// Generations that are under way: followed by their events, and looked at now and then for their place in line.

import { pause, say, seconds, sentence, shortened } from "./dom.js";
import { Problem, blobOf, call, ended, events, get, post } from "./service.js";

// A browser opens six connections to one server of HTTP/1.1; what is followed must leave some for the rest.
const MOST_STREAMS = 3;
const LOOK_AGAIN = 2500;
const MOST_FRAMES = 4;
const PREVIEWS = { previews: true };

const jobs = new Map();
const watchers = new Set();
const inLine = [];
let streams = 0;

export const running = () => [...jobs.values()];
export const jobOf = (id) => jobs.get(id);
export const onJobs = (watcher) => watchers.add(watcher);

export async function submit(request) {
  const generation = await post("api/v1/generations", { ...request, ...PREVIEWS });
  follow(generation);
  return generation;
}

export async function cancel(id) {
  const generation = await (await call("DELETE", `api/v1/generations/${id}`)).json();
  if (jobs.has(id)) update(jobs.get(id), generation);
}

/** Until it has ended; then it is told once more, and forgotten. */
export async function follow(generation) {
  if (jobs.has(generation.id)) return;
  const job = { id: generation.id, generation, frames: new Map(), shown: 0, said: 0, ending: new AbortController() };
  jobs.set(job.id, job);
  tell(job);
  try {
    await Promise.race([listen(job), look(job)]);
    job.generation = await get(`api/v1/generations/${job.id}`);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    job.lost = error;
  } finally {
    job.ending.abort();
    jobs.delete(job.id);
    tell(job);
    for (const url of job.frames.values()) URL.revokeObjectURL(url);
  }
}

async function listen(job) {
  await freeStream();
  try {
    for await (const event of events(job.id, job.ending.signal)) apply(job, event);
  } finally {
    handStreamOn();
  }
}

/** Until there is one for whoever asks; who has asked first is served first. Meanwhile the job is looked at alone. */
async function freeStream() {
  if (streams < MOST_STREAMS) streams += 1;
  else await new Promise((resolve) => inLine.push(resolve));
}

function handStreamOn() {
  const next = inLine.shift();
  if (next) next();
  else streams -= 1;
}

/** Place in line and time of ending move also when nothing happens to the job itself. */
async function look(job) {
  while (!ended(job.generation.state)) {
    await pause(LOOK_AGAIN);
    if (job.ending.signal.aborted) return;
    const generation = await get(`api/v1/generations/${job.id}`).catch((error) => {
      if (error.status >= 400 && error.status < 500 && error.status !== 429) throw error;
    });
    if (generation) update(job, generation);
  }
}

function update(job, generation) {
  const { progress: known, lost_attempts: lost } = job.generation;
  if (generation.lost_attempts.length > lost.length) job.shown = 0;
  else if (known && generation.progress && known.step > generation.progress.step) generation.progress = known;
  job.generation = generation;
  lookAtFrames(job);
  tell(job);
}

function apply(job, { name, data }) {
  if (name === "progress") {
    job.generation.progress = data;
    lookAtFrames(job);
  } else if (name === "requeued") {
    startAgain(job);
  } else {
    job.generation.state = name;
  }
  tell(job);
}

/** Another attempt counts its steps and sketches from nothing. */
function startAgain(job) {
  Object.assign(job.generation, { state: "queued", progress: null });
  job.shown = 0;
}

/** The newest frames; while some are fetched, those that come are not fetched one by one. */
async function lookAtFrames(job) {
  const count = job.generation.progress?.previews ?? 0;
  if (count <= job.shown || job.looking) return;
  job.looking = true;
  job.shown = count;
  // They are made in turns: of more pictures than there are frames, some have none yet.
  const images = Math.min(job.generation.plan.seeds.length, MOST_FRAMES, count);
  for (let index = 0; index < images; index += 1) {
    const frame = await blobOf(`api/v1/generations/${job.id}/previews/${index}`).catch(() => null);
    if (frame && jobs.has(job.id)) showFrame(job, index, URL.createObjectURL(frame));
  }
  job.looking = false;
}

function showFrame(job, index, url) {
  const old = job.frames.get(index);
  job.frames.set(index, url);
  tell(job);
  if (old) URL.revokeObjectURL(old);
}

function tell(job) {
  announce(job);
  for (const watcher of watchers) watcher(job);
}

/** Every quarter, and the end: more would drown what else is to be heard. */
function announce(job) {
  const quarter = Math.floor(shareOf(job.generation) * 4);
  if (ended(job.generation.state)) say(`${endWords(job.generation).title} ${shortened(job.generation.plan.prompt)}`);
  else if (quarter > job.said) say(`${quarter * 25} percent developed`);
  job.said = Math.max(job.said, quarter);
}

export function shareOf({ progress, state }) {
  if (state === "succeeded") return 1;
  return progress?.steps ? progress.step / progress.steps : 0;
}

/** Where it stands, in words. */
export function standing({ state, queue, progress, eta }) {
  const left = eta ? (new Date(eta) - Date.now()) / 1000 : null;
  const ready = left === null ? "" : ` · ready in ${seconds(left)}`;
  if (state === "queued") return `${placeWords(queue)}${queue?.workers === 0 ? "" : ready}`;
  if (!progress) return `Developing${ready}`;
  return `Developing · step ${progress.step} of ${progress.steps}${ready}`;
}

function placeWords(queue) {
  if (!queue) return "Waiting";
  if (queue.workers === 0) return "Waiting · no worker serves this model now";
  if (queue.position === null) return "Waiting to be tried again";
  return queue.position === 0 ? "Next in line" : `${queue.position + 1}. in line`;
}

/** What was flagged, and as what. The service counts pictures from 0, and people from 1. */
function withheldWords(failure) {
  const flagged = failure?.message ?? "something was flagged";
  return `${sentence(flagged.replace(/^image (\d+)/, (_, index) => `picture ${Number(index) + 1}`))} Nothing was kept of it.`;
}

/** How it ended, for people. */
export function endWords({ state, failure }) {
  const words = {
    succeeded: { title: "Done.", text: "" },
    failed: { title: "It did not come out.", text: failure ? sentence(failure.message) : "" },
    canceled: { title: "Canceled.", text: "Nothing was kept of it." },
    expired: { title: "Too late.", text: "Its deadline passed before it could begin." },
    blocked: { title: "Withheld.", text: withheldWords(failure) },
  };
  return words[state] ?? { title: "It ended.", text: "" };
}
