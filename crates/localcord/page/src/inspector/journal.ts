// What passed between the bot and Discord, as localcord's journal tells it.

import { computed, signal } from "@preact/signals";
import { listen } from "../api";
import { label } from "../store";
import { now, seconds } from "../text/clock";
import type { Id } from "../types";

const KEPT = 1000;
export const DEADLINE_MS = 3000;

export interface Limit {
  bucket: string;
  limit: number;
  remaining: number;
  resets_at: number;
  refused: "global" | "user" | null;
}

interface Base {
  number: number;
  at: number;
}

export interface Call extends Base {
  kind: "call";
  method: string;
  path: string;
  status: number;
  took_ms: number;
  cut: boolean;
  request: unknown;
  response: unknown;
  fault: string | null;
  limit: Limit | null;
  answers: { interaction: Id; after_ms: number } | null;
  violations: string[] | null;
}

export interface Payload {
  op: number;
  t?: string | null;
  s?: number | null;
  d?: unknown;
}

export interface Frame extends Base {
  kind: "sent" | "received";
  payload: Payload;
  violations?: string[] | null;
}

export interface Line extends Base {
  kind: "connected" | "disconnected";
  code?: number | null;
}

export type Entry = Call | Frame | Line;

export const entries = signal<Entry[]>([]);
export const paused = signal(false);
export const live = signal(false);

let seen = 0;
let waiting: Entry[] = [];

// Follows the journal; the returned function ends it.
export function follow(): () => void {
  return listen<Entry[]>(
    () => `/ws/journal?after=${seen}`,
    (news) => {
      seen = news.at(-1)?.number ?? seen;
      waiting = [...waiting, ...news].slice(-KEPT);
      if (!paused.value) show();
    },
    (open) => {
      live.value = open;
    },
  );
}

function show() {
  // A call is told of when it is done; it stands where it began.
  const all = [...entries.value, ...waiting].sort((a, b) => a.at - b.at || a.number - b.number);
  entries.value = all.slice(-KEPT);
  waiting = [];
}

export function setPaused(value: boolean) {
  paused.value = value;
  if (!value) show();
}

export function clear() {
  entries.value = [];
}

// The calls that answered interactions, by interaction. The first that was taken counts.
const answers = computed(() => {
  const found = new Map<Id, Call>();
  for (const entry of entries.value) {
    if (entry.kind !== "call" || !entry.answers) continue;
    const before = found.get(entry.answers.interaction);
    if (!before || (before.status >= 400 && entry.status < 400)) found.set(entry.answers.interaction, entry);
  }
  return found;
});

export type Deadline = { state: "met" | "waiting" | "missed"; ms: number };

// How an interaction stands against the three seconds it may wait.
export function deadline(entry: Entry): Deadline | undefined {
  if (entry.kind === "call") {
    if (!entry.answers) return undefined;
    return { state: entry.status < 400 ? "met" : "missed", ms: entry.answers.after_ms };
  }
  const id = interactionId(entry);
  if (!id) return undefined;
  const answer = answers.value.get(id);
  if (answer?.answers && answer.status < 400) return { state: "met", ms: answer.answers.after_ms };
  const waited = now() - entry.at;
  if (waited > DEADLINE_MS) return { state: "missed", ms: waited };
  // Read, so that whoever shows it looks again.
  void seconds.value;
  return { state: "waiting", ms: Math.max(waited, 0) };
}

const record = (value: unknown) => (value && typeof value === "object" ? (value as Record<string, unknown>) : {});

export function interactionId(entry: Entry): Id | undefined {
  if (entry.kind !== "sent" || entry.payload.t !== "INTERACTION_CREATE") return undefined;
  return String(record(entry.payload.d).id);
}

const OPS: Record<number, string> = {
  1: "Heartbeat",
  2: "Identify",
  3: "Presence update",
  4: "Voice state update",
  6: "Resume",
  7: "Reconnect",
  8: "Request guild members",
  9: "Invalid session",
  10: "Hello",
  11: "Heartbeat ACK",
};

const ACTIONS: Record<number, string> = { 2: "command", 3: "component", 4: "autocomplete", 5: "modal" };

const isLine = (entry: Entry): entry is Line => entry.kind === "connected" || entry.kind === "disconnected";

// Names in place of the ids that have one, the ends of the others.
const readable = (path: string) => path.replace(/\d{5,}/g, (id) => label(id) ?? `…${id.slice(-4)}`);

// What an entry is called in the list.
export function title(entry: Entry): string {
  if (entry.kind === "call") return readable(entry.path);
  if (isLine(entry)) {
    if (entry.kind === "connected") return "The bot's gateway connection opened";
    return entry.code ? `Closed by localcord with ${entry.code}` : "The gateway connection ended";
  }
  return entry.payload.t ?? OPS[entry.payload.op] ?? `Opcode ${entry.payload.op}`;
}

// What an event is about, in a few words.
export function about(entry: Entry): string {
  if (entry.kind !== "sent") return "";
  const d = record(entry.payload.d);
  if (entry.payload.t === "INTERACTION_CREATE") {
    const data = record(d.data);
    const user = record(record(d.member).user ?? d.user);
    const name = typeof data.name === "string" ? `/${data.name}` : String(data.custom_id ?? "");
    return `${ACTIONS[Number(d.type)] ?? "ping"} ${name} by ${user.username}`;
  }
  if (entry.payload.t?.startsWith("MESSAGE_")) return String(d.content ?? "").split("\n")[0] ?? "";
  return "";
}

export const isHeartbeat = (entry: Entry) =>
  (entry.kind === "sent" && entry.payload.op === 11) || (entry.kind === "received" && entry.payload.op === 1);

export function isProblem(entry: Entry): boolean {
  if ((entry.kind === "call" || entry.kind === "sent") && (entry.violations?.length ?? 0) > 0) return true;
  if (deadline(entry)?.state === "missed") return true;
  if (entry.kind === "call") return entry.status >= 400 || entry.cut || entry.fault !== null;
  return entry.kind === "disconnected" || (entry.kind === "sent" && [7, 9].includes(entry.payload.op));
}

export interface Bucket extends Limit {
  route: string;
  calls: number;
  refusals: number;
}

// Names where they have one; calls that share a bucket look the same then.
const template = (call: Call) => `${call.method} ${call.path.replace(/\d{5,}/g, (id) => label(id) ?? "{id}")}`;

// The rate limits as the last call of each bucket found them.
export const buckets = computed(() => {
  const found = new Map<string, Bucket>();
  for (const entry of entries.value) {
    if (entry.kind !== "call" || !entry.limit) continue;
    const route = template(entry);
    const before = found.get(route);
    found.set(route, {
      ...entry.limit,
      route,
      calls: (before?.calls ?? 0) + 1,
      refusals: (before?.refusals ?? 0) + (entry.status === 429 ? 1 : 0),
    });
  }
  return [...found.values()];
});
