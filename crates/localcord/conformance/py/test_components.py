import discord

from localcord import Conversation


class Panel(discord.ui.View):
    @discord.ui.button(label="Go")
    async def go(self, interaction: discord.Interaction, button: discord.ui.Button):
        button.disabled = True
        await interaction.response.edit_message(content=f"pressed by {interaction.user.name}", view=self)

    @discord.ui.button(label="Explain")
    async def explain(self, interaction: discord.Interaction, _button):
        await interaction.response.send_modal(Reason())

    @discord.ui.button(label="Whisper")
    async def whisper(self, interaction: discord.Interaction, _button):
        await interaction.response.defer(ephemeral=True, thinking=True)
        await interaction.followup.send("for you")


class Reason(discord.ui.Modal, title="Why?"):
    reason = discord.ui.TextInput(label="Reason", min_length=3)

    async def on_submit(self, interaction: discord.Interaction):
        await interaction.response.send_message(f"because {self.reason.value}")


class Selects(discord.ui.View):
    async def tell(self, interaction, select):
        names = [getattr(value, "name", value) for value in select.values]
        await interaction.response.edit_message(content=",".join(names))

    options = [discord.SelectOption(label="SMALL", value="small"), discord.SelectOption(label="LARGE", value="large")]

    @discord.ui.select(placeholder="Size", options=options, max_values=2)
    async def size(self, interaction, select):
        await self.tell(interaction, select)

    @discord.ui.select(cls=discord.ui.UserSelect, placeholder="Who")
    async def who(self, interaction, select):
        await self.tell(interaction, select)

    @discord.ui.select(cls=discord.ui.RoleSelect, placeholder="Role")
    async def role(self, interaction, select):
        await self.tell(interaction, select)

    @discord.ui.select(cls=discord.ui.MentionableSelect, placeholder="Any")
    async def any(self, interaction, select):
        await self.tell(interaction, select)

    @discord.ui.select(cls=discord.ui.ChannelSelect, placeholder="Place")
    async def place(self, interaction, select):
        names = [value.name for value in select.values]
        await interaction.response.edit_message(content=",".join(names))


class Components(Conversation):
    async def test_buttons_update_whisper_and_open_modals(self):
        message = await self.channel.send("panel", view=Panel())
        whispered = await self.cord.press("mina", message.id, "Whisper", until="for you")
        self.assertEqual(whispered["answer"], "deferred")
        self.assertNotIn("for you", [m["content"] for m in await self.cord.messages("ravi")])

        opened = await self.cord.press("mina", message.id, "Explain")
        self.assertEqual(opened["modal"]["title"], "Why?")
        filled = {"interaction": opened["interaction"], "values": {"Reason": "tired"}}
        self.assertEqual((await self.cord.call("POST", "/submit", filled))["text"], "because tired")

        pressed = await self.cord.press("mina", message.id, "Go")
        self.assertEqual((pressed["answer"], pressed["text"]), ("updated", "pressed by mina"))
        with self.assertRaisesRegex(AssertionError, "disabled"):
            await self.cord.press("mina", message.id, "Go")

    async def test_modals_are_opened_by_commands_too(self):
        @self.bot.tree.command(description="Asks why")
        async def ask(interaction: discord.Interaction):
            await interaction.response.send_modal(Reason())

        await self.sync()
        opened = await self.cord.slash("olga", "ask")
        self.assertEqual((opened["answer"], opened["modal"]["title"]), ("modal", "Why?"))
        short = {"interaction": opened["interaction"], "values": {"Reason": "no"}}
        with self.assertRaisesRegex(AssertionError, "3 to"):
            await self.cord.call("POST", "/submit", short)
        filled = {"interaction": opened["interaction"], "values": {"Reason": "tired"}}
        self.assertEqual((await self.cord.call("POST", "/submit", filled))["text"], "because tired")

    async def test_selects_of_every_kind(self):
        message = await self.channel.send("selects", view=Selects())
        for select, values, expected in [
            ("Size", ["SMALL", "large"], "small,large"),
            ("Who", ["mina"], "mina"),
            ("Role", ["crew"], "crew"),
            ("Any", ["captain"], "captain"),
            ("Place", ["alerts"], "alerts"),
        ]:
            with self.subTest(select):
                reply = await self.cord.choose("olga", message.id, select, values)
                self.assertEqual(reply["text"], expected)
