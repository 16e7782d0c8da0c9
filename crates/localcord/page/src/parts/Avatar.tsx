import type { Id } from "../types";

// Discord's colours for who has no picture.
const COLOURS = ["#5865f2", "#757e8a", "#3ba55c", "#faa61a", "#ed4245", "#eb459f"];

function colour(id: Id) {
  const number = /^\d+$/.test(id) ? Number((BigInt(id) >> 22n) % 6n) : 0;
  return COLOURS[number];
}

export function Avatar({ id, name, small }: { id: Id; name: string; small?: boolean }) {
  return (
    <span class={small ? "avatar small" : "avatar"} style={{ backgroundColor: colour(id) }} aria-hidden="true">
      {name.slice(0, 1).toUpperCase()}
    </span>
  );
}
