//! One connection that all tasks of a runtime share.

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, RedisResult};
use tokio::sync::Mutex;

use super::Shared;

#[derive(Default)]
pub(super) struct Slot(Mutex<Option<MultiplexedConnection>>);

impl Slot {
    pub(super) async fn store(&self, shared: &Shared, entry: &Cmd) -> RedisResult<Option<String>> {
        let kept = self.0.lock().await.clone();
        if let Some(mut connection) = kept {
            if let Ok(stored) = entry.query_async(&mut connection).await {
                return Ok(stored);
            }
            // Nobody waits for it again. A new one of another task may go with it, and is made anew.
            *self.0.lock().await = None;
        }
        // As in the blocking form: asked twice, an entry is found rather than missed.
        let timeout = Some(shared.settings.timeout);
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(timeout)
            .set_response_timeout(timeout);
        let client = &shared.client;
        let mut connection = client
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        let stored = entry.query_async(&mut connection).await?;
        *self.0.lock().await = Some(connection);
        Ok(stored)
    }
}
