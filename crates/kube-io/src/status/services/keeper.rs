// SPDX-License-Identifier: Apache-2.0
//! Takes the steps: a few requests at a time, and only when no Service waits for its address.

use std::{collections::HashSet, sync::Arc, time::Duration};

use ferrolb_types::ServiceKey;

use super::{
    super::{
        naming,
        own::{self, Protocol},
    },
    Key, ServiceStatusesOptions, Shared,
    state::Step,
};
use crate::{
    Cluster, Error,
    backoff::Backoff,
    latest::Job,
    pods::Owner,
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

/// Steps for one Service before the next has its turn.
const STEPS: u32 = 8;

#[derive(Clone)]
pub(super) struct Keeper {
    pub cluster: Cluster,
    pub options: Arc<ServiceStatusesOptions>,
    pub shared: Arc<Shared>,
}

impl Keeper {
    pub(super) async fn run(self) {
        loop {
            let job = self.shared.work.next().await;
            match self.settle(&job.key).await {
                Ok(true) => self.shared.work.done(&job.key),
                // Others have their turn.
                Ok(false) => drop(self.shared.work.retry(job, Duration::ZERO)),
                Err(error) => self.again(job, &error),
            }
        }
    }

    fn again(&self, job: Job<Key, ()>, error: &Error) {
        if job.failures == 0 {
            let (protocol, service) = &job.key;
            tracing::warn!(kind = protocol.kind(), %service, %error, "a status object could not be written");
        }
        let pause = BACKOFF.after(job.failures);
        self.shared.work.retry(job, pause);
    }

    /// Takes steps until nothing is left to do. False: something is.
    async fn settle(&self, key: &Key) -> Result<bool, Error> {
        for _ in 0..STEPS {
            let step = self.shared.lock().step(key);
            if step == Step::Nothing {
                return Ok(true);
            }
            self.cluster.load().make_way().await;
            self.take(key, step).await?;
        }
        Ok(false)
    }

    async fn take(&self, key: &Key, step: Step) -> Result<(), Error> {
        let (protocol, service) = key;
        match step {
            Step::Nothing => Ok(()),
            Step::Delete(name) => {
                self.delete(*protocol, &name).await?;
                self.shared.lock().gone(*protocol, &name);
                Ok(())
            }
            Step::Create => self.create(*protocol, service).await,
            Step::Adopt(name) => {
                let owners: Vec<&Owner> = self.options.owner.iter().collect();
                let body = serde_json::json!({ "metadata": { "ownerReferences": owners } });
                let path = protocol.object(self.cluster.namespace(), &name);
                self.stand(
                    *protocol,
                    &name,
                    request::patch(PatchKind::Merge, path, &body)?,
                )
                .await
            }
            Step::Write(name) => {
                let Some(list) = self.shared.lock().desired.get(key).cloned() else {
                    return Ok(());
                };
                let body = protocol.status(&self.options.node, service, &list);
                let path = format!(
                    "{}/status",
                    protocol.object(self.cluster.namespace(), &name)
                );
                self.stand(
                    *protocol,
                    &name,
                    request::patch(PatchKind::Merge, path, &body)?,
                )
                .await
            }
            Step::Sweep => self.sweep(service).await,
        }
    }

    async fn create(&self, protocol: Protocol, service: &ServiceKey) -> Result<(), Error> {
        let namespace = self.cluster.namespace();
        let node = &self.options.node;
        let body = protocol.new_object(namespace, node, service, self.options.owner.as_ref());
        let name = protocol.name(node, service);
        let made = self
            .stand(
                protocol,
                &name,
                request::post(protocol.collection(namespace), &body)?,
            )
            .await;
        match made {
            // Ours by its name, but not by its labels, or not seen yet.
            Err(error) if error.is_conflict() => self.reclaim(protocol, &name).await,
            other => other,
        }
    }

    /// An object stands under our name: taken as it is, or removed if its labels hide it from us.
    async fn reclaim(&self, protocol: Protocol, name: &str) -> Result<(), Error> {
        let path = protocol.object(self.cluster.namespace(), name);
        let text = match self.cluster.text(request::get(path)?, LIMIT).await {
            Err(error) if error.is_not_found() => return Ok(()),
            other => other?,
        };
        let own = own::decode(&text);
        if own.node_label != naming::label(&self.options.node) {
            return self.delete(protocol, name).await;
        }
        self.shared.lock().stands(protocol, own);
        Ok(())
    }

    /// Sends a request whose answer is the object as it stands now.
    async fn stand(
        &self,
        protocol: Protocol,
        name: &str,
        request: http::Request<Vec<u8>>,
    ) -> Result<(), Error> {
        match self.cluster.text(request, LIMIT).await {
            Ok(text) => {
                self.shared.lock().stands(protocol, own::decode(&text));
                Ok(())
            }
            Err(error) if error.is_not_found() => {
                // Somebody removed it; without one the next step is to create it.
                let known = self.shared.lock().gone(protocol, name).is_some();
                if known { Ok(()) } else { Err(error) }
            }
            Err(error) => Err(error),
        }
    }

    async fn delete(&self, protocol: Protocol, name: &str) -> Result<(), Error> {
        let path = protocol.object(self.cluster.namespace(), name);
        match self.cluster.text(request::delete(path)?, LIMIT).await {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }

    /// Removes what other nodes say of a Service that we answer for now. Many at once are read together.
    async fn sweep(&self, service: &ServiceKey) -> Result<(), Error> {
        const MANY: usize = 16;
        let begun: HashSet<ServiceKey> = {
            let state = self.shared.lock();
            match state.begun.len() > MANY {
                true => state.begun.clone(),
                false => HashSet::from([service.clone()]),
            }
        };
        let namespace = self.cluster.namespace();
        let source = match begun.len() {
            1 => Protocol::Layer2.of_service(namespace, service),
            _ => Protocol::Layer2.of_all(namespace),
        };
        self.sweep_in(&source, &begun).await?;
        self.shared.lock().begun.retain(|key| !begun.contains(key));
        Ok(())
    }

    async fn sweep_in(&self, source: &Source, begun: &HashSet<ServiceKey>) -> Result<(), Error> {
        let mut continued: Option<String> = None;
        loop {
            let (others, next) = source
                .objects(&self.cluster, continued.as_deref(), own::decode)
                .await?;
            for other in others {
                let service = ServiceKey::new(&other.service.0, &other.service.1);
                let is_foreign = !other.node.is_empty() && other.node != self.options.node;
                if is_foreign && begun.contains(&service) {
                    self.delete(Protocol::Layer2, &other.name).await?;
                }
            }
            continued = next;
            if continued.is_none() {
                return Ok(());
            }
        }
    }
}
