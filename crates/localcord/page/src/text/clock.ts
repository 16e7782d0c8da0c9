// localcord's time, which may be ahead of ours.

import { signal } from "@preact/signals";

let ahead = 0;

// Turns once a second.
export const seconds = signal(Math.floor(Date.now() / 1000));

export const now = () => Date.now() + ahead;

const turn = () => {
  seconds.value = Math.floor(now() / 1000);
};

export function setNow(milliseconds: number) {
  ahead = milliseconds - Date.now();
  turn();
}

setInterval(turn, 1000);
