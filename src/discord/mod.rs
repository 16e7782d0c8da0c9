//! Discord: the only module that names serenity and poise.

pub mod connect;
pub mod doctor;
