//! The domain of a shopping cart: pure values and rules, without clock, chance, threads or storage.
//!
//! Two functions hold the rules. [`decide`] turns a request and the facts it needs into events or a
//! rejection; [`evolve`] folds an event into the cart and cannot fail. Everything else is vocabulary.

pub mod allocate;
pub mod cart;
pub mod command;
pub mod decide;
pub mod definition;
pub mod details;
pub mod event;
pub mod evolve;
pub mod ids;
pub mod limits;
pub mod line;
pub mod money;
pub mod price;
pub mod product;
pub mod promotion;
pub mod purchase;
pub mod quote;
pub mod rejection;
pub mod shipping;
pub mod stock;
pub mod tax;
pub mod terms;
pub mod workflow;
pub mod zone;

pub use allocate::allocate;
pub use cart::{AssignedVariation, Cart, Stage};
pub use command::{Command, Payment, Request};
pub use decide::{Facts, Products, decide, open};
pub use definition::DefinitionError;
pub use details::{Address, FieldError, StepDetails};
pub use event::{CartEvent, Order, OrderLine};
pub use evolve::evolve;
pub use ids::{
    CartId, ChannelId, FamilyId, GroupId, IdError, MethodId, OrderId, PromotionId, Sku, TaxCategory,
    VisitorId,
};
pub use line::{Line, LineId, Properties, PropertiesError, SavedLine};
pub use money::{Currency, Money};
pub use price::{PriceQuestion, PriceReason, SelectedPrice, SpecialPrice};
pub use product::{Product, QuantityLimits, StockPolicy};
pub use promotion::{
    Code, CodeError, NotApplied, Occasion, Promoted, PromotedLine, PromotionDefinition, PromotionOutcome,
    Promotions, Uses,
};
pub use purchase::{LimitBroken, Wanted};
pub use quote::{LineQuote, Quote, Totals, quote};
pub use rejection::Rejection;
pub use shipping::{Carriage, NotOffered, Offer, Offers, Parcel, Shipping, ShippingDefinition};
pub use stock::{Movement, StockLevel, StockLevels};
pub use tax::{Assessment, TaxComponent, TaxDefinition, TaxQuestion, TaxZone, TaxableLine, Taxed, Taxes};
pub use terms::{PricePolicy, Terms};
pub use workflow::{CartLayout, CheckoutLayout, Step, Workflow, WorkflowError};
pub use zone::{Country, Destination, Place, Postcode, PostcodeRule, Region, ZoneError};
