//! What every test ends with: nothing was done without being told, and what was told is as it was.

use std::path::Path;

use sqlx::{Connection as _, SqliteConnection};
use yardarm::store::ledger::Ledger;

/// The audit is whole, and each action is in the state that it was last told to be in.
pub(crate) async fn assert_told(database: &Path) {
    assert_eq!(complaints(database).await, Vec::<String>::new());
}

/// What is wrong with the audit.
pub(crate) async fn complaints(database: &Path) -> Vec<String> {
    let ledger = Ledger::open(database).await.unwrap();
    let broken = ledger.verify(&[]).await.unwrap().broken;
    let broken = broken.map(|broken| format!("the audit is broken: {broken}"));
    broken.into_iter().chain(untold(database).await).collect()
}

async fn untold(database: &Path) -> Vec<String> {
    let address = format!("sqlite://{}", database.display());
    let mut connection = SqliteConnection::connect(&address).await.unwrap();
    // While one is running the ends of its targets are told, too. A purge takes what was told with it.
    let rows = sqlx::query!(
        r#"SELECT id, state, (
               SELECT what FROM audit WHERE action_id = actions.id AND what IN
                   ('asked', 'accepted', 'running', 'succeeded', 'failed', 'interrupted', 'cancelled', 'expired',
                    'denied', 'void')
               ORDER BY audit.id DESC LIMIT 1
           ) AS "told: String"
           FROM actions WHERE state != 'running' AND (
               id IN (SELECT action_id FROM audit) OR NOT EXISTS (SELECT 1 FROM audit WHERE what = 'purged')
           )"#
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    connection.close().await.unwrap();
    let differs = rows.into_iter().filter(|row| {
        let told = row
            .told
            .as_deref()
            .map(|word| if word == "accepted" { "pending" } else { word });
        told != Some(row.state.as_str())
    });
    differs
        .map(|row| format!("action {} is {}, told as {:?}", row.id, row.state, row.told))
        .collect()
}
