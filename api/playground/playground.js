// The playground: one page over the public API, with nothing that any other client could not do.

import { pathOfPicture, samePicture } from "./actions.js";
import { catalog, fetchCatalog } from "./catalog.js";
import { controls } from "./controls.js";
import { $, isTyping, say, toast } from "./dom.js";
import { prepareDropping } from "./dropping.js";
import {
  chooseTask,
  keepForm,
  keptForm,
  prepareForm,
  readForm,
  resetForm,
  settle,
  typedWords,
  writeForm,
} from "./form.js";
import { addToHistory, fetchHistory, fetchOlder, neighbour, pictures, prepareHistory } from "./history.js";
import { input } from "./input.js";
import { inspect, prepareInspector } from "./inspector.js";
import { cancel, follow, onJobs, submit } from "./jobs.js";
import { prepareKey } from "./key.js";
import { loras } from "./loras.js";
import { paintMask, preparePainter } from "./painter.js";
import { clearProblems, showProblem } from "./problems.js";
import { requestOf } from "./restore.js";
import { Problem, blobOf, ended } from "./service.js";
import { prepareSnippets, showSnippets } from "./snippets.js";
import {
  follows,
  showEnd,
  showJob,
  showNothing,
  showPicture,
  shownPicture,
  showsNothing,
  updateJob,
} from "./stage.js";
import { prepareTheme } from "./theme.js";
import { drawTray, settleTray } from "./tray.js";
import { enlarge, prepareViewer } from "./viewer.js";
import { wire } from "./wiring.js";

const IN_SIGHT = 0.5; // of the picture's height
const ASK_AGAIN = 3; // seconds

const MASKLESS = { errors: [{ field: "mask", detail: "paint what is to be made anew" }], message: "" };

/** Runs what may be refused; a refusal is shown where it belongs. */
async function attempt(act) {
  clearProblems();
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof Problem || error instanceof DOMException)) throw error;
    if (error.status !== 401) showProblem(error instanceof Problem ? error : { errors: [], message: error.message });
    return undefined;
  }
}

// Generating

async function generate() {
  await written;
  const request = readForm();
  if (request.task === "inpaint" && !request.mask) return showProblem(MASKLESS);
  $("generate").setAttribute("aria-busy", "true");
  try {
    const generation = await submit(request);
    keepForm();
    reveal(generation.id, showJob);
    say("Accepted. It is being made.");
  } finally {
    $("generate").removeAttribute("aria-busy");
  }
}

function jobMoved(job) {
  const { generation, id } = job;
  drawTray(job);
  if (job.lost && follows(id)) showProblem(job.lost);
  if (!ended(generation.state)) {
    if (follows(id)) updateJob(job);
    return;
  }
  if (job.ending.signal.aborted) finished(generation);
}

function finished(generation) {
  addToHistory(generation);
  if (follows(generation.id)) {
    if (generation.images.length) showPicture({ generation, index: 0 }, { fresh: true });
    else showEnd(generation);
  }
  settleTray();
}

// Settings from what was made

async function restore({ generation }) {
  await restoreRequest(await requestOf(generation));
}

async function restoreRequest(request) {
  closeDialogs();
  clearProblems();
  const gone = await writeForm(request);
  keepForm();
  toast(gone.length ? `Settings restored, but not here any more: ${gone.join(", ")}.` : "Settings restored.");
  $("prompt").focus();
}

function reuseSeed(picture) {
  if (!picture) return;
  $("seed").value = picture.generation.images[picture.index].seed;
  keepForm();
  toast(`Seed ${$("seed").value}.`);
}

// Pictures to start from

async function useFile(file) {
  await attempt(async () => {
    const first = input.asset === null;
    await input.use(file);
    if (first) chooseTask("image_to_image");
    keepForm();
    $("input-title").scrollIntoView({ block: "nearest" });
  });
}

async function useAsInput(picture) {
  closeDialogs();
  await attempt(async () => useFile(await blobOf(pathOfPicture(picture))));
}

async function changeMask() {
  const mask = await paintMask();
  if (mask) await input.useMask(mask);
  keepForm();
}

const closeDialogs = () => {
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
};

/** On the place for it, a picture is to start from; anywhere else it is looked at, and what it is for is asked. */
function take(picture, target) {
  if (!picture) toast("That is no picture that can be read here.");
  else if (target.closest?.("#dropzone")) useFile(picture);
  else inspect(picture);
}

// Keys

function byKey(event) {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    $("form").requestSubmit();
    return;
  }
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (
    !step ||
    isTyping(event.target) ||
    document.querySelector("dialog[open]") ||
    event.target.closest("[role=tablist]")
  )
    return;
  const next = shownPicture() ? neighbour(shownPicture(), step) : pictures()[0];
  if (next) showPicture(next);
}

// Putting it together

function prepare() {
  prepareTheme();
  prepareKey(() => attempt(begin));
  prepareDropping(take);
  for (const prepared of [prepareInspector, prepareSnippets, prepareViewer, preparePainter, prepareHistory]) prepared();
  $("form").addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(begun ? generate : begin);
  });
  $("form").addEventListener("change", keepForm);
  $("copy-open").addEventListener("click", () => attempt(async () => showSnippets(readForm())));
  $("reset").addEventListener("click", () => begun && attempt(resetForm));
  $("seed-random").addEventListener("click", () => {
    $("seed").value = "";
    keepForm();
  });
  $("seed-reuse").addEventListener("click", () => reuseSeed(shownPicture() ?? pictures()[0]));
  $("input-file").addEventListener("change", () => {
    const [file] = $("input-file").files;
    $("input-file").value = "";
    if (file) useFile(file);
  });
  $("input-remove").addEventListener("click", () => {
    input.remove();
    keepForm();
    $("input-file").focus();
  });
  $("mask-open").addEventListener("click", () => attempt(changeMask));
  $("lora-add").addEventListener("click", () => loras.add());
  $("control-add").addEventListener("click", () => controls.add());
  $("history-more").addEventListener("click", () => attempt(fetchOlder));
  document.addEventListener("keydown", byKey);
  onJobs(jobMoved);
  wire({
    restore: (picture) => attempt(() => restore(picture)),
    restoreRequest: (request) => attempt(() => restoreRequest(request)),
    reuseSeed,
    useAsInput,
    useFile,
    attempt,
    enlarge,
    inspect: (picture) => attempt(async () => inspect(await blobOf(pathOfPicture(picture)))),
    show: (picture) => (samePicture(picture, shownPicture()) ? enlarge(picture) : reveal(picture)),
    showEnd: (generation) => reveal(generation, showEnd),
    showJob: (id) => reveal(id, showJob),
    cancel: (id) => attempt(() => cancel(id)),
    suggest: (words) => {
      $("prompt").value = words;
      $("form").requestSubmit();
    },
  });
}

/** On the stage, and in sight: the sheet is far below it on a small screen. */
function reveal(thing, shower = showPicture) {
  shower(thing);
  settleTray();
  const { bottom, height } = $("easel").getBoundingClientRect();
  if (bottom < IN_SIGHT * height) $("stage").scrollIntoView({ block: "start" });
}

let begun = false;
let written = null; // while the form of before, and its picture, come back

/** With what there is to ask for. A service that is away is asked again, so that nobody need load the page anew. */
async function begin() {
  await fetchCatalog().catch((error) => {
    if (error.status !== 401) setTimeout(() => attempt(begin), 1000 * (error.retryAfter ?? ASK_AGAIN));
    throw error;
  });
  if (!begun) {
    prepareForm();
    input.onChange = settle;
  }
  begun = true;
  $("standing").textContent = catalog.models.length === 1 ? "" : `${catalog.models.length} models`;
  const kept = keptForm();
  showNothing();
  written = kept ? writeForm({ ...kept, ...typedWords() }) : null;
  try {
    await written;
  } finally {
    written = null;
    $("settings").disabled = false;
    document.body.classList.add("ready");
  }
  await showWhatWas();
}

/** What was made before, and on the stage the newest of it, where nobody has put anything there meanwhile. */
async function showWhatWas() {
  const underWay = await fetchHistory();
  underWay.reverse().forEach(follow);
  if (showsNothing()) {
    if (underWay.length) showJob(underWay.at(-1).id);
    else if (pictures().length) showPicture(pictures()[0]);
  }
  settleTray();
}

prepare();
attempt(begin);
