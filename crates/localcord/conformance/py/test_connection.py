import asyncio

import discord

from localcord import Conversation


class Connection(Conversation):
    async def test_logs_in_over_a_compressed_stream(self):
        self.assertEqual(self.bot.user.name, "yardarm")
        self.assertEqual(sorted(guild.name for guild in self.bot.guilds), ["harbour", "other"])
        self.assertEqual(self.guild.owner.name, "olga")
        names = sorted(member.name for member in self.guild.members)
        self.assertEqual(names, ["mina", "olga", "ravi", "yardarm"])
        self.assertIsNone(self.guild.get_channel(self.cord.channel_id("private")))
        self.assertEqual(self.bot.ws._decompressor.COMPRESSION_TYPE, "zlib-stream")
        self.assertEqual(self.bot.application.name, "yardarm")
        by_height = [role.name for role in sorted(self.guild.roles, reverse=True)]
        self.assertEqual(by_height, ["captain", "crew", "guest", "yardarm", "@everyone"])

    async def test_is_refused_with_another_token(self):
        stranger = discord.Client(intents=discord.Intents.none())
        with self.assertRaises(discord.LoginFailure):
            await stranger.login("localcord.another.token")
        await stranger.close()

    async def test_resumes_after_it_was_cut_and_gets_what_it_missed(self):
        resumed = asyncio.create_task(self.bot.wait_for("resumed"))
        missed = asyncio.create_task(self.bot.wait_for("message"))
        await asyncio.sleep(0)
        await self.cord.gateway(do="drop")
        await self.cord.say("ravi", "while you were away")
        self.assertEqual((await missed).content, "while you were away")
        await resumed

    async def test_resumes_when_it_is_asked_to_reconnect(self):
        resumed = asyncio.create_task(self.bot.wait_for("resumed"))
        await asyncio.sleep(0)
        await self.cord.gateway(do="reconnect")
        await resumed

    async def test_identifies_anew_when_its_session_is_invalid(self):
        ready = asyncio.create_task(self.bot.wait_for("ready"))
        await asyncio.sleep(0)
        await self.cord.gateway(do="invalidate")
        await ready

    async def test_hears_of_members_and_roles(self):
        async def after(event, call):
            heard = asyncio.create_task(self.bot.wait_for(event))
            await asyncio.sleep(0)
            await call
            return await heard

        cord = self.cord
        joined = await after("member_join", cord.call("POST", "/people", {"name": "nadia"}))
        self.assertEqual(joined.name, "nadia")
        role = await after("guild_role_create", cord.call("POST", "/roles", {"name": "pilot"}))
        roles = {"person": "nadia", "roles": ["pilot"]}
        _, now = await after("member_update", cord.call("POST", "/members", roles))
        self.assertIn(role, now.roles)
        await after("guild_role_delete", cord.call("DELETE", "/roles/pilot"))
        left = await after("member_remove", cord.call("DELETE", "/members/nadia"))
        self.assertEqual(left.name, "nadia")
