// SPDX-License-Identifier: Apache-2.0
//! The next hops that this host can give for a session from one of its addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Link;

/// The addresses of one interface that a neighbour can forward to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NextHops {
    /// For IPv4 routes.
    pub v4: Option<Ipv4Addr>,
    /// For IPv6 routes.
    pub v6_global: Option<Ipv6Addr>,
    /// For IPv6 routes beside the global one, or alone; for a neighbour on the same link only.
    pub v6_link_local: Option<Ipv6Addr>,
}

/// The next hops on the interface that owns the local address of a session. The local address fills
/// its own place; the other places are filled with the first usable address of their kind. Where
/// no interface owns the address (any more), the address is all there is.
///
/// A neighbour behind a router gets no link-local address: it could not reach it (RFC 2545 section 3).
pub fn next_hops<'a>(
    links: impl IntoIterator<Item = &'a Link>,
    local: IpAddr,
    remote: IpAddr,
) -> NextHops {
    let hops =
        owner(links, local).map_or_else(NextHops::default, |link| NextHops::of(link, remote));
    hops.with(local)
}

/// The same for a session that is up: an address in use stays so for as long as the interface has it,
/// whatever other addresses come. Where no interface owns the local address nothing is known, and all
/// stays as it is.
pub fn next_hops_after<'a>(
    before: NextHops,
    links: impl IntoIterator<Item = &'a Link>,
    local: IpAddr,
    remote: IpAddr,
) -> NextHops {
    let Some(link) = owner(links, local) else {
        return before;
    };
    let has = |address: IpAddr| link.usable().any(|other| other == address);
    let now = NextHops::of(link, remote);
    let kept_link_local = before
        .v6_link_local
        .filter(|address| has((*address).into()) && is_on_link(link, remote));
    NextHops {
        v4: before.v4.filter(|a| has((*a).into())).or(now.v4),
        v6_global: before
            .v6_global
            .filter(|a| has((*a).into()))
            .or(now.v6_global),
        v6_link_local: kept_link_local.or(now.v6_link_local),
    }
    .with(local)
}

impl NextHops {
    /// What an interface has for a neighbour.
    fn of(link: &Link, neighbour: IpAddr) -> Self {
        Self {
            v4: link.ipv4(),
            v6_global: link.ipv6_global(),
            v6_link_local: link
                .ipv6_link_local()
                .filter(|_| is_on_link(link, neighbour)),
        }
    }

    /// With the local address of the session in its place.
    fn with(mut self, local: IpAddr) -> Self {
        match local {
            IpAddr::V4(v4) => self.v4 = Some(v4),
            IpAddr::V6(v6) if v6.is_unicast_link_local() => self.v6_link_local = Some(v6),
            IpAddr::V6(v6) => self.v6_global = Some(v6),
        }
        self
    }
}

fn owner<'a>(links: impl IntoIterator<Item = &'a Link>, local: IpAddr) -> Option<&'a Link> {
    let owns = |link: &&Link| link.addresses.iter().any(|a| a.ip() == local);
    links.into_iter().find(owns)
}

/// Whether the link's addresses show that the neighbour is on it.
fn is_on_link(link: &Link, neighbour: IpAddr) -> bool {
    let is_link_local = matches!(neighbour, IpAddr::V6(address) if address.is_unicast_link_local());
    is_link_local || link.addresses.iter().any(|a| a.net.contains(&neighbour))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::links::LinkAddress;

    /// With the length of the prefix, and whether it can be used.
    type Addresses<'a> = &'a [(&'a str, bool)];

    fn link(ifindex: u32, addresses: Addresses<'_>) -> Link {
        let address = |(net, usable): &(&str, bool)| LinkAddress {
            net: net.parse().unwrap(),
            usable: *usable,
            lasting: !net.ends_with("/128"),
        };
        Link {
            ifindex,
            name: format!("eth{ifindex}"),
            mac: None,
            up: true,
            running: true,
            broadcast: true,
            loopback: false,
            noarp: false,
            master: None,
            addresses: addresses.iter().map(address).collect(),
        }
    }

    #[test]
    fn the_interface_of_the_local_address_gives_the_rest() {
        let links = [
            link(
                1,
                &[
                    ("10.0.0.1/24", true),
                    ("10.0.0.2/24", true),
                    ("fe80::1/64", true),
                ],
            ),
            link(
                2,
                &[
                    ("10.1.0.1/24", true),
                    ("2001:db8::1/64", false),
                    ("2001:db8::2/64", true),
                ],
            ),
            link(3, &[("2001:db8:3::1/64", true), ("fe80::3/64", true)]),
        ];
        let table = [
            (
                "10.0.0.2",
                "10.0.0.9",
                (Some("10.0.0.2"), None, Some("fe80::1")),
            ),
            ("10.0.0.2", "10.9.0.9", (Some("10.0.0.2"), None, None)),
            (
                "2001:db8::2",
                "2001:db8::9",
                (Some("10.1.0.1"), Some("2001:db8::2"), None),
            ),
            (
                "10.1.0.1",
                "10.1.0.9",
                (Some("10.1.0.1"), Some("2001:db8::2"), None),
            ),
            (
                "2001:db8:3::1",
                "2001:db8:3::9",
                (None, Some("2001:db8:3::1"), Some("fe80::3")),
            ),
            (
                "2001:db8:3::1",
                "fe80::9",
                (None, Some("2001:db8:3::1"), Some("fe80::3")),
            ),
            (
                "2001:db8:3::1",
                "2001:db8:9::9",
                (None, Some("2001:db8:3::1"), None),
            ),
            (
                "fe80::1",
                "fe80::9",
                (Some("10.0.0.1"), None, Some("fe80::1")),
            ),
            ("192.0.2.1", "192.0.2.9", (Some("192.0.2.1"), None, None)),
        ];
        for (local, remote, (v4, v6_global, v6_link_local)) in table {
            let want = NextHops {
                v4: v4.map(|a| a.parse().unwrap()),
                v6_global: v6_global.map(|a| a.parse().unwrap()),
                v6_link_local: v6_link_local.map(|a| a.parse().unwrap()),
            };
            let got = next_hops(&links, local.parse().unwrap(), remote.parse().unwrap());
            assert_eq!(got, want, "{local} to {remote}");
        }
    }

    #[test]
    fn a_next_hop_in_use_stays_while_the_interface_has_it() {
        let (local, remote) = ("10.0.0.2".parse().unwrap(), "10.0.0.9".parse().unwrap());
        let v6 = |hops: NextHops| hops.v6_global.map(|address| address.to_string());
        let mut hops = NextHops::default();
        let table: [(Addresses<'_>, _); 6] = [
            (&[("10.0.0.2/24", true), ("2001:db8::5/64", false)], None),
            (
                &[("10.0.0.2/24", true), ("2001:db8::5/64", true)],
                Some("2001:db8::5"),
            ),
            (
                &[
                    ("10.0.0.2/24", true),
                    ("2001:db8::1/64", true),
                    ("2001:db8::5/64", true),
                ],
                Some("2001:db8::5"),
            ),
            (&[("2001:db8::1/64", true)], Some("2001:db8::5")),
            (
                &[("10.0.0.2/24", true), ("2001:db8::1/64", true)],
                Some("2001:db8::1"),
            ),
            (&[("10.0.0.2/24", true)], None),
        ];
        for (addresses, want) in table {
            let links = [link(1, &[("10.1.0.1/24", true)]), link(2, addresses)];
            hops = next_hops_after(hops, &links, local, remote);
            assert_eq!(v6(hops).as_deref(), want, "{addresses:?}");
        }
        assert_eq!(hops.v4, Some("10.0.0.2".parse().unwrap()));
    }

    #[test]
    fn an_address_that_may_move_is_the_last_choice() {
        let (local, remote) = ("10.0.0.2".parse().unwrap(), "10.0.0.9".parse().unwrap());
        let (floating, own) = (("2001:db8::5/128", true), ("2001:db8::21/64", true));
        for (addresses, want) in [
            (&[floating, own][..], "2001:db8::21"),
            (&[floating], "2001:db8::5"),
        ] {
            let links = [link(1, &[addresses, &[("10.0.0.2/24", true)]].concat())];
            let hops = next_hops(&links, local, remote);
            assert_eq!(hops.v6_global, want.parse().ok(), "{addresses:?}");
        }
    }
}
