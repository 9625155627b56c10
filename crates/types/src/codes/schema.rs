// SPDX-License-Identifier: Apache-2.0
//! Area `V`: what the schema of a kind says (structure, bounds, CEL rules).

codes! {
    V001 "unknown field"
    V002 "required field missing"
    V003 "wrong type"
    V004 "number out of bounds"
    V005 "value not among those allowed"
    V006 "too few elements"
    V007 "a rule of the schema does not hold"
    V008 "a name of the wrong form"
    V009 "a label or an annotation of the wrong form"
    V010 "text that is not in the format the field has"
    V011 "a value that cannot be changed"
}
