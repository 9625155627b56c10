// SPDX-License-Identifier: Apache-2.0
//! What is served between the order to end and the end.

use super::{
    client::{plain, talk},
    *,
};

/// A role that was not told to end yet, and whose listeners close when a test says so.
fn ends() -> Ends {
    Ends {
        stop: CancellationToken::new(),
        close: CancellationToken::new(),
    }
}

fn behind(waits: watch::Receiver<Waits>) -> Behind {
    Behind {
        waits,
        authorise: Arc::new(Reviews {
            asked: AtomicUsize::new(0),
        }),
        tell: Arc::new(Told),
        metrics: Metrics::new("controller", "1", None),
    }
}

#[tokio::test]
async fn health_says_so_and_metrics_close() {
    let ends = ends();
    let (_, waits) = watch::channel(Waits::new());
    let mut served = start(&settings(), behind(waits), &ends).await.unwrap();
    let health = served.health.as_ref().unwrap().address;
    assert_eq!(plain(health, "/readyz").await.status, 200);
    ends.stop.cancel();
    let answer = plain(health, "/readyz").await;
    assert_eq!((answer.status, &*answer.body), (503, "ending\n"));
    assert_eq!(plain(health, "/healthz").await.status, 200);
    let metrics = served.metrics.take().unwrap();
    metrics.task.await.unwrap();
    assert_eq!(plain(health, "/healthz").await.status, 200);
    ends.close.cancel();
    served.ended().await;
    assert!(tokio::net::TcpStream::connect(health).await.is_err());
}

#[tokio::test]
async fn webhooks_are_answered_and_each_connection_is_the_last() {
    let ends = ends();
    let router = axum::Router::new().route("/measure", post(measure));
    let metrics = Metrics::new("controller", "1", None);
    let identity = Identity::self_signed("localhost").unwrap();
    let options = tls::Options::default();
    let given = webhook_settings(false);
    let serving = webhooks(&given, &options, &identity, router, &metrics, &ends);
    let serving = serving.await.unwrap();
    let open = Client::new().connect(serving.address).await.unwrap();
    ends.stop.cancel();
    let late = Client::new().connect(serving.address).await.unwrap();
    let request = "POST /measure HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}";
    for stream in [open, late] {
        let answer = talk(stream, request.as_bytes()).await;
        assert_eq!((answer.status, &*answer.body), (200, "2"));
        assert!(answer.head.contains("connection: close"), "{answer:?}");
    }
    ends.close.cancel();
    serving.task.await.unwrap();
    assert!(Client::new().connect(serving.address).await.is_err());
}

#[tokio::test]
async fn the_listeners_close_a_while_after_the_order_or_at_once() {
    let stop = CancellationToken::new();
    let (at_once, after) = (
        Ends::at_once(&stop),
        Ends::after(&stop, Duration::from_millis(50)),
    );
    stop.cancel();
    assert!(at_once.close.is_cancelled() && !after.close.is_cancelled());
    let closes = tokio::time::timeout(Duration::from_secs(20), after.close.cancelled());
    assert!(closes.await.is_ok());
}
