//! Every limit of the domain with its reason.

/// The most lines a cart holds: what the largest hosted shops allow; a frame of such a cart without properties stays below 150 KB.
pub const CART_LINES_MAX: usize = 500;

/// The most pieces of one line: what a shop would rather sell by quotation.
pub const LINE_QUANTITY_MAX: u32 = 9_999;

/// The highest unit price in minor units. With the two limits above, a cart's total stays below
/// 5 × 10¹⁷ (and shipping), so sums fit an `i64` with room to spare.
pub const PRICE_MINOR_MAX: i64 = 100_000_000_000;

/// The longest name or e-mail address in bytes: longer than most people type.
pub const FIELD_BYTES_MAX: usize = 200;

/// The longest text of an address field in units of UTF-16, as a browser's `maxlength` counts: longer than any postal
/// system prints.
pub const FIELD_UNITS_MAX: usize = 200;

/// The most parts of a bundle: a hamper's.
pub const BUNDLE_LINES_MAX: usize = 50;

/// The most pieces of one part in one bundle. A line of bundles then has fewer pieces of it than a `u32` holds.
pub const BUNDLE_PIECES_MAX: u32 = 1_000;

/// The longest note in bytes that goes with a bought product: a licence's summary and where to fetch the rest.
pub const DELIVERY_NOTE_BYTES_MAX: usize = 2_000;

/// The most pieces of one product that a shop may have been supplied with.
pub const SUPPLY_MAX: i64 = 1_000_000_000_000;

/// The most pieces that a shop may owe of one product: what fits a row's `integer` on both stores.
pub const OWED_MAX: u32 = 1_000_000_000;

/// The most locations that send orders: a chain's warehouses. The rule of the fewest parcels looks at all pairs of them.
pub const LOCATIONS_MAX: usize = 20;

/// The longest that a workflow's carts hold pieces, in seconds: a week, after which a cart is a wish list.
pub const HOLD_SECONDS_MAX: u32 = 604_800;

/// The most properties of a line: an engraving, a gift note and what a configurator adds.
pub const PROPERTIES_MAX: usize = 20;

/// The longest name of a property in bytes.
pub const PROPERTY_NAME_BYTES_MAX: usize = 40;

/// The longest label of a property in bytes: the heading of a field.
pub const PROPERTY_LABEL_BYTES_MAX: usize = 80;

/// The longest value of a property in bytes: a letter beside a gift.
pub const PROPERTY_VALUE_BYTES_MAX: usize = 500;

/// The longest note to an order in bytes.
pub const NOTE_BYTES_MAX: usize = 2_000;

/// The most commands of a batch: a whole order of a trade customer in a few requests.
pub const BATCH_COMMANDS_MAX: usize = 100;

/// The most lines that wait for later.
pub const SAVED_LINES_MAX: usize = 100;

/// The most bytes of properties over all lines of a cart, saved ones included: the whole cart is written with every
/// command and told to every device.
pub const CART_PROPERTIES_BYTES_MAX: usize = 64 * 1024;

/// The most special prices of one product: as many as commercetools embeds in a variant.
pub const PRODUCT_PRICES_MAX: usize = 100;

/// The most zones of one definition of tax or of one shipping method: all states and provinces of a continent.
pub const ZONES_MAX: usize = 500;

/// The most places of one zone, and the most postcodes of one place: an island's districts, not a gazetteer.
pub const PLACES_MAX: usize = 200;

/// The most components of one rate of tax, such as state, county, city and districts.
pub const TAX_COMPONENTS_MAX: usize = 6;

/// The most components of one rate that are charged on tax. Each multiplies the denominator by a million, and
/// two keep every product of an amount and a rate below 10³⁸, which an `i128` holds.
pub const TAX_COMPOUND_MAX: usize = 2;

/// What all components of a rate of tax must stay below together, in parts per million: five times the price is more
/// than any state takes, and the gross of 10¹⁸ minor units still fits an `i64`.
pub const TAX_PPM_MAX: u32 = 5_000_000;

/// The most categories that one zone lists.
pub const TAX_CATEGORIES_MAX: usize = 200;

/// The most methods of shipping: more than a shopper reads.
pub const SHIPPING_METHODS_MAX: usize = 50;

/// The most steps of one charge: a carrier's price list by weight.
pub const CHARGE_STEPS_MAX: usize = 100;

/// The longest journey that a method may promise, in days.
pub const DELIVERY_DAYS_MAX: u16 = 365;

/// The most promotions of a shop: ten times as many as commercetools lets be active without a code.
pub const PROMOTIONS_MAX: usize = 1_000;

/// The most promotions of a shop that give something away, not counting those that are paused: each may add a line to a
/// cart, and its stock is locked with the cart's.
pub const PROMOTION_GIFTS_MAX: usize = 20;

/// The most codes of one promotion: a mailing's, each to be typed by one customer.
pub const PROMOTION_CODES_MAX: usize = 1_000;

/// The longest code in bytes: longer than anybody types.
pub const CODE_BYTES_MAX: usize = 40;

/// The most codes that a cart holds.
pub const CART_CODES_MAX: usize = 10;

/// The most gift cards that a cart holds: a birthday's.
pub const CART_GIFT_CARDS_MAX: usize = 10;
/// The fewest characters of a gift card's code: of 32 kinds they make 80 bits, which nobody guesses.
pub const GIFT_CARD_CODE_MIN: usize = 16;
/// The most characters of a gift card's code.
pub const GIFT_CARD_CODE_MAX: usize = 40;
/// The longest note of a gift card in bytes: for whom it is, and why.
pub const GIFT_CARD_NOTE_BYTES_MAX: usize = 500;
/// The longest reason in bytes for which stock is changed by hand.
pub const STOCK_REASON_BYTES_MAX: usize = 200;
/// The longest carrier and the longest number of a parcel in bytes: twice what carriers print.
pub const TRACKING_BYTES_MAX: usize = 100;
/// The longest address in bytes at which a parcel is followed.
pub const TRACKING_URL_BYTES_MAX: usize = 1_000;
/// The most parcels of one order: a line of pieces sent one by one.
pub const ORDER_PARCELS_MAX: usize = 200;
/// The most times that what waits of an order is moved to another location: by each of them, and back.
pub const ORDER_RELOCATIONS_MAX: usize = 40;
/// The longest reference in bytes under which an amount is booked: several UUIDs.
pub const REFERENCE_BYTES_MAX: usize = 100;
/// The most products, categories, values or customers that one selector or condition names.
pub const SELECTOR_NAMES_MAX: usize = 1_000;

/// The most needs of one promotion.
pub const PROMOTION_NEEDS_MAX: usize = 10;

/// The most tiers of one promotion: more than a shopper compares.
pub const PROMOTION_TIERS_MAX: usize = 20;

/// The most parts of a bundle: whether pieces fill them is asked of every set of parts, of which six make 64.
pub const BUNDLE_PARTS_MAX: usize = 6;
