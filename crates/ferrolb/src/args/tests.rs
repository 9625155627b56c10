// SPDX-License-Identifier: Apache-2.0
//! Every flag of MetalLB: its spellings, its effect or the reason why it has none.

use std::{collections::BTreeMap, ffi::OsString, path::Path};

use super::*;

/// A command line in surroundings of its own.
struct Line<'a> {
    arguments: &'a [&'a str],
    variables: &'a [(&'a str, &'a str)],
    pod_namespace: Option<&'a str>,
}

const IN_POD: &[(&str, &str)] = &[
    ("KUBERNETES_SERVICE_HOST", "10.0.0.1"),
    ("METALLB_NODE_NAME", "node-a"),
];

fn in_pod<'a>(arguments: &'a [&'a str]) -> Line<'a> {
    Line {
        arguments,
        variables: IN_POD,
        pod_namespace: Some("lb\n"),
    }
}

fn parsed(arguments: &[&str]) -> Command {
    let arguments = arguments.iter().map(OsString::from);
    parse(arguments)
        .unwrap_or_else(|error| panic!("{error}"))
        .command
}

impl Line<'_> {
    fn within<T>(&self, act: impl FnOnce(&Surroundings<'_>) -> T) -> T {
        let variables: BTreeMap<&str, &str> = self.variables.iter().copied().collect();
        let variable = |name: &str| variables.get(name).map(|value| (*value).to_owned());
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("namespace");
        if let Some(namespace) = self.pod_namespace {
            std::fs::write(&file, namespace).unwrap();
        }
        act(&Surroundings::of(&variable, &file))
    }

    fn speaker(&self) -> Result<Place<SpeakerArgs, ClusterSpeaker>, String> {
        let Command::Speaker(flags) = parsed(self.arguments) else {
            panic!("{:?}", self.arguments)
        };
        let resolved = self.within(|around| flags.resolve(around));
        resolved.map_err(|refusal| refusal.to_string())
    }

    fn controller(&self) -> Result<Place<RoleArgs, ClusterController>, String> {
        let Command::Controller(flags) = parsed(self.arguments) else {
            panic!("{:?}", self.arguments)
        };
        let resolved = self.within(|around| flags.resolve(around));
        resolved.map_err(|refusal| refusal.to_string())
    }

    fn speaker_of_cluster(&self) -> ClusterSpeaker {
        match self.speaker() {
            Ok(Place::Cluster(speaker)) => speaker,
            other => panic!("{:?}: {other:?}", self.arguments),
        }
    }

    fn controller_of_cluster(&self) -> ClusterController {
        match self.controller() {
            Ok(Place::Cluster(controller)) => controller,
            other => panic!("{:?}: {other:?}", self.arguments),
        }
    }
}

fn noted(voice: &Voice) -> String {
    let lines: Vec<String> = voice.notes.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

#[test]
fn the_definition_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn without_flags_a_pod_gets_metallbs_defaults() {
    let controller = in_pod(&["controller"]).controller_of_cluster();
    let role = &controller.role;
    assert_eq!(role.source.namespace, "lb");
    assert_eq!(role.serve.metrics.unwrap().to_string(), "[::]:9120");
    assert_eq!(role.serve.health.unwrap().to_string(), "[::]:17472");
    assert_eq!(controller.mode, WebhookMode::Enabled);
    assert_eq!(
        (controller.memberlist_secret, controller.deployment),
        (None, None)
    );
    let webhooks = controller.webhooks;
    assert_eq!(webhooks.address.to_string(), "[::]:9443");
    assert!(!webhooks.http2 && webhooks.rotates);
    assert_eq!(
        webhooks.cert_dir,
        Path::new("/tmp/k8s-webhook-server/serving-certs")
    );
    assert_eq!(webhooks.service, "metallb-webhook-service");
    assert_eq!(webhooks.secret, "metallb-webhook-cert");
    let speaker = in_pod(&["/usr/bin/speaker"]).speaker_of_cluster();
    assert_eq!(speaker.node.as_str(), "node-a");
    assert_eq!(
        speaker.role.serve.health.unwrap().to_string(),
        "127.0.0.1:17472"
    );
    assert_eq!(noted(&speaker.role.voice), "");
}

/// Every flag of MetalLB's controller with a value that is not its default.
const CONTROLLER: &[(&str, &str)] = &[
    ("port", "9999"),
    ("namespace", "other"),
    ("ml-secret-name", "memberlist"),
    ("deployment", "controller"),
    ("pod-name", "controller-1"),
    ("log-level", "debug"),
    ("pprof-bind-address", ":6060"),
    ("health-probe-port", "1111"),
    ("disable-cert-rotation", "true"),
    ("cert-dir", "/certs"),
    ("cert-service-name", "hooks"),
    ("webhook-secret", "hook-cert"),
    ("webhook-mode", "onlywebhook"),
    ("webhook-http2", "true"),
    ("lb-class", "mine.io/lb"),
    ("tls-min-version", "VersionTLS12"),
    ("tls-cipher-suites", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
    ("tls-curve-preferences", "23"),
    ("metrics-cert-dir", "/metrics"),
    ("kubeconfig", "/kube"),
];

/// The same of its speaker.
const SPEAKER: &[(&str, &str)] = &[
    ("node-name", "node-b"),
    ("pod-name", "speaker-1"),
    ("namespace", "other"),
    ("port", "0"),
    ("host", "10.1.1.1"),
    ("health-probe-port", "0"),
    ("pprof-bind-address", ":6060"),
    ("log-level", "warn"),
    ("lb-class", "mine.io/lb"),
    ("ignore-exclude-lb", "true"),
    ("ml-bindaddr", "10.1.1.1"),
    ("ml-bindport", "7946"),
    ("ml-labels", "app=metallb"),
    ("ml-secret-key-path", "/etc/ml_secret_key"),
    ("ml-wan-config", "true"),
    ("bgp-debounce-timeout", "3000"),
    ("frrk8s-namespace", "frr"),
    ("tls-min-version", "VersionTLS13"),
    ("tls-curve-preferences", "29,23"),
    ("metrics-cert-dir", "/metrics"),
    ("kubeconfig", "/kube"),
];

/// One dash and two, with `=` and with a space. A boolean takes no word of its own, as in Go.
fn spellings(program: &'static str, flags: &[(&str, &str)]) -> Vec<Vec<String>> {
    let joined = |dashes: &str| {
        let flags = flags
            .iter()
            .map(|(name, value)| format!("{dashes}{name}={value}"));
        [program.to_owned()].into_iter().chain(flags).collect()
    };
    let apart = |dashes: &str| {
        let flags = flags.iter().flat_map(|(name, value)| {
            let flag = format!("{dashes}{name}");
            if *value == "true" {
                vec![flag]
            } else {
                vec![flag, (*value).to_owned()]
            }
        });
        [program.to_owned()].into_iter().chain(flags).collect()
    };
    vec![joined("-"), joined("--"), apart("-"), apart("--")]
}

#[test]
fn every_flag_of_the_controller_is_taken_in_every_spelling() {
    for line in spellings("controller", CONTROLLER) {
        let line: Vec<&str> = line.iter().map(String::as_str).collect();
        let controller = in_pod(&line).controller_of_cluster();
        let role = &controller.role;
        assert_eq!(role.source.kubeconfig.as_deref(), Some(Path::new("/kube")));
        assert_eq!(role.source.namespace, "other");
        assert_eq!(role.source.lb_class.as_deref(), Some("mine.io/lb"));
        assert_eq!(role.pod.as_deref(), Some("controller-1"));
        assert_eq!(role.serve.metrics.unwrap().port(), 9999);
        assert_eq!(role.serve.health.unwrap().port(), 1111);
        assert_eq!(
            role.serve.metrics_cert_dir.as_deref(),
            Some(Path::new("/metrics"))
        );
        assert_eq!(controller.memberlist_secret.as_deref(), Some("memberlist"));
        assert_eq!(controller.deployment.as_deref(), Some("controller"));
        assert_eq!(controller.mode, WebhookMode::OnlyWebhook);
        let webhooks = &controller.webhooks;
        assert!(webhooks.http2 && !webhooks.rotates);
        assert_eq!(webhooks.cert_dir, Path::new("/certs"));
        assert_eq!(
            (webhooks.service.as_str(), webhooks.secret.as_str()),
            ("hooks", "hook-cert")
        );
        let notes = noted(&role.voice);
        assert_eq!(notes.lines().count(), 1, "{notes}");
        assert!(
            notes.contains("FLB-X003") && notes.contains("--pprof-bind-address"),
            "{notes}"
        );
    }
}

#[test]
fn every_flag_of_the_speaker_is_taken_in_every_spelling() {
    for line in spellings("speaker", SPEAKER) {
        let line: Vec<&str> = line.iter().map(String::as_str).collect();
        let speaker = in_pod(&line).speaker_of_cluster();
        assert_eq!(speaker.node.as_str(), "node-b");
        assert!(speaker.role.source.ignore_exclude_lb);
        assert_eq!(speaker.heartbeat_address, "10.1.1.1".parse().ok());
        assert_eq!(
            (speaker.role.serve.metrics, speaker.role.serve.health),
            (None, None)
        );
        let notes = noted(&speaker.role.voice);
        for flag in [
            "--pprof",
            "--host",
            "--ml-*",
            "--bgp-debounce",
            "--frrk8s-*",
        ] {
            assert_eq!(notes.matches(flag).count(), 1, "{flag} in {notes}");
        }
    }
}

#[test]
fn go_knows_booleans_in_these_forms() {
    for (form, want) in [
        ("-ignore-exclude-lb", true),
        ("-ignore-exclude-lb=t", true),
        ("--ignore-exclude-lb=1", true),
        ("--ignore-exclude-lb=TRUE", true),
        ("-ignore-exclude-lb=false", false),
        ("--ignore-exclude-lb=F", false),
    ] {
        let speaker = in_pod(&["speaker", form]).speaker_of_cluster();
        assert_eq!(speaker.role.source.ignore_exclude_lb, want, "{form}");
    }
    let line = ["speaker", "--ignore-exclude-lb=yes"].map(OsString::from);
    let error = parse(line).unwrap_err().to_string();
    assert!(error.contains("--ignore-exclude-lb"), "{error}");
}

#[test]
fn the_last_of_two_equal_flags_counts() {
    let line = [
        "speaker",
        "-port=1",
        "--port=2",
        "-ignore-exclude-lb",
        "-ignore-exclude-lb=false",
    ];
    let speaker = in_pod(&line).speaker_of_cluster();
    assert_eq!(speaker.role.serve.metrics.unwrap().port(), 2);
    assert!(!speaker.role.source.ignore_exclude_lb);
}

#[test]
fn variables_stand_in_for_flags_and_empty_ones_for_nothing() {
    let variables = [
        ("KUBERNETES_SERVICE_HOST", "10.0.0.1"),
        ("METALLB_NAMESPACE", "from-env"),
        ("METALLB_ML_SECRET_NAME", "secret"),
        ("METALLB_DEPLOYMENT", "deployment"),
        ("METALLB_POD_NAME", ""),
    ];
    let mut line = in_pod(&["controller", "--deployment="]);
    line.variables = &variables;
    let controller = line.controller_of_cluster();
    assert_eq!(controller.role.source.namespace, "from-env");
    assert_eq!(controller.memberlist_secret.as_deref(), Some("secret"));
    assert_eq!(controller.deployment.as_deref(), Some("deployment"));
    assert_eq!(controller.role.pod, None);
    line.arguments = &["controller", "--namespace=from-flag"];
    assert_eq!(
        line.controller_of_cluster().role.source.namespace,
        "from-flag"
    );
}

#[test]
fn the_address_of_memberlist_is_the_heartbeats_unless_it_says_any() {
    for (value, want) in [
        ("10.1.1.1", Some("10.1.1.1")),
        ("::ffff:10.1.1.1", Some("10.1.1.1")),
        ("fd00::1", Some("fd00::1")),
        ("0.0.0.0", None),
        ("::", None),
        ("", None),
    ] {
        let mut variables = IN_POD.to_vec();
        variables.push(("METALLB_ML_BIND_ADDR", value));
        let mut line = in_pod(&["speaker"]);
        line.variables = &variables;
        let want = want.map(|want| want.parse().unwrap());
        let speaker = line.speaker_of_cluster();
        assert_eq!(speaker.heartbeat_address, want, "{value}");
        assert_eq!(noted(&speaker.role.voice), "", "it has an effect");
    }
}

#[test]
fn frrs_variables_are_said_to_do_nothing() {
    let mut variables = IN_POD.to_vec();
    variables.extend([
        ("FRR_CONFIG_FILE", "/etc/frr.conf"),
        ("METALLB_ML_LABELS", "app=metallb"),
        ("METALLB_BGP_TYPE", "frr"),
        ("METALLB_HOST", "10.1.1.1"),
    ]);
    let mut line = in_pod(&["speaker"]);
    line.variables = &variables;
    let speaker = line.speaker_of_cluster();
    let notes = noted(&speaker.role.voice);
    for name in ["FRR_CONFIG_FILE", "--ml-*", "METALLB_BGP_TYPE", "--host"] {
        assert_eq!(notes.matches(name).count(), 1, "{name} in {notes}");
    }
    assert!(!notes.contains("all its features"), "{notes}");
    assert_eq!(speaker.role.bgp.refusal(), None);
}

#[test]
fn frr_k8s_refuses_bgp_and_nothing_else() {
    let mut variables = IN_POD.to_vec();
    variables.push(("METALLB_BGP_TYPE", "frr-k8s"));
    let mut line = in_pod(&[
        "speaker",
        "--frrk8s-secret-passthrough",
        "--frrk8s-namespace=f",
    ]);
    line.variables = &variables;
    let refusal = line.speaker_of_cluster().role.bgp.refusal().unwrap();
    assert_eq!(refusal.code, codes::command::X011);
    let mut line = in_pod(&["controller"]);
    line.variables = &variables;
    let notes = noted(&line.controller_of_cluster().role.voice);
    for words in ["FLB-X011", "METALLB_BGP_TYPE", "speaks no BGP"] {
        assert!(notes.contains(words), "{words} in {notes}");
    }
}

#[test]
fn what_cannot_be_is_refused_by_its_name() {
    let table: [(&[&str], &[&str]); 11] = [
        (
            &["speaker", "--ml-bindaddr=eth0"],
            &["FLB-X002", "--ml-bindaddr", "eth0"],
        ),
        (
            &["speaker", "--ml-bindport=many"],
            &["FLB-X002", "--ml-bindport", "many"],
        ),
        (
            &["speaker", "-bgp-debounce-timeout", "0"],
            &["FLB-X002", "--bgp-debounce-timeout"],
        ),
        (
            &["speaker", "--frrk8s-secret-passthrough"],
            &["FLB-X009", "--frrk8s-secret-passthrough"],
        ),
        (
            &["speaker", "--tls-curve-preferences=X25519"],
            &["FLB-X002", "--tls-curve-preferences"],
        ),
        (
            &["speaker", "--metrics-token-file=/t"],
            &["FLB-X009", "--metrics-token-file"],
        ),
        (
            &["speaker", "--dir=d", "--kubeconfig=k"],
            &["FLB-X008", "--dir and --kubeconfig"],
        ),
        (
            &["speaker", "--dir=d", "--context=c"],
            &["FLB-X008", "--dir and --context"],
        ),
        (
            &["speaker", "--dir=d", "--port=9120"],
            &["FLB-X009", "--metrics-token-file"],
        ),
        (&["speaker", "--node-name="], &["FLB-X009", "--node-name"]),
        (
            &[
                "speaker",
                "--tls-cipher-suites=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            ],
            &["FLB-X008", "--tls-cipher-suites", "--tls-min-version"],
        ),
    ];
    for (arguments, words) in table {
        let text = in_pod(arguments).speaker().unwrap_err();
        for word in words {
            assert!(text.contains(word), "{arguments:?}: {word} in {text}");
        }
    }
    for flag in [
        "--webhook-mode=disabled",
        "--cert-dir=/c",
        "--ml-secret-name=m",
        "--webhook-http2",
    ] {
        let text = in_pod(&["controller", "--dir=d", flag])
            .controller()
            .unwrap_err();
        let name = flag.split('=').next().unwrap();
        assert!(text.contains("FLB-X008") && text.contains(name), "{text}");
    }
}

#[test]
fn surroundings_that_cannot_be_are_refused_by_their_name() {
    let refused = |variables: &[(&str, &str)], pod_namespace| {
        let line = Line {
            arguments: &["speaker"],
            variables,
            pod_namespace,
        };
        line.speaker().unwrap_err()
    };
    let text = refused(
        &[("METALLB_BGP_TYPE", "quagga"), IN_POD[0], IN_POD[1]],
        Some("lb"),
    );
    assert!(
        text.contains("FLB-X010") && text.contains("METALLB_BGP_TYPE"),
        "{text}"
    );
    let text = refused(IN_POD, None);
    assert!(
        text.contains("FLB-X009") && text.contains("--namespace"),
        "{text}"
    );
    let text = refused(&IN_POD[..1], Some("lb"));
    assert!(
        text.contains("FLB-X009") && text.contains("--node-name"),
        "{text}"
    );
    let text = refused(&[], Some("lb"));
    assert!(
        text.contains("--dir") && text.contains("--kubeconfig"),
        "{text}"
    );
}

#[test]
fn a_folder_serves_nothing_that_was_not_asked_for() {
    let Ok(Place::Folder(args)) = in_pod(&["speaker", "--dir=d"]).speaker() else {
        panic!()
    };
    assert_eq!(
        (args.role.serve.health, args.role.serve.metrics),
        (None, None)
    );
    assert_eq!(args.role.source.namespace, "metallb-system");
    let line = [
        "speaker",
        "--dir=d",
        "--port=1",
        "--metrics-token-file=t",
        "--health-probe-port=2",
    ];
    let Ok(Place::Folder(args)) = in_pod(&line).speaker() else {
        panic!()
    };
    assert_eq!(args.role.serve.health.unwrap().to_string(), "127.0.0.1:2");
    assert_eq!(args.role.serve.metrics.unwrap().to_string(), "[::]:1");
}

#[test]
fn the_log_is_json_on_an_api_server_and_text_on_a_folder() {
    use ferrolb_telemetry::log::Format;
    let format = |arguments: &[&str]| match in_pod(arguments).speaker().unwrap() {
        Place::Folder(args) => args.role.voice.format,
        Place::Cluster(args) => args.role.voice.format,
    };
    assert_eq!(format(&["speaker"]), Format::JsonOut);
    assert_eq!(format(&["speaker", "--log-format=text"]), Format::Text);
    assert_eq!(format(&["speaker", "--dir=d"]), Format::Text);
    assert_eq!(
        format(&["speaker", "--dir=d", "--log-format=json"]),
        Format::Json
    );
}

#[test]
fn the_name_of_the_program_is_a_role() {
    assert!(matches!(
        parsed(&["/speaker", "-port=1"]),
        Command::Speaker(_)
    ));
    assert!(matches!(parsed(&["./controller"]), Command::Controller(_)));
    assert!(matches!(
        parsed(&["ferrolb", "speaker"]),
        Command::Speaker(_)
    ));
    assert!(matches!(
        parsed(&["kubectl-ferrolb", "crds"]),
        Command::Crds
    ));
}

#[test]
fn a_plugin_of_kubectl_calls_itself_by_both_words() {
    let help = |program: &str| {
        let line = [program, "plan", "--help"].map(OsString::from);
        parse(line).unwrap_err().to_string()
    };
    assert!(help("/bin/kubectl-ferrolb").contains("Usage: kubectl ferrolb plan"));
    assert!(help("/bin/ferrolb").contains("Usage: ferrolb plan"));
}

#[test]
fn looking_commands_know_a_folder_from_an_api_server() {
    let Command::Plan(plan) = parsed(&["ferrolb", "plan", "--kubeconfig=k", "--context=c"]) else {
        panic!()
    };
    let Ok(SourceChoice::Cluster(cluster)) = plan.source.choose() else {
        panic!()
    };
    assert_eq!(cluster.kubeconfig.as_deref(), Some(Path::new("k")));
    assert_eq!(cluster.context.as_deref(), Some("c"));
    let Command::Check(check) = parsed(&["ferrolb", "check", "a", "b", "--namespace=n"]) else {
        panic!()
    };
    let paths = vec!["a".into(), "b".into()];
    assert_eq!(
        check.choose().unwrap(),
        CheckChoice::Paths(paths, "n".to_owned())
    );
    let Command::Status(status) = parsed(&["ferrolb", "status", "--dir=d"]) else {
        panic!()
    };
    assert_eq!(
        status.choose().unwrap(),
        StatusChoice::StateDir("d/.ferrolb".into())
    );
    for line in [
        ["ferrolb", "check", "a", "--kubeconfig=k"],
        ["ferrolb", "status", "--dir=d", "--context=c"],
        ["ferrolb", "plan", "--dir=d", "--kubeconfig=k"],
    ] {
        let refusal = match parsed(&line) {
            Command::Check(args) => args.choose().unwrap_err(),
            Command::Status(args) => args.choose().unwrap_err(),
            Command::Plan(args) => args.source.choose().unwrap_err(),
            other => panic!("{other:?}"),
        };
        assert_eq!(refusal.code, codes::command::X008, "{line:?}: {refusal}");
    }
}
