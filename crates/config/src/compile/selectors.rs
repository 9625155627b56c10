// SPDX-License-Identifier: Apache-2.0
//! Label selectors: from the text of an object to [`Selector`] (controller reference 2.6).

use std::collections::BTreeMap;

use ferrolb_api::core::{LabelSelector, LabelSelectorRequirement};
use ferrolb_types::{Code, FieldPath, codes::selector as code};

use super::report::Report;
use crate::selector::{AnyOf, Requirement, Selector};

const OPERATORS: &str = "write one of In, NotIn, Exists, DoesNotExist";

/// Compiles a list of selectors; repeated values, expressions and selectors are refused.
pub(crate) fn list(report: &mut Report, path: &FieldPath, list: &[LabelSelector]) -> Vec<Selector> {
    let mut seen = BTreeMap::new();
    let mut compiled = Vec::with_capacity(list.len());
    for (index, selector) in list.iter().enumerate() {
        let at = path.index(index);
        repeated_values(report, &at, selector);
        repeated_expressions(report, &at, selector);
        let earlier = *seen.entry(text(selector)).or_insert(index);
        if earlier != index {
            let cause = format!("it is equal to {}", path.index(earlier));
            report.refuse(code::S008, at.clone(), None, cause, "remove one of the two");
        }
        compiled.push(one(report, &at, selector));
    }
    compiled
}

/// The same where an empty list means no restriction.
pub(crate) fn any_of(report: &mut Report, path: &FieldPath, selectors: &[LabelSelector]) -> AnyOf {
    AnyOf(list(report, path, selectors))
}

/// Compiles one selector without looking for repetitions.
pub(crate) fn one(report: &mut Report, path: &FieldPath, selector: &LabelSelector) -> Selector {
    let mut requirements = Vec::new();
    for (key, value) in selector.match_labels.iter().flatten() {
        let at = path.key("matchLabels").key(key.clone());
        check_key(report, &at, key);
        check_value(report, &at, value);
        requirements.push(Requirement::In(key.clone(), [value.clone()].into()));
    }
    for (index, expression) in expressions(selector).iter().enumerate() {
        let at = path.key("matchExpressions").index(index);
        requirements.extend(requirement(report, &at, expression));
    }
    requirements.sort();
    requirements.dedup();
    Selector { requirements }
}

fn expressions(selector: &LabelSelector) -> &[LabelSelectorRequirement] {
    selector.match_expressions.as_deref().unwrap_or_default()
}

fn values(expression: &LabelSelectorRequirement) -> &[String] {
    expression.values.as_deref().unwrap_or_default()
}

fn requirement(
    report: &mut Report,
    path: &FieldPath,
    expression: &LabelSelectorRequirement,
) -> Option<Requirement> {
    let key = &expression.key;
    check_key(report, &path.key("key"), key);
    let set = || values(expression).iter().cloned().collect();
    match expression.operator.as_str() {
        "In" => needs_values(report, path, expression).then(|| Requirement::In(key.clone(), set())),
        "NotIn" => {
            needs_values(report, path, expression).then(|| Requirement::NotIn(key.clone(), set()))
        }
        "Exists" => no_values(report, path, expression).then(|| Requirement::Exists(key.clone())),
        "DoesNotExist" => {
            no_values(report, path, expression).then(|| Requirement::DoesNotExist(key.clone()))
        }
        other => {
            let cause = "there is no such selector operator";
            report.refuse(
                code::S001,
                path.key("operator"),
                Some(other),
                cause,
                OPERATORS,
            );
            None
        }
    }
}

fn needs_values(report: &mut Report, path: &FieldPath, it: &LabelSelectorRequirement) -> bool {
    let given = values(it);
    for (index, value) in given.iter().enumerate() {
        check_value(report, &path.key("values").index(index), value);
    }
    if given.is_empty() {
        let cause = format!("the operator {} has no values to compare with", it.operator);
        let remedy = "list at least one value, or use Exists or DoesNotExist";
        report.refuse(code::S002, path.key("values"), None, cause, remedy);
    }
    !given.is_empty()
}

fn no_values(report: &mut Report, path: &FieldPath, it: &LabelSelectorRequirement) -> bool {
    let given = values(it);
    if !given.is_empty() {
        let cause = format!("the operator {} takes no values", it.operator);
        let remedy = "remove the values, or use In or NotIn";
        report.refuse(code::S003, path.key("values"), None, cause, remedy);
    }
    given.is_empty()
}

fn repeated_values(report: &mut Report, path: &FieldPath, selector: &LabelSelector) {
    for (index, expression) in expressions(selector).iter().enumerate() {
        let at = path.key("matchExpressions").index(index).key("values");
        super::report::refuse_repeated(report, code::S006, &at, values(expression));
    }
}

fn repeated_expressions(report: &mut Report, path: &FieldPath, selector: &LabelSelector) {
    let path = path.key("matchExpressions");
    let mut seen = BTreeMap::new();
    for (index, expression) in expressions(selector).iter().enumerate() {
        let earlier = *seen.entry(expression_text(expression)).or_insert(index);
        if earlier != index {
            let cause = format!("it is equal to {}", path.index(earlier));
            let remedy = "remove one of the two";
            report.refuse(code::S007, path.index(index), None, cause, remedy);
        }
    }
}

type ExpressionText<'a> = (&'a str, &'a str, Vec<&'a str>);

/// What makes two expressions textually equal: the order of values does not count.
fn expression_text(expression: &LabelSelectorRequirement) -> ExpressionText<'_> {
    let mut sorted: Vec<&str> = values(expression).iter().map(String::as_str).collect();
    sorted.sort_unstable();
    (&expression.key, &expression.operator, sorted)
}

/// What makes two selectors textually equal: the order of expressions counts.
fn text(selector: &LabelSelector) -> (Vec<(&String, &String)>, Vec<ExpressionText<'_>>) {
    let labels = selector.match_labels.iter().flatten().collect();
    let expressions = expressions(selector).iter().map(expression_text).collect();
    (labels, expressions)
}

fn check_key(report: &mut Report, path: &FieldPath, key: &str) {
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    let good = !name.is_empty() && is_label_text(name) && prefix.is_none_or(is_subdomain);
    if !good {
        let cause = "it is no label key";
        let remedy = "write [prefix/]name: the prefix a lower-case DNS name, the name up to 63 letters, \
                      digits, '-', '_' and '.', a letter or digit at both ends";
        refuse_text(report, code::S004, path, key, cause, remedy);
    }
}

fn check_value(report: &mut Report, path: &FieldPath, value: &str) {
    if !is_label_text(value) {
        let cause = "no label can have this value";
        let remedy =
            "use up to 63 letters, digits, '-', '_' and '.', a letter or digit at both ends";
        refuse_text(report, code::S005, path, value, cause, remedy);
    }
}

fn refuse_text(r: &mut Report, code: Code, path: &FieldPath, text: &str, why: &str, remedy: &str) {
    r.refuse(code, path.clone(), Some(text), why, remedy);
}

/// The syntax of label values and of the name part of keys; empty is allowed here.
fn is_label_text(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    text.len() <= 63 && text.bytes().all(inner) && ends_alphanumeric(text)
}

fn is_subdomain(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let part = |part: &str| !part.is_empty() && part.bytes().all(inner) && ends_alphanumeric(part);
    text.len() <= 253 && text.split('.').all(part)
}

fn ends_alphanumeric(text: &str) -> bool {
    let good = |b: Option<&u8>| b.is_none_or(u8::is_ascii_alphanumeric);
    good(text.as_bytes().first()) && good(text.as_bytes().last())
}
