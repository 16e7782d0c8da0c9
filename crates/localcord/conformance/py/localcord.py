"""A localcord of one's own, and the people in it, by its script interface."""

import asyncio
import json
import os
import signal
import tempfile
import unittest
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import aiohttp
import discord
import yarl
from discord import app_commands

CRATE = Path(__file__).parent.parent.parent
GUILD = CRATE / "guild.toml"
PROGRAM = os.environ.get("LOCALCORD", CRATE.parent.parent / "target/debug/localcord")


class Localcord:
    @classmethod
    async def start(cls, rate_limits="headers"):
        cord = cls()
        cord.folder = tempfile.TemporaryDirectory(prefix="localcord-")
        folder = Path(cord.folder.name)
        # The default guild, with the privileged intents enabled.
        guild = GUILD.read_text().replace("privileged_intents = false", "privileged_intents = true")
        (folder / "guild.toml").write_text(guild)
        ready = folder / "ready.json"
        arguments = ["--people-port", "0", "--rest-port", "0", "--validate", "--rate-limits", rate_limits]
        places = ["--state-dir", folder, "--ready-file", ready, "--guild", folder / "guild.toml"]
        cord.process = await asyncio.create_subprocess_exec(
            PROGRAM, *arguments, *places, stdout=asyncio.subprocess.PIPE
        )
        # It says where it is once it is there.
        await cord.process.stdout.readline()
        told = json.loads(ready.read_text())
        address = urlsplit(told["people_url"])
        cord.root = f"http://{address.netloc}"
        cord.token, cord.guild_id = told["token"], int(told["guild_id"])
        key = parse_qs(address.query)["token"][0]
        cord.session = aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"})
        cord.world = await cord.call("GET", "/world")
        # Without Discord's OpenAPI file localcord says so, and in CI does not even start.
        assert cord.world["checked"] or "DISCORD_OPENAPI" not in os.environ, "nothing is checked"
        return cord

    def point_discord_py_here(self):
        """Plain HTTP and the gateway's address are all that discord.py must be told."""
        discord.http.Route.BASE = f"{self.root}/api/v10"
        gateway = yarl.URL(self.root.replace("http://", "ws://") + "/gateway")
        discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = gateway

    async def call(self, method, path, body=None):
        async with self.session.request(method, f"{self.root}/api{path}", json=body) as response:
            text = await response.text()
            assert response.ok, f"{method} {path}: {response.status} {text}"
            return json.loads(text) if text else None

    async def slash(self, person, command, options=None, **more):
        body = {"as": person, "channel": "ops", "command": command, "options": options or {}}
        return await self.call("POST", "/slash", body | more)

    async def press(self, person, message, button, **more):
        body = {"as": person, "channel": "ops", "message": str(message), "button": button}
        return await self.call("POST", "/press", body | more)

    async def choose(self, person, message, select, values):
        body = {"as": person, "channel": "ops", "message": str(message), "select": select, "values": values}
        return await self.call("POST", "/choose", body)

    async def say(self, person, text, channel="ops"):
        return await self.call("POST", "/say", {"as": person, "channel": channel, "text": text})

    async def messages(self, person, channel="ops"):
        return await self.call("GET", f"/messages?as={person}&channel={channel}")

    async def gateway(self, **order):
        return await self.call("POST", "/gateway", order)

    async def fault(self, **fault):
        return await self.call("POST", "/faults", fault)

    def channel_id(self, name):
        return self._id(self.world["guilds"][0]["channels"], name)

    def role_id(self, name):
        return self._id(self.world["guilds"][0]["roles"], name)

    def person_id(self, name):
        return self._id(self.world["people"], name)

    @staticmethod
    def _id(entries, name):
        return next(int(entry["id"]) for entry in entries if entry["name"] == name)

    async def finish(self):
        record = await self.call("GET", "/record")
        await self.session.close()
        self.process.send_signal(signal.SIGTERM)
        code = await self.process.wait()
        self.folder.cleanup()
        assert record == {"unknown_routes": [], "violations": []}, record
        assert code == 0, code


class Bot(discord.Client):
    """A bot with a command tree. What its views and commands raise fails the test."""

    def __init__(self):
        intents = discord.Intents.default()
        intents.members = intents.message_content = True
        super().__init__(intents=intents, guild_ready_timeout=0.1)
        self.tree = app_commands.CommandTree(self)
        self.raised = []

    async def on_error(self, event, *_args, **_kwargs):
        self.raised.append(event)


class Conversation(unittest.IsolatedAsyncioTestCase):
    """A localcord and a bot that has logged in, for each test."""

    rate_limits = "headers"

    async def asyncSetUp(self):
        self.cord = await Localcord.start(self.rate_limits)
        self.cord.point_discord_py_here()
        self.bot = Bot()
        await self.bot.login(self.cord.token)
        self.connection = asyncio.create_task(self.bot.connect())
        await self.bot.wait_until_ready()
        self.guild = self.bot.get_guild(self.cord.guild_id)
        self.channel = self.bot.get_channel(self.cord.channel_id("ops"))

    async def asyncTearDown(self):
        await self.bot.close()
        await self.connection
        await self.cord.finish()
        self.assertEqual(self.bot.raised, [])

    async def sync(self):
        self.bot.tree.copy_global_to(guild=self.guild)
        return await self.bot.tree.sync(guild=self.guild)

    async def refused(self, code, awaitable, kind=discord.HTTPException):
        with self.assertRaises(kind) as caught:
            await awaitable
        self.assertEqual(caught.exception.code, code)
        return caught.exception
