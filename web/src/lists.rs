//! Wish lists: what somebody would like to have, kept beside the carts and shared by a link.
//!
//! Whoever owns carts owns lists, by the same key; a log-in moves them along with
//! [`ListStore::move_lists`](crate::store::ListStore::move_lists).

use cart_core::{
    FieldError, Line, LineId, Properties, Sku, VisitorId,
    limits::{CART_PROPERTIES_BYTES_MAX, LINE_QUANTITY_MAX},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    catalogue::Catalogue,
    clock,
    filling::{Put, Wanted},
    problem::{Kind, Problem},
    share_link::LinkTo,
    store::{Store, StoreError},
};

/// The most lists of a visitor: one for every occasion of a year, and for everybody in the house.
pub const LISTS_MAX: usize = 20;
/// The most items of a list: a wedding's.
pub const LIST_ITEMS_MAX: usize = 200;
/// The longest name of a list in bytes: a heading.
pub const LIST_NAME_BYTES_MAX: usize = 100;
/// The longest note to an item in bytes.
pub const ITEM_NOTE_BYTES_MAX: usize = 500;
/// How often a change is tried again that another one overtook.
const TRIES: usize = 10;
/// What the list is called that the pages open by themselves.
pub const FIRST_NAME: &str = "Wish list";

/// Is a wish list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WishList {
    /// Its name in addresses.
    pub id: String,
    /// Who it belongs to.
    pub owner: VisitorId,
    /// The number of its changes.
    pub version: u64,
    /// What its owner calls it.
    pub name: String,
    /// The digest of the token that others read it by, where it is shared; the token itself is never stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<String>,
    /// What is on it, in the order in which it came.
    pub items: Vec<WishItem>,
}

/// Is one thing on a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WishItem {
    /// The product.
    pub sku: Sku,
    /// What is to be done to it.
    #[serde(default, skip_serializing_if = "Properties::is_empty")]
    pub properties: Properties,
    /// Pieces wanted.
    pub quantity: u32,
    /// What its owner says about it; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// When it came, in Unix milliseconds.
    pub added_at_ms: i64,
}

impl WishItem {
    /// Returns a new item.
    ///
    /// # Errors
    /// The problem, where quantity or note are beyond their limits.
    pub fn new(sku: Sku, properties: Properties, quantity: u32, note: &str) -> Result<Self, Problem> {
        if !(1..=LINE_QUANTITY_MAX).contains(&quantity) {
            return Err(Problem::invalid_quantity(format!(
                "quantity {quantity} is outside 1 to {LINE_QUANTITY_MAX}; take the item off the list to have none"
            )));
        }
        let note = text_of("note", note, ITEM_NOTE_BYTES_MAX)?;
        Ok(Self { sku, properties, quantity, note, added_at_ms: clock::now_ms() })
    }

    /// Returns the wish for a line of a cart.
    pub fn of_line(line: &Line) -> Self {
        Self {
            sku: line.sku.clone(),
            properties: line.properties.clone(),
            quantity: line.quantity,
            note: String::new(),
            added_at_ms: clock::now_ms(),
        }
    }

    /// Returns its name within the list, which is that of the line it would be.
    pub fn id(&self) -> LineId {
        LineId::new(self.sku.clone(), &self.properties)
    }

    /// Returns what is to go into a cart.
    pub fn wanted(&self, catalogue: &Catalogue) -> Wanted {
        let name = catalogue.product(&self.sku).map_or_else(|| self.sku.to_string(), |p| p.name.clone());
        Wanted {
            sku: self.sku.clone(),
            // As the list names it, so that what was had comes off.
            properties: self.properties.clone(),
            name,
            quantity: self.quantity,
            was_minor: None,
        }
    }
}

/// Is a change of a list.
#[derive(Clone, Debug)]
pub enum ListChange {
    /// Calls it otherwise.
    Rename(String),
    /// Puts something on it; what is on it already is replaced where it stands.
    Put(WishItem),
    /// Takes things off; those that are not on it are no matter.
    Take(Vec<LineId>),
    /// Lets everybody read it who holds the token of this digest, and nobody by an earlier one; with none, nobody.
    Share(Option<String>),
}

impl WishList {
    /// Returns an empty list.
    ///
    /// # Errors
    /// The problem `invalid_details`, where the name is empty or too long.
    pub fn new(owner: VisitorId, name: &str) -> Result<Self, Problem> {
        let (id, name) = (Uuid::now_v7().simple().to_string(), name_of(name)?);
        Ok(Self { id, owner, version: 1, name, share: None, items: vec![] })
    }

    /// Changes the list; one that is as it should be already keeps its version.
    ///
    /// # Errors
    /// The problem, where the list is full or its name cannot be taken.
    pub fn change(&mut self, change: ListChange) -> Result<(), Problem> {
        let before = self.clone();
        match change {
            ListChange::Rename(name) => self.name = name_of(&name)?,
            ListChange::Put(item) => match self.items.iter_mut().find(|i| i.id() == item.id()) {
                Some(there) => *there = WishItem { added_at_ms: there.added_at_ms, ..item },
                None => self.add(item)?,
            },
            ListChange::Take(ids) => self.items.retain(|item| !ids.contains(&item.id())),
            ListChange::Share(digest) => self.share = digest,
        }
        if *self != before {
            self.version += 1;
        }
        Ok(())
    }

    fn add(&mut self, item: WishItem) -> Result<(), Problem> {
        let full = |detail: String| Err(Problem::new(Kind::ListFull, detail));
        if self.items.len() >= LIST_ITEMS_MAX {
            return full(format!(
                "the list has {LIST_ITEMS_MAX} items, the most allowed; take something off"
            ));
        }
        let bytes: usize = self.items.iter().map(|item| item.properties.bytes()).sum();
        if bytes + item.properties.bytes() > CART_PROPERTIES_BYTES_MAX {
            return full(format!(
                "the list has {CART_PROPERTIES_BYTES_MAX} bytes of properties, the most allowed"
            ));
        }
        self.items.push(item);
        Ok(())
    }

    /// Returns the items that are named, or all of them.
    ///
    /// # Errors
    /// The problem `item_not_found`.
    pub fn chosen(&self, ids: Option<&[LineId]>) -> Result<Vec<&WishItem>, Problem> {
        let Some(ids) = ids else { return Ok(self.items.iter().collect()) };
        let item = |id: &LineId| self.items.iter().find(|item| item.id() == *id).ok_or_else(|| no_item(id));
        ids.iter().map(item).collect()
    }
}

/// Returns the items that went into a cart, as far as they are to come off their list.
pub fn taken(lines: &[Put]) -> Vec<LineId> {
    lines.iter().filter(|put| put.added > 0).map(|put| put.wanted.id()).collect()
}

/// Says that a list has no such item.
fn no_item(id: &LineId) -> Problem {
    Problem::new(Kind::ItemNotFound, format!("the list has no item {id}"))
}

/// Says that a visitor has no such list; somebody else's looks like none at all.
fn unknown_list() -> Problem {
    Problem::new(Kind::UnknownList, "there is no such list")
}

fn name_of(name: &str) -> Result<String, Problem> {
    match text_of("name", name, LIST_NAME_BYTES_MAX)? {
        name if name.is_empty() => Err(invalid("name", "must not be empty".into())),
        name => Ok(name),
    }
}

fn text_of(field: &str, text: &str, bytes_max: usize) -> Result<String, Problem> {
    let text = text.trim();
    if text.len() > bytes_max || text.chars().any(char::is_control) {
        return Err(invalid(field, format!("must be at most {bytes_max} bytes of printable text")));
    }
    Ok(text.to_owned())
}

fn invalid(field: &str, message: String) -> Problem {
    Problem::invalid_details(vec![FieldError { field: field.into(), message }])
}

/// Opens a list.
///
/// # Errors
/// The problem, where the visitor has as many as they may, or the store does not answer.
pub async fn open(store: &dyn Store, owner: &VisitorId, name: &str) -> Result<WishList, Problem> {
    let list = WishList::new(owner.clone(), name)?;
    match store.put_list(&list, LISTS_MAX).await? {
        true => Ok(list),
        false => {
            let detail = format!("you have {LISTS_MAX} lists, the most allowed; delete one first");
            Err(Problem::new(Kind::TooManyLists, detail))
        }
    }
}

/// Reads a visitor's list.
///
/// # Errors
/// The problem `unknown_list`, or that the store does not answer.
pub async fn read(store: &dyn Store, owner: &VisitorId, id: &str) -> Result<WishList, Problem> {
    store.list(id).await?.filter(|list| list.owner == *owner).ok_or_else(unknown_list)
}

/// Reads a list by the token that it is shared by.
///
/// # Errors
/// As [`read`].
pub async fn shared(store: &dyn Store, token: &str) -> Result<WishList, Problem> {
    store.shared_list(&LinkTo::List.digest_of(token)).await?.ok_or_else(unknown_list)
}

/// Changes a visitor's list; where another change was faster, on top of that.
///
/// # Errors
/// As [`read`] and [`WishList::change`].
pub async fn change(
    store: &dyn Store,
    owner: &VisitorId,
    id: &str,
    change: &ListChange,
) -> Result<WishList, Problem> {
    let mut tries = 0;
    loop {
        let mut list = read(store, owner, id).await?;
        let before = list.version;
        list.change(change.clone())?;
        if list.version == before {
            return Ok(list);
        }
        tries += 1;
        match store.put_list(&list, LISTS_MAX).await {
            Ok(_) => return Ok(list),
            Err(StoreError::Conflict(_)) if tries < TRIES => {}
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list() -> WishList {
        WishList::new(VisitorId::parse("ann").unwrap(), " Birthday ").unwrap()
    }

    fn item(sku: &str, quantity: u32, note: &str) -> WishItem {
        WishItem::new(Sku::parse(sku).unwrap(), Properties::default(), quantity, note).unwrap()
    }

    #[test]
    fn a_thing_is_on_a_list_once_and_a_change_that_says_nothing_new_is_none() {
        let mut list = list();
        assert_eq!((list.name.as_str(), list.version), ("Birthday", 1));
        list.change(ListChange::Put(item("MUG", 1, ""))).unwrap();
        list.change(ListChange::Put(item("VASE", 1, ""))).unwrap();
        let first = list.items[0].added_at_ms;
        list.change(ListChange::Put(WishItem { added_at_ms: first + 5, ..item("MUG", 3, "blue") })).unwrap();
        assert_eq!((list.items.len(), list.version), (2, 4));
        assert_eq!(
            (list.items[0].quantity, &*list.items[0].note, list.items[0].added_at_ms),
            (3, "blue", first)
        );
        list.change(ListChange::Put(item("MUG", 3, "blue"))).unwrap();
        list.change(ListChange::Take(vec!["CUP".parse().unwrap()])).unwrap();
        list.change(ListChange::Rename("Birthday".into())).unwrap();
        assert_eq!(list.version, 4);
        list.change(ListChange::Take(vec!["MUG".parse().unwrap()])).unwrap();
        assert_eq!(list.items.iter().map(|i| i.sku.as_str()).collect::<Vec<_>>(), ["VASE"]);
        assert!(list.chosen(Some(&["MUG".parse().unwrap()])).is_err());
    }

    #[test]
    fn lists_have_limits() {
        let mut list = list();
        for n in 0..LIST_ITEMS_MAX {
            list.change(ListChange::Put(item(&format!("P{n}"), 1, ""))).unwrap();
        }
        let full = list.change(ListChange::Put(item("MORE", 1, ""))).unwrap_err();
        assert_eq!(full.kind(), Kind::ListFull);
        for name in ["", "  ", &"x".repeat(LIST_NAME_BYTES_MAX + 1), "a\u{7}b"] {
            assert_eq!(
                list.change(ListChange::Rename(name.into())).unwrap_err().kind(),
                Kind::InvalidDetails
            );
        }
        let sku = || Sku::parse("MUG").unwrap();
        let long = "x".repeat(ITEM_NOTE_BYTES_MAX + 1);
        assert!(WishItem::new(sku(), Properties::default(), 1, &long).is_err());
        for quantity in [0, LINE_QUANTITY_MAX + 1] {
            assert!(WishItem::new(sku(), Properties::default(), quantity, "").is_err());
        }
    }
}
