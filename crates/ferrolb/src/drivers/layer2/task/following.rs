// SPDX-License-Identifier: Apache-2.0
//! The interfaces as the kernel tells of them: followed, opened where they qualify, and made known.

use std::{io, sync::Arc};

use ferrolb_l2::{Input, Interface, MacAddress};
use ferrolb_netio::{
    links::{Link, LinkEvent, LinkWatch},
    packet::Protocol,
};

use super::Task;
use crate::drivers::layer2::{
    InterfaceStatus,
    qualify::{Qualified, qualify},
};

impl Task {
    pub(super) fn on_links(&mut self, result: io::Result<Vec<LinkEvent>>) {
        match result {
            Ok(events) => {
                for event in events {
                    match event {
                        LinkEvent::Changed(link) => self.on_link(&link),
                        LinkEvent::Gone { ifindex } => self.on_link_gone(ifindex),
                        LinkEvent::Synced => self.on_followed(),
                    }
                }
                self.publish();
            }
            Err(error) => {
                self.on_not_followed(&error);
                self.watch = None;
                self.retry_later();
            }
        }
    }

    fn on_link(&mut self, link: &Link) {
        if self.exclude.matches(&link.name) {
            // It may have been renamed into the exclusion.
            self.on_link_gone(link.ifindex);
            return;
        }
        let verdict = qualify(link);
        let wants = |protocol| match (&verdict, protocol) {
            (Ok(qualified), Protocol::Arp) => qualified.arp,
            (Ok(qualified), Protocol::Ndp) => qualified.ndp.is_some(),
            (Err(_), _) => false,
        };
        let arp = self
            .ports
            .set((link.ifindex, Protocol::Arp), wants(Protocol::Arp));
        let ndp = self
            .ports
            .set((link.ifindex, Protocol::Ndp), wants(Protocol::Ndp));
        let name: Arc<str> = link.name.as_str().into();
        let open = verdict.ok().map(|qualified| Qualified {
            arp,
            ndp: qualified.ndp.filter(|_| ndp),
            ..qualified
        });
        let status = InterfaceStatus {
            ifindex: link.ifindex,
            name: name.clone(),
            mac: link.mac.map(|mac| MacAddress(mac).to_string()),
            arp,
            ndp: open.and_then(|open| open.ndp),
            unsuitable: verdict.err(),
            fault: self.ports.fault(link.ifindex),
        };
        self.interfaces.insert(link.ifindex, status);
        self.tell_responder(link.ifindex, name, open);
        if self.ports.is_incomplete() {
            self.retry_later();
        }
    }

    fn tell_responder(&mut self, ifindex: u32, name: Arc<str>, open: Option<Qualified>) {
        match open {
            Some(Qualified { mac, arp, ndp }) => {
                let interface = Interface {
                    ifindex,
                    name,
                    mac: mac.into(),
                    arp,
                    ndp,
                };
                self.feed(Input::Interface(interface));
            }
            None => self.feed(Input::InterfaceGone { ifindex }),
        }
    }

    fn on_link_gone(&mut self, ifindex: u32) {
        self.interfaces.remove(&ifindex);
        self.feed(Input::InterfaceGone { ifindex });
        for protocol in [Protocol::Arp, Protocol::Ndp] {
            self.ports.set((ifindex, protocol), false);
        }
    }

    /// Follows the interfaces again; what vanished in the meantime is told by the caller's table.
    pub(super) fn reopen_watch(&mut self) {
        match LinkWatch::open() {
            Ok(watch) => {
                self.watch = Some(watch);
                self.is_complete = false;
                // The new table knows nothing of what is gone: begin anew.
                let known: Vec<u32> = self.interfaces.keys().copied().collect();
                for ifindex in known {
                    self.on_link_gone(ifindex);
                }
            }
            Err(error) => self.on_not_followed(&error),
        }
    }

    fn on_not_followed(&mut self, error: &io::Error) {
        if self.said_of_watch.is_news((), error) {
            tracing::warn!(%error, "interfaces are not followed; trying again");
        }
    }

    fn on_followed(&mut self) {
        self.is_complete = true;
        if self.said_of_watch.is_over(&()) {
            tracing::info!("interfaces are followed again");
        }
    }

    /// Looks at an interface again.
    pub(super) fn refresh(&mut self, ifindex: u32) {
        let link = self
            .watch
            .as_ref()
            .and_then(|watch| watch.links().get(ifindex))
            .cloned();
        if let Some(link) = link {
            self.on_link(&link);
        }
    }

    pub(super) fn publish(&mut self) {
        if self.is_complete {
            self.publish_interfaces();
        }
        if let Some(watch) = &self.watch {
            self.published
                .links
                .send_replace(Arc::new(watch.links().clone()));
        }
    }

    fn publish_interfaces(&mut self) {
        let is_first = !std::mem::replace(&mut self.has_told, true);
        let interfaces: Vec<_> = self.interfaces.values().cloned().collect();
        self.published.interfaces.send_if_modified(|before| {
            let is_news = is_first || *before != interfaces;
            *before = interfaces;
            is_news
        });
    }
}
