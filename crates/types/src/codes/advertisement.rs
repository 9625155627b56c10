// SPDX-License-Identifier: Apache-2.0
//! Area `A`: BGPAdvertisement and L2Advertisement (rules A1 to A11).
//!
//! A3 and A4 are rules on selectors (area `S`), A11 cannot happen among named objects. A010 warns.

codes! {
    A001 "a pool listed twice"
    A002 "a community or peer listed twice"
    A005 "service selectors together with aggregation"
    A006 "an aggregation length out of bounds"
    A007 "an aggregation wider than the pool's addresses"
    A008 "advertisements that differ in localPref alone"
    A009 "an unknown or malformed community"
    A010 "a pool or peer that does not exist"
    A050 "an advertisement outside the namespace that is read"
    A051 "a preference weight out of bounds"
    A052 "an advertisement without a name"
}
