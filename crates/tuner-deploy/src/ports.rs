//! Ports an engine may get. A bind test says that a port is free now; keeping it is the store's reservation.

use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};
use std::ops::RangeInclusive;

/// Where engines get their ports: below the range from which Linux takes the ports of outgoing connections.
pub const ENGINE_PORTS: RangeInclusive<u16> = 20_000..=29_999;

/// Whether nobody uses the port on any address of this host.
///
/// Binding the wildcard address fails when anyone listens on any IPv4 address; loopback of IPv6 is tested beside it
/// where the host has it.
pub fn is_free(port: u16) -> bool {
    let v6 = match TcpListener::bind((Ipv6Addr::LOCALHOST, port)) {
        Ok(_) => true,
        Err(e) => e.kind() != std::io::ErrorKind::AddrInUse,
    };
    v6 && TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok()
        && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// Free ports of `range`, each tested as it is asked for, without those in `skip`. The walk begins at a place that
/// depends on `seed`, so that tuners on one host seldom try the same port first, and meets every port once.
pub fn free_ports(range: RangeInclusive<u16>, seed: u64, skip: &[u16]) -> impl Iterator<Item = u16> {
    let first = u64::from(*range.start());
    let count = (u64::from(*range.end()) + 1).saturating_sub(first);
    (0..count)
        .filter_map(move |i| u16::try_from(first + (seed % count + i) % count).ok())
        .filter(|port| !skip.contains(port) && is_free(*port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_skipped() {
        for address in [Ipv4Addr::LOCALHOST, Ipv4Addr::UNSPECIFIED] {
            let taken = TcpListener::bind((address, 0)).unwrap();
            let port = taken.local_addr().unwrap().port();
            assert!(!is_free(port));
            assert_eq!(free_ports(port..=port, 7, &[]).next(), None);
        }
    }

    #[test]
    fn every_port_is_offered_once_from_any_starting_place() {
        for seed in [0, 5, u64::MAX] {
            let mut ports: Vec<u16> = free_ports(ENGINE_PORTS, seed, &[20_003]).take(5).collect();
            assert_eq!(ports.len(), 5);
            assert!(ports.iter().all(|p| ENGINE_PORTS.contains(p) && *p != 20_003));
            ports.sort_unstable();
            ports.dedup();
            assert_eq!(ports.len(), 5);
        }
        #[allow(clippy::reversed_empty_ranges)]
        let nothing = 9..=8;
        assert_eq!(free_ports(nothing, 1, &[]).count(), 0);
    }
}
