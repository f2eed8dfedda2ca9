"use strict";

const byId = (id) => document.getElementById(id);
const page = {
  frame: byId("frame"), before: byId("before"), after: byId("after"), split: byId("split"), veil: byId("veil-text"),
  start: byId("start"), hold: byId("hold"), status: byId("status-text"), problem: byId("problem"),
  camera: byId("camera"), prompt: byId("prompt"), strength: byId("strength"), strengthText: byId("strength-text"),
  echo: byId("echo"),
};
const token = new URLSearchParams(location.search).get("token");
const auth = token ? { Authorization: `Bearer ${token}` } : {};
const LOST_AFTER_MS = 6000;
const CONNECT_WITHIN_MS = 20000;

/** The call under way: its connection, channel, camera and address at the relay; null between calls. */
let call = null;
let iceServers = [];

const STATES = {
  idle: ["Not connected", "Press Start to see yourself before and after."],
  asking: ["Waiting for the camera", "The browser asks whether this page may use the camera."],
  connecting: ["Connecting", "Connecting to the relay …"],
  live: ["Live", ""],
  ended: ["Call ended", "The call has ended. Press Start for another."],
  error: ["Something is in the way", "Press Start to try again."],
};

function show(state, problem = "") {
  document.body.dataset.state = state;
  [page.status.textContent, page.veil.textContent] = STATES[state];
  page.problem.textContent = problem;
  page.problem.hidden = !problem;
  const busy = ["asking", "connecting", "live"].includes(state);
  page.start.textContent = state === "live" ? "Stop" : busy ? "Cancel" : "Start";
  page.hold.disabled = state !== "live";
  page.echo.disabled = !(state === "live" && call && call.hasAudio);
}

/** An error whose text is meant for the person at the page. */
class Problem extends Error {}

// ---- camera ----

function cameraProblem(error) {
  switch (error.name) {
    case "NotAllowedError":
      return "The browser was not allowed to use the camera. Allow it in the address bar, then press Start again.";
    case "NotFoundError":
    case "OverconstrainedError":
      return "No camera was found. Plug one in or choose another, then press Start again.";
    case "NotReadableError":
      return "The camera is there but cannot be read. Another program may be using it.";
    default:
      return `The camera could not be opened (${error.name}).`;
  }
}

function wantedVideo() {
  const wanted = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } };
  if (page.camera.value) wanted.deviceId = { exact: page.camera.value };
  return wanted;
}

async function openCamera() {
  if (!navigator.mediaDevices) {
    throw new Problem("Browsers give a page the camera only over https, or on this machine as localhost.");
  }
  const audio = { echoCancellation: true };
  try {
    return await navigator.mediaDevices.getUserMedia({ video: wantedVideo(), audio });
  } catch (first) {
    // Without a microphone, or without leave to use it, the picture still counts.
    try {
      return await navigator.mediaDevices.getUserMedia({ video: wantedVideo() });
    } catch (error) {
      throw new Problem(cameraProblem(error));
    }
  }
}

async function listCameras(current) {
  if (!navigator.mediaDevices) return;
  const devices = (await navigator.mediaDevices.enumerateDevices()).filter((d) => d.kind === "videoinput" && d.deviceId);
  if (!devices.length) return;
  const chosen = current || page.camera.value;
  page.camera.replaceChildren(...devices.map((device, index) =>
    new Option(device.label || `Camera ${index + 1}`, device.deviceId, false, device.deviceId === chosen)));
}

async function changeCamera() {
  const mine = call;
  if (!mine || !mine.stream) return;
  let fresh;
  try {
    fresh = await navigator.mediaDevices.getUserMedia({ video: wantedVideo() });
  } catch (error) {
    page.problem.textContent = cameraProblem(error);
    page.problem.hidden = false;
    return;
  }
  const [track] = fresh.getVideoTracks();
  if (call !== mine) return track.stop();
  const [old] = mine.stream.getVideoTracks();
  await mine.video.replaceTrack(track);
  mine.stream.removeTrack(old);
  old.stop();
  mine.stream.addTrack(track);
  watchCamera(mine, track);
}

function watchCamera(mine, track) {
  track.contentHint = "motion";
  track.addEventListener("ended", () => {
    if (call === mine) stop("error", "The camera went away. Plug it in again, then press Start.");
  });
}

// ---- the relay ----

async function ask(path, options) {
  let answer;
  try {
    answer = await fetch(path, { ...options, headers: { ...auth, ...options.headers } });
  } catch (error) {
    throw new Problem("The relay cannot be reached. Is it still running?");
  }
  if (answer.ok) return answer;
  const text = (await answer.text()).trim();
  if (answer.status === 503) {
    const wait = answer.headers.get("Retry-After") || "a few";
    throw new Problem(`The relay is full just now. Try again in ${wait} seconds.`);
  }
  throw new Problem(`The relay said no: ${text || answer.status}`);
}

function fragment(mine) {
  const [first] = mine.candidates;
  const mid = first ? first.sdpMid : "0";
  const lines = mine.candidates.map((candidate) => `a=${candidate.candidate}`);
  if (mine.gathered) lines.push("a=end-of-candidates");
  mine.candidates = [];
  return [`a=mid:${mid}`, ...lines, ""].join("\r\n");
}

/** Send what candidates there are, one request after the other. */
async function trickle(mine) {
  if (!mine.location || mine.trickling) return;
  mine.trickling = true;
  try {
    while (call === mine && (mine.candidates.length || (mine.gathered && !mine.gatheredSent))) {
      mine.gatheredSent = mine.gathered;
      await ask(mine.location, {
        method: "PATCH",
        headers: { "Content-Type": "application/trickle-ice-sdpfrag" },
        body: fragment(mine),
      });
    }
  } catch (error) {
    if (call === mine) stop("error", error.message);
  } finally {
    mine.trickling = false;
  }
}

async function start() {
  const mine = { candidates: [], gathered: false };
  call = mine;
  show("asking");
  try {
    mine.stream = await openCamera();
    if (call !== mine) return release(mine);
    mine.hasAudio = mine.stream.getAudioTracks().length > 0;
    page.before.srcObject = mine.stream;
    show("connecting");
    listCameras(mine.stream.getVideoTracks()[0].getSettings().deviceId);
    await connect(mine);
  } catch (error) {
    if (call === mine) stop("error", error instanceof Problem ? error.message : `The call failed: ${error.message}`);
  }
}

async function connect(mine) {
  const pc = new RTCPeerConnection({ iceServers, bundlePolicy: "max-bundle" });
  mine.pc = pc;
  mine.timer = setTimeout(() => {
    if (call === mine) stop("error", "The relay answered, but no picture got through. A firewall may be in the way.");
  }, CONNECT_WITHIN_MS);
  const returned = new MediaStream();
  for (const track of mine.stream.getTracks()) {
    const sender = pc.addTrack(track, mine.stream);
    if (track.kind === "video") mine.video = sender;
  }
  watchCamera(mine, mine.stream.getVideoTracks()[0]);
  openChannel(mine);
  pc.ontrack = ({ track }) => {
    returned.addTrack(track);
    page.after.srcObject = returned;
  };
  pc.onicecandidate = ({ candidate }) => {
    if (candidate && candidate.candidate) mine.candidates.push(candidate);
    else if (!candidate) mine.gathered = true;
    trickle(mine);
  };
  pc.onconnectionstatechange = () => watchConnection(mine);
  await pc.setLocalDescription();
  await keepResolution(mine.video);
  const query = new URLSearchParams({ prompt: page.prompt.value, strength: strength() });
  const answer = await ask(`call?${query}`, {
    method: "POST",
    headers: { "Content-Type": "application/sdp" },
    body: pc.localDescription.sdp,
  });
  mine.location = answer.headers.get("Location");
  if (call !== mine) return hangUp(mine);
  await pc.setRemoteDescription({ type: "answer", sdp: await answer.text() });
  trickle(mine);
}

/** A face must not come back softer: spend the bitrate on pixels, not on frames. */
async function keepResolution(sender) {
  const parameters = sender.getParameters();
  parameters.degradationPreference = "maintain-resolution";
  if (parameters.encodings && parameters.encodings[0]) parameters.encodings[0].maxBitrate = 5000000;
  try {
    await sender.setParameters(parameters);
  } catch (error) {
    console.info("the browser chooses the resolution itself:", error.name);
  }
}

function watchConnection(mine) {
  if (call !== mine) return;
  const state = mine.pc.connectionState;
  clearTimeout(mine.lost);
  if (state === "disconnected") {
    page.status.textContent = "The connection is shaky";
    mine.lost = setTimeout(() => {
      if (call === mine) stop("error", "The connection to the relay was lost. Press Start to try again.");
    }, LOST_AFTER_MS);
  } else if (state === "failed" || state === "closed") {
    stop("error", "The connection to the relay was lost. Press Start to try again.");
  } else if (state === "connected" && document.body.dataset.state === "live") {
    page.status.textContent = STATES.live[0];
  }
}

function release(mine) {
  clearTimeout(mine.timer);
  clearTimeout(mine.lost);
  if (mine.pc) {
    mine.pc.onconnectionstatechange = null;
    mine.pc.close();
  }
  if (mine.stream) mine.stream.getTracks().forEach((track) => track.stop());
}

/** Tell the relay; kept alive, so that it also goes out while the page is being left. */
function hangUp(mine) {
  if (!mine.location) return;
  fetch(mine.location, { method: "DELETE", headers: auth, keepalive: true }).catch(() => {});
  mine.location = null;
}

function stop(state = "ended", problem = "") {
  const mine = call;
  call = null;
  if (mine) {
    hangUp(mine);
    release(mine);
  }
  page.before.srcObject = null;
  page.after.srcObject = null;
  page.after.muted = true;
  page.echo.checked = false;
  showOriginal(false);
  show(state, problem);
}

// ---- the data channel: settings out, figures in ----

const strength = () => Number(page.strength.value) / 100;

function openChannel(mine) {
  mine.channel = mine.pc.createDataChannel("clearcall");
  mine.channel.onmessage = ({ data }) => {
    if (call !== mine) return;
    const message = JSON.parse(data);
    if (message.settings) showEngine(message.settings);
    if (message.figures) {
      showFigures(message.figures);
      watchRestoring(mine, message.figures);
    }
    page.problem.textContent = message.error || (message.settings ? "" : page.problem.textContent);
    page.problem.hidden = !page.problem.textContent;
  };
  // The relay ended the call: it closes the channel first.
  mine.channel.onclose = () => {
    if (call === mine) stop("ended", "The relay ended the call.");
  };
}

function sendSettings() {
  page.strengthText.textContent = `${page.strength.value} %`;
  if (call && call.channel && call.channel.readyState === "open") {
    call.channel.send(JSON.stringify({ prompt: page.prompt.value, strength: strength() }));
  }
}

function fillPrompts(prompts) {
  const chosen = page.prompt.value;
  const known = prompts.filter((prompt) => prompt !== "auto");
  page.prompt.replaceChildren(new Option("Automatic", "auto"),
    ...known.map((prompt) => new Option(prompt[0].toUpperCase() + prompt.slice(1).replaceAll("_", " "), prompt)));
  page.prompt.value = known.includes(chosen) ? chosen : "auto";
}

function showEngine(running) {
  byId("figure-model").textContent = running.model;
  byId("figure-engine").textContent = running.engine;
  byId("figure-engine").title = Object.entries(running.engines_refused || {})
    .map(([name, why]) => `not ${name}: ${why}`).join("\n");
}

function showFigures(figures) {
  const put = (id, text, value = "") => {
    byId(id).textContent = text;
    byId(id).dataset.value = value;
  };
  const number = (value, digits) => (typeof value === "number" && isFinite(value) ? value.toFixed(digits) : "–");
  // Here, too: an engine that is lost in a call hands over to the next.
  if (figures.call) showEngine(figures.call);
  const added = figures.added_ms || {};
  put("figure-fps", number(figures.fps, 1), figures.fps);
  put("figure-delay", `${number(added.median, 0)} ms`, added.median);
  put("figure-p95", `95 % in ${number(added.p95, 0)} ms`, added.p95);
  const reasons = (counts) => Object.entries(counts || {}).filter(([, count]) => count > 0)
    .map(([reason, count]) => `${reason.replaceAll("_", " ")} ${count}`).join(", ");
  const sum = Object.values(figures.dropped || {}).reduce((total, count) => total + count, 0);
  put("figure-dropped", String(sum), sum);
  put("figure-reasons", reasons(figures.dropped));
  const failures = reasons(figures.failures);
  put("figure-failures", failures && `unrestored: ${failures}`);
  showQuality(figures.quality, put);
}

/** What the time left allows to spend on a frame, and how far that is below the best. */
function showQuality(quality, put) {
  if (!quality) return;
  put("figure-quality", quality.level === 0 ? "Full" : `${quality.lowest - quality.level} of ${quality.lowest}`, quality.level);
  const { down, up } = quality.steps;
  put("figure-steps", `${quality.name}; ${down} down, ${up} up to keep within ${quality.budget_ms} ms`);
}

/** Say so while frames go back as they came. */
function watchRestoring(mine, figures) {
  const before = mine.figures;
  mine.figures = figures;
  if (!before || document.body.dataset.state !== "live" || mine.pc.connectionState !== "connected") return;
  const idle = strength() > 0 && figures.frames > before.frames && figures.changed === before.changed;
  page.status.textContent = !idle ? STATES.live[0] : figures.faces ? "Live, not restored"
    : figures.quality && figures.quality.passing ? "Live, too little time to restore" : "Live, no face found";
}

async function readHealth() {
  try {
    const health = await (await ask("healthz", {})).json();
    fillPrompts(health.prompts);
    showEngine(health);
    iceServers = health.ice_servers.map((urls) => ({ urls }));
  } catch (error) {
    show("error", error.message);
  }
}

// ---- before and after ----

function showOriginal(on) {
  page.frame.classList.toggle("original", on);
  page.hold.setAttribute("aria-pressed", String(on));
}

page.split.addEventListener("input", () => page.frame.style.setProperty("--split", `${page.split.value}%`));
page.hold.addEventListener("pointerdown", () => showOriginal(true));
for (const event of ["pointerup", "pointercancel", "pointerleave", "blur"]) {
  page.hold.addEventListener(event, () => showOriginal(false));
}
page.hold.addEventListener("keydown", (event) => {
  if (event.key === " " || event.key === "Enter") {
    event.preventDefault();
    showOriginal(true);
  }
});
page.hold.addEventListener("keyup", () => showOriginal(false));

// ---- controls ----

page.start.addEventListener("click", () => (call ? stop() : start()));
page.camera.addEventListener("change", changeCamera);
page.prompt.addEventListener("change", sendSettings);
page.strength.addEventListener("input", sendSettings);
page.echo.addEventListener("change", () => { page.after.muted = !page.echo.checked; });
page.after.addEventListener("playing", () => {
  if (!call) return;
  clearTimeout(call.timer);
  show("live");
});
page.after.addEventListener("resize", () => {
  if (page.after.videoWidth) page.frame.style.aspectRatio = `${page.after.videoWidth} / ${page.after.videoHeight}`;
});
window.addEventListener("pagehide", () => { if (call) stop(); });
if (navigator.mediaDevices) navigator.mediaDevices.addEventListener("devicechange", () => listCameras());

show("idle");
listCameras();
readHealth();
