// SPDX-License-Identifier: Apache-2.0
//! Both roles together: a Service is created and nothing else is done, and a client beyond the router is
//! served by its address; it is deleted, and the address leads nowhere.

use std::{net::IpAddr, time::Instant};

use ferrolb_lab::{
    Process,
    cluster::load,
    process::Spec,
    routers::{Kind, Neighbor, RouterConfig},
    tools, wait,
};
use serde_json::{Value, json};

use crate::{
    common::{NODE_AS, ROUTER_AS},
    lab::{Lab, PATIENCE, Rules, await_routes},
    objects::{NAMESPACE, bgp_ad, path, peer, pools, slice},
};

/// The controller, on the API server's host, as its Deployment starts it.
fn controller(lab: &Lab) -> Process {
    let pod = load::pod(NAMESPACE, "controller", "controller-1", "n1", lab.api.v4());
    pod.iter().for_each(|call| drop(lab.call(call)));
    let kubeconfig = lab
        .cluster
        .service_account(NAMESPACE, "controller")
        .unwrap();
    let kubeconfig = kubeconfig.display().to_string();
    let arguments = [
        "controller",
        "--webhook-mode=disabled",
        "--kubeconfig",
        &kubeconfig,
    ];
    let mut spec = Spec::new("controller", tools::ferrolb().unwrap(), arguments);
    let own = [
        ("METALLB_NAMESPACE", NAMESPACE),
        ("METALLB_POD_NAME", "controller-1"),
    ];
    spec.environment = own
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    Process::start(lab.api.namespace(), &spec).unwrap()
}

/// A Service without an address, from the routed pool.
fn wanting(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {
            "name": name, "namespace": "default",
            "annotations": { "metallb.io/address-pool": "routed" },
        },
        "spec": {
            "type": "LoadBalancer", "ports": [{ "port": 80 }],
            "allocateLoadBalancerNodePorts": false,
        },
    })
}

fn address(lab: &Lab, service: &str) -> Option<IpAddr> {
    let object = lab.call(&ferrolb_lab::cluster::Call::get(&path(
        "Service", "default", service,
    )));
    let ip = object.pointer("/status/loadBalancer/ingress/0/ip")?;
    ip.as_str()?.parse().ok()
}

#[test]
fn a_service_is_served_from_outside() {
    let Some(lab) = Lab::new(2, 1, &Rules::Ours) else {
        return;
    };
    let router = &lab.net.routers[0];
    let mut config = RouterConfig::new(ROUTER_AS, router.id());
    for node in &lab.net.nodes {
        config = config.with(Neighbor::new(router.v4(), node.v4(), NODE_AS));
    }
    let bird = Kind::Bird.start(router.namespace(), &config).unwrap();
    lab.create_all(pools());
    lab.create(bgp_ad("hosts", json!({})));
    lab.create(peer("bird", router.v4(), json!({})));
    let _speakers = [lab.speak("n1"), lab.speak("n2")];
    let _controller = controller(&lab);
    let up = |view: &ferrolb_lab::routers::RouterView| {
        lab.net.nodes.iter().all(|node| view.is_up(node.v4()))
    };
    bird.wait_for("both sessions", PATIENCE, &mut { up })
        .unwrap();

    let begun = Instant::now();
    lab.create_all([wanting("web"), slice("web", &["n1", "n2"])]);
    let assigned = || Ok(address(&lab, "web"));
    let (address, _) = wait::arrival("an address", PATIENCE, assigned).unwrap();
    let route = format!("{address}/32");
    for node in &lab.net.nodes {
        await_routes(&*bird, node.v4(), &[&route]);
    }
    println!("created, assigned and routed within {:?}", begun.elapsed());
    served(&lab, address);

    lab.delete("Service", "default", "web");
    for node in &lab.net.nodes {
        await_routes(&*bird, node.v4(), &[]);
    }
}

/// The nodes hold the address, as kube-proxy would see to, and the client gets a page from one of them.
fn served(lab: &Lab, address: IpAddr) {
    let serve = |node: &ferrolb_lab::topology::Host| {
        node.hold(address).unwrap();
        node.serve(80).unwrap()
    };
    let _pages: Vec<Process> = lab.net.nodes.iter().map(serve).collect();
    let outside = lab.net.outside.as_ref().unwrap().namespace();
    let url = format!("http://{address}/");
    let page = || {
        let page = outside.exec("curl", &["-s", "--max-time", "2", &url])?;
        Ok(["n1", "n2"].iter().any(|node| page.contains(node)))
    };
    wait::until("a page", PATIENCE, page).unwrap();
}
