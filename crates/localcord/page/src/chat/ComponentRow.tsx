import { useState } from "preact/hooks";
import { Icon } from "../parts/Icon";
import { type Item, Listbox } from "../parts/Listbox";
import { choose, named, press } from "../store";
import type { Button, Emoji, Message, Row, Select } from "../types";

const STYLES: Record<number, string> = { 1: "primary", 2: "secondary", 3: "success", 4: "danger" };
const BUTTON = 2;
const LINK = 5;
const STRING = 3;

export function ComponentRow({ message, row }: { message: Message; row: Row<Button | Select> }) {
  return (
    <div class="row">
      {(row.components ?? []).map((part) =>
        part.type === BUTTON ? (
          <ButtonItem key={part.custom_id ?? part.url} message={message} button={part} />
        ) : (
          <SelectItem key={part.custom_id} message={message} select={part} />
        ),
      )}
    </div>
  );
}

const symbol = (emoji: Emoji | undefined) => emoji?.name && (emoji.id ? `:${emoji.name}:` : emoji.name);

function ButtonItem({ message, button }: { message: Message; button: Button }) {
  const [busy, setBusy] = useState(false);
  const face = (
    <>
      {button.emoji && <span>{symbol(button.emoji)}</span>}
      {button.label}
    </>
  );
  if (button.style === LINK) {
    return (
      <a class="button secondary" href={button.url} target="_blank" rel="noreferrer noopener">
        {face} <Icon name="external" size={16} />
      </a>
    );
  }
  const onClick = async () => {
    setBusy(true);
    await press(message, button.custom_id);
    setBusy(false);
  };
  return (
    <button
      type="button"
      class={`button ${STYLES[button.style] ?? "secondary"} ${busy ? "busy" : ""}`}
      disabled={button.disabled}
      aria-busy={busy}
      onClick={busy ? undefined : onClick}
    >
      {face}
    </button>
  );
}

function items(select: Select): Item[] {
  if (select.type === STRING) {
    return (select.options ?? []).map((option) => ({
      value: option.value,
      label: option.label,
      note: option.description,
      icon: option.emoji && <span>{symbol(option.emoji)}</span>,
    }));
  }
  const kind = { 5: 6, 6: 8, 7: 9, 8: 7 }[select.type];
  return named(kind).map((one) => ({ value: one.value, label: sign(one.note) + one.name, colour: one.colour }));
}

const sign = (kind: string | undefined) => (kind === "channel" ? "# " : "@");

function preset(select: Select): string[] {
  if (select.type !== STRING) return (select.default_values ?? []).map((one) => one.id);
  return (select.options ?? []).filter((option) => option.default).map((option) => option.value);
}

function SelectItem({ message, select }: { message: Message; select: Select }) {
  const [pending, setPending] = useState<string[] | null>(null);
  const all = items(select);
  const chosen = pending ?? preset(select);
  const labels = all.filter((item) => chosen.includes(item.value)).map((item) => item.label);
  const label = select.placeholder || "Make a selection";
  const onChoose = async (values: string[]) => {
    setPending(values);
    await choose(message, select.custom_id, values);
    setPending(null);
  };
  return (
    <Listbox
      class="select"
      label={label}
      items={all}
      chosen={chosen}
      most={select.max_values ?? 1}
      least={select.min_values ?? 1}
      disabled={select.disabled === true}
      searchable={select.type !== STRING}
      face={labels.length > 0 ? <span>{labels.join(", ")}</span> : <span class="placeholder">{label}</span>}
      onChoose={onChoose}
    />
  );
}
