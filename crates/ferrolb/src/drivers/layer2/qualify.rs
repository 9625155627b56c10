// SPDX-License-Identifier: Apache-2.0
//! Which interfaces are answered on. Pure: a link and the exclusions go in, a verdict comes out.

use std::net::Ipv6Addr;

use ferrolb_netio::links::Link;
use regex::Regex;

/// Expressions for the names of interfaces to leave alone; one match anywhere in the name is enough.
#[derive(Clone, Debug, Default)]
pub struct Exclude(Vec<Regex>);

/// An expression that cannot be read.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{pattern:?} is no regular expression: {cause}")]
pub struct ExcludeError {
    /// The expression.
    pub pattern: String,
    /// What is wrong with it.
    pub cause: regex::Error,
}

impl Exclude {
    /// Reads the expressions.
    ///
    /// # Errors
    /// The first that cannot be read.
    pub fn parse<S: AsRef<str>>(
        patterns: impl IntoIterator<Item = S>,
    ) -> Result<Self, ExcludeError> {
        let compile = |pattern: S| {
            let pattern = pattern.as_ref();
            let explain = |cause| ExcludeError {
                pattern: pattern.to_owned(),
                cause,
            };
            Regex::new(pattern).map_err(explain)
        };
        patterns
            .into_iter()
            .map(compile)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether an interface of that name is left alone.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        self.0.iter().any(|expression| expression.is_match(name))
    }
}

/// Why an interface cannot be answered on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, thiserror::Error)]
#[serde(rename_all = "camelCase")]
pub enum Unsuitable {
    /// It is not Ethernet.
    #[error("it has no Ethernet address")]
    NotEthernet,
    /// Administratively down.
    #[error("it is down")]
    Down,
    /// Up, but without a carrier.
    #[error("it has no carrier")]
    NoCarrier,
    /// Port of a bridge or bond, or member of a VRF.
    #[error("it belongs to a bridge, bond or VRF")]
    HasMaster,
    /// The NOARP flag is set.
    #[error("it does not use ARP")]
    NoArp,
    /// Neither can it broadcast, nor has it a usable link-local address.
    #[error("it can neither broadcast nor has it a usable link-local IPv6 address")]
    NoProtocol,
}

/// What an interface can be used for; at least one of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Qualified {
    pub(super) mac: [u8; 6],
    pub(super) arp: bool,
    pub(super) ndp: Option<Ipv6Addr>,
}

/// The verdict on an interface that is not excluded. An own IPv4 address is not needed.
pub(super) fn qualify(link: &Link) -> Result<Qualified, Unsuitable> {
    let mac = link.mac.ok_or(Unsuitable::NotEthernet)?;
    let checks = [
        (!link.up, Unsuitable::Down),
        (!link.running, Unsuitable::NoCarrier),
        (link.master.is_some(), Unsuitable::HasMaster),
        (link.noarp, Unsuitable::NoArp),
    ];
    if let Some((_, reason)) = checks.into_iter().find(|(applies, _)| *applies) {
        return Err(reason);
    }
    let qualified = Qualified {
        mac,
        arp: link.broadcast,
        ndp: link.ipv6_link_local(),
    };
    if !qualified.arp && qualified.ndp.is_none() {
        return Err(Unsuitable::NoProtocol);
    }
    Ok(qualified)
}

#[cfg(test)]
mod tests {
    use ferrolb_netio::links::LinkAddress;

    use super::*;

    fn eth0() -> Link {
        let net = "fe80::1/64".parse().unwrap();
        Link {
            ifindex: 2,
            name: "eth0".into(),
            mac: Some([2, 0, 0, 0, 0, 1]),
            up: true,
            running: true,
            broadcast: true,
            loopback: false,
            noarp: false,
            master: None,
            addresses: vec![LinkAddress {
                net,
                usable: true,
                lasting: true,
            }],
        }
    }

    #[test]
    fn verdicts() {
        let ndp = "fe80::1".parse().ok();
        let tentative = LinkAddress {
            net: "fe80::1/64".parse().unwrap(),
            usable: false,
            lasting: true,
        };
        let all = Qualified {
            mac: [2, 0, 0, 0, 0, 1],
            arp: true,
            ndp,
        };
        let quiet = Link {
            broadcast: false,
            addresses: vec![],
            ..eth0()
        };
        let table = [
            ("whole", eth0(), Ok(all)),
            (
                "tentative",
                Link {
                    addresses: vec![tentative],
                    ..eth0()
                },
                Ok(Qualified { ndp: None, ..all }),
            ),
            (
                "point to point",
                Link {
                    broadcast: false,
                    ..eth0()
                },
                Ok(Qualified { arp: false, ..all }),
            ),
            ("nothing", quiet, Err(Unsuitable::NoProtocol)),
            (
                "down",
                Link {
                    up: false,
                    running: false,
                    ..eth0()
                },
                Err(Unsuitable::Down),
            ),
            (
                "no carrier",
                Link {
                    running: false,
                    ..eth0()
                },
                Err(Unsuitable::NoCarrier),
            ),
            (
                "bridge port",
                Link {
                    master: Some(3),
                    ..eth0()
                },
                Err(Unsuitable::HasMaster),
            ),
            (
                "noarp",
                Link {
                    noarp: true,
                    ..eth0()
                },
                Err(Unsuitable::NoArp),
            ),
            (
                "tunnel",
                Link {
                    mac: None,
                    ..eth0()
                },
                Err(Unsuitable::NotEthernet),
            ),
        ];
        for (name, link, want) in table {
            assert_eq!(qualify(&link), want, "{name}");
        }
    }

    #[test]
    fn exclusions_search_within_the_name() {
        let exclude = Exclude::parse(["^docker.*", "^lo$", "cni"]).unwrap();
        for (name, excluded) in [
            ("docker0", true),
            ("lo", true),
            ("lo1", false),
            ("xcni0", true),
            ("eth0", false),
        ] {
            assert_eq!(exclude.matches(name), excluded, "{name}");
        }
        assert_eq!(Exclude::parse(["^a", "("]).unwrap_err().pattern, "(");
    }
}
