//! Numbers as people read them: three significant digits, signs on differences, units outside.

/// Three significant digits, no exponent between 0.001 and a million; thousands are not grouped, so that a figure can
/// be pasted.
pub(super) fn figure(x: f64) -> String {
    if !x.is_finite() {
        return "–".to_owned();
    }
    let size = x.abs();
    let decimals = match size {
        _ if size == 0.0 || size >= 99.95 => 0,
        _ if size >= 9.995 => 1,
        _ if size >= 0.9995 => 2,
        _ if size >= 0.001 => 3,
        _ => return format!("{x:.1e}"),
    };
    format!("{x:.decimals$}")
}

/// A share as a percentage: `0.0123` is `1.2 %`.
pub(super) fn percent(share: f64) -> String {
    let points = share * 100.0;
    let decimals = usize::from(points.abs() < 9.95 && points != 0.0);
    format!("{points:.decimals$} %")
}

/// A change against 1 with its sign: `1.153` is `+15 %`, `0.97` is `−3.0 %`.
pub(super) fn change(ratio: f64) -> String {
    let text = percent((ratio - 1.0).abs());
    if text.trim_start_matches(['0', '.', ' ']).starts_with('%') {
        return "±0 %".to_owned();
    }
    format!("{}{text}", if ratio < 1.0 { '−' } else { '+' })
}

/// Seconds as a person says them: `42 s`, `3 min 20 s`, `2 h 05 min`.
pub(super) fn span(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "–".to_owned();
    }
    if seconds < 9.95 {
        // The sum of nothing is a negative zero.
        return format!("{:.1} s", seconds + 0.0);
    }
    let whole = seconds.round() as u64;
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} min {s:02} s"),
        (h, m, _) => format!("{h} h {m:02} min"),
    }
}

/// `1 experiment`, `3 experiments`.
pub(crate) fn count(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_carry_three_digits() {
        let pairs = [
            (0.0, "0"),
            (1234.56, "1235"),
            (99.96, "100"),
            (43.21, "43.2"),
            (5.0, "5.00"),
            (0.0123, "0.012"),
            (1e-5, "1.0e-5"),
        ];
        for (x, text) in pairs {
            assert_eq!(figure(x), text);
        }
        assert_eq!(figure(f64::NAN), "–");
    }

    #[test]
    fn changes_carry_their_sign_and_no_sign_for_nothing() {
        assert_eq!(change(1.153), "+15 %");
        assert_eq!(change(0.97), "−3.0 %");
        assert_eq!(change(1.0), "±0 %");
        assert_eq!(change(0.9999), "±0 %");
        assert_eq!(change(2.5), "+150 %");
    }

    #[test]
    fn spans_grow_with_their_unit() {
        assert_eq!(span(4.25), "4.2 s");
        assert_eq!(span([0.0; 0].iter().sum()), "0.0 s");
        assert_eq!(span(59.6), "1 min 00 s");
        assert_eq!(span(7500.0), "2 h 05 min");
    }
}
