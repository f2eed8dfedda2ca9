/** The page's controls, put to what they do. */

import { current, ice, sendWishes, start, stop } from "./call.js";
import { listCameras } from "./camera.js";
import { changeCamera, changeEcho, changeSize } from "./devices.js";
import { showEngine } from "./figures.js";
import { keep } from "./memory.js";
import { fillPrompts, onPrompt } from "./prompt.js";
import { readHealth } from "./relay.js";
import { setStage, showOriginal } from "./stage.js";
import { byId, show } from "./view.js";

const strength = byId("strength");
const showStrength = () => { byId("strength-text").textContent = `${strength.value} %`; };

function toggle() {
  showOriginal(false);
  if (current()) stop();
  else start();
}

async function meetRelay() {
  try {
    const health = await readHealth();
    fillPrompts(health.prompts);
    showEngine(health);
    ice.servers = health.ice_servers.map((urls) => ({ urls }));
  } catch (error) {
    show("error", error.message);
  }
}

for (const id of ["strength", "size", "mirror"]) keep(byId(id));
showStrength();
setStage();
onPrompt(sendWishes);
strength.addEventListener("input", () => {
  showStrength();
  sendWishes();
});
byId("start").addEventListener("click", toggle);
byId("camera").addEventListener("change", changeCamera);
byId("size").addEventListener("change", changeSize);
byId("echo").addEventListener("change", changeEcho);
window.addEventListener("pagehide", () => { if (current()) stop(); });

show("idle");
listCameras();
meetRelay();
