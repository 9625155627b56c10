// SPDX-License-Identifier: Apache-2.0
//! Who may read what a process tells.

use std::{fs, path::PathBuf};

use sha2::{Digest as _, Sha256};

use super::Later;

/// What is asked for, and with which token. It cannot be printed, for the token's sake.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    /// The token shown.
    pub token: &'a str,
    /// Whom the token must be meant for; without a name, the API server itself.
    pub audience: Option<&'static str>,
    /// What to do, as a verb of the API: `get`.
    pub verb: &'static str,
    /// Where, as a path that is no resource: `/metrics`.
    pub path: &'static str,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Go on.
    Allowed,
    /// Nobody knows this token.
    Unauthenticated,
    /// Its holder may not.
    Forbidden,
    /// Nobody can say now, and why.
    Unknown(String),
}

/// Who says so. Must end in bounded time.
pub trait Authorise: Send + Sync + 'static {
    /// Whether the holder of this token may.
    fn authorise<'a>(&'a self, ask: Ask<'a>) -> Later<'a, Verdict>;
}

/// One token, in a file that is read with each question: whoever holds it may read everything.
#[derive(Clone, Debug)]
pub struct TokenFile(pub PathBuf);

impl Authorise for TokenFile {
    fn authorise<'a>(&'a self, ask: Ask<'a>) -> Later<'a, Verdict> {
        Box::pin(std::future::ready(self.verdict(ask.token)))
    }
}

impl TokenFile {
    fn verdict(&self, shown: &str) -> Verdict {
        let Ok(text) = fs::read_to_string(&self.0) else {
            return Verdict::Unknown("the token file cannot be read".to_owned());
        };
        // An empty file is no token that somebody could show. Digests are compared, so that the time
        // it takes tells nothing of the token.
        let token = text.trim();
        if !token.is_empty() && Sha256::digest(token) == Sha256::digest(shown) {
            Verdict::Allowed
        } else {
            Verdict::Unauthenticated
        }
    }
}
