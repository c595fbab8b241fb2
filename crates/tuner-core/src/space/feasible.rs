//! Whether a space holds any configuration at all.

use super::{Configuration, SearchSpace};

impl SearchSpace {
    /// Whether some configuration satisfies every constraint; `None` when `effort` did not tell. One unit of effort is
    /// about one comparison. A continuous parameter stays unknown, so that only what cannot hold for any of its values is refused.
    pub fn has_valid_configuration(&self, effort: usize) -> Option<bool> {
        const DEEPEST: usize = 100;
        if self.parameters.len() > DEEPEST {
            return None;
        }
        let conditions = self.parameters.iter().filter_map(|p| p.when.as_ref());
        let length: usize = self.constraints.iter().chain(conditions).map(|c| c.to_string().len()).sum();
        let mut search = Search { space: self, price: 1 + length / 16, left: effort };
        search.extends_to_valid(0, &mut Configuration::default())
    }
}

struct Search<'s> {
    space: &'s SearchSpace,
    /// Effort of checking one assignment.
    price: usize,
    left: usize,
}

impl Search<'_> {
    fn extends_to_valid(&mut self, depth: usize, so_far: &mut Configuration) -> Option<bool> {
        self.left = self.left.checked_sub(self.price)?;
        let space = self.space;
        if !space.satisfies_constraints(so_far) {
            return Some(false);
        }
        let Some(parameter) = space.parameters.get(depth) else { return Some(true) };
        let values = parameter.domain.cardinality().unwrap_or(0);
        if values == 0 || !space.is_active(parameter, so_far) {
            return self.extends_to_valid(depth + 1, so_far);
        }
        for value in (0..values).map_while(|i| parameter.domain.nth(i)) {
            so_far.set(&parameter.name, value);
            let found = self.extends_to_valid(depth + 1, so_far);
            so_far.0.remove(&parameter.name);
            if found != Some(false) {
                return found;
            }
        }
        Some(false)
    }
}

#[cfg(test)]
mod tests {
    use crate::space::expr::Expr;
    use crate::space::{Domain, Parameter, SearchSpace};

    fn space(constraint: &str) -> SearchSpace {
        let int = |name: &str, high| Parameter {
            name: name.to_owned(),
            domain: Domain::Int { low: 1, high, step: 1, log: false },
            when: None,
        };
        let real = Parameter {
            name: "x".to_owned(),
            domain: Domain::Float { low: 0.0, high: 1.0, step: None, log: false },
            when: None,
        };
        SearchSpace {
            parameters: vec![int("a", 20), int("b", 20), real],
            constraints: vec![Expr::parse(constraint).unwrap()],
            fixed: crate::Configuration::default(),
        }
    }

    #[test]
    fn an_empty_space_is_told_from_one_that_is_merely_unknown() {
        assert_eq!(space("a + b == 40").has_valid_configuration(10_000), Some(true));
        assert_eq!(space("a + b == 41").has_valid_configuration(10_000), Some(false));
        assert_eq!(space("a + b == 41").has_valid_configuration(100), None);
        assert_eq!(space("x > 5").has_valid_configuration(10_000), Some(true), "a continuum is not searched");
    }
}
