// SPDX-License-Identifier: Apache-2.0
//! The addresses of the lab: documentation ranges of RFC 5737 and RFC 3849, which no real network uses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// A host's last part of its addresses in each network: `192.0.2.PLACE`, and `2001:db8:1::PLACE` with
/// the same digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place(pub u8);

impl Place {
    /// The place of a host by its name: routers from 1, nodes from 11, the LAN's client 100, the WAN's 101,
    /// the API server 102.
    #[must_use]
    pub fn of(name: &str) -> Self {
        let number = |base: u8| {
            let digits = name.get(1..).and_then(|digits| digits.parse::<u8>().ok());
            Self(base.saturating_add(digits.unwrap_or(0)))
        };
        match name.get(..1) {
            _ if name == "client" => Self(100),
            _ if name == "outside" => Self(101),
            _ if name == "api" => Self(102),
            Some("r") => number(0),
            _ => number(10),
        }
    }
}

/// The network of the LAN.
const LAN: [u8; 3] = [192, 0, 2];

/// A host's IPv4 address in the LAN.
#[must_use]
pub fn lan_v4(Place(place): Place) -> Ipv4Addr {
    let [a, b, c] = LAN;
    Ipv4Addr::new(a, b, c, place)
}

/// A host's addresses in the LAN, IPv4 then IPv6, with their networks.
#[must_use]
pub fn lan(place: Place) -> [IpNet; 2] {
    pair(LAN, 1, place)
}

/// A host's addresses in the WAN, IPv4 then IPv6, with their networks.
#[must_use]
pub fn wan(place: Place) -> [IpNet; 2] {
    pair([198, 51, 100], 2, place)
}

fn pair([a, b, c]: [u8; 3], subnet: u16, Place(place): Place) -> [IpNet; 2] {
    // The decimal digits read as hexadecimal: .11 and ::11 look alike.
    let (hundreds, tens, ones) = (place / 100, place / 10 % 10, place % 10);
    let last = u16::from(hundreds) << 8 | u16::from(tens) << 4 | u16::from(ones);
    let v4 = IpAddr::V4(Ipv4Addr::new(a, b, c, place));
    let v6 = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, subnet, 0, 0, 0, 0, last));
    [net(v4, 24), net(v6, 64)]
}

fn net(address: IpAddr, length: u8) -> IpNet {
    match address {
        IpAddr::V4(v4) => IpNet::V4(Ipv4Net::new_assert(v4, length)),
        IpAddr::V6(v6) => IpNet::V6(Ipv6Net::new_assert(v6, length)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_look_alike_in_both_families() {
        let cases = [
            ("r1", "192.0.2.1/24", "2001:db8:1::1/64"),
            ("n3", "192.0.2.13/24", "2001:db8:1::13/64"),
            ("client", "192.0.2.100/24", "2001:db8:1::100/64"),
            ("api", "192.0.2.102/24", "2001:db8:1::102/64"),
        ];
        for (name, v4, v6) in cases {
            let [a, b] = lan(Place::of(name));
            assert_eq!((a.to_string().as_str(), b.to_string().as_str()), (v4, v6));
        }
        assert_eq!(
            wan(Place::of("outside"))[0].to_string(),
            "198.51.100.101/24"
        );
    }
}
