// SPDX-License-Identifier: Apache-2.0
//! Faults, each with its code, field, line and column.

use super::{names, read, shown};

const POOL: &str = "apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {name: a}\n";
const AD: &str = "apiVersion: metallb.io/v1beta1\nkind: BGPAdvertisement\nmetadata: {name: a}\n";
const PEER: &str = "apiVersion: metallb.io/v1beta2\nkind: BGPPeer\nmetadata: {name: a}\n";
const SERVICE: &str = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n";

fn check(table: &[(&str, &str, &[&str])]) {
    for (head, rest, want) in table {
        let parsed = read(&format!("{head}{rest}"));
        assert_eq!(shown(&parsed), *want, "{rest}");
        assert_eq!(names(&parsed).len(), usize::from(want.is_empty()), "{rest}");
    }
}

#[test]
fn structure() {
    check(&[
        (POOL, "spec: {addresses: []}", &[]),
        (POOL, "", &["1:1 V002 spec"]),
        (POOL, "spec:\n", &["1:1 V002 spec"]),
        (
            POOL,
            "spec:\n  autoAssign: true\n",
            &["4:1 V002 spec.addresses"],
        ),
        (
            POOL,
            "spec:\n  adresses: [a]\n  addresses: []\n",
            &["5:3 V001 spec.adresses"],
        ),
        (POOL, "spec: [a]", &["4:1 V003 spec"]),
        (POOL, "spec: a", &["4:7 V003 spec \"a\""]),
        (
            POOL,
            "spec:\n  addresses: 10.0.0.0/8\n",
            &["5:14 V003 spec.addresses \"10.0.0.0/8\""],
        ),
        (
            POOL,
            "spec:\n  addresses:\n  - 10.0.0.0/8\n  - 7\n  -\n  - {a: b}\n",
            &[
                "7:5 V003 spec.addresses[1] \"7\"",
                "8:4 V003 spec.addresses[2]",
                "9:5 V003 spec.addresses[3]",
            ],
        ),
        (
            POOL,
            "spec: {addresses: [], autoAssign: yes please, avoidBuggyIPs: \"true\"}",
            &[
                "4:35 V003 spec.autoAssign \"yes please\"",
                "4:62 V003 spec.avoidBuggyIPs \"true\"",
            ],
        ),
        (
            POOL,
            "spec: {addresses: [], autoAssign: yes, avoidBuggyIPs: Off}",
            &[],
        ),
        (
            POOL,
            "spec:\n  addresses: []\n  serviceAllocation:\n    priority: high\n    namespaceSelectors:\n    - matchExpressions:\n      - operator: In\n",
            &[
                "7:15 V003 spec.serviceAllocation.priority \"high\"",
                "10:9 V002 spec.serviceAllocation.namespaceSelectors[0].matchExpressions[0].key",
            ],
        ),
        (
            POOL,
            "spec: {addresses: []}\nextra: 1\n",
            &["5:1 V001 extra"],
        ),
        (
            POOL,
            "spec: {addresses: []}\nspec: {addresses: [a]}\n",
            &["5:1 F007 spec"],
        ),
        (
            POOL,
            "spec:\n  addresses: []\n  serviceAllocation: {priority: 1, priority: 2}\n",
            &["6:36 F007 spec.serviceAllocation.priority"],
        ),
    ]);
}

#[test]
fn bounds_enumerations_and_rules() {
    check(&[
        (
            AD,
            "spec: {aggregationLength: 0}",
            &["4:27 V004 spec.aggregationLength \"0\""],
        ),
        (
            AD,
            "spec: {aggregationLength: 24.5}",
            &["4:27 V003 spec.aggregationLength \"24.5\""],
        ),
        (
            AD,
            "spec: {aggregationLength: \"24\"}",
            &["4:27 V003 spec.aggregationLength \"24\""],
        ),
        (
            AD,
            "spec: {localPref: -1}",
            &["4:19 V004 spec.localPref \"-1\""],
        ),
        (
            AD,
            "spec: {localPref: 2147483648}",
            &["4:19 V004 spec.localPref \"2147483648\""],
        ),
        (
            AD,
            "spec: {localPref: 99999999999999999999}",
            &["4:19 V003 spec.localPref \"99999999999999999999\""],
        ),
        (
            AD,
            "spec:\n  serviceSelectors: [{}]\n  aggregationLength: 24\n",
            &["5:3 V007 spec.serviceSelectors"],
        ),
        (AD, "spec: {communities: [65000:1, no-export]}", &[]),
        (PEER, "spec: {peerASN: 1}", &["4:1 V002 spec.myASN"]),
        (
            PEER,
            "spec: {myASN: 4294967296}",
            &["4:15 V004 spec.myASN \"4294967296\""],
        ),
        (
            PEER,
            "spec: {myASN: 1, localASN: 0}",
            &["4:28 V004 spec.localASN \"0\""],
        ),
        (
            PEER,
            "spec: {myASN: 1, peerPort: 0}",
            &["4:28 V004 spec.peerPort \"0\""],
        ),
        (
            PEER,
            "spec: {myASN: 1, peerPort: 16385}",
            &["4:28 V004 spec.peerPort \"16385\""],
        ),
        (
            PEER,
            "spec: {myASN: 1, dynamicASN: internl}",
            &["4:30 V005 spec.dynamicASN \"internl\""],
        ),
        (
            PEER,
            "spec: {myASN: 1, connectTime: 0s}",
            &["4:31 V007 spec.connectTime \"0s\""],
        ),
        (
            PEER,
            "spec: {myASN: 1, connectTime: 500ms}",
            &[
                "4:31 V007 spec.connectTime \"500ms\"",
                "4:31 V007 spec.connectTime \"500ms\"",
            ],
        ),
        (
            PEER,
            "spec: {myASN: 1, connectTime: soon}",
            &["4:31 V007 spec.connectTime \"soon\""],
        ),
        (
            PEER,
            "spec: {myASN: 1, connectTime: 10}",
            &["4:31 V003 spec.connectTime \"10\""],
        ),
        (
            "apiVersion: metallb.io/v1beta1\nkind: BGPPeer\nmetadata: {name: a}\n",
            "spec:\n  myASN: 1\n  peerASN: 2\n  peerAddress: 192.0.2.1\n  vrf: red\n  nodeSelectors:\n  - matchExpressions:\n    - {key: a, operator: In, values: []}\n",
            &[
                "8:3 V001 spec.vrf",
                "11:30 V006 spec.nodeSelectors[0].matchExpressions[0].values",
            ],
        ),
        (
            "apiVersion: metallb.io/v1beta1\nkind: BFDProfile\nmetadata: {name: a}\n",
            "spec: {receiveInterval: 9, detectMultiplier: 256, minimumTtl: 0}",
            &[
                "4:25 V004 spec.receiveInterval \"9\"",
                "4:46 V004 spec.detectMultiplier \"256\"",
                "4:63 V004 spec.minimumTtl \"0\"",
            ],
        ),
        (
            "apiVersion: metallb.io/v1beta1\nkind: L2Advertisement\nmetadata: {name: a}\n",
            "spec:\n  preferredNodeSelectors:\n  - weight: 101\n",
            &[
                "6:5 V002 spec.preferredNodeSelectors[0].preference",
                "6:13 V004 spec.preferredNodeSelectors[0].weight \"101\"",
            ],
        ),
        (
            SERVICE,
            "spec: {type: Loadbalancer}",
            &["4:14 V005 spec.type \"Loadbalancer\""],
        ),
        (
            SERVICE,
            "spec:\n  ports:\n  - {port: 80, protocol: tcp}\n  - {port: http}\n  - {port: 70000}\n  loadBalancerIp: 192.0.2.1\n",
            &[
                "6:26 V005 spec.ports[0].protocol \"tcp\"",
                "7:12 V003 spec.ports[1].port \"http\"",
                "8:12 V004 spec.ports[2].port \"70000\"",
                "9:3 V001 spec.loadBalancerIp",
            ],
        ),
    ]);
}

#[test]
fn metadata() {
    let pool = "apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nspec: {addresses: []}\n";
    check(&[
        (pool, "", &["1:1 V002 metadata.name"]),
        (pool, "metadata: {}", &["4:1 V002 metadata.name"]),
        (pool, "metadata: {name: }", &["4:1 V002 metadata.name"]),
        (
            pool,
            "metadata: {generateName: a-}",
            &["4:12 V002 metadata.name"],
        ),
        (pool, "metadata: [name]", &["4:1 V003 metadata"]),
        (
            pool,
            "metadata: {name: Web_1}",
            &["4:18 V008 metadata.name \"Web_1\""],
        ),
        (
            pool,
            "metadata: {name: 7}",
            &["4:18 V003 metadata.name \"7\""],
        ),
        (
            pool,
            "metadata: {name: a, namespace: a.b}",
            &["4:32 V008 metadata.namespace \"a.b\""],
        ),
        (
            pool,
            "metadata: {name: a, label: {}}",
            &["4:21 V001 metadata.label"],
        ),
        (
            pool,
            "metadata:\n  name: a\n  labels:\n    zone: -x\n    b/c/d: z\n    on: yes\n",
            &[
                "7:11 V009 metadata.labels.zone \"-x\"",
                "8:5 V009 metadata.labels[b/c/d]",
                "9:9 V003 metadata.labels.on \"yes\"",
            ],
        ),
        (
            pool,
            "metadata: {name: a, annotations: {Metallb.IO/x: any text / at all, \"a b\": c}}",
            &["4:68 V009 metadata.annotations.a b"],
        ),
        (pool, "metadata: {name: a, creationTimestamp: null}", &[]),
        (
            pool,
            "metadata: {name: a, creationTimestamp: 2026-01-02T03:04:05Z}",
            &[],
        ),
        (
            pool,
            "metadata: {name: a, creationTimestamp: yesterday}",
            &["4:40 V010 metadata.creationTimestamp \"yesterday\""],
        ),
    ]);
}

#[test]
fn identity() {
    let unused = "metadata: {name: a}\n";
    let table: [(&str, &str); 17] = [
        ("a: b", "1:1 F003 apiVersion"),
        ("- a", "1:1 F003 "),
        ("just words", "1:1 F003 "),
        ("apiVersion: v1", "1:1 F003 kind"),
        ("apiVersion: v1\nkind: [a]", "2:1 F003 kind"),
        (
            "apiVersion: metallb.io/v1beta1\nkind: IPAdressPool",
            "2:7 F004 kind \"IPAdressPool\"",
        ),
        (
            "apiVersion: metallb.io/v1beta1\nkind: AddressPool",
            "2:7 F004 kind \"AddressPool\"",
        ),
        (
            "apiVersion: metallb.io/v1beta1\nkind: Pod",
            "2:7 F004 kind \"Pod\"",
        ),
        (
            "apiVersion: metallb.io/v1\nkind: IPAddressPool",
            "1:13 F004 apiVersion \"metallb.io/v1\"",
        ),
        (
            "apiVersion: v1\nkind: IPAddressPool",
            "1:13 F004 apiVersion \"v1\"",
        ),
        (
            "apiVersion: discovery.k8s.io/v1beta1\nkind: EndpointSlice",
            "1:13 F004 apiVersion \"discovery.k8s.io/v1beta1\"",
        ),
        ("apiVersion: v1\nkind: Sevice", "2:7 F004 kind \"Sevice\""),
        (
            "apiVersion: v1\nkind: ConfigMap",
            "2:7 F006 kind \"ConfigMap\"",
        ),
        (
            "apiVersion: v1\nkind: ServiceAccount",
            "2:7 F006 kind \"ServiceAccount\"",
        ),
        (
            "apiVersion: apps/v1\nkind: Deployment",
            "2:7 F006 kind \"Deployment\"",
        ),
        (
            "apiVersion: serving.knative.dev/v1\nkind: Service",
            "2:7 F006 kind \"Service\"",
        ),
        (
            "apiVersion: metallb.io/v1beta1\nkind: ServiceL2Status",
            "2:7 F006 kind \"ServiceL2Status\"",
        ),
    ];
    for (text, want) in table {
        let parsed = read(&format!(
            "{text}\n{}",
            if text.contains("kind") { unused } else { "" }
        ));
        assert_eq!(shown(&parsed), [want], "{text}");
        assert_eq!(
            parsed.diagnostics[0].is_error(),
            !want.contains("F006"),
            "{text}"
        );
        assert_eq!(names(&parsed), Vec::<String>::new());
    }
}

#[test]
fn configuration_for_frr() {
    let table = [
        ("bgpextras", "", "extras: neighbor 1.2.3.4 password s", true),
        ("bgpextras", "lb", "extras: |\n    router bgp 1", true),
        ("bgpextras", "shop", "extras: router bgp 1", false),
        ("bgpextras", "", "extras: \" \"", false),
        ("bgpextras", "", "other: router bgp 1", false),
        ("another", "", "extras: router bgp 1", false),
    ];
    for (name, namespace, data, is_told) in table {
        let parsed = read(&format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: {namespace}}}\ndata:\n  {data}\n"
        ));
        let want = match is_told {
            true => "5:3 X013 data.extras",
            false => "2:7 F006 kind \"ConfigMap\"",
        };
        assert_eq!(shown(&parsed), [want], "{name} {namespace} {data}");
        assert!(!parsed.diagnostics[0].is_error());
    }
}

#[test]
fn yaml() {
    let table = [
        ("a:\n\tb: c\n", "2:1"),
        ("a:\n  b: c\n\td: e\n", "3:1"),
        ("a:\n  - b\n \t- c\n", "3:2"),
        ("a: [b, c\nd: e\n", "2:2"),
        ("a: \"b\nc: d\n", "2:1"),
        ("a: b: c\n", "1:5"),
        ("a:\n  b: c\n d: e\n", "3:2"),
        ("a: b\nc\nd: e\n", "2:1"),
        ("a: @b\n", "1:4"),
        ("a: %b\n", "1:4"),
        ("a: \"\\q\"\n", "1:4"),
        ("a: *nothing\n", "1:4"),
        ("a: &x [*x]\n", "1:8"),
        ("a: !secret b\n", "1:4"),
        ("[a, b]: c\n", "1:1"),
        ("a: {b: }}\n", "1:9"),
        ("<<: [a]\n", "1:6"),
    ];
    let mut wrong = Vec::new();
    for (text, place) in table {
        let parsed = read(text);
        let first = &parsed.diagnostics[0];
        let position = first.position.as_ref().expect("a place");
        let found = format!("{} {}:{}", first.code, position.line, position.column);
        if found != format!("FLB-F002 {place}") {
            wrong.push(format!("{text:?}: {found} {first}"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn tabs_are_called_tabs() {
    for text in [
        "a:\n\tb: c\n",
        "a:\n  b: c\n\td: e\n",
        "a:\n  - b\n \t- c\n",
    ] {
        let parsed = read(text);
        let first = &parsed.diagnostics[0];
        assert_eq!(first.remedy, "indent with spaces", "{text:?}");
    }
}

#[test]
fn a_bad_document_spoils_no_other() {
    let good = |name: &str| {
        format!(
            "{}spec: {{addresses: []}}\n",
            POOL.replace("{name: a}", &format!("{{name: {name}}}"))
        )
    };
    let breakers = [
        "a: [b",
        "a:\n\tb: c",
        "a: \"b",
        "a: b: c",
        "a: *x",
        "? [",
        "}",
        "%YAML 9.9",
    ];
    for bad in breakers {
        let text = format!("{}---\n{bad}\n---\n{}", good("one"), good("two"));
        let parsed = read(&text);
        let want = ["IPAddressPool lb/one", "IPAddressPool lb/two"];
        assert_eq!(names(&parsed), want, "{bad:?} {:?}", parsed.diagnostics);
        assert!(parsed.has_unreadable, "{bad:?}");
        assert!(
            parsed
                .diagnostics
                .iter()
                .all(ferrolb_types::Diagnostic::is_error)
        );
        assert_eq!(
            parsed.diagnostics.len(),
            1,
            "{bad:?} {:?}",
            parsed.diagnostics
        );
    }
}

#[test]
fn the_same_object_twice_in_one_file() {
    let text = format!("{POOL}spec: {{addresses: [a]}}\n---\n{POOL}spec: {{addresses: [b]}}\n");
    let parsed = read(&text);
    assert_eq!(shown(&parsed), ["8:18 F005 metadata.name"]);
    assert_eq!(names(&parsed), ["IPAddressPool lb/a"]);
}

#[test]
fn no_secret_is_ever_shown() {
    let texts = [
        format!("{PEER}spec: {{myASN: 1, password: 4711}}"),
        format!("{PEER}spec: {{myASN: 1, password: [4711]}}"),
        format!("{PEER}spec: {{myASN: 1, passwordSecret: 4711}}"),
        format!("{PEER}spec: {{myASN: 1, passwort: 4711}}"),
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {password: \"?4711?\"}"
            .to_owned(),
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: 4711".to_owned(),
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {password: 4711}"
            .to_owned(),
    ];
    for text in texts {
        let parsed = read(&text);
        assert_eq!(parsed.diagnostics.len(), 1, "{text}");
        let shown = format!("{:?}", parsed.diagnostics);
        assert!(!shown.contains("4711"), "{shown}");
    }
}

#[test]
fn sentences() {
    let text = format!("{POOL}spec:\n  adresses: [a]\n");
    let shown: Vec<String> = read(&text)
        .diagnostics
        .iter()
        .map(ToString::to_string)
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @r"
    FLB-V002 IPAddressPool lb/a spec.addresses: the field `addresses` is required and missing; add `addresses`
    FLB-V001 IPAddressPool lb/a spec.adresses: no such field is known here; write `addresses` if that was meant, otherwise remove it
    ");
}
