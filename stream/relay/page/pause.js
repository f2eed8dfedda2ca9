/** A pause that is over early when there is something new to try with. */

let wake = () => {};

/** Wait, `each` told how many seconds are left. */
export async function pause(seconds, each) {
  const end = Date.now() + 1000 * seconds;
  for (let left = seconds; left > 0; left = Math.ceil((end - Date.now()) / 1000)) {
    each(left);
    if (await second()) return;
  }
}

/** A second, or less where it is cut short; whether it was. */
function second() {
  return new Promise((resolve) => {
    wake = () => resolve(true);
    setTimeout(() => resolve(false), 1000);
  });
}

export const cutShort = () => wake();

window.addEventListener("online", cutShort);
if (navigator.mediaDevices) navigator.mediaDevices.addEventListener("devicechange", cutShort);
