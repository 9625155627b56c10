// SPDX-License-Identifier: Apache-2.0
//! A router's own view of its sessions and routes, the same for all daemons.

use std::{collections::BTreeSet, fmt, net::IpAddr};

use ferrolb_types::{Asn, LargeCommunity, StandardCommunity};
use ipnet::IpNet;

/// What a router says it has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouterView {
    /// Its sessions.
    pub sessions: Vec<Session>,
    /// Its routes: every path of every prefix.
    pub routes: Vec<Route>,
}

/// The state of a session (RFC 4271 section 8.2.2).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SessionState {
    /// Not trying.
    Idle,
    /// Waiting for its TCP connection.
    Connect,
    /// Waiting for the peer, or to try again.
    Active,
    /// OPEN sent.
    OpenSent,
    /// OPEN received.
    OpenConfirm,
    /// Routes flow.
    Established,
    /// A daemon's own word.
    Other(String),
}

impl From<&str> for SessionState {
    fn from(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "idle" => Self::Idle,
            "connect" => Self::Connect,
            "active" => Self::Active,
            "opensent" => Self::OpenSent,
            "openconfirm" => Self::OpenConfirm,
            "established" => Self::Established,
            _ => Self::Other(word.to_owned()),
        }
    }
}

/// One session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The peer's address.
    pub peer: IpAddr,
    /// The peer's autonomous system.
    pub asn: Asn,
    /// Where it stands.
    pub state: SessionState,
    /// Prefixes held from the peer, both families together.
    pub received: u64,
    /// What the daemon says ended the session last, in its own words, where it says so.
    pub last_error: Option<String>,
}

/// One path to one prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The destination.
    pub prefix: IpNet,
    /// The next hops in NEXT_HOP or MP_REACH_NLRI; link-local ones too.
    pub next_hops: Vec<IpAddr>,
    /// The autonomous systems on the way.
    pub as_path: Vec<Asn>,
    /// LOCAL_PREF, where the daemon shows one.
    pub local_pref: Option<u32>,
    /// Standard communities.
    pub communities: BTreeSet<StandardCommunity>,
    /// Large communities.
    pub large_communities: BTreeSet<LargeCommunity>,
    /// The peer it came from; `None` for the router's own.
    pub peer: Option<IpAddr>,
    /// Whether the router chose it.
    pub best: bool,
}

impl Route {
    pub(super) fn new(prefix: IpNet) -> Self {
        Self {
            prefix,
            next_hops: Vec::new(),
            as_path: Vec::new(),
            local_pref: None,
            communities: BTreeSet::new(),
            large_communities: BTreeSet::new(),
            peer: None,
            best: false,
        }
    }
}

impl RouterView {
    /// The session with a peer.
    #[must_use]
    pub fn session(&self, peer: IpAddr) -> Option<&Session> {
        self.sessions.iter().find(|session| session.peer == peer)
    }

    /// Whether the session with a peer is established.
    #[must_use]
    pub fn is_up(&self, peer: IpAddr) -> bool {
        self.session(peer)
            .is_some_and(|session| session.state == SessionState::Established)
    }

    /// The paths to a prefix.
    #[must_use]
    pub fn paths(&self, prefix: IpNet) -> Vec<&Route> {
        self.routes.iter().filter(|r| r.prefix == prefix).collect()
    }

    /// The path to a prefix from one peer.
    #[must_use]
    pub fn path(&self, prefix: IpNet, peer: IpAddr) -> Option<&Route> {
        self.routes
            .iter()
            .find(|route| route.prefix == prefix && route.peer == Some(peer))
    }

    /// The prefixes held from one peer.
    #[must_use]
    pub fn prefixes_from(&self, peer: IpAddr) -> BTreeSet<IpNet> {
        self.routes
            .iter()
            .filter(|route| route.peer == Some(peer))
            .map(|route| route.prefix)
            .collect()
    }
}

impl fmt::Display for RouterView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Session {
            peer,
            asn,
            state,
            received,
            last_error,
        } in &self.sessions
        {
            writeln!(
                f,
                "session {peer} AS{asn} {state:?}, {received} prefixes {last_error:?}"
            )?;
        }
        for route in &self.routes {
            let Route {
                prefix, next_hops, ..
            } = route;
            writeln!(f, "route {prefix} via {next_hops:?} from {:?}", route.peer)?;
        }
        Ok(())
    }
}

/// The numbers in an AS path's text; sets and confederations lose their brackets.
pub(super) fn as_path(text: &str) -> Vec<Asn> {
    text.split(|c: char| !c.is_ascii_digit())
        .filter_map(|word| word.parse().ok().map(Asn))
        .collect()
}

/// A standard community in any daemon's notation: `64500:1`, `64500,1`, or a well-known name.
pub(super) fn community(text: &str) -> Option<StandardCommunity> {
    let name: String = text
        .chars()
        .filter(|c| !"-_ ".contains(*c))
        .collect::<String>()
        .to_ascii_lowercase();
    let well_known = match name.as_str() {
        "gracefulshutdown" | "gshut" => 0xFFFF_0000,
        "blackhole" => 0xFFFF_029A,
        "noexport" => 0xFFFF_FF01,
        "noadvertise" => 0xFFFF_FF02,
        "localas" | "noexportsubconfed" => 0xFFFF_FF03,
        _ => return standard(&name),
    };
    Some(StandardCommunity(well_known))
}

fn standard(text: &str) -> Option<StandardCommunity> {
    let (high, low) = text.split_once([':', ','])?;
    let (high, low): (u16, u16) = (high.parse().ok()?, low.parse().ok()?);
    Some(StandardCommunity(u32::from(high) << 16 | u32::from(low)))
}

/// A large community: `64500:1:2`, or with commas.
pub(super) fn large_community(text: &str) -> Option<LargeCommunity> {
    let mut parts = text.split([':', ',']).map(|part| part.trim().parse().ok());
    let community = LargeCommunity {
        global: parts.next()??,
        local1: parts.next()??,
        local2: parts.next()??,
    };
    parts.next().is_none().then_some(community)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_notation_of_a_community() {
        let no_export = Some(StandardCommunity(0xFFFF_FF01));
        let own = Some(StandardCommunity(64500 << 16 | 1));
        let cases = [
            ("64500:1", own),
            ("64500,1", own),
            ("no-export", no_export),
            ("noExport", no_export),
            ("NO_EXPORT", no_export),
            ("65535,65281", no_export),
            ("70000:1", None),
            ("word", None),
        ];
        for (text, expected) in cases {
            assert_eq!(community(text), expected, "{text}");
        }
    }

    #[test]
    fn reads_large_communities_and_paths() {
        let large = LargeCommunity {
            global: 64500,
            local1: 1,
            local2: 2,
        };
        assert_eq!(large_community("64500:1:2"), Some(large));
        assert_eq!(large_community("64500, 1, 2"), Some(large));
        assert_eq!(large_community("64500:1"), None);
        assert_eq!(large_community("64500:1:2:3"), None);
        assert_eq!(
            as_path("64501 {64502,64503}"),
            [64501, 64502, 64503].map(Asn)
        );
    }
}
