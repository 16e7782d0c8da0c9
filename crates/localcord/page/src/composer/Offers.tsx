// The list above the composer: commands, options, choices, names. The keyboard stays in the field.

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

export interface Offer {
  key: string;
  label: string;
  note?: string | undefined;
  colour?: string | undefined;
  icon?: ComponentChildren;
  take: () => void;
}

interface Props {
  id: string;
  title: string;
  offers: Offer[];
  active: number;
  note?: string;
  onHover: (index: number) => void;
}

export const offerId = (id: string, index: number) => `${id}-${index}`;

export function Offers({ id, title, offers, active, note, onHover }: Props) {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [active, offers]);
  return (
    <div class="offers">
      <div class="offers-title">{title}</div>
      <div ref={list} id={id} role="listbox" aria-label={title} class="offers-items">
        {offers.map((offer, index) => (
          <div
            key={offer.key}
            id={offerId(id, index)}
            role="option"
            tabIndex={-1}
            class="offer"
            aria-selected={index === active}
            onMouseMove={() => onHover(index)}
            onMouseDown={(event) => {
              // The field keeps the focus.
              event.preventDefault();
              offer.take();
            }}
          >
            {offer.icon}
            <span class="offer-label" style={{ color: offer.colour }}>
              {offer.label}
            </span>
            {offer.note && <span class="offer-note">{offer.note}</span>}
          </div>
        ))}
      </div>
      {note && <p class="offers-note">{note}</p>}
    </div>
  );
}
