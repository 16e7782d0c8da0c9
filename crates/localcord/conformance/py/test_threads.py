import asyncio

import discord

from localcord import Conversation


class Threads(Conversation):
    async def test_begin_from_a_message_and_from_nothing(self):
        message = await self.channel.send("what happened?")
        thread = await message.create_thread(name="incident 7")
        self.assertEqual((thread.id, thread.parent, thread.owner), (message.id, self.channel, self.guild.me))
        loose = await self.channel.create_thread(name="loose", type=discord.ChannelType.public_thread)
        active = await self.guild.active_threads()
        self.assertEqual({entry.id for entry in active}, {thread.id, loose.id})

    async def test_are_written_in_and_archived(self):
        thread = await self.channel.create_thread(name="talk", type=discord.ChannelType.public_thread)
        sent = await thread.send("one")
        self.assertEqual([entry.content async for entry in thread.history(limit=5)], ["one"])
        heard = asyncio.create_task(self.bot.wait_for("message", check=lambda said: not said.author.bot))
        await asyncio.sleep(0)
        await self.cord.say("ravi", "two", channel=str(thread.id))
        self.assertEqual((await heard).channel.id, thread.id)
        self.assertIn(self.cord.person_id("ravi"), {member.id for member in await thread.fetch_members()})
        await sent.delete()
        await thread.edit(archived=True)
        archived = [entry.id async for entry in self.channel.archived_threads()]
        self.assertEqual(archived, [thread.id])
        # In the default guild the bot may not manage threads.
        await self.refused(50013, thread.delete(), discord.Forbidden)
