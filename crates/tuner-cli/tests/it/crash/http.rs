//! As little HTTP as it takes to ask a server.

use std::io::{Read, Write};
use std::net::TcpStream;

/// The whole answer, head and body.
pub(crate) fn get(address: &str, path: &str) -> String {
    ask(address, &format!("GET {path} HTTP/1.1\r\n"), "")
}

/// The same for a document.
pub(crate) fn post(address: &str, path: &str, yaml: &str) -> String {
    let head = format!("POST {path} HTTP/1.1\r\ncontent-type: application/yaml\r\ncontent-length: {}\r\n", yaml.len());
    ask(address, &head, yaml)
}

fn ask(address: &str, head: &str, body: &str) -> String {
    let mut socket = TcpStream::connect(address).unwrap();
    write!(socket, "{head}host: {address}\r\nconnection: close\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer
}
