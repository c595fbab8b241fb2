//! One answer on the timetable, in the shape of its case.

use std::io::{self, Write};
use std::net::TcpStream;
use std::sync::atomic::Ordering;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::connection::{Stream, plain};
use super::form::{Event, Form};
use super::vocabulary::word;
use super::{Case, PromptTokens, State, Timetable, clock, lock, monotonic_ns};

/// Silence of [`Case::Stall`], and lateness of [`Case::LateUsage`].
const PAUSE: Duration = Duration::from_millis(300);
/// Length of an event of [`Case::HugeEvents`].
const HUGE_BYTES: usize = 1024 * 1024;

pub(super) struct Answer<'a> {
    stream: &'a mut dyn Stream,
    tcp: &'a TcpStream,
    state: &'a State,
    form: Form,
    body: &'a Value,
    number: u64,
    begun_ns: u64,
    /// When the next token is due.
    due_ns: u64,
    prompt: u64,
    gzip: Option<GzEncoder<Vec<u8>>>,
    /// Text of each answer so far, for protocols that repeat it.
    all: Vec<String>,
}

impl<'a> Answer<'a> {
    #[allow(clippy::too_many_arguments, reason = "made in one place, from what that place holds")]
    pub(super) fn new(
        stream: &'a mut dyn Stream,
        tcp: &'a TcpStream,
        state: &'a State,
        form: Form,
        body: &'a Value,
        number: u64,
        received_ns: u64,
        begun_ns: u64,
    ) -> Self {
        let prompt = match state.timetable.prompt_tokens {
            PromptTokens::Number => number,
            PromptTokens::Words => lock(&state.log)[number as usize].prompt.split_whitespace().count() as u64,
        };
        let all = Vec::new();
        Self { stream, tcp, state, form, body, number, begun_ns, due_ns: received_ns, prompt, gzip: None, all }
    }

    /// Sends the answer on its timetable; whether the connection can be kept.
    pub(super) fn send(mut self) -> io::Result<bool> {
        let Timetable { case, first, .. } = self.state.timetable;
        let refused = self.number % 2 == 1;
        if case == Case::EverySecond500 && refused {
            let error = json!({ "error": { "message": "planned failure", "code": 500 } });
            return plain(self.stream, 500, "", &error);
        }
        if case == Case::EverySecond429 && refused {
            let error = json!({ "error": { "message": "planned refusal", "code": 429 } });
            return plain(self.stream, 429, "retry-after: 3600\r\n", &error);
        }
        let (asked, answers) = self.form.asked(self.body);
        let total = match case {
            Case::ErrorEvent | Case::Truncated | Case::Cut | Case::Reset => 5.min(asked),
            Case::Short => asked / 2,
            Case::NoTokens => 0,
            _ => asked,
        };
        self.later(first);
        let streams = self.body["stream"].as_bool() != Some(false) && case != Case::NoStream;
        if !self.form.generates() {
            return self.whole(0);
        }
        if !streams {
            (1..total).for_each(|_| self.later(self.state.timetable.gap));
            return self.whole(total);
        }
        let framing = if case == Case::NotChunked { "connection: close" } else { "transfer-encoding: chunked" };
        let encoding = if case == Case::Gzip { "content-encoding: gzip\r\n" } else { "" };
        self.gzip = (case == Case::Gzip).then(|| GzEncoder::new(Vec::new(), Compression::fast()));
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n{encoding}{framing}\r\n\r\n");
        self.stream.write_all(head.as_bytes())?;
        self.stream.flush()?;
        match case {
            Case::RoleFirst | Case::ToolCalls => {
                let delta = json!({ "role": "assistant", "content": "" });
                let role = json!({ "object": "chat.completion.chunk", "choices": [{ "index": 0, "delta": delta }] });
                self.event(&role)?;
            }
            Case::Pings => self.write(b": ping\n\n: ping\r\n\r\n", 0)?,
            _ => {}
        }
        for event in self.form.opening(self.prompt) {
            self.event(&event)?;
        }
        self.all = vec![String::new(); answers as usize];
        self.tokens(total, answers)?;
        self.end(total, answers)
    }

    fn tokens(&mut self, total: u32, answers: u32) -> io::Result<()> {
        let Timetable { case, gap, .. } = self.state.timetable;
        let (per_event, per_write) = match case {
            Case::TokensPerEvent => (4, 1),
            Case::ContinuousUsage => (3, 1),
            Case::EventsPerWrite => (1, 5),
            _ => (1, 1),
        };
        let mut sent = 0;
        while sent < total {
            // A write leaves when its last token is there.
            let in_write = (per_event * per_write).min(total - sent);
            let gaps = if sent == 0 { in_write - 1 } else { in_write };
            (0..gaps).for_each(|_| self.later(gap));
            if case == Case::Stall && sent == total / 2 {
                self.due_ns += PAUSE.as_nanos() as u64;
            }
            self.wait()?;
            for index in 0..answers {
                let mut bytes = String::new();
                for event in 0..in_write.div_ceil(per_event) {
                    let begin = sent + event * per_event;
                    let count = per_event.min(total - begin);
                    bytes.push_str(&self.token_event(index, begin, count, total));
                    if case == Case::EmptyEvents {
                        let empty = json!({ "choices": [{ "index": 0, "delta": { "content": "" } }] });
                        bytes.push_str(&self.frame(&empty));
                    }
                }
                if case == Case::Pings && sent.is_multiple_of(4) {
                    bytes.push_str(": ping\n\n");
                }
                self.send_tokens(&bytes, in_write)?;
            }
            sent += in_write;
        }
        Ok(())
    }

    fn send_tokens(&mut self, bytes: &str, tokens: u32) -> io::Result<()> {
        let case = self.state.timetable.case;
        if case == Case::SlowLoris {
            let (last, all) = bytes.as_bytes().split_last().unwrap_or((&b'\n', &[]));
            all.chunks(1).try_for_each(|byte| self.write(byte, 0))?;
            return self.write(&[*last], tokens);
        }
        match bytes.find('漢').filter(|_| matches!(case, Case::Utf8Split | Case::Escapes)) {
            Some(at) => {
                self.write(&bytes.as_bytes()[..at + 1], 0)?;
                std::thread::sleep(Duration::from_millis(1));
                self.write(&bytes.as_bytes()[at + 1..], tokens)
            }
            None => self.write(bytes.as_bytes(), tokens),
        }
    }

    fn token_event(&mut self, index: u32, begin: u32, count: u32, total: u32) -> String {
        let case = self.state.timetable.case;
        let words: Vec<String> = (begin..begin + count)
            .map(|k| match case {
                Case::Utf8Split => " ä漢".to_owned(),
                Case::Escapes => " \"\\/\n\t\u{1}ä漢😀".to_owned(),
                _ => format!(" {}", word(k)),
            })
            .collect();
        // Special tokens are real tokens without text; only a running count shows them.
        let silent = case == Case::ContinuousUsage && (begin / 3) % 4 == 3;
        let mut text = if silent { String::new() } else { words.concat() };
        if case == Case::HugeEvents {
            text.push_str(&" ".repeat(HUGE_BYTES - text.len()));
        }
        let reasoning = case == Case::Reasoning && begin < total * 3 / 4;
        let tool = case == Case::ToolCalls;
        if tool && begin == 0 {
            let function = json!({ "name": text, "arguments": "" });
            let call = json!({ "index": 0, "id": "c", "type": "function", "function": function });
            return self.frame(&json!({ "choices": [{ "index": 0, "delta": { "tool_calls": [call] } }] }));
        }
        let counts = case == Case::ContinuousUsage || self.form.counts();
        self.all[index as usize].push_str(&text);
        let apart = matches!(self.form, Form::Chat | Form::Responses | Form::Anthropic);
        if index == 0 && !(reasoning && apart) {
            lock(&self.state.log)[self.number as usize].answer.push_str(&text);
        }
        let all = &self.all[index as usize];
        let count = counts.then_some(begin + count);
        let event = Event { index, text: &text, all, reasoning, tool, count, prompt: self.prompt };
        self.frame(&self.form.token(&event))
    }

    fn event(&mut self, data: &Value) -> io::Result<()> {
        let frame = self.frame(data);
        self.write(frame.as_bytes(), 0)
    }

    /// An event as it stands in the stream. Protocols that name their events do so twice.
    fn frame(&self, data: &Value) -> String {
        let name = data["type"].as_str().filter(|_| matches!(self.form, Form::Responses | Form::Anthropic));
        self.framed(name, &data.to_string())
    }

    fn framed(&self, name: Option<&str>, data: &str) -> String {
        let (space, end) = match self.state.timetable.case {
            Case::Crlf => (" ", "\r\n"),
            Case::NoSpace => ("", "\n"),
            _ => (" ", "\n"),
        };
        let name = name.map_or_else(String::new, |name| format!("event:{space}{name}{end}"));
        format!("{name}data:{space}{data}{end}{end}")
    }

    fn end(mut self, total: u32, answers: u32) -> io::Result<bool> {
        let case = self.state.timetable.case;
        match case {
            Case::ErrorEvent => self.event(&self.form.error())?,
            Case::Truncated => return self.last_chunk(),
            Case::Cut => return Ok(false),
            Case::Reset => {
                // With no time to linger, closing is a reset instead of a farewell.
                let linger = nix::libc::linger { l_onoff: 1, l_linger: 0 };
                nix::sys::socket::setsockopt(self.tcp, nix::sys::socket::sockopt::Linger, &linger)?;
                return Err(io::ErrorKind::ConnectionReset.into());
            }
            Case::Garbage => {
                let garbage = self.framed(None, "what is this");
                self.write(garbage.as_bytes(), 0)?;
            }
            _ => {}
        }
        if case != Case::ErrorEvent {
            for index in 0..answers {
                let all = std::mem::take(&mut self.all[index as usize]);
                if let Some(finish) = self.form.finish(index, &all, total, self.prompt) {
                    self.event(&finish)?;
                }
            }
            let native = !matches!(self.form, Form::Chat | Form::Completions);
            let wanted = native || self.body["stream_options"]["include_usage"] == Value::Bool(true);
            if wanted && case != Case::NoUsage {
                if case == Case::LateUsage {
                    std::thread::sleep(PAUSE);
                }
                if let Some(usage) = self.form.usage(self.prompt, total * answers) {
                    self.event(&usage)?;
                }
            }
        }
        if case != Case::NoDone
            && let Some(last) = self.form.last()
        {
            let name = (self.form == Form::Anthropic).then_some("message_stop");
            let last = self.framed(name, &last);
            self.write(last.as_bytes(), 0)?;
        }
        self.last_chunk()
    }

    fn last_chunk(&mut self) -> io::Result<bool> {
        if let Some(gzip) = self.gzip.take() {
            let rest = gzip.finish()?;
            self.raw(&rest, 0)?;
        }
        if self.state.timetable.case == Case::NotChunked {
            return Ok(false);
        }
        self.stream.write_all(b"0\r\n\r\n")?;
        self.stream.flush()?;
        Ok(self.state.timetable.case != Case::ClosesSilently)
    }

    fn whole(&mut self, total: u32) -> io::Result<bool> {
        self.wait()?;
        let text: String = (0..total).map(|k| format!(" {}", word(k))).collect();
        let body = self.form.whole(&text, total, self.prompt, self.body);
        {
            let mut log = lock(&self.state.log);
            let served = &mut log[self.number as usize];
            served.answer.push_str(&text);
            served.writes.push((monotonic_ns(), total));
        }
        plain(self.stream, 200, "", &body)
    }

    /// Moves the next token by one step of the timetable, as the plant has it now.
    fn later(&mut self, step: Duration) {
        let elapsed_s = self.due_ns.saturating_sub(self.begun_ns) as f64 / 1e9;
        let factor = self.state.timetable.plant.factor(self.state.in_flight.load(Ordering::Relaxed), elapsed_s);
        self.due_ns += (step.as_nanos() as f64 * factor) as u64;
    }

    fn wait(&self) -> io::Result<()> {
        if clock::sleep_until(self.due_ns, || self.state.stop.load(Ordering::Relaxed)) {
            Ok(())
        } else {
            Err(io::ErrorKind::Interrupted.into())
        }
    }

    fn write(&mut self, bytes: &[u8], tokens: u32) -> io::Result<()> {
        let Some(gzip) = &mut self.gzip else { return self.raw(bytes, tokens) };
        gzip.write_all(bytes)?;
        gzip.flush()?;
        let packed = std::mem::take(gzip.get_mut());
        self.raw(&packed, tokens)
    }

    fn raw(&mut self, bytes: &[u8], tokens: u32) -> io::Result<()> {
        let framed = if self.state.timetable.case == Case::NotChunked {
            bytes.to_vec()
        } else {
            [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
        };
        let at_ns = monotonic_ns();
        self.stream.write_all(&framed)?;
        self.stream.flush()?;
        if tokens > 0 {
            lock(&self.state.log)[self.number as usize].writes.push((at_ns, tokens));
        }
        Ok(())
    }
}
