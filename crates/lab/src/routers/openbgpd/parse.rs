// SPDX-License-Identifier: Apache-2.0
//! What `bgpctl -j` prints (7.7), read into a view.

use ferrolb_types::Asn;
use serde_json::Value;

use super::super::{
    Route, Session, SessionState,
    view::{as_path, community, large_community},
};

/// The sessions in `bgpctl -j show neighbor`.
pub(super) fn sessions(said: &Value) -> Vec<Session> {
    let list = said.get("neighbors").and_then(Value::as_array);
    list.into_iter().flatten().filter_map(session).collect()
}

fn session(neighbor: &Value) -> Option<Session> {
    let text = |name: &str| neighbor.get(name).and_then(Value::as_str);
    Some(Session {
        peer: text("remote_addr")?.parse().ok()?,
        asn: Asn(text("remote_as")?.parse().ok()?),
        state: SessionState::from(text("state")?),
        received: neighbor
            .pointer("/stats/prefixes/received")
            .and_then(Value::as_u64)
            .unwrap_or(0),
        last_error: text("last_error")
            .or_else(|| text("last_error_sent"))
            .map(str::to_owned),
    })
}

/// The routes in `bgpctl -j show rib detail`.
pub(super) fn routes(said: &Value) -> Vec<Route> {
    let list = said.get("rib").and_then(Value::as_array);
    list.into_iter().flatten().filter_map(route).collect()
}

fn route(path: &Value) -> Option<Route> {
    let texts = |name: &str| {
        let list = path.get(name).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str)
    };
    let text = |pointer: &str| path.pointer(pointer).and_then(Value::as_str);
    let own = text("/source") == Some("network") || path.get("announced").is_some();
    Some(Route {
        next_hops: text("/exit_nexthop")
            .and_then(|hop| hop.parse().ok())
            .into_iter()
            .collect(),
        as_path: as_path(text("/aspath").unwrap_or("")),
        local_pref: path
            .get("localpref")
            .and_then(|value| u32::try_from(value.as_u64()?).ok()),
        communities: texts("communities").filter_map(community).collect(),
        large_communities: texts("large_communities")
            .filter_map(large_community)
            .collect(),
        peer: text("/neighbor/remote_addr")
            .filter(|_| !own)
            .and_then(|peer| peer.parse().ok()),
        best: path.get("best").and_then(Value::as_bool).unwrap_or(false),
        ..Route::new(text("/prefix")?.parse().ok()?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_routes() {
        let text = r#"{"rib":[{"prefix":"203.0.113.1/32","aspath":"64501",
            "exit_nexthop":"192.0.2.11","neighbor":{"remote_addr":"192.0.2.11"},
            "best":true,"source":"external","localpref":100,
            "communities":["64500:1","NO_EXPORT"],"large_communities":["64500:1:2"]}]}"#;
        let routes = routes(&serde_json::from_str(text).unwrap());
        assert_eq!(routes.len(), 1);
        assert_eq!(
            (
                routes[0].communities.len(),
                routes[0].large_communities.len()
            ),
            (2, 1)
        );
        assert_eq!((routes[0].local_pref, routes[0].best), (Some(100), true));
        assert!(routes[0].peer.is_some());
    }

    #[test]
    fn reads_sessions() {
        let text = r#"{"neighbors":[{"remote_as":"64501","remote_addr":"192.0.2.11",
            "state":"Established","stats":{"prefixes":{"received":3}}}]}"#;
        let sessions = sessions(&serde_json::from_str(text).unwrap());
        assert_eq!(
            (sessions[0].received, &sessions[0].state),
            (3, &SessionState::Established)
        );
    }
}
