import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Events, RESTEvents } from "discord.js";
import { Localcord, next } from "./localcord.js";

describe("messages", () => {
  let cord;
  let client;
  let channel;

  before(async () => {
    cord = await Localcord.start({ rateLimits: "off" });
    client = await cord.bot();
    channel = await client.channels.fetch(cord.channelId("ops"));
  });
  after(() => cord.finish(client));

  test("are sent, edited and deleted, and the gateway tells", async () => {
    const created = next(client, Events.MessageCreate);
    const message = await channel.send("one");
    assert.equal((await created).id, message.id);
    const updated = new Promise((resolve) => client.once(Events.MessageUpdate, (_, now) => resolve(now)));
    await message.edit("two");
    assert.equal((await updated).content, "two");
    assert.ok((await updated).editedTimestamp);
    const deleted = next(client, Events.MessageDelete);
    await message.delete();
    assert.equal((await deleted).id, message.id);
    await assert.rejects(channel.messages.fetch({ message: message.id, force: true }), { code: 10008 });
  });

  test("of people arrive with their author and member", async () => {
    const heard = next(client, Events.MessageCreate);
    await cord.say("ravi", "hello");
    const message = await heard;
    assert.equal(message.author.username, "ravi");
    assert.ok(message.member.roles.cache.has(cord.roleId("crew")));
    assert.equal(message.guild.id, cord.guildId);
    const answer = await message.reply("yes?");
    assert.equal((await answer.fetchReference()).id, message.id);
    assert.equal(answer.mentions.repliedUser.username, "ravi");
  });

  test("in private reach the bot too", async () => {
    const heard = next(client, Events.MessageCreate, (message) => message.content === "psst");
    await cord.say("ravi", "psst", "dm");
    assert.equal((await heard).guild, null);
    const ravi = await client.users.fetch(cord.personId("ravi"));
    await ravi.send("yes?");
    assert.equal((await cord.messages("ravi", "dm")).at(-1).content, "yes?");
  });

  test("are listed before, after and around", async () => {
    const place = await client.channels.fetch(cord.channelId("alerts"));
    const sent = [];
    for (const text of ["1", "2", "3", "4", "5"]) sent.push(await place.send(text));
    const listed = async (window) => (await place.messages.fetch(window)).map((message) => message.content);
    assert.deepEqual(await listed({ limit: 2 }), ["5", "4"]);
    assert.deepEqual(await listed({ before: sent[2].id, limit: 1 }), ["2"]);
    assert.deepEqual(await listed({ after: sent[0].id, limit: 2 }), ["3", "2"]);
    assert.deepEqual(await listed({ around: sent[2].id, limit: 3 }), ["4", "3", "2"]);
    await assert.rejects(place.messages.fetch({ limit: 101 }), { code: 50035 });
  });

  test("mention whom they may", async () => {
    const [mina, crew] = [cord.personId("mina"), cord.roleId("crew")];
    const content = `<@${mina}> <@&${crew}> @everyone`;
    const loud = await channel.send(content);
    assert.deepEqual([...loud.mentions.users.keys()], [mina]);
    const quiet = await channel.send({ content, allowedMentions: { parse: [] } });
    assert.equal(quiet.mentions.users.size + quiet.mentions.roles.size, 0);
    const some = await channel.send({ content, allowedMentions: { users: [mina] } });
    assert.deepEqual([some.mentions.users.size, some.mentions.roles.size], [1, 0]);
    const both = { parse: ["users"], users: [mina] };
    await assert.rejects(channel.send({ content, allowedMentions: both }), { code: 50035 });
  });

  test("carry files there and back, and let them go", async () => {
    const files = ["a", "b"].map((name) => ({ attachment: Buffer.from(name), name: `${name}.txt` }));
    const message = await channel.send({ files });
    assert.deepEqual(message.attachments.map((file) => file.name), ["a.txt", "b.txt"]);
    const kept = await message.edit({ content: "one stays", attachments: [message.attachments.first()] });
    assert.deepEqual(kept.attachments.map((file) => file.name), ["a.txt"]);
  });

  test("are sent once per nonce", async () => {
    const nonce = "row-7";
    const first = await channel.send({ content: "once", nonce, enforceNonce: true });
    const second = await channel.send({ content: "once", nonce, enforceNonce: true });
    assert.equal(first.id, second.id);
  });

  test("that are too long are refused by Discord's own words", async () => {
    await assert.rejects(channel.send("x".repeat(2001)), (error) => {
      assert.equal(error.code, 50035);
      assert.equal(error.rawError.errors.content._errors[0].code, "BASE_TYPE_MAX_LENGTH");
      return true;
    });
    await assert.rejects(channel.send(" "), { code: 50006 });
  });

  test("are refused where the bot may not see, write or meddle", async () => {
    const send = (name) => client.rest.post(`/channels/${cord.channelId(name)}/messages`, { body: { content: "x" } });
    await assert.rejects(send("private"), { code: 50001, status: 403 });
    await assert.rejects(send("notices"), { code: 50013, status: 403 });
    const { message } = await cord.say("ravi", "mine");
    const theirs = await channel.messages.fetch(message);
    await assert.rejects(client.rest.patch(`/channels/${channel.id}/messages/${theirs.id}`, { body: { content: "x" } }), {
      code: 50005,
    });
    await assert.rejects(client.channels.fetch("1"), { code: 10003 });
  });

  test("go through after an error and a 429", async () => {
    await cord.fault({ fault: "status", status: 503, times: 1, method: "POST" });
    assert.equal((await channel.send("after a 503")).content, "after a 503");
    const before = performance.now();
    await cord.fault({ fault: "rate_limit", retry_after: 0.1, times: 1, method: "POST" });
    assert.equal((await channel.send("after a 429")).content, "after a 429");
    assert.ok(performance.now() - before >= 100);
  });
});

describe("rate limits", () => {
  let cord;
  let client;

  before(async () => {
    cord = await Localcord.start({ rateLimits: "enforced" });
    client = await cord.bot();
  });
  after(() => cord.finish(client));

  test("hold a library back that keeps to them", async () => {
    const channel = await client.channels.fetch(cord.channelId("ops"));
    const paused = next(client.rest, RESTEvents.RateLimited);
    const sent = Array.from({ length: 7 }, (_, number) => channel.send(String(number)));
    assert.equal((await Promise.all(sent)).length, 7);
    const { global, limit } = await paused;
    assert.deepEqual([global, limit], [false, 5]);
  });

  /** Calls until one is refused. */
  const flood = async (method, path, body) => {
    for (;;) {
      const calls = Array.from({ length: 60 }, () => cord.rest(method, path, body));
      const refused = (await Promise.all(calls)).find((response) => response.status === 429);
      if (refused) return refused;
    }
  };

  test("refuse who does not keep to them", async () => {
    const refused = await flood("POST", `/channels/${cord.channelId("alerts")}/messages`, { content: "hasty" });
    const { retry_after: wait, global } = await refused.json();
    assert.ok(wait > 0 && wait <= 5 && !global);
    assert.equal(refused.headers.get("x-ratelimit-scope"), "user");
  });

  test("are there for all routes together", async () => {
    const refused = await flood("GET", "/users/@me");
    assert.ok((await refused.json()).global);
    assert.equal(refused.headers.get("x-ratelimit-global"), "true");
    assert.equal(refused.headers.get("x-ratelimit-scope"), "global");
  });
});
