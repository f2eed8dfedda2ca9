/** What to restore: a task from the list, or several of them in words. */

import { keep, recall, remember } from "./memory.js";
import { byId, complain } from "./view.js";

/** The list's entry for words; no task is called so. */
const WORDS = "*";
const choice = byId("prompt");
const words = byId("words");

const inWords = () => choice.value === WORDS;

export const prompt = () => (inWords() ? words.value.trim() || "auto" : choice.value);

/** What the relay has against the prompt, or nothing; it is said where it was written. */
export function promptProblem(text) {
  byId("words-problem").textContent = inWords() ? text : "";
  words.setAttribute("aria-invalid", String(Boolean(inWords() && text)));
  if (text && !inWords()) complain(text);
}

function showWords() {
  byId("words-field").hidden = !inWords();
  promptProblem("");
}

/** Offer the tasks that the relay's model knows. */
export function fillPrompts(prompts) {
  const known = ["auto", ...prompts.filter((prompt) => prompt !== "auto"), WORDS];
  const named = { auto: "Automatic", [WORDS]: "In words …" };
  const chosen = recall("prompt", choice.value);
  choice.replaceChildren(...known.map((prompt) =>
    new Option(named[prompt] || prompt[0].toUpperCase() + prompt.slice(1).replaceAll("_", " "), prompt)));
  choice.value = known.includes(chosen) ? chosen : "auto";
  showWords();
}

/** Call back whenever another prompt is chosen or written. */
export function onPrompt(changed) {
  keep(words);
  words.addEventListener("change", changed);
  choice.addEventListener("change", () => {
    remember("prompt", choice.value);
    showWords();
    if (inWords()) words.focus();
    changed();
  });
}
