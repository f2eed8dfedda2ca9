/** A call from Start to Stop: whatever is lost in between is sought again, with a growing pause. */

import { openCamera } from "./camera.js";
import { endEcho, sound } from "./echo.js";
import { clearFigures, doing, showFigures, showEngine } from "./figures.js";
import { Link } from "./link.js";
import { cutShort, pause } from "./pause.js";
import { prompt, promptProblem } from "./prompt.js";
import { Problem } from "./relay.js";
import { byId, say, show, state, tell } from "./view.js";

const FIRST_PAUSE_S = 1, LONGEST_PAUSE_S = 15;
/** A connection that was live for so long was a good one: the pause begins anew. */
const GOOD_MS = 10000;
/** Figures without a new frame at the relay until it is said: two seconds of them, at first three. */
const FROZEN = 4, FROZEN_AT_FIRST = 6;

const before = byId("before"), after = byId("after"), strength = byId("strength");

/** The call under way, null between calls. */
let call = null;

/** Servers that help through a NAT, as the relay names them. */
export const ice = { servers: [] };

export const current = () => call;

const wishes = () => ({ prompt: prompt(), strength: Number(strength.value) / 100 });

export function sendWishes() {
  if (call && call.link) call.link.send(wishes());
}

export async function start() {
  const mine = { pause: FIRST_PAUSE_S, liveSince: 0 };
  call = mine;
  while (call === mine) {
    try {
      await connection(mine);
    } catch (error) {
      const problem = error instanceof Problem ? error : new Problem(`The call failed: ${error.message}`, true);
      if (call === mine) await again(mine, problem);
    }
  }
}

/** One connection, with its camera; rejects when it is lost. */
function connection(mine) {
  return new Promise((resolve, reject) => {
    mine.fail = reject;
    connect(mine).catch(reject);
  });
}

async function connect(mine) {
  if (!mine.camera) {
    if (!mine.liveSince) show("asking");
    const camera = await openCamera();
    if (call !== mine) return camera.getTracks().forEach((track) => track.stop());
    useCamera(mine, camera);
  }
  if (!mine.liveSince) show("connecting");
  mine.live = false;
  mine.figures = null;
  mine.still = 0;
  const link = new Link(mine.camera, ice.servers, {
    picture: (stream) => { after.srcObject = stream; },
    message: (message) => hear(mine, message),
    shaky: (yes) => say(yes && state() === "live" ? "The connection is shaky" : ""),
    // The relay ends a call without a picture; as long as there is none, another would end as well.
    lost: (problem, told) => mine.fail(told && state() === "frozen" ? new Problem(problem.message, true) : problem),
  });
  mine.link = link;
  link.audio.replaceTrack(sound());
  await link.open(wishes());
}

/** After a problem: wait, and say so. Who never was live is told at once instead. */
async function again(mine, problem) {
  if (mine.link) mine.link.close();
  mine.link = null;
  if (problem.final || !mine.liveSince) return stop("error", problem.message);
  if (mine.live && Date.now() - mine.liveSince > GOOD_MS) mine.pause = FIRST_PAUSE_S;
  clearFigures();
  await pause(mine.pause, (left) => show("reconnecting", `${problem.message} Trying again in ${left} s.`));
  mine.pause = Math.min(2 * mine.pause, LONGEST_PAUSE_S);
  if (call === mine) show("reconnecting", `${problem.message} Trying again …`);
}

export function stop(next = "ended", problem = "") {
  const mine = call;
  call = null;
  if (mine) {
    if (mine.link) mine.link.close();
    if (mine.camera) mine.camera.getTracks().forEach((track) => track.stop());
    // Whatever it still waits for, it need not any more.
    mine.fail(new Problem(""));
    cutShort();
  }
  before.srcObject = null;
  after.srcObject = null;
  endEcho();
  clearFigures();
  show(next, problem);
}

/** Show a camera beside what comes back, and notice when it is gone. */
export function useCamera(mine, camera) {
  mine.camera = camera;
  before.srcObject = camera;
  camera.getVideoTracks()[0].addEventListener("ended", () => {
    if (call !== mine || mine.camera !== camera) return;
    mine.camera = null;
    mine.fail(new Problem("The camera went away. Plug it in again."));
  });
}

// ---- what comes back ----

function hear(mine, message) {
  if (call !== mine) return;
  if (message.settings) {
    showEngine(message.settings);
    promptProblem("");
  }
  if (message.error) promptProblem(message.error);
  if (message.figures) {
    showFigures(message.figures);
    watchCamera(mine, message.figures);
    if (state() === "live") tell(doing(message.figures, mine.figures, wishes()) ?? byId("doing").textContent);
    mine.figures = message.figures;
  }
}

/** Whether frames still come to the relay; what they come back as is known there. */
function watchCamera(mine, { call: { received } }) {
  const moved = !mine.figures || received > mine.figures.call.received;
  mine.still = moved ? 0 : mine.still + 1;
  if (mine.still >= (received ? FROZEN : FROZEN_AT_FIRST)) {
    mine.link.settled();
    show("frozen");
  } else if (moved && state() === "frozen") {
    show(mine.live ? "live" : "connecting");
  }
}

after.addEventListener("playing", () => {
  if (!call || !call.link) return;
  call.link.settled();
  call.live = true;
  call.liveSince = Date.now();
  show("live");
});
