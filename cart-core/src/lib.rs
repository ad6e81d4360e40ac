//! The domain of a shopping cart: pure values and rules, without clock, chance, threads or storage.
//!
//! Two functions hold the rules. [`decide`] turns a request and the facts it needs into events or a
//! rejection; [`evolve`] folds an event into the cart and cannot fail. Everything else is vocabulary.

pub mod account;
pub mod allocate;
pub mod bundle;
pub mod cart;
pub mod command;
pub mod decide;
pub mod definition;
pub mod details;
pub mod event;
pub mod evolve;
pub mod gift_card;
pub mod ids;
pub mod lapse;
pub mod limits;
pub mod line;
pub mod location;
pub mod merge;
pub mod money;
pub mod order;
pub mod payment;
pub mod price;
pub mod product;
pub mod promotion;
pub mod property;
pub mod purchase;
pub mod quote;
pub mod rejection;
pub mod shipping;
pub mod stock;
pub mod tax;
pub mod terms;
pub mod workflow;
pub mod zone;

pub use account::{AccountId, AccountIdError, Balances, Posting};
pub use allocate::allocate;
pub use bundle::{Bundle, LinePart, Part};
pub use cart::{AssignedVariation, Cart, Stage};
pub use command::{Command, Request, Typed};
pub use decide::{Facts, Products, catch_up, decide, open, set_group};
pub use definition::DefinitionError;
pub use details::{Address, Asked, FieldError, FieldRule, StepDetails};
pub use event::{CartEvent, HoldMove, LineHold, LineRelease};
pub use evolve::evolve;
pub use gift_card::{CardTerms, GiftCard, GiftCards, Tender};
pub use ids::{
    CartId, ChannelId, FamilyId, GiftCardId, GroupId, IdError, MethodId, OrderId, PaymentId, PromotionId,
    Sku, TaxCategory, VisitorId,
};
pub use lapse::{AbandonReason, Abandonment, Lapse, ReopenedLine};
pub use line::{Line, LineId, SavedLine};
pub use location::{AllocationRule, Location, LocationId, Locations, LocationsDefinition, Slot};
pub use merge::{LeftLine, Lines, LoginCart, Merged, claim, merge};
pub use money::{Currency, Money};
pub use order::{
    Order, OrderLine, OrderState, OrderStatus, PackWish, Packed, Parcel, ParcelWish, Refund, RefundWish,
    RefundedLine, Relocation, RelocationWish, Tracking, TrackingChange, Waiting,
};
pub use payment::{AttemptState, Payment, PaymentAttempt, PaymentTask, RequestKey};
pub use price::{PriceQuestion, PriceReason, SelectedPrice, SpecialPrice};
pub use product::{Preorder, Product, QuantityLimits, StockPolicy};
pub use promotion::{
    Code, CodeError, NotApplied, Occasion, Promoted, PromotedLine, PromotionDefinition, PromotionOutcome,
    Promotions, Uses,
};
pub use property::{
    Properties, PropertiesError,
    rule::{PropertyFault, PropertyRule},
};
pub use purchase::{LimitBroken, Wanted};
pub use quote::{LineQuote, Quote, Told, Totals, explain, quote, quote_knowing};
pub use rejection::Rejection;
pub use shipping::{
    Carriage, Freight, NotOffered, Offer, Offers, RefusedMethod, Shipping, ShippingDefinition,
};
pub use stock::{Movement, OnOffer, Pick, StockLevel, StockLevels, Taken};
pub use tax::{Assessment, TaxComponent, TaxDefinition, TaxQuestion, TaxZone, TaxableLine, Taxed, Taxes};
pub use terms::{PricePolicy, Terms};
pub use workflow::{CartLayout, CheckoutLayout, Step, Workflow, WorkflowError};
pub use zone::{Country, Destination, Place, Postcode, PostcodeRule, Region, ZoneError};
