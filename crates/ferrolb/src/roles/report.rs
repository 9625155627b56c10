// SPDX-License-Identifier: Apache-2.0
//! What a process on a folder says when it is asked.

use super::process::Process;
use crate::{
    announcing::report,
    status::report::{Fault, Report, ServiceReport},
};

/// The report of a process.
pub(super) async fn of(process: &Process) -> Report {
    let mut report = Report {
        role: process.role.name().to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        uptime_ms: report::millis(process.started.elapsed()),
        synced: process.is_synced(),
        faults: process.faults(),
        services: services(process),
        pools: process
            .assigning
            .as_ref()
            .map(super::assigning::Assigning::pools)
            .unwrap_or_default(),
        ..Report::default()
    };
    if let Some(announcing) = &process.announcing {
        report::fill(&mut report, announcing).await;
    }
    report
}

fn services(process: &Process) -> Vec<ServiceReport> {
    let held = process.roster.generation().services.iter();
    held.map(|(key, held)| {
        let refusal = process
            .assigning
            .as_ref()
            .and_then(|assigning| assigning.refusal(key));
        let mut line = ServiceReport {
            service: key.to_string(),
            addresses: held.addresses.clone(),
            pool: held.pool.as_ref().map(ToString::to_string),
            pending: refusal.map(|refusal| Fault::from(&process.model.positioned(&refusal))),
            ..ServiceReport::default()
        };
        if let Some(announcing) = &process.announcing {
            report::service(&mut line, announcing, key);
        }
        line
    })
    .collect()
}
