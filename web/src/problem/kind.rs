//! The closed list of everything that can go wrong, with what it means and how to mend it. The API's document and the
//! pages under `/problems` are made from it, so a new kind is one row here.

use actix_web::http::StatusCode;
use cart_core::Rejection;

/// Makes the list from rows: variant, stable name, status, what it means, how to mend it.
macro_rules! kinds {
    ($($kind:ident $name:literal $status:ident $means:literal $mend:literal)+) => {
        /// Names a problem.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Kind {
            $(#[doc = $means] $kind,)+
        }

        impl Kind {
            /// All kinds, in the order of the list.
            pub const ALL: &[Self] = &[$(Self::$kind),+];

            /// Returns the stable name that clients branch on.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$kind => $name,)+ }
            }

            /// Returns the HTTP status.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$kind => StatusCode::$status,)+ }
            }

            /// Returns a sentence that says what it means.
            pub const fn means(self) -> &'static str {
                match self { $(Self::$kind => $means,)+ }
            }

            /// Returns a sentence that says how to mend it.
            pub const fn mend(self) -> &'static str {
                match self { $(Self::$kind => $mend,)+ }
            }
        }
    };
}

kinds! {
    // Of the request itself.
    InvalidJson "invalid_json" BAD_REQUEST
        "The body is not JSON, or not of the shape that the operation takes."
        "Compare the body with the operation's schema; the detail names the place and the member."
    InvalidRequest "invalid_request" BAD_REQUEST
        "A header, a parameter or a member of the body cannot be read."
        "The detail names it and says what it must be."
    InvalidCursor "invalid_cursor" BAD_REQUEST
        "The cursor is none of this list's, or one of an earlier release."
        "Begin again without a cursor, and pass on each `next_cursor` unchanged."
    Unauthorized "unauthorized" UNAUTHORIZED
        "The request does not say who asks."
        "Send `Authorization: Bearer <visitor_token>` with the token that the answer gave which opened the cart."
    NotAdmin "not_admin" UNAUTHORIZED
        "The request does not say which of the shop's people asks."
        "Send the name and password of an admin user by HTTP Basic authentication."
    NoSuchRoute "no_such_route" NOT_FOUND
        "Nothing answers at this address."
        "Compare the address with the API's document."
    MethodNotAllowed "method_not_allowed" METHOD_NOT_ALLOWED
        "The address is right, the method is not."
        "Use a method that the `Allow` header of the answer lists."
    NotAcceptable "not_acceptable" NOT_ACCEPTABLE
        "The client takes none of the types that the API answers."
        "Accept `application/json` and `application/problem+json`, or leave `Accept` out."
    BodyTooLarge "body_too_large" PAYLOAD_TOO_LARGE
        "The body is larger than any request needs."
        "Send less at once; a batch may be split into several."
    UnsupportedMediaType "unsupported_media_type" UNSUPPORTED_MEDIA_TYPE
        "The body is of a type that the operation does not read."
        "Send the `Content-Type` that the detail names."
    IdempotencyMismatch "idempotency_mismatch" UNPROCESSABLE_ENTITY
        "The `Idempotency-Key` was used before for another request."
        "Make a new key for each new request, and repeat a key only with the same request."

    TooManyRequests "too_many_requests" TOO_MANY_REQUESTS
        "The visitor, the address or the link has asked more often than it may."
        "Ask again after the seconds of `Retry-After`; `RateLimit` says with each answer what is left."

    // Of the cart, in order of precedence.
    UnknownCart "unknown_cart" NOT_FOUND
        "There is no such cart."
        "Open a cart with `POST /api/v1/carts`, and use the id that it answers."
    NotOwner "not_owner" FORBIDDEN
        "The cart belongs to another visitor."
        "Send the token of the visitor who opened the cart, or open another cart."
    StaleVersion "stale_version" PRECONDITION_FAILED
        "The cart has changed since the version that `If-Match` names."
        "Read the cart, look whether the command still makes sense, and send it with the new ETag."
    CartClosed "cart_closed" CONFLICT
        "The cart has become an order and can no longer change."
        "Open another cart."
    CartMerged "cart_merged" CONFLICT
        "The lines of the cart went into another cart, when its owner logged in."
        "Go on with the cart that the detail and `merged_into` of the cart name."
    CartExpired "cart_expired" CONFLICT
        "The cart was left alone for so long that it expired."
        "Send `reopen`: what is still to be had comes back, and the answer says what does not."
    InvalidQuantity "invalid_quantity" UNPROCESSABLE_ENTITY
        "The quantity is no whole number that a line may have."
        "Send a whole number in the range that the detail names; `remove_line` takes a line out."
    UnknownSku "unknown_sku" UNPROCESSABLE_ENTITY
        "No product of this SKU is for sale."
        "Take the SKU from `GET /api/v1/products`."
    CurrencyMismatch "currency_mismatch" UNPROCESSABLE_ENTITY
        "The product is not priced in the currency of the cart."
        "Open a cart in the currency of the product."
    QuantityLimit "quantity_limit" UNPROCESSABLE_ENTITY
        "The shop sells the product in other numbers of pieces."
        "Send a number of pieces that the detail allows."
    PropertyRefused "property_refused" UNPROCESSABLE_ENTITY
        "The product does not take such properties: one is unknown, missing or too long."
        "Read `properties` of the product: give those alone, each that is `required`, with at most `max_chars` characters."
    UnknownCode "unknown_code" UNPROCESSABLE_ENTITY
        "The shop has no such code."
        "Ask the shopper to compare the code with what was printed."
    UnknownGiftCard "unknown_gift_card" UNPROCESSABLE_ENTITY
        "The shop has no such gift card."
        "Ask the shopper to compare the code with the card."
    GiftCardNotFound "gift_card_not_found" NOT_FOUND
        "The shop has issued no such gift card."
        "List the gift cards, and name one by its `id`."
    GiftCardCurrency "gift_card_currency" UNPROCESSABLE_ENTITY
        "The gift card pays in another currency than the cart's."
        "Use it in a cart in the currency that `detail` names."
    GiftCardDisabled "gift_card_disabled" UNPROCESSABLE_ENTITY
        "The shop has stopped the gift card."
        "Pay by other means, and write to the shop."
    GiftCardExpired "gift_card_expired" UNPROCESSABLE_ENTITY
        "The gift card's time is over."
        "Pay by other means."
    GiftCardEmpty "gift_card_empty" UNPROCESSABLE_ENTITY
        "Nothing is left on the gift card."
        "Ask the shopper for another card."
    LineNotFound "line_not_found" UNPROCESSABLE_ENTITY
        "The cart has no such line."
        "Read the cart, and name a line by its `id`."
    ParcelNotFound "parcel_not_found" NOT_FOUND
        "The order has no such parcel."
        "Read the order, and name a parcel by its `number`."
    GiftLine "gift_line" UNPROCESSABLE_ENTITY
        "The line is a gift, about which its promotion decides."
        "Send `decline_gift` with the promotion that `gift_of` of the line names, to do without it."
    GiftNotFound "gift_not_found" UNPROCESSABLE_ENTITY
        "The promotion gives this cart nothing."
        "Read the cart, and name the promotion that `gift_of` of a line names."
    CartFull "cart_full" UNPROCESSABLE_ENTITY
        "The cart has as many lines as it may have."
        "Take lines out, or buy the rest with another cart."
    CartEmpty "cart_empty" CONFLICT
        "There is nothing in the cart to buy."
        "Add a line first."
    StepOutOfOrder "step_out_of_order" CONFLICT
        "The step is not part of the cart's workflow, or its turn has not come."
        "Complete the step that `next_step` of the cart names."
    InvalidDetails "invalid_details" UNPROCESSABLE_ENTITY
        "What was entered is not complete, or cannot be used."
        "Show the member `fields`: it says for each field what is wrong."
    AddressNotServed "address_not_served" UNPROCESSABLE_ENTITY
        "The shop sends nothing that travels to the address: no shipping method or no location serves it."
        "Ask the shopper for an address elsewhere; the member `fields` says what of it is to be changed."
    CheckoutIncomplete "checkout_incomplete" CONFLICT
        "Some step of the checkout is still to be done."
        "Start the checkout, and complete the steps that `next_step` names."
    PriceChanged "price_changed" CONFLICT
        "Prices are others than the shopper was told."
        "Show the cart, send `accept_prices` once the shopper agrees, then order."
    PromotionUsedUp "promotion_used_up" CONFLICT
        "A promotion that the cart showed was used as often as it may be before the order came; nothing is charged."
        "Read the cart, which now shows what it comes to without, and order again where the shopper agrees."
    GiftsChanged "gifts_changed" CONFLICT
        "The gifts of the cart changed before the order came: a promotion ended, or its gift ran out; nothing is charged."
        "Read the cart, which now shows the gifts that it gets, and order again where the shopper agrees."
    PaymentCancelled "payment_cancelled" CONFLICT
        "The cart was changed, or the payment cancelled, while it was under way; nothing was charged."
        "Show the cart, then order again."
    PaymentMismatch "payment_mismatch" CONFLICT
        "The cart changed between the payment and the order, so another amount is due."
        "Show the cart, then order again; what was authorised is given back."
    NotOrdered "not_ordered" CONFLICT
        "The order was not placed."
        "Look the cart over and try again."
    OrderState "order_state" CONFLICT
        "The order is in a state that does not allow this."
        "Read the order; what was sent off can be refunded, what was cancelled is done with."
    CancelTooLate "cancel_too_late" CONFLICT
        "The time in which shoppers cancel their orders is over."
        "Write to the shop: it may cancel an order until it has sent it off."
    RefundTooLarge "refund_too_large" CONFLICT
        "More would be given back than was paid."
        "Give back at most what the detail says is left."
    OutOfStock "out_of_stock" CONFLICT
        "There are fewer pieces than wanted."
        "Want at most as many as the detail says are left."
    UnreadableCart "unreadable_cart" INTERNAL_SERVER_ERROR
        "What the shop stored of this cart cannot be read."
        "Open another cart, and tell the shop."

    // Of snapshots.
    SnapshotMalformed "snapshot_malformed" UNPROCESSABLE_ENTITY
        "The text is no snapshot of a cart."
        "Send the text as `GET /api/v1/carts/{id}/snapshot` gave it."
    SnapshotUnknownVersion "snapshot_unknown_version" UNPROCESSABLE_ENTITY
        "The snapshot has a form that this release does not know."
        "Forget it, and take a new one."
    SnapshotForeign "snapshot_foreign" FORBIDDEN
        "The snapshot belongs to another visitor."
        "Ask with the token that it was taken with."
    SnapshotUnknownKey "snapshot_unknown_key" UNPROCESSABLE_ENTITY
        "The snapshot was sealed with a key that the shop no longer has."
        "Forget it, and take a new one."
    SnapshotForged "snapshot_forged" UNPROCESSABLE_ENTITY
        "The snapshot is not as the shop sealed it."
        "Forget it, and take a new one."
    SnapshotExpired "snapshot_expired" UNPROCESSABLE_ENTITY
        "The snapshot is older than the shop takes back."
        "Forget it, and take a new one; `expires_at_ms` says how long that is good."
    SnapshotTooLarge "snapshot_too_large" UNPROCESSABLE_ENTITY
        "A snapshot of the cart would be longer than the shop takes back."
        "Shorten the properties of its lines."

    // Of users.
    WrongCredentials "wrong_credentials" UNAUTHORIZED
        "The e-mail address or the password is not right."
        "Ask for both again."
    NotLoggedIn "not_logged_in" UNAUTHORIZED
        "Only a user may ask, and the token is a guest's."
        "Log in with `POST /api/v1/sessions`, and send the token that it answers."
    SessionEnded "session_ended" UNAUTHORIZED
        "The session of the token was ended or has not been used for too long."
        "Log in again with `POST /api/v1/sessions`."
    AccountExists "account_exists" CONFLICT
        "The e-mail address has an account with another password."
        "Log in, or sign up with another address."
    TooManyAttempts "too_many_attempts" TOO_MANY_REQUESTS
        "There were too many attempts to log in."
        "Try again after the seconds of `Retry-After`."
    UnknownSession "unknown_session" NOT_FOUND
        "The user has no such session."
        "Take the id from `GET /api/v1/sessions`."
    UnknownCustomer "unknown_customer" NOT_FOUND
        "Nobody of that id has an account; guests have none."
        "Take the id from an order's `owner`, or look the e-mail address up at `/admin/customers`."

    // Of payments and orders.
    PaymentDeclined "payment_declined" PAYMENT_REQUIRED
        "The payment provider refuses."
        "Ask the shopper for another means of payment."
    PaymentTimeout "payment_timeout" SERVICE_UNAVAILABLE
        "The payment provider did not answer in time; the cart's `payment` says that it is under way."
        "Read the cart in a moment: it becomes the order, or loses the payment, when the answer comes. The same request may be sent again, and `cancel_payment` lets the shopper pay otherwise."
    UnknownPaymentToken "unknown_payment_token" UNPROCESSABLE_ENTITY
        "The payment token is none of the provider's."
        "Send the token that the provider's payment page gave."
    InvalidSignature "invalid_signature" UNAUTHORIZED
        "The webhook is not signed by the payment provider, or too old."
        "Sign it as Standard Webhooks has it, with the secret of the configuration and the time of sending."
    UnknownPayment "unknown_payment" NOT_FOUND
        "The sandbox knows no such payment."
        "Follow the `url` of the cart's `payment`."
    UnknownOrder "unknown_order" NOT_FOUND
        "The visitor has no such order."
        "Use the `order_id` of the cart that became the order, and the token of the visitor who placed it."
    TooManyTries "too_many_tries" TOO_MANY_REQUESTS
        "This was tried too often."
        "Compare the number of the order with the letter that confirmed it, and try again in a minute."

    // Of carts that are shared.
    UnknownShare "unknown_share" NOT_FOUND
        "There is no such link to a cart: it was taken back, its time is over, or its cart went into another at a log-in."
        "Ask whoever shared the cart for a new link; its owner finds the links that live at `GET /api/v1/carts/{id}/shares`."
    ShareReadOnly "share_read_only" FORBIDDEN
        "The link shows the cart and does not let it be changed."
        "Ask the owner of the cart for a link with `editable`, or put what it holds into a cart of your own."
    OwnerOnly "owner_only" FORBIDDEN
        "The command is for the owner of the cart alone, and came by a link to it."
        "Change lines and codes only; the owner checks out, pays, and writes to the shop."
    TooManyShares "too_many_shares" CONFLICT
        "The cart has as many links as it may have."
        "Take a link back first, with `DELETE /api/v1/carts/{id}/shares/{share}`."

    UnknownReportLink "unknown_report_link" NOT_FOUND
        "There is no such link to a report: it was taken back, or its time is over."
        "Ask whoever sent the link for a new one; it is made on the experiment's page."

    // Of wish lists.
    UnknownList "unknown_list" NOT_FOUND
        "There is no such list, or its link was taken back."
        "Take the id from `GET /api/v1/lists`, or ask whoever shared the list for its new link."
    ItemNotFound "item_not_found" NOT_FOUND
        "The list has no such item."
        "Read the list, and name an item by its `id`."
    ListFull "list_full" UNPROCESSABLE_ENTITY
        "The list has as many items as it may have."
        "Take something off, or open another list."
    TooManyLists "too_many_lists" CONFLICT
        "The visitor has as many lists as they may have."
        "Delete a list first."

    // Of requests to be told that a product is back.
    CanBeBought "can_be_bought" CONFLICT
        "The product is not sold out, so there is nothing to wait for."
        "Put it into a cart: `add_line` with this SKU."
    NoLetters "no_letters" CONFLICT
        "The shop sends no letters, so it can tell nobody that a product is back."
        "Look at the product again later; an operator sets `mail.sink` in the configuration."
    UnknownStockLink "unknown_stock_link" NOT_FOUND
        "The link is none that the shop wrote, is not whole, or was sealed with a key that the shop no longer has."
        "Follow the link in the newest letter, and take all of it."

    // Of the catalogue.
    UnknownProduct "unknown_product" NOT_FOUND
        "No product of this SKU is for sale."
        "Take the SKU from `GET /api/v1/products`."

    // Of the shelves.
    InvalidShelfRules "invalid_shelf_rules" UNPROCESSABLE_ENTITY
        "A rule of the shelves makes no sense, and none was saved."
        "Mend the rule that the detail names, and send all of them again."
    ShelfRulesChanged "shelf_rules_changed" CONFLICT
        "Somebody else has saved rules since those were read that were changed."
        "Read the rules again, make the change again, and send it with the new `revision`."

    // Of the stock.
    StockNotKept "stock_not_kept" CONFLICT
        "The product has no stock of its own: it is a bundle, or the shop never runs out of it."
        "Change the stock of its parts, or import the product with another `policy`."
    UnknownLocation "unknown_location" UNPROCESSABLE_ENTITY
        "The shop has no such location."
        "Name one that the detail lists, or import it first with `cartwright import locations`."
    StockTooLow "stock_too_low" CONFLICT
        "The location would have fewer pieces than carts hold and orders took."
        "Leave as many pieces as `held` says; holds end by themselves, and cancelled orders give back."

    // Of webhooks and other sinks.
    InvalidEndpoint "invalid_endpoint" UNPROCESSABLE_ENTITY
        "The endpoint, or what is asked of it, cannot be had."
        "The detail says what is wrong and what would be right."
    UnknownEndpoint "unknown_endpoint" NOT_FOUND
        "There is no such endpoint."
        "Take the id from `GET /api/v1/admin/webhooks`."
    UnknownDelivery "unknown_delivery" NOT_FOUND
        "There is no such delivery, or it is so old that it was forgotten."
        "Take the position from the list of deliveries, or replay a span of time."

    // Of the shop's state.
    Busy "busy" SERVICE_UNAVAILABLE
        "The shop has more to do than it can."
        "Send the same request again after the seconds of `Retry-After`."
    Unavailable "unavailable" SERVICE_UNAVAILABLE
        "The shop cannot reach its store, so it is not known whether the command was done."
        "Send the same request again, with the same `Idempotency-Key`, after the seconds of `Retry-After`."

    // Of pages and sockets.
    Refused "refused" FORBIDDEN
        "The socket is not opened for this client."
        "The detail says what is missing."
    ForeignForm "foreign_form" FORBIDDEN
        "The form was sent from a page of another site."
        "Send it from the shop's own page, or list the site among the `allowed_origins` of the configuration."
    FormExpired "form_expired" FORBIDDEN
        "The form does not belong to this session."
        "Open the page again."
    NoSuchFile "no_such_file" NOT_FOUND
        "There is no such file."
        "Compare the address with the page that links to it."
    UnknownExperiment "unknown_experiment" NOT_FOUND
        "There is no such experiment."
        "Choose one of the list under `/admin`."
    UnknownMetric "unknown_metric" NOT_FOUND
        "There is no such metric."
        "Choose one of the list under `/admin/metrics`."
    NothingToReport "nothing_to_report" CONFLICT
        "The experiment is a draft, so nobody has met it and there are no numbers."
        "Start it on its page, and ask again when visitors have come."
    RollUpsUnreadable "roll_ups_unreadable" INTERNAL_SERVER_ERROR
        "The stored figures of an experiment cannot be read."
        "The log says why; roll-ups can be made again from the outbox."
    PageFault "page_fault" INTERNAL_SERVER_ERROR
        "A page could not be made."
        "The log says why."
}

impl Kind {
    /// Lists the kinds that a cart's own rules give.
    pub fn rejections() -> Vec<Self> {
        Rejection::NAMES.iter().filter_map(|name| Self::of_name(name)).collect()
    }

    /// Returns the kind of a name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// Reports whether the same request may do better a little later.
    pub fn asks_to_wait(self) -> bool {
        matches!(self.status(), StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS)
    }

    /// Returns the name as addresses spell it, with dashes.
    pub fn slug(self) -> String {
        self.name().replace('_', "-")
    }

    /// Returns the address of the page about it, which is the `type` of its documents.
    pub fn uri(self) -> String {
        format!("/problems/{}", self.slug())
    }

    /// Returns the name as a title for people.
    pub fn title(self) -> String {
        let mut title = self.name().replace('_', " ").replace("json", "JSON").replace("sku", "SKU");
        title[..1].make_ascii_uppercase();
        title
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_kind_is_named_once_and_speaks_in_sentences() {
        let names: BTreeSet<_> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        assert_eq!(names.len(), Kind::ALL.len());
        for kind in Kind::ALL {
            assert!(kind.means().ends_with('.') && kind.mend().ends_with('.'), "{kind:?}");
            assert!(kind.status().is_client_error() || kind.status().is_server_error(), "{kind:?}");
            assert_eq!(Kind::of_name(kind.name()), Some(*kind));
        }
    }

    #[test]
    fn every_rejection_is_a_kind() {
        let missing: Vec<_> = Rejection::NAMES.iter().filter(|name| Kind::of_name(name).is_none()).collect();
        assert_eq!(missing, Vec::<&&str>::new());
    }
}
