// SPDX-License-Identifier: Apache-2.0
//! The timers of a peer: rules B8 to B11, and the bounds of `connectTime`.

use std::time::Duration;

use ferrolb_api::resource::BGPPeerSpec;
use ferrolb_types::codes::peer as code;

use super::{Report, field};
use crate::{compiled::Timers, duration};

/// RFC 4271 section 4.2: the hold time is zero or at least three seconds, and has 16 bits.
const SHORTEST_HOLD: u64 = 3;
const LONGEST: u64 = u16::MAX as u64;
/// RFC 4271 section 4.4: keepalives must not be sent more often than once a second.
const SHORTEST_KEEPALIVE: Duration = Duration::from_secs(1);

pub(super) fn parse(report: &mut Report, spec: &BGPPeerSpec) -> Timers {
    let hold = read(report, "holdTime", spec.hold_time.as_deref());
    let keepalive = read(report, "keepaliveTime", spec.keepalive_time.as_deref());
    let connect = read(report, "connectTime", spec.connect_time.as_deref());
    check_connect(report, spec, connect);
    let (hold, keepalive) = match (hold, keepalive) {
        (None, None) => {
            return Timers {
                connect,
                ..Timers::default()
            };
        }
        (Some(hold), None) => (hold, hold / 3),
        (None, Some(keepalive)) => (keepalive.saturating_mul(3), keepalive),
        (Some(hold), Some(keepalive)) => (hold, keepalive),
    };
    check_pair(report, spec, hold, keepalive);
    let seconds = Duration::from_secs(hold.as_secs());
    let keepalive = raise(report, spec, seconds, keepalive);
    Timers {
        hold: Some(seconds),
        keepalive: Some(keepalive.min(seconds)),
        connect,
    }
}

fn read(report: &mut Report, name: &'static str, text: Option<&str>) -> Option<Duration> {
    let text = text?;
    match duration::parse(text) {
        Ok(time) => Some(time),
        Err(error) => {
            let remedy = "write numbers with units, for example 90s, 1m30s or 500ms";
            report.refuse(
                code::B011,
                field(name),
                Some(text),
                error.to_string(),
                remedy,
            );
            None
        }
    }
}

/// The hold time is judged in whole seconds, and may come from the keepalive time.
fn check_pair(report: &mut Report, spec: &BGPPeerSpec, hold: Duration, keepalive: Duration) {
    let text = spec.hold_time.as_deref().or(spec.keepalive_time.as_deref());
    let name = if spec.hold_time.is_some() {
        "holdTime"
    } else {
        "keepaliveTime"
    };
    let seconds = hold.as_secs();
    if (1..SHORTEST_HOLD).contains(&seconds) {
        let cause = format!("the hold time would be {seconds} s, and BGP allows 0 or at least 3 s");
        let remedy = "write a hold time of 3s or more, or 0s for none";
        report.refuse(code::B009, field(name), text, cause, remedy);
    }
    if seconds > LONGEST {
        let cause =
            format!("the hold time would be {seconds} s, and BGP can say {LONGEST} s at most");
        let remedy = "write a shorter time";
        report.refuse(code::B067, field(name), text, cause, remedy);
    }
    if keepalive > hold {
        let cause = "the session would time out between two keepalives";
        let remedy = "write a keepalive time of a third of the hold time, or none";
        let text = spec.keepalive_time.as_deref();
        report.refuse(code::B010, field("keepaliveTime"), text, cause, remedy);
    }
    if hold.subsec_nanos() != 0 && (seconds == 0 || seconds >= SHORTEST_HOLD) {
        let cause = format!("BGP counts hold time in whole seconds, so it is {seconds} s");
        let remedy = "write whole seconds";
        report.warn(code::B069, field(name), text, cause, remedy);
    }
}

/// The keepalive time, or the shortest there may be. With a hold time of 0 there are no keepalives.
fn raise(report: &mut Report, spec: &BGPPeerSpec, hold: Duration, time: Duration) -> Duration {
    if hold.is_zero() || time.is_zero() || time >= SHORTEST_KEEPALIVE {
        return time;
    }
    if hold.as_secs() >= SHORTEST_HOLD {
        let cause = "BGP allows one keepalive a second at most, so it is 1 s";
        let remedy = "write 1s or more, or remove the field for a third of the hold time";
        let text = spec.keepalive_time.as_deref();
        report.warn(code::B070, field("keepaliveTime"), text, cause, remedy);
    }
    SHORTEST_KEEPALIVE
}

fn check_connect(report: &mut Report, spec: &BGPPeerSpec, connect: Option<Duration>) {
    let Some(connect) = connect else { return };
    let whole = connect.subsec_nanos() == 0;
    if !whole || !(1..=LONGEST).contains(&connect.as_secs()) {
        let cause = "it is not a whole number of seconds from 1 to 65535";
        let remedy = "write whole seconds, 1s to 65535s";
        let text = spec.connect_time.as_deref();
        report.refuse(code::B061, field("connectTime"), text, cause, remedy);
    }
}
