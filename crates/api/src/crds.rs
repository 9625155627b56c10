// SPDX-License-Identifier: Apache-2.0
//! The CustomResourceDefinitions we ship: the files of `deploy/crds`, carried in the binary.
//!
//! Their structure is that of MetalLB's, so that either project's objects apply under either project's
//! definitions; the descriptions are our own.

/// One CustomResourceDefinition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crd {
    /// Its name: `ipaddresspools.metallb.io`.
    pub name: &'static str,
    /// The kind it defines.
    pub kind: &'static str,
    /// The definition as YAML, one document.
    pub yaml: &'static str,
}

macro_rules! crds {
    ($($kind:literal $plural:literal)*) => {
        &[$(Crd {
            name: concat!($plural, ".metallb.io"),
            kind: $kind,
            yaml: include_str!(concat!("../../../deploy/crds/metallb.io_", $plural, ".yaml")),
        }),*]
    };
}

static ALL: &[Crd] = crds! {
    "BFDProfile" "bfdprofiles"
    "BGPAdvertisement" "bgpadvertisements"
    "BGPPeer" "bgppeers"
    "Community" "communities"
    "ConfigurationState" "configurationstates"
    "IPAddressPool" "ipaddresspools"
    "L2Advertisement" "l2advertisements"
    "ServiceBGPStatus" "servicebgpstatuses"
    "ServiceL2Status" "servicel2statuses"
};

/// All nine, by kind.
#[must_use]
pub fn all() -> &'static [Crd] {
    ALL
}
