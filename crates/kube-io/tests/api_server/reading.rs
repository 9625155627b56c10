// SPDX-License-Identifier: Apache-2.0
//! What is told of the cluster.

use std::time::Duration;

use ferrolb_config::object::Object;
use ferrolb_kube_io::{Told, Watched, watch};
use ferrolb_lab::cluster::Call;
use ferrolb_types::ObjectRef;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{OURS, connect, done, namespace, ours, roles, service, shared, told_until};

fn is_synced(kind: Watched) -> impl FnMut(&Told) -> bool {
    move |told| *told == Told::Synced(kind)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_from_its_creation_to_its_end() {
    let Some(lab) = shared() else { return };
    namespace(lab, "reading");
    service(lab, "reading", "before");
    let cluster = connect(lab, roles::CONTROLLER).await;
    let stop = CancellationToken::new();
    let mut told = watch::follow(&cluster, &[Watched::Services], &stop);
    let of_ours = |told: &Told| match told {
        Told::Apply(Object::Service(view), _) => view.key.namespace() == "reading",
        Told::Delete(object) => object.namespace == "reading",
        _ => false,
    };
    let first = told_until(&mut told, is_synced(Watched::Services)).await;
    assert_eq!(first.iter().filter(|told| of_ours(told)).count(), 1);

    let created = service(lab, "reading", "after");
    let all = told_until(&mut told, of_ours).await;
    let Some(Told::Apply(Object::Service(view), meta)) = all.iter().find(|told| of_ours(told))
    else {
        panic!("{all:#?}");
    };
    assert_eq!(view.key.name(), "after");
    assert!(view.is_load_balancer() && view.created.is_some() && !view.cluster_ips.is_empty());
    assert_eq!(
        created["metadata"]["resourceVersion"],
        *meta.resource_version
    );
    assert_eq!(created["metadata"]["uid"], *meta.uid);

    done(
        lab,
        &Call::delete("/api/v1/namespaces/reading/services/after"),
    );
    let gone = Told::Delete(ObjectRef::new("Service", "reading", "after"));
    told_until(&mut told, |told| *told == gone).await;
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_is_synced_for_the_speaker() {
    let Some(lab) = shared() else { return };
    let cluster = connect(lab, roles::SPEAKER).await;
    let stop = CancellationToken::new();
    let mut told = watch::follow(&cluster, &Watched::ALL, &stop);
    let mut missing: Vec<Watched> = Watched::ALL.to_vec();
    told_until(&mut told, |told| {
        if let Told::Synced(kind) = told {
            missing.retain(|one| one != kind);
        }
        missing.is_empty()
    })
    .await;
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn more_objects_than_a_page_holds() {
    let Some(lab) = shared() else { return };
    let path = ours("v1beta1", "communities");
    let create = |n: u32| {
        Call::create(
            &path,
            json!({
                "apiVersion": "metallb.io/v1beta1", "kind": "Community", "metadata": { "name": format!("many-{n:04}") },
                "spec": { "communities": [{ "name": format!("many-{n}"), "value": "1:2" }] },
            }),
        )
    };
    lab.admin()
        .each(8, (0..1203).map(create).collect())
        .unwrap();
    let cluster = connect(lab, roles::SPEAKER).await;
    let listed = watch::list(&cluster, Watched::Communities).await.unwrap();
    let many = |told: &&Told| matches!(told, Told::Apply(object, _) if object.reference().name.starts_with("many-"));
    assert_eq!(listed.iter().filter(many).count(), 1203);
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_of_nodes_comes_without_the_rest() {
    let Some(lab) = shared() else { return };
    let node = json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": { "name": "reading", "labels": { "rack": "r1" } },
    });
    done(lab, &Call::create("/api/v1/nodes", node));
    let addresses = json!([{ "type": "InternalIP", "address": "192.0.2.1" }]);
    let status = json!({ "status": { "addresses": addresses } });
    done(lab, &Call::merge("/api/v1/nodes/reading/status", status));
    let cluster = connect(lab, roles::CONTROLLER).await;
    let find = |told: Vec<Told>| {
        let node = told.into_iter().find_map(|told| match told {
            Told::Apply(Object::Node(node), _) if node.name.as_str() == "reading" => Some(node),
            _ => None,
        });
        node.map(|node| {
            (
                node.labels.get("rack").map(ToString::to_string),
                node.internal_ips,
            )
        })
    };
    let (rack, address) = (Some("r1".to_owned()), "192.0.2.1".parse().unwrap());
    let whole = watch::list(&cluster, Watched::Nodes).await.unwrap();
    assert_eq!(find(whole), Some((rack.clone(), vec![address])));
    let slim = watch::list_metadata(&cluster, Watched::Nodes)
        .await
        .unwrap();
    assert_eq!(find(slim), Some((rack, vec![])));
}

#[tokio::test(flavor = "multi_thread")]
async fn our_kinds_with_fields_of_a_newer_version() {
    let Some(lab) = shared() else { return };
    let pool = json!({
        "apiVersion": "metallb.io/v1beta1", "kind": "IPAddressPool",
        "metadata": { "name": "reading", "annotations": { "ferrolb.io/x": "y" } },
        "spec": { "addresses": ["192.0.2.0/28"] },
    });
    done(lab, &Call::create(&ours("v1beta1", "ipaddresspools"), pool));
    let peer = json!({
        "apiVersion": "metallb.io/v1beta1", "kind": "BGPPeer", "metadata": { "name": "reading" },
        "spec": { "myASN": 64500, "peerASN": 64501, "peerAddress": "192.0.2.1" },
    });
    // Stored as v1beta2 whatever it was written as.
    done(lab, &Call::create(&ours("v1beta1", "bgppeers"), peer));
    let cluster = connect(lab, roles::SPEAKER).await;
    let pools = watch::list(&cluster, Watched::IPAddressPools)
        .await
        .unwrap();
    let found = pools.iter().find_map(|told| match told {
        Told::Apply(Object::IPAddressPool(pool), meta)
            if pool.metadata.name.as_deref() == Some("reading") =>
        {
            Some((pool, meta))
        }
        _ => None,
    });
    let (pool, meta) = found.expect("the pool");
    assert_eq!(pool.spec.addresses, ["192.0.2.0/28"]);
    assert_eq!(
        (meta.generation, pool.metadata.managed_fields.is_none()),
        (Some(1), true)
    );
    let peers = watch::list(&cluster, Watched::BGPPeers).await.unwrap();
    assert!(peers.iter().any(|told| matches!(told, Told::Apply(Object::BGPPeer(peer), _) if peer.spec.peer_asn == Some(64501))));
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_alone_of_all_secrets() {
    let Some(lab) = shared() else { return };
    let path = format!("/api/v1/namespaces/{OURS}/secrets");
    let secret = |name: &str, type_: &str| {
        json!({
            "metadata": { "name": name }, "type": type_,
            "stringData": { "username": "u", "password": "hunter2" },
        })
    };
    done(
        lab,
        &Call::create(&path, secret("peer", "kubernetes.io/basic-auth")),
    );
    done(lab, &Call::create(&path, secret("other", "Opaque")));
    let cluster = connect(lab, roles::SPEAKER).await;
    let all = watch::list(&cluster, Watched::Secrets).await.unwrap();
    let names: Vec<String> = all
        .iter()
        .filter_map(|told| match told {
            Told::Apply(object @ Object::Secret(_), _) => Some(object.reference().name),
            _ => None,
        })
        .collect();
    assert_eq!(names, ["peer"]);
    let Told::Apply(Object::Secret(view), _) = &all[0] else {
        panic!()
    };
    assert_eq!(
        view.password.as_ref().map(|password| password.expose()),
        Some(&b"hunter2"[..])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_watched_is_listed() {
    let Some(lab) = shared() else { return };
    let cluster = connect(lab, roles::OLD).await;
    let stop = CancellationToken::new();
    let mut told = watch::follow(&cluster, &[Watched::Nodes], &stop);
    let all = told_until(&mut told, is_synced(Watched::Nodes)).await;
    assert!(
        !all.iter().any(|told| matches!(told, Told::Trouble(..))),
        "{all:#?}"
    );
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_read_is_trouble_in_the_apis_words() {
    let Some(lab) = shared() else { return };
    let cluster = connect(lab, roles::NOBODY).await;
    let stop = CancellationToken::new();
    let mut told = watch::follow(&cluster, &[Watched::Services], &stop);
    let all = told_until(&mut told, |told| matches!(told, Told::Trouble(..))).await;
    let Some(Told::Trouble(Watched::Services, why)) = all.last() else {
        panic!("{all:#?}")
    };
    let why = why.to_string();
    assert!(
        why.contains("services is forbidden") && why.contains("nobody"),
        "{why}"
    );
    let once = tokio::time::timeout(std::time::Duration::from_secs(3), told.recv()).await;
    assert!(once.is_err(), "told once");
    stop.cancel();
}

/// The watches of a process share a connection, and the bytes that may be under way on it.
#[tokio::test(flavor = "multi_thread")]
async fn a_watch_that_nobody_takes_holds_back_no_other() {
    let Some(lab) = shared() else { return };
    namespace(lab, "stalled");
    let cluster = connect(lab, roles::CONTROLLER).await;
    let stop = CancellationToken::new();
    let mut stalled = watch::follow(&cluster, &[Watched::Services], &stop);
    told_until(&mut stalled, is_synced(Watched::Services)).await;
    // Once there is a connection, the next watch takes it.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut other = watch::follow(&cluster, &[Watched::IPAddressPools], &stop);
    told_until(&mut other, is_synced(Watched::IPAddressPools)).await;

    // More than the whole connection may have under way.
    service(lab, "stalled", "big");
    let path = "/api/v1/namespaces/stalled/services/big";
    for turn in 0..80 {
        let text = format!("{turn}{}", "x".repeat(100_000));
        let big = json!({ "metadata": { "annotations": { "example.com/text": text } } });
        done(lab, &Call::merge(path, big));
    }
    let pool = json!({
        "apiVersion": "metallb.io/v1beta1", "kind": "IPAddressPool",
        "metadata": { "name": "beside" }, "spec": { "addresses": ["192.0.2.0/28"] },
    });
    done(lab, &Call::create(&ours("v1beta1", "ipaddresspools"), pool));
    let is_there = |told: &Told| match told {
        Told::Apply(object, _) => object.reference().name == "beside",
        _ => false,
    };
    told_until(&mut other, is_there).await;
    done(
        lab,
        &Call::delete(&format!("{}/beside", ours("v1beta1", "ipaddresspools"))),
    );
    stop.cancel();
}
