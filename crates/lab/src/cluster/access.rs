// SPDX-License-Identifier: Apache-2.0
//! Who may come in: users with fixed tokens, ServiceAccounts with tokens asked for, kubeconfigs.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{
    Site,
    api::{Api, Call},
    identity::Identity,
};

/// The user who may do everything.
pub const ADMIN: &str = "admin";

/// The user the controllers of Kubernetes come as; may do everything too.
pub(super) const CONTROLLERS: &str = "system:kube-controller-manager";

/// The group to which everything is allowed, whatever the rules.
const MASTERS: &str = "system:masters";

/// A user with a fixed token.
#[derive(Clone, Debug)]
pub struct User {
    /// The name that rules and the record of requests know.
    pub name: String,
    /// The groups that rules can name.
    pub groups: Vec<String>,
}

impl User {
    /// A user in no group.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            groups: Vec::new(),
        }
    }

    /// The same user in one more group.
    #[must_use]
    pub fn in_group(mut self, group: &str) -> Self {
        self.groups.push(group.to_owned());
        self
    }

    /// The user that a ServiceAccount is, whether the account is there or not.
    #[must_use]
    pub fn service_account(namespace: &str, name: &str) -> Self {
        Self::new(&format!("system:serviceaccount:{namespace}:{name}"))
            .in_group("system:serviceaccounts")
            .in_group(&format!("system:serviceaccounts:{namespace}"))
    }

    fn token(&self) -> String {
        format!("token-of-{}", self.name.replace(':', "-"))
    }
}

/// The users with fixed tokens.
pub(super) struct Access {
    users: Vec<User>,
    authority_der: Vec<u8>,
}

impl Access {
    /// Writes the file of tokens.
    pub(super) fn make(site: &Site, identity: &Identity, users: &[User]) -> Result<Self> {
        let masters = [ADMIN, CONTROLLERS].map(|name| User::new(name).in_group(MASTERS));
        let users: Vec<User> = masters.into_iter().chain(users.iter().cloned()).collect();
        let line = |user: &User| {
            let groups = user.groups.join(",");
            format!("{},{1},{1},\"{groups}\"\n", user.token(), user.name)
        };
        let lines: String = users.iter().map(line).collect();
        write_private(&site.dir.join("tokens.csv"), &lines)?;
        Ok(Self {
            users,
            authority_der: identity.authority_der.clone(),
        })
    }

    pub(super) fn kubeconfig(&self, site: &Site, user: &str) -> Result<PathBuf> {
        write_kubeconfig(site, user, &self.user(user)?.token())
    }

    pub(super) fn api(&self, site: &Site, user: &str, agent: &str) -> Result<Api> {
        Api::connect(site, &self.authority_der, &self.user(user)?.token(), agent)
    }

    fn user(&self, name: &str) -> Result<&User> {
        let found = self.users.iter().find(|user| user.name == name);
        found.with_context(|| format!("no user {name}"))
    }
}

/// Asks for a token of a ServiceAccount, good for a day.
pub(super) fn token(admin: &Api, namespace: &str, name: &str) -> Result<String> {
    let path = format!("/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token");
    let body = json!({
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": { "expirationSeconds": 86_400 },
    });
    let answer = admin.call(&Call::create(&path, body))?.ok()?;
    let token = answer.pointer("/status/token").and_then(Value::as_str);
    Ok(token.context("an answer without a token")?.to_owned())
}

/// Writes a kubeconfig with a token. JSON is YAML.
pub(super) fn write_kubeconfig(site: &Site, user: &str, token: &str) -> Result<PathBuf> {
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": "lab", "cluster": {
            "server": site.url(), "certificate-authority": site.dir.join("ca.crt"),
        }}],
        "users": [{ "name": user, "user": { "token": token } }],
        "contexts": [{ "name": "lab", "context": { "cluster": "lab", "user": user } }],
        "current-context": "lab",
    });
    let name = format!("kubeconfig-{}", user.replace(':', "-"));
    let path = site.dir.join(name);
    write_private(&path, &config.to_string())?;
    Ok(path)
}

/// In one step: a program may be reading the file that is replaced.
fn write_private(path: &std::path::Path, text: &str) -> Result<()> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let whole = path.with_added_extension(format!("{}-{number}", std::process::id()));
    fs::write(&whole, text).with_context(|| format!("cannot write {}", whole.display()))?;
    fs::set_permissions(&whole, Permissions::from_mode(0o600))?;
    Ok(fs::rename(whole, path)?)
}
