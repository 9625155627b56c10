// SPDX-License-Identifier: Apache-2.0
//! What `gobgp -j` prints (3.10), read into a view.
//!
//! Attributes come as in BGP: by their type codes (RFC 4271 section 5, RFC 4760, RFC 8092).

use ferrolb_types::{Asn, LargeCommunity, StandardCommunity};
use serde_json::Value;

use super::super::{Route, Session, SessionState};

/// The sessions in `gobgp neighbor -j`.
pub(super) fn sessions(neighbors: &Value) -> Vec<Session> {
    let list = neighbors.as_array().into_iter().flatten();
    list.filter_map(session).collect()
}

fn session(neighbor: &Value) -> Option<Session> {
    let families = neighbor.get("afi_safis").and_then(Value::as_array);
    let received = families
        .into_iter()
        .flatten()
        .filter_map(|family| family.pointer("/state/received")?.as_u64())
        .sum();
    Some(Session {
        peer: neighbor
            .pointer("/conf/neighbor_address")?
            .as_str()?
            .parse()
            .ok()?,
        asn: Asn(number(neighbor.pointer("/conf/peer_asn")?)?),
        state: state(
            neighbor
                .pointer("/state/session_state")
                .and_then(Value::as_u64),
        ),
        received,
        last_error: None,
    })
}

/// The states as the API numbers them.
fn state(number: Option<u64>) -> SessionState {
    match number {
        Some(1) => SessionState::Idle,
        Some(2) => SessionState::Connect,
        Some(3) => SessionState::Active,
        Some(4) => SessionState::OpenSent,
        Some(5) => SessionState::OpenConfirm,
        Some(6) => SessionState::Established,
        other => SessionState::Other(format!("{other:?}")),
    }
}

/// The routes in `gobgp global rib -j`: an object by prefix.
pub(super) fn routes(table: &Value) -> Vec<Route> {
    table
        .as_object()
        .into_iter()
        .flatten()
        .flat_map(|(prefix, paths)| {
            let paths = paths.as_array().into_iter().flatten();
            paths.filter_map(move |path| route(prefix, path))
        })
        .collect()
}

fn route(prefix: &str, path: &Value) -> Option<Route> {
    let mut route = Route::new(prefix.parse().ok()?);
    route.best = path.get("best").and_then(Value::as_bool).unwrap_or(false);
    route.peer = path
        .get("neighbor-ip")
        .and_then(|peer| peer.as_str()?.parse().ok());
    for attribute in path.get("attrs")?.as_array()? {
        read(&mut route, attribute);
    }
    Some(route)
}

fn read(route: &mut Route, attribute: &Value) {
    let list = |name: &str| {
        attribute
            .get(name)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    };
    match attribute.get("type").and_then(Value::as_u64) {
        Some(2) => {
            route.as_path = list("as_paths")
                .filter_map(|segment| segment.get("asns")?.as_array())
                .flatten()
                .filter_map(|asn| number(asn).map(Asn))
                .collect();
        }
        Some(3 | 14) => {
            let hop = attribute
                .get("nexthop")
                .and_then(|hop| hop.as_str()?.parse().ok());
            route.next_hops = hop.into_iter().collect();
        }
        Some(5) => route.local_pref = attribute.get("value").and_then(number),
        Some(8) => {
            route.communities = list("communities")
                .filter_map(|community| number(community).map(StandardCommunity))
                .collect();
        }
        Some(32) => route.large_communities = list("value").filter_map(large).collect(),
        _ => {}
    }
}

fn large(value: &Value) -> Option<LargeCommunity> {
    Some(LargeCommunity {
        global: number(value.get("ASN")?)?,
        local1: number(value.get("LocalData1")?)?,
        local2: number(value.get("LocalData2")?)?,
    })
}

fn number(value: &Value) -> Option<u32> {
    u32::try_from(value.as_u64()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_attributes_by_their_types() {
        let text = r#"{"2001:db8:100::1/128":[{"best":true,"attrs":[{"type":1,"value":0},
            {"type":2,"as_paths":[{"segment_type":2,"num":1,"asns":[64501]}]},
            {"type":5,"value":150},
            {"type":8,"communities":[4227072001,4294967041]},
            {"type":32,"value":[{"ASN":64500,"LocalData1":1,"LocalData2":2}]},
            {"type":14,"nexthop":"2001:db8::11","afi":2,"safi":1}],
            "source-id":"192.0.2.11","neighbor-ip":"2001:db8::11"}]}"#;
        let routes = routes(&serde_json::from_str(text).unwrap());
        let [route] = routes.as_slice() else {
            panic!("{routes:?}");
        };
        assert_eq!(route.as_path, [Asn(64501)]);
        assert_eq!(route.local_pref, Some(150));
        assert_eq!(
            (route.communities.len(), route.large_communities.len()),
            (2, 1)
        );
        assert_eq!(route.next_hops.len(), 1);
        assert!(route.best && route.peer.is_some());
    }

    #[test]
    fn reads_sessions() {
        let text = r#"[{"conf":{"neighbor_address":"192.0.2.11","peer_asn":64501},
            "state":{"session_state":6},"afi_safis":[{"state":{"received":2}},{"state":{}}]}]"#;
        let sessions = sessions(&serde_json::from_str(text).unwrap());
        assert_eq!(
            (sessions[0].received, &sessions[0].state),
            (2, &SessionState::Established)
        );
    }
}
