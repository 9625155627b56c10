// SPDX-License-Identifier: Apache-2.0
//! Area `C`: Community (rules C1 to C4).

codes! {
    C001 "a community number out of range"
    C002 "a community of four parts that is not large"
    C003 "a community of no known form"
    C004 "a community alias defined twice"
    C050 "a Community outside the namespace that is read"
    C051 "a community alias without a name"
    C052 "a Community without a name"
}
