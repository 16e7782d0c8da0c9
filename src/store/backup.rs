//! Copies of the whole database.

use std::path::Path;

use super::Store;

impl Store {
    /// Copies the database as it is now into a file that is not there yet. Others write meanwhile.
    pub async fn copy_into(&self, file: &Path) -> sqlx::Result<()> {
        let file = file.to_string_lossy().into_owned();
        sqlx::query!("VACUUM INTO ?", file)
            .execute(&self.reader)
            .await?;
        Ok(())
    }
}
