//! What only receiving the same events costs here: `epoll`, `recvmsg` with the kernel's stamps, a search for the end of
//! an answer, and nothing else. No client on this machine can cost less per event in the same number of wakes.

use std::io::{self, IoSliceMut, Write};
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::process::ExitCode;
use std::time::Duration;

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::socket::{MsgFlags, recvmsg, setsockopt, sockopt};
use serde_json::json;

use crate::client::cpu;
use crate::{number, pin};

/// Ends the body of an answer that came in chunks.
const END: &[u8] = b"0\r\n\r\n";

pub(crate) fn run(words: &[String]) -> ExitCode {
    pin(words);
    let events = receive(words).expect("answers");
    let (user, system) = cpu();
    println!("{}", json!({ "user_s": user, "system_s": system, "events": events }));
    ExitCode::SUCCESS
}

/// The number of events received.
fn receive(words: &[String]) -> io::Result<u64> {
    let url = words.iter().position(|w| w == "--url").and_then(|at| words.get(at + 1)).expect("--url");
    let host = url.trim_start_matches("http://");
    let n = |name| number(words, name).expect("a number") as u64;
    let (streams, tokens, mut left) = (n("--streams"), n("--tokens"), n("--requests"));
    // How long to sleep before each look, as the client does between two looks under this load.
    let pause = Duration::from_secs_f64(number(words, "--pause-ms").unwrap_or(0.0) / 1e3);
    let body = json!({ "model": "closed-form", "messages": [{ "role": "user", "content": "w0" }],
        "max_tokens": tokens, "stream": true, "ignore_eos": true })
    .to_string();
    let head = "POST /v1/chat/completions HTTP/1.1\r\ncontent-type: application/json";
    let request = format!("{head}\r\nhost: {host}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let epoll = Epoll::new(EpollCreateFlags::empty())?;
    let mut connections = Vec::new();
    for at in 0..streams {
        let mut stream = TcpStream::connect(host)?;
        stream.set_nodelay(true)?;
        setsockopt(&stream, sockopt::ReceiveTimestampns, &true)?;
        stream.set_nonblocking(true)?;
        epoll.add(&stream, EpollEvent::new(EpollFlags::EPOLLIN, at))?;
        stream.write_all(request.as_bytes())?;
        left -= 1;
        connections.push(stream);
    }
    let (mut ready, mut buffer) = (vec![EpollEvent::empty(); streams as usize], vec![0; 64 * 1024]);
    let mut control = nix::cmsg_space!(nix::sys::time::TimeSpec);
    let (mut events, mut open) = (0, streams);
    while open > 0 {
        std::thread::sleep(pause);
        let count = epoll.wait(&mut ready, EpollTimeout::NONE)?;
        for event in &ready[..count] {
            let mut stream = &connections[event.data() as usize];
            let mut slices = [IoSliceMut::new(&mut buffer)];
            let got = recvmsg::<()>(stream.as_raw_fd(), &mut slices, Some(&mut control), MsgFlags::empty())?.bytes;
            assert!(got > 0, "the server closed a connection");
            events += memchr::memmem::find_iter(&buffer[..got], b"data: {").count() as u64;
            if !buffer[..got].ends_with(END) {
                continue;
            }
            if left > 0 {
                left -= 1;
                stream.write_all(request.as_bytes())?;
            } else {
                open -= 1;
            }
        }
    }
    Ok(events)
}
