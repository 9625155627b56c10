// SPDX-License-Identifier: Apache-2.0
//! What an API server, or the way to it, keeps from a process that begins.

use ferrolb_kube_io::Error;
use ferrolb_types::{Diagnostic, ObjectRef, codes};

use crate::args::{ClusterArgs, Refusal, bad_path, missing};

/// There is no way to an API server.
pub(super) fn no_way(args: &ClusterArgs, error: &Error) -> Refusal {
    let cause = error.to_string();
    let Some(path) = &args.kubeconfig else {
        let remedy = "name a kubeconfig with --kubeconfig or KUBECONFIG, or run in a Pod with a \
                      service account";
        return missing("--kubeconfig", &cause, remedy);
    };
    let remedy = match args.context {
        Some(_) => "name a kubeconfig that this user may read, and with --context a context in it",
        None => "name a kubeconfig that this user may read",
    };
    bad_path("--kubeconfig", path, &cause, remedy)
}

/// The API server does not answer a process that begins, or knows it too little.
pub(super) fn unanswered(args: &ClusterArgs, error: &Error) -> Refusal {
    let remedy = match error.code() {
        Some(401 | 403) => "give it credentials that are still good",
        Some(_) => "see what is wrong at the API server",
        None => {
            "see whether it runs, and whether its address and authority in the kubeconfig are right"
        }
    };
    let refusal = refused(ObjectRef::new("API server", "", ""), error, remedy);
    let path = args.kubeconfig.as_ref();
    Box::new(match path {
        Some(path) => refusal.value(path.display()),
        None => *refusal,
    })
}

/// The API server does not give an object, or the leave to make it, that a process needs.
pub(crate) fn refused(object: ObjectRef, error: &Error, remedy: &str) -> Refusal {
    let code = match error.is_not_found() {
        true => codes::command::X006,
        false => codes::command::X014,
    };
    Box::new(Diagnostic::error(code, object, error.to_string(), remedy))
}
