import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Client, Events, GatewayIntentBits, SimpleShardingStrategy } from "discord.js";
import { Localcord, next } from "./localcord.js";

describe("a connection", () => {
  let cord;
  let client;

  before(async () => {
    cord = await Localcord.start();
    client = await cord.bot();
  });
  after(() => cord.finish(client));

  test("logs in and knows its guilds", () => {
    assert.equal(client.user.username, "yardarm");
    assert.deepEqual(client.guilds.cache.map((guild) => guild.name).sort(), ["harbour", "other"]);
    const guild = client.guilds.cache.get(cord.guildId);
    assert.equal(guild.memberCount, 4);
    assert.ok(guild.available);
    assert.equal(guild.roles.everyone.id, cord.guildId);
    const byHeight = guild.roles.cache.sorted((a, b) => b.comparePositionTo(a)).map((role) => role.name);
    assert.deepEqual(byHeight, ["captain", "crew", "guest", "yardarm", "@everyone"]);
    assert.ok(guild.channels.cache.some((channel) => channel.name === "ops"));
    assert.ok(!guild.channels.cache.some((channel) => channel.name === "private"));
    assert.equal(guild.members.me.id, client.user.id);
  });

  test("is refused with another token", async () => {
    const stranger = new Client({ intents: [], rest: { api: `${cord.root}/api` } });
    await assert.rejects(stranger.login("localcord.another.token"), /TokenInvalid|invalid token/i);
    await stranger.destroy();
  });

  test("resumes after it was cut, and gets what it missed", async () => {
    const resumed = next(client, Events.ShardResume);
    const missed = next(client, Events.MessageCreate);
    await cord.gateway({ do: "drop" });
    await cord.say("ravi", "while you were away");
    assert.equal((await missed).content, "while you were away");
    await resumed;
  });

  test("resumes when it is asked to reconnect", async () => {
    const resumed = next(client, Events.ShardResume);
    await cord.gateway({ do: "reconnect" });
    await resumed;
  });

  test("identifies anew when its session is invalid", async () => {
    const ready = next(client, Events.ShardReady);
    await cord.gateway({ do: "invalidate" });
    await ready;
  });

  test("hears of members and roles", async () => {
    const joined = next(client, Events.GuildMemberAdd);
    await cord.call("POST", "/people", { name: "nadia" });
    assert.equal((await joined).user.username, "nadia");

    const created = next(client, Events.GuildRoleCreate);
    await cord.call("POST", "/roles", { name: "pilot" });
    const role = await created;
    assert.equal(role.name, "pilot");

    const updated = new Promise((resolve) => client.once(Events.GuildMemberUpdate, (_, now) => resolve(now)));
    await cord.call("POST", "/members", { person: "nadia", roles: ["pilot"] });
    assert.ok((await updated).roles.cache.has(role.id));

    const left = next(client, Events.GuildMemberRemove);
    await cord.call("DELETE", "/members/nadia");
    assert.equal((await left).user.username, "nadia");
  });

  test("is told all members when it asks", async () => {
    const guild = client.guilds.cache.get(cord.guildId);
    const members = await guild.members.fetch();
    assert.deepEqual(members.map((member) => member.user.username).sort(), ["mina", "olga", "ravi", "yardarm"]);
    const found = await guild.members.fetch({ query: "ra", limit: 5 });
    assert.deepEqual(found.map((member) => member.user.username), ["ravi"]);
  });
});

// discord.js inflates a stream with `zlib-sync`; here that is pako, which has the same face and needs no compiler.
test("what is sent is compressed as one stream on demand", async () => {
  const cord = await Localcord.start();
  const asked = [];
  const buildStrategy = (manager) => {
    manager.options.compression = "zlib-stream";
    return new SimpleShardingStrategy(manager);
  };
  const client = await cord.bot({ ws: { buildStrategy } });
  client.on(Events.Debug, (text) => asked.push(...(text.match(/compression: \S+/) ?? [])));
  for (const content of ["small", "x".repeat(2000)]) {
    const heard = next(client, Events.MessageCreate);
    await cord.say("olga", content);
    assert.equal((await heard).content, content);
  }
  const ready = next(client, Events.ShardReady);
  await cord.gateway({ do: "invalidate" });
  await ready;
  assert.deepEqual(asked, ["compression: zlib-stream"]);
  await cord.finish(client);
});

test("an intent that was not enabled is refused", async () => {
  const cord = await Localcord.start({ privileged: false });
  const client = new Client({
    intents: [GatewayIntentBits.MessageContent],
    rest: { api: `${cord.root}/api` },
  });
  await assert.rejects(client.login(cord.token), /disallowed intents/i);
  await cord.finish(client);
});
