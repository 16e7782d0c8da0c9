// Commands as people choose them: every sub-command by its full name, `fleet create`.

import type { Option, RegisteredCommand } from "./types";

export const SUB_COMMAND = 1;
export const GROUP = 2;
export const TEXT = 3;
export const BOOLEAN = 5;
export const FILE = 11;

const CHAT_INPUT = 1;

export interface Command {
  name: string;
  description: string;
  options: Option[];
}

const isNested = (option: Option) => option.type === SUB_COMMAND || option.type === GROUP;

export function flatten(commands: RegisteredCommand[]): Command[] {
  return commands.filter((command) => command.type === CHAT_INPUT).flatMap((command) => leaves(command.name, command));
}

function leaves(name: string, entry: { description: string; options?: Option[] }): Command[] {
  const options = entry.options ?? [];
  const nested = options.filter(isNested);
  if (nested.length === 0) return [{ name, description: entry.description, options }];
  return nested.flatMap((option) => leaves(`${name} ${option.name}`, option));
}

// Those that fit what was typed, best first.
export function matching(commands: Command[], typed: string): Command[] {
  const wanted = typed.trim().toLowerCase();
  const rank = (command: Command) => (command.name.startsWith(wanted) ? 0 : 1);
  return commands
    .filter((command) => command.name.includes(wanted))
    .sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
}
