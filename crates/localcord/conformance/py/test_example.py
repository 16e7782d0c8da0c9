import asyncio
import json
import os
import tempfile
import unittest

import aiohttp
import discord
import yarl


class Example(unittest.IsolatedAsyncioTestCase):
    async def test_the_bot_answers(self):
        folder = tempfile.mkdtemp(prefix="localcord-")
        files = ["--state-dir", folder, "--ready-file", f"{folder}/ready.json"]
        program = [os.environ["LOCALCORD"], "--people-port=0", "--rest-port=0", *files]
        localcord = await asyncio.create_subprocess_exec(*program, stdout=asyncio.subprocess.PIPE)
        await localcord.stdout.readline()  # It says where it is once it is there.
        with open(f"{folder}/ready.json") as file:
            ready = json.load(file)

        # These two are all that discord.py must be told.
        people = yarl.URL(ready["people_url"])
        discord.http.Route.BASE = str(people.origin() / "api/v10")
        discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = people.origin().with_scheme("ws") / "gateway"

        bot = discord.Client(intents=discord.Intents.default())
        tree = discord.app_commands.CommandTree(bot)

        @tree.command(description="Answers")
        async def ping(interaction: discord.Interaction):
            await interaction.response.send_message(f"pong, {interaction.user.name}")

        await bot.login(ready["token"])
        connection = asyncio.create_task(bot.connect())
        await bot.wait_until_ready()
        await tree.sync()

        headers = {"Authorization": f"Bearer {people.query['token']}"}
        async with aiohttp.ClientSession(people.origin(), headers=headers) as people:
            async with people.post("/api/slash", json={"as": "olga", "command": "ping"}) as response:
                self.assertEqual((await response.json())["text"], "pong, olga")

        await bot.close()
        await connection
        localcord.terminate()
        await localcord.wait()
