// SPDX-License-Identifier: Apache-2.0
//! The password of a peer: rules B13 to B16. No diagnostic shows it, nor its length.

use ferrolb_api::{resource::BGPPeerSpec, view::PASSWORD_KEY};
use ferrolb_types::{FieldPath, Secret, codes::peer as code};

use super::{Report, field, filled};
use crate::resources::Resources;

const TYPE: &str = "kubernetes.io/basic-auth";

/// The most bytes the kernel takes for TCP MD5 (`TCP_MD5SIG_MAXKEYLEN`).
const LONGEST: usize = 80;

/// The name of the Secret that the peer refers to.
pub(super) fn secret_name(spec: &BGPPeerSpec) -> Option<&String> {
    filled(spec.password_secret.as_ref()?.name.as_ref())
}

/// The password, from the field or from the Secret.
pub(super) fn parse(r: &mut Report, spec: &BGPPeerSpec, from: &Resources) -> Option<Secret> {
    let plain = filled(spec.password.as_ref());
    let reference = field("passwordSecret").key("name");
    let (password, at) = match (plain, secret_name(spec)) {
        (Some(_), Some(name)) => {
            let cause = "the field password is set too";
            let remedy = "keep one of password and passwordSecret";
            r.refuse(code::B013, reference, Some(name), cause, remedy);
            return None;
        }
        (Some(text), None) => (Secret::new(text.as_bytes()), field("password")),
        (None, Some(name)) => (from_secret(r, &reference, name, from)?, reference),
        (None, None) => return None,
    };
    if password.len() > LONGEST {
        let cause = format!("the password is longer than {LONGEST} bytes");
        let remedy = "use a shorter password on both sides";
        r.refuse(code::B066, at, None, cause, remedy);
        return None;
    }
    Some(password)
}

fn from_secret(r: &mut Report, at: &FieldPath, name: &str, from: &Resources) -> Option<Secret> {
    let namespace = from.namespace();
    let Some(secret) = from.secrets.get(&(namespace.into(), name.into())) else {
        let cause = format!(
            "namespace {namespace} has no Secret of this name and of type kubernetes.io/basic-auth"
        );
        let remedy = format!("create it in {namespace}, with type {TYPE} and a key {PASSWORD_KEY}");
        r.refuse(code::B014, at.clone(), Some(name), cause, remedy);
        return None;
    };
    if &*secret.kind != TYPE {
        let cause = format!("the Secret is of type {:?}, not {TYPE}", &*secret.kind);
        let remedy = format!("create it anew with type {TYPE}: a Secret's type cannot be changed");
        r.refuse(code::B015, at.clone(), Some(name), cause, remedy);
    }
    let password = secret
        .password
        .clone()
        .filter(|password| !password.is_empty());
    if password.is_none() {
        let cause = format!("the Secret has no key {PASSWORD_KEY}, or it is empty");
        let remedy = format!("put the password under the key {PASSWORD_KEY}");
        r.refuse(code::B016, at.clone(), Some(name), cause, remedy);
    }
    password
}
