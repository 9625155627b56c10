// SPDX-License-Identifier: Apache-2.0
//! Texts without fault, in every form they come in, and what becomes of them.

use ferrolb_types::{FieldPath, Secret};

use super::{names, read, shown};
use crate::object::Object;

const POOL: &str = "apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata:\n  name: a\nspec:\n  addresses:\n  - 192.0.2.0/24\n";

#[test]
fn forms_of_the_same_text() {
    let json = r#"{"apiVersion":"metallb.io/v1beta1","kind":"IPAddressPool","metadata":{"name":"a"},
	"spec":{"addresses":["192.0.2.0/24"]}}"#;
    let anchored = "apiVersion: &v metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: &m {name: a}\nspec:\n  addresses: &l [192.0.2.0/24]\n";
    let merged = "apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {name: a, labels: &x {a: b}, annotations: {<<: *x, a: c}}\nspec: {addresses: [192.0.2.0/24]}\n";
    let texts = [
        POOL.to_owned(),
        POOL.replace('\n', "\r\n"),
        format!("\u{feff}{POOL}"),
        format!("# a comment\n---\n{POOL}...\n---\n# nothing\n---\n"),
        format!("%YAML 1.2\n---\n{POOL}"),
        json.to_owned(),
        anchored.to_owned(),
        merged.to_owned(),
    ];
    for text in texts {
        let parsed = read(&text);
        assert_eq!(shown(&parsed), Vec::<String>::new(), "{text}");
        let [manifest] = &parsed.manifests[..] else {
            panic!("{text}")
        };
        let Object::IPAddressPool(pool) = &manifest.object else {
            panic!("{text}")
        };
        assert_eq!(pool.spec.addresses, ["192.0.2.0/24"]);
        assert_eq!(
            pool.spec.auto_assign,
            Some(true),
            "the default is filled in"
        );
        assert_eq!(pool.metadata.namespace.as_deref(), Some("lb"));
    }
}

#[test]
fn nothing_is_no_fault() {
    for text in [
        "",
        "\n",
        "---\n",
        "---\n---\n...\n",
        "# words\n",
        "\u{feff}",
        "null\n",
    ] {
        let parsed = read(text);
        assert_eq!(
            (parsed.manifests.len(), shown(&parsed)),
            (0, vec![]),
            "{text:?}"
        );
    }
}

#[test]
fn every_kind_is_read() {
    let text = r"
apiVersion: metallb.io/v1beta1
kind: BGPAdvertisement
metadata: {name: a}
---
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: {name: a, namespace: other}
---
apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: a}
spec: {myASN: 64512, peerASN: 64513, peerAddress: 192.0.2.1}
---
apiVersion: metallb.io/v1beta1
kind: BGPPeer
metadata: {name: b}
spec: {myASN: 64512, peerASN: 64513, peerAddress: 192.0.2.1}
---
apiVersion: metallb.io/v1beta1
kind: BFDProfile
metadata: {name: a}
---
apiVersion: metallb.io/v1beta1
kind: Community
metadata: {name: a}
---
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Service
  metadata: {name: web}
  spec: {type: LoadBalancer, ports: [{port: 80, targetPort: http}, {port: 81, targetPort: 8080}]}
- apiVersion: discovery.k8s.io/v1
  kind: EndpointSlice
  metadata: {name: web-1}
  addressType: IPv4
  endpoints: [{addresses: [10.0.0.1], nodeName: node-1}]
---
apiVersion: v1
kind: Node
metadata: {name: node-1}
status: {capacity: {cpu: 4, memory: 1Gi}, addresses: [{type: InternalIP, address: 192.0.2.7}]}
---
apiVersion: v1
kind: Namespace
metadata: {name: ns, labels: {a: b}}
---
apiVersion: v1
kind: Secret
type: kubernetes.io/basic-auth
metadata: {name: s}
data:
  password: |
    aHVu
    dGVyMg==
";
    let parsed = read(text);
    assert_eq!(shown(&parsed), Vec::<String>::new());
    let want = [
        "BGPAdvertisement lb/a",
        "L2Advertisement other/a",
        "BGPPeer lb/a",
        "BGPPeer lb/b",
        "BFDProfile lb/a",
        "Community lb/a",
        "Service default/web",
        "EndpointSlice default/web-1",
        "Node node-1",
        "Namespace ns",
        "Secret lb/s",
    ];
    assert_eq!(names(&parsed), want);
    let objects: Vec<&Object> = parsed.manifests.iter().map(|m| &m.object).collect();
    assert!(matches!(objects[2], Object::BGPPeer(peer) if peer.spec.peer_port == Some(179)));
    assert!(matches!(objects[3], Object::BGPPeerV1Beta1(peer) if peer.spec.peer_port.is_none()));
    assert!(matches!(objects[8], Object::Node(node) if node.internal_ips.len() == 1));
    let Object::Secret(secret) = objects[10] else {
        panic!("no Secret")
    };
    assert_eq!(
        secret.password.as_ref().map(Secret::expose),
        Some(&b"hunter2"[..])
    );
}

#[test]
fn the_namespace_of_an_object_that_names_none_depends_on_its_kind() {
    let table = [
        ("metallb.io/v1beta1", "Community", "lb/x"),
        ("v1", "Secret", "lb/x"),
        ("v1", "Service", "default/x"),
        ("v1", "Node", "x"),
        ("v1", "Namespace", "x"),
    ];
    for (version, kind, want) in table {
        let text = |meta: &str| {
            format!("apiVersion: {version}\nkind: {kind}\nmetadata: {{name: x{meta}}}\n")
        };
        assert_eq!(names(&read(&text(""))), [format!("{kind} {want}")]);
        if want.contains('/') {
            let named = names(&read(&text(", namespace: shop")));
            assert_eq!(named, [format!("{kind} shop/x")]);
        }
    }
}

#[test]
fn places_of_fields() {
    let parsed = read(&format!("---\n{POOL}  autoAssign: true\n"));
    let spans = &parsed.manifests[0].spans;
    let spec = FieldPath::spec();
    let table = [
        (FieldPath::root(), "f.yaml:2:1"),
        (FieldPath::root().key("metadata").key("name"), "f.yaml:5:9"),
        (spec.clone(), "f.yaml:6:1"),
        (spec.key("addresses"), "f.yaml:7:3"),
        (spec.key("addresses").index(0), "f.yaml:8:5"),
        (spec.key("autoAssign"), "f.yaml:9:15"),
        // What is absent is where it would be.
        (spec.key("avoidBuggyIPs"), "f.yaml:6:1"),
        (spec.key("addresses").index(7), "f.yaml:7:3"),
        (
            spec.key("addresses").index(0).key("x").key("y"),
            "f.yaml:8:5",
        ),
    ];
    for (field, want) in table {
        let found = spans.position(&field).map(|position| position.to_string());
        assert_eq!(found.as_deref(), Some(want), "{field}");
    }
}

#[test]
fn columns_are_characters() {
    let text = format!("{POOL}  # über\n  autoAssign: \"ä\" \n").replace("name: a", "name: a # ö");
    assert_eq!(shown(&read(&text)), ["9:15 V003 spec.autoAssign \"ä\""]);
    let text = POOL
        .replace(
            "name: a",
            "{\"name\": \"a\", \"labels\": {\"ä\": \"b\", \"c\": 1}}",
        )
        .replace("metadata:\n  ", "metadata: ");
    let places: Vec<String> = shown(&read(&text));
    assert_eq!(
        places,
        [
            "3:36 V009 metadata.labels.ä",
            "3:51 V003 metadata.labels.c \"1\""
        ]
    );
}
