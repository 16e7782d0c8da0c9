// The page: who you are, where you are, what you see there.

import { get, post, watch } from "./api.js";
import { Composer, flatten } from "./composer.js";
import { byId, el } from "./dom.js";
import { setNow } from "./markdown.js";
import { colour, messageNode } from "./messages.js";
import { openModal } from "./modal.js";

const state = { world: null, person: null, channel: null, commands: [], nodes: new Map(), texts: new Map(), dismissed: new Set() };

const people = () => state.world.people;
const me = () => people().find((person) => person.name === state.person);
const guild = () => state.world.guilds.find((guild) => guild.channels.some((channel) => channel.id === state.channel));
const here = () => ({ as: state.person, channel: state.channel });
const query = () => new URLSearchParams(here()).toString();

const page = {
  commands: () => state.commands,
  names: {
    user: (id) => [...people(), state.world.bot].find((user) => user.id === id)?.name ?? id,
    role: (id) => roles().find((role) => role.id === id)?.name.replace(/^@/, "") ?? id,
    channel: (id) => state.world.guilds.flatMap((guild) => guild.channels).find((channel) => channel.id === id)?.name ?? id,
  },
  colour: (id) => colour(topRole(id)?.color),
  textOf: (id) => state.texts.get(id) ?? "an earlier message",
  named(kind) {
    const users = [...people(), state.world.bot].map((user) => ({ name: user.name, value: user.id }));
    const named = roles().map((role) => ({ name: role.name.replace(/^@/, ""), value: role.id }));
    const channels = (guild()?.channels ?? []).map((channel) => ({ name: channel.name, value: channel.id }));
    return { 6: users, 7: channels, 8: named, 9: [...users, ...named] }[kind] ?? [];
  },
  selectable(select) {
    if (select.type === 3) return select.options ?? [];
    const kind = { 5: 6, 6: 8, 7: 9, 8: 7 }[select.type];
    return page.named(kind).map(({ name, value }) => ({ label: name, value }));
  },
  press: (message, button) => act("/api/press", { message: message.id, button }),
  choose: (message, select, values) => act("/api/choose", { message: message.id, select, values }),
  slash: (command, options) => act("/api/slash", { command: command.name, options }),
  say: (text) => act("/api/say", { text }),
  async autocomplete(command, options, focus, typed) {
    try {
      return (await post("/api/autocomplete", { ...here(), command: command.name, options, focus, typed })).choices ?? [];
    } catch {
      return [];
    }
  },
  dismiss(id) {
    state.dismissed.add(id);
    refresh();
  },
};

function roles() {
  return guild()?.roles ?? [];
}

// The last coloured role counts, as in Discord.
function topRole(id) {
  const held = guild()?.members.find((member) => member.id === id)?.roles ?? [];
  return roles().filter((role) => held.includes(role.id) && role.color).sort((a, b) => a.position - b.position)[0];
}

// Does something as the person; false if the client refuses it.
async function act(path, body) {
  try {
    const reply = await post(path, { ...here(), ...body });
    if (reply.answer === "failed") notice(`${state.world.bot.name}: ${reply.text}`);
    if (reply.answer === "modal") openModal(reply.modal, (values) => submit(reply.interaction, values));
    return true;
  } catch (error) {
    notice(error.message);
    return false;
  }
}

async function submit(interaction, values) {
  const reply = await post("/api/submit", { interaction, values });
  if (reply.answer === "failed") notice(`${state.world.bot.name}: ${reply.text}`);
}

function notice(text) {
  const close = el("button", { type: "button", class: "plain", "aria-label": "Dismiss" }, "✕");
  const node = el("div", { class: "notice" }, el("span", {}, text), close);
  close.addEventListener("click", () => node.remove());
  byId("notices").append(node);
  setTimeout(() => node.remove(), 12000);
}

function drawChannels() {
  const item = (id, label, mark) => {
    const current = id === state.channel;
    return el("button", { type: "button", class: "channel", "aria-current": current ? "page" : undefined, onclick: () => go(id) }, el("span", { class: "mark" }, mark), label);
  };
  const sections = state.world.guilds
    .filter((guild) => guild.members.some((member) => member.id === me().id))
    .map((guild) => {
      const seen = guild.channels.filter((channel) => channel.seen_by.includes(state.person));
      return el("section", {}, el("h2", {}, guild.name), seen.map((channel) => item(channel.id, channel.name, "#")));
    });
  sections.push(el("section", {}, el("h2", {}, "Direct messages"), item(me().dm, state.world.bot.name, "@")));
  byId("channels").replaceChildren(...sections);
}

function drawHeader() {
  const channel = guild()?.channels.find((channel) => channel.id === state.channel);
  byId("title").textContent = channel ? `# ${channel.name}` : `@ ${state.world.bot.name}`;
  byId("topic").textContent = channel?.topic ?? "";
  byId("entry").placeholder = channel ? `Message #${channel.name}, or / for commands` : "Message, or / for commands";
  document.title = `${byId("title").textContent} · localcord`;
}

function drawPeople() {
  const label = (person) => {
    const held = state.world.guilds[0].members.find((member) => member.id === person.id)?.roles ?? [];
    const names = state.world.guilds[0].roles.filter((role) => held.includes(role.id)).map((role) => role.name);
    return names.length > 0 ? `${person.name} (${names.join(", ")})` : person.name;
  };
  const options = people().map((person) => el("option", { value: person.name, selected: person.name === state.person }, label(person)));
  byId("person").replaceChildren(...options);
}

function drawMessages(messages) {
  const list = byId("messages");
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
  const shown = messages.filter((message) => !state.dismissed.has(message.id));
  state.texts = new Map(messages.map((message) => [message.id, `${message.author.username}: ${message.content || "…"}`]));
  const nodes = new Map();
  for (const message of shown) {
    const key = JSON.stringify(message);
    const old = state.nodes.get(message.id);
    // An unchanged message keeps its node: an open select stays open.
    nodes.set(message.id, old?.key === key ? old : { key, node: paint(messageNode(message, page)) });
  }
  state.nodes = nodes;
  const wanted = [...nodes.values()].map((entry) => entry.node);
  if (wanted.length === 0) wanted.push(el("li", { class: "empty" }, "Nothing here yet. Type / to see what the bot can do."));
  const same = wanted.length === list.children.length && wanted.every((node, index) => node === list.children[index]);
  if (!same) list.replaceChildren(...wanted);
  if (atEnd) list.scrollTop = list.scrollHeight;
}

// Colours are data; they go through the style object, never through markup.
function paint(node) {
  node.querySelectorAll("[data-colour]").forEach((part) => (part.style.color = part.dataset.colour));
  return node;
}

let running = false;
let again = false;

// One refresh at a time; changes meanwhile lead to one more.
async function refresh() {
  if (running) {
    again = true;
    return;
  }
  running = true;
  try {
    const [commands, messages, world] = await Promise.all([
      get(`/api/commands?${query()}`),
      get(`/api/messages?${query()}`),
      get("/api/world"),
    ]);
    state.commands = flatten(commands);
    state.world = world;
    byId("status").textContent = world.connected > 0 ? `${world.bot.name} is connected` : `${world.bot.name} is away`;
    drawMessages(messages);
  } catch (error) {
    byId("status").textContent = error.message;
  }
  running = false;
  if (again) {
    again = false;
    refresh();
  }
}

function go(channel) {
  state.channel = channel;
  state.nodes = new Map();
  location.hash = `${state.person}/${channel}`;
  drawChannels();
  drawHeader();
  byId("messages").replaceChildren();
  refresh();
  byId("entry").focus();
}

function become(name) {
  state.person = name;
  const visible = state.world.guilds.flatMap((guild) => guild.channels).filter((channel) => channel.seen_by.includes(name));
  const stays = visible.some((channel) => channel.id === state.channel);
  go(stays ? state.channel : (visible[0]?.id ?? me().dm));
}

async function start() {
  state.world = await get("/api/world");
  const [person, channel] = location.hash.slice(1).split("/");
  state.channel = channel || state.world.guilds[0].channels[0].id;
  state.person = people().some((known) => known.name === person) ? person : people()[0].name;
  drawPeople();
  byId("person").addEventListener("change", (event) => become(event.target.value));
  new Composer(page);
  become(state.person);
  watch(
    (change) => {
      setNow(change.now);
      refresh();
    },
    (open) => document.body.classList.toggle("offline", !open),
  );
}

start().catch((error) => (byId("status").textContent = error.message));
