//! A numeric domain as a line, so that distance means something.

use tuner_core::space::Domain;
use tuner_core::value::Value;

/// A numeric domain laid on a line from `low` to `high` (log domains: natural logarithms).
///
/// Domains with steps are widened by half a step on both sides; every value then owns a *cell* and the cells tile the
/// line without gap or overlap.
#[derive(Clone, Debug)]
pub struct Axis<'a> {
    domain: &'a Domain,
    /// Left end of the line.
    pub low: f64,
    /// Right end of the line.
    pub high: f64,
    /// Positions of an ordinal's values and the borders between their cells.
    listed: Option<Listed>,
}

#[derive(Clone, Debug)]
struct Listed {
    positions: Vec<f64>,
    borders: Vec<f64>,
}

impl<'a> Axis<'a> {
    /// The line of a numeric domain; `None` for switches and unordered lists.
    pub fn of(domain: &'a Domain) -> Option<Self> {
        match domain {
            Domain::Bool | Domain::Categorical { .. } => None,
            Domain::Ordinal { values } => {
                let listed = Listed::of(values);
                let (low, high) = (*listed.borders.first()?, *listed.borders.last()?);
                Some(Self { domain, low, high, listed: Some(listed) })
            }
            Domain::Float { low, high, step: None, log } => {
                let end = |x: f64| if *log { x.ln() } else { x };
                Some(Self { domain, low: end(*low), high: end(*high), listed: None })
            }
            Domain::Int { .. } | Domain::Float { .. } => {
                let last = domain.nth(domain.cardinality()?.saturating_sub(1))?.as_f64()?;
                let first = domain.nth(0)?.as_f64()?;
                let (low, high) = (raw_cell(domain, first)?.0, raw_cell(domain, last)?.1);
                Some(Self { domain, low, high, listed: None })
            }
        }
    }

    /// Where a value lies on the line.
    pub fn position(&self, value: &Value) -> Option<f64> {
        if let Some(listed) = &self.listed {
            return listed.positions.get(self.domain.index_of(value)? as usize).copied();
        }
        let x = value.as_f64()?;
        Some(if is_log(self.domain) { x.ln() } else { x })
    }

    /// The part of the line that belongs to the value at `position`; `None` where every point is a value of its own.
    pub fn cell(&self, position: f64) -> Option<(f64, f64)> {
        if let Some(listed) = &self.listed {
            let i = listed.index(position);
            return Some((listed.borders[i], listed.borders[i + 1]));
        }
        raw_cell(self.domain, if is_log(self.domain) { position.exp() } else { position })
    }

    /// The value whose cell holds `position`, and the value's own position.
    pub fn nearest(&self, position: f64) -> Option<(Value, f64)> {
        let position = position.clamp(self.low, self.high);
        let value = match (&self.listed, self.domain) {
            (Some(listed), _) => self.domain.nth(listed.index(position) as u64)?,
            (None, Domain::Float { low, high, step: None, log }) => {
                let x = if *log { position.exp() } else { position };
                Value::Float(x.clamp(*low, *high))
            }
            (None, domain) => {
                let x = if is_log(domain) { position.exp() } else { position };
                let (first, step) = lattice(domain)?;
                let last = domain.cardinality()?.saturating_sub(1);
                let index = ((x - first) / step).round().max(0.0) as u64;
                domain.nth(index.min(last))?
            }
        };
        let own = self.position(&value)?;
        Some((value, own))
    }
}

impl Listed {
    fn of(values: &[Value]) -> Self {
        let numbers: Vec<f64> = values.iter().enumerate().map(|(i, v)| v.as_f64().unwrap_or(i as f64)).collect();
        let positions: Vec<f64> = if looks_geometric(&numbers) {
            numbers.iter().map(|x| x.ln()).collect()
        } else {
            (0..numbers.len()).map(|i| i as f64).collect()
        };
        let mut borders: Vec<f64> = positions.windows(2).map(|w| f64::midpoint(w[0], w[1])).collect();
        let (first, last) = (positions[0], positions[positions.len() - 1]);
        let before = borders.first().map_or(0.5, |b| b - first);
        let after = borders.last().map_or(0.5, |b| last - b);
        borders.insert(0, first - before);
        borders.push(last + after);
        Self { positions, borders }
    }

    fn index(&self, position: f64) -> usize {
        let inner = &self.borders[1..self.borders.len() - 1];
        inner.partition_point(|&border| border <= position)
    }
}

/// Positive numbers over at least a factor of four whose ratios vary less than their differences: 8, 16, 32, 48, 64.
fn looks_geometric(numbers: &[f64]) -> bool {
    let (Some(&first), Some(&last)) = (numbers.first(), numbers.last()) else { return false };
    if numbers.len() < 3 || first <= 0.0 || last / first < 4.0 {
        return false;
    }
    let spread = |gaps: Vec<f64>| {
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        gaps.iter().map(|g| (g / mean - 1.0).powi(2)).sum::<f64>()
    };
    let ratios = numbers.windows(2).map(|w| (w[1] / w[0]).ln()).collect();
    let differences = numbers.windows(2).map(|w| w[1] - w[0]).collect();
    spread(ratios) < spread(differences)
}

fn is_log(domain: &Domain) -> bool {
    matches!(domain, Domain::Int { log: true, .. } | Domain::Float { log: true, .. })
}

/// First value and step of a lattice.
fn lattice(domain: &Domain) -> Option<(f64, f64)> {
    match domain {
        Domain::Int { low, step, .. } => Some((*low as f64, *step as f64)),
        Domain::Float { low, step: Some(step), .. } => Some((*low, *step)),
        _ => None,
    }
}

/// The cell of a lattice value `x` given in its own unit, on the line. On a log scale the left half step is cut at half
/// the value, which keeps the first cell positive and changes no other.
fn raw_cell(domain: &Domain, x: f64) -> Option<(f64, f64)> {
    let (_, step) = lattice(domain)?;
    let half = step / 2.0;
    Some(if is_log(domain) { ((x - half).max(x / 2.0).ln(), (x + half).ln()) } else { (x - half, x + half) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domains() -> Vec<Domain> {
        let ordinal = |values: &[i64]| Domain::Ordinal { values: values.iter().map(|&v| Value::Int(v)).collect() };
        vec![
            ordinal(&[8, 16, 32, 48, 64, 128, 1024]),
            ordinal(&[1, 2, 3, 4, 5]),
            ordinal(&[7]),
            Domain::Int { low: 1, high: 20, step: 1, log: true },
            Domain::Int { low: 1, high: 21, step: 5, log: true },
            Domain::Int { low: -4, high: 9, step: 3, log: false },
            Domain::Float { low: 0.7, high: 0.98, step: Some(0.05), log: false },
            Domain::Float { low: 0.01, high: 1.0, step: Some(0.01), log: true },
        ]
    }

    #[test]
    fn cells_tile_the_line_and_hold_their_own_value() {
        for domain in domains() {
            let axis = Axis::of(&domain).unwrap();
            let mut edge = axis.low;
            for index in 0..domain.cardinality().unwrap() {
                let value = domain.nth(index).unwrap();
                let position = axis.position(&value).unwrap();
                let (left, right) = axis.cell(position).unwrap();
                assert!((left - edge).abs() < 1e-9 && left < position && position < right, "{domain:?} {value}");
                for inside in [left + 1e-9, position, right - 1e-9] {
                    assert_eq!(axis.nearest(inside).unwrap().0, value, "{domain:?}");
                }
                edge = right;
            }
            assert!((edge - axis.high).abs() < 1e-9, "{domain:?}");
        }
    }

    #[test]
    fn doubling_lists_lie_evenly_in_logarithms_and_plain_lists_by_their_index() {
        let gaps = |values: &[i64]| -> Vec<f64> {
            let domain = Domain::Ordinal { values: values.iter().map(|&v| Value::Int(v)).collect() };
            let axis = Axis::of(&domain).unwrap();
            let at: Vec<f64> = values.iter().map(|&v| axis.position(&Value::Int(v)).unwrap()).collect();
            at.windows(2).map(|w| w[1] - w[0]).collect()
        };
        assert!(gaps(&[8, 16, 32]).iter().all(|g| (g - 2f64.ln()).abs() < 1e-12));
        assert_eq!(gaps(&[1, 2, 3, 4, 5]), [1.0; 4]);
        assert_eq!(gaps(&[0, 1, 100]), [1.0; 2]);
    }
}
