//! What tests of alerts share.

use localcord::Message;
use yardarm::domain::agent::State;

use super::{program::Program, test_app::TestApp};

/// An app that tells at once what goes wrong, with `scout` at work.
pub(crate) async fn prompt(more: &[(&str, &str)]) -> TestApp {
    let mut settings = vec![("alerts.group_wait_s", "0")];
    settings.extend_from_slice(more);
    let test = TestApp::start_with(&settings).await;
    test.deploy("scout").await;
    // Cut off before it is shown, its end would be first in the channel, and due only later.
    test.delivered().await;
    test.engine.forget_calls();
    test
}

pub(crate) fn die(test: &TestApp, agent: &str, exit_code: i64) {
    let container = test.engine.id_of(&format!("yardarm-{agent}"));
    test.engine.kill(&container, exit_code);
}

pub(crate) fn is_card(message: &Message) -> bool {
    message.text().contains("-# alert")
}

pub(crate) fn cards(test: &TestApp) -> Vec<Message> {
    let mut all = test.cord.channel("ops").messages();
    all.retain(is_card);
    all
}

/// Waits until the card says this; returns all of it.
pub(crate) async fn card(test: &TestApp, text: &str) -> String {
    let shows = |message: &Message| is_card(message) && message.text().contains(text);
    let found = test.cord.channel("ops").wait_for(shows).await;
    test.said(found.unwrap().content())
}

pub(crate) async fn running(test: &TestApp, agent: &str) {
    test.until(|ops| {
        ops.roster
            .view(agent)
            .is_some_and(|view| view.state == State::Running && view.busy.is_none())
    })
    .await;
}

/// What reads the channel of alerts.
pub(crate) fn said_in_ops(test: &TestApp) -> usize {
    test.cord.channel("ops").messages().len()
}

/// Waits until so many starts are over, as of `scout`.
pub(crate) async fn starts(test: &TestApp, count: usize) {
    test.until(|ops| {
        let started = test
            .engine
            .changes()
            .iter()
            .filter(|one| one.starts_with("start "))
            .count();
        started == count && ops.roster.view("scout").unwrap().busy.is_none()
    })
    .await;
}

impl Program {
    /// Waits for a card that says all this.
    pub(crate) async fn card(&self, texts: &[&str]) -> String {
        let ops = self.cord.channel("ops");
        let told = ops.wait_for(|message| {
            let text = message.text();
            is_card(message) && texts.iter().all(|wanted| text.contains(wanted))
        });
        told.await.unwrap().text()
    }
}
