//! The whole database as text, to be compared.

use std::{collections::BTreeMap, path::Path};

use sqlx::{AssertSqlSafe, Connection as _, Row as _, SqliteConnection};

/// The rows of each table, as SQL would write their values. Refusals are left out of the audit.
pub(crate) async fn tables(database: &Path) -> BTreeMap<String, Vec<String>> {
    let address = format!("sqlite://{}", database.display());
    let mut connection = SqliteConnection::connect(&address).await.unwrap();
    let names = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    let mut tables = BTreeMap::new();
    for table in texts(&mut connection, names.to_owned()).await {
        let columns =
            format!("SELECT 'quote(\"' || name || '\")' FROM pragma_table_info('{table}')");
        let columns = texts(&mut connection, columns).await.join(" || ',' || ");
        let told = if table == "audit" {
            "WHERE what != 'refused'"
        } else {
            ""
        };
        let rows = format!("SELECT {columns} FROM \"{table}\" {told} ORDER BY 1");
        let rows = texts(&mut connection, rows).await;
        tables.insert(table, rows);
    }
    connection.close().await.unwrap();
    tables
}

async fn texts(connection: &mut SqliteConnection, sql: String) -> Vec<String> {
    let rows = sqlx::raw_sql(AssertSqlSafe(sql))
        .fetch_all(connection)
        .await;
    rows.unwrap().iter().map(|row| row.get(0)).collect()
}
