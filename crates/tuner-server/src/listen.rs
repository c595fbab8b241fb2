//! Connections: accepted, limited, ended in order.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower::ServiceExt;

use crate::state::App;

/// How long requests that are being answered may take once the service stops.
const LAST_ANSWERS: Duration = Duration::from_secs(5);
/// Pause after the system could not give a connection.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until the app is stopped; then lets what is being answered end.
///
/// # Errors
/// When the listener has no address.
pub async fn serve(app: App, listener: TcpListener) -> io::Result<()> {
    let router = crate::router(&app);
    let ending = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(app.options().limits.connections));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(app.options().limits.head);
    loop {
        let (socket, peer) = tokio::select! {
            () = app.stop().cancelled() => break,
            accepted = accept(&listener) => accepted,
        };
        // Nobody is told: an answer would need the very thing that is short.
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
        let _ = socket.set_nodelay(true);
        let router = router.clone();
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            router.clone().oneshot(request)
        });
        let connection = ending.watch(http.serve_connection(TokioIo::new(socket), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, %peer, "a connection broke");
            }
            drop(place);
        });
    }
    drop(listener);
    if tokio::time::timeout(LAST_ANSWERS, ending.shutdown()).await.is_err() {
        tracing::warn!("some requests were cut off at the end");
    }
    Ok(())
}

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
