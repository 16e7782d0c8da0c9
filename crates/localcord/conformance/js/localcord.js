// A localcord of one's own, and the people in it, by its script interface.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Client, GatewayIntentBits, Partials } from "discord.js";

const BUILT = new URL("../../../../target/debug/localcord", import.meta.url).pathname;
const PROGRAM = process.env.LOCALCORD ?? BUILT;
const GUILD = new URL("../../guild.toml", import.meta.url);

/** The default guild, with or without the privileged intents. */
async function guildFile(folder, privileged) {
  const text = await readFile(GUILD, "utf8");
  const path = join(folder, "guild.toml");
  await writeFile(path, text.replace("privileged_intents = false", `privileged_intents = ${privileged}`));
  return path;
}

export class Localcord {
  static async start({ privileged = true, rateLimits = "headers" } = {}) {
    const cord = new Localcord();
    cord.folder = await mkdtemp(join(tmpdir(), "localcord-"));
    const ready = join(cord.folder, "ready.json");
    const ports = ["--people-port", "0", "--rest-port", "0"];
    const guild = await guildFile(cord.folder, privileged);
    const places = ["--state-dir", cord.folder, "--ready-file", ready, "--guild", guild];
    const rules = ["--validate", "--rate-limits", rateLimits];
    cord.process = spawn(PROGRAM, [...ports, ...places, ...rules], { stdio: ["ignore", "pipe", "inherit"] });
    // It says where it is once it is there.
    await once(createInterface(cord.process.stdout), "line");
    const { people_url: url, token, guild_id: guildId } = JSON.parse(await readFile(ready, "utf8"));
    cord.root = new URL(url).origin;
    cord.key = new URL(url).searchParams.get("token");
    Object.assign(cord, { token, guildId });
    cord.world = await cord.call("GET", "/world");
    // Without Discord's OpenAPI file localcord says so, and in CI does not even start.
    assert.ok(cord.world.checked || !process.env.DISCORD_OPENAPI, "nothing is checked");
    return cord;
  }

  /** A bot with discord.js that has logged in. Plain HTTP is all it must be told. */
  async bot(options = {}) {
    const intents = [
      GatewayIntentBits.Guilds,
      GatewayIntentBits.GuildMembers,
      GatewayIntentBits.GuildMessages,
      GatewayIntentBits.DirectMessages,
      GatewayIntentBits.MessageContent,
    ];
    const { rest, ...others } = options;
    // Direct messages come from channels that no event has told of.
    const partials = [Partials.Channel];
    const client = new Client({ intents, partials, ...others, rest: { api: `${this.root}/api`, ...rest } });
    client.on("error", (error) => assert.fail(error));
    const ready = once(client, "clientReady");
    await client.login(this.token);
    await ready;
    return client;
  }

  async call(method, path, body) {
    const response = await this.request(method, path, body);
    const text = await response.text();
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  }

  request(method, path, body) {
    const headers = { Authorization: `Bearer ${this.key}`, "Content-Type": "application/json" };
    return fetch(`${this.root}/api${path}`, { method, headers, body: body && JSON.stringify(body) });
  }

  /** A call of Discord's REST, without any library. */
  rest(method, path, body) {
    const headers = { Authorization: `Bot ${this.token}`, "Content-Type": "application/json" };
    return fetch(`${this.root}/api/v10${path}`, { method, headers, body: body && JSON.stringify(body) });
  }

  slash(as, command, options = {}, more = {}) {
    return this.call("POST", "/slash", { as, channel: "ops", command, options, ...more });
  }

  press(as, message, button, more = {}) {
    return this.call("POST", "/press", { as, channel: "ops", message, button, ...more });
  }

  choose(as, message, select, values) {
    return this.call("POST", "/choose", { as, channel: "ops", message, select, values });
  }

  say(as, text, channel = "ops") {
    return this.call("POST", "/say", { as, channel, text });
  }

  async messages(as, channel = "ops") {
    return this.call("GET", `/messages?as=${as}&channel=${channel}`);
  }

  gateway(order) {
    return this.call("POST", "/gateway", order);
  }

  fault(fault) {
    return this.call("POST", "/faults", fault);
  }

  channelId(name) {
    return this.world.guilds[0].channels.find((channel) => channel.name === name).id;
  }

  personId(name) {
    return this.world.people.find((person) => person.name === name).id;
  }

  roleId(name) {
    return this.world.guilds[0].roles.find((role) => role.name === name).id;
  }

  /** Ends it, and fails for calls that Discord's own description does not allow. */
  async finish(...clients) {
    const record = await this.call("GET", "/record");
    await Promise.all(clients.map((client) => client.destroy()));
    const ended = once(this.process, "exit");
    this.process.kill("SIGTERM");
    const [code] = await ended;
    await rm(this.folder, { recursive: true });
    assert.deepEqual(record, { unknown_routes: [], violations: [] });
    assert.equal(code, 0);
  }
}

/** The next event for which `test` holds. */
export function next(emitter, event, test = () => true) {
  return new Promise((resolve) => {
    const listener = (...args) => {
      if (test(...args)) {
        emitter.off(event, listener);
        resolve(args[0]);
      }
    };
    emitter.on(event, listener);
  });
}
