//! Tokens to a tree, by recursive descent. Loosest first: `or`, `and`, `not`, comparison or `in`, `+ -`, `* / %`.

use super::lex::{Token, tokens};
use super::{Comparison, Expr, ExprError, Node, Operation};
use crate::Value;

/// Nesting that is parsed; deeper text is refused rather than risking the stack.
const MAX_DEPTH: usize = 40;

/// Parses a whole condition.
pub(super) fn condition(source: &str) -> Result<Node, ExprError> {
    if source.len() > Expr::MAX_LENGTH {
        let message = format!("the condition is longer than {} bytes", Expr::MAX_LENGTH);
        return Err(ExprError { message, column: 1 });
    }
    let end = source.chars().count() + 1;
    let mut parser = Parser { tokens: tokens(source)?, at: 0, end, depth: 0 };
    if parser.tokens.is_empty() {
        return Err(ExprError { message: "the condition is empty".to_owned(), column: 1 });
    }
    let root = parser.any()?;
    if let Some((token, column)) = parser.tokens.get(parser.at) {
        let message = match token {
            Token::Compare(_) => "comparisons do not chain; join two with `and`".to_owned(),
            Token::Close => "this `)` closes nothing".to_owned(),
            _ => format!("{} cannot follow here; is an operator missing?", token.describe()),
        };
        return Err(ExprError { message, column: *column });
    }
    expect_truth(&root, 1)?;
    Ok(root)
}

/// What a sub-expression can give, as far as its form tells.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Truth,
    Number,
    Text,
    Null,
    Unknown,
}

fn kind(node: &Node) -> Kind {
    match node {
        Node::Literal(Value::Bool(_)) => Kind::Truth,
        Node::Literal(Value::Int(_) | Value::Float(_)) | Node::Arithmetic { .. } => Kind::Number,
        Node::Literal(Value::Text(_)) => Kind::Text,
        Node::Literal(Value::Null) => Kind::Null,
        Node::Name { .. } => Kind::Unknown,
        _ => Kind::Truth,
    }
}

fn expect_truth(node: &Node, column: usize) -> Result<(), ExprError> {
    let found = match kind(node) {
        Kind::Truth | Kind::Unknown => return Ok(()),
        Kind::Number => "a number",
        Kind::Text => "a text",
        Kind::Null => "null",
    };
    let message = format!("this is {found}, not a condition; compare it with something");
    Err(ExprError { message, column })
}

fn expect_number(node: &Node, column: usize) -> Result<(), ExprError> {
    let found = match kind(node) {
        Kind::Number | Kind::Unknown => return Ok(()),
        Kind::Truth => "a condition",
        Kind::Text => "a text",
        Kind::Null => "null",
    };
    Err(ExprError { message: format!("only numbers can be calculated with, this is {found}"), column })
}

struct Parser {
    tokens: Vec<(Token, usize)>,
    at: usize,
    end: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(t, _)| t)
    }

    fn column(&self) -> usize {
        self.tokens.get(self.at).map_or(self.end, |(_, c)| *c)
    }

    fn take(&mut self, token: &Token) -> bool {
        let there = self.peek() == Some(token);
        self.at += usize::from(there);
        there
    }

    fn fail<T>(&self, message: impl Into<String>) -> Result<T, ExprError> {
        Err(ExprError { message: message.into(), column: self.column() })
    }

    fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, ExprError>) -> Result<T, ExprError> {
        if self.depth == MAX_DEPTH {
            return self.fail(format!("the condition is nested deeper than {MAX_DEPTH}"));
        }
        self.depth += 1;
        let out = inner(self);
        self.depth -= 1;
        out
    }

    fn any(&mut self) -> Result<Node, ExprError> {
        self.members(&Token::Or, Self::all, Node::Or)
    }

    fn all(&mut self) -> Result<Node, ExprError> {
        self.members(&Token::And, Self::negation, Node::And)
    }

    fn members(
        &mut self,
        joint: &Token,
        member: fn(&mut Self) -> Result<Node, ExprError>,
        build: fn(Vec<Node>) -> Node,
    ) -> Result<Node, ExprError> {
        let mut column = self.column();
        let first = member(self)?;
        if self.peek() != Some(joint) {
            return Ok(first);
        }
        expect_truth(&first, column)?;
        let mut members = vec![first];
        while self.take(joint) {
            column = self.column();
            let next = member(self)?;
            expect_truth(&next, column)?;
            members.push(next);
        }
        Ok(build(members))
    }

    fn negation(&mut self) -> Result<Node, ExprError> {
        if !self.take(&Token::Not) {
            return self.comparison();
        }
        let column = self.column();
        let inner = self.nested(Self::negation)?;
        expect_truth(&inner, column)?;
        Ok(Node::Not(Box::new(inner)))
    }

    fn comparison(&mut self) -> Result<Node, ExprError> {
        let left_column = self.column();
        let left = self.sum()?;
        match self.peek().cloned() {
            Some(Token::Compare(op)) => {
                self.at += 1;
                let right_column = self.column();
                let right = self.sum()?;
                if !matches!(op, Comparison::Equal | Comparison::NotEqual) {
                    expect_ordered(&left, left_column)?;
                    expect_ordered(&right, right_column)?;
                }
                Ok(Node::Compare { op, left: Box::new(left), right: Box::new(right) })
            }
            Some(Token::In) => {
                self.at += 1;
                Ok(Node::In { item: Box::new(left), list: self.list()? })
            }
            Some(Token::Not) => {
                self.at += 1;
                if !self.take(&Token::In) {
                    return self.fail("`not` after a value must be `not in [...]`");
                }
                Ok(Node::Not(Box::new(Node::In { item: Box::new(left), list: self.list()? })))
            }
            _ => Ok(left),
        }
    }

    fn list(&mut self) -> Result<Vec<Node>, ExprError> {
        if !self.take(&Token::OpenList) {
            return self.fail("`in` needs a list: in [1, 2]");
        }
        let mut list = vec![self.nested(Self::sum)?];
        while self.take(&Token::Comma) {
            list.push(self.nested(Self::sum)?);
        }
        if !self.take(&Token::CloseList) {
            return self.fail("the list has no closing `]`, or a comma is missing");
        }
        Ok(list)
    }

    fn sum(&mut self) -> Result<Node, ExprError> {
        self.chain(&[Operation::Add, Operation::Subtract], Self::product)
    }

    fn product(&mut self) -> Result<Node, ExprError> {
        self.chain(&[Operation::Multiply, Operation::Divide, Operation::Remainder], Self::atom)
    }

    fn chain(
        &mut self,
        operations: &[Operation],
        operand: fn(&mut Self) -> Result<Node, ExprError>,
    ) -> Result<Node, ExprError> {
        let mut column = self.column();
        let mut left = operand(self)?;
        while let Some(Token::Operate(op)) = self.peek().cloned() {
            if !operations.contains(&op) {
                break;
            }
            expect_number(&left, column)?;
            self.at += 1;
            column = self.column();
            let right = operand(self)?;
            expect_number(&right, column)?;
            left = Node::Arithmetic { op, left: Box::new(left), right: Box::new(right) };
        }
        Ok(left)
    }

    fn atom(&mut self) -> Result<Node, ExprError> {
        let column = self.column();
        match self.peek().cloned() {
            Some(Token::Literal(value)) => {
                self.at += 1;
                Ok(Node::Literal(value))
            }
            Some(Token::Name(name)) => {
                self.at += 1;
                Ok(Node::Name { name, column })
            }
            Some(Token::Open) => {
                self.at += 1;
                let inner = self.nested(Self::any)?;
                if !self.take(&Token::Close) {
                    return self.fail(format!("the `(` at column {column} has no closing `)`"));
                }
                Ok(inner)
            }
            Some(Token::OpenList) => self.fail("a list can only follow `in`"),
            Some(token) => self.fail(format!("expected a name or a value, found {}", token.describe())),
            None => self.fail("the condition ends here, a name or a value is missing"),
        }
    }
}

fn expect_ordered(node: &Node, column: usize) -> Result<(), ExprError> {
    let found = match kind(node) {
        Kind::Number | Kind::Text | Kind::Unknown => return Ok(()),
        Kind::Truth => "a condition",
        Kind::Null => "null",
    };
    Err(ExprError { message: format!("{found} is neither smaller nor larger; use == or !="), column })
}
