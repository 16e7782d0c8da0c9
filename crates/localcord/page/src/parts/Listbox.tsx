// A button that opens a list: for select menus, and to become somebody else. It is used by keyboard as a native select is.

import type { ComponentChildren } from "preact";
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Icon } from "./Icon";

export interface Item {
  value: string;
  label: string;
  note?: string | undefined;
  icon?: ComponentChildren;
  colour?: string | undefined;
}

interface Props {
  label: string;
  items: Item[];
  chosen: string[];
  // Several choices are told when the list closes.
  most: number;
  least?: number;
  disabled?: boolean;
  searchable?: boolean;
  class?: string;
  face: ComponentChildren;
  onChoose: (values: string[]) => void;
}

export function Listbox(props: Props) {
  const [open, setOpen] = useState(false);
  const [above, setAbove] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();

  const show = () => {
    const box = button.current?.getBoundingClientRect();
    setAbove(box !== undefined && box.bottom > innerHeight - 340);
    setOpen(true);
  };
  const close = (refocus: boolean) => {
    setOpen(false);
    if (refocus) button.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (open || !["ArrowDown", "ArrowUp"].includes(event.key)) return;
    event.preventDefault();
    show();
  };

  return (
    <div class={`listbox ${props.class ?? ""} ${above ? "above" : ""}`}>
      <button
        ref={button}
        type="button"
        class="listbox-face"
        aria-haspopup="listbox"
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        disabled={props.disabled}
        onClick={() => (open ? close(true) : show())}
        onKeyDown={onKeyDown}
      >
        <span class="face">
          {props.chosen.length > 0 && <span class="unseen">{props.label}: </span>}
          {props.face}
        </span>
        <Icon name="down" />
      </button>
      {open && <List {...props} id={id} onClose={close} />}
    </div>
  );
}

function List(props: Props & { id: string; onClose: (refocus: boolean) => void }) {
  const { id, label, items, most, least = 1 } = props;
  const several = most > 1;
  const [typed, setTyped] = useState("");
  const [chosen, setChosen] = useState(props.chosen);
  const found = items.filter((item) => item.label.toLowerCase().includes(typed.toLowerCase()));
  const [active, setActive] = useState(() =>
    Math.max(
      0,
      items.findIndex((item) => props.chosen.includes(item.value)),
    ),
  );
  const root = useRef<HTMLDivElement>(null);
  const focus = useRef<HTMLElement | null>(null);

  useLayoutEffect(() => focus.current?.focus(), []);
  useEffect(() => {
    root.current?.querySelector("[data-active]")?.scrollIntoView({ block: "nearest" });
  }, [active]);

  const leave = (refocus: boolean) => {
    props.onClose(refocus);
    const changed = chosen.join() !== props.chosen.join();
    if (several && changed && chosen.length >= least) props.onChoose(chosen);
  };
  const pick = (item: Item | undefined) => {
    if (!item) return;
    if (!several) {
      props.onClose(true);
      props.onChoose([item.value]);
      return;
    }
    const without = chosen.filter((value) => value !== item.value);
    if (without.length < chosen.length) setChosen(without);
    else if (chosen.length < most) setChosen([...chosen, item.value]);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const keys: Record<string, () => void> = {
      ArrowDown: () => setActive((active + 1) % Math.max(found.length, 1)),
      ArrowUp: () => setActive((active - 1 + found.length) % Math.max(found.length, 1)),
      Home: () => setActive(0),
      End: () => setActive(found.length - 1),
      Enter: () => pick(found[active]),
      Escape: () => leave(true),
    };
    if (!props.searchable) {
      keys[" "] = () => pick(found[active]);
    }
    if (event.key === "Tab") leave(false);
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  };
  const onFocusOut = (event: FocusEvent) => {
    if (!root.current?.parentElement?.contains(event.relatedTarget as Node)) leave(false);
  };
  const aria = {
    "aria-activedescendant": found[active] ? `${id}-${active}` : undefined,
    "aria-controls": id,
  };

  return (
    // The keys come from the field or the list inside.
    <div ref={root} class="listbox-popup" onKeyDown={onKeyDown} onFocusOut={onFocusOut}>
      {props.searchable && (
        <input
          ref={(node) => {
            focus.current = node;
          }}
          type="text"
          role="combobox"
          aria-expanded="true"
          aria-label={`Search: ${label}`}
          placeholder="Search"
          value={typed}
          onInput={(event) => {
            setTyped(event.currentTarget.value);
            setActive(0);
          }}
          {...aria}
        />
      )}
      <div
        ref={(node) => {
          if (!props.searchable) focus.current = node;
        }}
        id={id}
        class="listbox-items"
        role="listbox"
        tabIndex={props.searchable ? -1 : 0}
        aria-label={label}
        aria-multiselectable={several}
        aria-activedescendant={aria["aria-activedescendant"]}
      >
        {found.map((item, index) => (
          <div
            key={item.value}
            id={`${id}-${index}`}
            role="option"
            tabIndex={-1}
            class="listbox-item"
            aria-selected={chosen.includes(item.value)}
            data-active={index === active || undefined}
            onMouseDown={(event) => {
              event.preventDefault();
              pick(item);
            }}
            onMouseMove={() => setActive(index)}
          >
            {item.icon}
            <span class="listbox-label">
              <span style={{ color: item.colour }}>{item.label}</span>
              {item.note && <small>{item.note}</small>}
            </span>
            {several ? (
              <span class={chosen.includes(item.value) ? "box checked" : "box"}>
                {chosen.includes(item.value) && <Icon name="check" size={14} />}
              </span>
            ) : (
              chosen.includes(item.value) && <Icon name="check" size={18} />
            )}
          </div>
        ))}
      </div>
      {found.length === 0 && <p class="nothing">Nothing found.</p>}
    </div>
  );
}
