// SPDX-License-Identifier: Apache-2.0
//! The CEL rules of the CRDs (`x-kubernetes-validations`), each by hand.
//!
//! A rule is known by its text, so that a changed rule in a CRD is noticed: a test demands that every
//! rule of every CRD is found here.

use std::time::Duration;

use serde_json::Value as Json;

use crate::duration;

/// A rule of a CRD.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// On a `BGPAdvertisement`'s spec: serviceSelectors only without aggregation.
    SelectorsWithoutAggregation,
    /// On `connectTime`: 1 to 65535 seconds.
    ConnectTimeBounds,
    /// On `connectTime`: no fraction of a second.
    WholeSeconds,
    /// A value once set stays. Looked at when an object is changed, not by itself.
    Immutable,
}

/// The texts of the rules, blanks squeezed.
const TEXTS: [(&str, Rule); 4] = [
    (
        "!has(self.serviceSelectors) || self.serviceSelectors.size() == 0 || \
         ((!has(self.aggregationLength) || self.aggregationLength == 32) && \
         (!has(self.aggregationLengthV6) || self.aggregationLengthV6 == 128))",
        Rule::SelectorsWithoutAggregation,
    ),
    (
        "duration(self).getSeconds() >= 1 && duration(self).getSeconds() <= 65535",
        Rule::ConnectTimeBounds,
    ),
    (
        "duration(self).getMilliseconds() % 1000 == 0",
        Rule::WholeSeconds,
    ),
    ("self == oldSelf", Rule::Immutable),
];

impl Rule {
    /// The rule with this text.
    pub fn find(text: &str) -> Option<Self> {
        let squeezed: Vec<&str> = text.split_whitespace().collect();
        let squeezed = squeezed.join(" ");
        let found = TEXTS.iter().find(|(text, _)| *text == squeezed);
        found.map(|(_, rule)| *rule)
    }

    /// Whether a new value satisfies the rule.
    pub fn holds(self, value: &Json) -> bool {
        match self {
            Self::SelectorsWithoutAggregation => selectors_without_aggregation(value),
            Self::ConnectTimeBounds => {
                time(value).is_some_and(|time| (1..=65535).contains(&time.as_secs()))
            }
            // What is no duration fails the bounds already. Below a millisecond the rule does not look.
            Self::WholeSeconds => time(value).is_none_or(|time| time.subsec_millis() == 0),
            Self::Immutable => true,
        }
    }

    /// The member of the value that the fault is shown at.
    pub fn culprit(self) -> Option<&'static str> {
        match self {
            Self::SelectorsWithoutAggregation => Some("serviceSelectors"),
            Self::ConnectTimeBounds | Self::WholeSeconds | Self::Immutable => None,
        }
    }

    /// What to do where it does not hold.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::SelectorsWithoutAggregation => {
                "remove the aggregation lengths, or announce the Services through a pool of their own"
            }
            Self::ConnectTimeBounds => "write a duration from `1s` to `65535s`",
            Self::WholeSeconds => "write a duration in whole seconds, such as `10s`",
            Self::Immutable => "delete the object and create it anew",
        }
    }
}

fn selectors_without_aggregation(spec: &Json) -> bool {
    let is = |key: &str, full: i64| spec.get(key).is_none_or(|length| *length == full);
    let selectors = spec.get("serviceSelectors").and_then(Json::as_array);
    selectors.is_none_or(Vec::is_empty)
        || is("aggregationLength", 32) && is("aggregationLengthV6", 128)
}

/// The duration a text says, if it says one.
fn time(value: &Json) -> Option<Duration> {
    duration::parse(value.as_str()?).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn connect_time() {
        // Duration, within bounds, whole seconds.
        let table = [
            ("1s", true, true),
            ("65535s", true, true),
            ("65535.9s", true, false),
            ("65536s", false, true),
            ("0", false, true),
            ("-5s", false, true),
            ("+5s", true, true),
            ("999ms", false, false),
            ("1500ms", true, false),
            ("1s500us", true, true),
            ("1m0.5s", true, false),
            ("18h12m15s", true, true),
            ("1.000s", true, true),
            ("", false, true),
            ("5", false, true),
            ("5 s", false, true),
            ("s", false, true),
            (".s", false, true),
            ("1..5s", false, true),
            ("99999999999h", false, true),
        ];
        for (text, within, whole) in table {
            let value = json!(text);
            assert_eq!(Rule::ConnectTimeBounds.holds(&value), within, "{text}");
            assert_eq!(Rule::WholeSeconds.holds(&value), whole, "{text}");
        }
    }

    #[test]
    fn selectors_and_aggregation() {
        let table = [
            (json!({}), true),
            (json!({"aggregationLength": 24}), true),
            (
                json!({"serviceSelectors": [], "aggregationLength": 24}),
                true,
            ),
            (json!({"serviceSelectors": [{}]}), true),
            (
                json!({"serviceSelectors": [{}], "aggregationLength": 32, "aggregationLengthV6": 128}),
                true,
            ),
            (
                json!({"serviceSelectors": [{}], "aggregationLength": 24}),
                false,
            ),
            (
                json!({"serviceSelectors": [{}], "aggregationLengthV6": 64}),
                false,
            ),
        ];
        for (spec, want) in table {
            assert_eq!(
                Rule::SelectorsWithoutAggregation.holds(&spec),
                want,
                "{spec}"
            );
        }
    }
}
