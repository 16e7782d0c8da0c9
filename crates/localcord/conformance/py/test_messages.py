import asyncio
import io
import time

import discord

from localcord import Conversation


class Messages(Conversation):
    async def test_are_sent_edited_and_deleted(self):
        message = await self.channel.send("one")
        edited = asyncio.create_task(self.bot.wait_for("message_edit"))
        await asyncio.sleep(0)
        await message.edit(content="two")
        before, now = await edited
        self.assertEqual((before.content, now.content), ("one", "two"))
        self.assertIsNotNone(now.edited_at)
        deleted = asyncio.create_task(self.bot.wait_for("message_delete"))
        await asyncio.sleep(0)
        await message.delete()
        self.assertEqual((await deleted).id, message.id)
        await self.refused(10008, self.channel.fetch_message(message.id), discord.NotFound)

    async def test_of_people_are_heard_and_answered(self):
        heard = asyncio.create_task(self.bot.wait_for("message"))
        await asyncio.sleep(0)
        await self.cord.say("ravi", "hello")
        message = await heard
        self.assertEqual((message.author.name, message.content), ("ravi", "hello"))
        self.assertEqual([role.name for role in message.author.roles], ["@everyone", "crew"])
        answer = await message.reply("yes?")
        self.assertEqual(answer.reference.resolved.id, message.id)
        self.assertEqual([user.name for user in answer.mentions], ["ravi"])
        quiet = await message.reply("yes?", mention_author=False)
        self.assertEqual(quiet.mentions, [])

    async def test_are_listed_before_after_and_around(self):
        place = self.bot.get_channel(self.cord.channel_id("alerts"))
        sent = [await place.send(str(number)) for number in range(1, 6)]

        async def listed(**window):
            return [message.content async for message in place.history(**window)]

        self.assertEqual(await listed(limit=2), ["5", "4"])
        self.assertEqual(await listed(before=sent[2], limit=1), ["2"])
        self.assertEqual(await listed(after=sent[0], limit=2), ["2", "3"])
        self.assertEqual(await listed(around=sent[2], limit=3), ["4", "3", "2"])
        self.assertEqual(len(await listed(limit=None)), 5)

    async def test_mention_whom_they_may(self):
        mina = self.guild.get_member(self.cord.person_id("mina"))
        crew = self.guild.get_role(self.cord.role_id("crew"))
        text = f"{mina.mention} {crew.mention}"
        loud = await self.channel.send(text)
        self.assertEqual((loud.mentions, loud.role_mentions), ([mina], [crew]))
        quiet = await self.channel.send(text, allowed_mentions=discord.AllowedMentions.none())
        self.assertEqual((quiet.mentions, quiet.role_mentions), ([], []))

    async def test_carry_files_there_and_back(self):
        files = [discord.File(io.BytesIO(name.encode()), f"{name}.txt") for name in "ab"]
        message = await self.channel.send(files=files)
        self.assertEqual([await file.read() for file in message.attachments], [b"a", b"b"])
        kept = await message.edit(attachments=message.attachments[:1])
        self.assertEqual([file.filename for file in kept.attachments], ["a.txt"])

    async def test_that_discord_refuses(self):
        forbidden = discord.Forbidden
        private = self.bot.get_partial_messageable(self.cord.channel_id("private"))
        await self.refused(50001, private.send("x"), forbidden)
        notices = self.bot.get_channel(self.cord.channel_id("notices"))
        await self.refused(50013, notices.send("x"), forbidden)
        said = await self.cord.say("ravi", "mine")
        theirs = self.channel.get_partial_message(int(said["message"]))
        await self.refused(50005, theirs.edit(content="x"), forbidden)
        long = await self.refused(50035, self.channel.send("x" * 2001))
        self.assertIn("2000 or fewer in length", long.text)
        await self.refused(50006, self.channel.send(""))
        await self.refused(10003, self.bot.fetch_channel(1), discord.NotFound)

    async def test_go_through_after_an_error_and_a_429(self):
        await self.cord.fault(fault="status", status=502, times=1, method="POST")
        self.assertEqual((await self.channel.send("after a 502")).content, "after a 502")
        for scope in (False, True):
            with self.subTest("global" if scope else "route"):
                before = time.monotonic()
                await self.cord.fault(fault="rate_limit", retry_after=0.2, times=1, method="POST", **{"global": scope})
                self.assertEqual((await self.channel.send("after a 429")).content, "after a 429")
                self.assertGreaterEqual(time.monotonic() - before, 0.2)


class RateLimits(Conversation):
    rate_limits = "enforced"

    async def test_hold_the_library_back(self):
        before = time.monotonic()
        sent = await asyncio.gather(*(self.channel.send(str(number)) for number in range(7)))
        self.assertEqual(len({message.id for message in sent}), 7)
        # Five at once, and two after the window of five seconds.
        self.assertGreater(time.monotonic() - before, 4)
