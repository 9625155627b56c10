// SPDX-License-Identifier: Apache-2.0
//! An API server behind an HTTP proxy.

use std::{fs, net::SocketAddr, path::PathBuf, time::Duration};

use ferrolb_kube_io::{Cluster, Connection, Told, Watched, watch};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use tokio_util::sync::CancellationToken;

use super::{OURS, roles, shared, told_until};

/// A proxy that takes `CONNECT`, and tells the head of each request.
async fn proxy() -> (SocketAddr, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = mpsc::channel(16);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(pass(client, tell.clone()));
        }
    });
    (address, told)
}

async fn pass(mut client: TcpStream, tell: mpsc::Sender<String>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    let target = head.split(' ').nth(1).unwrap().to_owned();
    tell.send(head).await.unwrap();
    let mut server = TcpStream::connect(target).await.unwrap();
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    // Either side may go at any time.
    let _ = copy_bidirectional(&mut client, &mut server).await;
}

/// The kubeconfig of a user with a proxy in it.
fn through(proxy: &str) -> Option<PathBuf> {
    let file = shared()?.kubeconfig(roles::USERS[0]).unwrap();
    let mut config: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    config["clusters"][0]["cluster"]["proxy-url"] = proxy.into();
    let file = file.with_extension(format!("proxy-{}", proxy.len()));
    fs::write(&file, config.to_string()).unwrap();
    Some(file)
}

fn connection(kubeconfig: PathBuf) -> Connection {
    Connection {
        kubeconfig: Some(kubeconfig),
        context: None,
        namespace: OURS.into(),
        user_agent: "ferrolb-test".into(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn is_reached_through_the_one_its_kubeconfig_names() {
    let (address, mut heads) = proxy().await;
    let Some(file) = through(&format!("http://user:pass@{address}")) else {
        return;
    };
    let cluster = Cluster::connect(&connection(file)).await.unwrap();
    assert!(cluster.version().await.unwrap().starts_with("v1."));
    let head = heads.recv().await.unwrap();
    let server = shared().unwrap().url().replace("https://", "");
    assert!(head.starts_with(&format!("CONNECT {server} ")), "{head}");
    // RFC 7617: `user:pass`.
    assert!(head.contains("Basic dXNlcjpwYXNz"), "{head}");
}

/// A node has a dozen watches, and a cluster thousands of nodes.
#[tokio::test(flavor = "multi_thread")]
async fn counts_one_connection_for_all_watches() {
    let (address, mut heads) = proxy().await;
    let Some(file) = through(&format!("http://{address}")) else {
        return;
    };
    let cluster = Cluster::connect(&connection(file)).await.unwrap();
    let stop = CancellationToken::new();
    let kinds = [
        Watched::Services,
        Watched::Namespaces,
        Watched::IPAddressPools,
        Watched::Communities,
    ];
    // One after the other, so that lists can share a connection too.
    for kind in kinds {
        let mut told = watch::follow(&cluster, &[kind], &stop);
        told_until(&mut told, |one| *one == Told::Synced(kind)).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        tokio::spawn(async move { while told.recv().await.is_some() {} });
    }
    let mut connections = 0;
    while heads.try_recv().is_ok() {
        connections += 1;
    }
    stop.cancel();
    assert_eq!(connections, 2, "one for lists, one for watches");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_another_kind_is_refused_without_its_password() {
    let Some(file) = through("socks5://user:hunter2@127.0.0.1:1080") else {
        return;
    };
    let refused = Cluster::connect(&connection(file)).await.unwrap_err();
    let said = refused.to_string();
    assert!(
        said.contains("127.0.0.1:1080") && said.contains("proxy-url"),
        "{said}"
    );
    assert!(!said.contains("hunter2"), "{said}");
}
