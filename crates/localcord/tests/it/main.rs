//! A real serenity and poise bot talks to localcord, and people talk to the bot.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "all of this crate is tests, their helpers included"
)]

mod bot;
mod conversation;
mod example;
mod faults;
mod fuzz;
mod gateway;
mod inspector;
mod intents;
mod limits;
mod members;
mod patience;
mod people;
mod program;
mod raw;
mod readme;
mod rest;
mod rules;
mod support;
mod threads;
