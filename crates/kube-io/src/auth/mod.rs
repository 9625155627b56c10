// SPDX-License-Identifier: Apache-2.0
//! Whether a bearer token may do what it asks of us: `TokenReview`, then `SubjectAccessReview`.
//!
//! Answers are kept for a short time and in a bounded number, by the hash of the token, never the token.

mod cache;

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use crate::{Cluster, Error, request};
use cache::Cache;

/// Longest time of one request.
const LIMIT: Duration = Duration::from_secs(5);

/// Reviews under way at once: a flood of bad tokens must not become a flood on the API server.
const CONCURRENCY: usize = 4;

/// The longest token that is looked at.
const MOST_TOKEN: usize = 16 * 1024;

/// What the API server says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may.
    Allowed,
    /// Nobody knows the token: 401.
    Unauthenticated,
    /// Its bearer may not: 403.
    Denied,
}

/// Who asks the API server. Clones share the answers.
#[derive(Clone, Debug)]
pub struct Authoriser {
    cluster: Cluster,
    cache: Arc<Cache>,
    room: Arc<Semaphore>,
}

#[derive(Deserialize)]
struct TokenReview {
    #[serde(default)]
    status: TokenStatus,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TokenStatus {
    authenticated: bool,
    user: User,
    audiences: Vec<String>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
struct User {
    username: String,
    uid: String,
    groups: Vec<String>,
    #[serde(skip_serializing_if = "Value::is_null")]
    extra: Value,
}

impl Authoriser {
    /// Prepares it; nothing is asked yet.
    #[must_use]
    pub fn new(cluster: &Cluster) -> Self {
        Self {
            cluster: cluster.clone(),
            cache: Arc::default(),
            room: Arc::new(Semaphore::new(CONCURRENCY)),
        }
    }

    /// Whether the bearer of `token` may `verb` (`get`) the path of ours (`/metrics`). The token must be
    /// meant for `audience`; without one, for the API server itself.
    ///
    /// # Errors
    /// That the question could not be answered; that is neither yes nor no.
    pub async fn authorise(
        &self,
        token: &str,
        audience: Option<&str>,
        verb: &str,
        path: &str,
    ) -> Result<Verdict, Error> {
        if token.is_empty() || token.len() > MOST_TOKEN {
            return Ok(Verdict::Unauthenticated);
        }
        let key = key([token, audience.unwrap_or_default(), verb, path]);
        if let Some(verdict) = self.cache.get(&key) {
            return Ok(verdict);
        }
        let wait = self.room.acquire();
        let Ok(Ok(_room)) = tokio::time::timeout(LIMIT, wait).await else {
            return Err(Error::Timeout(LIMIT));
        };
        // Whoever waited beside us may have asked the same.
        if let Some(verdict) = self.cache.get(&key) {
            return Ok(verdict);
        }
        let verdict = self.ask(token, audience, verb, path).await?;
        self.cache.put(key, verdict);
        Ok(verdict)
    }

    async fn ask(
        &self,
        token: &str,
        audience: Option<&str>,
        verb: &str,
        path: &str,
    ) -> Result<Verdict, Error> {
        let audiences: Vec<&str> = audience.into_iter().collect();
        let review = json!({
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenReview",
            "spec": { "token": token, "audiences": audiences },
        });
        let reviews = request::collection("authentication.k8s.io/v1", None, "tokenreviews");
        let answer: TokenReview = self
            .cluster
            .call(request::post(reviews, &review)?, LIMIT)
            .await?;
        // An API server that knows nothing of audiences names none.
        let meant = |audience: &str| answer.status.audiences.iter().any(|one| one == audience);
        if !answer.status.authenticated || !audience.is_none_or(meant) {
            return Ok(Verdict::Unauthenticated);
        }
        let user = answer.status.user;
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {
                "user": user.username, "uid": user.uid, "groups": user.groups, "extra": user.extra,
                "nonResourceAttributes": { "path": path, "verb": verb },
            },
        });
        let reviews = request::collection("authorization.k8s.io/v1", None, "subjectaccessreviews");
        let answer: Value = self
            .cluster
            .call(request::post(reviews, &review)?, LIMIT)
            .await?;
        let allowed = answer.pointer("/status/allowed").and_then(Value::as_bool);
        Ok(if allowed == Some(true) {
            Verdict::Allowed
        } else {
            Verdict::Denied
        })
    }
}

fn key(parts: [&str; 4]) -> cache::Key {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().into()
}
