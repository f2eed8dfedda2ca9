/** The picture before and after: the divider, the original while a button is held, mirrored or not. */

import { byId } from "./view.js";

const frame = byId("frame"), hold = byId("hold"), split = byId("split"), mirror = byId("mirror"), after = byId("after");

export function showOriginal(on) {
  frame.classList.toggle("original", on);
  hold.setAttribute("aria-pressed", String(on));
}

const showMirrored = () => frame.classList.toggle("mirrored", mirror.checked);

export function setStage() {
  showMirrored();
  mirror.addEventListener("change", showMirrored);
  split.addEventListener("input", () => frame.style.setProperty("--split", `${split.value}%`));
  hold.addEventListener("pointerdown", () => showOriginal(true));
  for (const event of ["pointerup", "pointercancel", "pointerleave", "blur"]) {
    hold.addEventListener(event, () => showOriginal(false));
  }
  hold.addEventListener("keydown", (event) => {
    if (event.key !== " " && event.key !== "Enter") return;
    event.preventDefault();
    showOriginal(true);
  });
  hold.addEventListener("keyup", () => showOriginal(false));
  after.addEventListener("resize", () => {
    if (after.videoWidth) byId("stage").style.setProperty("--ratio", after.videoWidth / after.videoHeight);
  });
}
