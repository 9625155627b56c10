// SPDX-License-Identifier: Apache-2.0
//! Area `W`: admission, conversion and the certificates of the webhooks.
//!
//! W006 and W008 warn.

codes! {
    W001 "a request that is no review"
    W002 "a review that belongs to another path"
    W003 "an object under review that cannot be read as its kind"
    W004 "a BFD profile that a peer uses"
    W005 "the objects to judge beside cannot be read"
    W006 "a deprecated API version"
    W007 "an object that cannot be converted"
    W008 "kept fields of v1beta2 that cannot be used"
}
