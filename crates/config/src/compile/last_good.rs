// SPDX-License-Identifier: Apache-2.0
//! The last good version of every object, to go on with when its present form is refused.

use std::{collections::BTreeMap, fmt, sync::Arc};

use ferrolb_api::resource::{
    BFDProfile, BGPAdvertisement, BGPPeer, Community, IPAddressPool, L2Advertisement,
};
use ferrolb_types::Secret;
use serde::{Deserialize, Serialize};

use crate::resources::Kind;

/// The last good versions of the objects of one kind, by name.
pub(crate) type Kept<K> = BTreeMap<String, Arc<K>>;

/// The last good versions of all objects, serialisable so that a restart remembers them.
///
/// Advertisements are kept with their community aliases resolved. Peers are kept as written: a password
/// in clear text is written out with them, so the file belongs to its owner alone (mode 0600). Passwords
/// that came from a Secret are remembered in memory only.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct LastGood {
    pub(crate) pools: Kept<IPAddressPool>,
    pub(crate) communities: Kept<Community>,
    pub(crate) peers: Kept<BGPPeer>,
    pub(crate) bfd_profiles: Kept<BFDProfile>,
    pub(crate) bgp_advertisements: Kept<BGPAdvertisement>,
    pub(crate) l2_advertisements: Kept<L2Advertisement>,
    #[serde(skip)]
    pub(crate) passwords: BTreeMap<String, Secret>,
}

/// A kind whose last good versions are kept.
pub(crate) trait Keep: Kind {
    fn kept(last_good: &mut LastGood) -> &mut Kept<Self>;
}

macro_rules! keep {
    ($($kind:ident $field:ident)*) => {$(
        impl Keep for $kind {
            fn kept(last_good: &mut LastGood) -> &mut Kept<Self> {
                &mut last_good.$field
            }
        }
    )*};
}

keep! {
    IPAddressPool pools
    Community communities
    BGPPeer peers
    BFDProfile bfd_profiles
    BGPAdvertisement bgp_advertisements
    L2Advertisement l2_advertisements
}

impl fmt::Debug for LastGood {
    /// Names alone: the objects may hold passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LastGood")
            .field("pools", &self.pools.keys())
            .field("communities", &self.communities.keys())
            .field("peers", &self.peers.keys())
            .field("bfd_profiles", &self.bfd_profiles.keys())
            .field("bgp_advertisements", &self.bgp_advertisements.keys())
            .field("l2_advertisements", &self.l2_advertisements.keys())
            .finish()
    }
}
