import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile } from "node:fs/promises";
import { test } from "node:test";
import { Client, Events } from "discord.js";

test("the bot answers", async () => {
  const folder = await mkdtemp("/tmp/localcord-");
  const files = ["--state-dir", folder, "--ready-file", `${folder}/ready.json`];
  const localcord = spawn(process.env.LOCALCORD, ["--people-port=0", "--rest-port=0", ...files]);
  await once(localcord.stdout, "data"); // It says where it is once it is there.
  const { people_url, token, guild_id } = JSON.parse(await readFile(`${folder}/ready.json`, "utf8"));

  // `rest.api` is all that discord.js must be told.
  const { origin, searchParams } = new URL(people_url);
  const client = new Client({ intents: [], rest: { api: `${origin}/api` } });
  client.on(Events.InteractionCreate, (interaction) => interaction.reply(`pong, ${interaction.user.username}`));
  await Promise.all([once(client, Events.ClientReady), client.login(token)]);
  await client.application.commands.set([{ name: "ping", description: "Answers" }], guild_id);

  const response = await fetch(`${origin}/api/slash`, {
    method: "POST",
    headers: { Authorization: `Bearer ${searchParams.get("token")}`, "Content-Type": "application/json" },
    body: JSON.stringify({ as: "olga", command: "ping" }),
  });
  assert.equal((await response.json()).text, "pong, olga");

  await client.destroy();
  localcord.kill();
});
