// One line for messages and commands. A command is typed as `/stop agent:scout reason:too loud`; commands, options,
// choices, names and the bot's own offers are completed by keyboard.

import { byId, el } from "./dom.js";

const SUB_COMMAND = 1;
const GROUP = 2;
const TEXT = 3;
const BOOLEAN = 5;
const FILE = 11;

// Every command with its sub-commands spelt out: `fleet create`.
export function flatten(commands) {
  const walk = (path, entry) => {
    const nested = (entry.options ?? []).filter((option) => option.type === SUB_COMMAND || option.type === GROUP);
    if (nested.length > 0) return nested.flatMap((option) => walk(`${path} ${option.name}`, option));
    return [{ name: path, description: entry.description, options: entry.options ?? [] }];
  };
  return commands.filter((command) => command.type === 1).flatMap((command) => walk(command.name, command));
}

// The command and the options in a line. `tail` is what stands after the last value that is complete: a picked
// choice, or one word where no text is expected. Free text goes on until the next option is named.
export function parse(line, commands, picked = new Map()) {
  if (!line.startsWith("/")) return null;
  const text = line.slice(1);
  const fits = (command) => text === command.name || text.startsWith(`${command.name} `);
  const command = commands.filter(fits).sort((a, b) => b.name.length - a.name.length)[0];
  if (!command) return { typed: text };
  const named = (name) => command.options.find((option) => option.name === name);
  const marks = [...text.matchAll(/(?<=\s)([^\s:]+):/g)].filter((mark) => named(mark[1]));
  const values = marks.map((mark, index) => {
    const start = mark.index + mark[0].length;
    const raw = text.slice(start, marks[index + 1]?.index ?? text.length);
    return { name: mark[1], start: start + 1, ...complete(raw, named(mark[1]), picked.get(mark[1])) };
  });
  const last = values.at(-1);
  return { command, values, tail: last ? last.tail : text.slice(command.name.length + 1).trimStart() };
}

// `tail` is null while the value may still go on.
function complete(raw, option, choice) {
  const text = raw.trimStart();
  if (choice && (text === choice.name || text.startsWith(`${choice.name} `))) {
    return { value: choice.name, tail: text === choice.name ? null : text.slice(choice.name.length + 1).trimStart() };
  }
  const word = /^(\S+)\s+(.*)$/s.exec(text);
  if (option.type !== TEXT && !option.choices && word) return { value: word[1], tail: word[2] };
  return { value: text.trim(), tail: null, ended: text.endsWith(" ") };
}

export class Composer {
  // `page` sends, autocompletes, and knows commands, people, roles and channels.
  constructor(page) {
    this.page = page;
    this.entry = byId("entry");
    this.list = byId("offers");
    this.hint = byId("hint");
    this.offers = [];
    this.active = -1;
    this.asked = 0;
    this.picked = new Map();
    this.entry.addEventListener("input", () => this.refresh());
    this.entry.addEventListener("keydown", (event) => this.onKey(event));
    this.entry.addEventListener("blur", () => setTimeout(() => this.show([]), 150));
    byId("file").addEventListener("change", (event) => this.takeFile(event.target.files[0]));
  }

  onKey(event) {
    const count = this.offers.length;
    if (event.key === "ArrowDown" && count) this.activate((this.active + 1) % count, event);
    else if (event.key === "ArrowUp" && count) this.activate(this.active > 0 ? this.active - 1 : count - 1, event);
    else if (event.key === "Tab" && count) this.accept(Math.max(this.active, 0), event);
    else if (event.key === "Escape") this.show([]);
    else if (event.key === "Enter" && this.active >= 0) this.accept(this.active, event);
    else if (event.key === "Enter") this.send(event);
  }

  activate(index, event) {
    event.preventDefault();
    this.active = index;
    this.draw();
  }

  accept(index, event) {
    event?.preventDefault();
    this.offers[index].take();
  }

  write(text) {
    this.entry.value = text;
    this.entry.focus();
    this.refresh();
  }

  // What can come next.
  refresh() {
    const line = parse(this.entry.value, this.page.commands(), this.picked);
    this.asked++;
    if (!line) return this.show([]);
    if (!line.command) return this.show(this.commandOffers(line.typed), 0);
    if (line.tail === null) return this.offerValues(line, line.values.at(-1));
    return this.offerOptions(line, line.tail, 0);
  }

  // The options that are left. One that is needed stands ready for Enter.
  offerOptions(line, typed, ready, hint = line.command.description) {
    const missing = line.command.options.filter((option) => !line.values.some((value) => value.name === option.name));
    const offers = missing.filter((option) => option.name.startsWith(typed.toLowerCase())).map((option) => this.optionOffer(option, typed));
    const needed = missing.some((option) => option.required) || typed !== "";
    this.show(offers, needed && offers.length > 0 ? ready : -1, hint);
  }

  commandOffers(typed) {
    const wanted = typed.trim().toLowerCase();
    const starts = (command) => command.name.startsWith(wanted);
    const found = this.page.commands().filter((command) => command.name.includes(wanted));
    found.sort((a, b) => starts(b) - starts(a) || a.name.localeCompare(b.name));
    return found.slice(0, 25).map((command) => ({
      label: `/${command.name}`,
      note: command.description,
      take: () => {
        this.picked.clear();
        this.write(`/${command.name} `);
      },
    }));
  }

  optionOffer(option, typed) {
    const take = () => {
      const before = this.entry.value.slice(0, this.entry.value.length - typed.length);
      this.write(`${before.replace(/\s*$/, " ")}${option.name}:`);
    };
    return { label: `${option.name}:`, note: `${option.description}${option.required ? " (required)" : ""}`, take };
  }

  async offerValues(line, last) {
    const option = line.command.options.find((option) => option.name === last.name);
    const hint = `${option.name}: ${option.description}`;
    const ask = this.asked;
    if (option.type === FILE) {
      const offer = { label: "Choose a file…", note: "", take: () => this.askFile(last) };
      return this.show(last.value ? [] : [offer], last.value ? -1 : 0, hint);
    }
    let choices = this.known(option);
    if (option.autocomplete) {
      choices = await this.page.autocomplete(line.command, this.options(line, last.name), last.name, last.value);
      if (ask !== this.asked) return;
    } else {
      choices = choices.filter((choice) => choice.name.toLowerCase().includes(last.value.toLowerCase()));
    }
    const offers = choices.slice(0, 25).map((choice) => ({
      label: choice.name,
      note: "",
      take: () => {
        this.picked.set(option.name, choice);
        this.write(`${this.entry.value.slice(0, last.start)}${choice.name} `);
      },
    }));
    if (choices.length === 0 && option.type === TEXT && !option.autocomplete && last.value) {
      // Text may end here: its last word may be the next option's name.
      return this.offerOptions(line, last.ended ? "" : (last.value.match(/(?<=\s)\S+$/)?.[0] ?? "\0"), -1, hint);
    }
    const exact = choices.some((choice) => choice.name === last.value);
    this.show(offers, exact || (option.type === TEXT && !last.value && !option.required) || offers.length === 0 ? -1 : 0, hint);
  }

  known(option) {
    if (option.choices) return option.choices;
    if (option.type === BOOLEAN) return [true, false].map((value) => ({ name: String(value), value }));
    return this.page.named(option.type);
  }

  askFile(last) {
    this.filing = last;
    byId("file").click();
  }

  async takeFile(file) {
    if (!file) return;
    const bytes = new Uint8Array(await file.arrayBuffer());
    let binary = "";
    for (const byte of bytes) binary += String.fromCharCode(byte);
    this.picked.set(this.filing.name, { name: file.name, value: { name: file.name, base64: btoa(binary) } });
    byId("file").value = "";
    this.write(`${this.entry.value.slice(0, this.filing.start)}${file.name} `);
  }

  // What was typed, by option; a picked choice stands for its value.
  options(line, except) {
    const filled = line.values.filter((value) => value.name !== except && value.value !== "");
    return Object.fromEntries(filled.map(({ name, value }) => {
      const picked = this.picked.get(name);
      return [name, picked?.name === value ? picked.value : value];
    }));
  }

  async send(event) {
    event.preventDefault();
    const text = this.entry.value.trim();
    if (text === "") return;
    const line = parse(this.entry.value, this.page.commands(), this.picked);
    const done = line?.command ? this.page.slash(line.command, this.options(line)) : this.page.say(text);
    this.show([]);
    this.entry.value = "";
    if (!(await done) && this.entry.value === "") this.entry.value = text;
  }

  show(offers, active = -1, hint = "") {
    this.offers = offers;
    this.active = active;
    this.hint.hidden = hint === "";
    this.hint.textContent = hint;
    this.draw();
  }

  draw() {
    this.list.hidden = this.offers.length === 0;
    this.entry.setAttribute("aria-expanded", String(this.offers.length > 0));
    this.list.replaceChildren(...this.offers.map((offer, index) => {
      const node = el("li", { role: "option", id: `offer-${index}`, "aria-selected": String(index === this.active) }, el("b", {}, offer.label), el("span", {}, offer.note));
      node.addEventListener("mousedown", (event) => this.accept(index, event));
      return node;
    }));
    const selected = this.list.children[this.active];
    if (selected) {
      selected.scrollIntoView({ block: "nearest" });
      this.entry.setAttribute("aria-activedescendant", selected.id);
    } else {
      this.entry.removeAttribute("aria-activedescendant");
    }
  }
}
