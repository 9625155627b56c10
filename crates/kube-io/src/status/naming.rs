// SPDX-License-Identifier: Apache-2.0
//! Names and labels of what we write. They must fit what Kubernetes takes, whatever they are made of.

use sha2::{Digest, Sha256};

/// Characters a label value may have.
const MOST_VALUE: usize = 63;

/// A name as a label value: itself, or, if it is too long, its beginning and a hash of the whole.
pub(super) fn label(name: &str) -> String {
    if name.len() <= MOST_VALUE {
        return name.to_owned();
    }
    let tail = digest(&[name], 5);
    let head: String = name
        .chars()
        .filter(char::is_ascii)
        .take(MOST_VALUE - tail.len() - 1)
        .collect();
    format!("{}-{tail}", head.trim_end_matches(['.', '-', '_']))
}

/// A name of its own for what these parts say, under a prefix.
pub(super) fn object(prefix: &str, parts: &[&str]) -> String {
    format!("{prefix}{}", digest(parts, 10))
}

fn digest(parts: &[&str], bytes: usize) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        // No part can hold a slash, so no two lists of parts read alike.
        hash.update(b"/");
    }
    let whole = hash.finalize();
    whole
        .iter()
        .take(bytes)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_become_distinct_labels() {
        assert_eq!(label("web"), "web");
        let fits = "a".repeat(63);
        assert_eq!(label(&fits), fits);
        let (one, other) = (
            format!("{}1", "a".repeat(80)),
            format!("{}2", "a".repeat(80)),
        );
        assert_eq!(label(&one).len(), 63);
        assert_ne!(label(&one), label(&other));
        let dotted = label(&format!("{}.{}", "n".repeat(51), "x".repeat(90)));
        assert!(dotted.len() <= 63 && !dotted.contains(".-"), "{dotted}");
    }

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(object("l2-", &["ab", "c"]), object("l2-", &["a", "bc"]));
        assert_eq!(object("l2-", &["a"]).len(), 23);
    }
}
