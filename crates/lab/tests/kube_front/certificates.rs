// SPDX-License-Identifier: Apache-2.0
//! The certificate of the webhooks over time, with two replicas: made, injected, served, and after every
//! fault in order again without a restart.

use std::{fs, time::Instant};

use ferrolb_lab::{Process, cluster::Call};
use k8s_openapi::ByteString;
use serde_json::{Value, json};

use super::{
    stand::{Stand, certificate_secret},
    tls::{self, Pair},
};

const CONFIGURATION: &str = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/metallb-webhook-configuration";
const DEFINITION: &str =
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/bgppeers.metallb.io";

struct Replicas {
    stand: Stand,
    processes: Vec<Process>,
}

#[test]
fn heal_without_a_restart() {
    let Some(stand) = Stand::new("base", 2, &[]) else {
        return;
    };
    let secret = certificate_secret();
    assert!(stand.done(&Call::get(&secret)).get("data").is_none());
    let replicas = Replicas {
        processes: ["n1", "n2"]
            .map(|name| stand.controller(stand.node(name), &[]))
            .into(),
        stand,
    };
    let issued = replicas.in_order("an empty Secret");
    let keys: Vec<&String> = issued.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["ca.crt", "ca.key", "tls.crt", "tls.key"]);

    replicas.change(&Call::delete(&secret));
    let anew = replicas.in_order("a Secret that was deleted");
    assert_ne!(anew, issued);

    let emptied = Call::merge(&secret, json!({ "data": null }));
    replicas.change(&emptied);
    assert_ne!(replicas.in_order("a Secret that was emptied"), anew);

    let away = replicas.stand.cluster.expire().unwrap();
    println!("an API server away for {away:?}, with its history");
    let expired = Pair::new(tls::NAME, 2021);
    replicas.change(&Call::merge(&secret, expired.string_data()));
    let renewed = replicas.in_order("an expired pair");

    let elsewhere = Pair::new("somewhere.else.svc", 2090);
    replicas.change(&Call::merge(&secret, elsewhere.string_data()));
    assert_ne!(replicas.in_order("another name"), renewed);

    let by_hand = Pair::new(tls::NAME, 2090);
    replicas.change(&Call::merge(&secret, by_hand.string_data()));
    let theirs = replicas.in_order("somebody's own pair");
    assert_eq!(text(&theirs["ca.crt"]), by_hand.authority, "theirs is good");

    replicas.change(&Call::delete(CONFIGURATION));
    replicas
        .stand
        .cluster
        .install(&ferrolb_lab::cluster::deploy("base"))
        .unwrap();
    replicas.in_order("a configuration that was deleted and applied again");

    let nobody =
        json!({ "spec": { "conversion": { "webhook": { "clientConfig": { "caBundle": null }}}}});
    replicas.change(&Call::merge(DEFINITION, nobody));
    assert_eq!(
        replicas.in_order("a definition without caBundle"),
        theirs,
        "nothing is renewed without need"
    );
}

#[test]
fn what_is_good_is_served_although_it_cannot_be_renewed() {
    let Some(stand) = Stand::new("base", 1, &[]) else {
        return;
    };
    let (secret, pair) = (certificate_secret(), Pair::new(tls::NAME, 2090));
    stand.done(&Call::merge(&secret, pair.for_good()));
    let replicas = Replicas {
        processes: [stand.controller(stand.node("n1"), &[])].into(),
        stand,
    };
    let served = replicas.in_order("a Secret that nobody may change");
    assert_eq!(text(&served["ca.crt"]), pair.authority);
    replicas.change(&Call::delete(&secret));
    let anew = replicas.in_order("a Secret that was deleted");
    assert_ne!(anew, served, "it goes on trying");
}

impl Replicas {
    fn change(&self, call: &Call) {
        self.stand.done(call);
    }

    /// Waits until the Secret holds what both replicas serve and all callers trust; gives it.
    fn in_order(&self, after: &str) -> Value {
        let begun = Instant::now();
        self.stand.until(after, || self.agree());
        println!("in order {:?} after {after}", begun.elapsed());
        // Either replica may be called.
        for _ in 0..6 {
            assert!(self.stand.is_called(), "{after}");
        }
        for process in &self.processes {
            assert!(process.ended().unwrap().is_none(), "{after}");
        }
        self.stand.certificates()
    }

    fn agree(&self) -> bool {
        let data = self.stand.certificates();
        let authority = &data["ca.crt"];
        if !authority.is_string() || !self.bundles().iter().all(|bundle| bundle == authority) {
            return false;
        }
        let file = self.stand.cluster.dir().join("authority.pem");
        fs::write(&file, text(authority)).unwrap();
        let served = |process: &Process| {
            let host = self.stand.node(process.namespace().host());
            tls::is_trusted(process.namespace(), host, tls::NAME, 9443, &file)
        };
        self.processes.iter().all(served) && self.stand.is_called()
    }

    /// Every `caBundle` that the API server reads.
    fn bundles(&self) -> Vec<Value> {
        let configuration = self.stand.done(&Call::get(CONFIGURATION));
        let definition = self.stand.done(&Call::get(DEFINITION));
        let webhooks = configuration["webhooks"].as_array().unwrap().iter();
        let conversion = &definition["spec"]["conversion"]["webhook"]["clientConfig"];
        webhooks
            .map(|webhook| &webhook["clientConfig"])
            .chain([conversion])
            .map(|config| config["caBundle"].clone())
            .collect()
    }
}

fn text(value: &Value) -> String {
    let bytes: ByteString = serde_json::from_value(value.clone()).unwrap_or_default();
    String::from_utf8(bytes.0).unwrap()
}
