//! Showing a page in the person's browser.

use std::process::{Command, Stdio};

/// Opens an address in the browser, where there is a person with one; else its address was printed and must do.
pub(crate) fn open(url: &str) -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let program = match std::env::var("BROWSER") {
        Ok(program) if !program.trim().is_empty() => program,
        _ if set("DISPLAY") || set("WAYLAND_DISPLAY") => "xdg-open".to_owned(),
        _ => return false,
    };
    let mut command = Command::new(program);
    command.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match command.spawn() {
        Ok(mut child) => {
            // It ends when it has told the browser, or with the browser.
            std::thread::spawn(move || child.wait());
            true
        }
        Err(_) => false,
    }
}
