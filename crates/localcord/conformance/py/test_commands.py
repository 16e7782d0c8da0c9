import asyncio
import io
from typing import Literal, Optional, Union

import discord
from discord import app_commands

from localcord import Conversation


class Commands(Conversation):
    async def test_are_registered_for_a_guild_and_for_everybody(self):
        @self.bot.tree.command(description="Answers at once")
        async def ping(interaction: discord.Interaction):
            await interaction.response.send_message("pong")

        registered = await self.bot.tree.sync()
        self.assertEqual([command.name for command in registered], ["ping"])
        self.assertEqual((await self.cord.slash("ravi", "ping"))["text"], "pong")
        await self.sync()
        here = await self.bot.tree.fetch_commands(guild=self.guild)
        self.assertEqual(here[0].guild_id, self.guild.id)
        await here[0].delete()
        self.assertEqual(await self.bot.tree.fetch_commands(guild=self.guild), [])

    async def test_carry_one_option_of_each_type(self):
        @self.bot.tree.command(description="Everything")
        async def every(
            interaction: discord.Interaction,
            text: Literal["small", "large"],
            count: app_commands.Range[int, 1, 9],
            share: float,
            sure: bool,
            who: discord.Member,
            role: discord.Role,
            place: discord.TextChannel,
            thing: Union[discord.Member, discord.Role],
            file: discord.Attachment,
            more: Optional[str] = None,
        ):
            said = (await file.read()).decode()
            named = f"{who.name} {role.name} {place.name} {thing.name}"
            await interaction.response.send_message(f"{text} {count} {share} {sure} {named} {said} {more}")

        await self.sync()
        options = {"text": "large", "count": 7, "share": 0.5, "sure": True, "who": "mina", "role": "crew"}
        options |= {"place": "alerts", "thing": "captain", "file": {"name": "a.txt", "text": "hello"}}
        reply = await self.cord.slash("olga", "every", options)
        self.assertEqual(reply["text"], "large 7 0.5 True mina crew alerts captain hello None")

    async def test_have_groups_and_offer_choices(self):
        fleet = app_commands.Group(name="fleet", description="Groups")

        @fleet.command(description="Makes one")
        async def create(interaction: discord.Interaction, name: str):
            await interaction.response.send_message(f"made {name}")

        @create.autocomplete("name")
        async def names(interaction: discord.Interaction, typed: str):
            known = [name for name in ("north", "south") if name.startswith(typed)]
            return [app_commands.Choice(name=f"fleet {name}", value=name) for name in known]

        self.bot.tree.add_command(fleet)
        await self.sync()
        typed = {"as": "olga", "channel": "ops", "command": "fleet create", "focus": "name", "typed": "no"}
        offered = await self.cord.call("POST", "/autocomplete", typed)
        self.assertEqual(offered["choices"], [{"name": "fleet north", "value": "north"}])
        reply = await self.cord.slash("olga", "fleet create", {"name": "north"})
        self.assertEqual(reply["text"], "made north")

    async def test_are_deferred_followed_up_edited_and_deleted(self):
        done = asyncio.Event()

        @self.bot.tree.command(description="Takes its time")
        async def stop(interaction: discord.Interaction):
            await interaction.response.defer()
            await interaction.followup.send("stopping")
            hidden = await interaction.followup.send("for you", ephemeral=True)
            self.assertTrue(hidden.flags.ephemeral)
            loud = await interaction.followup.send("for all", wait=True)
            await loud.edit(content="for everybody")
            await interaction.edit_original_response(content="stopped")
            await done.wait()
            await interaction.delete_original_response()
            await self.refused(10008, interaction.original_response(), discord.NotFound)
            done.clear()

        await self.sync()
        reply = await self.cord.slash("olga", "stop", until="stopped")
        self.assertEqual(reply["answer"], "deferred")
        self.assertEqual([message["content"] for message in reply["followups"]], ["for you", "for everybody"])
        seen = [message["content"] for message in await self.cord.messages("ravi")]
        self.assertEqual(seen, ["stopped", "for everybody"])
        deleted = asyncio.create_task(self.bot.wait_for("raw_message_delete"))
        await asyncio.sleep(0)
        done.set()
        await deleted

    async def test_are_answered_once_and_in_time(self):
        @self.bot.tree.command(description="Answers twice")
        async def twice(interaction: discord.Interaction):
            await interaction.response.send_message("once", ephemeral=True)
            again = discord.http.Route(
                "POST",
                "/interactions/{interaction_id}/{token}/callback",
                interaction_id=interaction.id,
                token=interaction.token,
            )
            body = {"type": 4, "data": {"content": "again"}}
            refusal = await self.refused(40060, self.bot.http.request(again, json=body))
            await interaction.edit_original_response(content=f"second: {refusal.code}")

        @self.bot.tree.command(description="Answers too late")
        async def late(interaction: discord.Interaction):
            await self.cord.call("POST", "/clock", {"advance_seconds": 4})
            await self.refused(10062, interaction.response.send_message("late"), discord.NotFound)
            await self.channel.send("told")

        await self.sync()
        reply = await self.cord.slash("olga", "twice", until="second: 40060")
        self.assertEqual(reply["answer"], "message")
        self.assertNotIn("second: 40060", [m["content"] for m in await self.cord.messages("ravi")])
        told = asyncio.create_task(self.bot.wait_for("message"))
        await asyncio.sleep(0)
        self.assertEqual((await self.cord.slash("olga", "late"))["answer"], "failed")
        await told

    async def test_stand_in_the_menus_of_people_and_messages(self):
        @self.bot.tree.context_menu(name="Who is it")
        async def who(interaction: discord.Interaction, member: discord.Member):
            await interaction.response.send_message(f"{member.name} {member.top_role.name}")

        @self.bot.tree.context_menu(name="Shout")
        async def shout(interaction: discord.Interaction, message: discord.Message):
            await interaction.response.send_message(f"{message.author.name}: {message.content.upper()}")

        await self.sync()
        body = {"as": "olga", "channel": "ops", "command": "Who is it", "user": "mina"}
        self.assertEqual((await self.cord.call("POST", "/menu", body))["text"], "mina guest")
        said = await self.cord.say("ravi", "hello")
        body = {"as": "olga", "channel": "ops", "command": "Shout", "message": said["message"]}
        self.assertEqual((await self.cord.call("POST", "/menu", body))["text"], "ravi: HELLO")

    async def test_ask_for_permissions(self):
        @self.bot.tree.command(description="For few")
        @app_commands.default_permissions(manage_messages=True)
        async def guarded(interaction: discord.Interaction):
            await interaction.response.send_message(str(interaction.permissions.manage_messages))

        await self.sync()
        self.assertEqual((await self.cord.slash("ravi", "guarded"))["text"], "True")
        with self.assertRaisesRegex(AssertionError, "422"):
            await self.cord.slash("mina", "guarded")

    async def test_answer_in_embeds_and_with_files(self):
        @self.bot.tree.command(description="A report")
        async def report(interaction: discord.Interaction):
            embed = discord.Embed(title="Fleet", colour=0x30A0E0, description="2 agents")
            embed.add_field(name="scout", value="running").set_footer(text="now")
            file = discord.File(io.BytesIO(b"line 1\n"), "log.txt", description="the log")
            await interaction.response.send_message(embed=embed, file=file)
            answer = await interaction.original_response()
            self.assertEqual(await answer.attachments[0].read(), b"line 1\n")
            self.assertEqual(answer.embeds[0].fields[0].value, "running")

        await self.sync()
        reply = await self.cord.slash("olga", "report")
        self.assertIn("scout: running", reply["text"])
        self.assertEqual(reply["message"]["attachments"][0]["description"], "the log")
