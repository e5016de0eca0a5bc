//! Ranges of addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IpFamily {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// A range of addresses of one family, as positions in its space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct IpRange {
    pub(super) family: IpFamily,
    first: u128,
    last: u128,
}

impl IpFamily {
    /// The family of an address. An IPv4 address mapped into IPv6 is IPv4.
    pub fn of(address: IpAddr) -> IpFamily {
        match address.to_canonical() {
            IpAddr::V4(_) => IpFamily::V4,
            IpAddr::V6(_) => IpFamily::V6,
        }
    }

    const fn last(self) -> u128 {
        match self {
            IpFamily::V4 => u32::MAX as u128,
            IpFamily::V6 => u128::MAX,
        }
    }
}

impl IpRange {
    /// Reads a CIDR, or a single address; none if it is neither.
    pub fn parse(cidr: &str) -> Option<IpRange> {
        let (address, length) = match cidr.split_once('/') {
            Some((address, length)) => (address, Some(length.parse::<u32>().ok()?)),
            None => (cidr, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let (family, bits) = match address {
            IpAddr::V4(_) => (IpFamily::V4, 32),
            IpAddr::V6(_) => (IpFamily::V6, 128),
        };
        let position = match address {
            IpAddr::V4(address) => u128::from(u32::from(address)),
            IpAddr::V6(address) => u128::from(address),
        };
        let host_bits =
            bits - length.filter(|length| *length <= bits).or(length.is_none().then_some(bits))?;
        // Shifting by all 128 bits leaves none, which `checked_shl` says with none.
        let host = 1_u128.checked_shl(host_bits).map_or(u128::MAX, |power| power - 1);
        Some(IpRange { family, first: position & !host, last: position | host })
    }

    /// Whether an address is in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        let (family, position) = match address.to_canonical() {
            IpAddr::V4(address) => (IpFamily::V4, u128::from(u32::from(address))),
            IpAddr::V6(address) => (IpFamily::V6, u128::from(address)),
        };
        family == self.family && (self.first..=self.last).contains(&position)
    }
}

/// One address of each part into which ranges cut a family's space: no rule made of these ranges tells two addresses
/// of one part from each other.
pub(super) fn representatives(family: IpFamily, ranges: &[IpRange]) -> Vec<IpAddr> {
    let mut positions: Vec<u128> = ranges
        .iter()
        .filter(|range| range.family == family)
        .flat_map(|range| {
            [Some(range.first), range.last.checked_add(1).filter(|next| *next <= family.last())]
        })
        .flatten()
        .chain([0])
        .collect();
    positions.sort_unstable();
    positions.dedup();
    positions
        .into_iter()
        .map(|position| match family {
            // The positions of IPv4 fit: they are at most its last one.
            IpFamily::V4 => IpAddr::V4(Ipv4Addr::from(u32::try_from(position).unwrap_or(u32::MAX))),
            IpFamily::V6 => IpAddr::V6(Ipv6Addr::from(position)),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_and_contain_what_they_say() {
        for (cidr, inside, outside) in [
            ("10.0.0.0/8", "10.255.255.255", "11.0.0.0"),
            ("10.1.2.3/8", "10.0.0.0", "9.255.255.255"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("128.0.0.0/1", "255.255.255.255", "127.255.255.255"),
            ("fd00::/8", "fdff::1", "fe00::"),
            ("0.0.0.0/0", "0.0.0.0", "::1"),
            ("::/0", "ffff::", "10.0.0.1"),
        ] {
            let range = IpRange::parse(cidr).unwrap();
            assert!(range.contains(inside.parse().unwrap()), "{cidr} {inside}");
            assert!(!range.contains(outside.parse().unwrap()), "{cidr} {outside}");
        }
        for bad in ["", "10.0.0.0/33", "::/129", "10.0.0/8", "a/8", "10.0.0.0/-1", "10.0.0.0/"] {
            assert_eq!(IpRange::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn representatives_stand_for_every_part() {
        let ranges = ["10.0.0.0/8", "128.0.0.0/1", "::/0"].map(|cidr| IpRange::parse(cidr).unwrap());
        let texts =
            |family| representatives(family, &ranges).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(texts(IpFamily::V4), ["0.0.0.0", "10.0.0.0", "11.0.0.0", "128.0.0.0"]);
        assert_eq!(texts(IpFamily::V6), ["::"]);
    }
}
