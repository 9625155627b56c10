// SPDX-License-Identifier: Apache-2.0
//! Fields that ask for what the BGP engine cannot do yet: a peer that sets one is refused, so that
//! nothing it asks for is silently missing.

use ferrolb_api::resource::BGPPeerSpec;
use ferrolb_types::{Code, codes::peer as code};

use super::{Report, field, filled};

/// A field, its code, and whether the peer asks for it.
type Lacking = (&'static str, Code, fn(&BGPPeerSpec) -> bool);

/// A feature that arrives leaves this list.
const LACKING: &[Lacking] = &[
    ("bfdProfile", code::B051, |spec| {
        filled(spec.bfd_profile.as_ref()).is_some()
    }),
    ("vrf", code::B052, |spec| {
        filled(spec.vrf.as_ref()).is_some()
    }),
    ("enableGracefulRestart", code::B053, |spec| {
        spec.enable_graceful_restart == Some(true)
    }),
    ("interface", code::B054, |spec| {
        filled(spec.interface.as_ref()).is_some()
    }),
    ("dynamicASN", code::B055, |spec| {
        filled(spec.dynamic_asn.as_ref()).is_some()
    }),
    ("localASN", code::B056, |spec| spec.local_asn.is_some()),
];

pub(super) fn check(report: &mut Report, spec: &BGPPeerSpec) {
    for (name, code, asked) in LACKING {
        if asked(spec) {
            let cause = format!("{name} is not supported yet");
            let remedy = "remove the field, or keep this peer with another speaker";
            report.refuse(*code, field(name), None, cause, remedy);
        }
    }
    if spec.disable_mp == Some(true) {
        let cause = "the field has no effect";
        let remedy =
            "remove it: a session carries its own family, or both with dualStackAddressFamily";
        report.warn(code::B057, field("disableMP"), Some("true"), cause, remedy);
    }
}
