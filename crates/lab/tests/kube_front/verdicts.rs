// SPDX-License-Identifier: Apache-2.0
//! The numbered cases of the behaviour reference that concern admission, 86 to 99, as the API server
//! answers them.
//!
//! Objects are written `Kind name spec`, the spec in YAML's flow style; a name may have a namespace
//! before it. `Node name {label: value}` is a node.

use ferrolb_lab::cluster::{Api, Call};
use http::{Method, Request};
use kube::client::Body;
use serde_json::{Value, json};

use super::{OURS, stand::Stand};

/// What is to become of a request.
#[derive(Clone, Copy, Debug)]
enum Want {
    /// It passes, without a word of ours.
    Passes,
    /// It passes, with this code in a warning.
    Warns(&'static str),
    /// The webhook denies it, with these words in its message.
    Denied(&'static [&'static str]),
    /// The kind's schema denies it, with these words.
    Schema(&'static str),
}
use Want::{Denied, Passes, Schema, Warns};

/// What it is about, what is there, the request, what is to become of it.
struct Row(&'static str, &'static [&'static str], &'static str, Want);

const FIRST: &str = "IPAddressPool first {addresses: [1.1.1.1-1.1.1.100]}";
const SECOND: &str = "IPAddressPool second {addresses: [1.1.1.101-1.1.1.200]}";
const NARROW: &str = "IPAddressPool narrow {addresses: [1.1.1.0/28]}";
const RANGE: &str = "IPAddressPool range {addresses: [3.3.3.2-3.3.3.254]}";
const LOW: &str = "BGPAdvertisement low {localPref: 100}";
const PEER: &str = "BGPPeer one {myASN: 1, peerASN: 2, peerAddress: 192.0.2.201}";
const LEFT: &str = "BGPPeer one {myASN: 1, peerASN: 2, peerAddress: 192.0.2.201, nodeSelectors: [{matchLabels: {side: left}}]}";
const OVERLAPS: Want = Denied(&["FLB-P009", "overlaps with already defined CIDR"]);
const EXISTS: Want = Denied(&["FLB-B060", "already exists"]);
const ELSEWHERE: &str = "resource must be created in metallb-system namespace";

const ROWS: &[Row] = &[
    Row(
        "86",
        &[FIRST],
        "CREATE IPAddressPool second {addresses: [1.1.1.15-1.1.1.20]}",
        OVERLAPS,
    ),
    Row(
        "86 apart",
        &[FIRST],
        "CREATE IPAddressPool second {addresses: [1.1.1.101-1.1.1.200]}",
        Passes,
    ),
    Row(
        "86 updated",
        &[FIRST, SECOND],
        "UPDATE IPAddressPool second {addresses: [1.1.1.0/24]}",
        OVERLAPS,
    ),
    Row(
        "86 the first is updated",
        &[FIRST, SECOND],
        "UPDATE IPAddressPool first {addresses: [1.1.1.0/24]}",
        OVERLAPS,
    ),
    Row(
        "87",
        &[],
        "CREATE IPAddressPool p {addresses: [100.200.300.400/24]}",
        Denied(&["FLB-P003", "100.200.300.400/24"]),
    ),
    Row(
        "87",
        &[],
        "CREATE IPAddressPool p {addresses: [1.2.3.0/33]}",
        Denied(&["FLB-P003"]),
    ),
    Row(
        "87",
        &[],
        "CREATE IPAddressPool p {addresses: [1.2.3.10-1.2.3.1]}",
        Denied(&["FLB-P005"]),
    ),
    Row(
        "87",
        &[],
        "CREATE IPAddressPool p {addresses: [' 10.0.0.0/8']}",
        Denied(&["FLB-P003"]),
    ),
    Row(
        "87",
        &[],
        "CREATE IPAddressPool p {addresses: []}",
        Denied(&["FLB-P001"]),
    ),
    Row(
        "87 two families",
        &[],
        "CREATE IPAddressPool p {addresses: ['1.2.3.4-fe80::1']}",
        Denied(&["FLB-P006"]),
    ),
    Row(
        "88",
        &[NARROW],
        "CREATE BGPAdvertisement a {aggregationLength: 26}",
        Denied(&["FLB-A007", "invalid aggregation length 26"]),
    ),
    Row(
        "88 range",
        &[RANGE],
        "CREATE BGPAdvertisement a {aggregationLength: 26}",
        Passes,
    ),
    Row(
        "88 range",
        &[RANGE],
        "CREATE BGPAdvertisement a {aggregationLength: 24}",
        Denied(&["FLB-A007", "invalid aggregation length 24"]),
    ),
    Row(
        "89",
        &[FIRST, LOW],
        "CREATE BGPAdvertisement high {localPref: 200}",
        Denied(&["FLB-A008"]),
    ),
    Row(
        "89 by update",
        &[FIRST, LOW, "BGPAdvertisement high {localPref: 100}"],
        "UPDATE BGPAdvertisement high {localPref: 200}",
        Denied(&["FLB-A008"]),
    ),
    Row(
        "89 other length",
        &["IPAddressPool wide {addresses: [1.1.0.0/16]}", LOW],
        "CREATE BGPAdvertisement high {localPref: 200, aggregationLength: 24}",
        Passes,
    ),
    Row(
        "89 other peers",
        &[
            FIRST,
            PEER,
            "BGPPeer two {myASN: 1, peerASN: 2, peerAddress: 192.0.2.202}",
            "BGPAdvertisement low {localPref: 100, peers: [one]}",
        ],
        "CREATE BGPAdvertisement high {localPref: 200, peers: [two]}",
        Passes,
    ),
    Row(
        "89 other nodes",
        &[
            FIRST,
            "Node l {side: left}",
            "Node r {side: right}",
            "BGPAdvertisement low {localPref: 100, nodeSelectors: [{matchLabels: {side: left}}]}",
        ],
        "CREATE BGPAdvertisement high {localPref: 200, nodeSelectors: [{matchLabels: {side: right}}]}",
        Passes,
    ),
    Row(
        "89 service selectors",
        &[FIRST, LOW],
        "CREATE BGPAdvertisement high {localPref: 200, serviceSelectors: [{matchLabels: {a: b}}]}",
        Passes,
    ),
    Row(
        "90",
        &[],
        "CREATE BGPAdvertisement a {serviceSelectors: [{}], aggregationLength: 24}",
        Schema("serviceSelectors and aggregationLength are mutually exclusive"),
    ),
    Row(
        "90",
        &[],
        "CREATE BGPAdvertisement a {serviceSelectors: [{}], aggregationLengthV6: 64}",
        Schema("serviceSelectors and aggregationLength are mutually exclusive"),
    ),
    Row(
        "90",
        &[FIRST],
        "CREATE BGPAdvertisement a {serviceSelectors: [{}], aggregationLength: 32, aggregationLengthV6: 128}",
        Passes,
    ),
    Row(
        "91",
        &[],
        "CREATE Community c {communities: [{name: alias, value: '1234'}]}",
        Denied(&["FLB-C003", "invalid community format"]),
    ),
    Row(
        "91",
        &[],
        "CREATE Community c {communities: [{name: alias, value: '99999999:1'}]}",
        Denied(&["FLB-C001", "invalid community value: invalid section"]),
    ),
    Row(
        "91",
        &[],
        "CREATE Community c {communities: [{name: alias, value: '1:99999999'}]}",
        Denied(&["FLB-C001", "invalid community value: invalid section"]),
    ),
    Row(
        "91",
        &[],
        "CREATE Community c {communities: [{name: alias, value: 'lar:123:9999:123'}]}",
        Denied(&["FLB-C002", "expected community to be of format large"]),
    ),
    Row(
        "91",
        &[],
        "CREATE Community c {communities: [{name: alias, value: '1111:2222'}]}",
        Passes,
    ),
    Row(
        "91 differs: in every mode",
        &[],
        "CREATE Community c {communities: [{name: alias, value: 'large:1:2:3'}]}",
        Passes,
    ),
    Row(
        "92",
        &[],
        "CREATE Community c {communities: [{name: alias, value: '1:1'}, {name: alias, value: '1:2'}]}",
        Denied(&["FLB-C004", "duplicate definition of community"]),
    ),
    Row(
        "92",
        &["Community b {communities: [{name: alias, value: '1:1'}]}"],
        "CREATE Community c {communities: [{name: alias, value: '1:2'}]}",
        Denied(&["FLB-C004", "duplicate definition of community"]),
    ),
    Row(
        "93",
        &[FIRST],
        "CREATE BGPAdvertisement a {communities: [my-valid-alias]}",
        Warns("FLB-A009"),
    ),
    Row(
        "93 defined",
        &[
            FIRST,
            "Community c {communities: [{name: my-valid-alias, value: '1:1'}]}",
        ],
        "CREATE BGPAdvertisement a {communities: [my-valid-alias]}",
        Passes,
    ),
    Row(
        "93 a literal",
        &[FIRST],
        "CREATE BGPAdvertisement a {communities: ['1:2:3']}",
        Denied(&[
            "FLB-A009",
            "invalid community \"1:2:3\" in BGP advertisement",
        ]),
    ),
    Row(
        "94",
        &[FIRST],
        "CREATE BGPAdvertisement a {ipAddressPools: [first, first]}",
        Denied(&["FLB-A001"]),
    ),
    Row(
        "94",
        &[FIRST],
        "CREATE L2Advertisement a {ipAddressPools: [first, first]}",
        Denied(&["FLB-A001"]),
    ),
    Row(
        "94",
        &[PEER],
        "CREATE BGPAdvertisement a {peers: [one, one]}",
        Denied(&["FLB-A002"]),
    ),
    Row(
        "94",
        &[],
        "CREATE BGPAdvertisement a {communities: ['1:1', '1:1']}",
        Denied(&["FLB-A002"]),
    ),
    Row(
        "94",
        &[],
        "CREATE L2Advertisement a {nodeSelectors: [{matchExpressions: [{key: k, operator: In, values: [a, a]}]}]}",
        Denied(&["FLB-S006"]),
    ),
    Row(
        "94",
        &[],
        "CREATE L2Advertisement a {nodeSelectors: [{matchLabels: {a: b}}, {matchLabels: {a: b}}]}",
        Denied(&["FLB-S008"]),
    ),
    Row(
        "95",
        &[],
        "CREATE BGPPeer p {myASN: 1, peerASN: 2, peerAddress: 1.1.1}",
        Denied(&["FLB-B007", "invalid BGPPeer address"]),
    ),
    Row(
        "95",
        &[],
        "CREATE BGPPeer p {myASN: 1, peerASN: 2}",
        Denied(&["FLB-B006"]),
    ),
    Row(
        "95",
        &[],
        "CREATE BGPPeer p {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1, interface: eth0}",
        Denied(&["FLB-B006"]),
    ),
    Row(
        "95",
        &[],
        "CREATE BGPPeer p {myASN: 1, peerAddress: 1.1.1.1}",
        Denied(&["FLB-B002"]),
    ),
    Row(
        "95",
        &[],
        "CREATE BGPPeer p {myASN: 0, peerASN: 2, peerAddress: 1.1.1.1}",
        Denied(&["FLB-B001"]),
    ),
    Row(
        "95",
        &[],
        "CREATE BGPPeer p {myASN: 1, peerASN: 2, dynamicASN: internal, peerAddress: 1.1.1.1}",
        Denied(&["FLB-B003"]),
    ),
    Row(
        "95",
        &[],
        "CREATE BGPPeer p {myASN: 1, dynamicASN: both, peerAddress: 1.1.1.1}",
        Schema("dynamicASN"),
    ),
    Row(
        "95",
        &[],
        "CREATE BGPPeer p {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1, keepaliveTime: 90s, holdTime: 30s}",
        Denied(&["FLB-B010"]),
    ),
    Row(
        "95",
        &[],
        "CREATE BGPPeer p {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1, holdTime: 1s}",
        Denied(&["FLB-B009"]),
    ),
    Row(
        "95 differs: a code",
        &[],
        "CREATE BGPPeer p {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1, holdTime: soon}",
        Denied(&["FLB-B011"]),
    ),
    Row(
        "95",
        &[],
        "CREATE BGPPeer p {myASN: 1, peerASN: 1, peerAddress: 1.1.1.1, ebgpMultiHop: true}",
        Denied(&["FLB-B005"]),
    ),
    Row(
        "95",
        &[],
        "CREATE BGPPeer p {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1, routerID: garbage}",
        Denied(&["FLB-B007"]),
    ),
    Row(
        "95",
        &[],
        "CREATE BGPPeer p {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1, holdTime: 180s}",
        Passes,
    ),
    Row(
        "95",
        &[],
        "CREATE BGPPeer p {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1, keepaliveTime: 60s}",
        Passes,
    ),
    Row(
        "95",
        &[],
        "CREATE BGPPeer p {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1, keepaliveTime: 0s, holdTime: 0s}",
        Passes,
    ),
    Row(
        "96 overlapping",
        &[PEER, "Node l {side: left}"],
        "CREATE BGPPeer two {myASN: 1, peerASN: 2, peerAddress: 192.0.2.201, nodeSelectors: [{matchLabels: {side: left}}]}",
        EXISTS,
    ),
    Row(
        "96 disjoint",
        &[LEFT, "Node l {side: left}", "Node r {side: right}"],
        "CREATE BGPPeer two {myASN: 1, peerASN: 2, peerAddress: 192.0.2.201, nodeSelectors: [{matchLabels: {side: right}}]}",
        Passes,
    ),
    Row(
        "96 no nodes known",
        &[LEFT],
        "CREATE BGPPeer two {myASN: 1, peerASN: 2, peerAddress: 192.0.2.201, nodeSelectors: [{matchLabels: {side: right}}]}",
        EXISTS,
    ),
    Row(
        "96 other VRF",
        &[PEER],
        "CREATE BGPPeer two {myASN: 1, peerASN: 2, peerAddress: 192.0.2.201, vrf: red}",
        Warns("FLB-B052"),
    ),
    Row(
        "96 differs: routerID is a peer's own",
        &[PEER],
        "CREATE BGPPeer two {myASN: 1, peerASN: 2, peerAddress: 192.0.2.202, routerID: 192.0.2.9}",
        Passes,
    ),
    Row(
        "97",
        &[],
        "CREATE BGPPeer p {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1, bfdProfile: none}",
        Warns("FLB-B018"),
    ),
    Row(
        "97",
        &[],
        "CREATE BGPPeer p {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1, passwordSecret: {name: s}}",
        Passes,
    ),
    Row(
        "97 differs: both passwords",
        &[],
        "CREATE BGPPeer p {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1, password: x, passwordSecret: {name: s}}",
        Denied(&["FLB-B013"]),
    ),
    Row(
        "97 deleted",
        &[
            "BFDProfile fast {}",
            "BGPPeer one {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1, bfdProfile: fast}",
        ],
        "DELETE BFDProfile fast",
        Denied(&[
            "FLB-W004",
            "failed to delete BFDProfile fast, used by BGPPeer one",
        ]),
    ),
    Row(
        "97 deleted, unused",
        &["BFDProfile fast {}", PEER],
        "DELETE BFDProfile fast",
        Passes,
    ),
    Row(
        "97 out of bounds",
        &[],
        "CREATE BFDProfile fast {receiveInterval: 5}",
        Schema("receiveInterval"),
    ),
    Row(
        "98",
        &[],
        "CREATE IPAddressPool default/p {addresses: [1.1.1.0/24]}",
        Denied(&["FLB-P050", ELSEWHERE]),
    ),
    Row(
        "98",
        &[],
        "CREATE BGPAdvertisement default/p {}",
        Denied(&["FLB-A050", ELSEWHERE]),
    ),
    Row(
        "98",
        &[],
        "CREATE L2Advertisement default/p {}",
        Denied(&["FLB-A050", ELSEWHERE]),
    ),
    Row(
        "98",
        &[],
        "CREATE BGPPeer default/p {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1}",
        Denied(&["FLB-B050", ELSEWHERE]),
    ),
    Row(
        "98",
        &[],
        "CREATE BFDProfile default/p {}",
        Denied(&["FLB-B050", ELSEWHERE]),
    ),
    Row(
        "98",
        &[],
        "CREATE Community default/p {}",
        Denied(&["FLB-C050", ELSEWHERE]),
    ),
    Row(
        "99 differs: in every mode",
        &["IPAddressPool six {addresses: ['2001:db8::/120']}"],
        "CREATE BGPAdvertisement a {}",
        Passes,
    ),
    Row(
        "99",
        &["IPAddressPool six {addresses: ['2001:db8::/120']}", FIRST],
        "CREATE BGPAdvertisement a {ipAddressPools: [first]}",
        Passes,
    ),
    Row(
        "v1beta1",
        &[],
        "CREATE BGPPeer/v1beta1 p {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1}",
        Warns("FLB-W006"),
    ),
    Row(
        "v1beta1",
        &[],
        "CREATE BGPPeer/v1beta1 p {myASN: 1, peerASN: 2, peerAddress: 1.1.1}",
        Denied(&["FLB-B007"]),
    ),
];

/// An object out of the short notation.
struct Object {
    collection: String,
    name: String,
    json: Value,
}

impl Object {
    fn read(text: &str) -> Self {
        let mut words = text.splitn(3, ' ');
        let (kind, name) = (words.next().unwrap(), words.next().unwrap());
        let spec = words.next().unwrap_or("{}");
        let spec: Value = serde_saphyr::from_str(spec).unwrap();
        if kind == "Node" {
            return Self::node(name, &spec);
        }
        let newest = match kind {
            "BGPPeer" => "v1beta2",
            _ => "v1beta1",
        };
        let (kind, version) = kind.split_once('/').unwrap_or((kind, newest));
        let (namespace, name) = name.split_once('/').unwrap_or((OURS, name));
        let plural = match kind {
            "Community" => "communities".to_owned(),
            kind => format!("{}s", kind.to_lowercase()),
        };
        Self {
            collection: format!("/apis/metallb.io/{version}/namespaces/{namespace}/{plural}"),
            name: name.to_owned(),
            json: json!({
                "apiVersion": format!("metallb.io/{version}"), "kind": kind,
                "metadata": { "name": name }, "spec": spec,
            }),
        }
    }

    fn node(name: &str, labels: &Value) -> Self {
        Self {
            collection: "/api/v1/nodes".to_owned(),
            name: name.to_owned(),
            json: json!({
                "apiVersion": "v1", "kind": "Node", "metadata": { "name": name, "labels": labels },
            }),
        }
    }

    fn path(&self) -> String {
        format!("{}/{}", self.collection, self.name)
    }

    fn request(&self, operation: &str) -> Request<Body> {
        let (method, path, content, body) = match operation {
            "CREATE" => (
                Method::POST,
                self.collection.clone(),
                "json",
                Some(&self.json),
            ),
            "UPDATE" => (
                Method::PATCH,
                self.path(),
                "merge-patch+json",
                Some(&self.json),
            ),
            _ => (Method::DELETE, self.path(), "json", None),
        };
        let body = body.map(|json| serde_json::to_vec(json).unwrap());
        Request::builder()
            .method(method)
            .uri(path)
            .header("Content-Type", format!("application/{content}"))
            .body(Body::from(body.unwrap_or_default()))
            .unwrap()
    }
}

/// What an API server said, warnings included.
#[derive(Debug)]
struct Said {
    code: u16,
    message: String,
    warnings: String,
}

fn send(api: &Api, request: Request<Body>) -> Said {
    let client = api.client();
    let answered = async move {
        let answer = client.send(request).await.unwrap();
        let code = answer.status().as_u16();
        let warnings = answer.headers().get_all("Warning").iter();
        let warnings = warnings
            .map(|one| one.to_str().unwrap().to_owned())
            .collect();
        let body = answer.into_body().collect_bytes().await.unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        let message = body["message"].as_str().unwrap_or_default().to_owned();
        Said {
            code,
            message,
            warnings,
        }
    };
    api.run(answered).unwrap()
}

/// Every case, in order; says how many there were.
pub fn check(stand: &Stand) -> usize {
    let faults: Vec<String> = ROWS.iter().filter_map(|row| fault(stand, row)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    ROWS.len()
}

/// What is wrong with a case, if anything.
fn fault(stand: &Stand, Row(about, present, request, want): &Row) -> Option<String> {
    let present: Vec<Object> = present.iter().map(|text| Object::read(text)).collect();
    for object in &present {
        stand.done(&Call::create(&object.collection, object.json.clone()));
    }
    let (operation, object) = request.split_once(' ').unwrap();
    let object = Object::read(object);
    let said = send(stand.cluster.admin(), object.request(operation));
    // In the order that lets BFD profiles go after the peers that use them.
    for object in present.iter().chain([&object]).rev() {
        stand.try_to(&Call::delete(&object.path()));
    }
    let good = want.is(&said);
    (!good).then(|| format!("{about}: {request}: {want:?}, but {said:?}"))
}

impl Want {
    fn is(self, said: &Said) -> bool {
        let passed = (200..300).contains(&said.code);
        match self {
            Passes => passed && !said.warnings.contains("FLB-"),
            Warns(code) => passed && said.warnings.contains(code),
            Denied(words) => {
                said.code == 403
                    && said.message.contains("denied the request")
                    && words.iter().all(|words| said.message.contains(words))
            }
            Schema(words) => said.code == 422 && said.message.contains(words),
        }
    }
}
