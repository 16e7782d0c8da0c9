// Who you are, where you are, what you see there.

import { batch, computed, signal } from "@preact/signals";
import * as api from "./api";
import { type Command, flatten } from "./commands";
import { setNow } from "./text/clock";
import type { Channel, Guild, Id, Message, Modal, Person, Reply, Role, Thread, World } from "./types";

export const world = signal<World | null>(null);
export const person = signal("");
export const channelId = signal<Id>("");
export const messages = signal<Message[]>([]);
export const commands = signal<Command[]>([]);

const STEP = 100;
const depth = signal(STEP);
// Whether there may be older messages than those that were asked for.
export const hasOlder = computed(() => messages.value.length >= depth.value);
export const online = signal(true);
// Whether there is something to show.
export const ready = signal(false);
export const failure = signal("");

// Ephemeral messages that were dismissed; localcord keeps them, and this window remembers.
const DISMISSED = "dismissed";
const dismissed = signal(new Set<Id>(JSON.parse(sessionStorage.getItem(DISMISSED) ?? "[]")));
export const shown = computed(() => messages.value.filter((message) => !dismissed.value.has(message.id)));

// The message that the next line replies to.
export const replyingTo = signal<Message | null>(null);

// What was pressed and came to nothing, by message.
export const failed = signal(new Map<Id, string>());
export const sending = signal<string[]>([]);
export const notices = signal<{ number: number; text: string }[]>([]);
export const modal = signal<{ modal: Modal; interaction: Id } | null>(null);

export type Side = "members" | "inspector" | null;
const wide = () => matchMedia("(min-width: 1000px)").matches;
export const side = signal<Side>(wide() ? "members" : null);
export const drawer = signal(false);

export const people = computed(() => world.value?.people ?? []);
export const bot = computed(() => world.value?.bot ?? { id: "", name: "the bot" });
export const me = computed(() => people.value.find((one) => one.name === person.value));

const places = (one: Guild): Channel[] => [...one.channels, ...one.threads];

export const guild = computed<Guild | undefined>(() =>
  world.value?.guilds.find((one) => places(one).some((place) => place.id === channelId.value)),
);
export const channel = computed<Channel | undefined>(() =>
  guild.value ? places(guild.value).find((one) => one.id === channelId.value) : undefined,
);
export const thread = computed<Thread | undefined>(() =>
  guild.value?.threads.find((one) => one.id === channelId.value),
);
export const mayWrite = computed(() => channel.value?.written_by.includes(person.value) ?? true);

const viewer = (): api.Viewer => ({ as: person.value, channel: channelId.value });

export const isMember = (place: Guild, who: Person) => place.members.some((member) => member.id === who.id);
const sees = (place: Channel) => place.seen_by.includes(person.value);
export const visible = (place: Guild) => place.channels.filter(sees);

// The threads of a channel that go on, and the one that is looked at.
export const threadsOf = (place: Guild, parent: Id) =>
  place.threads.filter((one) => one.parent === parent && sees(one) && (!one.archived || one.id === channelId.value));

export const threadOf = (message: Message) => guild.value?.threads.find((one) => one.id === message.id && sees(one));

const home = () => guild.value ?? world.value?.guilds[0];
const rolesOf = (id: Id, place = home()) => place?.members.find((member) => member.id === id)?.roles ?? [];

// Whether a message calls whoever looks at it: by name, by a role, or with everybody.
export function mentionsMe(message: Message): boolean {
  const id = me.value?.id ?? "";
  const roles = rolesOf(id);
  const named = message.mentions.some((user) => user.id === id);
  return message.mention_everyone || named || message.mention_roles.some((role) => roles.includes(role));
}

// A member's coloured role; the highest counts.
export function topRole(id: Id, place = home()): Role | undefined {
  const held = rolesOf(id, place);
  const coloured = place?.roles.filter((role) => held.includes(role.id) && role.color !== 0) ?? [];
  return coloured.sort((a, b) => b.position - a.position)[0];
}

export const css = (colour: number | undefined) => (colour ? `#${colour.toString(16).padStart(6, "0")}` : undefined);
export const colourOf = (id: Id) => css(topRole(id)?.color);

const bare = (name: string) => name.replace(/^@/, "");

export const names = {
  user: (id: Id) => [...people.value, bot.value].find((user) => user.id === id)?.name ?? "unknown-user",
  role: (id: Id) =>
    world.value?.guilds.flatMap((one) => one.roles).find((role) => role.id === id) ?? {
      name: "deleted-role",
      color: 0,
    },
  channel: (id: Id) => world.value?.guilds.flatMap(places).find((one) => one.id === id)?.name ?? "unknown",
};

// A name for an id of any kind, if it has one.
export function label(id: Id): string | undefined {
  const users = [...people.value, bot.value];
  const guilds = world.value?.guilds ?? [];
  const channel = guilds.flatMap(places).find((one) => one.id === id);
  if (channel) return `#${channel.name}`;
  const direct = people.value.find((one) => one.dm === id);
  if (direct) return `@${direct.name}`;
  return [...users, ...guilds].find((one) => one.id === id)?.name;
}

export interface Named {
  name: string;
  value: Id;
  note?: string;
  colour?: string | undefined;
}

// What an option or a select of this type may name here: users 6, channels 7, roles 8, both 9.
export function named(type: number): Named[] {
  const users = [...people.value.filter((one) => !guild.value || isMember(guild.value, one)), bot.value].map((one) => ({
    name: one.name,
    value: one.id,
    note: "user",
    colour: colourOf(one.id),
  }));
  const roles = (guild.value?.roles ?? []).map((role) => ({
    name: bare(role.name),
    value: role.id,
    note: "role",
    colour: css(role.color),
  }));
  const channels = guild.value
    ? visible(guild.value).map((one) => ({ name: one.name, value: one.id, note: "channel" }))
    : [];
  return { 6: users, 7: channels, 8: roles, 9: [...users, ...roles] }[type] ?? [];
}

let noticed = 0;
export function notify(text: string) {
  const number = ++noticed;
  notices.value = [...notices.value, { number, text }];
}
export const unnotify = (number: number) => {
  notices.value = notices.value.filter((notice) => notice.number !== number);
};

export const dismiss = (id: Id) => {
  dismissed.value = new Set([...dismissed.value, id]);
  sessionStorage.setItem(DISMISSED, JSON.stringify([...dismissed.value]));
};

// Looks at the bot's answer; says whether the person's draft is done with.
function receive(reply: Reply): boolean {
  if (reply.answer === "modal" && reply.modal) {
    modal.value = { modal: reply.modal, interaction: reply.interaction };
  }
  return reply.answer !== "failed";
}

export async function slash(command: Command, options: api.Options): Promise<boolean> {
  const line = `/${command.name}`;
  sending.value = [...sending.value, line];
  try {
    if (!receive(await api.slash(viewer(), command.name, options))) {
      notify(`${line}: the application did not respond.`);
    }
    return true;
  } catch (error) {
    notify(text(error));
    return false;
  } finally {
    const rest = [...sending.value];
    rest.splice(rest.indexOf(line), 1);
    sending.value = rest;
  }
}

export async function autocomplete(command: Command, options: api.Options, focus: string, typed: string) {
  const reply = await api.autocomplete(viewer(), command.name, options, focus, typed);
  if (reply.answer === "failed") throw new Error("Loading options failed");
  return reply.choices ?? [];
}

export async function say(line: string): Promise<boolean> {
  try {
    await api.say(viewer(), withIds(line), replyingTo.value?.id);
    replyingTo.value = null;
    return true;
  } catch (error) {
    notify(text(error));
    return false;
  }
}

// People write `@olga` and `#ops`; Discord's client sends their ids.
function withIds(line: string): string {
  const mark = (sign: string, form: (id: Id) => string, all: Named[]) => (so_far: string) =>
    all
      .toSorted((a, b) => b.name.length - a.name.length)
      .reduce(
        (now, one) => now.replaceAll(new RegExp(`(?<![\\w<])${sign}${escaped(one.name)}(?!\\w)`, "g"), form(one.value)),
        so_far,
      );
  const roles = named(8).filter((role) => role.name !== "everyone");
  return [
    mark("@", (id) => `<@${id}>`, named(6)),
    mark("@", (id) => `<@&${id}>`, roles),
    mark("#", (id) => `<#${id}>`, named(7)),
  ].reduce((now, change) => change(now), line);
}

const escaped = (name: string) => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

// Starts a thread from a message, and goes there.
export async function startThread(message: Message, name: string) {
  const { thread } = await api.startThread(viewer(), message.id, name);
  await refresh();
  go(thread);
}

export async function archive(place: Thread, archived: boolean) {
  try {
    await api.archiveThread(viewer(), place.id, archived);
  } catch (error) {
    notify(text(error));
  }
}

export const press = (message: Message, button: string) =>
  onMessage(message, () => api.press(viewer(), message.id, button));

export const choose = (message: Message, select: string, values: string[]) =>
  onMessage(message, () => api.choose(viewer(), message.id, select, values));

async function onMessage(message: Message, act: () => Promise<Reply>) {
  setFailed(message.id, undefined);
  try {
    if (!receive(await act())) setFailed(message.id, "This interaction failed");
  } catch (error) {
    setFailed(message.id, text(error));
  }
}

function setFailed(id: Id, why: string | undefined) {
  const next = new Map(failed.value);
  if (why) next.set(id, why);
  else next.delete(id);
  failed.value = next;
}

export async function submit(values: Record<string, string>) {
  if (!modal.value) return;
  if (!receive(await api.submit(modal.value.interaction, values))) {
    throw new Error("Something went wrong. Try again.");
  }
  modal.value = null;
}

let running = false;
let again = false;

// One look at a time; changes meanwhile lead to one more.
export async function refresh() {
  again = true;
  if (running) return;
  running = true;
  while (again) {
    again = false;
    await look();
  }
  running = false;
}

async function look() {
  const at = viewer();
  try {
    const [offered, seen, all] = await Promise.all([api.commands(at), api.messages(at, depth.value), api.world()]);
    if (at.as !== person.value || at.channel !== channelId.value) return;
    batch(() => {
      commands.value = flatten(offered);
      messages.value = merged(seen);
      world.value = all;
      failure.value = "";
    });
  } catch (error) {
    failure.value = text(error);
  }
}

// A message that did not change stays the same object, so that nothing of it is drawn anew.
function merged(seen: Message[]): Message[] {
  const known = new Map(messages.value.map((message) => [message.id, message]));
  return seen.map((message) => {
    const old = known.get(message.id);
    return old && JSON.stringify(old) === JSON.stringify(message) ? old : message;
  });
}

export function showOlder() {
  depth.value += STEP;
  refresh();
}

export function go(id: Id): Promise<void> {
  batch(() => {
    if (id !== channelId.value) messages.value = [];
    channelId.value = id;
    replyingTo.value = null;
    depth.value = STEP;
    drawer.value = false;
  });
  location.hash = `${person.value}/${id}`;
  return refresh();
}

// Becomes somebody else, where they are allowed to be.
export function become(name: string): Promise<void> {
  batch(() => {
    person.value = name;
    messages.value = [];
    modal.value = null;
  });
  const guilds = world.value?.guilds ?? [];
  const all = guilds.flatMap(visible);
  const isDirect = channelId.value === me.value?.dm;
  const stays = isDirect || guilds.flatMap(places).some((one) => one.id === channelId.value && sees(one));
  return go(stays ? channelId.value : (all[0]?.id ?? me.value?.dm ?? ""));
}

export async function start() {
  try {
    world.value = await api.world();
  } catch (error) {
    failure.value = text(error);
    return;
  }
  const [who, where] = location.hash.slice(1).split("/");
  channelId.value = where || (world.value.guilds[0]?.channels[0]?.id ?? "");
  await become(people.value.some((one) => one.name === who) ? (who as string) : (people.value[0]?.name ?? ""));
  ready.value = true;
  api.listen<{ now: number }>(
    () => "/ws",
    (change) => {
      setNow(change.now);
      refresh();
    },
    (open) => {
      online.value = open;
    },
  );
}

const text = (error: unknown) => (error instanceof Error ? error.message : String(error));
