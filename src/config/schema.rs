//! JSON Schemas, so that editors complete and check what people write.

use schemars::{JsonSchema, generate::SchemaSettings};

use super::File;
use crate::domain::template::TemplateBody;

/// File name and content of each, as they are committed in `configs/schema`.
pub fn all() -> [(&'static str, String); 2] {
    [
        ("agent-template.json", schema::<TemplateBody>()),
        ("yardarm.json", schema::<File>()),
    ]
}

fn schema<T: JsonSchema>() -> String {
    // Draft 7 is what editors' TOML and JSON plug-ins know best.
    let schema = SchemaSettings::draft07()
        .into_generator()
        .into_root_schema_for::<T>();
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
