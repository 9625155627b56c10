// SPDX-License-Identifier: Apache-2.0
//! Real routers as peers and judges: BIRD, FRR, GoBGP, OpenBGPD.
//!
//! One [`RouterConfig`] is written in each daemon's own language; each daemon's own command line is
//! read back into one [`RouterView`]. The daemons run in the foreground, in a namespace, with every
//! file in the run's folder.

mod bird;
mod config;
mod frr;
mod gobgp;
mod openbgpd;
mod view;

pub use bird::Bird;
pub use config::{Families, Neighbor, RouterConfig, StaticRoute, Timers};
pub use frr::Frr;
pub use gobgp::Gobgp;
pub use openbgpd::Openbgpd;
pub use view::{Route, RouterView, Session, SessionState};

use std::{fmt, time::Duration};

use anyhow::Result;

use crate::{netns::Namespace, process::Process, wait};

/// The longest a daemon may take to answer its command line after its start.
const START: Duration = Duration::from_secs(10);

/// A running router.
pub trait Router: Send {
    /// Its BGP process.
    fn process(&self) -> &Process;

    /// Its sessions.
    ///
    /// # Errors
    /// Its command line fails.
    fn sessions(&self) -> Result<Vec<Session>>;

    /// All routes it has learnt or was given, of both families.
    ///
    /// # Errors
    /// Its command line fails.
    fn routes(&self) -> Result<Vec<Route>>;

    /// What its own command line says to a command, word for word.
    ///
    /// # Errors
    /// Its command line fails.
    fn cli(&self, command: &str) -> Result<String>;

    /// Sessions and routes together.
    ///
    /// # Errors
    /// Its command line fails.
    fn view(&self) -> Result<RouterView> {
        Ok(RouterView {
            sessions: self.sessions()?,
            routes: self.routes()?,
        })
    }

    /// Polls the view until a condition holds; returns it with the time that took.
    ///
    /// # Errors
    /// Not within `patience`; the message holds the last view.
    fn wait_for(
        &self,
        what: &str,
        patience: Duration,
        holds: &mut dyn FnMut(&RouterView) -> bool,
    ) -> Result<(RouterView, Duration)> {
        let mut last = None;
        wait::arrival(what, patience, || {
            let view = self.view()?;
            let done = holds(&view);
            last = Some(view.clone());
            Ok(done.then_some(view))
        })
        .map_err(|error| match last {
            Some(view) => error.context(format!("the router's last view:\n{view}")),
            None => error,
        })
    }
}

/// The daemons there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// BIRD 2 (Debian package `bird2`).
    Bird,
    /// FRRouting (`frr`).
    Frr,
    /// GoBGP (`gobgpd`). Installs no kernel routes.
    Gobgp,
    /// OpenBGPD (`openbgpd`). Installs no kernel routes on Linux.
    Openbgpd,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Bird, Self::Frr, Self::Gobgp, Self::Openbgpd];

    /// The programs it needs, as [`crate::require::able`] takes them.
    #[must_use]
    pub fn programs(self) -> &'static [&'static str] {
        match self {
            Self::Bird => &["bird", "birdc"],
            Self::Frr => &[frr::ZEBRA, frr::BGPD, "vtysh"],
            Self::Gobgp => &["gobgpd", "gobgp"],
            Self::Openbgpd => &[openbgpd::BGPD, "bgpctl"],
        }
    }

    /// Whether it puts routes into the kernel, so that traffic flows through it.
    #[must_use]
    pub fn forwards(self) -> bool {
        matches!(self, Self::Bird | Self::Frr)
    }

    /// Starts it in a namespace and waits until its command line answers.
    ///
    /// # Errors
    /// It is not installed, or refuses the configuration.
    pub fn start(self, namespace: &Namespace, config: &RouterConfig) -> Result<Box<dyn Router>> {
        Ok(match self {
            Self::Bird => Box::new(Bird::start(namespace, config)?),
            Self::Frr => Box::new(Frr::start(namespace, config)?),
            Self::Gobgp => Box::new(Gobgp::start(namespace, config)?),
            Self::Openbgpd => Box::new(Openbgpd::start(namespace, config)?),
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bird => "BIRD",
            Self::Frr => "FRR",
            Self::Gobgp => "GoBGP",
            Self::Openbgpd => "OpenBGPD",
        })
    }
}
