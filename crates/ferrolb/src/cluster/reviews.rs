// SPDX-License-Identifier: Apache-2.0
//! What the webhooks answer: each request read, judged beside the objects of the cluster, or converted.

use std::{sync::Arc, time::Duration};

use axum::{
    Extension, Router,
    body::Bytes,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse as _, Response},
    routing::post,
};
use ferrolb_config::Resources;
use ferrolb_kube_io::{Cluster, Told, Watched, watch};
use ferrolb_webhook::{
    Refusal,
    admission::{self, List, Webhook},
    conversion,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{intake::Intake, serve};

/// How long the lists of a request may take: the API server gives up after ten seconds.
const LISTS: Duration = Duration::from_secs(8);

/// Lines of the log for one request, as many as its answer lists.
const LOGGED: usize = 10;

/// What requests are answered with.
struct Reviews {
    cluster: Cluster,
    /// Who judges a large request: one at a time, for it takes many times its size.
    large: Arc<Semaphore>,
}

/// What a request takes, held by all that works on it: a client that hangs up ends none of that.
#[derive(Clone)]
struct Hold {
    _room: Arc<serve::Room>,
    _turn: Option<Arc<OwnedSemaphorePermit>>,
}

impl Hold {
    /// Does what takes long for a large request beside the threads that run the role.
    async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let held = self.clone();
        let work = move || {
            let result = work();
            drop(held);
            result
        };
        tokio::task::spawn_blocking(work).await.ok()
    }
}

/// The handlers of all webhooks.
pub(super) fn router(cluster: Cluster) -> Router {
    let mut router = Router::new().route("/convert", post(convert));
    for webhook in Webhook::ALL {
        let review = move |State(reviews): State<Arc<Reviews>>,
                           Extension(room): Extension<Arc<serve::Room>>,
                           body: Bytes| async move {
            let turn = match body.len() > serve::SMALL_BODY {
                true => Arc::clone(&reviews.large).acquire_owned().await.ok(),
                false => None,
            };
            let hold = Hold {
                _room: room,
                _turn: turn.map(Arc::new),
            };
            review(&reviews.cluster, webhook, body, &hold).await
        };
        router = router.route(webhook.path(), post(review));
    }
    let large = Arc::new(Semaphore::new(1));
    router.with_state(Arc::new(Reviews { cluster, large }))
}

async fn convert(Extension(room): Extension<Arc<serve::Room>>, body: Bytes) -> Response {
    let hold = Hold {
        _room: room,
        _turn: None,
    };
    match hold.aside(move || conversion::convert(&body)).await {
        Some(Ok(converted)) => {
            for note in converted.diagnostics.iter().take(LOGGED) {
                tracing::warn!("{note}");
            }
            log_rest(converted.diagnostics.len());
            json(converted.body)
        }
        Some(Err(refusal)) => refuse(&refusal),
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn review(cluster: &Cluster, webhook: Webhook, body: Bytes, hold: &Hold) -> Response {
    let request = match hold.aside(move || admission::read(webhook, &body)).await {
        Some(Ok(request)) => request,
        Some(Err(refusal)) => return refuse(&refusal),
        None => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    };
    let lists = tokio::time::timeout(LISTS, lists(cluster, request.needs())).await;
    let answer = hold.aside(move || match lists {
        Ok(Ok(present)) => request.judge(present),
        Ok(Err(error)) => request.cannot_judge(&error.to_string()),
        Err(_) => request.cannot_judge("the API server takes too long"),
    });
    let Some(answer) = answer.await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    for diagnostic in answer.diagnostics.iter().take(LOGGED) {
        tracing::info!(object = %answer.object, allowed = answer.allowed, "{diagnostic}");
    }
    log_rest(answer.diagnostics.len());
    json(answer.body)
}

fn log_rest(count: usize) {
    if let Some(rest) = count.checked_sub(LOGGED).filter(|rest| *rest > 0) {
        tracing::info!(rest, "more of this request is not logged");
    }
}

/// The objects of these lists, as they are now.
async fn lists(cluster: &Cluster, needs: &[List]) -> Result<Resources, ferrolb_kube_io::Error> {
    let mut intake = Intake::new(cluster.namespace());
    let lists = needs.iter().map(|list| async move {
        match list {
            // Of Nodes the labels alone have a part in any verdict.
            List::Nodes => watch::list_metadata(cluster, Watched::Nodes).await,
            other => watch::list(cluster, watched(*other)).await,
        }
    });
    for told in futures::future::try_join_all(lists)
        .await?
        .into_iter()
        .flatten()
    {
        // An object that cannot be decoded stands for nothing, here as in the roles.
        if let Told::Apply(object, _) = told {
            intake.apply(object);
        }
    }
    Ok(intake.into_resources())
}

fn watched(list: List) -> Watched {
    match list {
        List::IPAddressPools => Watched::IPAddressPools,
        List::BGPAdvertisements => Watched::BGPAdvertisements,
        List::L2Advertisements => Watched::L2Advertisements,
        List::BGPPeers => Watched::BGPPeers,
        List::BFDProfiles => Watched::BFDProfiles,
        List::Communities => Watched::Communities,
        List::Nodes => Watched::Nodes,
    }
}

fn json(body: Vec<u8>) -> Response {
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}

fn refuse(refusal: &Refusal) -> Response {
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST);
    (status, format!("{}\n", refusal.diagnostic)).into_response()
}
