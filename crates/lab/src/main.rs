// SPDX-License-Identifier: Apache-2.0
//! The lab's own program: the demo, and the children the lab runs inside namespaces.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Result;
use clap::{Parser, Subcommand};
use ferrolb_lab::{bench, cluster, demo, probe, reference, run, serve};

/// Network-namespace topologies with real routers, clients and faults.
#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Show the load balancer at work: three nodes, two routers, two clients, and faults.
    Demo {
        /// The folder of manifests.
        #[arg(long, default_value = "examples/demo", value_name = "DIR")]
        manifests: PathBuf,
    },
    /// Run an API server with our manifests until standard input closes, to try things on.
    Cluster {
        /// The folder of `deploy` to apply.
        #[arg(long, default_value = "overlays/without-webhooks", value_name = "DIR")]
        overlay: String,
    },
    /// Serve a page with this name until standard input closes.
    Serve {
        /// The page's text.
        name: String,
        /// Where to listen.
        #[arg(required = true)]
        addresses: Vec<SocketAddr>,
    },
    /// Ask for a page again and again until standard input closes, one line for each request.
    Probe {
        /// Whom to ask.
        target: SocketAddr,
        /// From one request to the next, in microseconds.
        #[arg(long, default_value_t = 2_000)]
        interval_us: u64,
        /// How long a step of a request may take, in microseconds.
        #[arg(long, default_value_t = 60_000)]
        patience_us: u64,
    },
    /// Ask for a page once and print its first line.
    Get {
        /// Whom to ask.
        target: SocketAddr,
    },
    /// Measure BIRD as the sender of many routes to another BIRD.
    Reference {
        /// How many host routes.
        #[arg(long, default_value_t = 100_000)]
        routes: u32,
    },
    /// Measure the program, and print its figures with those the crates' benchmarks left.
    Bench {
        /// Folder of criterion's files and of the benchmarks' logs.
        #[arg(long, value_name = "DIR")]
        results: Option<PathBuf>,
        /// How many manifests to check.
        #[arg(long, default_value_t = 10_000)]
        manifests: usize,
        /// How many host routes to send.
        #[arg(long, default_value_t = 100_000)]
        routes: u32,
        /// How many Services a standalone process holds.
        #[arg(long, default_value_t = 1_000)]
        services: u32,
        /// How many Services the roles on an API server have.
        #[arg(long, default_value_t = 5_000)]
        cluster_services: u32,
        /// How many withdrawals are timed on an API server.
        #[arg(long, default_value_t = 100)]
        withdrawals: u32,
        /// Measure this part alone.
        #[arg(long, value_enum, value_name = "PART")]
        only: Option<bench::Part>,
        /// How often each is run.
        #[arg(long, default_value_t = 5)]
        runs: u32,
    },
    /// Remove what runs left that were killed.
    Clean,
}

fn main() -> ExitCode {
    match act(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn act(command: Command) -> Result<()> {
    match command {
        Command::Demo { manifests } => demo::demo(&manifests),
        Command::Cluster { overlay } => cluster::stand(&overlay),
        Command::Serve { name, addresses } => serve::serve(&name, &addresses),
        Command::Probe {
            target,
            interval_us,
            patience_us,
        } => probe::child::probe(
            target,
            probe::child::Pace {
                interval: Duration::from_micros(interval_us),
                patience: Duration::from_micros(patience_us),
            },
        ),
        Command::Get { target } => {
            println!("{}", probe::ask(target, Duration::from_secs(2))?);
            Ok(())
        }
        Command::Reference { routes } => show_reference(routes),
        Command::Bench {
            results,
            manifests,
            routes,
            services,
            cluster_services,
            withdrawals,
            only,
            runs,
        } => bench::bench(&bench::Plan {
            results,
            manifests,
            routes,
            services,
            cluster_services,
            withdrawals,
            only,
            runs,
        }),
        Command::Clean => run::clear_leftovers(),
    }
}

fn show_reference(routes: u32) -> Result<()> {
    let run = run::Run::new()?;
    let bench = reference::Bench::new(&run)?;
    let transfer = bench.bird_sends(routes, Duration::from_secs(60))?;
    println!(
        "BIRD sent {routes} routes in {:?}: {:?} on the processor ({:?} of it before its session), \
         {} KiB at most",
        transfer.elapsed, transfer.sender.cpu, transfer.before_session, transfer.sender.peak_kib
    );
    Ok(())
}
