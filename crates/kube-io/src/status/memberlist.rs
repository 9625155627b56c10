// SPDX-License-Identifier: Apache-2.0
//! The Secret whose key the speakers of MetalLB share.

use k8s_openapi::ByteString;
use serde_json::json;

use crate::{Cluster, Error, client::REQUEST, pods::Owner, request};

/// The letters of base64 (RFC 4648 section 4).
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Creates the Secret `name` where it does not exist: under `secretkey` 16 random bytes as base64 without
/// padding, 22 characters. True: it was created.
///
/// # Errors
/// That it may not be read or created, that nobody answers, or that there are no random bytes.
pub async fn memberlist_secret(
    cluster: &Cluster,
    name: &str,
    owner: Option<&Owner>,
) -> Result<bool, Error> {
    let path = request::object("v1", Some(cluster.namespace()), "secrets", name);
    match cluster.text(request::get(path)?, REQUEST).await {
        Ok(_) => return Ok(false),
        Err(error) if error.is_not_found() => {}
        Err(error) => return Err(error),
    }
    let secret = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": name,
            "namespace": cluster.namespace(),
            "ownerReferences": owner.into_iter().collect::<Vec<_>>(),
        },
        "data": { "secretkey": ByteString(key()?) },
    });
    let path = request::collection("v1", Some(cluster.namespace()), "secrets");
    match cluster.text(request::post(path, &secret)?, REQUEST).await {
        Ok(_) => Ok(true),
        // Another replica was faster.
        Err(error) if error.is_conflict() => Ok(false),
        Err(error) => Err(error),
    }
}

fn key() -> Result<Vec<u8>, Error> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| Error::Random(error.to_string()))?;
    Ok(unpadded(u128::from_be_bytes(bytes)))
}

/// 128 bits as 22 letters: six bits each, the last four of them zero.
fn unpadded(bits: u128) -> Vec<u8> {
    let letter = |n: u32| {
        let index = match n {
            21 => (bits << 4) & 0x3f,
            n => (bits >> (122 - 6 * n)) & 0x3f,
        };
        usize::try_from(index)
            .ok()
            .and_then(|index| LETTERS.get(index))
            .copied()
    };
    (0..22).filter_map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_base64_without_padding() {
        // RFC 4648: what `base64` gives for these 16 bytes, without "==".
        let text = |bytes: &[u8; 16]| {
            String::from_utf8(unpadded(u128::from_be_bytes(*bytes))).expect("ASCII")
        };
        assert_eq!(text(b"0123456789abcdef"), "MDEyMzQ1Njc4OWFiY2RlZg");
        assert_eq!(text(&[0xff; 16]), "/////////////////////w");
        assert_eq!(text(&[0; 16]), "AAAAAAAAAAAAAAAAAAAAAA");
        assert_ne!(key().expect("random bytes"), key().expect("random bytes"));
    }
}
