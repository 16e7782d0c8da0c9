//! Pulls from a real registry.

use std::{sync::Mutex, time::Duration};

use tokio::net::TcpListener;
use yardarm::engine::{
    Engine, EngineError, PullProgress,
    docker::{Deadlines, Docker},
};

use crate::support::{
    docker_host::DockerHost,
    registry::{LAYER_BYTES, LAYERS, Registry},
    scene::{Does, Scene, World as _},
};

async fn pull(engine: &dyn Engine, reference: &str) -> Result<Vec<PullProgress>, EngineError> {
    let told = Mutex::new(Vec::new());
    engine
        .pull(reference, &|progress| told.lock().unwrap().push(progress))
        .await?;
    Ok(told.into_inner().unwrap())
}

#[tokio::test]
async fn pulls_with_progress_and_tells_the_digest() {
    let host = DockerHost::new().await;
    let engine = host.engine();
    let mut registry = Registry::start();
    let digest = registry.push("demo", &["1"]);
    let reference = registry.reference("demo:1");
    assert_eq!(engine.image(&reference).await, Ok(None));

    let told = pull(engine, &reference).await.unwrap();
    assert!(told.len() > 1, "{told:?}");
    assert!(
        told.windows(2).all(|pair| {
            pair[0].done_bytes <= pair[1].done_bytes && pair[0].total_bytes <= pair[1].total_bytes
        }),
        "{told:?}"
    );
    let end = told.last().unwrap();
    assert_eq!(end.done_bytes, end.total_bytes);
    let whole = u64::try_from(LAYER_BYTES * LAYERS).unwrap();
    assert!(
        end.total_bytes >= whole && end.total_bytes < whole + 100_000,
        "{told:?}"
    );

    let image = engine.image(&reference).await.unwrap().unwrap();
    let name_and_digest = format!("{}@{digest}", registry.reference("demo"));
    assert_eq!(image.digest.as_deref(), Some(name_and_digest.as_str()));
    assert_eq!(
        engine.image(&name_and_digest).await,
        Ok(Some(image.clone()))
    );
    assert_eq!(
        pull(engine, &reference).await,
        Ok(Vec::new()),
        "it is all here"
    );

    registry.forget();
    pull(engine, &name_and_digest).await.unwrap();
    assert_eq!(engine.image(&name_and_digest).await, Ok(Some(image)));
}

#[tokio::test]
async fn a_container_is_bound_to_what_the_tag_meant() {
    let host = DockerHost::new().await;
    let mut registry = Registry::start();
    registry.push("demo", &["1"]);
    let reference = registry.reference("demo:1");
    pull(host.engine(), &reference).await.unwrap();
    let first = host.engine().image(&reference).await.unwrap().unwrap();

    registry.push("demo", &["1"]);
    pull(host.engine(), &reference).await.unwrap();
    let second = host.engine().image(&reference).await.unwrap().unwrap();
    assert_ne!(first.id, second.id);
    let mut spec = host.spec(Does::Wait);
    spec.image = reference.clone();
    let id = Scene::new(&host)
        .create_from("scout", &spec, &second.id)
        .await
        .unwrap();
    let observed = host.engine().observe(&id).await.unwrap().unwrap();
    assert_eq!(observed.image, second.id);
    let listed = host.engine().list().await.unwrap();
    let listed = listed.iter().find(|listed| listed.container == id);
    assert_eq!(listed.unwrap().image, reference);
}

#[tokio::test]
async fn a_bare_name_is_its_latest_tag_and_no_other() {
    let host = DockerHost::new().await;
    let engine = host.engine();
    let mut registry = Registry::start();
    registry.push("demo", &["latest", "other"]);
    pull(engine, &registry.reference("demo")).await.unwrap();
    let latest = engine.image(&registry.reference("demo")).await.unwrap();
    assert!(latest.is_some());
    let other = registry.reference("demo:other");
    assert_eq!(engine.image(&other).await, Ok(None));
}

#[tokio::test]
async fn what_no_registry_has_is_not_found() {
    let host = DockerHost::new().await;
    let mut registry = Registry::start();
    registry.push("demo", &["1"]);
    for missing in ["demo:2", "nothing:1"] {
        let error = pull(host.engine(), &registry.reference(missing)).await;
        assert!(
            matches!(&error, Err(EngineError::NotFound(words)) if words.contains("manifest unknown")),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_registry_that_is_away_is_named() {
    let host = DockerHost::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let error = pull(host.engine(), &format!("{address}/demo:1")).await;
    assert!(
        matches!(&error, Err(EngineError::Refused(words)) if words.contains("connection refused")),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_pull_that_stands_still_is_given_up() {
    let _host = DockerHost::new().await;
    let stall = Duration::from_millis(500);
    let deadlines = Deadlines {
        pull_stall: stall,
        ..Deadlines::default()
    };
    let engine = Docker::new(None, deadlines).unwrap();
    // It takes connections and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let reference = format!("{}/demo:1", silent.local_addr().unwrap());
    assert_eq!(
        pull(&engine, &reference).await,
        Err(EngineError::TimedOut {
            what: "pull without progress",
            after: stall
        })
    );
}
