// A command and its options, each in a field of its own. By keyboard: Enter or Tab takes what is offered and goes on,
// Enter sends when nothing is missing, Backspace in an empty field goes back, Escape lets go of the command.

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { FILE } from "../commands";
import { Icon } from "../parts/Icon";
import { bot, slash } from "../store";
import type { Choice, Option, File as Upload } from "../types";
import { add, type CommandDraft, change, type Field, hint, isEmpty, missing, remove, values } from "./draft";
import { type Offer, Offers, offerId } from "./Offers";
import { useChoices } from "./useChoices";
import { useOffers } from "./useOffers";

const LIST = "command-offers";
// Where the focus is: in an option's field, or behind them all.
const REST = "";

interface Props {
  draft: CommandDraft;
  onChange: (draft: CommandDraft) => void;
  onLeave: (rest: string) => void;
}

export function CommandLine({ draft, onChange, onLeave }: Props) {
  const [at, setAt] = useState(draft.fields[0]?.option.name ?? REST);
  const [rest, setRest] = useState("");
  const [wanting, setWanting] = useState<string[]>([]);
  const line = useRef<HTMLDivElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const field = draft.fields.find((one) => one.option.name === at);
  const { choices, note } = useChoices(draft, field);

  // A field that was just added is focused too.
  useLayoutEffect(() => {
    line.current?.querySelector<HTMLInputElement>(`[data-field="${at}"]`)?.focus();
  }, [at, draft.fields.length]);

  const goOn = (after: string, now: CommandDraft) => {
    const next = now.fields.find((one) => one.option.name !== after && isEmpty(one));
    setAt(next?.option.name ?? REST);
  };
  const take = (option: Option, choice: Choice | { name: string; value: Upload }) => {
    const next = change(draft, option.name, choice.name, choice);
    onChange(next);
    goOn(option.name, next);
  };
  const addOption = (option: Option) => {
    setRest("");
    onChange(add(draft, option));
    setAt(option.name);
  };

  const offers = field
    ? fieldOffers(field, choices, take, () => picker.current?.click())
    : optionOffers(draft, rest, addOption);
  const exact = choices.some((choice) => choice.name === field?.text);
  const ready = field ? !exact && (!isEmpty(field) || field.option.required === true) : rest !== "";
  const list = useOffers(offers, offers.length > 0 && ready ? 0 : -1);
  const open = offers.length > 0 && !list.hidden;
  // What belongs to no option is never dropped: it stands there until it is something.
  const stray = !field && offers.length === 0 ? rest.trim() : "";
  const strayNote = stray && `“${stray}” is no option of /${draft.command.name}`;

  const send = async () => {
    if (rest.trim() !== "") {
      setAt(REST);
      return;
    }
    const empty = draft.fields.filter((one) => one.option.required && isEmpty(one)).map((one) => one.option.name);
    setWanting(empty);
    if (empty[0] !== undefined) {
      setAt(empty[0]);
      return;
    }
    onLeave("");
    if (!(await slash(draft.command, values(draft)))) onChange(draft);
  };
  const back = () => {
    const index = draft.fields.findIndex((one) => one.option.name === at);
    const before = draft.fields[(index < 0 ? draft.fields.length : index) - 1];
    if (field && !field.option.required) onChange(remove(draft, at));
    if (before) setAt(before.option.name);
    else onLeave(`/${draft.command.name}`);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.isComposing || list.onKey(event)) return;
    const empty = field ? isEmpty(field) : rest === "";
    if (event.key === "Enter") send();
    else if (event.key === "Escape") onLeave("");
    else if (event.key === "Backspace" && empty) back();
    else return;
    event.preventDefault();
  };
  const onRest = (typed: string) => {
    const option = missing(draft).find((one) => typed.trim() === `${one.name}:`);
    if (option) addOption(option);
    else setRest(typed);
  };
  const takeFile = async (file: File | undefined) => {
    if (file && field) take(field.option, { name: file.name, value: { name: file.name, base64: await base64(file) } });
  };
  const aria = {
    role: "combobox" as const,
    "aria-autocomplete": "list" as const,
    "aria-expanded": open,
    "aria-controls": open ? LIST : undefined,
    "aria-activedescendant": open && list.active >= 0 ? offerId(LIST, list.active) : undefined,
  };

  return (
    <>
      {open || field || note || stray ? (
        <Offers
          id={LIST}
          title={field ? `${field.option.name} — ${hint(field.option)}` : `Options of /${draft.command.name}`}
          offers={open ? offers : []}
          active={list.active}
          note={strayNote || note}
          onHover={list.setActive}
        />
      ) : null}
      {/* The keys come from the fields inside. */}
      <div class="entry command" ref={line} onKeyDown={onKeyDown}>
        <span class="command-name">/{draft.command.name}</span>
        {draft.fields.map((one) => (
          <label
            key={one.option.name}
            class={wanting.includes(one.option.name) && isEmpty(one) ? "pill wanting" : "pill"}
          >
            <span>{one.option.name}</span>
            <input
              type="text"
              data-field={one.option.name}
              value={one.text}
              size={Math.max(4, one.text.length)}
              readOnly={one.option.type === FILE}
              autocomplete="off"
              spellcheck={false}
              aria-label={`${one.option.name}: ${hint(one.option)}${one.option.required ? ", required" : ""}`}
              aria-invalid={wanting.includes(one.option.name) && isEmpty(one)}
              onFocus={() => setAt(one.option.name)}
              onInput={(event) => onChange(change(draft, one.option.name, event.currentTarget.value))}
              {...aria}
            />
          </label>
        ))}
        <input
          class="rest"
          type="text"
          data-field={REST}
          value={rest}
          autocomplete="off"
          spellcheck={false}
          placeholder={missing(draft).length > 0 ? `+${missing(draft).length} optional` : ""}
          aria-label={`Further options of ${draft.command.name}; Enter sends`}
          aria-invalid={stray !== ""}
          onFocus={() => setAt(REST)}
          onInput={(event) => onRest(event.currentTarget.value)}
          {...aria}
        />
        <button
          type="button"
          class="icon-button send"
          aria-label={`Send /${draft.command.name} to ${bot.value.name}`}
          onClick={send}
        >
          <Icon name="right" />
        </button>
        <input
          ref={picker}
          type="file"
          hidden
          aria-label={field ? `File for ${field.option.name}` : "File"}
          onChange={(event) => takeFile(event.currentTarget.files?.[0])}
        />
      </div>
    </>
  );
}

function fieldOffers(
  field: Field,
  choices: Choice[],
  take: (option: Option, choice: Choice) => void,
  browse: () => void,
): Offer[] {
  if (field.option.type === FILE && isEmpty(field)) {
    return [{ key: "browse", label: "Choose a file…", icon: <Icon name="file" />, take: browse }];
  }
  return choices.map((choice) => ({
    key: String(choice.value),
    label: choice.name,
    take: () => take(field.option, choice),
  }));
}

function optionOffers(draft: CommandDraft, typed: string, addOption: (option: Option) => void): Offer[] {
  const wanted = typed.trim().toLowerCase();
  return missing(draft)
    .filter((option) => option.name.startsWith(wanted))
    .map((option) => ({
      key: option.name,
      label: option.name,
      note: option.description,
      take: () => addOption(option),
    }));
}

async function base64(file: File): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}
