// SPDX-License-Identifier: Apache-2.0
//! What `birdc` prints (2.0.12), read into a view.

use std::{collections::BTreeMap, net::IpAddr};

use ferrolb_types::Asn;
use ipnet::IpNet;

use super::super::{
    Route, Session,
    view::{as_path, community, large_community},
};

/// The sessions in `show protocols all`.
pub(super) fn sessions(text: &str) -> Vec<Session> {
    blocks(text)
        .iter()
        .filter_map(|lines| session(lines))
        .collect()
}

/// Each protocol: a line that begins at the margin and the indented ones after it.
fn blocks(text: &str) -> Vec<Vec<&str>> {
    let mut blocks: Vec<Vec<&str>> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        match blocks.last_mut() {
            Some(block) if line.starts_with(' ') => block.push(line.trim()),
            _ => blocks.push(vec![line]),
        }
    }
    blocks
}

fn session(lines: &[&str]) -> Option<Session> {
    if lines.first()?.split_whitespace().nth(1)? != "BGP" {
        return None;
    }
    let field = |name: &str| {
        lines
            .iter()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
            .map(str::trim)
    };
    let received = lines
        .iter()
        .filter_map(|line| line.strip_prefix("Routes:"))
        .filter_map(|rest| rest.split_whitespace().next()?.parse::<u64>().ok())
        .sum();
    Some(Session {
        peer: field("Neighbor address")?.split('%').next()?.parse().ok()?,
        asn: Asn(field("Neighbor AS")?.parse().ok()?),
        state: field("BGP state")?.into(),
        received,
        last_error: field("Last error").map(str::to_owned),
    })
}

/// The routes in `show route all`; `peers` maps protocol names to peers.
pub(super) fn routes(text: &str, peers: &BTreeMap<String, IpAddr>) -> Vec<Route> {
    let mut routes: Vec<Route> = Vec::new();
    let mut prefix: Option<IpNet> = None;
    for line in text.lines() {
        if let Some(head) = line.split_once(" [").filter(|_| !line.starts_with('\t')) {
            // Further paths of a prefix leave its column empty.
            prefix = head
                .0
                .split_whitespace()
                .next()
                .and_then(|w| w.parse().ok())
                .or(prefix);
            routes.extend(prefix.map(|prefix| begun(prefix, head.1, peers)));
        } else if let (Some(route), Some((name, value))) =
            (routes.last_mut(), line.trim().split_once(": "))
        {
            attribute(route, name, value);
        }
    }
    routes
}

fn begun(prefix: IpNet, rest: &str, peers: &BTreeMap<String, IpAddr>) -> Route {
    let protocol = rest.split_whitespace().next().unwrap_or_default();
    Route {
        peer: peers.get(protocol).copied(),
        best: rest.contains("] * ("),
        ..Route::new(prefix)
    }
}

fn attribute(route: &mut Route, name: &str, value: &str) {
    match name {
        "BGP.as_path" => route.as_path = as_path(value),
        "BGP.next_hop" => {
            route.next_hops = value
                .split_whitespace()
                .filter_map(|w| w.parse().ok())
                .collect();
        }
        "BGP.local_pref" => route.local_pref = value.trim().parse().ok(),
        "BGP.community" => route.communities = bracketed(value).filter_map(community).collect(),
        "BGP.large_community" => {
            route.large_communities = bracketed(value).filter_map(large_community).collect();
        }
        _ => {}
    }
}

/// The texts in round brackets: `(64500,1) (64500,2)`.
fn bracketed(value: &str) -> impl Iterator<Item = &str> {
    value
        .split('(')
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
}

/// The sum in `show route count`.
pub(super) fn count(text: &str) -> Option<u64> {
    let counts = text.lines().filter_map(|line| {
        let (number, rest) = line.trim().split_once(' ')?;
        rest.starts_with("of ")
            .then(|| number.parse::<u64>().ok())?
    });
    // Each table has a line; a total, where there is one, begins with a word.
    counts.reduce(|a, b| a + b)
}

#[cfg(test)]
mod tests {
    use super::{super::super::SessionState, *};

    const PROTOCOLS: &str = "\
BIRD 2.0.12 ready.
Name       Proto      Table      State  Since         Info
device1    Device     ---        up     2026-11-21 07:15:24.679

peer_a     BGP        ---        up     2026-11-21 07:15:25.678  Established
  BGP state:          Established
    Neighbor address: 192.0.2.11
    Neighbor AS:      64501
    Local AS:         64500
  Channel ipv4
    State:          UP
    Routes:         2 imported, 0 exported, 2 preferred
  Channel ipv6
    Routes:         1 imported, 0 exported, 1 preferred

peer_b     BGP        ---        start  2026-11-21 07:15:24.679  Active        Socket: Connection refused
  BGP state:          Active
    Neighbor address: 2001:db8::12
    Neighbor AS:      64501
    Last error:       Socket: Connection refused
";

    const ROUTES: &str = "\
BIRD 2.0.12 ready.
Table master4:
203.0.113.1/32       unicast [peer_a 07:15:27.669] * (100) [AS64501i]
\tvia 192.0.2.11 on eth0
\tType: BGP univ
\tBGP.origin: IGP
\tBGP.as_path: 64501
\tBGP.next_hop: 192.0.2.11
\tBGP.local_pref: 150
\tBGP.community: (64500,1) (65535,65281)
\tBGP.large_community: (64500, 1, 2)
                     unicast [peer_b 07:15:28.001] (100) [AS64501i]
\tvia 192.0.2.12 on eth0
\tBGP.next_hop: 192.0.2.12
203.0.113.2/32       blackhole [static_ipv4 07:15:28.001] * (200)

Table master6:
2001:db8:100::1/128  unicast [peer_b 07:15:25.678] * (100) [AS64501i]
\tBGP.next_hop: 2001:db8::11 fe80::1c85:3dff:fe38:b375
";

    #[test]
    fn reads_sessions() {
        let sessions = sessions(PROTOCOLS);
        assert_eq!(sessions.len(), 2);
        assert_eq!(sessions[0].state, SessionState::Established);
        assert_eq!((sessions[0].asn, sessions[0].received), (Asn(64501), 3));
        assert_eq!(sessions[1].state, SessionState::Active);
        assert_eq!(
            sessions[1].last_error.as_deref(),
            Some("Socket: Connection refused")
        );
    }

    #[test]
    fn reads_routes_of_both_tables_and_all_paths() {
        let peers = [("peer_a", "192.0.2.11"), ("peer_b", "2001:db8::12")]
            .map(|(name, address)| (name.to_owned(), address.parse().unwrap()))
            .into();
        let routes = routes(ROUTES, &peers);
        let seen: Vec<_> = routes
            .iter()
            .map(|r| (r.prefix.to_string(), r.best, r.peer.is_some()))
            .collect();
        assert_eq!(
            seen,
            [
                ("203.0.113.1/32".to_owned(), true, true),
                ("203.0.113.1/32".to_owned(), false, true),
                ("203.0.113.2/32".to_owned(), true, false),
                ("2001:db8:100::1/128".to_owned(), true, true),
            ]
        );
        assert_eq!(routes[0].local_pref, Some(150));
        assert_eq!(
            (
                routes[0].communities.len(),
                routes[0].large_communities.len()
            ),
            (2, 1)
        );
        assert_eq!(routes[3].next_hops.len(), 2);
    }

    #[test]
    fn adds_the_counts_of_all_tables() {
        let text = "BIRD 2.0.12 ready.\n\
            3 of 3 routes for 2 networks in table master4\n\
            1 of 1 routes for 1 networks in table master6\n\
            Total: 4 of 4 routes for 3 networks in 2 tables\n";
        assert_eq!(count(text), Some(4));
        assert_eq!(count("nothing"), None);
    }
}
