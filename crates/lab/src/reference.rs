// SPDX-License-Identifier: Apache-2.0
//! The reference sender: BIRD announcing many routes to another BIRD, with what it used.
//!
//! A benchmark runs it beside the program under test in one run and compares: absolute figures move
//! with the machine, ratios hardly.

use std::{
    net::{IpAddr, Ipv4Addr},
    time::{Duration, Instant},
};

use anyhow::Result;
use ipnet::{IpNet, Ipv4Net};

use crate::{
    link::{self, End},
    measure::Usage,
    netns::Namespace,
    routers::{Bird, Neighbor, Router, RouterConfig, StaticRoute, Timers},
    run::Run,
    wait,
};

/// The receiver's address on the cable.
pub const RECEIVER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

/// The sender's address on the cable.
pub const SENDER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));

/// The receiver's autonomous system.
pub const RECEIVER_AS: u32 = 64500;

/// The sender's autonomous system.
pub const SENDER_AS: u32 = 64501;

/// The interface of either end of the cable.
pub const INTERFACE: &str = "eth0";

/// Two hosts on a cable, the receiver running BIRD.
pub struct Bench {
    /// Where the sender runs.
    pub sender: Namespace,
    /// The receiver.
    pub receiver: Bird,
}

/// What a transfer took and used.
#[derive(Clone, Copy, Debug)]
pub struct Transfer {
    /// From the sender's start until the receiver held every route.
    pub elapsed: Duration,
    /// What the sender used in all, its own start and configuration included.
    pub sender: Usage,
    /// The sender's processor time before its session was up: its start and configuration.
    pub before_session: Duration,
}

impl Bench {
    /// Lays the cable and starts the receiver, which waits for the sender.
    ///
    /// # Errors
    /// A part of it cannot be made.
    pub fn new(run: &Run) -> Result<Self> {
        let receiver = Namespace::create(run, "receiver")?;
        let sender = Namespace::create(run, "sender")?;
        link::veth(end(&receiver), end(&sender))?;
        link::add_address(end(&receiver), IpNet::new(RECEIVER, 24)?)?;
        link::add_address(end(&sender), IpNet::new(SENDER, 24)?)?;
        let config = RouterConfig {
            install: false,
            ..RouterConfig::new(RECEIVER_AS, Ipv4Addr::new(192, 0, 2, 1))
        };
        let config = config.with(neighbor(RECEIVER, SENDER, SENDER_AS));
        Ok(Self {
            receiver: Bird::start(&receiver, &config)?,
            sender,
        })
    }

    /// Waits until the receiver holds this many routes; returns the time that took.
    ///
    /// # Errors
    /// Not within `patience`.
    pub fn received(&self, routes: u64, patience: Duration) -> Result<Duration> {
        wait::until("the receiver holds every route", patience, || {
            Ok(self.receiver.route_count()? == routes)
        })
    }

    /// Has a BIRD send `routes` host routes.
    ///
    /// # Errors
    /// They do not arrive within `patience`.
    pub fn bird_sends(&self, routes: u32, patience: Duration) -> Result<Transfer> {
        let statics = host_routes(routes).map(StaticRoute::new).collect();
        let config = RouterConfig::announcer(SENDER_AS, Ipv4Addr::new(192, 0, 2, 2), statics)
            .with(neighbor(SENDER, RECEIVER, RECEIVER_AS).active());
        let begun = Instant::now();
        let bird = Bird::start(&self.sender, &config)?;
        let before_session = Usage::of(bird.process().pid())?.cpu;
        self.received(routes.into(), patience)?;
        Ok(Transfer {
            elapsed: begun.elapsed(),
            sender: Usage::of(bird.process().pid())?,
            before_session,
        })
    }
}

/// Host routes in sequence from 10.0.0.0, as many as asked.
pub fn host_routes(count: u32) -> impl Iterator<Item = IpNet> {
    let first = u32::from(Ipv4Addr::new(10, 0, 0, 0));
    (0..count).map(move |n| IpNet::V4(Ipv4Net::from(Ipv4Addr::from(first + n))))
}

fn neighbor(local: IpAddr, address: IpAddr, asn: u32) -> Neighbor {
    Neighbor::new(local, address, asn).timed(Timers {
        hold: 90,
        keepalive: 30,
        connect: 1,
    })
}

fn end(namespace: &Namespace) -> End<'_> {
    End {
        namespace,
        interface: INTERFACE,
    }
}
