// SPDX-License-Identifier: Apache-2.0
//! `check`, `plan`, `explain` and `status` on a cluster without webhooks, where faulty objects come in:
//! what people see of them, and what they never see.

use std::{fs, path::Path, process::Command};

use ferrolb_lab::{
    Process,
    cluster::{ADMIN, Call},
    exec::{self, Captured},
    routers::{Router as _, SessionState},
    tools,
};
use serde_json::{Value, json};

use super::{
    OURS, SOON,
    canary::{self, Heard},
    older, plugin,
    scraping::{configure, router},
    stand::{OBSERVER, STRANGER, Stand, code, path},
};

/// The pool whose address is none.
const BROKEN: &str = "broken";

struct Look {
    stand: Stand,
    heard: Heard,
}

#[test]
fn people_see_what_a_cluster_does() {
    let Some(mut stand) = Stand::new("overlays/without-webhooks", 2, &["bird", "birdc"]) else {
        return;
    };
    stand.by_name = true;
    stand.let_look(OBSERVER);
    canary::plant(&stand);
    configure(&stand, canary::peer());
    let bird = router(&stand, Some(canary::USED));
    let socket = stand.cluster.dir().join("controller.sock");
    let flag = format!("--socket={}", socket.display());
    let controller = stand.start("controller", &stand.net.client, &[&flag, "--log-level=all"]);
    let mut speakers: Vec<Process> = ["n1", "n2"]
        .map(|name| stand.start("speaker", stand.node(name), &["--log-level=all"]))
        .into();
    for process in speakers.iter().chain([&controller]) {
        stand.ready(process);
    }
    let both = &mut |view: &ferrolb_lab::routers::RouterView| {
        view.sessions
            .iter()
            .all(|session| session.state == SessionState::Established)
    };
    bird.wait_for("both sessions stand", SOON, both).unwrap();
    let mut look = Look {
        stand,
        heard: Heard::default(),
    };
    look.faults_are_told_everywhere();
    look.plans();
    look.explains();
    older::versions_are_told(&look.stand);
    look.asks_everybody();
    look.asks_on_a_socket(&socket);
    look.tokens_are_good_for_one_thing();
    plugin::answers(&look.stand, &mut look.heard);
    look.strangers_are_told_what_they_lack();
    look.who_is_silent_is_named(&mut speakers);
    let logs = speakers.iter().chain([&controller]).map(Process::log);
    let logs: Vec<String> = logs.collect();
    assert!(logs.iter().all(|log| log.contains("\"level\":\"debug\"")));
    look.heard.all(logs);
    look.heard.the_cluster(&look.stand);
    look.heard.is_clean();
}

impl Look {
    /// Runs a command as somebody and keeps what it says.
    fn run(&mut self, user: &str, arguments: &[&str]) -> Captured {
        let said = self.stand.ferrolb(user, arguments);
        self.heard.all([said.stdout.clone(), said.stderr.clone()]);
        said
    }

    /// The same, with the expected exit status; gives standard output and standard error together.
    fn says(&mut self, user: &str, arguments: &[&str], status: i32) -> String {
        let said = self.run(user, arguments);
        assert_eq!(said.status.code(), Some(status), "{arguments:?}: {said:?}");
        said.stdout + &said.stderr
    }

    fn json(&mut self, arguments: &[&str]) -> Value {
        let arguments = [arguments, &["-o", "json"]].concat();
        let said = self.run(OBSERVER, &arguments);
        serde_json::from_str(&said.stdout).unwrap_or_else(|error| panic!("{error}: {said:?}"))
    }

    /// `ConfigurationState`, `check` and `status`, until they are mended; beside them the good ones work.
    fn faults_are_told_everywhere(&mut self) {
        let clean = self.says(OBSERVER, &["check"], 1);
        assert!(
            clean.contains("FLB-"),
            "the planted peers are faulty: {clean}"
        );
        let pool = json!({ "addresses": ["not-an-address"] });
        self.stand.create("v1beta1", "IPAddressPool", BROKEN, pool);
        let alias = json!({ "communities": ["my-valid-alias"] });
        self.stand
            .create("v1beta1", "BGPAdvertisement", "alias", alias);

        let said = self.says(OBSERVER, &["check"], 1);
        for words in [
            "FLB-P00",
            BROKEN,
            "FLB-A009",
            "my-valid-alias",
            "Secrets may not be read",
        ] {
            assert!(said.contains(words), "{words}: {said}");
        }
        let codes = self.json(&["check"]).to_string();
        assert!(codes.contains("FLB-A009"), "{codes}");
        let as_admin = self.says(ADMIN, &["check"], 1);
        assert!(
            as_admin.contains("kubernetes.io/basic-auth"),
            "a Secret of a wrong type: {as_admin}"
        );

        self.summary_is("controller", &["FLB-P00", BROKEN], &[]);
        for speaker in ["speaker-n1", "speaker-n2"] {
            self.summary_is(speaker, &["FLB-A009", "my-valid-alias", BROKEN], &[]);
        }
        self.is_an_event_on("IPAddressPool", BROKEN, "FLB-P004");
        self.is_an_event_on("BGPAdvertisement", "alias", "FLB-A009");
        self.is_an_event_on("BGPPeer", "both", "FLB-B013");
        // Somebody deletes it: it comes again.
        let state = format!("{}/speaker-n1", path("v1beta1", "configurationstates"));
        self.stand.done(&Call::delete(&state));
        self.summary_is("speaker-n1", &["FLB-A009"], &[]);

        let community = json!({ "communities": [{ "name": "my-valid-alias", "value": "1:2" }] });
        self.stand
            .create("v1beta1", "Community", "aliases", community);
        let pools = path("v1beta1", "ipaddresspools");
        self.stand.done(&Call::delete(&format!("{pools}/{BROKEN}")));
        self.summary_is("speaker-n1", &[], &["FLB-A009", BROKEN]);
    }

    /// Waits until a ConfigurationState says these words and not those.
    fn summary_is(&mut self, name: &str, words: &[&str], not: &[&str]) {
        let path = format!("{}/{name}", path("v1beta1", "configurationstates"));
        let mut last = Value::Null;
        let told = ferrolb_lab::wait::until(name, SOON, || {
            let state = self.stand.try_to(&Call::get(&path));
            last = state.body;
            let summary = last["status"]["errorSummary"].as_str().unwrap_or_default();
            let says = |word: &&str| summary.contains(*word);
            Ok(state.code == 200 && words.iter().all(says) && !not.iter().any(says))
        });
        assert!(told.is_ok(), "{name}: {words:?}, not {not:?}: {last}");
        if !words.is_empty() {
            assert_eq!(last["status"]["result"], "Invalid", "{last}");
        }
    }

    /// Whoever describes an object sees what is wrong with it.
    fn is_an_event_on(&mut self, kind: &str, name: &str, code: &str) {
        let mut said = String::new();
        let arguments = ["describe", "-n", OURS, kind, name];
        let told = ferrolb_lab::wait::until(code, SOON, || {
            said = self.stand.cluster.kubectl(&arguments)?;
            Ok(said.contains("ConfigurationError") && said.contains(code))
        });
        assert!(told.is_ok(), "{said}");
    }

    fn plans(&mut self) {
        let text = self.says(OBSERVER, &["plan"], 0);
        for words in ["default/s0", "203.0.113.0", "keeps", "node n1", "router"] {
            assert!(text.contains(words), "{words}: {text}");
        }
        let saved = self.run(OBSERVER, &["plan", "-o", "json"]).stdout;
        let file = self.stand.cluster.dir().join("plan.json");
        fs::write(&file, saved).unwrap();
        let file = file.to_string_lossy().into_owned();
        let text = self.says(OBSERVER, &["plan", "--against", &file], 0);
        assert!(text.contains("nothing would change"), "{text}");
        let text = self.says(OBSERVER, &["plan", "--node", "n9"], 2);
        assert!(text.contains("n9"), "{text}");
        let text = self.says(OBSERVER, &["plan", "--node", "n2"], 0);
        assert!(
            text.contains("node n2") && !text.contains("node n1"),
            "{text}"
        );
    }

    fn explains(&mut self) {
        let text = self.says(OBSERVER, &["explain", "svc/default/s0"], 0);
        for words in [
            "203.0.113.0",
            "live: n1: session router is Established",
            "live: n2: session router is Established",
        ] {
            assert!(text.contains(words), "{words}: {text}");
        }
        let answer = self.json(&["explain", "default/s0"]);
        assert_eq!(answer["allocation"]["pool"], "web");
        assert_eq!(answer["live"].as_array().unwrap().len(), 2, "{answer}");
        let said = self.says(OBSERVER, &["explain", "default/none"], 2);
        assert!(said.contains("FLB-X006"), "{said}");
        let asks =
            json!({ "metadata": { "annotations": { "metallb.io/loadBalancerIPs": "9.9.9.9" }}});
        self.stand
            .done(&Call::merge("/api/v1/namespaces/default/services/s0", asks));
        let said = self.says(OBSERVER, &["explain", "s0"], 1);
        assert!(said.contains("9.9.9.9") && said.contains("FLB-"), "{said}");
        let back = json!({ "metadata": { "annotations": { "metallb.io/loadBalancerIPs": null }}});
        self.stand
            .done(&Call::merge("/api/v1/namespaces/default/services/s0", back));
    }

    fn asks_everybody(&mut self) {
        // A Pod with the labels of MetalLB's chart is found as well.
        let labels = json!({
            "app": null, "component": null, "app.kubernetes.io/component": "speaker",
        });
        let pod = format!("/api/v1/namespaces/{OURS}/pods/speaker-n1");
        let labels = json!({ "metadata": { "labels": labels } });
        self.stand.done(&Call::merge(&pod, labels));
        let said = self.says(OBSERVER, &["status"], 0);
        for words in [
            "controller",
            "1 of 16",
            "speaker n1",
            "speaker n2",
            "Established",
        ] {
            assert!(said.contains(words), "{words}: {said}");
        }
        assert!(
            !said.contains("default/kubernetes"),
            "no Service of ours: {said}"
        );
        let reports = self.json(&["status"]);
        let mut roles: Vec<&str> = reports
            .as_array()
            .unwrap()
            .iter()
            .map(|report| report["role"].as_str().unwrap())
            .collect();
        roles.sort_unstable();
        assert_eq!(roles, ["controller", "speaker", "speaker"]);
        assert!(reports.to_string().contains(r#""pool":"web""#), "{reports}");
    }

    /// Beside the process nobody needs the API server.
    fn asks_on_a_socket(&mut self, socket: &Path) {
        let mut command = Command::new(tools::ferrolb().unwrap());
        command.args(["status", "--socket"]).arg(socket);
        let said = exec::run(command, SOON).unwrap().success().unwrap();
        assert!(
            said.starts_with("controller ") && said.contains("default/s0"),
            "{said}"
        );
        self.heard.all([said]);
    }

    /// What is shown to a process opens its state alone, and what opens the API server opens nothing there.
    fn tokens_are_good_for_one_thing(&mut self) {
        let stand = &self.stand;
        let account = format!("/api/v1/namespaces/{OURS}/serviceaccounts/ferrolb-status/token");
        let ask = |audiences: &[&str]| {
            let spec = json!({ "spec": { "audiences": audiences, "expirationSeconds": 600 } });
            let made = stand.done(&Call::create(&account, spec));
            made["status"]["token"].as_str().unwrap().to_owned()
        };
        let (own, apis) = (ask(&["ferrolb.io/status"]), ask(&[]));
        let node = stand.node("n1");
        let role = format!("https://{}:9120", node.v4());
        let api = stand.cluster.url();
        let rows = [
            ("X-Ferrolb-Token:", &own, format!("{role}/status"), 200),
            ("X-Ferrolb-Token:", &apis, format!("{role}/status"), 401),
            ("X-Ferrolb-Token:", &own, format!("{role}/metrics"), 401),
            ("Authorization: Bearer", &own, format!("{role}/status"), 401),
            (
                "Authorization: Bearer",
                &own,
                format!("{role}/metrics"),
                401,
            ),
            (
                "Authorization: Bearer",
                &own,
                format!("{api}/api/v1/pods"),
                401,
            ),
            (
                "Authorization: Bearer",
                &apis,
                format!("{role}/metrics"),
                403,
            ),
            (
                "Authorization: Bearer",
                &apis,
                format!("{role}/status"),
                200,
            ),
        ];
        for (header, token, url, expected) in rows {
            let header = format!("{header} {token}");
            let said = code(node.namespace(), &["-k", "-H", &header, &url]);
            assert_eq!(
                said,
                expected,
                "{url} {}",
                header.split(' ').next().unwrap()
            );
        }
    }

    fn strangers_are_told_what_they_lack(&mut self) {
        let said = self.says(STRANGER, &["status"], 2);
        for words in ["pods", "ferrolb-observer", "forbidden"] {
            assert!(said.contains(words), "{words}: {said}");
        }
        for command in [&["check"][..], &["plan"], &["explain", "s0"]] {
            let said = self.says(STRANGER, command, 2);
            assert!(
                said.contains("ferrolb-observer") && said.contains("forbidden"),
                "{said}"
            );
        }
        // Whoever may list Pods and no more.
        let rules = [
            "create",
            "role",
            "lister",
            "-n",
            OURS,
            "--verb=list",
            "--resource=pods",
        ];
        self.stand.cluster.kubectl(&rules).unwrap();
        let user = format!("--user={STRANGER}");
        let binding = [
            "create",
            "rolebinding",
            "lister",
            "-n",
            OURS,
            "--role=lister",
            &user,
        ];
        self.stand.cluster.kubectl(&binding).unwrap();
        let mut said = String::new();
        for _ in 0..50 {
            said = self.says(STRANGER, &["status"], 2);
            if said.contains("token") {
                break;
            }
        }
        assert!(
            said.contains("ferrolb-status") && said.contains("ferrolb-observer"),
            "{said}"
        );
    }

    fn who_is_silent_is_named(&mut self, speakers: &mut [Process]) {
        speakers[1].kill().unwrap();
        let said = self.says(OBSERVER, &["status"], 1);
        assert!(said.contains("pod speaker-n2 on n2"), "{said}");
        assert!(said.contains("speaker n1"), "{said}");
        let said = self.run(OBSERVER, &["explain", "s0"]).stdout;
        assert!(
            said.contains("pod speaker-n2 on n2 does not answer"),
            "{said}"
        );
        assert!(said.contains("live: n1: session router"), "{said}");

        let pods = format!("/api/v1/namespaces/{OURS}/pods");
        let gone = format!("{pods}/speaker-n2?gracePeriodSeconds=0");
        self.stand.done(&Call::delete(&gone));
        let said = self.run(OBSERVER, &["explain", "s0"]).stdout;
        assert!(
            said.contains("live: no speaker Pod found on node n2"),
            "{said}"
        );
        assert!(!said.contains("found on node n1"), "{said}");
    }
}
