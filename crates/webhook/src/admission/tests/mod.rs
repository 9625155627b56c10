// SPDX-License-Identifier: Apache-2.0
//! Tests of admission: the tables of the behaviour reference, what denies and what does not, envelopes.

mod cases;
mod cases_peers;
mod envelope;
mod properties;
mod registration;
mod rules;
mod support;
mod verdicts;
