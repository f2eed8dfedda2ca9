/** The relay's figures, in numbers and in one plain line. */

import { byId } from "./view.js";

const NONE = "–";
const plain = (name) => name.replaceAll("_", " ");

export function showEngine(running) {
  byId("figure-model").textContent = running.model;
  byId("figure-engine").textContent = running.engine;
  byId("figure-engine").title = Object.entries(running.engines_refused || {})
    .map(([name, why]) => `not ${name}: ${why}`).join("\n");
}

function put(id, text, value = "") {
  byId(id).textContent = text;
  byId(id).dataset.value = value;
}

/** The last call's figures must not look like the next one's. */
export function clearFigures() {
  for (const id of ["fps", "delay", "p95", "dropped", "quality"]) put(`figure-${id}`, NONE);
  for (const id of ["reasons", "failures", "steps"]) put(`figure-${id}`, "");
}

function number(value, digits) {
  return typeof value === "number" && isFinite(value) ? value.toFixed(digits) : NONE;
}

function reasons(counts) {
  return Object.entries(counts || {}).filter(([, count]) => count > 0)
    .map(([reason, count]) => `${plain(reason)} ${count}`).join(", ");
}

export function showFigures(figures) {
  // Here, too: an engine that is lost in a call hands over to the next.
  if (figures.call) showEngine(figures.call);
  const added = figures.added_ms || {};
  put("figure-fps", number(figures.fps, 1), figures.fps);
  put("figure-delay", `${number(added.median, 0)} ms`, added.median);
  put("figure-p95", `${number(added.p95, 0)} ms`, added.p95);
  const sum = Object.values(figures.dropped || {}).reduce((total, count) => total + count, 0);
  put("figure-dropped", String(sum), sum);
  put("figure-reasons", reasons(figures.dropped));
  const failures = reasons(figures.failures);
  put("figure-failures", failures && `unrestored: ${failures}`);
  showQuality(figures.quality);
}

/** What the time left allows to spend on a frame, and how far that is below the best. */
function showQuality(quality) {
  if (!quality) return;
  const left = quality.lowest - quality.level;
  put("figure-quality", quality.level === 0 ? "Full" : `${left} of ${quality.lowest}`, quality.level);
  const { down, up } = quality.steps;
  put("figure-steps", `${quality.name}; ${down} down, ${up} up to keep within ${quality.budget_ms} ms`);
}

// ---- the plain line ----

/** What is done with the picture, in words; null where the figures do not say. */
export function doing(figures, before, { prompt, strength }) {
  if (!before || figures.frames === before.frames) return null;
  if (strength === 0) return "The picture goes back as it came: strength is 0.";
  const why = figures.changed === before.changed ? untouched(figures, before) : null;
  if (why === "no face") return "No face found: the picture goes back as it came.";
  if (why === "no time") return `Too little time to restore. ${wayOut()}`;
  if (why) return `Not restored (${why}): the relay's log has more.`;
  // The weights are those of a face.
  if (!figures.faces) return "No face found: the rest of the picture is restored.";
  const tasks = Object.entries(figures.weights || {}).filter(([, weight]) => weight >= 0.05)
    .sort(([, one], [, other]) => other - one).map(([name, weight]) => amount(weight) + plain(name));
  const text = `${prompt === "auto" ? "Automatic" : "As asked"}: ${tasks.join(", ") || "nothing found to restore"}.`;
  const { quality } = figures;
  return quality && quality.level > quality.usual ? `${text} Time is short. ${wayOut()}` : text;
}

const amount = (weight) => (weight >= 0.6 ? "" : weight >= 0.25 ? "some " : "a little ");

const wayOut = () => (byId("size").value === "720" ? "Choose 480p, or close other programs." : "Close other programs.");

/** The reason for which most of the frames since `before` went back as they came. */
function untouched(figures, before) {
  const [most] = Object.entries(figures.failures || {})
    .map(([reason, count]) => [reason, count - ((before.failures || {})[reason] || 0)])
    .filter(([, count]) => count > 0).sort(([, one], [, other]) => other - one);
  return most ? most[0] : null;
}
