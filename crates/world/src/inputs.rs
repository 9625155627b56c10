// SPDX-License-Identifier: Apache-2.0
//! Everything decisions depend on, in one place, so that a decision is a function of this value.

use std::sync::Arc;

use ferrolb_config::{Config, compiled::Pool};
use ferrolb_types::NodeName;

use crate::{
    holders::Holders, nodes::Nodes, reason::Reason, record::Record, services::Services,
    slab::SlotId,
};

/// How this process takes part.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The own node; a process without one (controller, `plan`) stores no decisions.
    pub node: Option<NodeName>,
    /// The load balancer class it stands for; absent means Services without a class.
    pub lb_class: Option<String>,
    /// Announce also from nodes with the label that excludes them.
    pub ignore_exclude_lb: bool,
}

/// The inputs of every decision.
#[derive(Debug, Default)]
pub(crate) struct Inputs {
    pub(crate) options: Options,
    pub(crate) config: Arc<Config>,
    pub(crate) nodes: Nodes,
    pub(crate) services: Services,
    pub(crate) holders: Holders,
}

impl Inputs {
    /// The pool of a Service's addresses, or why it is announced by no protocol on any node.
    pub(crate) fn pool_of(&self, id: SlotId) -> Result<(&Record, &Arc<Pool>), Reason> {
        let slot = self.services.get(id).ok_or(Reason::NoSuchService)?;
        let record = slot.record.as_ref().ok_or(Reason::NoSuchService)?;
        let addresses = record.addresses.as_ref().map_err(Clone::clone)?;
        let mut pool: Option<&Arc<Pool>> = None;
        for address in addresses.iter() {
            let this = self
                .config
                .pool_of(*address)
                .ok_or_else(|| self.stray(*address))?;
            match pool {
                Some(first) if first.name != this.name => {
                    let names = (first.name.clone(), this.name.clone());
                    return Err(Reason::SeveralPools(Box::new(names)));
                }
                _ => pool = Some(this),
            }
        }
        if let Some(doubled) = self.holders.doubled(&self.services, slot) {
            return Err(doubled);
        }
        pool.map(|pool| (record, pool)).ok_or(Reason::NoAddress)
    }

    /// Why an address is in no pool: it never was in one, or the pool is refused.
    fn stray(&self, address: std::net::IpAddr) -> Reason {
        let mut refused = self.config.refused.iter();
        let holds = refused.find(|(_, refused)| refused.ranges.iter().any(|r| r.contains(address)));
        match holds {
            Some((object, _)) => Reason::PoolRefused(Box::new((address, object.clone()))),
            None => Reason::NotInPool(address),
        }
    }

    /// Whether the node's label takes it out of announcing.
    pub(crate) fn is_excluded(&self, node: &crate::nodes::Node) -> bool {
        node.excluded() && !self.options.ignore_exclude_lb
    }
}
