// SPDX-License-Identifier: Apache-2.0
//! Requests by hand, where the typed client would decode more than we look at.

use http::{HeaderValue, Method, Request, header};
use serde::Serialize;

use crate::Error;

/// How a PATCH is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PatchKind {
    /// RFC 7386.
    Merge,
    /// RFC 6902.
    Json,
    /// Server-side apply.
    Apply,
}

impl PatchKind {
    fn content_type(self) -> &'static str {
        match self {
            Self::Merge => "application/merge-patch+json",
            Self::Json => "application/json-patch+json",
            Self::Apply => "application/apply-patch+yaml",
        }
    }
}

pub(crate) fn get(path: impl AsRef<str>) -> Result<Request<Vec<u8>>, Error> {
    build(Method::GET, path.as_ref(), None, Vec::new())
}

/// A list of metadata alone, as an answer of a server that gives no such thing is read too.
pub(crate) fn get_metadata(path: impl AsRef<str>) -> Result<Request<Vec<u8>>, Error> {
    const METADATA: &str =
        "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";
    let mut request = get(path)?;
    let accept = header::HeaderValue::from_static(METADATA);
    request.headers_mut().insert(header::ACCEPT, accept);
    Ok(request)
}

pub(crate) fn delete(path: impl AsRef<str>) -> Result<Request<Vec<u8>>, Error> {
    build(Method::DELETE, path.as_ref(), None, Vec::new())
}

pub(crate) fn post(
    path: impl AsRef<str>,
    body: &impl Serialize,
) -> Result<Request<Vec<u8>>, Error> {
    build(
        Method::POST,
        path.as_ref(),
        Some("application/json"),
        json(body)?,
    )
}

pub(crate) fn put(path: impl AsRef<str>, body: &impl Serialize) -> Result<Request<Vec<u8>>, Error> {
    build(
        Method::PUT,
        path.as_ref(),
        Some("application/json"),
        json(body)?,
    )
}

pub(crate) fn patch(
    kind: PatchKind,
    path: impl AsRef<str>,
    body: &impl Serialize,
) -> Result<Request<Vec<u8>>, Error> {
    build(
        Method::PATCH,
        path.as_ref(),
        Some(kind.content_type()),
        json(body)?,
    )
}

/// The same, to be answered with the metadata of the object alone: it need not be written out as a whole by
/// the server, nor read here.
pub(crate) fn in_short(mut request: Request<Vec<u8>>) -> Request<Vec<u8>> {
    let short = HeaderValue::from_static(
        "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json",
    );
    request.headers_mut().insert(header::ACCEPT, short);
    request
}

fn json(body: &impl Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(body).map_err(|error| Error::Request(error.to_string()))
}

fn build(
    method: Method,
    path: &str,
    content: Option<&str>,
    body: Vec<u8>,
) -> Result<Request<Vec<u8>>, Error> {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::ACCEPT, "application/json");
    if let Some(content) = content {
        request = request.header(header::CONTENT_TYPE, content);
    }
    request
        .body(body)
        .map_err(|error| Error::Request(error.to_string()))
}

/// A text as part of a path or query.
pub(crate) fn escape(text: &str) -> String {
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if plain(byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// The path of a collection: group and version (`v1`, `metallb.io/v1beta1`), namespace, plural.
pub(crate) fn collection(api_version: &str, namespace: Option<&str>, plural: &str) -> String {
    let root = if api_version.contains('/') {
        "/apis"
    } else {
        "/api"
    };
    match namespace {
        Some(namespace) => format!(
            "{root}/{api_version}/namespaces/{}/{plural}",
            escape(namespace)
        ),
        None => format!("{root}/{api_version}/{plural}"),
    }
}

/// The path of one object.
pub(crate) fn object(
    api_version: &str,
    namespace: Option<&str>,
    plural: &str,
    name: &str,
) -> String {
    format!(
        "{}/{}",
        collection(api_version, namespace, plural),
        escape(name)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let services = object("v1", Some("shop"), "services", "web");
        assert_eq!(services, "/api/v1/namespaces/shop/services/web");
        let pools = collection("metallb.io/v1beta1", None, "ipaddresspools");
        assert_eq!(pools, "/apis/metallb.io/v1beta1/ipaddresspools");
        assert_eq!(escape("a/../b?c=d e"), "a%2F..%2Fb%3Fc%3Dd%20e");
    }
}
