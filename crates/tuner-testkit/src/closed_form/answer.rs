//! One answer on the timetable, in the shape of its case.

use std::io;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::vocabulary::word;
use super::{Case, PromptTokens, State, Timetable, lock, monotonic_ns, plain};

pub(super) struct Answer<'a> {
    pub(super) stream: &'a mut TcpStream,
    pub(super) state: &'a State,
    pub(super) number: u64,
    pub(super) received_ns: u64,
    pub(super) chat: bool,
    /// Tokens sent so far, for the running count.
    pub(super) counted: u32,
}

impl Answer<'_> {
    fn field(&self, path: &[&str]) -> Option<Value> {
        let log = lock(&self.state.log);
        let mut value = &log[self.number as usize].body;
        for name in path {
            value = value.get(*name)?;
        }
        Some(value.clone())
    }

    /// Sends the answer on its timetable; whether the connection can be kept.
    pub(super) async fn send(mut self) -> io::Result<bool> {
        let Timetable { case, first, gap, .. } = self.state.timetable;
        if case == Case::EverySecond500 && self.number % 2 == 1 {
            let error = json!({ "error": { "message": "planned failure", "code": 500 } });
            return plain(self.stream, 500, &error).await;
        }
        let asked = self.field(&["max_tokens"]).and_then(|v| v.as_u64()).unwrap_or(16) as u32;
        let total = match case {
            Case::ErrorEvent | Case::Truncated | Case::Cut => 5.min(asked),
            Case::Short => asked / 2,
            Case::NoTokens => 0,
            _ => asked,
        };
        if case == Case::NoStream {
            self.wait(first + gap * total.saturating_sub(1)).await;
            return self.whole(total).await;
        }
        let framing = if case == Case::NotChunked { "connection: close" } else { "transfer-encoding: chunked" };
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n{framing}\r\n\r\n");
        self.stream.write_all(head.as_bytes()).await?;
        match case {
            Case::RoleFirst => {
                let role = self.event(json!({ "role": "assistant", "content": "" }), Value::Null, None);
                self.write(role.as_bytes(), 0).await?;
            }
            Case::Pings => self.write(b": ping\n\n: ping\r\n\r\n", 0).await?,
            _ => {}
        }
        self.tokens(total).await?;
        self.end(total).await
    }

    async fn tokens(&mut self, total: u32) -> io::Result<()> {
        let Timetable { case, first, gap, .. } = self.state.timetable;
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
            self.wait(first + gap * (sent + in_write - 1)).await;
            let mut bytes = String::new();
            for event in 0..in_write.div_ceil(per_event) {
                let begin = sent + event * per_event;
                let count = per_event.min(total - begin);
                bytes.push_str(&self.token_event(begin, count, total));
                if case == Case::EmptyEvents {
                    bytes.push_str(&self.event(json!({ "content": "" }), Value::Null, None));
                }
            }
            if case == Case::Pings && sent.is_multiple_of(4) {
                bytes.push_str(": ping\n\n");
            }
            let middle = bytes.find('漢').filter(|_| case == Case::Utf8Split);
            match middle {
                Some(at) => {
                    self.write(&bytes.as_bytes()[..at + 1], 0).await?;
                    tokio::time::sleep(Duration::from_millis(1)).await;
                    self.write(&bytes.as_bytes()[at + 1..], in_write).await?;
                }
                None => self.write(bytes.as_bytes(), in_write).await?,
            }
            sent += in_write;
        }
        Ok(())
    }

    fn token_event(&mut self, begin: u32, count: u32, total: u32) -> String {
        let case = self.state.timetable.case;
        let words: Vec<String> = (begin..begin + count)
            .map(|k| if case == Case::Utf8Split { " ä漢".to_owned() } else { format!(" {}", word(k)) })
            .collect();
        // Special tokens are real tokens without text; only a running count shows them.
        let silent = case == Case::ContinuousUsage && (begin / 3) % 4 == 3;
        let text = if silent { String::new() } else { words.concat() };
        let reasoning = case == Case::Reasoning && begin < total * 3 / 4;
        let delta = if reasoning { json!({ "reasoning_content": text }) } else { json!({ "content": text }) };
        self.counted += count;
        let usage = (case == Case::ContinuousUsage).then(|| self.usage(self.counted));
        self.event(delta, Value::Null, usage)
    }

    fn usage(&self, completion: u32) -> Value {
        let prompt = match self.state.timetable.prompt_tokens {
            PromptTokens::Number => self.number,
            PromptTokens::Words => lock(&self.state.log)[self.number as usize].prompt.split_whitespace().count() as u64,
        };
        json!({ "prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + u64::from(completion) })
    }

    fn event(&self, delta: Value, finish: Value, usage: Option<Value>) -> String {
        let mut choice = json!({ "index": 0, "finish_reason": finish });
        if self.chat {
            choice["delta"] = delta;
        } else {
            choice["text"] = delta.get("content").cloned().unwrap_or(json!(""));
        }
        let mut chunk = json!({ "object": "chat.completion.chunk", "choices": [choice] });
        if let Some(usage) = usage {
            chunk["usage"] = usage;
        }
        self.frame(&chunk.to_string())
    }

    fn frame(&self, data: &str) -> String {
        match self.state.timetable.case {
            Case::Crlf => format!("data: {data}\r\n\r\n"),
            Case::NoSpace => format!("data:{data}\n\n"),
            _ => format!("data: {data}\n\n"),
        }
    }

    async fn end(mut self, total: u32) -> io::Result<bool> {
        let case = self.state.timetable.case;
        match case {
            Case::ErrorEvent => {
                let error = self.frame(r#"{"error":{"message":"planned failure","code":500}}"#);
                self.write(error.as_bytes(), 0).await?;
            }
            Case::Truncated => return self.last_chunk().await,
            Case::Cut => return Ok(false),
            Case::Garbage => {
                let garbage = self.frame("what is this");
                self.write(garbage.as_bytes(), 0).await?;
            }
            _ => {}
        }
        if case != Case::ErrorEvent {
            let finish = self.event(json!({}), json!("length"), None);
            self.write(finish.as_bytes(), 0).await?;
            let wanted = self.field(&["stream_options", "include_usage"]) == Some(Value::Bool(true));
            if wanted && case != Case::NoUsage {
                if case == Case::LateUsage {
                    tokio::time::sleep(Duration::from_millis(300)).await;
                }
                let chunk = json!({ "choices": [], "usage": self.usage(total) });
                let usage = self.frame(&chunk.to_string());
                self.write(usage.as_bytes(), 0).await?;
            }
        }
        if case != Case::NoDone {
            let done = self.frame("[DONE]");
            self.write(done.as_bytes(), 0).await?;
        }
        self.last_chunk().await
    }

    async fn last_chunk(&mut self) -> io::Result<bool> {
        if self.state.timetable.case == Case::NotChunked {
            return Ok(false);
        }
        self.stream.write_all(b"0\r\n\r\n").await?;
        Ok(self.state.timetable.case != Case::ClosesSilently)
    }

    async fn whole(self, total: u32) -> io::Result<bool> {
        let text: String = (0..total).map(|k| format!(" {}", word(k))).collect();
        let choice = json!({ "index": 0, "finish_reason": "length", "message": { "role": "assistant", "content": text }, "text": text });
        let body = json!({ "object": "chat.completion", "choices": [choice], "usage": self.usage(total) });
        lock(&self.state.log)[self.number as usize].writes.push((monotonic_ns(), total));
        plain(self.stream, 200, &body).await
    }

    async fn wait(&self, after: Duration) {
        let at = self.received_ns + after.as_nanos() as u64;
        let now = monotonic_ns();
        if at > now {
            tokio::time::sleep(Duration::from_nanos(at - now)).await;
        }
    }

    async fn write(&mut self, bytes: &[u8], tokens: u32) -> io::Result<()> {
        let framed = if self.state.timetable.case == Case::NotChunked {
            bytes.to_vec()
        } else {
            [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
        };
        let at_ns = monotonic_ns();
        self.stream.write_all(&framed).await?;
        if tokens > 0 {
            lock(&self.state.log)[self.number as usize].writes.push((at_ns, tokens));
        }
        Ok(())
    }
}
