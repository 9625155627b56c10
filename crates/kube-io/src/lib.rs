// SPDX-License-Identifier: Apache-2.0
//! What FerroLB reads from an API server and writes to it. The only crate with a `kube::Client`, and it
//! decides nothing: what happens is told through bounded channels, what has to be written is handed in.
//!
//! ```text
//! Cluster::connect(&Connection{kubeconfig, context, namespace, user_agent}) -> Cluster
//!   version() may(&Access) pod_owner(name) deployment_owner(name) pods(selector) ask_pod(pod, PodPort, path, limit)
//! watch::follow(&Cluster, &[Watched], stop) -> Receiver<Vec<Told>>        list{,_metadata}(&Cluster, Watched) -> Vec<Told>
//! watch::follow_with_extras(the same)                                     extras::look(&Cluster) -> bool
//! Writer::start(&Cluster, WriterOptions, Gate, stop) -> (Writer, Receiver<Wrote>)
//!   service_status(ServiceStatus{key, uid, resource_version, ingress, pool, keep, events})
//! Recorder::start(&Cluster, component, host, stop) -> Recorder            note(Subject, Note)
//! Election::start(&Cluster, LeaseOptions, stop) -> (Receiver<Leadership>, Gate, JoinHandle)
//! ServiceStatuses::start(&Cluster, ServiceStatusesOptions{node, owner}, stop)   layer2(key, interfaces) bgp(key, peers) {layer2,bgp}_settled()
//! ConfigurationStates::start(&Cluster, ConfigurationStateOptions{component, owner}, stop)   report(Verdict)
//! PoolStatuses::start(&Cluster, Gate, stop)                               desired(name, status) observed(&pool) deleted(name)
//! status::memberlist_secret(&Cluster, name, owner) -> created
//! Authoriser::new(&Cluster)                                               authorise(token, audience, verb, path) -> auth::Verdict
//! webhooks::{read,write}_certificates, inject_webhooks, inject_conversion, follow_certificates
//! ```
//!
//! Rules that hold throughout. Whoever decides never waits for the network: what is handed in replaces
//! what still waits for the same object, so queues are bounded by the number of objects. Every request has
//! a time limit. Retrying is ours, with growing pauses and chance in them. No text quotes a body, and so
//! no secret. Writes that Services wait for go before Events and status objects.

mod access;
pub mod auth;
mod backoff;
mod client;
mod diff;
mod error;
pub mod events;
pub mod extras;
mod gate;
mod kubeconfig;
mod latest;
pub mod lease;
mod load;
mod pods;
mod reflect;
mod request;
mod source;
pub mod status;
mod transport;
pub mod watch;
pub mod webhooks;
pub mod write;

#[cfg(test)]
mod testing;

pub use access::Access;
pub use auth::Authoriser;
pub use client::{Cluster, Connection};
pub use error::Error;
pub use events::{Note, Recorder, Subject};
pub use gate::Gate;
pub use lease::{Election, Leadership, LeaseOptions};
pub use pods::{Owner, PodPort, PodView};
pub use watch::{Meta, Told, Watched};
pub use write::{ServiceStatus, WriteFault, Writer, WriterOptions, Wrote};
