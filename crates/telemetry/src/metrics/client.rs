// SPDX-License-Identifier: Apache-2.0
//! `metallb_k8s_client_*`: how the inputs fare.

use super::{Counter, Switch};
use crate::text::Page;

/// How the inputs fare.
#[derive(Clone, Debug, Default)]
pub struct Client {
    /// Objects that came in and were looked at.
    pub updates: Counter,
    /// Those of them that could not be carried out.
    pub update_errors: Counter,
    /// A configuration is in force.
    pub config_loaded: Switch,
    /// The newest configuration is not in force as a whole: some object of it is refused.
    pub config_stale: Switch,
}

impl Client {
    pub(super) fn write(&self, page: &mut Page) {
        page.counter(
            "metallb_k8s_client_updates_total",
            "Objects taken in from the source and looked at.",
        )
        .add(&[], self.updates.get());
        page.counter(
            "metallb_k8s_client_update_errors_total",
            "Objects taken in that could not be carried out.",
        )
        .add(&[], self.update_errors.get());
        page.gauge(
            "metallb_k8s_client_config_loaded_bool",
            "1 once a configuration is in force.",
        )
        .add(&[], self.config_loaded.get());
        page.gauge(
            "metallb_k8s_client_config_stale_bool",
            "1 while the newest configuration is not wholly in force.",
        )
        .add(&[], self.config_stale.get());
    }
}
