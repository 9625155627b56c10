// SPDX-License-Identifier: Apache-2.0
//! A Secret: the password of a BGP session.

use std::sync::Arc;

use ferrolb_types::Secret as Hidden;
use k8s_openapi::api::core::v1::Secret;

use super::{Nameless, name, namespace};

/// The key of a Secret that holds the password.
pub const PASSWORD_KEY: &str = "password";

/// A Secret reduced to what a `BGPPeer` may refer to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretView {
    /// Namespace.
    pub namespace: Arc<str>,
    /// Name inside it.
    pub name: Arc<str>,
    /// `type`; empty where absent. A `BGPPeer` needs `kubernetes.io/basic-auth`.
    pub kind: Box<str>,
    /// The value of the key `password`: of `stringData`, which wins as it does in Kubernetes, or of `data`.
    pub password: Option<Hidden>,
}

impl TryFrom<&Secret> for SecretView {
    type Error = Nameless;

    fn try_from(object: &Secret) -> Result<Self, Nameless> {
        Ok(Self {
            namespace: namespace(&object.metadata).into(),
            name: name(&object.metadata)?.into(),
            kind: object.type_.as_deref().unwrap_or_default().into(),
            password: password(object),
        })
    }
}

fn password(object: &Secret) -> Option<Hidden> {
    let text = object
        .string_data
        .as_ref()
        .and_then(|data| data.get(PASSWORD_KEY))
        .map(|text| Hidden::new(text.as_bytes()));
    let bytes = || object.data.as_ref()?.get(PASSWORD_KEY);
    text.or_else(|| bytes().map(|bytes| Hidden::new(bytes.0.as_slice())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(data: &str) -> SecretView {
        let text =
            format!(r#"{{"metadata":{{"name":"a"}},"type":"kubernetes.io/basic-auth",{data}}}"#);
        let object: Secret = serde_json::from_str(&text).expect("a Secret");
        SecretView::try_from(&object).expect("named")
    }

    #[test]
    fn password_of_either_map() {
        let table: [(&str, Option<&[u8]>); 4] = [
            (r#""data":{"password":"aHVudGVyMg=="}"#, Some(b"hunter2")),
            (r#""stringData":{"password":"hunter2"}"#, Some(b"hunter2")),
            (
                r#""data":{"password":"b2xk"},"stringData":{"password":"new"}"#,
                Some(b"new"),
            ),
            (r#""data":{"other":"b2xk"}"#, None),
        ];
        for (data, want) in table {
            assert_eq!(
                view(data).password.as_ref().map(Hidden::expose),
                want,
                "{data}"
            );
        }
    }

    #[test]
    fn a_view_shows_no_password() {
        let shown = format!("{:?}", view(r#""stringData":{"password":"hunter2"}"#));
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
