import { useState } from "preact/hooks";
import type { Offer } from "./Offers";

export interface OfferState {
  active: number;
  setActive: (index: number) => void;
  hidden: boolean;
  // Whether a key was for the list.
  onKey: (event: KeyboardEvent) => boolean;
}

interface Position {
  of: string;
  active: number;
  hidden: boolean;
}

// A list that is steered from a text field. `first` is what stands ready for Enter: -1 is nothing.
export function useOffers(offers: Offer[], first: number): OfferState {
  const [left, setLeft] = useState<Position | null>(null);
  // Other offers begin anew, and at once: who types fast presses Enter before the next frame.
  const of = `${first} ${offers.map((offer) => offer.key).join("\n")}`;
  const { active, hidden } = left?.of === of ? left : { active: first, hidden: false };
  const setActive = (index: number) => setLeft({ of, active: index, hidden });

  const move = (by: number) => {
    const from = active < 0 && by < 0 ? 0 : active;
    setActive((from + by + offers.length) % offers.length);
  };
  const onKey = (event: KeyboardEvent): boolean => {
    if (hidden || offers.length === 0) return false;
    const taken = offers[active];
    if (event.key === "ArrowDown") move(1);
    else if (event.key === "ArrowUp") move(-1);
    else if (event.key === "Escape") setLeft({ of, active, hidden: true });
    else if ((event.key === "Enter" || event.key === "Tab") && !event.shiftKey && taken) taken.take();
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  };
  return { active, setActive, hidden, onKey };
}
