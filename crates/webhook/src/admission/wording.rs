// SPDX-License-Identifier: Apache-2.0
//! What the answers say: diagnostics in full, with the words of MetalLB that scripts look for, and which
//! warnings are worth a line on somebody's terminal.

use ferrolb_config::unreadable::Unreadable;
use ferrolb_types::{
    Code, Diagnostic, FieldPath, ObjectRef,
    codes::{advertisement as a, community as c, peer as b, pool as p, webhook as w},
};

use super::{Webhook, review::Order};

/// Diagnostics in one answer.
const MOST_LISTED: usize = 10;
/// Characters of one warning: an API server cuts longer ones.
const LONGEST_WARNING: usize = 256;

/// Objects outside the namespace that is read, by kind.
const ELSEWHERE: [Code; 4] = [p::P050, c::C050, b::B050, a::A050];

/// Faults that other objects, or a later version, make right, so that the order of creation is free: of
/// them it is warned.
pub(super) fn may_come_right(fault: &Diagnostic) -> bool {
    const CODES: [Code; 11] = [
        b::B014,
        b::B015,
        b::B016,
        b::B018,
        b::B021,
        b::B051,
        b::B052,
        b::B053,
        b::B054,
        b::B055,
        b::B056,
    ];
    let is_alias = || !fault.value.as_deref().unwrap_or_default().contains(':');
    CODES.contains(&fault.code) || (fault.code == a::A009 && is_alias())
}

/// Whether a warning rests on something that was looked at: Secrets are not, nor are the advertisements
/// when a pool is judged.
pub(super) fn is_worth_saying(warning: &Diagnostic) -> bool {
    ![b::B014, b::B015, b::B016, p::P051].contains(&warning.code)
}

/// The message of a denial, a line for each fault.
pub(super) fn message(errors: &[Diagnostic], namespace: &str) -> String {
    let line = |error: &Diagnostic| match familiar(error, namespace) {
        Some(words) => format!("{error} ({words})"),
        None => error.to_string(),
    };
    let mut lines: Vec<String> = errors.iter().take(MOST_LISTED).map(line).collect();
    lines.extend(more(errors.len(), "faults"));
    lines.join("\n")
}

/// The warnings of an answer.
pub(super) fn warnings(warnings: &[Diagnostic]) -> Vec<String> {
    let mut lines: Vec<String> = warnings.iter().take(MOST_LISTED).map(short).collect();
    lines.extend(more(warnings.len(), "warnings"));
    lines
}

fn more(count: usize, what: &str) -> Option<String> {
    let rest = count.checked_sub(MOST_LISTED).filter(|rest| *rest > 0)?;
    Some(format!("{rest} more {what} are not listed"))
}

fn short(warning: &Diagnostic) -> String {
    let text = warning.to_string();
    if text.chars().count() <= LONGEST_WARNING {
        return text;
    }
    let mut cut: String = text.chars().take(LONGEST_WARNING - 1).collect();
    cut.push('…');
    cut
}

/// The words by which MetalLB's users and tests know a denial.
fn familiar(error: &Diagnostic, namespace: &str) -> Option<String> {
    let value = error.value.as_deref().unwrap_or_default();
    let is_of_address = error.field == FieldPath::spec().key("peerAddress");
    Some(match error.code {
        code if ELSEWHERE.contains(&code) => {
            format!("resource must be created in {namespace} namespace")
        }
        p::P009 => "overlaps with already defined CIDR".to_owned(),
        c::C001 => "invalid community value: invalid section".to_owned(),
        c::C002 => "expected community to be of format large".to_owned(),
        c::C003 => "invalid community format".to_owned(),
        c::C004 => "duplicate definition of community".to_owned(),
        a::A005 => "serviceSelectors and aggregationLength are mutually exclusive".to_owned(),
        a::A007 => format!("invalid aggregation length {value}"),
        a::A009 => format!("invalid community {value:?} in BGP advertisement"),
        b::B007 if is_of_address => "invalid BGPPeer address".to_owned(),
        b::B060 => "already exists".to_owned(),
        _ => return None,
    })
}

/// The fault of a deletion, where peers use the profile.
pub(super) fn in_use(profile: &ObjectRef, users: &[&str]) -> Option<Diagnostic> {
    let first = users.first()?;
    let others = match users.len() {
        1 => String::new(),
        count => format!(" and {} more", count - 1),
    };
    let name = &profile.name;
    let cause = format!("failed to delete BFDProfile {name}, used by BGPPeer {first}{others}");
    let remedy = "take bfdProfile out of the peers first, or delete them";
    Some(Diagnostic::error(w::W004, profile.clone(), cause, remedy))
}

/// The fault of a request that was sent to the wrong path.
pub(super) fn misdirected(webhook: Webhook, order: &Order, object: &ObjectRef) -> Diagnostic {
    let kind = &order.kind;
    let given = format!("{}/{} {}", kind.group, kind.version, kind.kind);
    let cause = format!(
        "{} judges metallb.io/{} {} alone",
        webhook.path(),
        webhook.version(),
        webhook.kind()
    );
    let remedy = "correct the paths and rules of the ValidatingWebhookConfiguration";
    let field = FieldPath::root().key("request").key("kind");
    Diagnostic::error(w::W002, object.clone(), cause, remedy)
        .at(field)
        .value(given)
}

/// The fault of an object that is not of the form of its kind. A peer's may quote its password.
pub(super) fn undecodable(object: &ObjectRef, why: Unreadable) -> Diagnostic {
    let cause = match &*object.kind {
        "BGPPeer" => "it cannot be read as its kind".to_owned(),
        _ => format!("it cannot be read as its kind: {}", why.cause),
    };
    let remedy =
        "apply the CRDs of this release, and compare the object with its kind's definition";
    Diagnostic::error(w::W003, object.clone(), cause, remedy).at(why.field)
}

/// A warning where the object was written in a version that is going.
pub(super) fn deprecation(order: &Order, object: &ObjectRef) -> Option<Diagnostic> {
    let written = order.request_kind.as_ref()?;
    let is_old = written.kind == "BGPPeer" && written.version == "v1beta1";
    is_old.then(|| {
        let cause = "this version of BGPPeer is deprecated";
        let remedy = "write metallb.io/v1beta2, which has the same fields and more";
        Diagnostic::error(w::W006, object.clone(), cause, remedy)
            .at(FieldPath::root().key("apiVersion"))
            .value("metallb.io/v1beta1")
            .warning()
    })
}
