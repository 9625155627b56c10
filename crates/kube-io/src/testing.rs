// SPDX-License-Identifier: Apache-2.0
//! A scripted API server, for faults that a real one cannot be made to show.

#![allow(clippy::expect_used, reason = "helpers of tests are tests")]

use std::{
    convert::Infallible,
    io,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use http::{Request, Response};
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::Frame;
use kube::client::Body;
use serde_json::{Value, json};

use crate::{Cluster, transport::Clients};

type AnswerBody = UnsyncBoxBody<Bytes, io::Error>;

/// A request as it came in.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The form of answer asked for.
    pub accept: String,
    pub body: Value,
}

impl Asked {
    pub(crate) fn is_watch(&self) -> bool {
        self.path.contains("watch=true")
    }

    pub(crate) fn is_list(&self) -> bool {
        self.path.contains("limit=")
    }
}

/// What comes back.
pub(crate) enum Answer {
    /// A status and a body.
    Json(u16, Value),
    /// A text as it stands.
    Text(String),
    /// Chunks of a watch, and how it ends.
    Watch(Vec<String>, End),
    /// Whatever a stream gives.
    Stream(std::pin::Pin<Box<dyn Stream<Item = String> + Send>>),
    /// Nothing, ever.
    Silence,
    /// The connection breaks.
    Broken,
}

/// How a watch ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    /// As the server does after its time.
    Orderly,
    /// The connection breaks.
    Cut,
    /// Nothing more comes.
    Silent,
}

/// Everything that was asked so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record(Arc<Mutex<Vec<Asked>>>);

impl Record {
    pub(crate) fn all(&self) -> Vec<Asked> {
        self.0.lock().expect("whole").clone()
    }

    pub(crate) fn count(&self, what: impl Fn(&Asked) -> bool) -> usize {
        self.all().iter().filter(|asked| what(asked)).count()
    }

    /// Notes a request, and says the how manieth it is.
    fn note(&self, asked: &Asked) -> usize {
        let mut all = self.0.lock().expect("whole");
        all.push(asked.clone());
        all.len()
    }
}

/// A cluster whose answers `script` gives, from a request and its number, the first being 1.
pub(crate) fn cluster(
    script: impl Fn(&Asked, usize) -> Answer + Send + Sync + 'static,
) -> (Cluster, Record) {
    let record = Record::default();
    let (script, noted) = (Arc::new(script), record.clone());
    let service = tower::service_fn(move |request: Request<Body>| {
        let (script, noted) = (Arc::clone(&script), noted.clone());
        async move {
            let asked = asked(request).await;
            let number = noted.note(&asked);
            answer(script(&asked, number)).await
        }
    });
    let client = kube::Client::new(service, "metallb-system");
    let clients = Clients {
        requests: client.clone(),
        watches: client,
    };
    (Cluster::with_clients(clients, "metallb-system"), record)
}

async fn asked(request: Request<Body>) -> Asked {
    let (parts, body) = request.into_parts();
    let bytes = body.collect().await.expect("a body").to_bytes();
    Asked {
        method: parts.method.to_string(),
        path: parts.uri.path_and_query().expect("a path").to_string(),
        accept: parts
            .headers
            .get(http::header::ACCEPT)
            .and_then(|accept| accept.to_str().ok())
            .unwrap_or_default()
            .to_owned(),
        body: serde_json::from_slice(&bytes).unwrap_or_default(),
    }
}

async fn answer(answer: Answer) -> io::Result<Response<AnswerBody>> {
    let whole = |code: u16, text: String| {
        let body = Full::new(Bytes::from(text)).map_err(|never: Infallible| match never {});
        Ok(Response::builder()
            .status(code)
            .body(body.boxed_unsync())
            .expect("a response"))
    };
    match answer {
        Answer::Json(code, value) => whole(code, value.to_string()),
        Answer::Text(text) => whole(200, text),
        Answer::Silence => std::future::pending().await,
        Answer::Broken => Err(io::Error::from(io::ErrorKind::ConnectionReset)),
        Answer::Stream(chunks) => Ok(streamed(chunks.map(Ok))),
        Answer::Watch(chunks, end) => {
            let chunks = stream::iter(chunks).map(Ok);
            Ok(match end {
                End::Orderly => streamed(chunks),
                End::Cut => {
                    let cut = io::Error::from(io::ErrorKind::ConnectionReset);
                    streamed(chunks.chain(stream::once(async { Err(cut) })))
                }
                End::Silent => streamed(chunks.chain(stream::pending())),
            })
        }
    }
}

fn streamed(
    chunks: impl Stream<Item = io::Result<String>> + Send + 'static,
) -> Response<AnswerBody> {
    let frames = chunks.map(|chunk| chunk.map(|text| Frame::data(Bytes::from(text))));
    Response::new(StreamBody::new(frames).boxed_unsync())
}

/// A refusal as the API words it.
pub(crate) fn refused(code: u16, message: &str) -> Answer {
    Answer::Json(code, status(code, message))
}

/// The same as a value.
pub(crate) fn status(code: u16, message: &str) -> Value {
    json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": "R", "message": message })
}

/// A page of a list.
pub(crate) fn page(version: &str, continued: Option<&str>, items: &[Value]) -> Answer {
    let metadata = json!({ "resourceVersion": version, "continue": continued });
    Answer::Json(
        200,
        json!({ "kind": "List", "apiVersion": "v1", "metadata": metadata, "items": items }),
    )
}

/// A line of a watch.
pub(crate) fn line(type_: &str, object: &Value) -> String {
    format!("{{\"type\":\"{type_}\",\"object\":{object}}}\n")
}

/// A Service in the namespace `shop`.
pub(crate) fn service(name: &str, version: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": { "name": name, "namespace": "shop", "uid": format!("uid-{name}"), "resourceVersion": version },
        "spec": { "type": "LoadBalancer", "clusterIPs": ["10.0.0.1"] },
        "status": { "loadBalancer": {} },
    })
}
