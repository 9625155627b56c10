// SPDX-License-Identifier: Apache-2.0
//! The vocabulary of FerroLB: names, numbers, address ranges, communities, reason codes and diagnostics.
//!
//! Everything here is parsed at the border and printed at the border; inside, no crate passes a bare
//! string or integer where one of these types says what it means. This crate knows no resource, no
//! protocol machine and no I/O.

pub mod codes;
mod community;
mod diagnostic;
mod key;
mod labels;
mod name;
mod number;
mod range;
mod route;
mod secret;

pub use codes::Code;
pub use community::{Community, CommunityError, LargeCommunity, StandardCommunity};
pub use diagnostic::{Diagnostic, FieldPath, ObjectRef, Position, Segment, Severity};
pub use key::{EndpointSliceKey, ServiceKey};
pub use labels::Labels;
pub use name::{NodeName, PeerName, PoolName};
pub use number::{Asn, RouterId};
pub use range::{Family, IpRange, RangeError};
pub use route::{RouteAttributes, RouteTargets};
pub use secret::Secret;
