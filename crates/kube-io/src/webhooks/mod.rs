// SPDX-License-Identifier: Apache-2.0
//! Where the webhooks' certificates stand in the cluster: the Secret that holds them, and the two objects
//! that tell the API server whom to trust. What a good certificate is, others know; here are only bytes.

mod inject;

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{
    Cluster, Error,
    client::REQUEST,
    reflect::{self, Event, Follow, Listed},
    request,
    source::Source,
};
pub use inject::{Injected, inject_conversion, inject_webhooks};

const CONFIGURATIONS: (&str, &str) = (
    "admissionregistration.k8s.io/v1",
    "validatingwebhookconfigurations",
);
const DEFINITIONS: (&str, &str) = ("apiextensions.k8s.io/v1", "customresourcedefinitions");

/// The Secret with the certificates. Shows no value when printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct CertificateSecret {
    /// Its entries: `ca.crt`, `ca.key`, `tls.crt`, `tls.key`, and whatever else stands there.
    pub data: BTreeMap<String, Vec<u8>>,
    /// The version read; a write is refused if somebody wrote since.
    pub resource_version: String,
}

impl std::fmt::Debug for CertificateSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let keys: Vec<&String> = self.data.keys().collect();
        f.debug_struct("CertificateSecret")
            .field("keys", &keys)
            .field("resource_version", &self.resource_version)
            .finish()
    }
}

/// The objects by name.
#[derive(Clone, Debug)]
pub struct CertificateNames {
    /// The Secret, in our namespace.
    pub secret: String,
    /// The `ValidatingWebhookConfiguration`.
    pub configuration: String,
    /// The `CustomResourceDefinition` with a conversion webhook.
    pub crd: String,
}

/// Something that happened to one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificateChange {
    /// The Secret as it stands; `None`: there is none any more.
    Secret(Option<CertificateSecret>),
    /// The Secret was looked for once: where none was told before this, there is none.
    Looked,
    /// The webhook configuration changed: inject again.
    Configuration,
    /// The definition changed: inject again.
    Definition,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
struct Text {
    metadata: Named,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<BTreeMap<String, ByteString>>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct Named {
    name: String,
    namespace: String,
    resource_version: String,
}

impl Listed for Text {
    fn namespace(&self) -> &str {
        &self.metadata.namespace
    }

    fn name(&self) -> &str {
        &self.metadata.name
    }

    fn version(&self) -> &str {
        &self.metadata.resource_version
    }
}

impl From<Text> for CertificateSecret {
    fn from(text: Text) -> Self {
        let data = text.data.unwrap_or_default();
        Self {
            data: data
                .into_iter()
                .map(|(key, value)| (key, value.0))
                .collect(),
            resource_version: text.metadata.resource_version,
        }
    }
}

/// Reads the Secret; `None` where it does not exist.
///
/// # Errors
/// That it may not be read, or nobody answers.
pub async fn read_certificates(
    cluster: &Cluster,
    secret: &str,
) -> Result<Option<CertificateSecret>, Error> {
    let path = request::object("v1", Some(cluster.namespace()), "secrets", secret);
    match cluster.call::<Text>(request::get(path)?, REQUEST).await {
        Ok(text) => Ok(Some(text.into())),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes the entries into the Secret, which must exist; the rest of it stays as it is.
///
/// # Errors
/// [`Error::is_conflict`] where somebody wrote it since it was read; that it may not be written, or nobody answers.
pub async fn write_certificates(
    cluster: &Cluster,
    secret: &str,
    certificates: &CertificateSecret,
) -> Result<CertificateSecret, Error> {
    let path = request::object("v1", Some(cluster.namespace()), "secrets", secret);
    let mut object: Value = cluster.call(request::get(&path)?, REQUEST).await?;
    let Some(meta) = object.get_mut("metadata").and_then(Value::as_object_mut) else {
        return Err(Error::Answer("a Secret without metadata".into()));
    };
    meta.insert(
        "resourceVersion".into(),
        certificates.resource_version.as_str().into(),
    );
    if let Some(object) = object.as_object_mut() {
        object.insert("data".into(), json!(encoded(&certificates.data)));
    }
    let written: Text = cluster.call(request::put(&path, &object)?, REQUEST).await?;
    Ok(written.into())
}

/// Creates the Secret with these entries.
///
/// # Errors
/// [`Error::is_conflict`] where there is one by now; that none may be created, or nobody answers.
pub async fn create_certificates(
    cluster: &Cluster,
    secret: &str,
    data: &BTreeMap<String, Vec<u8>>,
) -> Result<CertificateSecret, Error> {
    let object = json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": { "name": secret, "labels": { "app": "metallb" } },
        "data": encoded(data),
    });
    let path = request::collection("v1", Some(cluster.namespace()), "secrets");
    let created: Text = cluster.call(request::post(path, &object)?, REQUEST).await?;
    Ok(created.into())
}

fn encoded(data: &BTreeMap<String, Vec<u8>>) -> BTreeMap<&str, ByteString> {
    let entries = data.iter();
    entries
        .map(|(key, value)| (key.as_str(), ByteString(value.clone())))
        .collect()
}

/// Tells of changes to the three; what exists is told once at the start.
#[must_use]
pub fn follow_certificates(
    cluster: &Cluster,
    names: &CertificateNames,
    stop: &CancellationToken,
) -> mpsc::Receiver<Vec<CertificateChange>> {
    let (sender, receiver) = mpsc::channel(4);
    let follow = |path: String, name: &str, what: &'static str, map: Map| {
        let selector = request::escape(&format!("metadata.name={name}"));
        let follow = Follow {
            source: Source::new(path, format!("fieldSelector={selector}")),
            decode,
            map,
            what,
        };
        reflect::spawn(cluster, follow, sender.clone(), stop);
    };
    let secrets = request::collection("v1", Some(cluster.namespace()), "secrets");
    follow(secrets, &names.secret, "Secret", Box::new(secret_change));
    let configurations = request::collection(CONFIGURATIONS.0, None, CONFIGURATIONS.1);
    let changed: Map =
        Box::new(|event| changed(&event).then_some(CertificateChange::Configuration));
    follow(
        configurations,
        &names.configuration,
        "ValidatingWebhookConfiguration",
        changed,
    );
    let definitions = request::collection(DEFINITIONS.0, None, DEFINITIONS.1);
    let changed: Map =
        Box::new(|event| self::changed(&event).then_some(CertificateChange::Definition));
    follow(definitions, &names.crd, "CustomResourceDefinition", changed);
    receiver
}

type Map = Box<dyn Fn(Event<Text>) -> Option<CertificateChange> + Send + Sync>;

fn decode(text: &str) -> Text {
    serde_json::from_str(text).unwrap_or_default()
}

fn secret_change(event: Event<Text>) -> Option<CertificateChange> {
    match event {
        Event::Set(text) => Some(CertificateChange::Secret(Some(text.into()))),
        Event::Gone(..) => Some(CertificateChange::Secret(None)),
        Event::Synced => Some(CertificateChange::Looked),
        Event::Trouble(_) | Event::Well => None,
    }
}

fn changed(event: &Event<Text>) -> bool {
    matches!(event, Event::Set(_) | Event::Gone(..))
}
