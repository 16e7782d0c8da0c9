// What stands in the composer: a line, or a command with the options filled in so far.

import type { Options } from "../api";
import { BOOLEAN, type Command, FILE, TEXT } from "../commands";
import type { Choice, File, Option } from "../types";

export interface Field {
  option: Option;
  text: string;
  // A choice that was picked, or a file; typing forgets it.
  picked?: Choice | { name: string; value: File };
}

export interface CommandDraft {
  command: Command;
  fields: Field[];
}

// Required options stand there from the start, as in Discord.
export function begin(command: Command): CommandDraft {
  const fields = command.options.filter((option) => option.required).map((option) => ({ option, text: "" }));
  return { command, fields };
}

export const missing = (draft: CommandDraft) =>
  draft.command.options.filter((option) => !draft.fields.some((field) => field.option.name === option.name));

export const isEmpty = (field: Field) => field.text.trim() === "";

export function change(draft: CommandDraft, name: string, text: string, picked?: Field["picked"]): CommandDraft {
  const changed = (field: Field): Field => ({ option: field.option, text, ...(picked && { picked }) });
  return { ...draft, fields: draft.fields.map((field) => (field.option.name === name ? changed(field) : field)) };
}

export function add(draft: CommandDraft, option: Option): CommandDraft {
  return { ...draft, fields: [...draft.fields, { option, text: "" }] };
}

export function remove(draft: CommandDraft, name: string): CommandDraft {
  return { ...draft, fields: draft.fields.filter((field) => field.option.name !== name) };
}

// What is sent; a picked choice stands for its value.
export function values(draft: CommandDraft, except?: string): Options {
  const filled = draft.fields.filter((field) => !isEmpty(field) && field.option.name !== except);
  return Object.fromEntries(
    filled.map(({ option, text, picked }) => [
      option.name,
      picked ? picked.value : option.type === TEXT ? text : text.trim(),
    ]),
  );
}

const TRUTH: Choice[] = [
  { name: "True", value: "true" },
  { name: "False", value: "false" },
];

// The choices that need no bot. `named` knows people, roles and channels.
export function known(option: Option, named: (type: number) => { name: string; value: string }[]): Choice[] {
  if (option.choices) return option.choices;
  if (option.type === BOOLEAN) return TRUTH;
  return option.type === FILE ? [] : named(option.type);
}

export function fitting(choices: Choice[], typed: string): Choice[] {
  const wanted = typed.trim().replace(/^[@#]/, "").toLowerCase();
  return choices.filter((choice) => choice.name.toLowerCase().includes(wanted)).slice(0, 25);
}

const KINDS: Record<number, string> = {
  4: "a whole number",
  5: "true or false",
  6: "a person",
  7: "a channel",
  8: "a role",
  9: "a person or a role",
  10: "a number",
  11: "a file",
};

export function hint(option: Option): string {
  const kind = KINDS[option.type];
  return kind ? `${option.description} (${kind})` : option.description;
}
