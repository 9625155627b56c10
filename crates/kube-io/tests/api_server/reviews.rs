// SPDX-License-Identifier: Apache-2.0
//! Who may read our metrics, and what we may do ourselves.

use ferrolb_kube_io::{Access, Authoriser, auth::Verdict};

use super::{connect, roles, shared};

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_reviewed() {
    let Some(lab) = shared() else { return };
    let authoriser = Authoriser::new(&connect(lab, roles::CONTROLLER).await);
    let asked = async |token: &str| {
        authoriser
            .authorise(token, None, "get", "/metrics")
            .await
            .unwrap()
    };
    assert_eq!(asked("token-of-scraper").await, Verdict::Allowed);
    assert_eq!(asked("token-of-nobody").await, Verdict::Denied);
    assert_eq!(asked("no-such-token").await, Verdict::Unauthenticated);
    assert_eq!(asked("").await, Verdict::Unauthenticated);
    let other = authoriser
        .authorise("token-of-scraper", None, "get", "/debug")
        .await
        .unwrap();
    assert_eq!(other, Verdict::Denied);
    let elsewhere = authoriser
        .authorise("token-of-scraper", Some("elsewhere"), "get", "/metrics")
        .await
        .unwrap();
    assert_eq!(
        elsewhere,
        Verdict::Unauthenticated,
        "meant for somebody else"
    );

    let reviews = || {
        let all = lab.requests_of(roles::CONTROLLER).unwrap();
        all.iter()
            .filter(|one| one.resource == "tokenreviews")
            .count()
    };
    let before = reviews();
    for _ in 0..10 {
        assert_eq!(asked("token-of-scraper").await, Verdict::Allowed);
    }
    assert_eq!(reviews(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_review_says_neither_yes_nor_no() {
    let Some(lab) = shared() else { return };
    let authoriser = Authoriser::new(&connect(lab, roles::NOBODY).await);
    let answer = authoriser
        .authorise("token-of-scraper", None, "get", "/metrics")
        .await;
    assert!(answer.unwrap_err().is_forbidden());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_we_may_do() {
    let Some(lab) = shared() else { return };
    let patch = Access {
        verb: "patch".into(),
        resource: "services".into(),
        subresource: "status".into(),
        ..Access::default()
    };
    assert!(
        connect(lab, roles::CONTROLLER)
            .await
            .may(&patch)
            .await
            .unwrap()
    );
    assert!(!connect(lab, roles::OLD).await.may(&patch).await.unwrap());
    assert!(
        connect(lab, roles::NOBODY)
            .await
            .version()
            .await
            .unwrap()
            .starts_with("v1.")
    );
}
