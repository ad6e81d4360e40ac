//! Wish lists.

use async_trait::async_trait;
use cart_core::VisitorId;

use super::{
    super::{ListStore, Result, StoreError},
    MemoryStore,
};
use crate::lists::WishList;

#[async_trait]
impl ListStore for MemoryStore {
    async fn lists_of(&self, owner: &VisitorId) -> Result<Vec<WishList>> {
        // Names grow with time.
        Ok(self.state.lock().await.lists.values().filter(|l| l.owner == *owner).cloned().collect())
    }

    async fn list(&self, id: &str) -> Result<Option<WishList>> {
        Ok(self.state.lock().await.lists.get(id).cloned())
    }

    async fn shared_list(&self, digest: &str) -> Result<Option<WishList>> {
        let state = self.state.lock().await;
        Ok(state.lists.values().find(|l| l.share.as_deref() == Some(digest)).cloned())
    }

    async fn put_list(&self, list: &WishList, most: usize) -> Result<bool> {
        let mut state = self.state.lock().await;
        let before = state.lists.get(&list.id);
        let (version, owner) = before.map_or((0, &list.owner), |l| (l.version, &l.owner));
        if version + 1 != list.version || *owner != list.owner {
            return Err(StoreError::Conflict(format!("list {} is at version {version}", list.id)));
        }
        if version == 0 && state.lists.values().filter(|l| l.owner == list.owner).count() >= most {
            return Ok(false);
        }
        let back = serde_json::to_string(list).and_then(|text| serde_json::from_str::<WishList>(&text));
        assert_eq!(back.ok().as_ref(), Some(list), "a list reads back otherwise");
        state.lists.insert(list.id.clone(), list.clone());
        Ok(true)
    }

    async fn delete_list(&self, owner: &VisitorId, id: &str) -> Result<bool> {
        let mut state = self.state.lock().await;
        let is_theirs = state.lists.get(id).is_some_and(|list| list.owner == *owner);
        Ok(is_theirs && state.lists.remove(id).is_some())
    }

    async fn move_lists(&self, from: &VisitorId, to: &VisitorId) -> Result<u64> {
        let mut moved = 0;
        for list in self.state.lock().await.lists.values_mut().filter(|list| list.owner == *from) {
            list.owner = to.clone();
            list.version += 1;
            moved += 1;
        }
        Ok(moved)
    }
}
