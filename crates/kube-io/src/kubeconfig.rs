// SPDX-License-Identifier: Apache-2.0
//! Where the API server is, as whom it is asked, and through which proxy: from a kubeconfig or from the
//! Pod's service account.

use http::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};

use crate::{Connection, Error};

/// The way to an API server.
pub(crate) struct Way {
    pub(crate) config: kube::Config,
    /// The proxy it leads through; `config` names none.
    pub(crate) proxy: Option<Intercept>,
}

pub(crate) async fn way(connection: &Connection) -> Result<Way, Error> {
    let (mut config, its_own) = match file(connection)? {
        None => {
            let config = kube::Config::incluster();
            (config.map_err(|why| Error::Config(why.to_string()))?, None)
        }
        Some(file) => {
            let its_own = proxy_named_in(&file, connection.context.as_deref());
            let options = KubeConfigOptions {
                context: connection.context.clone(),
                ..KubeConfigOptions::default()
            };
            let config = kube::Config::from_custom_kubeconfig(file, &options).await;
            (config.map_err(unusable)?, its_own)
        }
    };
    config.proxy_url = None;
    let proxy = proxy(&Matcher::from_env(), its_own, &config.cluster_url);
    Ok(Way { config, proxy })
}

/// The kubeconfig; none in a Pod that names none, which has a service account.
fn file(connection: &Connection) -> Result<Option<Kubeconfig>, Error> {
    // A file that is named and broken is not passed over for another cluster.
    let named = std::env::var_os("KUBECONFIG").is_some_and(|paths| !paths.is_empty());
    let in_pod = std::env::var_os("KUBERNETES_SERVICE_HOST").is_some();
    let file = match &connection.kubeconfig {
        Some(path) => Kubeconfig::read_from(path),
        None if in_pod && !named && connection.context.is_none() => return Ok(None),
        None => Kubeconfig::read(),
    };
    file.map(Some).map_err(unusable)
}

/// The `proxy-url` of the cluster that a context names.
fn proxy_named_in(file: &Kubeconfig, context: Option<&str>) -> Option<String> {
    let context = context.or(file.current_context.as_deref())?;
    let context = file.contexts.iter().find(|one| one.name == context)?;
    let cluster = &context.context.as_ref()?.cluster;
    let cluster = file.clusters.iter().find(|one| one.name == *cluster)?;
    cluster.cluster.as_ref()?.proxy_url.clone()
}

/// The proxy on the way to `server`, as kubectl sees it: the kubeconfig's own, or that of the environment
/// (`HTTPS_PROXY`), which `NO_PROXY` may take out.
fn proxy(environment: &Matcher, its_own: Option<String>, server: &Uri) -> Option<Intercept> {
    match its_own.filter(|url| !url.is_empty()) {
        Some(url) => Matcher::builder().all(url).build().intercept(server),
        None => environment.intercept(server),
    }
}

/// Why a kubeconfig cannot be used. What cannot be parsed is never quoted: the line may hold a token or a key.
fn unusable(error: KubeconfigError) -> Error {
    let text = match error {
        KubeconfigError::Parse(error) => {
            let place = error.location();
            let place = place.map(|at| format!(" at line {} column {}", at.line(), at.column()));
            let place = place.unwrap_or_default();
            format!("the kubeconfig cannot be read as one: something is wrong{place}")
        }
        error => error.to_string(),
    };
    Error::Config(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cluster;

    #[test]
    fn which_proxy() {
        let environment = Matcher::builder()
            .https("http://user:secret@proxy.example:3128")
            .no("10.0.0.0/8,.cluster.local")
            .build();
        let own = || Some("http://own.example:8080".to_owned());
        let table = [
            (None, "https://192.0.2.1:6443", "http://proxy.example:3128/"),
            (None, "https://10.0.0.1:6443", ""),
            (None, "https://api.cluster.local", ""),
            (own(), "https://10.0.0.1:6443", "http://own.example:8080/"),
            (Some(String::new()), "https://10.0.0.1:6443", ""),
        ];
        for (its_own, server, expected) in table {
            let found = proxy(&environment, its_own, &server.parse().expect("a URL"));
            let found = found.map_or_else(String::new, |found| found.uri().to_string());
            assert_eq!(found, expected, "{server}");
        }
    }

    #[tokio::test]
    async fn a_broken_kubeconfig_is_not_quoted() {
        let file = std::env::temp_dir().join(format!("ferrolb-kubeconfig-{}", std::process::id()));
        let texts = [
            "users:\n- name: admin\n  user:\n    token: hunter2\n   client-key-data: hunter2\n",
            "users:\n- name: admin\n  user: hunter2\n",
            "users: hunter2\n",
        ];
        for text in texts {
            std::fs::write(&file, text).expect("written");
            let connection = Connection {
                kubeconfig: Some(file.clone()),
                ..Connection::default()
            };
            let refused = Cluster::connect(&connection).await.expect_err(text);
            let said = format!("{refused} {refused:?}");
            assert!(said.contains("line"), "{said}");
            assert!(!said.contains("hunter2"), "{said}");
        }
        std::fs::remove_file(&file).expect("removed");
    }
}
