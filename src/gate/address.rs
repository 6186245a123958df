//! Who the other side is: how addresses are counted, and which proxies are believed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// An address as budgets count it: an IPv4 address, or the /64 of an IPv6 address, which is the least that
/// one client is usually given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Origin(IpAddr);

impl Origin {
    /// Reduces an address to what is counted.
    pub fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(v6) => {
                let [a, b, c, d, ..] = v6.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
            v4 => v4,
        })
    }
}

/// A network, written `10.0.0.0/8`, `2001:db8::/32`, or as a single address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Net {
    base: u128,
    mask: u128,
}

/// A text that is no network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotANet;

impl std::fmt::Display for NotANet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not an address or network such as 10.0.0.1 or 10.0.0.0/8")
    }
}

impl std::error::Error for NotANet {}

impl Net {
    /// Tells whether the address lies in the network; IPv4 also when it comes mapped into IPv6.
    pub fn contains(&self, address: IpAddr) -> bool {
        bits(address) & self.mask == self.base
    }
}

impl FromStr for Net {
    type Err = NotANet;

    fn from_str(text: &str) -> Result<Self, NotANet> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NotANet)?;
        let whole: u32 = if address.is_ipv4() { 32 } else { 128 };
        let length = match length {
            Some(length) => length.parse::<u32>().ok().filter(|n| *n <= whole).ok_or(NotANet)?,
            None => whole,
        };
        let mask = match 128 - whole + length {
            0 => 0,
            ones => u128::MAX << (128 - ones),
        };
        Ok(Self { base: bits(address) & mask, mask })
    }
}

/// The address as 128 bits, IPv4 mapped (RFC 4291 section 2.5.5.2).
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// Tells whether the address is one of the trusted proxies.
pub fn is_trusted(proxies: &[Net], address: IpAddr) -> bool {
    proxies.iter().any(|net| net.contains(address))
}

/// Finds the client behind trusted proxies: the last entry of X-Forwarded-For that is not itself a trusted
/// proxy. What stands before it was written by strangers. `None` when the header names nobody.
pub fn forwarded_for<'a>(
    proxies: &[Net],
    values: impl DoubleEndedIterator<Item = &'a str>,
) -> Option<IpAddr> {
    let mut farthest = None;
    for entry in values.rev().flat_map(|value| value.rsplit(',')) {
        let Some(address) = forwarded_address(entry.trim()) else { break };
        farthest = Some(address);
        if !is_trusted(proxies, address) {
            break;
        }
    }
    farthest
}

/// Reads one entry: an address, perhaps with a port, IPv6 perhaps in brackets.
fn forwarded_address(entry: &str) -> Option<IpAddr> {
    let address = if let Some(rest) = entry.strip_prefix('[') {
        rest.split_once(']')?.0.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
    } else if let Ok(address) = entry.parse::<IpAddr>() {
        Some(address)
    } else {
        entry.split_once(':')?.0.parse::<Ipv4Addr>().ok().map(IpAddr::V4)
    };
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn ipv6_neighbours_count_as_one_and_mapped_ipv4_as_ipv4() {
        assert_eq!(Origin::of(ip("2001:db8:1:2:3::4")), Origin::of(ip("2001:db8:1:2:ffff::1")));
        assert_ne!(Origin::of(ip("2001:db8:1:2::")), Origin::of(ip("2001:db8:1:3::")));
        assert_eq!(Origin::of(ip("::ffff:10.0.0.1")), Origin::of(ip("10.0.0.1")));
        assert_ne!(Origin::of(ip("127.0.0.1")), Origin::of(ip("127.0.0.2")));
    }

    #[test]
    fn a_network_contains_its_addresses_only() {
        for (net, address, inside) in [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.7", "10.0.0.7", true),
            ("10.0.0.7", "10.0.0.8", false),
            ("0.0.0.0/0", "192.0.2.1", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("10.0.0.0/8", "::ffff:10.1.1.1", true),
            ("2001:db8::/32", "2001:db8:5::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::/0", "2001:db8::1", true),
        ] {
            assert_eq!(net.parse::<Net>().unwrap().contains(ip(address)), inside, "{net} {address}");
        }
        for text in ["", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "localhost", "::/129"] {
            assert_eq!(text.parse::<Net>(), Err(NotANet), "{text}");
        }
    }

    #[track_caller]
    fn check(values: &[&str], expected: Option<&str>) {
        let proxies = ["10.0.0.0/8".parse().unwrap()];
        assert_eq!(forwarded_for(&proxies, values.iter().copied()), expected.map(ip), "{values:?}");
    }

    #[test]
    fn the_last_address_that_no_trusted_proxy_has_is_the_client() {
        check(&["192.0.2.1"], Some("192.0.2.1"));
        check(&["6.6.6.6, 192.0.2.1"], Some("192.0.2.1"));
        check(&["6.6.6.6, 192.0.2.1, 10.0.0.2"], Some("192.0.2.1"));
        check(&["6.6.6.6", "192.0.2.1"], Some("192.0.2.1"));
        check(&["192.0.2.1:4711"], Some("192.0.2.1"));
        check(&["[2001:db8::1]:4711"], Some("2001:db8::1"));
        check(&["6.6.6.6, nonsense"], None);
        check(&["6.6.6.6, nonsense, 10.0.0.3"], Some("10.0.0.3"));
        check(&["10.0.0.4, 10.0.0.3"], Some("10.0.0.4"));
        check(&[], None);
    }
}
