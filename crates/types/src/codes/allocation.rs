// SPDX-License-Identifier: Apache-2.0
//! Area `I`: why a Service gets no address, or loses one.

codes! {
    I001 "no pool has a free address"
    I002 "no pool can be used"
    I003 "a Service without cluster addresses"
    I004 "RequireDualStack with fewer than two cluster addresses"
    I005 "cluster addresses whose families cannot be told"
    I006 "two cluster addresses without a dual-stack policy"
    I007 "requested addresses that cannot be read"
    I008 "addresses requested in two ways at once"
    I009 "requested addresses of other families than the Service"
    I010 "a requested address that lies in no pool"
    I011 "requested addresses of more than one pool"
    I012 "a requested address that lies outside the requested pool"
    I013 "a requested pool that does not exist"
    I014 "a pool that is not for this Service"
    I015 "an address held by a Service that does not share it"
    I016 "an address shared by Services with other endpoints"
    I017 "a port that is taken on a shared address"
    I018 "a pool that is refused at present"
    I019 "a status that no Service of these families can have"
}
