// SPDX-License-Identifier: Apache-2.0
//! Area `B`: BGPPeer and BFDProfile (rules B1 to B21).
//!
//! B8 and B17 say what is accepted, B12 is a rule on selectors (area `S`), B19 cannot happen among named
//! objects. B060 is the rule M8. B057, B065, B069 and B070 warn.

codes! {
    B001 "myASN is zero"
    B002 "no peer AS"
    B003 "both peerASN and dynamicASN"
    B004 "a dynamicASN that is neither internal nor external"
    B005 "multihop towards an internal peer"
    B006 "neither or both of peerAddress and interface"
    B007 "a peer's address that is no IP address"
    B009 "a hold time between zero and three seconds"
    B010 "a keepalive time above the hold time"
    B011 "a duration that cannot be read"
    B013 "both password and passwordSecret"
    B014 "a passwordSecret that does not exist"
    B015 "a passwordSecret of the wrong type"
    B016 "a passwordSecret without a password"
    B018 "a BFD profile that does not exist"
    B020 "a BFD profile with a value out of bounds"
    B021 "BFD echo towards a peer that gets IPv6 routes"
    B050 "a peer or BFD profile outside the namespace that is read"
    B051 "bfdProfile is not supported yet"
    B052 "vrf is not supported yet"
    B053 "enableGracefulRestart is not supported yet"
    B054 "interface is not supported yet"
    B055 "dynamicASN is not supported yet"
    B056 "localASN is not supported yet"
    B057 "disableMP has no effect"
    B060 "two peers of one address on one node"
    B061 "a connect time out of bounds"
    B062 "a peer port out of bounds"
    B063 "localASN is zero"
    B064 "a routerID that is no BGP Identifier"
    B065 "a sourceAddress of another family than the peer"
    B066 "a password too long for TCP MD5"
    B067 "a hold time too long for BGP"
    B068 "a peer or BFD profile without a name"
    B069 "a hold time that is cut to whole seconds"
    B070 "a keepalive time that is raised to one second"
}
