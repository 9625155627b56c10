// SPDX-License-Identifier: Apache-2.0
//! Area `S`: label selectors (rules of section 2.6; P12, P13, B12, A3 and A4 refer to them).

codes! {
    S001 "invalid selector operator"
    S002 "a selector operator that needs values"
    S003 "a selector operator that takes no values"
    S004 "invalid label key in a selector"
    S005 "invalid label value in a selector"
    S006 "a value twice in one expression"
    S007 "an expression twice in one selector"
    S008 "a selector twice in one list"
}
