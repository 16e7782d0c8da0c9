import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  ActionRowBuilder,
  ButtonBuilder,
  ButtonStyle,
  ChannelSelectMenuBuilder,
  Events,
  MentionableSelectMenuBuilder,
  MessageFlags,
  RoleSelectMenuBuilder,
  StringSelectMenuBuilder,
  UserSelectMenuBuilder,
} from "discord.js";
import { Localcord, next } from "./localcord.js";

const row = (...components) => new ActionRowBuilder().addComponents(...components);
const button = (id) => new ButtonBuilder().setCustomId(id).setLabel(id).setStyle(ButtonStyle.Primary);

describe("components", () => {
  let cord;
  let client;
  let channel;

  before(async () => {
    cord = await Localcord.start({ rateLimits: "off" });
    client = await cord.bot();
    channel = await client.channels.fetch(cord.channelId("ops"));
  });
  after(() => cord.finish(client));

  const answer = (handle) => next(client, Events.InteractionCreate).then(handle);

  test("a button updates its message", async () => {
    const message = await channel.send({ content: "panel", components: [row(button("go"))] });
    const handled = answer((interaction) => {
      assert.ok(interaction.isButton());
      assert.equal(interaction.customId, "go");
      assert.equal(interaction.message.id, message.id);
      return interaction.update({ content: `pressed by ${interaction.user.username}`, components: [] });
    });
    const reply = await cord.press("mina", message.id, "go");
    await handled;
    assert.deepEqual([reply.answer, reply.text], ["updated", "pressed by mina"]);
    assert.equal((await channel.messages.fetch({ message: message.id, force: true })).components.length, 0);
  });

  test("a button is deferred, and whispers", async () => {
    const message = await channel.send({ content: "panel", components: [row(button("slow"))] });
    const handled = answer(async (interaction) => {
      await interaction.deferUpdate();
      await interaction.followUp({ content: "for you", flags: MessageFlags.Ephemeral });
      await interaction.editReply("done");
    });
    const reply = await cord.press("ravi", message.id, "slow", { until: "done" });
    await handled;
    assert.equal(reply.answer, "deferred_update");
    assert.equal(reply.followups[0].content, "for you");
  });

  test("what cannot be pressed is refused to people, and a forger reaches the bot", async () => {
    const off = button("off").setDisabled(true);
    const message = await channel.send({ content: "panel", components: [row(off)] });
    const press = { as: "mina", channel: "ops", message: message.id, button: "off" };
    assert.equal((await cord.request("POST", "/press", press)).status, 422);
    const handled = answer((interaction) => {
      assert.equal(interaction.customId, "v1:approve:7");
      return interaction.reply({ content: "no", flags: MessageFlags.Ephemeral });
    });
    const forgery = { as: "mina", channel: "ops", message: message.id, custom_id: "v1:approve:7" };
    assert.equal((await cord.call("POST", "/forge", forgery)).text, "no");
    await handled;
  });

  test("selects of every kind", async () => {
    const sizes = ["small", "large"].map((value) => ({ label: value.toUpperCase(), value }));
    const kinds = [
      [new StringSelectMenuBuilder().addOptions(sizes).setMaxValues(2), ["SMALL", "large"], "small,large"],
      [new UserSelectMenuBuilder(), ["mina"], cord.personId("mina")],
      [new RoleSelectMenuBuilder(), ["crew"], cord.roleId("crew")],
      [new MentionableSelectMenuBuilder(), ["captain"], cord.roleId("captain")],
      [new ChannelSelectMenuBuilder(), ["alerts"], cord.channelId("alerts")],
    ];
    const rows = kinds.map(([select], index) => row(select.setCustomId(`s${index}`)));
    const message = await channel.send({ content: "selects", components: rows });
    for (const [index, [, values, expected]] of kinds.entries()) {
      const handled = answer((interaction) => {
        assert.ok(interaction.isAnySelectMenu());
        const names = [interaction.users, interaction.roles, interaction.channels]
          .filter((found) => found?.size)
          .map((found) => found.first().username ?? found.first().name);
        if (index > 0) assert.deepEqual(names, values);
        return interaction.update(interaction.values.join(","));
      });
      assert.equal((await cord.choose("olga", message.id, `s${index}`, values)).text, expected);
      await handled;
    }
  });

  test("a modal is opened from a button and updates the message", async () => {
    const message = await channel.send({ content: "panel", components: [row(button("explain"))] });
    let handled = answer((interaction) =>
      interaction.showModal({
        title: "Why?",
        custom_id: "why",
        components: [
          { type: 1, components: [{ type: 4, custom_id: "reason", label: "Reason", style: 2, required: false }] },
        ],
      }),
    );
    const opened = await cord.press("ravi", message.id, "explain");
    await handled;
    handled = answer((interaction) => {
      assert.ok(interaction.isFromMessage());
      return interaction.update(`because ${interaction.fields.getTextInputValue("reason")}`);
    });
    const filled = { interaction: opened.interaction, values: { reason: "so" } };
    assert.equal((await cord.call("POST", "/submit", filled)).text, "because so");
    await handled;
    assert.equal((await channel.messages.fetch({ message: message.id, force: true })).content, "because so");
  });

  test("too many of them are refused, each by its place", async () => {
    const components = [row(button("twice"), button("twice"))];
    await assert.rejects(channel.send({ content: "x", components }), (error) => {
      const place = error.rawError.errors.components[0].components[1].custom_id;
      assert.equal(place._errors[0].code, "COMPONENT_CUSTOM_ID_DUPLICATED");
      return true;
    });
  });
});
