// SPDX-License-Identifier: Apache-2.0
//! What `vtysh` prints as JSON (FRR 8.4), read into a view.

use ferrolb_types::Asn;
use serde_json::Value;

use super::super::{
    Route, Session, SessionState,
    view::{as_path, community, large_community},
};

/// The sessions in `show bgp neighbors json`: an object by the peer's address.
pub(super) fn sessions(neighbors: &Value) -> Vec<Session> {
    neighbors
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(peer, facts)| session(peer, facts))
        .collect()
}

fn session(peer: &str, facts: &Value) -> Option<Session> {
    let families = facts.get("addressFamilyInfo").and_then(Value::as_object);
    let received = families
        .into_iter()
        .flatten()
        .filter_map(|(_, family)| family.get("acceptedPrefixCounter")?.as_u64())
        .sum();
    let text = |name: &str| facts.get(name).and_then(Value::as_str);
    Some(Session {
        peer: peer.parse().ok()?,
        asn: Asn(u32::try_from(facts.get("remoteAs")?.as_u64()?).ok()?),
        state: SessionState::from(text("bgpState")?),
        received,
        last_error: text("lastNotificationReason").map(str::to_owned),
    })
}

/// The routes in `show bgp FAMILY unicast json detail`: for each prefix an array whose first
/// element speaks of the prefix and the others of one path each.
pub(super) fn routes(table: &Value) -> Vec<Route> {
    let prefixes = table.get("routes").and_then(Value::as_object);
    prefixes
        .into_iter()
        .flatten()
        .flat_map(|(prefix, entries)| {
            let paths = entries.as_array().into_iter().flatten();
            paths
                .filter(|entry| entry.get("nexthops").is_some())
                .filter_map(|path| route(prefix, path))
        })
        .collect()
}

fn route(prefix: &str, path: &Value) -> Option<Route> {
    let texts = |pointer: &str| {
        let list = path.pointer(pointer).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str)
    };
    let hops = path.get("nexthops")?.as_array()?;
    let flag = |pointer: &str| path.pointer(pointer).and_then(Value::as_bool);
    Some(Route {
        next_hops: hops
            .iter()
            .filter_map(|hop| hop.get("ip")?.as_str()?.parse().ok())
            .collect(),
        as_path: as_path(
            path.pointer("/aspath/string")
                .and_then(Value::as_str)
                .unwrap_or(""),
        ),
        local_pref: ["/localpref", "/locPrf", "/localPref"]
            .iter()
            .find_map(|name| u32::try_from(path.pointer(name)?.as_u64()?).ok()),
        communities: texts("/community/list").filter_map(community).collect(),
        large_communities: texts("/largeCommunity/list")
            .filter_map(large_community)
            .collect(),
        // The router's own routes come from the unspecified address.
        peer: path
            .pointer("/peer/peerId")
            .and_then(|peer| peer.as_str()?.parse().ok())
            .filter(|peer: &std::net::IpAddr| !peer.is_unspecified()),
        best: flag("/bestpath/overall").unwrap_or(false),
        ..Route::new(prefix.parse().ok()?)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_a_table_with_details() {
        let table = json!({"routes": {"203.0.113.1/32": [
            {"prefix": "203.0.113.1/32", "version": 1},
            {"aspath": {"string": "64501"}, "valid": true, "bestpath": {"overall": true},
             "community": {"list": ["64500:1", "noExport"]},
             "largeCommunity": {"list": ["64500:1:2"]},
             "nexthops": [{"ip": "192.0.2.11"}], "peer": {"peerId": "192.0.2.11"}},
            {"aspath": {"string": ""}, "localpref": 150, "nexthops": [{"ip": "0.0.0.0"}],
             "peer": {"peerId": "0.0.0.0"}}
        ]}});
        let routes = routes(&table);
        assert_eq!(routes.len(), 2);
        assert!(routes[0].best && routes[0].peer.is_some());
        assert_eq!(
            (
                routes[0].communities.len(),
                routes[0].large_communities.len()
            ),
            (2, 1)
        );
        assert_eq!((routes[1].local_pref, routes[1].peer), (Some(150), None));
    }

    #[test]
    fn reads_sessions() {
        let neighbors = json!({"192.0.2.11": {
            "remoteAs": 64501, "bgpState": "Established",
            "addressFamilyInfo": {"ipv4Unicast": {"acceptedPrefixCounter": 2},
                                  "ipv6Unicast": {"acceptedPrefixCounter": 1}}
        }, "bgpNoSuchNeighbor": true});
        let sessions = sessions(&neighbors);
        assert_eq!(sessions.len(), 1);
        assert_eq!(
            (sessions[0].received, &sessions[0].state),
            (3, &SessionState::Established)
        );
    }
}
