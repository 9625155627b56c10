// SPDX-License-Identifier: Apache-2.0
//! A cluster to try things on by hand: `ferrolb-lab cluster`.

use std::io;

use anyhow::Result;

use super::{ADMIN, Cluster, Options, deploy};
use crate::{Run, signals};

/// Starts a cluster on this machine's loopback with an overlay of our manifests, says how to reach it,
/// and keeps it until standard input closes.
///
/// # Errors
/// A program is missing, a part does not get ready, or a manifest is refused.
pub fn stand(overlay: &str) -> Result<()> {
    let run = Run::new()?;
    let closing = run.clone();
    signals::on_interrupt(move || closing.close())?;
    let options = Options {
        controllers: true,
        ..Options::default()
    };
    let cluster = Cluster::local(&run, &options)?;
    cluster.install(&deploy(overlay))?;
    println!("export KUBECONFIG={}", cluster.kubeconfig(ADMIN)?.display());
    println!("export PATH={}:$PATH", cluster.programs().dir().display());
    println!("# processes: {:?}; Ctrl-C ends them", cluster.pids());
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}
