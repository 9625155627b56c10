// SPDX-License-Identifier: Apache-2.0
//! The manifests of `deploy/` on a real API server: taken whole, with rules that allow what the roles
//! need and no more, and Pods as locked up as they can be.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod manifests;

use std::{process::Command, sync::OnceLock};

use ferrolb_lab::{
    Run,
    cluster::{Api, Call, Cluster, METALLB_RBAC, Options, able, deploy},
    exec, tools,
};
use serde_json::{Value, json};

use manifests::{Kinds, Manifests};

const OVERLAYS: [&str; 3] = ["base", "overlays/without-webhooks", "overlays/prometheus"];
const MONITORING: &str = include_str!("fixtures/monitoring-crds.yaml");

fn cluster() -> Option<Cluster> {
    if !able(&[]).unwrap() {
        return None;
    }
    Some(Cluster::local(&Run::new().unwrap(), &Options::default()).unwrap())
}

/// A cluster with the base, for all tests that change nothing another one looks at.
fn base() -> Option<&'static Cluster> {
    static BASE: OnceLock<Option<Cluster>> = OnceLock::new();
    let made = BASE.get_or_init(|| {
        let cluster = cluster()?;
        cluster.install(&deploy("base")).unwrap();
        Some(cluster)
    });
    made.as_ref()
}

/// Applies an overlay as a user would, and again; nothing of it is lost, nothing changes by the second.
fn taken_whole(overlay: &str) {
    let Some(cluster) = cluster() else { return };
    cluster.apply(MONITORING).unwrap();
    cluster.wait_for_kinds().unwrap();
    let folder = deploy(overlay);
    cluster.install(&folder).unwrap();
    let rendered = Manifests::render(&cluster, &folder);
    let kinds = Kinds::of(&cluster);
    let live: Vec<Value> = rendered
        .0
        .iter()
        .map(|one| kinds.get(&cluster, one))
        .collect();
    for (wanted, found) in rendered.0.iter().zip(&live) {
        let lost = manifests::lost(wanted, found);
        assert!(
            lost.is_empty(),
            "{overlay}: {}: {lost:?}",
            wanted["metadata"]["name"]
        );
    }
    cluster.install(&folder).unwrap();
    for (wanted, found) in rendered.0.iter().zip(&live) {
        let again = kinds.get(&cluster, wanted);
        let version = |object: &Value| object["metadata"]["resourceVersion"].clone();
        assert_eq!(version(&again), version(found), "{overlay}: {wanted}");
    }
    let unknown = kinds.unknown_in_rules(&rendered);
    assert!(
        unknown.is_empty(),
        "{overlay}: rules for what is not there: {unknown:?}"
    );
    let dangling = rendered.dangling();
    assert!(
        dangling.is_empty(),
        "{overlay}: names nothing: {dangling:?}"
    );
}

#[test]
fn the_base_is_taken_whole() {
    taken_whole(OVERLAYS[0]);
}

#[test]
fn without_webhooks_is_taken_whole() {
    taken_whole(OVERLAYS[1]);
}

#[test]
fn with_prometheus_is_taken_whole() {
    taken_whole(OVERLAYS[2]);
}

/// Asks a role about itself.
fn may(role: &Api, (verb, what, namespace, name): Right) -> bool {
    let (what, subresource) = what.split_once('/').unwrap_or((what, ""));
    let (resource, group) = what.split_once('.').unwrap_or((what, ""));
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": { "resourceAttributes": {
            "verb": verb, "group": group, "resource": resource, "subresource": subresource,
            "namespace": namespace, "name": name,
        }},
    });
    let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    let answer = role
        .call(&Call::create(path, review))
        .unwrap()
        .ok()
        .unwrap();
    answer["status"]["allowed"] == true
}

const OURS: &str = "metallb-system";

/// Verb; `resource`, `resource.group` or `resource.group/subresource`; namespace; name.
type Right = (&'static str, &'static str, &'static str, &'static str);

/// What each role needs at the least, and what would be too much.
const RIGHTS: [(&str, &[Right], &[Right]); 2] = [
    (
        "controller",
        &[
            ("watch", "services", "", ""),
            ("get", "services", "shop", "web"),
            ("watch", "namespaces", "", ""),
            ("list", "nodes", "", ""),
            ("patch", "services/status", "shop", "web"),
            ("create", "events", "shop", ""),
            ("patch", "events", "shop", ""),
            ("create", "tokenreviews.authentication.k8s.io", "", ""),
            (
                "create",
                "subjectaccessreviews.authorization.k8s.io",
                "",
                "",
            ),
            ("watch", "ipaddresspools.metallb.io", OURS, ""),
            ("list", "bgppeers.metallb.io", OURS, ""),
            ("create", "secrets", OURS, ""),
            ("patch", "ipaddresspools.metallb.io/status", OURS, "web"),
            ("create", "configurationstates.metallb.io", OURS, ""),
            (
                "patch",
                "configurationstates.metallb.io/status",
                OURS,
                "controller",
            ),
            ("create", "leases.coordination.k8s.io", OURS, ""),
            (
                "update",
                "leases.coordination.k8s.io",
                OURS,
                "ferrolb-controller",
            ),
            ("update", "secrets", OURS, "metallb-webhook-cert"),
            (
                "patch",
                "customresourcedefinitions.apiextensions.k8s.io",
                "",
                "bgppeers.metallb.io",
            ),
            ("get", "pods", OURS, ""),
            ("watch", "configmaps", OURS, "bgpextras"),
        ],
        &[
            ("watch", "configmaps", OURS, ""),
            ("patch", "services", "shop", "web"),
            ("update", "services", "shop", "web"),
            ("list", "secrets", OURS, ""),
            ("get", "secrets", OURS, "memberlist"),
            ("get", "secrets", "shop", "metallb-webhook-cert"),
            ("patch", "ipaddresspools.metallb.io", OURS, "web"),
            ("watch", "ipaddresspools.metallb.io", "shop", ""),
            ("update", "leases.coordination.k8s.io", OURS, "another"),
            (
                "update",
                "leases.coordination.k8s.io",
                "kube-system",
                "ferrolb-controller",
            ),
            (
                "patch",
                "configurationstates.metallb.io/status",
                OURS,
                "speaker-n1",
            ),
            (
                "patch",
                "customresourcedefinitions.apiextensions.k8s.io",
                "",
                "ipaddresspools.metallb.io",
            ),
            (
                "delete",
                "customresourcedefinitions.apiextensions.k8s.io",
                "",
                "bgppeers.metallb.io",
            ),
            ("get", "pods/proxy", OURS, ""),
            ("create", "pods", OURS, ""),
        ],
    ),
    (
        "speaker",
        &[
            ("watch", "services", "", ""),
            ("watch", "nodes", "", ""),
            ("watch", "namespaces", "", ""),
            ("watch", "endpointslices.discovery.k8s.io", "", ""),
            ("create", "events", "shop", ""),
            ("watch", "secrets", OURS, ""),
            ("watch", "bgppeers.metallb.io", OURS, ""),
            ("watch", "bfdprofiles.metallb.io", OURS, ""),
            ("create", "servicel2statuses.metallb.io", OURS, ""),
            ("delete", "servicel2statuses.metallb.io", OURS, "l2-x"),
            (
                "patch",
                "servicebgpstatuses.metallb.io/status",
                OURS,
                "bgp-x",
            ),
            (
                "patch",
                "configurationstates.metallb.io/status",
                OURS,
                "speaker-n1",
            ),
            ("get", "pods", OURS, "speaker-x"),
        ],
        &[
            ("patch", "services/status", "shop", "web"),
            ("list", "secrets", "shop", ""),
            ("create", "secrets", OURS, ""),
            ("update", "secrets", OURS, "metallb-webhook-cert"),
            ("patch", "ipaddresspools.metallb.io/status", OURS, "web"),
            ("patch", "nodes", "", "n1"),
            (
                "update",
                "leases.coordination.k8s.io",
                OURS,
                "ferrolb-controller",
            ),
            ("get", "pods/proxy", OURS, ""),
            ("list", "pods", OURS, ""),
        ],
    ),
];

#[test]
fn each_role_may_what_it_needs_and_no_more() {
    let Some(cluster) = base() else { return };
    for (role, needed, too_much) in RIGHTS {
        let account = cluster.as_service_account(OURS, role).unwrap();
        for &right in needed {
            assert!(may(&account, right), "{role} needs {right:?}");
        }
        for &right in too_much {
            assert!(!may(&account, right), "{role} must not have {right:?}");
        }
    }
    let controller = cluster.as_service_account(OURS, "controller").unwrap();
    let secrets = format!("/api/v1/namespaces/{OURS}/secrets");
    let code = |query: &str| {
        controller
            .call(&Call::get(&format!("{secrets}{query}")))
            .unwrap()
            .code
    };
    assert_eq!(
        code("?fieldSelector=metadata.name%3Dmetallb-webhook-cert"),
        200
    );
    assert_eq!(code(""), 403);
}

#[test]
fn without_webhooks_the_controller_may_less() {
    let Some(cluster) = cluster() else { return };
    cluster
        .install(&deploy("overlays/without-webhooks"))
        .unwrap();
    let controller = cluster.as_service_account(OURS, "controller").unwrap();
    assert!(may(
        &controller,
        ("patch", "services/status", "shop", "web")
    ));
    for right in [
        ("list", "nodes", "", ""),
        ("list", "bgppeers.metallb.io", OURS, ""),
        ("create", "secrets", OURS, ""),
        ("get", "secrets", OURS, "metallb-webhook-cert"),
        (
            "get",
            "customresourcedefinitions.apiextensions.k8s.io",
            "",
            "bgppeers.metallb.io",
        ),
    ] {
        assert!(!may(&controller, right), "{right:?}");
    }
}

/// The Pod a workload would make.
fn pod(rendered: &Manifests, kind: &str) -> Value {
    let workload = rendered.of_kind(kind).next().unwrap();
    let mut pod = workload["spec"]["template"].clone();
    pod["apiVersion"] = "v1".into();
    pod["kind"] = "Pod".into();
    pod["metadata"]["name"] = "one".into();
    pod
}

#[test]
fn pods_are_as_locked_up_as_they_can_be() {
    let Some(cluster) = base() else { return };
    let folder = deploy("base");
    cluster.apply(RESTRICTED).unwrap();
    let rendered = Manifests::render(cluster, &folder);
    let create = |namespace: &str, kind: &str| {
        let path = format!("/api/v1/namespaces/{namespace}/pods?dryRun=All");
        let call = Call::create(&path, pod(&rendered, kind));
        cluster.admin().call(&call).unwrap()
    };
    for (namespace, kind) in [
        (OURS, "Deployment"),
        (OURS, "DaemonSet"),
        ("restricted", "Deployment"),
    ] {
        create(namespace, kind).ok().unwrap();
    }
    let refused = create("restricted", "DaemonSet");
    let why = refused.body["message"].as_str().unwrap().to_owned();
    for needed in ["hostNetwork=true", "NET_RAW", "runAsUser=0"] {
        assert!(why.contains(needed), "{why}");
    }
    for too_much in [
        "allowPrivilegeEscalation",
        "seccompProfile",
        "volume",
        "SYS_",
        "NET_ADMIN",
    ] {
        assert!(!why.contains(too_much), "{why}");
    }
}

const RESTRICTED: &str = "
apiVersion: v1
kind: Namespace
metadata:
  name: restricted
  labels: { pod-security.kubernetes.io/enforce: restricted }
";

#[test]
fn ours_goes_over_what_metallb_left() {
    let Some(cluster) = cluster() else { return };
    cluster.apply(METALLB_RBAC).unwrap();
    let controller = cluster.as_service_account(OURS, "controller").unwrap();
    let write = ("update", "services/status", "shop", "web");
    let patch = ("patch", "services/status", "shop", "web");
    assert!(may(&controller, write) && !may(&controller, patch));
    cluster.install(&deploy("base")).unwrap();
    assert!(
        may(&controller, patch),
        "the rules of the same name are ours by now"
    );
    assert!(!may(&controller, write), "MetalLB's rules are gone");
}

/// What the controller writes into our objects is not ours to overwrite by applying them again.
#[test]
fn applying_again_keeps_the_certificates() {
    let Some(cluster) = base() else { return };
    let controller = cluster.as_service_account(OURS, "controller").unwrap();
    let mut encode = Command::new("base64");
    encode.arg("-w0").arg(cluster.dir().join("ca.crt"));
    let bundle = exec::run(encode, exec::PATIENCE)
        .unwrap()
        .success()
        .unwrap();
    let get = |path: &str| controller.call(&Call::get(path)).unwrap().ok().unwrap();
    let done = |call: Call| controller.call(&call).unwrap().ok().unwrap();

    let conversion = json!({ "webhook": { "clientConfig": { "caBundle": bundle } } });
    done(Call::merge(
        CRD,
        json!({ "spec": { "conversion": conversion } }),
    ));
    let mut hooks = get(HOOKS)["webhooks"].clone();
    for hook in hooks.as_array_mut().unwrap() {
        hook["clientConfig"]["caBundle"] = bundle.clone().into();
    }
    done(Call::merge(HOOKS, json!({ "webhooks": hooks })));
    let mut secret = get(SECRET);
    secret["data"] = json!({ "ca.crt": bundle });
    done(Call::replace(SECRET, secret));

    cluster.install(&deploy("base")).unwrap();
    let kept = &get(CRD)["spec"]["conversion"]["webhook"]["clientConfig"]["caBundle"];
    assert_eq!(kept, &bundle);
    for hook in get(HOOKS)["webhooks"].as_array().unwrap() {
        assert_eq!(hook["clientConfig"]["caBundle"], bundle, "{}", hook["name"]);
    }
    assert_eq!(get(SECRET)["data"]["ca.crt"], bundle);
}

const CRD: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/bgppeers.metallb.io";
const HOOKS: &str = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/\
    metallb-webhook-configuration";
const SECRET: &str = "/api/v1/namespaces/metallb-system/secrets/metallb-webhook-cert";

#[test]
fn the_program_knows_every_flag_it_is_started_with() {
    let Some(cluster) = base() else { return };
    let program = tools::ferrolb().unwrap();
    for overlay in OVERLAYS {
        let rendered = Manifests::render(cluster, &deploy(overlay));
        for kind in ["Deployment", "DaemonSet"] {
            let pod = pod(&rendered, kind);
            let arguments = pod["spec"]["containers"][0]["args"].as_array().unwrap();
            let words: Vec<&str> = arguments.iter().filter_map(Value::as_str).collect();
            let (role, flags) = words.split_first().unwrap();
            let mut help = Command::new(&program);
            help.args([role, "--help"]);
            let help = exec::run(help, exec::PATIENCE).unwrap().success().unwrap();
            for flag in flags.iter().filter_map(|flag| flag.split('=').next()) {
                assert!(
                    help.contains(&format!("{flag} ")),
                    "{overlay}: {role} {flag}"
                );
            }
        }
    }
}
