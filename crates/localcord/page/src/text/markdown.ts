// Discord's markdown, as a tree. No library reads this dialect: timestamps, mentions, spoilers, sub-text, and neither
// HTML nor reference links.

export type TimeStyle = "t" | "T" | "d" | "D" | "f" | "F" | "R";

export type Inline =
  | { kind: "text"; text: string }
  | { kind: "code"; text: string }
  | { kind: "strong" | "em" | "u" | "s" | "spoiler"; children: Inline[] }
  | { kind: "link"; url: string; children: Inline[] }
  | { kind: "time"; at: number; style: TimeStyle }
  | { kind: "user" | "role" | "channel"; id: string }
  | { kind: "mention"; text: string }
  | { kind: "emoji"; name: string };

export type Block =
  | { kind: "text"; children: Inline[] }
  | { kind: "heading"; level: 1 | 2 | 3; children: Inline[] }
  | { kind: "subtext"; children: Inline[] }
  | { kind: "quote"; children: Block[] }
  | { kind: "list"; start: number | null; items: Block[][] }
  | { kind: "code"; language: string; text: string };

const FENCE = /```(?:([\w+-]+)\n)?([\s\S]*?)```/g;

export function parse(text: string): Block[] {
  const blocks: Block[] = [];
  let end = 0;
  for (const fence of text.matchAll(FENCE)) {
    if (fence[2]?.trim() === "") continue;
    blocks.push(...parseLines(text.slice(end, fence.index).replace(/\n$/, "")));
    blocks.push({ kind: "code", language: fence[1] ?? "", text: (fence[2] ?? "").replace(/^\n|\n$/g, "") });
    end = fence.index + fence[0].length;
  }
  const rest = text.slice(end);
  blocks.push(...parseLines(end > 0 ? rest.replace(/^\n/, "") : rest));
  return blocks;
}

const HEADING = /^(#{1,3}) +(.+)/;
const ITEM = /^( *)(?:[-*]|(\d{1,9})\.) +(.*)/;

function parseLines(text: string): Block[] {
  if (text === "") return [];
  const lines = text.split("\n");
  const blocks: Block[] = [];
  let plain: string[] = [];
  const flush = () => {
    if (plain.length > 0) blocks.push({ kind: "text", children: parseInline(plain.join("\n")) });
    plain = [];
  };
  while (lines.length > 0) {
    const line = lines[0] as string;
    const block = takeQuote(lines) ?? takeList(lines) ?? takeLine(line);
    if (!block) {
      plain.push(line);
      lines.shift();
      continue;
    }
    flush();
    if (block.kind === "heading" || block.kind === "subtext") lines.shift();
    blocks.push(block);
  }
  flush();
  return blocks;
}

function takeLine(line: string): Block | undefined {
  const heading = HEADING.exec(line);
  if (heading) {
    const level = heading[1]?.length as 1 | 2 | 3;
    return { kind: "heading", level, children: parseInline(heading[2] ?? "") };
  }
  if (/^-# +\S/.test(line)) return { kind: "subtext", children: parseInline(line.slice(2).trim()) };
  return undefined;
}

// `>>> ` quotes all that follows, `> ` its line.
function takeQuote(lines: string[]): Block | undefined {
  const first = lines[0] as string;
  if (first.startsWith(">>> ")) {
    const inside = lines.splice(0).join("\n").slice(4);
    return { kind: "quote", children: parseLines(inside) };
  }
  const quoted: string[] = [];
  while (lines[0]?.startsWith("> ") || (quoted.length > 0 && lines[0] === ">")) {
    quoted.push((lines.shift() as string).slice(2));
  }
  return quoted.length > 0 ? { kind: "quote", children: parseLines(quoted.join("\n")) } : undefined;
}

// Items of one depth; deeper ones become lists inside of the item before.
function takeList(lines: string[]): Block | undefined {
  const first = ITEM.exec(lines[0] as string);
  if (!first) return undefined;
  const depth = first[1]?.length ?? 0;
  const ordered = first[2] !== undefined;
  const items: Block[][] = [];
  for (let found = first as RegExpExecArray | null; found; found = ITEM.exec(lines[0] ?? "")) {
    const inner = found[1]?.length ?? 0;
    const last = items.at(-1);
    if (inner > depth && last) {
      const nested = takeList(lines);
      if (nested) last.push(nested);
      continue;
    }
    if (inner < depth || (found[2] !== undefined) !== ordered) break;
    lines.shift();
    items.push([{ kind: "text", children: parseInline(found[3] ?? "") }]);
  }
  return { kind: "list", start: ordered ? Number(first[2]) : null, items };
}

type Rule = [RegExp, (found: RegExpExecArray) => Inline];

const wrap = (kind: "strong" | "em" | "u" | "s" | "spoiler") => (found: RegExpExecArray) => ({
  kind,
  children: parseInline(found[1] ?? ""),
});
const linked = (url: string, text = url): Inline => ({ kind: "link", url, children: [{ kind: "text", text }] });
const about = (kind: "user" | "role" | "channel") => (found: RegExpExecArray) => ({ kind, id: found[1] ?? "" });

// Each stands at the start of what is left; the first that fits counts.
const RULES: Rule[] = [
  [/^\\([^\w\s])/, (found) => ({ kind: "text", text: found[1] ?? "" })],
  [/^``([\s\S]+?)``(?!`)/, (found) => ({ kind: "code", text: (found[1] ?? "").trim() })],
  [/^`([^`]+)`/, (found) => ({ kind: "code", text: found[1] ?? "" })],
  [/^\*\*([\s\S]+?)\*\*(?!\*)/, wrap("strong")],
  [/^__([\s\S]+?)__(?!_)/, wrap("u")],
  [/^~~([\s\S]+?)~~/, wrap("s")],
  [/^\|\|([\s\S]+?)\|\|/, wrap("spoiler")],
  [/^\*([^\s*](?:[\s\S]*?[^\s*])?)\*(?!\*)/, wrap("em")],
  [/^_([^\s_](?:[\s\S]*?[^_])?)_(?!\w)/, wrap("em")],
  [
    /^\[([^\]\n]+)\]\(<?(https?:\/\/[^\s)>]+)>?(?: "[^"]*")?\)/,
    (found) => ({ kind: "link", url: found[2] ?? "", children: parseInline(found[1] ?? "") }),
  ],
  [/^<(https?:\/\/[^\s>]+)>/, (found) => linked(found[1] ?? "")],
  [/^https?:\/\/[^\s<>]+[^\s<>.,:;"')\]*_|~`]/, (found) => linked(found[0])],
  [
    /^<t:(-?\d{1,13})(?::([tTdDfFR]))?>/,
    (found) => ({ kind: "time", at: Number(found[1]), style: (found[2] ?? "f") as TimeStyle }),
  ],
  [/^<@!?(\d+)>/, about("user")],
  [/^<@&(\d+)>/, about("role")],
  [/^<#(\d+)>/, about("channel")],
  [/^<(\/[^:>]+):\d+>/, (found) => ({ kind: "mention", text: found[1] ?? "" })],
  [/^<a?:(\w+):\d+>/, (found) => ({ kind: "emoji", name: found[1] ?? "" })],
  [/^@(?:everyone|here)\b/, (found) => ({ kind: "mention", text: found[0] })],
];

export function parseInline(text: string): Inline[] {
  const nodes: Inline[] = [];
  let plain = "";
  let at = 0;
  const flush = () => {
    if (plain !== "") nodes.push({ kind: "text", text: plain });
    plain = "";
  };
  while (at < text.length) {
    const rest = text.slice(at);
    // An underscore inside of a word is no emphasis: `tool_name_x`.
    const inWord = rest[0] === "_" && /\w$/.test(plain);
    const hit = inWord ? undefined : match(rest);
    if (!hit) {
      plain += rest[0];
      at += 1;
      continue;
    }
    const [length, node] = hit;
    if (node.kind === "text") plain += node.text;
    else {
      flush();
      nodes.push(node);
    }
    at += length;
  }
  flush();
  return nodes;
}

// No rule begins with a letter but the one for bare links.
const MARKS = /^[\\`*_~|[<@h]/;

function match(rest: string): [number, Inline] | undefined {
  if (!MARKS.test(rest)) return undefined;
  for (const [pattern, build] of RULES) {
    const found = pattern.exec(rest);
    if (found) return [found[0].length, build(found)];
  }
  return undefined;
}
