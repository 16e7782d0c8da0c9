import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ChannelType, Events } from "discord.js";
import { Localcord, next } from "./localcord.js";

describe("threads", () => {
  let cord;
  let client;
  let channel;

  before(async () => {
    cord = await Localcord.start({ rateLimits: "off" });
    client = await cord.bot();
    channel = await client.channels.fetch(cord.channelId("ops"));
  });
  after(() => cord.finish(client));

  test("begin from a message, and the gateway tells", async () => {
    const created = next(client, Events.ThreadCreate);
    const message = await channel.send("what happened?");
    const thread = await message.startThread({ name: "incident 7", autoArchiveDuration: 60 });
    assert.equal((await created).id, thread.id);
    assert.deepEqual([thread.id, thread.parentId, thread.name], [message.id, channel.id, "incident 7"]);
    assert.ok((await channel.messages.fetch({ message: message.id, force: true })).hasThread);
    await assert.rejects(channel.threads.create({ startMessage: message.id, name: "twice" }), { code: 160004 });
  });

  test("begin from nothing, are written in, renamed and archived", async () => {
    const thread = await channel.threads.create({ name: "loose", type: ChannelType.PublicThread });
    const heard = next(client, Events.MessageCreate, (message) => message.channelId === thread.id);
    await cord.say("ravi", "in here", thread.id);
    assert.equal((await heard).content, "in here");
    await thread.send("yes");
    const texts = (await thread.messages.fetch()).map((message) => message.content);
    assert.deepEqual(texts, ["yes", "in here"]);
    const members = await thread.members.fetch();
    assert.ok(members.has(cord.personId("ravi")) && members.has(client.user.id));
    const renamed = new Promise((resolve) => client.once(Events.ThreadUpdate, (_, now) => resolve(now)));
    await thread.setName("tight");
    assert.equal((await renamed).name, "tight");
    await thread.setArchived(true);
    const { threads } = await channel.threads.fetchArchived();
    assert.deepEqual([...threads.keys()], [thread.id]);
  });
});
