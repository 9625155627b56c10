// SPDX-License-Identifier: Apache-2.0
//! The record of every request: the API server's audit log, at the level of metadata.

use std::{
    fs,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use anyhow::{Context, Result};
use serde_json::Value;

use super::{
    Site,
    api::{Api, Call},
};
use crate::wait;

const POLICY: &str = r#"{
  "apiVersion": "audit.k8s.io/v1",
  "kind": "Policy",
  "omitStages": ["RequestReceived"],
  "rules": [
    { "level": "None", "users": ["system:apiserver"] },
    { "level": "Metadata" }
  ]
}"#;

/// Requests that mark a point in the record.
const MARK: &str = "/readyz?mark=";

/// How long the record may lag behind the answers.
const PATIENCE: Duration = Duration::from_secs(10);

/// One request that the API server answered, or a watch that it began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Who asked.
    pub user: String,
    /// What the client calls itself.
    pub agent: String,
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, …
    pub verb: String,
    /// Such as `services`; empty for paths that are no resources.
    pub resource: String,
    /// Such as `status`; empty for the object itself.
    pub subresource: String,
    /// The object's namespace, if any.
    pub namespace: String,
    /// The object's name, if the request names one.
    pub name: String,
    /// The path with its query.
    pub uri: String,
    /// The status code.
    pub code: u16,
}

impl Request {
    /// Whether it could change something.
    #[must_use]
    pub fn is_write(&self) -> bool {
        !matches!(self.verb.as_str(), "get" | "list" | "watch")
    }
}

/// The flags that make the API server keep the record.
pub(super) fn flags(site: &Site) -> Result<[String; 2]> {
    let policy = site.dir.join("audit-policy.json");
    fs::write(&policy, POLICY)?;
    Ok([
        format!("--audit-policy-file={}", policy.display()),
        format!("--audit-log-path={}", log(site).display()),
    ])
}

/// Everything recorded until now.
pub(super) fn read(site: &Site, admin: &Api) -> Result<Vec<Request>> {
    static MARKS: AtomicU32 = AtomicU32::new(0);
    let mark = MARKS.fetch_add(1, Ordering::Relaxed);
    let uri = format!("{MARK}{mark}");
    admin.call(&Call::get(&uri))?;
    let (text, _) = wait::arrival("the record is whole", PATIENCE, || {
        let path = log(site);
        let text = fs::read_to_string(&path).with_context(|| format!("{}", path.display()))?;
        let marked = format!("\"requestURI\":\"{uri}\"");
        Ok(text.contains(&marked).then_some(text))
    })?;
    let all = text.lines().filter_map(request);
    Ok(all.filter(|one| !one.uri.starts_with(MARK)).collect())
}

fn log(site: &Site) -> std::path::PathBuf {
    site.dir.join("audit.log")
}

/// A line of the log. A watch counts when it begins, everything else when it is answered.
fn request(line: &str) -> Option<Request> {
    let event: Value = serde_json::from_str(line).ok()?;
    let text = |pointer: &str| {
        let found = event.pointer(pointer).and_then(Value::as_str);
        found.unwrap_or_default().to_owned()
    };
    let verb = text("/verb");
    let counts = if verb == "watch" {
        "ResponseStarted"
    } else {
        "ResponseComplete"
    };
    let code = event
        .pointer("/responseStatus/code")
        .and_then(Value::as_u64);
    // A watch that is refused never begins.
    let refused = text("/stage") == "ResponseComplete" && code.is_some_and(|code| code >= 400);
    (text("/stage") == counts || refused).then(|| Request {
        user: text("/user/username"),
        agent: text("/userAgent"),
        verb,
        resource: text("/objectRef/resource"),
        subresource: text("/objectRef/subresource"),
        namespace: text("/objectRef/namespace"),
        name: text("/objectRef/name"),
        uri: text("/requestURI"),
        code: code
            .and_then(|code| u16::try_from(code).ok())
            .unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(verb: &str, stage: &str, code: u16) -> bool {
        let line = serde_json::json!({
            "verb": verb, "stage": stage, "responseStatus": { "code": code },
        });
        request(&line.to_string()).is_some()
    }

    #[test]
    fn counts_each_request_once() {
        let cases = [
            ("list", "ResponseComplete", 200, true),
            ("list", "ResponseStarted", 200, false),
            ("watch", "ResponseStarted", 200, true),
            ("watch", "ResponseComplete", 200, false),
            ("watch", "ResponseComplete", 403, true),
        ];
        for (verb, stage, code, expected) in cases {
            assert_eq!(
                counted(verb, stage, code),
                expected,
                "{verb} {stage} {code}"
            );
        }
    }
}
