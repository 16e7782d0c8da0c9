use axum::body::Bytes;

/// An uploaded file, kept in memory.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) content_type: String,
    pub(crate) bytes: Bytes,
    /// Stands in the file's address, as Discord signs its own.
    pub(crate) key: String,
}
