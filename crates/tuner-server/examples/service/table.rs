//! One line per figure: its goal, and on each database what was measured and how far that is from it.

/// What was measured on one database, in the order of the table.
#[derive(Default)]
pub(crate) struct Figures {
    rows: Vec<Row>,
    notes: Vec<String>,
}

struct Row {
    name: String,
    goal: Option<f64>,
    unit: &'static str,
    measured: f64,
}

impl Figures {
    /// A figure that is not to exceed `goal`; not a number where it could not be had.
    pub(crate) fn add(&mut self, name: &str, measured: f64, goal: Option<f64>, unit: &'static str) {
        eprintln!("    {name}: {measured:.1} {unit}");
        self.rows.push(Row { name: name.to_owned(), goal, unit, measured });
    }

    /// A remark under the table.
    pub(crate) fn note(&mut self, text: String) {
        eprintln!("    {text}");
        self.notes.push(text);
    }
}

/// Prints the databases side by side; whether every goal was met.
pub(crate) fn print(databases: &[(&str, Figures)]) -> bool {
    let heads: String = databases.iter().map(|(name, _)| format!("{name:>14} {:>14}", "measured/goal")).collect();
    println!("{:<42} {:>9}{heads}", "figure", "goal");
    let mut met = true;
    for (place, row) in databases.first().iter().flat_map(|(_, first)| first.rows.iter().enumerate()) {
        let goal = row.goal.map(|goal| format!("{goal} {}", row.unit)).unwrap_or_default();
        let mut line = format!("{:<42} {goal:>9}", row.name);
        for row in databases.iter().filter_map(|(_, figures)| figures.rows.get(place)) {
            let measured = format!("{:.1} {}", row.measured, row.unit);
            let ratio = row.goal.map(|goal| row.measured / goal);
            // What is not a number misses its goal too.
            let missed = ratio.is_some_and(|ratio| ratio.is_nan() || ratio > 1.0);
            met &= !missed;
            let ratio = ratio.map(|ratio| format!("{ratio:.2}×{}", if missed { "!" } else { " " })).unwrap_or_default();
            line.push_str(&format!("{measured:>14} {ratio:>14}"));
        }
        println!("{line}");
    }
    for (name, figures) in databases {
        figures.notes.iter().for_each(|note| println!("    {name}: {note}"));
    }
    met
}
