// SPDX-License-Identifier: Apache-2.0
//! The ConfigMap in which MetalLB takes configuration of FRR as text. There is no FRR here: whoever has one
//! is told that it counts for nothing, and everything else stays as it is.

use ferrolb_types::{Diagnostic, FieldPath, ObjectRef, codes::command::X013};

/// Its name, in the namespace of the `metallb.io` objects.
pub const NAME: &str = "bgpextras";
/// The key that MetalLB reads.
pub const KEY: &str = "extras";

/// Why it counts for nothing.
pub(crate) const CAUSE: &str = "it is configuration for FRR, and there is no FRR: it has no effect";
/// What to do.
pub(crate) const REMEDY: &str = "say it with fields of BGPPeers and BGPAdvertisements as far as there are any, and \
                                 delete the ConfigMap";

/// Whether MetalLB would make anything of the text under [`KEY`].
#[must_use]
pub fn says_something(text: &str) -> bool {
    !text.trim().is_empty()
}

/// The warning of one in this namespace. It never shows the text, where passwords of neighbours may stand.
#[must_use]
pub fn ignored(namespace: &str) -> Diagnostic {
    let object = ObjectRef::new("ConfigMap", namespace, NAME);
    let warning = Diagnostic::error(X013, object, CAUSE, REMEDY).warning();
    warning.at(field())
}

pub(crate) fn field() -> FieldPath {
    FieldPath::root().key("data").key(KEY)
}
