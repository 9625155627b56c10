// SPDX-License-Identifier: Apache-2.0
//! Area `P`: IPAddressPool (rules P1 to P15 of the reference).
//!
//! P7 and P8 say what is accepted, P10 cannot happen among named objects, and P12 and P13 are rules on
//! selectors: area `S`. P014, P015 and P051 warn.

codes! {
    P001 "a pool without addresses"
    P002 "a pool without a name"
    P003 "an address entry that is no CIDR"
    P004 "an address range whose sides are no plain addresses"
    P005 "an address range that ends before it starts"
    P006 "an address range of two families"
    P009 "addresses that overlap"
    P011 "a namespace listed twice"
    P014 "a pool pinned to an unknown namespace"
    P015 "a pool that contains the address of a node"
    P050 "a pool outside the namespace that is read"
    P051 "a pool that no advertisement selects"
}
