//! A table in plain text: columns as wide as their widest cell, one of them cut to what the line leaves.

/// Side to which a column is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Set {
    Left,
    Right,
}

/// Rows under heads, indented by two; `flexible` is cut so that no line is wider than `width`.
pub(super) fn table(heads: &[(&str, Set)], rows: &[Vec<String>], flexible: usize, width: usize) -> Vec<String> {
    const GAP: usize = 2;
    let mut widths: Vec<usize> = heads.iter().map(|(head, _)| head.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let others: usize = widths.iter().enumerate().filter(|(i, _)| *i != flexible).map(|(_, w)| w + GAP).sum();
    if let Some(own) = widths.get_mut(flexible) {
        *own = (*own).min(width.saturating_sub(others + GAP).max(12));
    }
    let line = |cells: Vec<&str>| {
        let mut text = String::from("  ");
        for (i, cell) in cells.iter().enumerate() {
            let width = widths.get(i).copied().unwrap_or_default();
            let cell = cut(cell, width);
            let pad = " ".repeat(width.saturating_sub(cell.chars().count()));
            match heads.get(i).map(|(_, set)| *set) {
                Some(Set::Right) => text.extend([pad.as_str(), &cell]),
                _ => text.extend([cell.as_str(), &pad]),
            }
            text.push_str("  ");
        }
        text.trim_end().to_owned()
    };
    let mut lines = vec![line(heads.iter().map(|(head, _)| *head).collect())];
    lines.extend(rows.iter().map(|row| line(row.iter().map(String::as_str).collect())));
    lines
}

/// The text, or its beginning and an ellipsis.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(width.saturating_sub(1)).collect();
    out.push('…');
    out
}

/// Words on lines of at most `width` characters.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let Some(line) = lines.last_mut() else { continue };
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flexible_column_gives_way_to_the_width() {
        let rows = [vec!["1".to_owned(), "a rather long configuration".to_owned()]];
        let lines = table(&[("#", Set::Right), ("configuration", Set::Left)], &rows, 1, 24);
        assert_eq!(lines, ["  #  configuration", "  1  a rather long conf…"]);
    }

    #[test]
    fn words_wrap_at_the_width() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
    }
}
