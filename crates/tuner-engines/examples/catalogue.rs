//! Writes a catalogue from an engine's help text: `catalogue ENGINE VERSION < help.txt > catalogues/ENGINE.json`.

use std::io::{self, Read, Write};

use tuner_core::engine::EngineName;
use tuner_engines::{catalogue, help};

fn main() -> io::Result<()> {
    let mut args = std::env::args().skip(1);
    let (name, version) = (args.next().unwrap_or_default(), args.next().unwrap_or_default());
    let wrong = || io::Error::other("usage: catalogue ENGINE VERSION < help.txt");
    let engine = EngineName::ALL.into_iter().find(|e| e.name() == name).ok_or_else(wrong)?;
    let mut text = String::new();
    io::stdin().read_to_string(&mut text)?;
    io::stdout().write_all(catalogue::to_json(&version, &help::parse(engine, &text)).as_bytes())
}
