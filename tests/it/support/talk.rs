//! What people type and what they get, in short.

use localcord::{Input, Message, Person, Reply, SlashCommand};

use super::test_app::TestApp;

/// Options that are no text.
const NUMBERS: [&str; 6] = ["id", "lines", "since", "hours", "up_to", "repost"];
const SWITCHES: [&str; 4] = ["all", "pull", "export", "data"];

/// A command as one writes it: `stop agent:scout reason:"out for lunch"`.
pub(crate) fn slash(person: &Person, text: &str) -> SlashCommand {
    let words = shlex::split(text).expect("closed quotes");
    let (path, options): (Vec<_>, Vec<_>) = words.iter().partition(|word| !word.contains(':'));
    let path: Vec<&str> = path.into_iter().map(String::as_str).collect();
    let command = person.slash(&path.join(" "));
    options.into_iter().fold(command, |command, word| {
        let (name, value) = word.split_once(':').unwrap();
        command.option(name, input(name, value))
    })
}

fn input(name: &str, value: &str) -> Input {
    if NUMBERS.contains(&name) {
        Input::from(value.parse::<i64>().unwrap())
    } else if SWITCHES.contains(&name) {
        Input::from(value.parse::<bool>().unwrap())
    } else {
        Input::from(value)
    }
}

impl TestApp {
    /// Olga sends a command; returns with its first answer.
    pub(crate) async fn send(&self, text: &str) -> Reply {
        let sent = slash(&self.olga(), text).send().await;
        sent.unwrap_or_else(|error| panic!("/{text}: {error}"))
    }

    /// Olga sends a command and waits for the end of what it does; returns what she reads then.
    pub(crate) async fn done(&self, text: &str) -> String {
        let reply = self.send(text).await;
        self.end_of(&reply).await
    }

    /// Presses a button, and types what its form wants typed.
    pub(crate) async fn confirm(card: &Reply, button: &str) -> Reply {
        let pressed = card.press(button).await.unwrap();
        let modal = pressed.modal().unwrap();
        let phrase = modal.json()["components"][0]["components"][0]["placeholder"].clone();
        let filled = modal.fill("phrase", phrase.as_str().unwrap());
        filled.submit().await.unwrap()
    }

    /// What a reply says once nothing more is to come.
    pub(crate) async fn end_of(&self, reply: &Reply) -> String {
        let ended = reply.until(|text| !text.is_empty() && !text.starts_with('⏳'));
        self.said(&ended.await.unwrap().text())
    }

    /// Olga is refused; returns what only she reads.
    pub(crate) async fn refused(&self, text: &str) -> String {
        let reply = self.send(text).await;
        self.refusal(&reply).await
    }

    /// What is said to one person only: at once, or after an acknowledgement that was taken back.
    pub(crate) async fn refusal(&self, reply: &Reply) -> String {
        let message = tokio::select! {
            answered = reply.until(|text| !text.is_empty()) => answered.unwrap().message().unwrap(),
            message = reply.until_followup(|_| true) => message.unwrap(),
        };
        assert!(
            message.is_ephemeral(),
            "everybody reads: {}",
            message.text()
        );
        self.said(&message.text())
    }

    /// A refusal of a press: the card itself stays as it is.
    pub(crate) async fn whisper(&self, pressed: &Reply) -> String {
        if pressed.is_ephemeral() {
            return self.refusal(pressed).await;
        }
        let message = pressed.until_followup(|_| true).await.unwrap();
        assert!(
            message.is_ephemeral(),
            "everybody reads: {}",
            message.text()
        );
        self.said(&message.text())
    }

    /// Everything the owner sees in the ops channel, oldest first.
    pub(crate) fn seen(&self) -> Vec<String> {
        let messages = self.olga().messages();
        messages
            .iter()
            .map(|message| self.said(&message.text()))
            .collect()
    }

    pub(crate) fn labels(reply: &Reply) -> Vec<String> {
        Self::labels_on(&reply.message().expect("a message"))
    }

    /// What stands on a message's buttons, in brackets if they cannot be pressed.
    pub(crate) fn labels_on(message: &Message) -> Vec<String> {
        message
            .buttons()
            .into_iter()
            .map(|button| {
                if button.enabled {
                    button.label
                } else {
                    format!("({})", button.label)
                }
            })
            .collect()
    }
}
