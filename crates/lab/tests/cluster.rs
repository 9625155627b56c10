// SPDX-License-Identifier: Apache-2.0
//! The lab's cluster itself: a real API server, its faults, its record, its reach.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::{
    io::{BufRead, BufReader},
    net::Ipv4Addr,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::bail;
use ferrolb_lab::{
    Run,
    cluster::{ADMIN, CONTROLLERS, Call, Cluster, Options, User, able, deploy, load},
    tools,
    topology::{Shape, Topology},
    wait,
};
use serde_json::json;

const SOON: Duration = Duration::from_secs(30);
const MAPS: &str = "/api/v1/namespaces/default/configmaps";

fn map(name: &str) -> Call {
    Call::create(MAPS, json!({ "metadata": { "name": name } }))
}

#[test]
fn answers_only_what_the_rules_allow_and_keeps_a_record() {
    if !able(&[]).unwrap() {
        return;
    }
    let options = Options {
        users: vec![User::service_account("default", "reader")],
        ..Options::default()
    };
    let begun = Instant::now();
    let cluster = Cluster::local(&Run::new().unwrap(), &options).unwrap();
    println!("a cluster is ready after {:?}", begun.elapsed());
    let user = "system:serviceaccount:default:reader";
    let reader = cluster.as_user(user).unwrap();

    assert_eq!(reader.call(&Call::get(MAPS)).unwrap().code, 403);
    cluster.apply(RULES).unwrap();
    let allowed = || Ok(reader.call(&Call::get(MAPS))?.code == 200);
    wait::until("the rule holds", SOON, allowed).unwrap();
    assert_eq!(reader.call(&map("a")).unwrap().code, 403);
    let asked = cluster.as_service_account("default", "reader").unwrap();
    assert_eq!(asked.call(&Call::get(MAPS)).unwrap().code, 200);

    let record = cluster.requests_of(user).unwrap();
    let codes = |verb: &str| -> Vec<u16> {
        let of_verb = record.iter().filter(|one| one.verb == verb);
        of_verb.map(|one| one.code).collect()
    };
    assert_eq!(codes("create"), [403]);
    assert_eq!(
        (codes("list").first(), codes("list").last()),
        (Some(&403), Some(&200))
    );
    assert!(
        record.iter().all(|one| one.resource == "configmaps"),
        "{record:?}"
    );
    assert_eq!(record.iter().filter(|one| one.is_write()).count(), 1);
}

const RULES: &str = r#"
apiVersion: v1
kind: ServiceAccount
metadata: { name: reader, namespace: default }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: reader, namespace: default }
rules:
- { apiGroups: [""], resources: [configmaps], verbs: [list] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: reader, namespace: default }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader }
subjects:
- { kind: ServiceAccount, name: reader, namespace: default }
"#;

#[test]
fn survives_every_fault_with_its_objects() {
    if !able(&[]).unwrap() {
        return;
    }
    let cluster = Cluster::local(&Run::new().unwrap(), &Options::default()).unwrap();
    let admin = cluster.admin();
    admin.call(&map("kept")).unwrap().ok().unwrap();
    let old = admin.call(&Call::get(MAPS)).unwrap().ok().unwrap();
    let old = old["metadata"]["resourceVersion"]
        .as_str()
        .unwrap()
        .to_owned();
    let watch = |version: &str| {
        let path = format!("{MAPS}?watch=1&timeoutSeconds=1&resourceVersion={version}");
        admin.call(&Call::get(&path)).unwrap()
    };
    assert_eq!(watch(&old).code, 200);

    cluster.stop_api().unwrap();
    assert!(
        admin.call(&Call::get(MAPS)).is_err(),
        "a killed server answers"
    );
    let took = cluster.start_api().unwrap();
    println!("an API server is back after {took:?}");

    let took = cluster.expire().unwrap();
    println!("history forgotten, back after {took:?}");
    let answer = watch(&old);
    assert!(
        answer.code == 410 || answer.body.to_string().contains("410"),
        "{answer:?}"
    );

    cluster.restart_etcd().unwrap();
    let kept = || Ok(admin.call(&Call::get(&format!("{MAPS}/kept")))?.code == 200);
    wait::until("the object is back", SOON, kept).unwrap();

    cluster.freeze().unwrap();
    let late = admin.clone();
    let waiting = std::thread::spawn(move || late.call(&Call::get(MAPS)).unwrap().code);
    std::thread::sleep(Duration::from_millis(300));
    assert!(!waiting.is_finished(), "a frozen server answers");
    cluster.thaw().unwrap();
    assert_eq!(waiting.join().unwrap(), 200);
}

/// A cluster with its controllers, on a host of a LAN with one node.
fn in_a_lan() -> Option<(Topology, Cluster)> {
    if !able(&[CONTROLLERS]).unwrap() {
        return None;
    }
    let shape = Shape {
        nodes: 1,
        routers: 0,
    };
    let net = Topology::build(&Run::new().unwrap(), shape).unwrap();
    let options = Options {
        controllers: true,
        ..Options::default()
    };
    let cluster = Cluster::at(&net.join("api").unwrap(), &options).unwrap();
    Some((net, cluster))
}

#[test]
fn every_node_of_a_topology_reaches_it_and_its_controllers_work() {
    let Some((net, cluster)) = in_a_lan() else {
        return;
    };
    let node = net.node("n1").unwrap();
    let config = cluster.kubeconfig(ADMIN).unwrap().display().to_string();
    let kubectl = cluster.programs().kubectl().display().to_string();
    let arguments = ["--kubeconfig", &config, "get", "--raw", "/readyz"];
    assert_eq!(node.namespace().exec(&kubectl, &arguments).unwrap(), "ok");

    let shop = json!({
        "metadata": { "name": "shop" },
        "spec": { "selector": { "component": "speaker" }, "ports": [{ "port": 80 }] },
    });
    let shop = Call::create("/api/v1/namespaces/default/services", shop);
    cluster.admin().call(&shop).unwrap().ok().unwrap();
    let pod = load::pod("default", "speaker", "speaker-1", "n1", node.v4());
    let calls = [vec![load::node("n1", node.v4())], pod.to_vec()].concat();
    cluster.admin().each(1, calls).unwrap();
    let slices = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";
    let made = || {
        let found = cluster.admin().call(&Call::get(slices))?.ok()?;
        let address = found.pointer("/items/0/endpoints/0/addresses/0");
        Ok(address.is_some_and(|address| address == &json!(node.v4())))
    };
    let took = wait::until("the EndpointSlice of the Pod", SOON, made).unwrap();
    println!("the Pod's EndpointSlice is there after {took:?}");

    let _page = node.serve(8080).unwrap();
    let proxied = "/api/v1/namespaces/default/pods/speaker-1:8080/proxy/";
    let page = cluster
        .admin()
        .call(&Call::get(proxied))
        .unwrap()
        .ok()
        .unwrap();
    assert_eq!(page, "n1\n");
}

#[test]
fn webhooks_are_called_where_their_service_has_an_endpoint() {
    let Some((net, cluster)) = in_a_lan() else {
        return;
    };
    cluster.install(&deploy("base")).unwrap();
    let node = net.node("n1").unwrap();
    let pool = json!({
        "apiVersion": "metallb.io/v1beta1", "kind": "IPAddressPool",
        "metadata": { "name": "web" }, "spec": { "addresses": ["203.0.113.0/24"] },
    });
    let pools = "/apis/metallb.io/v1beta1/namespaces/metallb-system/ipaddresspools";
    let create = || {
        let answer = cluster.admin().call(&Call::create(pools, pool.clone()));
        answer.unwrap().ok().unwrap_err().to_string()
    };
    let error = create();
    assert!(error.contains("no endpoints available"), "{error}");

    // A page instead of a webhook: that it speaks no TLS shows that it was asked.
    let _page = node.serve(9443).unwrap();
    let at = (node.v4(), 9443).into();
    let slice = load::endpoint(
        "metallb-system",
        "metallb-webhook-service",
        "webhook-server",
        at,
    );
    cluster.admin().call(&slice).unwrap().ok().unwrap();
    let asked = || match create() {
        said if said.contains("server gave HTTP response to HTTPS client") => Ok(true),
        said => bail!("{said}"),
    };
    wait::until("the webhook is called on the node", SOON, asked).unwrap();
}

#[test]
fn its_processes_end_with_a_program_that_is_killed() {
    if !able(&[CONTROLLERS]).unwrap() {
        return;
    }
    let mut stand = Command::new(tools::lab().unwrap())
        .arg("cluster")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(stand.stdout.take().unwrap()).lines();
    let mut lines = lines.map(Result::unwrap);
    let said = lines.find_map(|line| line.strip_prefix("# processes: [").map(str::to_owned));
    let said = said.unwrap();
    let (pids, _) = said.split_once(']').unwrap();
    let pids: Vec<&str> = pids.split(", ").collect();
    let alive = || {
        pids.iter()
            .filter(|pid| Path::new("/proc").join(pid).exists())
            .count()
    };
    assert_eq!((pids.len(), alive()), (3, 3), "{said}");
    stand.kill().unwrap();
    stand.wait().unwrap();
    wait::until("all have ended", SOON, || Ok(alive() == 0)).unwrap();
}

#[test]
fn makes_many_objects_fast() {
    if !able(&[]).unwrap() {
        return;
    }
    let cluster = Cluster::local(&Run::new().unwrap(), &Options::default()).unwrap();
    let soak = std::env::var_os("FERROLB_SOAK").is_some();
    let count = if soak { 5_000 } else { 500 };
    let services = load::Services {
        namespace: "default",
        count,
        class: Some("example.com/test"),
        local: false,
    };
    let admin = cluster.admin();
    let made = admin.each(16, services.create()).unwrap();
    let sliced = admin.each(16, services.endpoints(&["n1", "n2"])).unwrap();
    let first = Ipv4Addr::new(203, 0, 0, 0);
    let assigned = admin.each(16, services.assign(first)).unwrap();
    println!("{count} Services {made:?}, EndpointSlices {sliced:?}, statuses {assigned:?}");
    let path = format!("/api/v1/namespaces/default/services/s{}", count - 1);
    let last = admin.call(&Call::get(&path)).unwrap().ok().unwrap();
    let address = Ipv4Addr::from(u32::from(first) + count - 1);
    let ingress = &last["status"]["loadBalancer"]["ingress"];
    assert_eq!(ingress[0]["ip"], address.to_string());
    assert_eq!(last["spec"]["loadBalancerClass"], "example.com/test");

    let refused = services.create().into_iter().take(1).collect();
    let error = format!("{:#}", admin.each(2, refused).unwrap_err());
    assert!(error.contains("already exists"), "{error}");

    let saved = cluster.run().dir().join("saved");
    cluster.save(&saved).unwrap();
    let options = Options {
        objects: Some(saved),
        unrecorded: true,
        ..Options::default()
    };
    let copy = Cluster::local(cluster.run(), &options).unwrap();
    let found = copy.admin().call(&Call::get(&path)).unwrap().ok().unwrap();
    assert_eq!(found["status"], last["status"]);
}
