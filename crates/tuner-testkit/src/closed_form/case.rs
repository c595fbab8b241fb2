//! The shapes of answers.

/// How an answer is sent. The first fifteen are the matrix that load generators are compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Case {
    /// One token per event, one event per write, usage at the end, chunked encoding.
    Clean,
    /// A role event at once, then as `Clean`.
    RoleFirst,
    /// Five tokens, an error event, `[DONE]`.
    ErrorEvent,
    /// Five tokens, then a well-formed end of the body without finish or `[DONE]`.
    Truncated,
    /// Five tokens, then the connection ends in the middle of the body.
    Cut,
    /// CRLF line ends.
    Crlf,
    /// No space after `data:`.
    NoSpace,
    /// Each event is written in two pieces, cut inside a UTF-8 character.
    Utf8Split,
    /// Four tokens per event.
    TokensPerEvent,
    /// Five events per write.
    EventsPerWrite,
    /// Three quarters of the answer is reasoning.
    Reasoning,
    /// Usage comes 300 ms after the last token.
    LateUsage,
    /// Comments before and between the events.
    Pings,
    /// No chunked encoding: the body ends with the connection.
    NotChunked,
    /// Every second request is answered with HTTP 500.
    EverySecond500,
    /// No usage at all.
    NoUsage,
    /// A running token count on every event; several tokens per event; some events without text.
    ContinuousUsage,
    /// Empty events between the tokens.
    EmptyEvents,
    /// The whole answer as one JSON document.
    NoStream,
    /// The finish comes, `[DONE]` never does, and the connection stays open for a while.
    NoDone,
    /// A finish without any token.
    NoTokens,
    /// Half of the tokens that were asked for.
    Short,
    /// One unreadable event.
    Garbage,
    /// As `Clean`, but the connection is closed after each answer without having said so.
    ClosesSilently,
    /// The answer is a call of a tool: its name, then its arguments piece by piece.
    ToolCalls,
    /// The body is compressed, each event flushed.
    Gzip,
    /// Each event is a mebibyte long.
    HugeEvents,
    /// Nothing comes for 300 ms in the middle of the answer.
    Stall,
    /// Every byte is a write of its own.
    SlowLoris,
    /// Every second request is answered with HTTP 429 and `Retry-After`.
    EverySecond429,
    /// Five tokens, then the connection is reset.
    Reset,
    /// As `Utf8Split`, with everything in the text that JSON writes otherwise.
    Escapes,
}

impl Case {
    /// Every shape.
    pub const ALL: [Self; 32] = [
        Self::Clean,
        Self::RoleFirst,
        Self::ErrorEvent,
        Self::Truncated,
        Self::Cut,
        Self::Crlf,
        Self::NoSpace,
        Self::Utf8Split,
        Self::TokensPerEvent,
        Self::EventsPerWrite,
        Self::Reasoning,
        Self::LateUsage,
        Self::Pings,
        Self::NotChunked,
        Self::EverySecond500,
        Self::NoUsage,
        Self::ContinuousUsage,
        Self::EmptyEvents,
        Self::NoStream,
        Self::NoDone,
        Self::NoTokens,
        Self::Short,
        Self::Garbage,
        Self::ClosesSilently,
        Self::ToolCalls,
        Self::Gzip,
        Self::HugeEvents,
        Self::Stall,
        Self::SlowLoris,
        Self::EverySecond429,
        Self::Reset,
        Self::Escapes,
    ];

    /// The fifteen cases of the stream matrix.
    pub const MATRIX: [Self; 15] = match Self::ALL.first_chunk() {
        Some(first) => *first,
        None => panic!("there are more than fifteen shapes"),
    };
}
