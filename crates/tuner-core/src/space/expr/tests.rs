use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn truth(source: &str, values: &[(&str, Value)]) -> Option<bool> {
    let values: BTreeMap<&str, &Value> = values.iter().map(|(k, v)| (*k, v)).collect();
    Expr::parse(source).unwrap().evaluate(&|name| values.get(name).copied())
}

fn refusal(source: &str) -> String {
    Expr::parse(source).unwrap_err().to_string()
}

#[test]
fn names_keep_their_dashes_and_dots() {
    let expr = Expr::parse("max-num-batched-tokens >= max-num-seqs and rope.scale < 2 - block-size").unwrap();
    assert_eq!(expr.names(), ["max-num-batched-tokens", "max-num-seqs", "rope.scale", "block-size"]);
    assert_eq!(expr.name_columns()[1], ("max-num-seqs", 27));
}

#[test]
fn a_known_side_decides_and_an_unknown_one_does_not() {
    let known = [("a", Value::Int(1))];
    assert_eq!(truth("a == 2 and b == 1", &known), Some(false));
    assert_eq!(truth("b == 1 and a == 2", &known), Some(false));
    assert_eq!(truth("a == 1 and b == 1", &known), None);
    assert_eq!(truth("b == 1 or a == 1", &known), Some(true));
    assert_eq!(truth("b == 1 or a == 2", &known), None);
    assert_eq!(truth("not (b == 1)", &known), None);
    assert_eq!(truth("1 in [b, a]", &known), Some(true));
    assert_eq!(truth("2 in [b, a]", &known), None);
    assert_eq!(truth("2 not in [a]", &known), Some(true));
}

#[test]
fn arithmetic_and_comparison_follow_the_usual_order() {
    let v = [
        ("a", Value::Int(6)),
        ("b", Value::Int(4)),
        ("f", Value::Float(0.3)),
        ("t", Value::from("fcfs")),
        ("n", Value::Null),
    ];
    for (source, expected) in [
        ("a + b * 2 == 14", Some(true)),
        ("(a + b) * 2 == 20", Some(true)),
        ("a - b - 1 == 1", Some(true)),
        ("a / b == 1.5", Some(true)),
        ("a % b == 2", Some(true)),
        ("a % 0 == 0", None),
        ("a / 0 > 1", None),
        ("f == 0.1 + 0.2", Some(true)),
        ("f <= 0.1 + 0.2", Some(true)),
        ("f < 0.1 + 0.2", Some(false)),
        ("a == 6.0", Some(true)),
        ("a > -1", Some(true)),
        ("a > 1 - 2", Some(true)),
        ("t == 'fcfs'", Some(true)),
        ("t in [\"lpm\", \"fcfs\"]", Some(true)),
        ("t == 6", Some(false)),
        ("t < 6", None),
        ("n == null", Some(true)),
        ("n < 6", None),
        ("n + 1 == 1", None),
        ("not a == 6 or b == 4", Some(true)),
        ("a == 6 or b == 5 and b == 9", Some(true)),
        ("9223372036854775807 + 1 > a", Some(true)),
    ] {
        assert_eq!(truth(source, &v), expected, "{source}");
    }
}

#[test]
fn a_switch_is_a_condition_by_itself() {
    assert_eq!(truth("enable-x", &[("enable-x", Value::Bool(true))]), Some(true));
    assert_eq!(truth("not enable-x", &[("enable-x", Value::Bool(true))]), Some(false));
    assert_eq!(truth("enable-x", &[("enable-x", Value::Int(1))]), None);
}

#[test]
fn refusals_say_where_and_what_to_write() {
    let all: Vec<String> = [
        "",
        "a = 1",
        "a == 1 && b == 2",
        "a == 1 || b",
        "!a",
        "a <> 1",
        "1 < a < 3",
        "a ==",
        "a == 1)",
        "(a == 1",
        "a b",
        "a in 3",
        "a in [1 2]",
        "a not 3",
        "a == \"x",
        "a == 4bit",
        "a- 1 == 2",
        "--a == 1",
        "a + 1",
        "\"a\"",
        "a == True",
        "a == None",
        "a + 'x' == 2",
        "a < null",
        "a ** 2 == 4",
        "a == @",
        "[1] == a",
        "and",
        "3 and a",
    ]
    .into_iter()
    .map(|source| format!("{source:20} {}", refusal(source)))
    .collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn deep_and_long_conditions_are_refused() {
    assert!(refusal(&"(".repeat(1500)).contains("nested deeper"));
    assert!(refusal(&"not ".repeat(400)).contains("nested deeper"));
    assert!(refusal(&"a ".repeat(2000)).contains("longer than"));
}

#[test]
fn a_condition_travels_as_text() {
    let expr = Expr::parse("a >= b").unwrap();
    let json = serde_json::to_string(&expr).unwrap();
    assert_eq!(json, "\"a >= b\"");
    assert_eq!(serde_json::from_str::<Expr>(&json).unwrap(), expr);
}

/// A condition with the meaning that it must have, built together with its text.
#[derive(Clone, Debug)]
struct Meant {
    text: String,
    truth: Option<bool>,
}

/// Names `p0..p3`: 0, 1, 2 and one without a value.
fn meant() -> impl Strategy<Value = Meant> {
    let name_value = |i: i64| (i < 3).then_some(i);
    let leaf = (0..4i64, 0..4i64, 0..4usize).prop_map(move |(name, number, op)| {
        let sign = ["==", "!=", "<", ">="][op];
        let truth = name_value(name).map(|v| [v == number, v != number, v < number, v >= number][op]);
        Meant { text: format!("p{name} {sign} {number}"), truth }
    });
    leaf.prop_recursive(4, 24, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|m| Meant { text: format!("not ({})", m.text), truth: m.truth.map(|t| !t) }),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| Meant {
                text: format!("({}) and ({})", a.text, b.text),
                truth: match (a.truth, b.truth) {
                    (Some(false), _) | (_, Some(false)) => Some(false),
                    (Some(true), Some(true)) => Some(true),
                    _ => None,
                },
            }),
            (inner.clone(), inner).prop_map(|(a, b)| Meant {
                text: format!("({}) or ({})", a.text, b.text),
                truth: match (a.truth, b.truth) {
                    (Some(true), _) | (_, Some(true)) => Some(true),
                    (Some(false), Some(false)) => Some(false),
                    _ => None,
                },
            }),
        ]
    })
}

proptest! {
    #[test]
    fn evaluation_is_kleenes_logic(meant in meant()) {
        let values = [Value::Int(0), Value::Int(1), Value::Int(2)];
        let expr = Expr::parse(&meant.text).unwrap();
        let found = expr.evaluate(&|name| values.get(name[1..].parse::<usize>().unwrap()));
        prop_assert_eq!(found, meant.truth, "{}", meant.text);
    }

    /// Learning a value never changes a truth that was known without it.
    #[test]
    fn knowing_more_never_contradicts(meant in meant(), extra in 0..4i64) {
        let values = [Value::Int(0), Value::Int(1), Value::Int(2), Value::Int(extra)];
        let expr = Expr::parse(&meant.text).unwrap();
        let more = expr.evaluate(&|name| values.get(name[1..].parse::<usize>().unwrap()));
        prop_assert!(meant.truth.is_none() || more == meant.truth);
    }

    #[test]
    fn no_text_panics(source in "[a-c0-9 ().,\\[\\]<>=!&|*/%+'\"-]{0,40}|\\PC{0,40}") {
        if let Ok(expr) = Expr::parse(&source) {
            let value = Value::Int(1);
            let _ = expr.evaluate(&|_| Some(&value));
            prop_assert_eq!(Expr::parse(&expr.to_string()).unwrap(), expr);
        }
    }
}
