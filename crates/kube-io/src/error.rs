// SPDX-License-Identifier: Apache-2.0
//! What can go wrong between us and the API server. No text here ever quotes a body: it could hold a secret.

use std::{error::Error as _, time::Duration};

use ferrolb_types::{Diagnostic, ObjectRef, codes};

/// Why a request, or what was made of its answer, failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no usable kubeconfig and no service account.
    #[error("no way to an API server: {0}")]
    Config(String),
    /// The API server answered with a refusal.
    #[error("{message} ({code} {reason})")]
    Api {
        /// HTTP status.
        code: u16,
        /// The API's one-word reason.
        reason: String,
        /// The API's words.
        message: String,
    },
    /// There is no such kind: its definition is not installed.
    #[error("{0}")]
    NotInstalled(Box<Diagnostic>),
    /// Nothing came back in time.
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    /// The connection failed.
    #[error("the API server cannot be reached: {0}")]
    Transport(String),
    /// The answer is not what the API defines.
    #[error("the answer cannot be read: {0}")]
    Answer(String),
    /// The request could not be put together.
    #[error("the request cannot be made: {0}")]
    Request(String),
    /// The system gives no random bytes.
    #[error("no random bytes: {0}")]
    Random(String),
}

impl Error {
    /// RBAC says no, or the namespace takes nothing new.
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        self.code() == Some(403)
    }

    /// The object, or its kind, does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.code() == Some(404)
    }

    /// Somebody wrote the object since it was read, or it exists already.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.code() == Some(409)
    }

    /// The version asked from is too old: list again.
    #[must_use]
    pub fn is_expired(&self) -> bool {
        self.code() == Some(410)
    }

    /// Whether the same request may well succeed later. A 401 counts: tokens are renewed in their file.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Timeout(_) | Self::Transport(_) | Self::Answer(_) => true,
            Self::Api { code, .. } => matches!(code, 401 | 408 | 429) || *code >= 500,
            Self::Config(_) | Self::Request(_) | Self::Random(_) | Self::NotInstalled(_) => false,
        }
    }

    /// HTTP status, where the API server answered.
    #[must_use]
    pub fn code(&self) -> Option<u16> {
        match self {
            Self::Api { code, .. } => Some(*code),
            Self::NotInstalled(_) => Some(404),
            _ => None,
        }
    }

    /// A kind of ours that the API server does not know, in this version.
    pub(crate) fn not_installed(definition: &str, version: &str) -> Self {
        let object = ObjectRef::new("CustomResourceDefinition", "", definition);
        let cause = format!("it is not installed, or does not serve {version}");
        let remedy = "apply the manifests that FerroLB came with again, as in `kubectl apply \
                      --server-side -k deploy/base`; in a cluster that has none of the definitions \
                      `ferrolb crds | kubectl apply --server-side -f -` does. The roles wait for it \
                      and need no restart";
        Self::NotInstalled(Box::new(Diagnostic::error(
            codes::state::T007,
            object,
            cause,
            remedy,
        )))
    }

    pub(crate) fn answer(error: &serde_json::Error) -> Self {
        // Line and column without the message, which may quote a value.
        let (line, column) = (error.line(), error.column());
        Self::Answer(format!(
            "{:?} error at line {line} column {column}",
            error.classify()
        ))
    }
}

impl From<kube::Error> for Error {
    fn from(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => Self::Api {
                code: status.code,
                reason: status.reason.clone(),
                message: status.message.clone(),
            },
            kube::Error::SerdeError(error) => Self::answer(&error),
            kube::Error::HttpError(error) => Self::Request(error.to_string()),
            kube::Error::BuildRequest(error) => Self::Request(error.to_string()),
            other => Self::Transport(chain(&other)),
        }
    }
}

/// An error with its causes: `connection error: refused`; the outermost alone often says nothing.
fn chain(error: &kube::Error) -> String {
    let mut text = match error.source() {
        Some(_) => String::new(),
        None => error.to_string(),
    };
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&said);
        }
        cause = error.source();
    }
    text
}
