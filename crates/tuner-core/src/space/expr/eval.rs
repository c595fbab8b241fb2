//! Kleene's strong three-valued logic: unknown stays unknown unless the other side decides.

use std::cmp::Ordering;

use super::{Comparison, Node, Operation};
use crate::Value;

type Lookup<'l, 'a> = &'l dyn Fn(&str) -> Option<&'a Value>;

/// A value on the way; borrowed, so that evaluation does not allocate.
#[derive(Clone, Copy, Debug)]
enum Operand<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(&'a str),
}

impl<'a> From<&'a Value> for Operand<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(b) => Self::Bool(*b),
            Value::Int(i) => Self::Int(*i),
            Value::Float(x) => Self::Float(*x),
            Value::Text(s) => Self::Text(s),
        }
    }
}

impl Operand<'_> {
    fn number(self) -> Option<f64> {
        match self {
            Self::Int(i) => Some(i as f64),
            Self::Float(x) => Some(x),
            _ => None,
        }
    }
}

/// The truth of a node; `None` is unknown.
pub(super) fn truth(node: &Node, lookup: Lookup<'_, '_>) -> Option<bool> {
    match node {
        Node::Not(inner) => truth(inner, lookup).map(|t| !t),
        Node::And(members) => decide(members.iter().map(|m| truth(m, lookup)), false),
        Node::Or(members) => decide(members.iter().map(|m| truth(m, lookup)), true),
        Node::Compare { op, left, right } => compare(*op, operand(left, lookup)?, operand(right, lookup)?),
        Node::In { item, list } => {
            let item = operand(item, lookup)?;
            decide(list.iter().map(|m| operand(m, lookup).map(|v| equal(item, v))), true)
        }
        Node::Literal(_) | Node::Name { .. } | Node::Arithmetic { .. } => match operand(node, lookup)? {
            Operand::Bool(b) => Some(b),
            _ => None,
        },
    }
}

/// The deciding truth if a member has it, else unknown if one is unknown, else the opposite.
fn decide(members: impl Iterator<Item = Option<bool>>, deciding: bool) -> Option<bool> {
    let mut unknown = false;
    for member in members {
        match member {
            Some(t) if t == deciding => return Some(deciding),
            Some(_) => {}
            None => unknown = true,
        }
    }
    (!unknown).then_some(!deciding)
}

fn operand<'v, 'n: 'v, 'a: 'v>(node: &'n Node, lookup: Lookup<'_, 'a>) -> Option<Operand<'v>> {
    match node {
        Node::Literal(value) => Some(value.into()),
        Node::Name { name, .. } => lookup(name).map(Operand::from),
        Node::Arithmetic { op, left, right } => calculate(*op, operand(left, lookup)?, operand(right, lookup)?),
        _ => truth(node, lookup).map(Operand::Bool),
    }
}

/// Numbers are equal by magnitude, with the slack of `Value::same_meaning`; all else by kind and content.
fn equal(a: Operand<'_>, b: Operand<'_>) -> bool {
    match (a, b) {
        (Operand::Null, Operand::Null) => true,
        (Operand::Bool(a), Operand::Bool(b)) => a == b,
        (Operand::Int(a), Operand::Int(b)) => a == b,
        (Operand::Text(a), Operand::Text(b)) => a == b,
        _ => match (a.number(), b.number()) {
            (Some(a), Some(b)) => a == b || (a - b).abs() <= 1e-9 * a.abs().max(b.abs()),
            _ => false,
        },
    }
}

fn compare(op: Comparison, a: Operand<'_>, b: Operand<'_>) -> Option<bool> {
    match op {
        Comparison::Equal => return Some(equal(a, b)),
        Comparison::NotEqual => return Some(!equal(a, b)),
        _ => {}
    }
    let order = match (a, b) {
        (Operand::Int(a), Operand::Int(b)) => a.cmp(&b),
        (Operand::Text(a), Operand::Text(b)) => a.cmp(b),
        _ if equal(a, b) && a.number().is_some() => Ordering::Equal,
        _ => a.number()?.partial_cmp(&b.number()?)?,
    };
    Some(match op {
        Comparison::Less => order == Ordering::Less,
        Comparison::LessOrEqual => order != Ordering::Greater,
        Comparison::Greater => order == Ordering::Greater,
        Comparison::GreaterOrEqual => order != Ordering::Less,
        Comparison::Equal | Comparison::NotEqual => return None,
    })
}

/// Whole numbers stay whole as long as the result is; what is not a finite number is unknown.
fn calculate<'a>(op: Operation, a: Operand<'_>, b: Operand<'_>) -> Option<Operand<'a>> {
    if let (Operand::Int(a), Operand::Int(b)) = (a, b) {
        let whole = match op {
            Operation::Add => a.checked_add(b),
            Operation::Subtract => a.checked_sub(b),
            Operation::Multiply => a.checked_mul(b),
            Operation::Divide => (a.checked_rem(b) == Some(0)).then(|| a / b),
            Operation::Remainder => a.checked_rem_euclid(b),
        };
        if let Some(whole) = whole {
            return Some(Operand::Int(whole));
        }
    }
    let (a, b) = (a.number()?, b.number()?);
    let real = match op {
        Operation::Add => a + b,
        Operation::Subtract => a - b,
        Operation::Multiply => a * b,
        Operation::Divide => a / b,
        Operation::Remainder => a.rem_euclid(b),
    };
    real.is_finite().then_some(Operand::Float(real))
}
