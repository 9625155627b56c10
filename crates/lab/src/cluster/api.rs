// SPDX-License-Identifier: Apache-2.0
//! Calls on the API server from any thread, async or not, out of the namespace it is in.

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError, mpsc},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use http::{HeaderValue, Method, Request, header};
use kube::Client;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use super::{Site, identity::Identity};

/// How long an answer may take before the call fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// One user's calls; clones share connections.
#[derive(Clone)]
pub struct Api {
    client: Client,
    threads: Arc<Threads>,
}

/// Threads inside the API server's namespace.
struct Threads(Option<Runtime>);

/// One request.
#[derive(Clone, Debug)]
pub struct Call {
    method: Method,
    path: String,
    content: &'static str,
    body: Option<Value>,
}

/// What the API server answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub code: u16,
    /// The object, the list, or the `Status` that says what is wrong; a string where it is no JSON.
    pub body: Value,
}

impl Call {
    /// Reads an object or a list.
    #[must_use]
    pub fn get(path: &str) -> Self {
        Self::new(Method::GET, path, "", None)
    }

    /// Creates an object in the collection at `path`.
    #[must_use]
    pub fn create(path: &str, object: Value) -> Self {
        Self::new(Method::POST, path, "application/json", Some(object))
    }

    /// Replaces an object.
    #[must_use]
    pub fn replace(path: &str, object: Value) -> Self {
        Self::new(Method::PUT, path, "application/json", Some(object))
    }

    /// Merges fields into an object (RFC 7396).
    #[must_use]
    pub fn merge(path: &str, fields: Value) -> Self {
        let content = "application/merge-patch+json";
        Self::new(Method::PATCH, path, content, Some(fields))
    }

    /// Deletes an object, or the collection at `path`.
    #[must_use]
    pub fn delete(path: &str) -> Self {
        Self::new(Method::DELETE, path, "", None)
    }

    fn new(method: Method, path: &str, content: &'static str, body: Option<Value>) -> Self {
        Self {
            method,
            path: path.to_owned(),
            content,
            body,
        }
    }

    fn request(&self) -> Result<Request<Vec<u8>>> {
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(&self.path);
        if self.body.is_some() {
            request = request.header(header::CONTENT_TYPE, self.content);
        }
        let body = self.body.as_ref().map(serde_json::to_vec).transpose()?;
        Ok(request.body(body.unwrap_or_default())?)
    }
}

impl Answer {
    /// The body, or an error with what the API server said.
    ///
    /// # Errors
    /// The code is not one of success.
    pub fn ok(self) -> Result<Value> {
        if !(200..300).contains(&self.code) {
            let said = self.body.pointer("/message").unwrap_or(&self.body);
            bail!("{}: {said}", self.code);
        }
        Ok(self.body)
    }
}

impl Api {
    pub(super) fn new(site: &Site, identity: &Identity, token: &str, agent: &str) -> Result<Self> {
        Self::connect(site, &identity.authority_der, token, agent)
    }

    pub(super) fn connect(site: &Site, authority: &[u8], token: &str, agent: &str) -> Result<Self> {
        let mut config = kube::Config::new(site.url().parse()?);
        config.root_cert = Some(vec![authority.to_vec()]);
        config.auth_info.token = Some(token.to_owned().into());
        config.connect_timeout = Some(Duration::from_secs(5));
        config.headers = vec![(header::USER_AGENT, HeaderValue::from_str(agent)?)];
        // Tests see each answer as it comes.
        config.default_retry = false;
        let runtime = threads(site)?;
        let client = {
            let _inside = runtime.enter();
            Client::try_from(config)?
        };
        Ok(Self {
            client,
            threads: Arc::new(Threads(Some(runtime))),
        })
    }

    /// The client, for use inside [`Api::run`].
    #[must_use]
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// Runs a future on the threads inside the API server's namespace, and waits for it. May be
    /// called from async code, whose thread it blocks.
    ///
    /// # Errors
    /// The future panics.
    pub fn run<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> Result<T> {
        let (tell, told) = mpsc::channel();
        let runtime = self.threads.0.as_ref().context("no threads")?;
        runtime.spawn(async move {
            let _ = tell.send(future.await);
        });
        told.recv().context("the task panicked")
    }

    /// Makes a call and waits for its answer, whatever the code.
    ///
    /// # Errors
    /// There is no answer.
    pub fn call(&self, call: &Call) -> Result<Answer> {
        let request = call.request()?;
        let client = self.client();
        let what = || format!("{} {}", call.method, call.path);
        self.run(async move { tokio::time::timeout(PATIENCE, answer(&client, request)).await })?
            .with_context(what)?
            .with_context(what)
    }

    /// Makes many calls over this many connections, and says how long all of them took.
    ///
    /// # Errors
    /// One is refused or has no answer; the others are given up.
    pub fn each(&self, connections: usize, calls: Vec<Call>) -> Result<Duration> {
        let calls = Arc::new(Mutex::new(calls.into_iter()));
        let client = self.client();
        self.run(async move {
            let begun = Instant::now();
            let mut tasks = tokio::task::JoinSet::new();
            for _ in 0..connections {
                tasks.spawn(drain(client.clone(), Arc::clone(&calls)));
            }
            while let Some(done) = tasks.join_next().await {
                done??;
            }
            Ok(begun.elapsed())
        })?
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // Async tests must not wait here.
            runtime.shutdown_background();
        }
    }
}

fn threads(site: &Site) -> Result<Runtime> {
    let namespace = site.namespace.clone();
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("api-calls")
        .enable_all()
        .on_thread_start(move || {
            // A thread that cannot enter finds no API server, and its call says so.
            let _ = namespace.enter();
        })
        .build()?;
    Ok(runtime)
}

async fn drain(client: Client, calls: Arc<Mutex<std::vec::IntoIter<Call>>>) -> Result<()> {
    loop {
        let next = calls.lock().unwrap_or_else(PoisonError::into_inner).next();
        let Some(call) = next else { return Ok(()) };
        let what = || format!("{} {}", call.method, call.path);
        let done = tokio::time::timeout(PATIENCE, answer(&client, call.request()?)).await;
        done.with_context(what)?
            .and_then(Answer::ok)
            .with_context(what)?;
    }
}

async fn answer(client: &Client, request: Request<Vec<u8>>) -> Result<Answer> {
    match client.request_text(request).await {
        Ok(text) => Ok(Answer {
            code: 200,
            body: serde_json::from_str(&text).unwrap_or(Value::String(text)),
        }),
        Err(kube::Error::Api(status)) => Ok(Answer {
            code: status.code,
            body: serde_json::to_value(&status)?,
        }),
        Err(error) => Err(error.into()),
    }
}
