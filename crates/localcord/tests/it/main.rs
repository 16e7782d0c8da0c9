//! A real serenity and poise bot talks to localcord, and people talk to the bot.

mod conversation;
mod support;
