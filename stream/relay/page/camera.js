/** The camera, and the microphone for who wants to hear the echo. */

import { recall, remember } from "./memory.js";
import { Problem } from "./relay.js";
import { byId } from "./view.js";

const SIZES = { 720: [1280, 720], 480: [848, 480] };
const choice = byId("camera");
const size = byId("size");

function problem(error) {
  switch (error.name) {
    case "NotAllowedError":
      return new Problem("The browser was not allowed to use the camera. Allow it in the address bar.", true);
    case "NotFoundError":
    case "OverconstrainedError":
      return new Problem("No camera was found. Plug one in or choose another.");
    case "NotReadableError":
      return new Problem("The camera is there but cannot be read. Another program may be using it.");
    default:
      return new Problem(`The camera could not be opened (${error.name}).`);
  }
}

function wanted() {
  const [width, height] = SIZES[size.value] || SIZES[720];
  return { width: { ideal: width }, height: { ideal: height }, frameRate: { ideal: 30, max: 30 } };
}

async function open(chosen) {
  const device = chosen ? { deviceId: { exact: chosen } } : {};
  const stream = await navigator.mediaDevices.getUserMedia({ video: { ...wanted(), ...device } });
  stream.getVideoTracks()[0].contentHint = "motion";
  return stream;
}

/** The camera chosen here or last time, or where that is not plugged in, another. */
async function openAny() {
  const chosen = choice.value || recall("camera", "");
  try {
    return await open(chosen);
  } catch (error) {
    if (chosen && ["NotFoundError", "OverconstrainedError"].includes(error.name)) return open("");
    throw error;
  }
}

export async function openCamera() {
  if (!navigator.mediaDevices) {
    throw new Problem("Browsers give a page the camera only over https, or on this machine as localhost.", true);
  }
  try {
    const stream = await openAny();
    listCameras(stream.getVideoTracks()[0].getSettings().deviceId);
    return stream;
  } catch (error) {
    throw problem(error);
  }
}

/** The camera that is chosen now, and no other. */
export async function openChosen() {
  try {
    return await open(choice.value);
  } catch (error) {
    throw problem(error);
  }
}

/** Give an open camera the size that is chosen now. */
export async function resize(stream) {
  try {
    await stream.getVideoTracks()[0].applyConstraints(wanted());
  } catch (error) {
    throw new Problem(`The camera keeps its picture size (${error.name}).`);
  }
}

export async function openMicrophone() {
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true } });
  } catch (error) {
    throw new Problem(`Without the microphone there is no echo to hear (${error.name}).`);
  }
}

export async function listCameras(current) {
  if (!navigator.mediaDevices) return;
  const all = await navigator.mediaDevices.enumerateDevices();
  // Without leave to use them they have no names yet.
  const devices = all.filter((device) => device.kind === "videoinput" && device.deviceId);
  if (!devices.length) return;
  const chosen = current || choice.value || recall("camera", "");
  choice.replaceChildren(...devices.map((device, index) =>
    new Option(device.label || `Camera ${index + 1}`, device.deviceId, false, device.deviceId === chosen)));
}

choice.addEventListener("change", () => remember("camera", choice.value));
if (navigator.mediaDevices) navigator.mediaDevices.addEventListener("devicechange", () => listCameras());
