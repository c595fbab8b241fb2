//! The report for machines: the model itself, indented.

use super::RenderError;
use super::model::Report;

pub(super) fn render(report: &Report) -> Result<String, RenderError> {
    let mut text = serde_json::to_string_pretty(report)?;
    text.push('\n');
    Ok(text)
}
