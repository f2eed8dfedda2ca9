/** What the page shows of a call: its state, one line of status, and one problem at a time. */

export const byId = (id) => document.getElementById(id);

/** Of each state: the status, what stands in the picture's place, and what the button does. */
const STATES = {
  idle: ["Not connected", "Press Start to see yourself before and after.", "Start"],
  asking: ["Waiting for the camera", "The browser asks whether this page may use the camera.", "Cancel"],
  connecting: ["Connecting", "Connecting to the relay …", "Cancel"],
  live: ["Live", "", "Stop"],
  frozen: ["No picture from the camera", "Is its shutter closed, or does another program use it?", "Stop"],
  reconnecting: ["Reconnecting", "", "Stop"],
  ended: ["Call ended", "Press Start for another.", "Start"],
  error: ["", "", "Start"],
};

export const state = () => document.body.dataset.state;

/** Written only where it is new: a screen reader would read it again. */
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Show a state; `text` is its problem, or while reconnecting the reason. */
export function show(next, text = "") {
  const [status, veil, button] = STATES[next];
  document.body.dataset.state = next;
  write(byId("status-text"), status);
  write(byId("veil-text"), next === "reconnecting" ? text : veil);
  write(byId("start"), button);
  complain(next === "error" ? text : "");
  byId("hold").disabled = next !== "live";
  byId("echo").disabled = !["live", "frozen", "reconnecting"].includes(next);
  if (next !== "live") tell("");
}

/** Say something else than the state's own status. */
export const say = (text) => write(byId("status-text"), text || STATES[state()][0]);

/** The plain line on what is being done. */
export const tell = (text) => write(byId("doing"), text);

/** A problem, or none. */
export function complain(text) {
  write(byId("problem"), text);
  byId("problem").hidden = !text;
}
