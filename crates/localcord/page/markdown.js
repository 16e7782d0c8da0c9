// Discord's markdown, as far as bots use it, into nodes.

import { el, link } from "./dom.js";

const BLOCKS = /```(?:([\w+-]*)\n)?([\s\S]*?)```/g;
const INLINE = [
  [/^\\([\\`*_~|<>#-])/, (found) => found[1]],
  [/^``([\s\S]+?)``|^`([^`]+)`/, (found) => el("code", {}, found[1] ?? found[2])],
  [/^\*\*([\s\S]+?)\*\*(?!\*)/, (found, names) => el("strong", {}, inline(found[1], names))],
  [/^__([\s\S]+?)__/, (found, names) => el("u", {}, inline(found[1], names))],
  [/^~~([\s\S]+?)~~/, (found, names) => el("s", {}, inline(found[1], names))],
  [/^\|\|([\s\S]+?)\|\|/, (found, names) => spoiler(inline(found[1], names))],
  [/^\*([^\s*][\s\S]*?)\*/, (found, names) => el("em", {}, inline(found[1], names))],
  [/^_([^\s_][\s\S]*?)_(?![a-zA-Z0-9])/, (found, names) => el("em", {}, inline(found[1], names))],
  [/^\[([^\]]+)\]\((https?:\/\/[^\s)]+)\)/, (found) => link(found[2], found[1])],
  [/^<(https?:\/\/[^\s>]+)>/, (found) => link(found[1], found[1])],
  [/^https?:\/\/[^\s<>]+[^\s<>.,:;"')\]]/, (found) => link(found[0], found[0])],
  [/^<t:(-?\d{1,13})(?::([tTdDfFR]))?>/, (found) => time(Number(found[1]), found[2] ?? "f")],
  [/^<@!?(\d+)>/, (found, names) => mention(`@${names.user(found[1])}`)],
  [/^<@&(\d+)>/, (found, names) => mention(`@${names.role(found[1])}`)],
  [/^<#(\d+)>/, (found, names) => mention(`#${names.channel(found[1])}`)],
  [/^<\/([^:>]+):\d+>/, (found) => mention(`/${found[1]}`)],
  [/^@(everyone|here)\b/, (found) => mention(found[0])],
];

export function markdown(text, names) {
  const nodes = [];
  let end = 0;
  for (const block of text.matchAll(BLOCKS)) {
    nodes.push(...lines(text.slice(end, block.index).replace(/\n$/, ""), names));
    nodes.push(el("pre", {}, el("code", {}, block[2].replace(/\n$/, ""))));
    end = block.index + block[0].length;
  }
  nodes.push(...lines(text.slice(end).replace(/^\n/, end > 0 ? "" : "\n"), names));
  return nodes;
}

function lines(text, names) {
  if (text === "") return [];
  return text.split("\n").map((line) => {
    const heading = /^(#{1,3}) +(.+)/.exec(line);
    if (heading) return el("div", { class: `h${heading[1].length}` }, inline(heading[2], names));
    if (line.startsWith("-# ")) return el("div", { class: "small" }, inline(line.slice(3), names));
    if (line.startsWith("> ")) return el("blockquote", {}, inline(line.slice(2), names));
    const item = /^( *)[-*] +(.+)/.exec(line);
    if (item) return el("div", { class: "item" }, "• ", inline(item[2], names));
    return el("div", {}, line === "" ? "\u00a0" : inline(line, names));
  });
}

export function inline(text, names) {
  const nodes = [];
  let plain = "";
  let rest = text;
  while (rest !== "") {
    const [found, build] = first(rest, plain);
    if (found) {
      if (plain) nodes.push(plain);
      plain = "";
      nodes.push(build(found, names));
      rest = rest.slice(found[0].length);
    } else {
      plain += rest[0];
      rest = rest.slice(1);
    }
  }
  if (plain) nodes.push(plain);
  return nodes.flat();
}

function first(rest, before) {
  for (const [pattern, build] of INLINE) {
    const found = pattern.exec(rest);
    // An underscore inside a word is no emphasis: `tool_name_x`.
    if (found && !(rest[0] === "_" && /[a-zA-Z0-9]$/.test(before))) return [found, build];
  }
  return [null, null];
}

function mention(text) {
  return el("span", { class: "mention" }, text);
}

function spoiler(nodes) {
  const node = el("span", { class: "spoiler", tabindex: "0", role: "button", "aria-label": "Spoiler" }, nodes);
  const show = () => node.classList.add("shown");
  node.addEventListener("click", show);
  node.addEventListener("keydown", (event) => event.key === "Enter" && show());
  return node;
}

const STYLES = {
  t: { timeStyle: "short" },
  T: { timeStyle: "medium" },
  d: { dateStyle: "short" },
  D: { dateStyle: "long" },
  f: { dateStyle: "long", timeStyle: "short" },
  F: { dateStyle: "full", timeStyle: "short" },
};
const UNITS = [["year", 31536000], ["month", 2592000], ["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

// localcord's clock can be turned on, so "now" is its own.
let ahead = 0;

export function setNow(milliseconds) {
  ahead = milliseconds - Date.now();
}

function time(seconds, style) {
  const node = el("time", { class: "stamp", "data-at": String(seconds), "data-style": style });
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return `<t:${seconds}>`;
  node.title = date.toLocaleString();
  node.dateTime = date.toISOString();
  write(node);
  return node;
}

function write(node) {
  const at = Number(node.dataset.at);
  const style = STYLES[node.dataset.style];
  node.textContent = style
    ? new Intl.DateTimeFormat(undefined, style).format(new Date(at * 1000))
    : relative(at - (Date.now() + ahead) / 1000);
}

function relative(seconds) {
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? UNITS.at(-1);
  return new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(Math.trunc(seconds / size), unit);
}

setInterval(() => document.querySelectorAll("time[data-style=R]").forEach(write), 1000);
