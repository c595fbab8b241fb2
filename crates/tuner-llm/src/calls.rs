//! Calls put together from the pieces that servers send.
//!
//! *Invariant*: wherever a server cuts its pieces, and whether or not it numbers, names and marks each of them, the
//! same calls come out, each with an id that is not empty and that no other call of the conversation has.

use std::collections::HashSet;

use serde::de::IgnoredAny;

use crate::answer::Told;
use crate::{Delta, ToolCall};

/// What one event says about one call; any of it may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) place: Option<u64>,
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) arguments: String,
}

#[derive(Debug, Default)]
struct Slot {
    place: Option<u64>,
    server_id: Option<String>,
    /// Chosen when the call begins, and never changed after it was told.
    id: Option<String>,
    name: String,
    arguments: String,
    /// The event that touched it last.
    event: u64,
}

impl Slot {
    fn arguments_are_whole(&self) -> bool {
        self.arguments.trim_start().starts_with('{') && serde_json::from_str::<IgnoredAny>(&self.arguments).is_ok()
    }

    /// Whether the piece begins another call although its number (or its lack of one) points here: servers exist that
    /// number every call 0, or none.
    fn is_over_before(&self, piece: &Piece) -> bool {
        let Some(name) = &piece.name else { return false };
        let same_name = *name == self.name;
        match (&self.server_id, &piece.id) {
            (Some(a), Some(b)) if a == b => !piece.arguments.is_empty() && self.arguments_are_whole(),
            // A new id and the same name while the arguments are half there: a server that makes up an id per event.
            (Some(_), Some(_)) => !same_name || self.arguments.is_empty() || self.arguments_are_whole(),
            _ if self.arguments.is_empty() || self.name.is_empty() => false,
            _ if same_name => !piece.arguments.is_empty() && self.arguments_are_whole(),
            _ => true,
        }
    }
}

/// The calls of one answer, so far.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    slots: Vec<Slot>,
    used: HashSet<String>,
    events: u64,
}

impl Calls {
    /// `used`: the ids that earlier calls of the conversation have.
    pub(crate) fn new(used: HashSet<String>) -> Self {
        Self { used, ..Self::default() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Takes what one event says.
    pub(crate) fn take(&mut self, pieces: Vec<Piece>, told: &mut Told<'_>) {
        self.events += 1;
        for mut piece in pieces {
            piece.id = piece.id.filter(|id| !id.is_empty());
            piece.name = piece.name.filter(|name| !name.is_empty());
            let at = self.slot_of(&piece).unwrap_or_else(|| {
                for index in 0..self.slots.len() {
                    self.begin(index, told);
                }
                self.slots.push(Slot { place: piece.place, ..Slot::default() });
                self.slots.len() - 1
            });
            let slot = &mut self.slots[at];
            slot.event = self.events;
            if slot.server_id.is_none() {
                slot.server_id = piece.id;
            }
            match piece.name {
                Some(name) if slot.name.is_empty() => slot.name = name,
                // A name in parts.
                Some(name) if slot.name != name && slot.arguments.is_empty() && slot.id.is_none() => {
                    slot.name.push_str(&name);
                }
                _ => {}
            }
            if piece.arguments.is_empty() {
                continue;
            }
            slot.arguments.push_str(&piece.arguments);
            // Arguments that came before the name are told once the call begins.
            let begun = slot.id.is_some();
            if begun {
                told.give(Delta::CallArguments { index: at, piece: piece.arguments });
            } else if !slot.name.is_empty() {
                self.begin(at, told);
            }
        }
    }

    fn slot_of(&self, piece: &Piece) -> Option<usize> {
        let numbered = |place| self.slots.iter().rposition(|slot| slot.place == Some(place));
        let marked = |id: &String| self.slots.iter().rposition(|slot| slot.server_id.as_ref() == Some(id));
        let last = || {
            let last = self.slots.len().checked_sub(1)?;
            // Two entries of one event are two calls, if the second has a name.
            (piece.name.is_none() || self.slots[last].event != self.events).then_some(last)
        };
        let found = match (piece.place, &piece.id) {
            (Some(place), _) => numbered(place),
            (None, Some(id)) => marked(id).or_else(|| if piece.name.is_none() { last() } else { None }),
            (None, None) => last(),
        };
        found.filter(|at| !self.slots[*at].is_over_before(piece))
    }

    /// Chooses the call's id and tells that it begins, with the arguments so far.
    fn begin(&mut self, at: usize, told: &mut Told<'_>) {
        let slot = &mut self.slots[at];
        if slot.id.is_some() {
            return;
        }
        let given = slot.server_id.clone().filter(|id| !self.used.contains(id));
        let id = given.unwrap_or_else(|| format!("call_{}", uuid::Uuid::now_v7().simple()));
        self.used.insert(id.clone());
        slot.id = Some(id.clone());
        told.give(Delta::CallBegun { index: at, id, name: slot.name.clone() });
        if !slot.arguments.is_empty() {
            told.give(Delta::CallArguments { index: at, piece: slot.arguments.clone() });
        }
    }

    /// The calls, all of them begun.
    pub(crate) fn finish(&mut self, told: &mut Told<'_>) -> Vec<ToolCall> {
        for at in 0..self.slots.len() {
            self.begin(at, told);
        }
        let whole =
            |slot: Slot| ToolCall { id: slot.id.unwrap_or_default(), name: slot.name, arguments: slot.arguments };
        std::mem::take(&mut self.slots).into_iter().map(whole).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(place: Option<u64>, id: &str, name: &str, arguments: &str) -> Piece {
        let word = |word: &str| (!word.is_empty()).then(|| word.to_owned());
        Piece { place, id: word(id), name: word(name), arguments: arguments.to_owned() }
    }

    /// The calls that come out, as `name(arguments)`, and a check that what was told comes to the same.
    fn calls(events: Vec<Vec<Piece>>) -> (Vec<String>, Vec<ToolCall>) {
        let mut seen: Vec<ToolCall> = Vec::new();
        let mut sink = |delta| match delta {
            Delta::CallBegun { index, id, name } => {
                assert_eq!(index, seen.len());
                seen.push(ToolCall { id, name, arguments: String::new() });
            }
            Delta::CallArguments { index, piece } => seen[index].arguments.push_str(&piece),
            other => panic!("{other:?}"),
        };
        let mut told = Told::new(&mut sink);
        let mut calls = Calls::default();
        for event in events {
            calls.take(event, &mut told);
        }
        let whole = calls.finish(&mut told);
        assert_eq!(seen, whole);
        let ids: HashSet<&str> = whole.iter().map(|call| call.id.as_str()).collect();
        assert!(ids.len() == whole.len() && !ids.contains(""), "{whole:?}");
        (whole.iter().map(|call| format!("{}({})", call.name, call.arguments)).collect(), whole)
    }

    // W51
    #[test]
    fn interleaved_pieces_are_put_together_by_their_number() {
        let (told, whole) = calls(vec![
            vec![piece(Some(0), "a", "add", "")],
            vec![piece(Some(1), "b", "mul", "")],
            vec![piece(Some(1), "", "", "{\"x\""), piece(Some(0), "", "", "{\"l")],
            vec![piece(Some(0), "", "", "\":1}"), piece(Some(1), "", "", ":2}")],
        ]);
        assert_eq!(told, ["add({\"l\":1})", "mul({\"x\":2})"]);
        assert_eq!([&whole[0].id, &whole[1].id], ["a", "b"]);
    }

    #[test]
    fn whole_calls_are_told_apart_whatever_number_they_carry() {
        let expected = ["a({\"x\":1})", "b({})", "a({\"x\":2})"];
        for place in [None, Some(0)] {
            for with_ids in [false, true] {
                let id = |id: &'static str| if with_ids { id } else { "" };
                let events = vec![
                    vec![piece(place, id("1"), "a", "{\"x\":1}")],
                    vec![piece(place, id("2"), "b", "{}"), piece(place, id("3"), "a", "{\"x\":2}")],
                ];
                assert_eq!(calls(events).0, expected, "{place:?} {with_ids}");
            }
        }
        let no_arguments = vec![vec![piece(None, "", "a", ""), piece(None, "", "b", "")]];
        assert_eq!(calls(no_arguments).0, ["a()", "b()"]);
    }

    #[test]
    fn a_name_or_an_id_that_is_repeated_in_every_event_begins_nothing_new() {
        for (id, place) in [("1", Some(0)), ("", Some(0)), ("", None), ("1", None)] {
            let events = ["", "{\"x\"", ":1", "}", ""].map(|args| vec![piece(place, id, "a", args)]);
            assert_eq!(calls(events.to_vec()).0, ["a({\"x\":1})"], "{id:?} {place:?}");
        }
        let fresh_ids = [("1", "{\"x\""), ("2", ":1"), ("3", "}")];
        let events = fresh_ids.map(|(id, args)| vec![piece(Some(0), id, "a", args)]);
        assert_eq!(calls(events.to_vec()).0, ["a({\"x\":1})"]);
    }

    #[test]
    fn what_comes_late_or_in_parts_finds_its_call() {
        let late_name = vec![
            vec![piece(Some(0), "", "", "{\"x\"")],
            vec![piece(Some(0), "7", "a", "")],
            vec![piece(Some(0), "", "", ":1}")],
        ];
        let (told, whole) = calls(late_name);
        assert_eq!((told[0].as_str(), whole[0].id.as_str()), ("a({\"x\":1})", "7"));
        let parts = vec![vec![piece(Some(0), "7", "get_", "")], vec![piece(Some(0), "", "time", "{}")]];
        assert_eq!(calls(parts).0, ["get_time({})"]);
        let nameless = vec![vec![piece(Some(0), "7", "", "{}")]];
        assert_eq!(calls(nameless).0, ["({})"]);
        let high = vec![vec![piece(Some(7), "7", "a", "{}")], vec![piece(Some(u64::MAX), "8", "b", "{}")]];
        assert_eq!(calls(high).0, ["a({})", "b({})"]);
    }

    #[test]
    fn an_id_that_was_used_before_is_replaced() {
        let mut sink = |_| {};
        let mut told = Told::new(&mut sink);
        let mut calls = Calls::new(["call_0".to_owned()].into());
        calls.take(vec![piece(Some(0), "call_0", "a", "{}"), piece(Some(1), "x", "b", "{}")], &mut told);
        calls.take(vec![piece(Some(2), "x", "c", "{}")], &mut told);
        let whole = calls.finish(&mut told);
        assert_ne!(whole[0].id, "call_0");
        assert_eq!(whole[1].id, "x");
        assert_ne!(whole[2].id, "x");
    }
}
