/** What this browser remembers of the choices made here; nothing where it may not store anything. */

const NAME = (key) => `clearcall.${key}`;

export function recall(key, otherwise) {
  try {
    return localStorage.getItem(NAME(key)) ?? otherwise;
  } catch (error) {
    return otherwise;
  }
}

export function remember(key, value) {
  try {
    localStorage.setItem(NAME(key), value);
  } catch (error) {
    console.info("nothing is remembered here:", error.name);
  }
}

/** Give a control the value that it was left with, and keep the next one. */
export function keep(control) {
  const property = control.type === "checkbox" ? "checked" : "value";
  const kept = recall(control.id, null);
  if (kept !== null) control[property] = property === "checked" ? kept === "true" : kept;
  control.addEventListener("change", () => remember(control.id, String(control[property])));
}
