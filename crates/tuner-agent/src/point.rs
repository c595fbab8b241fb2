//! Named moments at which a process may die, for tests that make it die there.

/// A moment between two things that are written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// A run was taken up, and what died before it found.
    TakenUp,
    /// It is written that the model is being asked.
    Asking,
    /// The first piece of its answer was told.
    FirstPiece,
    /// The answer is whole, and not written.
    Answered,
    /// The answer is written, with its calls.
    Written,
    /// A person's decision is written, and not confirmed.
    Decided,
    /// Standing leave is written, and not confirmed.
    Granted,
    /// A call may begin.
    Beginning,
    /// It is written that a call began; its tool was not called.
    Begun,
    /// The tool has done its work, and nobody has written so.
    Done,
    /// It is written how the call ended.
    Ended,
    /// Everything is done, and the conversation still held.
    Leaving,
}

impl Point {
    /// Every one.
    pub const ALL: [Self; 12] = [
        Self::TakenUp,
        Self::Asking,
        Self::FirstPiece,
        Self::Answered,
        Self::Written,
        Self::Decided,
        Self::Granted,
        Self::Beginning,
        Self::Begun,
        Self::Done,
        Self::Ended,
        Self::Leaving,
    ];

    /// Its name.
    pub fn word(self) -> &'static str {
        match self {
            Self::TakenUp => "taken_up",
            Self::Asking => "asking",
            Self::FirstPiece => "first_piece",
            Self::Answered => "answered",
            Self::Written => "written",
            Self::Decided => "decided",
            Self::Granted => "granted",
            Self::Beginning => "beginning",
            Self::Begun => "begun",
            Self::Done => "done",
            Self::Ended => "ended",
            Self::Leaving => "leaving",
        }
    }
}

/// What happens when a moment has come.
#[derive(Clone, Copy, Debug)]
pub struct Probe {
    /// Which.
    pub point: Point,
    /// What then happens.
    pub then: fn(),
}
