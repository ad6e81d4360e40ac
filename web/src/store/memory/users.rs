//! The shop's users, their sessions and the attempts to log in.

use async_trait::async_trait;
use cart_core::{GroupId, VisitorId};

use super::super::{Result, User, UserSession, UserStore, users::USER_SESSIONS_MAX};
use super::MemoryStore;

#[async_trait]
impl UserStore for MemoryStore {
    async fn add_user(&self, user: &User) -> Result<bool> {
        let people = &mut self.state.lock().await.people;
        let is_free = people.users.iter().all(|other| other.email != user.email);
        if is_free {
            assert!(people.users.iter().all(|other| other.id != user.id), "two users are {}", user.id);
            people.users.push(user.clone());
        }
        Ok(is_free)
    }

    async fn put_group(&self, user: &VisitorId, group: Option<&GroupId>) -> Result<bool> {
        let people = &mut self.state.lock().await.people;
        let known = people.users.iter_mut().find(|known| known.id == *user);
        Ok(known.map(|known| known.group = group.cloned()).is_some())
    }

    async fn user(&self, id: &VisitorId) -> Result<Option<User>> {
        Ok(self.state.lock().await.people.users.iter().find(|user| user.id == *id).cloned())
    }

    async fn user_by_email(&self, email: &str) -> Result<Option<User>> {
        Ok(self.state.lock().await.people.users.iter().find(|user| user.email == email).cloned())
    }

    async fn put_password(&self, user: &VisitorId, password_hash: &str, kept: &str) -> Result<Vec<String>> {
        let people = &mut self.state.lock().await.people;
        let known = people.users.iter_mut().find(|known| known.id == *user);
        known.expect("a password is set for a user").password_hash = password_hash.to_owned();
        let ends = |s: &UserSession| s.user == *user && s.token_hash != kept;
        let ended = people.sessions.extract_if(.., |s| ends(s)).map(|s| s.token_hash).collect();
        Ok(ended)
    }

    async fn open_session(&self, session: &UserSession, now_ms: i64) -> Result<()> {
        let people = &mut self.state.lock().await.people;
        assert!(people.users.iter().any(|user| user.id == session.user), "a session for nobody");
        people.sessions.retain(|s| s.ends_at_ms > now_ms);
        people.sessions.push(session.clone());
        people.sessions.sort_by_key(|s| std::cmp::Reverse((s.seen_at_ms, s.since_ms)));
        let mut left = USER_SESSIONS_MAX;
        people.sessions.retain(|s| {
            let stays = s.user != session.user || left > 0;
            left -= usize::from(s.user == session.user && stays);
            stays
        });
        Ok(())
    }

    async fn session(&self, token_hash: &str, now_ms: i64) -> Result<Option<(UserSession, User)>> {
        let people = &self.state.lock().await.people;
        let live = people.sessions.iter().find(|s| s.token_hash == token_hash && s.ends_at_ms > now_ms);
        Ok(live.and_then(|s| Some((s.clone(), people.users.iter().find(|u| u.id == s.user)?.clone()))))
    }

    async fn sessions_of(&self, user: &VisitorId, now_ms: i64) -> Result<Vec<UserSession>> {
        let people = &self.state.lock().await.people;
        let live = people.sessions.iter().filter(|s| s.user == *user && s.ends_at_ms > now_ms);
        let mut live: Vec<_> = live.cloned().collect();
        live.sort_by(|a, b| b.seen_at_ms.cmp(&a.seen_at_ms).then_with(|| a.id.cmp(&b.id)));
        Ok(live)
    }

    async fn touch_session(&self, token_hash: &str, seen_at_ms: i64, ends_at_ms: i64) -> Result<()> {
        let people = &mut self.state.lock().await.people;
        for session in people.sessions.iter_mut().filter(|s| s.token_hash == token_hash) {
            session.seen_at_ms = session.seen_at_ms.max(seen_at_ms);
            session.ends_at_ms = session.ends_at_ms.max(ends_at_ms);
        }
        Ok(())
    }

    async fn end_session(&self, user: &VisitorId, id: &str) -> Result<Option<String>> {
        let people = &mut self.state.lock().await.people;
        let at = people.sessions.iter().position(|s| s.user == *user && s.id == id);
        Ok(at.map(|at| people.sessions.remove(at).token_hash))
    }

    async fn count_attempt(&self, keys: &[String], window: i64) -> Result<Vec<u64>> {
        let attempts = &mut self.state.lock().await.people.attempts;
        attempts.retain(|_, (of, _)| *of >= window);
        let count = |key: &String| {
            let (_, count) = attempts.entry(key.clone()).or_insert((window, 0));
            *count += 1;
            *count
        };
        Ok(keys.iter().map(count).collect())
    }

    async fn forgive_attempts(&self, keys: &[String]) -> Result<()> {
        let attempts = &mut self.state.lock().await.people.attempts;
        attempts.retain(|key, _| !keys.contains(key));
        Ok(())
    }
}
