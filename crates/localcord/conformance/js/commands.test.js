import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  ActionRowBuilder,
  ApplicationCommandOptionType as Option,
  ApplicationCommandType,
  ContextMenuCommandBuilder,
  DiscordAPIError,
  EmbedBuilder,
  Events,
  MessageFlags,
  ModalBuilder,
  PermissionFlagsBits,
  SlashCommandBuilder,
  TextInputBuilder,
  TextInputStyle,
} from "discord.js";
import { Localcord, next } from "./localcord.js";

const commands = [
  new SlashCommandBuilder().setName("ping").setDescription("Answers at once"),
  new SlashCommandBuilder()
    .setName("stop")
    .setDescription("Defers, then tells")
    .addStringOption((option) =>
      option.setName("agent").setDescription("Which one").setRequired(true).setAutocomplete(true),
    ),
  new SlashCommandBuilder()
    .setName("every")
    .setDescription("One option of each type")
    .addStringOption((option) =>
      option.setName("text").setDescription("t").addChoices({ name: "Large", value: "large" }).setRequired(true),
    )
    .addIntegerOption((option) => option.setName("count").setDescription("c").setMinValue(1).setRequired(true))
    .addNumberOption((option) => option.setName("share").setDescription("s").setRequired(true))
    .addBooleanOption((option) => option.setName("sure").setDescription("s").setRequired(true))
    .addUserOption((option) => option.setName("who").setDescription("w").setRequired(true))
    .addRoleOption((option) => option.setName("role").setDescription("r").setRequired(true))
    .addChannelOption((option) => option.setName("place").setDescription("p").setRequired(true))
    .addMentionableOption((option) => option.setName("any").setDescription("a").setRequired(true))
    .addAttachmentOption((option) => option.setName("file").setDescription("f").setRequired(true)),
  new SlashCommandBuilder()
    .setName("fleet")
    .setDescription("Groups")
    .addSubcommand((sub) =>
      sub
        .setName("create")
        .setDescription("Makes one")
        .addStringOption((option) => option.setName("name").setDescription("n").setRequired(true)),
    )
    .addSubcommandGroup((group) =>
      group
        .setName("member")
        .setDescription("Who is in it")
        .addSubcommand((sub) => sub.setName("list").setDescription("Lists them")),
    ),
  new SlashCommandBuilder()
    .setName("guarded")
    .setDescription("For who may manage messages")
    .setDefaultMemberPermissions(PermissionFlagsBits.ManageMessages),
  new SlashCommandBuilder().setName("ask").setDescription("Opens a modal"),
];

describe("commands", () => {
  let cord;
  let client;

  before(async () => {
    cord = await Localcord.start();
    client = await cord.bot();
    await client.application.commands.set(commands, cord.guildId);
  });
  after(() => cord.finish(client));

  /** Answers the next interaction while a person waits for it. */
  const answer = (handle) => next(client, Events.InteractionCreate).then(handle);

  test("are registered for a guild and for everybody", async () => {
    const guild = await client.application.commands.fetch({ guildId: cord.guildId });
    assert.deepEqual(
      guild.map((command) => command.name).sort(),
      ["ask", "every", "fleet", "guarded", "ping", "stop"],
    );
    const every = guild.find((command) => command.name === "every");
    assert.equal(every.options[0].choices[0].value, "large");
    assert.equal(every.options[1].minValue, 1);
    assert.equal(every.options[7].type, Option.Mentionable);

    const everywhere = client.application.commands;
    const made = await everywhere.create({ name: "about", description: "Who I am" });
    assert.equal(made.guildId, null);
    const edited = await everywhere.edit(made.id, { description: "What I am" });
    assert.deepEqual([edited.id, edited.description], [made.id, "What I am"]);
    assert.equal((await everywhere.fetch(made.id)).name, "about");
    const handled = answer((interaction) => interaction.reply("a bot"));
    assert.equal((await cord.slash("olga", "about")).text, "a bot");
    await handled;
    await everywhere.delete(made.id);
    assert.equal((await everywhere.fetch()).size, 0);
    await assert.rejects(everywhere.fetch(made.id), { code: 10063 });
  });

  test("with a wrong name are refused, and the place is told", async () => {
    const wrong = client.application.commands.set([{ name: "Not Good", description: "" }]);
    await assert.rejects(wrong, (error) => {
      assert.ok(error instanceof DiscordAPIError);
      assert.equal(error.code, 50035);
      assert.equal(error.rawError.errors[0].name._errors[0].code, "APPLICATION_COMMAND_INVALID_NAME");
      return true;
    });
  });

  test("are answered at once", async () => {
    const handled = answer(async (interaction) => {
      assert.ok(interaction.isChatInputCommand());
      assert.equal(interaction.user.username, "ravi");
      assert.ok(interaction.member.roles.cache.has(cord.roleId("crew")));
      assert.ok(interaction.memberPermissions.has("ManageMessages"));
      const { resource } = await interaction.reply({ content: "pong", withResponse: true });
      assert.equal(resource.message.content, "pong");
      assert.equal((await interaction.fetchReply()).id, resource.message.id);
    });
    const reply = await cord.slash("ravi", "ping");
    await handled;
    assert.deepEqual([reply.answer, reply.text], ["message", "pong"]);
  });

  test("are deferred, followed up, edited and deleted", async () => {
    const handled = answer(async (interaction) => {
      await interaction.deferReply();
      await interaction.editReply("stopping");
      const more = await interaction.followUp({ content: "for you", flags: MessageFlags.Ephemeral });
      assert.ok(more.flags.has(MessageFlags.Ephemeral));
      const loud = await interaction.followUp("for all");
      await interaction.editReply({ message: loud, content: "for everybody" });
      await interaction.editReply(`stopped ${interaction.options.getString("agent")}`);
      return interaction;
    });
    const reply = await cord.slash("olga", "stop", { agent: "scout" }, { until: "stopped scout" });
    assert.equal(reply.answer, "deferred");
    assert.deepEqual(reply.followups.map((message) => message.content), ["for you", "for everybody"]);
    const interaction = await handled;
    const seen = (await cord.messages("ravi")).map((message) => message.content);
    assert.ok(seen.includes("for everybody") && !seen.includes("for you"));
    await interaction.deleteReply();
    await assert.rejects(interaction.fetchReply(), { code: 10008 });
  });

  test("may be answered for one person only", async () => {
    const handled = answer((interaction) => interaction.reply({ content: "psst", flags: MessageFlags.Ephemeral }));
    const reply = await cord.slash("olga", "ping");
    await handled;
    const has = (messages) => messages.some((message) => message.id === reply.message.id);
    assert.ok(has(await cord.messages("olga")));
    assert.ok(!has(await cord.messages("ravi")));
  });

  test("are answered once, in time, and by who has the token", async () => {
    const handled = answer(async (interaction) => {
      const again = () => interaction.client.rest.post(`/interactions/${interaction.id}/${interaction.token}/callback`, {
        auth: false,
        body: { type: 4, data: { content: "again" } },
      });
      await interaction.reply("once");
      await assert.rejects(again(), { code: 40060 });
      const forged = interaction.client.rest.post(`/interactions/${interaction.id}/guess/callback`, {
        auth: false,
        body: { type: 4, data: { content: "mine" } },
      });
      await assert.rejects(forged, { code: 10062 });
      return interaction;
    });
    await cord.slash("olga", "ping");
    const interaction = await handled;
    await cord.call("POST", "/clock", { advance_seconds: 901 });
    await assert.rejects(interaction.editReply("late"), { code: 50027 });
  });

  test("that nobody answers are told to have failed", async () => {
    const asked = next(client, Events.InteractionCreate);
    const waiting = cord.slash("olga", "ping");
    const interaction = await asked;
    await cord.call("POST", "/clock", { advance_seconds: 4 });
    assert.equal((await waiting).answer, "failed");
    await assert.rejects(interaction.reply("too late"), { code: 10062 });
  });

  test("carry one option of each type", async () => {
    const handled = answer(async (interaction) => {
      const { options } = interaction;
      assert.equal(options.getString("text"), "large");
      assert.equal(options.getInteger("count"), 7);
      assert.equal(options.getNumber("share"), 0.5);
      assert.equal(options.getBoolean("sure"), true);
      assert.equal(options.getUser("who").username, "mina");
      assert.ok(options.getMember("who").roles.cache.has(cord.roleId("guest")));
      assert.equal(options.getRole("role").name, "crew");
      assert.equal(options.getChannel("place").name, "alerts");
      assert.equal(options.getMentionable("any").name, "captain");
      const file = options.getAttachment("file");
      assert.equal(file.name, "notes.txt");
      await interaction.reply(await (await fetch(file.url)).text());
    });
    const file = { name: "notes.txt", text: "from a person" };
    const options = { text: "Large", count: 7, share: 0.5, sure: true, who: "mina", role: "crew" };
    const reply = await cord.slash("olga", "every", { ...options, place: "alerts", any: "captain", file });
    await handled;
    assert.equal(reply.text, "from a person");
  });

  test("have sub-commands and groups", async () => {
    let handled = answer((interaction) => {
      assert.equal(interaction.options.getSubcommand(), "create");
      return interaction.reply(`made ${interaction.options.getString("name")}`);
    });
    assert.equal((await cord.slash("olga", "fleet create", { name: "north" })).text, "made north");
    await handled;
    handled = answer((interaction) => {
      assert.equal(interaction.options.getSubcommandGroup(), "member");
      return interaction.reply("nobody");
    });
    assert.equal((await cord.slash("olga", "fleet member list")).text, "nobody");
    await handled;
  });

  test("offer choices while somebody types", async () => {
    const handled = answer((interaction) => {
      assert.ok(interaction.isAutocomplete());
      const focused = interaction.options.getFocused(true);
      assert.deepEqual([focused.name, focused.value], ["agent", "sc"]);
      return interaction.respond(["scout", "scribe"].map((name) => ({ name: `agent ${name}`, value: name })));
    });
    const typed = { as: "olga", channel: "ops", command: "stop", focus: "agent", typed: "sc" };
    const reply = await cord.call("POST", "/autocomplete", typed);
    await handled;
    assert.deepEqual(reply.choices.map((choice) => choice.value), ["scout", "scribe"]);
  });

  test("are offered to who has the permissions they ask for", async () => {
    const refused = await cord.request("POST", "/slash", { as: "mina", channel: "ops", command: "guarded" });
    assert.equal(refused.status, 422);
    const handled = answer((interaction) => interaction.reply("done"));
    assert.equal((await cord.slash("ravi", "guarded")).text, "done");
    await handled;
  });

  test("open modals", async () => {
    const input = new TextInputBuilder()
      .setCustomId("reason")
      .setLabel("Reason")
      .setStyle(TextInputStyle.Short)
      .setMinLength(3);
    const modal = new ModalBuilder()
      .setCustomId("why")
      .setTitle("Why?")
      .addComponents(new ActionRowBuilder().addComponents(input));
    let handled = answer((interaction) => interaction.showModal(modal));
    const opened = await cord.slash("olga", "ask");
    await handled;
    assert.equal(opened.modal.title, "Why?");
    handled = answer((interaction) => {
      assert.ok(interaction.isModalSubmit());
      return interaction.reply(`because ${interaction.fields.getTextInputValue("reason")}`);
    });
    const filled = { interaction: opened.interaction, values: { Reason: "tired" } };
    assert.equal((await cord.call("POST", "/submit", filled)).text, "because tired");
    await handled;
  });

  test("answer in embeds and with files", async () => {
    const handled = answer(async (interaction) => {
      const embed = new EmbedBuilder()
        .setTitle("Fleet")
        .setColor(0x30a0e0)
        .setTimestamp(1000)
        .setFooter({ text: "f" })
        .setAuthor({ name: "a" })
        .addFields({ name: "scout", value: "running", inline: true });
      const files = [{ attachment: Buffer.from("line 1\n"), name: "log.txt", description: "the log" }];
      const { resource } = await interaction.reply({ embeds: [embed], files, withResponse: true });
      const file = resource.message.attachments.first();
      assert.deepEqual([file.name, file.size, file.description], ["log.txt", 7, "the log"]);
      assert.equal(await (await fetch(file.url)).text(), "line 1\n");
      assert.equal(resource.message.embeds[0].fields[0].inline, true);
      assert.equal(resource.message.embeds[0].timestamp, "1970-01-01T00:00:01.000Z");
    });
    await cord.slash("olga", "ping");
    await handled;
  });
});
