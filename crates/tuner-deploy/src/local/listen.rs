//! Who listens on a port, by the sockets that processes hold.

use std::fs;

/// Inodes of the sockets that listen on `port`, on any address of this host.
pub(crate) fn inodes(port: u16) -> Vec<u64> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|path| fs::read_to_string(path).unwrap_or_default());
    tables.iter().flat_map(|text| text.lines()).filter_map(|line| listener(line, port)).collect()
}

/// Whether the process holds one of these sockets.
pub(crate) fn holds(pid: u32, inodes: &[u64]) -> bool {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    entries
        .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
        .filter_map(|link| link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok())
        .any(|inode: u64| inodes.contains(&inode))
}

/// The inode in a row of the socket table, if it listens (state `0A`) on that port.
fn listener(row: &str, port: u16) -> Option<u64> {
    let fields: Vec<&str> = row.split_ascii_whitespace().collect();
    let local = fields.get(1)?.rsplit_once(':')?.1;
    let matches = u16::from_str_radix(local, 16).ok()? == port && *fields.get(3)? == "0A";
    matches.then(|| fields.get(9)?.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_is_found_among_connections() {
        let row =
            |state: &str| format!(" 0: 0100007F:4E20 00000000:0000 {state} 00000000:00000000 00:0 0 1000 0 777 1 0");
        assert_eq!(listener(&row("0A"), 20_000), Some(777));
        assert_eq!(listener(&row("01"), 20_000), None);
        assert_eq!(listener(&row("0A"), 20_001), None);
        assert_eq!(listener("  sl  local_address rem_address   st", 20_000), None);
    }

    #[test]
    fn this_process_holds_what_it_listens_on() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let inodes = inodes(socket.local_addr().unwrap().port());
        assert_eq!(inodes.len(), 1);
        assert!(holds(std::process::id(), &inodes));
        assert!(!holds(std::process::id(), &[]));
    }
}
