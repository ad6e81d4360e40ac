//! People.

use async_trait::async_trait;

use super::super::{AdminSession, AdminStore, AdminUser, Result};
use super::MemoryStore;

#[async_trait]
impl AdminStore for MemoryStore {
    async fn admin_user(&self, name: &str) -> Result<Option<AdminUser>> {
        Ok(self.state.lock().await.users.get(name).cloned())
    }

    async fn put_admin_user(&self, user: &AdminUser) -> Result<()> {
        let mut state = self.state.lock().await;
        state.users.insert(user.name.clone(), user.clone());
        state.sessions.retain(|_, session| session.user != user.name);
        Ok(())
    }

    async fn put_admin_session(&self, session: &AdminSession, now_ms: i64) -> Result<u64> {
        let mut state = self.state.lock().await;
        assert!(
            state.users.contains_key(&session.user),
            "a session for {:?}, who is no admin user",
            session.user
        );
        state.sessions.insert(session.token_hash.clone(), session.clone());
        let before = state.sessions.len();
        state.sessions.retain(|_, session| session.ends_at_ms > now_ms);
        Ok((before - state.sessions.len()) as u64)
    }

    async fn admin_session(&self, token_hash: &str, now_ms: i64) -> Result<Option<AdminSession>> {
        let state = self.state.lock().await;
        Ok(state.sessions.get(token_hash).filter(|s| s.ends_at_ms > now_ms).cloned())
    }

    async fn delete_admin_session(&self, token_hash: &str) -> Result<()> {
        self.state.lock().await.sessions.remove(token_hash);
        Ok(())
    }
}
