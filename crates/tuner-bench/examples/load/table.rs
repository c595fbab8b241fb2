//! One line per figure: what was measured, its goal, and how far it is from it.

/// Whether less is better than the goal, and by how much it was met.
pub(crate) struct Table {
    met: bool,
}

impl Table {
    pub(crate) fn new() -> Self {
        println!("{:<44} {:>12} {:>10} {:>14}", "figure", "measured", "goal", "measured/goal");
        Self { met: true }
    }

    /// A figure whose goal is not to exceed `goal`.
    pub(crate) fn row(&mut self, name: &str, measured: Option<f64>, goal: f64, unit: &str) {
        let Some(measured) = measured else {
            println!("{name:<44} {:>12} {goal:>7} {unit:<2} {:>14}", "n/a", "");
            self.met = false;
            return;
        };
        let ratio = measured / goal;
        self.met &= ratio <= 1.0;
        let word = if ratio <= 1.0 { "" } else { "  missed" };
        println!("{name:<44} {measured:>9.3} {unit:<2} {goal:>7} {unit:<2} {ratio:>12.2}×{word}");
    }

    /// A remark under a figure.
    pub(crate) fn note(&self, text: &str) {
        println!("    {text}");
    }

    pub(crate) fn all_met(&self) -> bool {
        self.met
    }
}
