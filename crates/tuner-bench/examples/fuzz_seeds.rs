//! Writes the first inputs of the fuzz targets `stream` and `answer` into a folder: every shape of stream in every
//! protocol (`fuzz/README.md`).
#![allow(clippy::print_stdout, reason = "a program of its own")]

use std::fs;
use std::io;
use std::path::Path;

use tuner_bench::protocol::path;
use tuner_core::task::Api;
use tuner_testkit::closed_form::{Case, chunks_of, recorded};

fn main() -> io::Result<()> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "fuzz/corpus".to_owned());
    let [streams, answers] = ["stream", "answer"].map(|target| Path::new(&folder).join(target));
    fs::create_dir_all(&streams)?;
    fs::create_dir_all(&answers)?;
    let mut written = 0;
    for (number, api) in Api::ALL.into_iter().enumerate() {
        // A mebibyte is too much for a fuzzer to change at random.
        for case in Case::ALL.into_iter().filter(|case| *case != Case::HugeEvents) {
            for several in [1, 3] {
                let answer = recorded(path(api), case, several)?;
                let name = format!("{}-{case:?}-{several}", api.name());
                // What the targets take first: how to cut, and which protocol.
                let input = |bytes: &[u8]| [&[7, number as u8], bytes].concat();
                fs::write(answers.join(&name), input(&answer))?;
                if let Some(body) = chunks_of(&answer) {
                    fs::write(streams.join(&name), input(&body))?;
                }
                written += 1;
            }
        }
    }
    println!("{written} answers in {folder}");
    Ok(())
}
