// SPDX-License-Identifier: Apache-2.0

use ferrolb_kube_io::status::Verdict;
use serde_json::json;

use super::{super::monitor::verdict, *};

const FOLLOWED: [Watched; 2] = [Watched::IPAddressPools, Watched::Communities];

fn objects() -> Objects {
    Objects::new("metallb-system", &FOLLOWED, Memory::start(None))
}

fn pool(addresses: &str) -> Told {
    let pool = json!({
        "metadata": { "name": "a", "namespace": "metallb-system" },
        "spec": { "addresses": [addresses] },
    });
    let pool = serde_json::from_value(pool).expect("a pool");
    Told::Apply(Object::IPAddressPool(Box::new(pool)), Meta::default())
}

fn undecodable() -> Told {
    let object = ObjectRef::new("IPAddressPool", "metallb-system", "a");
    let why = Diagnostic::error(codes::schema::V003, object.clone(), "a number", "a text");
    Told::Broken(object, Meta::default(), Box::new(why))
}

fn goes_on(told: Vec<Told>) -> bool {
    let mut objects = objects();
    objects.take(FOLLOWED.map(Told::Synced).into());
    for one in told {
        objects.take(vec![one]);
    }
    let all = objects.diagnostics();
    let fault = all.iter().find(|one| one.code == codes::schema::V003);
    objects.goes_on_with(&fault.expect("told").object)
}

#[test]
fn an_object_that_cannot_be_decoded_counts_as_it_last_could() {
    assert!(goes_on(vec![pool("192.0.2.0/24"), undecodable()]));
    assert!(
        !goes_on(vec![undecodable()]),
        "there is nothing to go on with"
    );
    assert!(!goes_on(vec![pool("nonsense"), undecodable()]), "nor here");
}

#[test]
fn before_there_is_a_configuration_every_kind_that_cannot_be_read_is_told() {
    let missing = Error::NotInstalled(Box::new(Diagnostic::error(
        codes::state::T007,
        ObjectRef::new("CustomResourceDefinition", "", "communities.metallb.io"),
        "it is not installed",
        "install it",
    )));
    let away = Error::Timeout(std::time::Duration::from_secs(1));
    let mut objects = objects();
    assert_eq!(verdict(&objects), None, "nothing is known yet");
    objects.take(vec![
        Told::Trouble(Watched::Communities, missing),
        Told::Trouble(Watched::IPAddressPools, away),
    ]);
    let text = |objects: &Objects| match verdict(objects) {
        Some(Verdict::Unknown(text)) => text,
        other => panic!("{other:?}"),
    };
    assert!(text(&objects).contains("T007"), "{}", text(&objects));
    objects.take(vec![Told::Synced(Watched::Communities)]);
    let left = text(&objects);
    assert!(left.contains("T006") && !left.contains("T007"), "{left}");
    objects.take(vec![Told::Synced(Watched::IPAddressPools)]);
    assert_eq!(verdict(&objects), Some(Verdict::Valid));
}

/// What a restarted controller finds stays, rather than to be written twice.
#[test]
fn no_verdict_before_it_is_known_whether_there_is_configuration_for_frr() {
    let mut objects = objects().awaiting_extras();
    objects.take(FOLLOWED.map(Told::Synced).into());
    assert!(objects.is_configured());
    assert_eq!(verdict(&objects), None);
    objects.take(vec![Told::Extras(true)]);
    assert_eq!(verdict(&objects), None);
    assert!(objects.has_news());
    objects.take(vec![Told::ExtrasKnown]);
    assert!(objects.has_news(), "it is to be asked for again");
    assert!(matches!(verdict(&objects), Some(Verdict::Doubtful(_))));
}

#[test]
fn an_error_is_logged_when_it_comes_and_not_while_it_stays() {
    let mut objects = objects();
    objects.take(FOLLOWED.map(Told::Synced).into());
    let mut logged = |told: Told| {
        objects.take(vec![told]);
        let all = objects.diagnostics();
        objects.errors_to_log(&all).len()
    };
    assert_eq!(logged(undecodable()), 1);
    assert_eq!(logged(undecodable()), 0, "it stays");
    assert_eq!(logged(pool("192.0.2.0/24")), 0, "it is mended");
    assert_eq!(logged(undecodable()), 1, "it came again");
}
