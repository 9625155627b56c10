// SPDX-License-Identifier: Apache-2.0
//! One API server for all tests that leave it alive, and the rules we ship, made out for any namespace.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result};
use ferrolb_lab::{
    Namespace, Run,
    cluster::{Api, Call, Cluster, Options, able, deploy},
    tools, wait,
};
use serde_json::{Value, json};

/// How long anything may take that is expected to happen.
pub const SOON: Duration = Duration::from_secs(20);

/// An API server with the kinds of `metallb.io`, and the controller's rules as we ship them.
pub struct Lab {
    pub cluster: Cluster,
    /// Where programs are started.
    pub here: Namespace,
    pub program: PathBuf,
    /// ServiceAccount, roles and bindings of the controller in `deploy/`.
    rules: Vec<Value>,
    next: AtomicU32,
}

/// The API server that tests share; `None` where it cannot run. It ends with the last test that has it.
pub fn shared() -> Option<Arc<Lab>> {
    static SHARED: Mutex<Weak<Lab>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(lab) = shared.upgrade() {
        return Some(lab);
    }
    let lab = Arc::new(own(&Options::default())?);
    *shared = Arc::downgrade(&lab);
    Some(lab)
}

/// An API server of one's own, to be broken.
pub fn own(options: &Options) -> Option<Lab> {
    able(&[])
        .unwrap()
        .then(|| Lab::start(options).expect("an API server with our manifests"))
}

impl Lab {
    fn start(options: &Options) -> Result<Self> {
        let run = Run::new()?;
        let cluster = Cluster::local(&run, options)?;
        // Without webhooks, so that faulty objects come in.
        let folder = deploy("overlays/without-webhooks");
        cluster.install(&folder)?;
        let rendered = cluster.kubectl(&["kustomize", &folder.to_string_lossy()])?;
        let objects: Vec<Value> = serde_saphyr::from_multiple(&rendered)?;
        Ok(Self {
            here: Namespace::own(&run, "controller"),
            program: tools::ferrolb()?,
            rules: objects.into_iter().filter(is_of_the_controller).collect(),
            next: AtomicU32::new(1),
            cluster,
        })
    }

    /// A number that was not given before.
    pub fn number(&self) -> u32 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    pub fn admin(&self) -> &Api {
        self.cluster.admin()
    }

    /// Reads an object or a list as the administrator.
    pub fn get(&self, path: &str) -> Result<Value> {
        self.admin()
            .call(&Call::get(path))?
            .ok()
            .context(path.to_owned())
    }

    /// Makes a namespace with these labels.
    pub fn namespace(&self, name: &str, labels: &Value) -> Result<()> {
        let object = json!({ "metadata": { "name": name, "labels": labels } });
        self.admin()
            .call(&Call::create("/api/v1/namespaces", object))?
            .ok()?;
        Ok(())
    }

    /// Our rules, as they stand in `deploy/`, with another namespace for `metallb-system`.
    pub fn install_rules(&self, namespace: &str) -> Result<()> {
        for rule in &self.rules {
            let text = rule.to_string().replace("metallb-system", namespace);
            self.create(&serde_json::from_str(&text)?)?;
        }
        self.wait_for_rules(namespace, "controller")
    }

    /// One more account with the same roles, so that the record of requests tells two processes apart.
    pub fn add_account(&self, namespace: &str, account: &str) -> Result<()> {
        for rule in &self.rules {
            let text = rule.to_string().replace("metallb-system", namespace);
            let mut object: Value = serde_json::from_str(&text)?;
            let kind = object["kind"].as_str().unwrap_or_default().to_owned();
            if kind.ends_with("Role") {
                continue;
            }
            if kind.ends_with("Binding") {
                object["subjects"][0]["name"] = account.into();
            }
            object["metadata"]["name"] = match kind.as_str() {
                "ClusterRoleBinding" => format!("{namespace}:{account}"),
                _ => account.to_owned(),
            }
            .into();
            self.create(&object)?;
        }
        self.wait_for_rules(namespace, account)
    }

    /// Creates an object of the kinds that rules are made of.
    fn create(&self, object: &Value) -> Result<()> {
        let namespace = object["metadata"]["namespace"].as_str();
        let kind = object["kind"].as_str().unwrap_or_default();
        let path = match (kind, namespace) {
            ("ServiceAccount", Some(namespace)) => {
                format!("/api/v1/namespaces/{namespace}/serviceaccounts")
            }
            (_, Some(namespace)) => {
                format!("{RBAC}/namespaces/{namespace}/{}s", kind.to_lowercase())
            }
            (_, None) => format!("{RBAC}/{}s", kind.to_lowercase()),
        };
        self.admin()
            .call(&Call::create(&path, object.clone()))?
            .ok()
            .context(path)?;
        Ok(())
    }

    /// The API server learns of rules a moment after they are written.
    pub fn wait_for_rules(&self, namespace: &str, account: &str) -> Result<()> {
        let calls = self.cluster.as_service_account(namespace, account)?;
        let pools = format!("/apis/metallb.io/v1beta1/namespaces/{namespace}/ipaddresspools");
        wait::until("the rules are in force", SOON, || {
            let code = |path: &str| Ok::<_, anyhow::Error>(calls.call(&Call::get(path))?.code);
            Ok(code(&pools)? == 200 && code("/api/v1/services?limit=1")? == 200)
        })?;
        Ok(())
    }
}

const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";

fn is_of_the_controller(object: &Value) -> bool {
    let kinds = [
        "ServiceAccount",
        "Role",
        "ClusterRole",
        "RoleBinding",
        "ClusterRoleBinding",
    ];
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    kinds.iter().any(|kind| object["kind"] == *kind)
        && (name == "controller" || name.ends_with(":controller"))
}
