// SPDX-License-Identifier: Apache-2.0
//! The `ConfigurationState` of this component: whether it could use the configuration.
//!
//! One object, written by server-side apply under the names MetalLB's reconcilers use, so that either can
//! take over from the other. It is made where it is absent, again when somebody deletes it, and written
//! only when it says something else than it should.

use std::time::Duration;

use ferrolb_api::resource::{ConfigurationState, ConfigurationStateStatus};
use k8s_openapi::{
    Resource,
    apimachinery::pkg::apis::meta::v1::{Condition, Time},
    jiff::Timestamp,
};
use serde_json::json;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::naming;
use crate::{
    Cluster, Error,
    backoff::Backoff,
    pods::Owner,
    reflect::{self, Event, Follow, Listed},
    request::{self, PatchKind},
    source::Source,
};

/// Longest time of one request.
const LIMIT: Duration = Duration::from_secs(10);

/// Waits after a failure.
const BACKOFF: Backoff = Backoff {
    first: Duration::from_millis(500),
    most: Duration::from_secs(60),
};

/// Bytes the summary and the message of a condition may have.
const MOST_TEXT: usize = 32_000;

/// Who says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Component {
    /// The controller.
    Controller,
    /// The speaker of a node.
    Speaker {
        /// The node.
        node: String,
    },
}

/// Whose state this is.
#[derive(Clone, Debug)]
pub struct ConfigurationStateOptions {
    /// The component.
    pub component: Component,
    /// Its Pod, so that the object goes with it.
    pub owner: Option<Owner>,
}

/// What the component made of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is in use.
    Valid,
    /// It is in use, and something of it has no effect.
    Doubtful(Vec<String>),
    /// It has these faults.
    Invalid(Vec<String>),
    /// It could not be judged, for this reason.
    Unknown(String),
}

/// The keeper of the object. Clones share it.
#[derive(Clone, Debug)]
pub struct ConfigurationStates {
    verdict: watch::Sender<Option<Verdict>>,
}

impl Component {
    fn name(&self) -> String {
        match self {
            Self::Controller => "controller".into(),
            Self::Speaker { node } => format!("speaker-{node}"),
        }
    }

    fn labels(&self) -> serde_json::Value {
        match self {
            Self::Controller => json!({ "metallb.io/component-type": "controller" }),
            Self::Speaker { node } => json!({
                "metallb.io/component-type": "speaker",
                "metallb.io/node-name": naming::label(node),
            }),
        }
    }

    fn condition(&self) -> &'static str {
        match self {
            Self::Controller => "poolReconcilerValid",
            Self::Speaker { .. } => "configReconcilerValid",
        }
    }

    fn manager(&self) -> &'static str {
        match self {
            Self::Controller => "poolReconciler",
            Self::Speaker { .. } => "configReconciler",
        }
    }
}

impl ConfigurationStates {
    /// Begins. Until the first report the object says what an earlier process wrote, or `Unknown`.
    #[must_use]
    pub fn start(
        cluster: &Cluster,
        options: ConfigurationStateOptions,
        stop: &CancellationToken,
    ) -> Self {
        let (verdict, reported) = watch::channel(None);
        let (sender, events) = mpsc::channel(4);
        let name = options.component.name();
        let follow = Follow {
            source: source(cluster.namespace(), &name),
            decode,
            map: Box::new(Some),
            what: ConfigurationState::KIND,
        };
        reflect::spawn(cluster, follow, sender, stop);
        let keeper = Keeper {
            cluster: cluster.clone(),
            options,
            name,
            standing: None,
        };
        let stop = stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = keeper.run(reported, events) => {}
            }
        });
        Self { verdict }
    }

    /// Says what the component made of the configuration.
    pub fn report(&self, verdict: Verdict) {
        self.verdict.send_if_modified(|told| {
            let changed = told.as_ref() != Some(&verdict);
            *told = Some(verdict);
            changed
        });
    }

    /// Says nothing from now on: the object is another's to keep, who may see more than this process.
    pub fn withdraw(&self) {
        self.verdict.send_replace(None);
    }
}

fn path(namespace: &str) -> String {
    request::collection(
        ConfigurationState::API_VERSION,
        Some(namespace),
        ConfigurationState::URL_PATH_SEGMENT,
    )
}

fn source(namespace: &str, name: &str) -> Source {
    let selector = request::escape(&format!("metadata.name={name}"));
    Source::new(path(namespace), format!("fieldSelector={selector}"))
}

/// The object as it stands.
#[derive(Debug, Default)]
struct Standing {
    object: ConfigurationState,
}

impl Listed for Standing {
    fn namespace(&self) -> &str {
        self.object
            .metadata
            .namespace
            .as_deref()
            .unwrap_or_default()
    }

    fn name(&self) -> &str {
        self.object.metadata.name.as_deref().unwrap_or_default()
    }

    fn version(&self) -> &str {
        self.object
            .metadata
            .resource_version
            .as_deref()
            .unwrap_or_default()
    }
}

fn decode(text: &str) -> Standing {
    Standing {
        object: serde_json::from_str(text).unwrap_or_default(),
    }
}

struct Keeper {
    cluster: Cluster,
    options: ConfigurationStateOptions,
    name: String,
    standing: Option<ConfigurationState>,
}

impl Keeper {
    async fn run(
        mut self,
        mut reported: watch::Receiver<Option<Verdict>>,
        mut events: mpsc::Receiver<Vec<Event<Standing>>>,
    ) {
        let mut synced = false;
        let mut failures = 0;
        let mut again: Option<Duration> = None;
        loop {
            let pause = async {
                match again {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                Ok(()) = reported.changed() => {}
                Some(batch) = events.recv() => synced |= self.observe(batch),
                () = pause => {}
                else => return,
            }
            if !synced {
                continue;
            }
            let verdict = reported.borrow_and_update().clone();
            again = match self.settle(verdict.as_ref()).await {
                Ok(()) => {
                    failures = 0;
                    None
                }
                Err(error) => {
                    if failures == 0 {
                        tracing::warn!(name = self.name, %error, "the ConfigurationState could not be written");
                    }
                    failures += 1;
                    Some(BACKOFF.after(failures))
                }
            };
        }
    }

    /// Takes what happened. True: what stands is known.
    fn observe(&mut self, batch: Vec<Event<Standing>>) -> bool {
        let mut synced = false;
        for event in batch {
            match event {
                Event::Set(standing) => self.standing = Some(standing.object),
                Event::Gone(..) => self.standing = None,
                Event::Synced => synced = true,
                Event::Trouble(_) | Event::Well => {}
            }
        }
        synced
    }

    async fn settle(&mut self, verdict: Option<&Verdict>) -> Result<(), Error> {
        if self.standing.is_none() {
            self.create().await?;
        }
        // Of several replicas, the one that has a verdict owns the object.
        if verdict.is_some() && !self.is_owned() {
            let owners: Vec<&Owner> = self.options.owner.iter().collect();
            let body = json!({ "metadata": { "ownerReferences": owners } });
            self.write(PatchKind::Merge, "", &body).await?;
        }
        let held = self
            .standing
            .as_ref()
            .and_then(|object| object.status.clone())
            .unwrap_or_default();
        if verdict.is_none() && held.result.is_some() {
            return Ok(());
        }
        let wanted = status(self.options.component.condition(), verdict, &held);
        if wanted == held {
            return Ok(());
        }
        let body = json!({
            "apiVersion": ConfigurationState::API_VERSION,
            "kind": ConfigurationState::KIND,
            "metadata": { "name": self.name, "namespace": self.cluster.namespace() },
            // An empty list says that there is none; leaving it out would leave others' in place.
            "status": { "result": wanted.result, "errorSummary": wanted.error_summary, "conditions": wanted.conditions },
        });
        let manager = self.options.component.manager();
        self.write(
            PatchKind::Apply,
            &format!("/status?fieldManager={manager}&force=true"),
            &body,
        )
        .await
    }

    fn is_owned(&self) -> bool {
        let Some(owner) = &self.options.owner else {
            return true;
        };
        let standing = self.standing.as_ref();
        let owners = standing.and_then(|object| object.metadata.owner_references.as_ref());
        owners.into_iter().flatten().any(|one| one.uid == owner.uid)
    }

    async fn create(&mut self) -> Result<(), Error> {
        let body = json!({
            "apiVersion": ConfigurationState::API_VERSION,
            "kind": ConfigurationState::KIND,
            "metadata": {
                "name": self.name,
                "namespace": self.cluster.namespace(),
                "labels": self.options.component.labels(),
                "ownerReferences": self.options.owner.iter().collect::<Vec<_>>(),
            },
        });
        let path = path(self.cluster.namespace());
        let made = self.cluster.call(request::post(&path, &body)?, LIMIT).await;
        let object = match made {
            Err(error) if error.is_conflict() => {
                let path = format!("{path}/{}", request::escape(&self.name));
                self.cluster.call(request::get(path)?, LIMIT).await?
            }
            other => other?,
        };
        self.standing = Some(object);
        Ok(())
    }

    async fn write(
        &mut self,
        kind: PatchKind,
        rest: &str,
        body: &serde_json::Value,
    ) -> Result<(), Error> {
        let path = format!(
            "{}/{}{rest}",
            path(self.cluster.namespace()),
            request::escape(&self.name)
        );
        let written = self
            .cluster
            .call(request::patch(kind, path, body)?, LIMIT)
            .await;
        if written.as_ref().is_err_and(Error::is_not_found) {
            // Deleted meanwhile: the next try makes it.
            self.standing = None;
        }
        self.standing = Some(written?);
        Ok(())
    }
}

/// What the status has to say; the time of a condition that says the same as before stays.
fn status(
    type_: &str,
    verdict: Option<&Verdict>,
    held: &ConfigurationStateStatus,
) -> ConfigurationStateStatus {
    let (result, summary, condition) = match verdict {
        None => ("Unknown", String::new(), None),
        Some(Verdict::Valid) => (
            "Valid",
            String::new(),
            Some(("True", "Reconciled", String::new())),
        ),
        Some(Verdict::Doubtful(warnings)) => (
            "Valid",
            String::new(),
            Some(("True", "Reconciled", cut(&warnings.join("\n")))),
        ),
        Some(Verdict::Invalid(faults)) => {
            let text = cut(&faults.join("\n"));
            let message = cut(&format!("configuration error: {text}"));
            (
                "Invalid",
                text,
                Some(("False", "ConfigurationError", message)),
            )
        }
        Some(Verdict::Unknown(why)) => (
            "Unknown",
            cut(why),
            Some(("False", "UnknownError", cut(why))),
        ),
    };
    let condition = condition.map(|(status, reason, message)| {
        let same = |old: &&Condition| {
            old.type_ == type_
                && old.status == status
                && old.reason == reason
                && old.message == message
        };
        let since = held
            .conditions
            .iter()
            .find(same)
            .map(|old| old.last_transition_time.clone());
        Condition {
            type_: type_.into(),
            status: status.into(),
            reason: reason.into(),
            message,
            last_transition_time: since.unwrap_or_else(now),
            observed_generation: None,
        }
    });
    ConfigurationStateStatus {
        result: Some(result.into()),
        error_summary: Some(summary),
        conditions: condition.into_iter().collect(),
    }
}

/// Whole seconds: that is all the API keeps.
fn now() -> Time {
    let now = Timestamp::now();
    Time(Timestamp::from_second(now.as_second()).unwrap_or(now))
}

/// At most so many bytes, cut between characters.
fn cut(text: &str) -> String {
    let end = (0..=MOST_TEXT.min(text.len()))
        .rev()
        .find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or(0)).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
