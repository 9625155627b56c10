// SPDX-License-Identifier: Apache-2.0
//! BFD profiles: rule B20 of the controller reference, defaults of section 5 of the design.

use std::{collections::BTreeMap, ops::RangeInclusive, sync::Arc, time::Duration};

use ferrolb_api::resource::BFDProfile as Object;
use ferrolb_types::{FieldPath, codes::peer as code};

use super::{
    report::{Parsed, Report},
    settle::Rules,
};
use crate::{compiled::BfdProfile, resources::Kind};

const INTERVAL: RangeInclusive<u32> = 10..=60_000;
const MULTIPLIER: RangeInclusive<u32> = 2..=255;
const TTL: RangeInclusive<u32> = 1..=254;

/// The profiles in force.
#[derive(Default)]
pub(crate) struct BfdRules {
    pub(crate) in_force: BTreeMap<String, Arc<BfdProfile>>,
}

impl Rules<Object> for BfdRules {
    type Form = BfdProfile;

    fn parse(&mut self, object: &Object) -> Parsed<BfdProfile> {
        let mut report = Report::new(object.reference());
        let spec = &object.spec;
        let r = &mut report;
        let milliseconds = |number: u32| Duration::from_millis(number.into());
        let receive = bounded(r, "receiveInterval", spec.receive_interval, INTERVAL, 300);
        let transmit = bounded(r, "transmitInterval", spec.transmit_interval, INTERVAL, 300);
        let multiplier = bounded(r, "detectMultiplier", spec.detect_multiplier, MULTIPLIER, 3);
        let echo = bounded(r, "echoInterval", spec.echo_interval, INTERVAL, 50);
        let ttl = bounded(r, "minimumTtl", spec.minimum_ttl, TTL, 254);
        let form = BfdProfile {
            name: object.name().to_owned(),
            receive_interval: milliseconds(receive),
            transmit_interval: milliseconds(transmit),
            detect_multiplier: u8::try_from(multiplier).unwrap_or(u8::MAX),
            echo_interval: milliseconds(echo),
            echo_mode: spec.echo_mode.unwrap_or(false),
            passive_mode: spec.passive_mode.unwrap_or(false),
            minimum_ttl: u8::try_from(ttl).unwrap_or(u8::MAX),
        };
        Parsed { form, report }
    }

    fn enter(&mut self, form: BfdProfile) {
        self.in_force.insert(form.name.clone(), Arc::new(form));
    }
}

fn bounded(
    report: &mut Report,
    field: &'static str,
    value: Option<u32>,
    bounds: RangeInclusive<u32>,
    default: u32,
) -> u32 {
    let value = value.unwrap_or(default);
    if !bounds.contains(&value) {
        let (low, high) = bounds.into_inner();
        let cause = format!("it is not between {low} and {high}");
        let remedy = format!("write a number from {low} to {high}");
        let at = FieldPath::spec().key(field);
        report.refuse(code::B020, at, Some(&value.to_string()), cause, remedy);
    }
    value
}
