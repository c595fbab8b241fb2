//! RFC 4180: records with the line each begins on.

use super::format::Wrong;

/// Every record of a text, blank lines left out.
pub(super) fn records(text: &str) -> Result<Vec<(u64, Vec<String>)>, Wrong> {
    let mut records = Vec::new();
    let mut chars = text.chars().peekable();
    let mut line = 1;
    while chars.peek().is_some() {
        let begun = line;
        let mut record = Vec::new();
        loop {
            let mut cell = String::new();
            if chars.next_if_eq(&'"').is_some() {
                loop {
                    match chars.next() {
                        Some('"') if chars.next_if_eq(&'"').is_some() => cell.push('"'),
                        Some('"') => break,
                        Some(c) => {
                            line += u64::from(c == '\n');
                            cell.push(c);
                        }
                        None => return Err((begun, "a quoted field is not closed".to_owned())),
                    }
                }
                if !matches!(chars.peek(), None | Some(',' | '\r' | '\n')) {
                    return Err((line, "text after a closing quote; double the quotes inside a field".to_owned()));
                }
            } else {
                while let Some(c) = chars.next_if(|c| !matches!(c, ',' | '\r' | '\n')) {
                    if c == '"' {
                        return Err((line, "a quote inside a field that does not begin with one".to_owned()));
                    }
                    cell.push(c);
                }
            }
            record.push(cell);
            if chars.next_if_eq(&',').is_none() {
                break;
            }
        }
        let cr = chars.next_if_eq(&'\r').is_some();
        let lf = chars.next_if_eq(&'\n').is_some();
        line += u64::from(cr || lf);
        if record.len() > 1 || !record[0].is_empty() {
            records.push((begun, record));
        }
    }
    Ok(records)
}

/// A table: the names of its columns in lower case, and its records.
pub(super) struct Table {
    pub(super) header: Vec<String>,
    pub(super) records: Vec<(u64, Vec<String>)>,
}

impl Table {
    /// Position of a column.
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|h| h == name)
    }
}

/// Reads a table whose first record names the columns.
pub(super) fn table(text: &str) -> Result<Table, Wrong> {
    let mut records = records(text)?.into_iter();
    let (_, header) = records.next().unwrap_or_default();
    let header = header.iter().map(|name| name.trim().to_ascii_lowercase()).collect();
    Ok(Table { header, records: records.collect() })
}
