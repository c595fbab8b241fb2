//! `bench` against what is no endpoint.

use std::io::{Read, Write};
use std::net::TcpListener;

use super::World;

fn port_of(listener: &TcpListener) -> u16 {
    listener.local_addr().unwrap().port()
}

fn say(world: &World, port: u16, more: &[&str]) -> String {
    let url = format!("http://127.0.0.1:{port}");
    let arguments: Vec<&str> = ["bench", &url].iter().chain(more).copied().collect();
    world.says(&arguments).replace(&port.to_string(), "[PORT]")
}

#[test]
fn a_closed_port_and_one_that_speaks_something_else_are_told_apart() {
    let world = World::new();
    let closed = port_of(&TcpListener::bind("127.0.0.1:0").unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = port_of(&listener);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 64]);
            let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n");
        }
    });
    insta::assert_snapshot!([say(&world, closed, &[]), say(&world, port, &[])].join("\n════\n"));
}

#[test]
fn a_load_that_makes_no_sense_is_refused_before_anything_is_asked() {
    let world = World::new();
    let wrong: [&[&str]; 6] = [
        &["--scenario", "D(256;64)"],
        &["--concurrency", "0"],
        &["--rate", "-1"],
        &["--slo", "ttft=500"],
        &["--slo", "tft<=500"],
        &["--api-key-env", "NO_SUCH_KEY"],
    ];
    let mut texts: Vec<String> = wrong.iter().map(|more| say(&world, 9, more)).collect();
    texts.push(world.says(&["bench", "localhost"]));
    insta::assert_snapshot!(texts.join("\n════\n"));
}
