// Where a picture comes from, in plain words: what was found, what that proves, and what it does not.

import { $, button, closable, el, moment, openDialog, shortened } from "./dom.js";
import { parametersIn, requestOfInfotext } from "./restore.js";
import { Problem, get, verify } from "./service.js";
import { handlers } from "./wiring.js";

const WORDS = {
  intact: {
    title: "As it was signed",
    tone: "good",
    proves: "Whoever holds the signing key signed exactly these pixels, and nothing changed since.",
    not: "It does not prove that what it shows is true, nor who asked for it.",
  },
  intact_untrusted_signer: {
    title: "Unchanged, signed by a stranger",
    tone: "unsure",
    proves: "Nothing changed since somebody signed it.",
    not: "Nobody here vouches for who that somebody is: anybody can make a certificate.",
  },
  conflict: {
    title: "Two stories in one picture",
    tone: "bad",
    proves: "The credential and the watermark name different pictures.",
    not: "It does not tell which of the two is the copy.",
  },
  recovered: {
    title: "Recognised by its watermark",
    tone: "good",
    proves: "A picture that looks like this one was made and signed here.",
    not: "It does not prove that this copy is unchanged: it may have been edited since, and a mark can be copied.",
  },
  modified_recovered: {
    title: "Changed since it was signed",
    tone: "unsure",
    proves: "A picture that looks like this one was made and signed here, and this copy is not that file any more.",
    not: "It does not tell what was changed, nor by whom.",
  },
  mark_mismatch: {
    title: "A mark that is not its own",
    tone: "bad",
    proves: "It carries the mark of a picture made here that looks different.",
    not: "It does not prove that this picture was made here: the mark was copied, or little is left of the original.",
  },
  modified: {
    title: "Its credential does not hold",
    tone: "bad",
    proves: "The file changed after it was signed, or the credential was never its own.",
    not: "It does not tell what the original was.",
  },
  unknown_id: {
    title: "A mark without a record",
    tone: "unsure",
    proves: "It carries a watermark that can be read here.",
    not: "No record of it is kept here, so nothing more can be said.",
  },
  no_evidence: {
    title: "Nothing was found",
    tone: "unsure",
    proves: "Nothing.",
    not: "It does not prove that no AI made it: credentials are easily stripped, and others use other marks.",
  },
};
const MEANS = { credential: "signed credential (C2PA)", watermark: "watermark in the pixels" };

// Characters of the prompt: more would push aside what the verdict proves. "Restore its settings" brings it all.
const MOST_WORDS = 400;

let url = "";
let asked = 0;

export function prepareInspector() {
  closable($("inspector"));
  $("inspect-open").addEventListener("click", () => {
    if (!url)
      $("verdict").replaceChildren(el("p", { class: "hint" }, "Choose a picture, or drop one anywhere on this page."));
    openDialog($("inspector"));
  });
  $("inspector-file").addEventListener("change", () => {
    const [file] = $("inspector-file").files;
    $("inspector-file").value = "";
    if (file) inspect(file);
  });
}

/** Shows the picture and asks about it; what can be done with it is offered beside. */
export async function inspect(file) {
  const turn = ++asked;
  URL.revokeObjectURL(url);
  url = URL.createObjectURL(file);
  Object.assign($("inspector-image"), { src: url, hidden: false });
  $("verdict").replaceChildren(el("p", { class: "hint busy" }, "Looking for a credential and a watermark…"));
  $("inspector-actions").replaceChildren(button("Use as input", () => done(() => handlers.useFile(file))));
  openDialog($("inspector"));
  const [verdict, text] = await Promise.all([
    verify(file).catch((error) => error),
    parametersIn(file).catch(() => null),
  ]);
  if (turn !== asked) return;
  if (verdict instanceof Problem) $("verdict").replaceChildren(el("p", { class: "refusal" }, verdict.message));
  else $("verdict").replaceChildren(...described(verdict));
  offerSettings(verdict.owner, text);
}

async function done(act) {
  $("inspector").close();
  await act();
}

function offerSettings(owner, text) {
  if (owner) {
    const restore = async () => handlers.restore({ generation: await get(`api/v1/generations/${owner.job_id}`) });
    $("inspector-actions").prepend(
      button("Restore its settings", () => done(() => handlers.attempt(restore)), { class: "primary" }),
    );
  } else if (text) {
    const restore = () => handlers.restoreRequest(requestOfInfotext(text));
    $("inspector-actions").prepend(button("Restore its settings", () => done(restore), { class: "primary" }));
  }
}

function described(verdict) {
  const words = WORDS[verdict.state];
  const { signer, generation, owner } = verdict;
  return [
    el("p", { class: `state ${words.tone}` }, words.title),
    el("p", {}, verdict.text),
    el(
      "dl",
      {},
      ...row(
        "Made by",
        generation && `${generation.model}, seed ${generation.seed}, ${generation.width} × ${generation.height}`,
      ),
      ...row("Made at", generation && moment(generation.created_at)),
      ...row("Yours", owner && `generation ${owner.job_id}, picture ${owner.index + 1}`),
      ...row("Prompt", owner?.prompt && shortened(owner.prompt, MOST_WORDS)),
      ...row("Signed by", signer && signerWords(signer)),
      ...row("Signed at", signer?.signed_at && `${moment(signer.signed_at)}, attested`),
      ...row("Found", verdict.means.map((means) => MEANS[means]).join(" and ") || null),
      ...row("Watermark", verdict.watermark_id, "code"),
      ...row("Made from", owner?.parents.join(", ") || null, "code"),
      ...row("Derived from", verdict.derived_from, "code"),
      ...row("Manifest", verdict.manifest_id, "code"),
    ),
    el("h3", {}, "What this proves"),
    el(
      "p",
      {},
      signer?.development
        ? "Only that this installation made it and nobody changed it since: its certificate is its own."
        : words.proves,
    ),
    el("h3", {}, "What it does not prove"),
    el("p", {}, words.not),
    ...verdict.notes.map((note) => el("p", { class: "note" }, note)),
  ];
}

function signerWords({ common_name, trusted, development }) {
  if (development) return `${common_name} (a development certificate of this installation)`;
  return `${common_name} (${trusted ? "trusted here" : "not trusted here"})`;
}

function row(name, value, tag = "span") {
  return value ? [el("dt", {}, name), el("dd", {}, el(tag, {}, value))] : [];
}
