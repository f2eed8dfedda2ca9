/** Camera, picture size and sound, changed while the call goes on; what cannot be had is said, and the call stays. */

import { current, useCamera } from "./call.js";
import { openChosen, resize } from "./camera.js";
import { hearEcho, sound } from "./echo.js";
import { complain } from "./view.js";

export async function changeCamera() {
  const mine = current();
  if (!mine || !mine.link || !mine.camera) return;
  try {
    const camera = await openChosen();
    if (current() !== mine || !mine.link) return camera.getTracks().forEach((track) => track.stop());
    await mine.link.video.replaceTrack(camera.getVideoTracks()[0]);
    mine.camera.getTracks().forEach((track) => track.stop());
    useCamera(mine, camera);
    complain("");
  } catch (error) {
    complain(error.message);
  }
}

export async function changeSize() {
  try {
    if (current() && current().camera) await resize(current().camera);
  } catch (error) {
    complain(error.message);
  }
}

export async function changeEcho() {
  try {
    await hearEcho();
    if (current() && current().link) await current().link.audio.replaceTrack(sound());
    complain("");
  } catch (error) {
    complain(error.message);
  }
}
