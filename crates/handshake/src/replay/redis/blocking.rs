//! Connections that a thread takes and gives back.

use std::sync::{Mutex, PoisonError};

use redis::{Cmd, Connection, RedisResult};

use super::Shared;

/// More than so many are closed rather than kept.
const MOST_IDLE: usize = 16;

#[derive(Default)]
pub(super) struct Idle(Mutex<Vec<Connection>>);

impl Idle {
    pub(super) fn store(&self, shared: &Shared, entry: &Cmd) -> RedisResult<Option<String>> {
        let kept = self.lock().pop();
        if let Some(mut connection) = kept
            && let Ok(stored) = entry.query(&mut connection)
        {
            self.keep(connection);
            return Ok(stored);
        }
        // The server may have been started anew. If it had stored the entry all the same, the
        // second question finds it, and the context is refused.
        let timeout = shared.settings.timeout;
        let mut connection = shared.client.get_connection_with_timeout(timeout)?;
        connection.set_read_timeout(Some(timeout))?;
        connection.set_write_timeout(Some(timeout))?;
        let stored = entry.query(&mut connection)?;
        self.keep(connection);
        Ok(stored)
    }

    fn keep(&self, connection: Connection) {
        let mut idle = self.lock();
        if idle.len() < MOST_IDLE {
            idle.push(connection);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
