/** The echo of one's own voice: the microphone is open only while it is on. */

import { openMicrophone } from "./camera.js";
import { byId } from "./view.js";

const echo = byId("echo"), after = byId("after");
let microphone = null;

/** What goes to the relay as sound, null while the echo is off. */
export const sound = () => (microphone ? microphone.getAudioTracks()[0] : null);

function close() {
  if (microphone) microphone.getTracks().forEach((track) => track.stop());
  microphone = null;
}

/** Open or close the microphone, as the switch says; a Problem, and the switch off, where it cannot be had. */
export async function hearEcho() {
  after.muted = !echo.checked;
  if (!echo.checked) return close();
  try {
    const opened = await openMicrophone();
    close();
    microphone = opened;
  } catch (error) {
    endEcho();
    throw error;
  }
  // Switched off while the browser was asking.
  if (!echo.checked) close();
}

export function endEcho() {
  echo.checked = false;
  after.muted = true;
  close();
}
