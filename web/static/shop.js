// Keeps the pages of the shop live. Without it every form still works; with it the cart changes in place, here and
// on every other device of the shopper.
//
// One direction: a command goes out, the cart comes back (in the answer, or from the channel when another device
// sent it), and `show` draws it. Nothing is drawn before the server has it, but for what has to wait for a network: that
// is drawn as waiting. What the browser keeps meanwhile is `session.js`'s business, where the shop wants it to keep any.

(() => {
  "use strict";

  const { cartLayout, currency, sign } = document.body.dataset;
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

  // On the cart page the cart is already there to see.
  const drawer = $("main [data-cart]") ? null : $("#drawer");
  const news = $("#news");
  const toasts = $("#toasts");
  let cartId = document.body.dataset.cartId ?? null;
  let socket = null;
  let channel = null;
  let shown = null; // the newest cart that the shop told
  const session = window.cartSession ?? null;

  document.documentElement.classList.add("live");

  // Amounts: minor units to what the server's pages write.

  const placesOf = (code) =>
    new Intl.NumberFormat("en-GB", { style: "currency", currency: code }).resolvedOptions().maximumFractionDigits;

  function money(minor, code) {
    const places = placesOf(code);
    const digits = new Intl.NumberFormat("en-GB", { minimumFractionDigits: places, maximumFractionDigits: places });
    const amount = digits.format(Math.abs(minor) / 10 ** places);
    const minus = minor < 0 ? "−" : "";
    return code === currency && sign ? `${minus}${sign}${amount}` : `${minus}${amount} ${code}`;
  }

  /** Writes the amounts of a sentence, such as "12.50 GBP", as prices are. */
  const withPrices = (sentence) =>
    sentence.replace(/(?<![\d.])(\d+)(?:\.(\d+))? ([A-Z]{3})\b/g, (all, whole, fraction = "", code) =>
      fraction.length === placesOf(code) ? money(Number(whole + fraction), code) : all,
    );

  // Toasts: what happened, for eyes and for screen readers.

  function toast(text, { refused = false, link = null } = {}) {
    const note = document.createElement("p");
    note.className = refused ? "toast toast-refused" : "toast";
    note.append(text, " ");
    if (link) {
      const anchor = document.createElement("a");
      anchor.href = link.href;
      anchor.textContent = link.text;
      note.append(anchor);
    }
    toasts.replaceChildren(note);
    setTimeout(() => note.remove(), refused ? 8000 : 5000);
  }

  // Drawing

  /** Tells screen readers where the cart stands, whoever changed it. */
  function announce({ totals, currency: code }) {
    const pieces = totals.items === 1 ? "1 piece" : `${totals.items} pieces`;
    const sum = totals.items === 0 ? "The cart is empty." : `The cart holds ${pieces}, ${money(totals.total_minor, code)}.`;
    text($("[data-live]"), sum);
  }

  /** Tells at length what a toast is too short for, until the shopper has read it. */
  function note(title, words, { refused = false } = {}) {
    const box = document.createElement("div");
    box.className = refused ? "notice notice-refused" : "notice notice-done";
    box.setAttribute("role", refused ? "alert" : "status");
    const list = document.createElement("ul");
    for (const word of words) list.append(Object.assign(document.createElement("li"), { textContent: word }));
    const button = Object.assign(document.createElement("button"), { className: "button-link", textContent: "Understood" });
    button.addEventListener("click", () => box.remove());
    box.append(Object.assign(document.createElement("p"), { textContent: title }), list, button);
    $("main").prepend(box);
  }

  const text = (node, value) => {
    if (node && node.textContent !== value) node.textContent = value;
  };

  function show(cart) {
    if (cart.id !== cartId || (shown && cart.version < shown.version)) return;
    if (cart.status === "merged") return void follow();
    const before = shown;
    shown = cart;
    const ordered = cart.status === "ordered";
    if (ordered) {
      // Bought, here or on another device: nothing on this page can change that cart any more.
      cartId = null;
      channel?.leave();
      if ($("[data-checkout]") || $("main [data-cart]")) location.assign(`/orders/${encodeURIComponent(cart.order_id)}`);
    }
    draw(ordered ? { ...cart, lines: [], totals: { ...cart.totals, items: 0 } } : cart, before);
    if (before && before.version < cart.version && !ordered) announce(cart);
    drawReleased(cart, before);
  }

  /** Draws a cart with what has to wait. */
  function draw(known, before = known) {
    const cart = session?.drawn(known) ?? known;
    count(cart.totals.items);
    for (const root of $$("[data-cart]")) drawCart(root, cart, before);
    const checkout = $("[data-checkout]");
    if (checkout && cart.status !== "ordered") drawOrder(checkout, cart);
    drawHold(cart.holds_expire_at_ms);
  }

  function count(items) {
    for (const badge of $$("[data-count]")) {
      const number = $("[data-count-number]", badge);
      if (number.textContent !== String(items) && items > 0) {
        badge.classList.remove("badge-bump");
        void badge.offsetWidth; // lets the animation start again
        badge.classList.add("badge-bump");
      }
      text(number, String(items));
      badge.hidden = items === 0;
    }
  }

  function drawCart(root, cart, before) {
    const list = $("[data-lines]", root);
    const drawn = new Map($$("[data-line]", list).map((line) => [line.dataset.line, line]));
    for (const line of cart.lines) {
      // Gifts come last.
      const node = drawn.get(line.id) ?? list.insertBefore(newLine(line, before !== null), line.gift_of ? null : $("[data-given]", list));
      drawn.delete(line.id);
      drawLine(node, line, cart.currency);
    }
    for (const gone of drawn.values()) {
      const held = gone.contains(document.activeElement);
      const next = gone.nextElementSibling ?? gone.previousElementSibling;
      gone.remove();
      if (held) ($("[data-bought]:not([hidden]) input", next ?? root) ?? $("a[href]", root))?.focus();
    }
    $("[data-cart-empty]", root).hidden = cart.lines.length > 0;
    $("[data-cart-full]", root).hidden = cart.lines.length === 0;
    drawTotals(root, cart);
    drawRedeemed(root, cart);
    drawPrices(root, cart);
  }

  /** What costs another amount than the shopper was told, where the shop wants it accepted. */
  function drawPrices(root, cart) {
    const box = $("[data-prices]", root);
    if (!box) return;
    const changed = cart.lines.filter(({ was_minor: was }) => was !== undefined);
    box.hidden = changed.length === 0;
    const told = JSON.stringify(changed.map(({ id, name, was_minor, unit_price_minor }) => [id, name, was_minor, unit_price_minor]));
    if (box.dataset.told === told) return;
    box.dataset.told = told;
    const items = changed.map(({ id, name, was_minor: was, unit_price_minor: now }) => {
      const seen = Object.assign(document.createElement("input"), { type: "hidden", name: "seen", value: `${id}=${now}` });
      seen.setAttribute("form", $("button", box).getAttribute("form"));
      const node = Object.assign(document.createElement("li"), { textContent: `${name}: ${money(was, cart.currency)} before, ${money(now, cart.currency)} now` });
      node.append(seen);
      return node;
    });
    $("[data-prices-lines]", box).replaceChildren(...items);
  }

  /** What was redeemed, each with a button that takes it back, and what promotions did or wait for. */
  function drawRedeemed(root, cart) {
    const box = $("[data-redeem]", root);
    const button = $("[data-redeem] button", root);
    const item = (name, value, label, what) => {
      const remove = button.cloneNode();
      Object.assign(remove, { name, value, className: "button-link", textContent: "Remove" });
      remove.removeAttribute("aria-busy");
      const unseen = Object.assign(document.createElement("span"), { className: "unseen", textContent: ` ${label} ${what}` });
      remove.append(unseen);
      const words = Object.assign(document.createElement("span"), { textContent: label });
      if (what) words.append(" ", Object.assign(document.createElement("b"), { textContent: what }));
      const node = document.createElement("li");
      node.append(words, remove);
      return node;
    };
    const isUnknown = (code) => (cart.unknown_codes ?? []).includes(code);
    const label = (code) => (isUnknown(code) ? "No longer valid: code" : "Code");
    const items = (cart.codes ?? []).map((code) => item("remove_code", code, label(code), code));
    items.push(...(cart.gift_cards ?? []).map(({ id, last4 }) => item("remove_card", id, "Gift card", `…${last4}`)));
    if (cart.uses_store_credit) items.push(item("credit", "0", "Your credit", ""));
    const list = $("[data-redeemed]", box);
    const isHeld = list.contains(document.activeElement);
    list.replaceChildren(...items);
    list.hidden = items.length === 0;
    if (isHeld) $("input", box).focus();
    const offer = $("[data-credit-offer]", box);
    if (offer) offer.hidden = Boolean(cart.uses_store_credit);
    drawPromotions($("[data-promotions]", root), cart.promotions);
  }

  /** Draws what is new alone: nobody's button goes away under their finger. */
  function drawPromotions(list, promotions) {
    const told = JSON.stringify(promotions);
    if (list.dataset.told === told) return;
    list.dataset.told = told;
    list.replaceChildren(...promotions.map(promotionNote));
  }

  /** Says what a promotion does; where its gift was declined, it can be had after all. */
  function promotionNote({ id, applied, detail, reason }) {
    const note = Object.assign(document.createElement("li"), { textContent: withPrices(detail), className: applied ? "promotion-applied" : "" });
    if (reason !== "declined") return note;
    const form = $("#accept-template").content.firstElementChild.cloneNode(true);
    form.elements.promotion.value = id;
    note.append(" ", form);
    return note;
  }

  function newLine(line, isNews) {
    const node = $("#line-template").content.firstElementChild.cloneNode(true);
    node.dataset.line = line.id;
    if (isNews) node.classList.add("line-new");
    if (line.gift_of) node.dataset.given = "";
    for (const anchor of $$("a", node)) {
      if (line.gift_of) anchor.removeAttribute("href");
      else anchor.href = `/products/${encodeURIComponent(line.sku)}`;
    }
    for (const form of $$("form:not([data-decline])", node)) form.action = `/cart/lines/${encodeURIComponent(line.id)}`;
    $("[data-decline]", node).elements.promotion.value = line.gift_of ?? "";
    drawPicture(node, line.sku);
    return node;
  }

  function drawProperties(node, line) {
    const list = $("[data-properties]", node);
    const words = said(line);
    const told = JSON.stringify(words);
    if (list.dataset.told === told) return;
    list.dataset.told = told;
    const items = words.map(([name, value]) => {
      const label = Object.assign(document.createElement("span"), { textContent: name });
      const item = document.createElement("li");
      item.append(label, ` ${value}`);
      return item;
    });
    list.replaceChildren(...items);
    list.hidden = items.length === 0;
  }

  /** The server knows the picture; the tint behind it is the one that its own pages choose. */
  function drawPicture(node, sku) {
    const bytes = new TextEncoder().encode(sku);
    const hash = bytes.reduce((sum, byte) => (Math.imul(sum, 31) + byte) >>> 0, 7);
    $(".plate", node).classList.add(`tint-${((hash >>> 3) & 255) % 6}`);
    $("img", node).src = `/products/${encodeURIComponent(sku)}/picture`;
  }

  /** Why a piece costs what it costs; that a price stands in the cart's currency goes without saying. */
  function reason({ price }) {
    return price && price.reason !== "listed" ? price.detail : "";
  }

  /** What is said of a line, each text under what shoppers read. */
  function said({ properties, labels = {} }) {
    return Object.entries(properties).map(([name, value]) => [`${labels[name] ?? name}:`, value]);
  }

  function drawLine(node, line, code) {
    text($("[data-name]", node), line.name);
    for (const again of $$("[data-name-again]", node)) text(again, line.name);
    const price = (minor) => (minor === null ? "…" : money(minor, code));
    text($("[data-unit-price]", node), price(line.unit_price_minor));
    const why = reason(line);
    text($("[data-why]", node), why ? `, ${why}` : "");
    $("[data-was]", node).hidden = line.was_minor === undefined;
    if (line.was_minor !== undefined) text($("[data-was-price]", node), money(line.was_minor, code));
    text($("[data-line-total]", node), line.gift_of ? "Free" : price(line.total_minor));
    for (const part of $$("[data-gift]", node)) part.hidden = !line.gift_of;
    for (const part of $$("[data-bought]", node)) part.hidden = Boolean(line.gift_of);
    text($("[data-gift-pieces]", node), line.quantity > 1 ? ` × ${line.quantity}` : "");
    drawProperties(node, line);
    drawWaiting(node, line.waits);
    const input = $(".quantity", node);
    const isBeingEdited = input === document.activeElement && input.dataset.sent !== input.value;
    if (!isBeingEdited && !waiting.has(input.form)) input.value = line.quantity;
    $("[data-unheld]", node).hidden = !line.released;
    drawLater(node, line);
  }

  /** Says what a bundle is made of, and what of a line ships later: all of it from a day on, or some pieces. */
  function drawLater(node, { backordered = 0, ships_from_ms: from = 0, parts = [] }) {
    const made = $("[data-parts]", node);
    made.hidden = parts.length === 0;
    text(made, parts.map((part) => `${part.quantity} × ${part.name}`).join("; "));
    const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
    const pieces = backordered === 1 ? "1 of these ships later" : `${backordered} of these ship later`;
    const later = $("[data-later]", node);
    later.hidden = from <= Date.now() && backordered === 0;
    text(later, from > Date.now() ? `Ships from ${day.format(from)}` : pieces);
  }

  function drawWaiting(node, waits) {
    const words = $("[data-waits]", node);
    if (!waits) return words?.remove();
    if (words) return;
    const added = Object.assign(document.createElement("span"), { className: "line-waits", textContent: "Waits to be sent." });
    added.dataset.waits = "";
    $(".line-words", node).append(added);
  }

  function drawTotals(root, cart) {
    for (const node of $$("[data-total]", root)) {
      const minor = cart.totals[node.dataset.total];
      if (minor === undefined || node.dataset.total === "discount_minor") continue;
      if (minor === null) text(node, "…");
      else text(node, minor === 0 && node.dataset.free ? node.dataset.free : money(minor, cart.currency));
    }
    const { tax_minor, tax_added_minor } = cart.totals;
    const added = $("[data-tax-added]", root);
    if (added && tax_added_minor !== undefined) {
      added.hidden = tax_added_minor === 0;
      $("[data-tax-included]", root).hidden = tax_added_minor !== 0 || tax_minor === 0;
    }
    const discount = $("[data-discount]", root);
    if (discount && cart.totals.discount_minor !== undefined) {
      discount.hidden = cart.totals.discount_minor === 0;
      text($("dd", discount), money(-cart.totals.discount_minor, cart.currency));
    }
    drawPaid(root, cart);
    const shipping = $("[data-shipping-row]", root);
    if (shipping) shipping.hidden = cart.totals.shipping_minor === 0;
  }

  /** What gift cards and credit pay, what they leave, and whether a card is still needed for that. */
  function drawPaid(root, cart) {
    const { total_minor, store_credit_minor = 0, due_minor } = cart.totals;
    for (const due of $$("[data-due]", root)) due.hidden = due_minor === undefined;
    const row = (label, minor) => {
      const node = document.createElement("div");
      node.dataset.paid = "";
      for (const [tag, words] of [["dt", label], ["dd", money(-minor, cart.currency)]]) {
        node.append(Object.assign(document.createElement(tag), { textContent: words }));
      }
      return node;
    };
    const cards = cart.gift_cards ?? [];
    const rows = cards.map(({ label, last4, pays_minor }) => row(label ?? `Gift card …${last4}`, pays_minor));
    if (store_credit_minor) rows.push(row("Your credit", store_credit_minor));
    for (const old of $$("[data-paid]", root)) old.remove();
    $(".sums [data-due]", root)?.before(...rows);
    if (total_minor === null) return; // only the shop knows
    const left = due_minor ?? total_minor;
    for (const node of $$("[data-nothing-due]", root)) node.hidden = left !== 0;
    for (const node of $$("[data-cards]", root)) node.hidden = left === 0;
    text($("[data-pay]", root), left === 0 ? "Place order" : `Pay ${money(left, cart.currency)}`);
  }

  function drawOrder(root, cart) {
    const template = $("#order-line-template");
    const lines = cart.lines.map((line) => {
      const node = template.content.firstElementChild.cloneNode(true);
      text($("[data-name]", node), line.name);
      text($("[data-quantity]", node), String(line.quantity));
      text($("[data-line-total]", node), line.gift_of ? "Free" : money(line.total_minor, cart.currency));
      $("[data-gift]", node).hidden = !line.gift_of;
      const [words, why] = [said(line).map((pair) => pair.join(" ")).join("; "), reason(line)];
      text($("[data-said]", node), words);
      $("[data-said]", node).hidden = !words;
      text($("[data-each]", node), why && `${money(line.unit_price_minor, cart.currency)} each, ${why}`);
      $("[data-each]", node).hidden = !why;
      drawPicture(node, line.sku);
      drawLater(node, line);
      return node;
    });
    $("[data-order-lines]", root).replaceChildren(...lines);
    drawTotals(root, cart);
    drawRedeemed(root, cart);
    drawPrices(root, cart);
    for (const offer of cart.shipping.offered) {
      const choice = $$("input[name='method']", root).find((c) => c.value === offer.method);
      if (!choice) continue;
      delete choice.dataset.paidCards;
      Object.assign(choice.dataset, sumsOf(offer));
    }
    drawChosenDelivery(cart);
  }

  /** What a way to travel costs, as the pages note it at each choice. */
  function sumsOf({ minor, total_minor, gift_cards_minor, store_credit_minor }) {
    const paid = gift_cards_minor === undefined ? {} : { paidCards: gift_cards_minor, paidCredit: store_credit_minor };
    return { minor, sum: total_minor, ...paid };
  }

  /** Until the shopper has chosen how the order travels, the sums show what the choice on the page will cost, or the first one. */
  function drawChosenDelivery(cart) {
    const root = $("[data-checkout]");
    const radio = root && $("input[name='method']:checked", root);
    const first = cart?.shipping_method === null ? cart.shipping.offered[0] : undefined;
    if (!radio && !first) return;
    // What tax makes of the choice only the server knows: it says the sum of each, and who pays it.
    const { minor, sum, paidCards, paidCredit } = radio?.dataset ?? sumsOf(first);
    const totals = { shipping_minor: Number(minor), total_minor: Number(sum) };
    if (paidCards !== undefined) {
      Object.assign(totals, { gift_cards_minor: Number(paidCards), store_credit_minor: Number(paidCredit) });
      totals.due_minor = totals.total_minor - totals.gift_cards_minor - totals.store_credit_minor;
    }
    drawTotals(root, { currency, totals, gift_cards: paying(root, totals.gift_cards_minor) });
  }

  /** The gift cards that pay the sum of a choice: the shop tells what they pay together. */
  function paying(root, minor) {
    const ends = $$("[data-redeemed] [name='remove_card']", root).map((remove) => $("b", remove.closest("li")).textContent);
    return minor ? [{ label: ends.length === 1 ? `Gift card ${ends[0]}` : "Gift cards", pays_minor: minor }] : [];
  }

  /** Counts down: in minutes, and in seconds when it gets tight. */
  function drawHold(expiresAt) {
    for (const node of $$("[data-hold]")) {
      if (expiresAt !== undefined) node.dataset.expires = expiresAt ?? "";
      const seconds = Math.ceil((Number(node.dataset.expires) - Date.now()) / 1_000);
      const minutes = Math.ceil(seconds / 60);
      node.hidden = !(seconds > 0);
      const left = seconds > 120 ? `${minutes} minutes` : `${seconds} ${seconds === 1 ? "second" : "seconds"}`;
      text($("[data-hold-minutes]", node), left);
    }
  }

  /** Says what went back to the shelf; aloud where it has just gone. */
  function drawReleased(cart, before) {
    const released = cart.status === "ordered" ? [] : cart.lines.filter((line) => line.released);
    const names = released.map(({ name, released: n }) => (n > 1 ? `${name} × ${n}` : name)).join(", ");
    for (const node of $$("[data-released]")) {
      node.hidden = released.length === 0;
      text($("[data-released-lines]", node), names);
    }
    const had = before?.lines.some((line) => line.released);
    if (released.length > 0 && before && !had) text($("[data-live]"), `The time is over, and these went back to the shelf: ${names}.`);
  }

  // Sending

  /** A request that was understood and refused, or that nobody could answer. `reason` is the rejection's name. */
  class Refusal extends Error {
    constructor(reason, detail) {
      super(detail);
      this.reason = reason;
    }
  }

  /**
   * Sends one command over the JSON API. It is repeated once with the same key, so it has one effect. Where the session
   * has a queue, it goes through that, and the answer is null for what has to wait.
   */
  async function command(body, about = {}) {
    if (session?.queue) {
      return session.send(cartId, body, about).catch(({ reason, detail }) => {
        throw new Refusal(reason, detail);
      });
    }
    return post(body);
  }

  /** Sends one command now, or not at all: what was typed is not to be tried when nobody looks on any more. */
  async function commandNow(body) {
    if (session?.queue && !session.isStuck()) await session.queue.drain();
    if (session?.isStuck() || session?.items().length) {
      throw new Refusal("offline", "That needs the shop, which cannot be reached just now.");
    }
    return post(body);
  }

  async function post(body) {
    const request = {
      method: "POST",
      credentials: "same-origin",
      headers: { "Content-Type": "application/json", Accept: "application/json", "Idempotency-Key": newKey() },
      body: JSON.stringify(body),
    };
    const address = `/api/v1/carts/${encodeURIComponent(cartId)}/commands${session ? "?snapshot=true" : ""}`;
    for (let attempt = 1; ; attempt += 1) {
      let response;
      try {
        response = await fetch(address, request);
      } catch {
        if (attempt === 1) continue;
        throw new Refusal("offline", "The shop cannot be reached. Check the connection and try again.");
      }
      if (response.status === 503 && attempt === 1) {
        await new Promise((resume) => setTimeout(resume, 1000));
        continue;
      }
      const answer = await response.json().catch(() => ({}));
      if (response.ok) {
        session?.keep(answer.cart, answer.snapshot);
        return answer;
      }
      const reason = String(answer.type ?? "").split("/").pop().replaceAll("-", "_") || `status_${response.status}`;
      throw new Refusal(reason, answer.detail ?? answer.title ?? "The shop could not do that just now.");
    }
  }

  /** `randomUUID` is only there on https and localhost. */
  function newKey() {
    return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  /** Sets a line's quantity over the channel; where it is not joined or does not answer, over the JSON API. */
  function setQuantity(line, quantity) {
    const about = { name: shown?.lines.find(({ id }) => id === line)?.name ?? line };
    const overHttp = () =>
      command(quantity === 0 ? { type: "remove_line", line } : { type: "set_quantity", line, quantity }, about);
    if (session || channel?.state !== "joined") return overHttp();
    return new Promise((resolve, reject) => {
      channel
        .push("update_cart", { item: { line, quantity } }, 5000)
        .receive("ok", resolve)
        .receive("error", ({ reason, detail }) => reject(new Refusal(reason, detail)))
        // Setting the same quantity twice is setting it once.
        .receive("timeout", () => overHttp().then(resolve, reject));
    });
  }

  // Changes run one after the other, so that the shopper's second thought arrives after the first.
  const waiting = new Map(); // forms with changes that have not been answered, and how many
  let turn = Promise.resolve();

  /** Queues one change; `form` shows that it is under way. `refused` says where a refusal is told; else a toast tells it. */
  function change(form, work, done, refused) {
    waiting.set(form, (waiting.get(form) ?? 0) + 1);
    $("button", form).setAttribute("aria-busy", "true");
    turn = turn.then(() => run(form, work, done, refused));
  }

  async function run(form, work, done, refused) {
    const [answer, failure] = await work().then((a) => [a, null], (f) => [null, f]);
    const left = waiting.get(form) - 1;
    if (left > 0) {
      waiting.set(form, left);
    } else {
      waiting.delete(form);
      $("button", form).removeAttribute("aria-busy");
    }
    if (failure && !cartId) return; // the cart was bought while the change was on its way
    if (failure && ["unknown_cart", "cart_closed", "cart_expired", "cart_merged", "not_owner", "unauthorized"].includes(failure.reason)) {
      session?.expect();
      if (form.submit) form.submit(); // the server opens another cart
      else location.assign("/cart");
    } else if (failure) {
      if (shown) show(shown); // puts the true quantity back
      if (refused) refused(failure);
      else toast(sentence(failure), { refused: true });
    } else {
      if (answer?.cart) show(answer.cart);
      if (answer === null && session?.isStuck()) toast("Kept. It will be sent when the shop can be reached.");
      else done?.();
    }
  }

  function sentence(failure) {
    if (!(failure instanceof Refusal)) {
      console.error(failure);
      return "That did not work. Reload the page and try again.";
    }
    const plain = {
      out_of_stock: "There are not that many left.",
      unknown_sku: "That is no longer for sale.",
      invalid_quantity: "That is not a quantity we can sell.",
      cart_full: "The cart is full.",
      busy: "The shop is very busy. Try again in a moment.",
      unavailable: "The shop could not write that down. Try again in a moment.",
    };
    return plain[failure.reason] ?? withPrices(failure.message);
  }

  // Forms

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement)) return;
    // The same fields can be put on a list.
    const isAdded = "add" in form.dataset && !event.submitter?.hasAttribute("formaction");
    if (!cartId && !(isAdded && session?.queue)) {
      if (form.method === "post") session?.expect(); // the plain form opens the cart
    } else if (event.submitter?.closest("[data-redeem]")) {
      event.preventDefault();
      redeem(event.submitter);
    } else if (isAdded) {
      event.preventDefault();
      if (cartId) add(form);
      else addFirst(form);
    } else if ("set" in form.dataset) {
      event.preventDefault();
      set(form);
    } else if ("remove" in form.dataset) {
      event.preventDefault();
      const line = form.closest("[data-line]").dataset.line;
      change(form, () => setQuantity(line, 0), () => toast("Taken out of the cart."));
    } else if ("decline" in form.dataset || "accept" in form.dataset) {
      event.preventDefault();
      const type = "accept" in form.dataset ? "accept_gift" : "decline_gift";
      const about = { name: form.closest("li").querySelector("[data-name]")?.textContent ?? "The gift" };
      change(form, () => command({ type, promotion: form.elements.promotion.value }, about));
    } else if (session && form.method === "post") {
      sendPlain(event, form);
    }
  });

  /** What only the shop itself can do has to wait for it, and for the commands before it. */
  function sendPlain(event, form) {
    const refuse = () => toast("That needs the shop, which cannot be reached just now.", { refused: true });
    if (session.isStuck()) {
      event.preventDefault();
      refuse();
    } else if (session.items().length) {
      event.preventDefault();
      session.queue.drain().then(() => {
        if (session.items().length) return refuse();
        // Sent again by the same button: what it asks for may be another thing than the form's own.
        form.requestSubmit(event.submitter);
      });
    } else {
      session.expect();
    }
  }

  document.addEventListener("change", (event) => {
    const form = event.target.closest?.("form[data-set]");
    if (form && cartId) set(form);
    if (event.target.name === "method") drawChosenDelivery();
  });

  /**
   * A plain form opens the cart, in the workflow that the shop chooses; without a network, the cart will be opened later. Where
   * one is to be opened for what waits already, this goes into it: a form would open another beside it.
   */
  async function addFirst(form) {
    await session.queue.open();
    const first = session.items()[0];
    if (first) {
      if (!cartId) adopt(first.cart);
      add(form);
      return;
    }
    if (await session.queue.isReachable()) {
      session.expect();
      form.submit();
      return;
    }
    if (!cartId) adopt(newKey());
    session.queue.stick();
    add(form);
  }

  /** Makes a cart the one of this page. */
  function adopt(id) {
    channel?.leave();
    channel = null;
    cartId = id;
    shown = null;
  }

  let clickTold = null; // the last click on a shelf: what it leads to is sent once that is told, so that it counts as its doing

  /** Begins the name of a field whose text is a property of the line. */
  const PROPERTY = "property.";

  /** What the shopper wants done to the pieces; what was left empty is not asked for. */
  function propertiesOf(form) {
    const texts = [...new FormData(form)].filter(([name, text]) => name.startsWith(PROPERTY) && text.trim());
    return Object.fromEntries(texts.map(([name, text]) => [name.slice(PROPERTY.length), text.replaceAll("\r\n", "\n")]));
  }

  function add(form) {
    const { sku, quantity } = Object.fromEntries(new FormData(form));
    const properties = propertiesOf(form);
    const beside = $$("[data-beside]", form).map(({ name }) => name.slice(PROPERTY.length));
    const about = { name: form.dataset.name, minor: form.dataset.minor ? Number(form.dataset.minor) : null, beside };
    change(
      form,
      async () => {
        await clickTold;
        return command({ type: "add_line", sku, quantity: Number(quantity), properties }, about);
      },
      () => {
        if (drawer) openDrawer();
        else toast(`${form.dataset.name} is in the cart.`, { link: { href: "/cart", text: "See the cart" } });
      },
    );
  }

  /** Redeems what was typed, or takes something back; a refusal is told at the field. */
  function redeem(button) {
    const root = button.closest("[data-redeem]");
    const input = $("input[name='code']", root);
    const { name, value } = button;
    const typed = input.value.trim();
    const commands = {
      redeem: () => ({ type: "redeem_code", code: typed }),
      remove_code: () => ({ type: "remove_code", code: value }),
      remove_card: () => ({ type: "remove_gift_card", id: value }),
      credit: () => ({ type: "use_store_credit", on: value === "1" }),
    };
    if (name === "redeem" && !typed) return tellAtCode(root, "Type the code of your gift card or discount.");
    change(
      root,
      () => commandNow(commands[name]()),
      () => {
        if (name === "redeem" && input.value.trim() === typed) input.value = "";
        tellAtCode(root, "");
      },
      (failure) => tellAtCode(root, sentence(failure)),
    );
  }

  function tellAtCode(root, words) {
    const input = $("input[name='code']", root);
    const error = $("[data-redeem-error]", root);
    error.hidden = !words;
    const isWhole = !words || /[.!?]$/.test(words);
    text(error, `${words.slice(0, 1).toUpperCase()}${words.slice(1)}${isWhole ? "" : "."}`);
    if (!words) return input.removeAttribute("aria-invalid");
    input.setAttribute("aria-invalid", "true");
    input.focus();
  }

  // In the checkout the field stands in the form that orders: Enter in it applies the code.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.target.matches?.("[data-redeem] input")) return;
    event.preventDefault();
    $("[name='redeem']", event.target.closest("[data-redeem]")).click();
  });

  function set(form) {
    const input = form.elements.quantity;
    if (!input.reportValidity()) return;
    const id = form.closest("[data-line]").dataset.line;
    input.dataset.sent = input.value;
    change(form, async () => {
      const quantity = Number(input.value); // the newest, where several changes wait
      const isSo = (shown && session ? session.drawn(shown) : shown)?.lines.some((line) => line.id === id && line.quantity === quantity);
      return isSo ? null : setQuantity(id, quantity);
    });
  }

  // The drawer: a modal <dialog>, which keeps the focus, closes with Esc and gives the focus back.

  function openDrawer() {
    if (drawer.open) return;
    drawer.showModal();
    drawer.append(news); // everything outside a modal dialog is hidden from screen readers
  }

  if (drawer) {
    for (const link of $$("[data-open-cart]")) {
      link.addEventListener("click", (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey || !shown) return;
        event.preventDefault();
        openDrawer();
      });
    }
    drawer.addEventListener("click", (event) => {
      if (event.target === drawer) drawer.close(); // the backdrop
    });
    drawer.addEventListener("close", () => document.body.append(news));
  }

  // The channel: the join brings the cart as it is, also after a lost connection; then every change arrives.

  function live() {
    if (!cartId || channel) return;
    if (!window.Phoenix || (session && !session.isHybrid)) {
      readOnce();
      return;
    }
    socket = new Phoenix.Socket("/socket"); // the cookie says who is there
    socket.connect();
    channel = socket.channel(`cart:${cartId}`, session ? { snapshot: true } : {});
    channel.on("cart_updated", take);
    channel.on("cart_claimed", follow);
    channel
      .join()
      .receive("ok", reconcile)
      .receive("error", ({ reason }) => reason === "not_owner" && follow());
    socket.onOpen(() => session?.queue?.drain());
    socket.onError(() => session?.queue?.check());
    socket.onClose((event) => {
      isOutOfTouch = true;
      // Logged out from elsewhere: what this page shows is nobody's here any more.
      if (event?.code !== LOGGED_OUT) return;
      socket.disconnect();
      if (!isLeaving) setTimeout(() => location.reload(), 500);
    });
  }

  const LOGGED_OUT = 4401;
  let isLeaving = false; // this page itself logs out
  document.addEventListener("submit", ({ target }) => {
    isLeaving ||= target.getAttribute("action") === "/logout";
  });

  let following = null;

  /** A log-in took the cart elsewhere: the page goes on with the one that its shopper has now. */
  function follow() {
    following ??= goOn()
      .catch((error) => console.error(error))
      .finally(() => {
        following = null;
      });
  }

  async function goOn() {
    socket?.disconnect();
    // The cart may be told of the log-in before this browser has its answer.
    for (let attempt = 0; attempt < 20; attempt += 1) {
      const answer = await fetch("/cart/where", { credentials: "same-origin", headers: { Accept: "application/json" } }).catch(() => null);
      const now = answer?.ok ? await answer.json() : null;
      if (now?.cart) return goOnWith(now);
      await new Promise((resume) => setTimeout(resume, 250));
    }
    location.reload();
  }

  function goOnWith({ cart, visitor, account }) {
    session?.become(visitor);
    if ($("[data-checkout]")) return location.assign("/checkout");
    if (account) {
      text($(".account-word"), account);
      $(".account-link").href = "/account";
    }
    adopt(cart);
    live();
  }

  function readOnce() {
    const address = `/api/v1/carts/${encodeURIComponent(cartId)}`;
    fetch(session ? `${address}/snapshot` : address, { credentials: "same-origin", headers: { Accept: "application/json" } })
      .then((response) => (response.ok ? response.json() : null))
      .then((body) => body && reconcile(session ? body : { cart: body }))
      .catch(() => {}); // the page shows the cart as of its request
  }

  function take({ cart, snapshot }) {
    if (cart.id === cartId) session?.keep(cart, snapshot);
    show(cart);
  }

  /** What the shop says holds; where the shopper saw something else, they are told. */
  function reconcile({ cart, snapshot }) {
    const known = session?.cart();
    if (known?.id === cart.id && cart.version < known.version) {
      bringBack();
      return;
    }
    tellChanges(cart);
    take({ cart, snapshot });
  }

  let isOutOfTouch = true; // the shop may know what this page does not

  /** The first that is heard of the cart after a while may be news. */
  function tellChanges(cart) {
    if (!session || !isOutOfTouch) return;
    isOutOfTouch = false;
    const known = session.cart();
    const isExpected = session.isExpected();
    if (known?.id !== cart.id || cart.status === "ordered" || isExpected) return;
    const words = session.changes(known, cart, money);
    if (words.length) note("Your cart was changed elsewhere:", words);
  }

  // The session: what the browser kept is shown at once, and brought back where the shop has lost it.

  function bringBack() {
    const ours = cartId;
    session.restore().then(
      (restored) => {
        if (restored) {
          tellRestored(restored);
        } else if (ours && cartId === ours && !session.cart()) {
          adopt(ours); // what the shop has is all there is
          live();
        }
      },
      () => session.queue?.check(),
    );
  }

  function tellRestored({ applied, cart, lines }) {
    if (cart.id !== cartId || (shown && cart.version < shown.version)) adopt(cart.id);
    show(cart);
    live();
    const why = ({ reasons }) => reasons.map(({ detail }) => detail).join("; ");
    const changed = lines.filter(({ outcome }) => outcome === "adjusted" || outcome === "refused");
    const name = ({ id, sku }) => session.cart()?.lines.find((line) => line.id === id)?.name ?? sku;
    const words = changed.map((line) =>
      line.outcome === "refused" ? `${name(line)} could not be put back: ${why(line)}.` : `${name(line)}: ${why(line)}.`,
    );
    if (applied) note("Your cart was put back from this device.", words, { refused: words.length > 0 });
  }

  function drawSession() {
    if (shown) draw(shown);
    else if (cartId && session.items().length) draw(session.empty(cartId, currency));
    const left = session.items().length;
    const kept = left === 0 ? "" : left === 1 ? " One change is kept on this device and will be sent then." : ` ${left} changes are kept on this device and will be sent then.`;
    let box = $("[data-cut-off]");
    if (!box && session.isStuck()) {
      box = Object.assign(document.createElement("p"), { className: "notice notice-refused" });
      box.dataset.cutOff = "";
      box.setAttribute("role", "status");
      $("main").prepend(box);
    }
    if (session.isStuck()) text(box, `The shop cannot be reached. You can go on; it will be asked again.${kept}`);
    else box?.remove();
    if (session.isOffline && !session.isStuck() && left === 0) {
      // The page that stands in for others gives way to the one that was asked for.
      if ($("[data-stand-in]") && location.pathname !== "/cart") location.reload();
      else live();
    }
  }

  function startSession() {
    const bought = $("[data-bought]")?.dataset.bought;
    if (bought) session.keep({ id: bought, status: "ordered" });
    const known = session.cart();
    const version = Number(document.body.dataset.cartVersion ?? -1);
    if (session.isOffline && known) {
      cartId = known.id;
      show(known);
    } else if (known && known.id === cartId && known.version >= version) {
      if (known.version === version) show(known);
      else bringBack();
    } else if (known && !cartId && !session.isOffline) {
      bringBack();
    }
    session.changed = drawSession;
    session.restored = tellRestored;
    session.answered = (answer) => {
      tellChanges(answer.cart);
      session.keep(answer.cart, answer.snapshot);
      if (answer.cart.id !== cartId) adopt(answer.cart.id);
      show(answer.cart);
      live();
    };
    session.refused = ({ command: { type, quantity }, about }, { reason, detail }) => {
      const what = type === "add_line" ? `${quantity} × ${about.name}` : about.name;
      note("Something that you changed while the shop could not be reached did not work:", [
        `${what}: ${sentence(new Refusal(reason, detail))}`,
      ], { refused: true });
    };
    session.start().then(() => {
      const first = session.items()[0];
      if (first && !cartId) adopt(first.cart);
      drawSession();
    });
  }

  if ("told" in document.body.dataset) session?.expect(); // the page says what became of the cart
  if (session) startSession();
  if (!session?.isOffline) live();

  // A page from the browser's back-forward cache is as old as the visit: the channel rejoins by itself, the rest does not.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted && !channel && !session?.isStuck()) location.reload();
  });

  // A link that was just made is shown this once.
  const link = $("#new-link");
  link?.addEventListener("focus", () => link.select());
  if (link && navigator.clipboard) {
    const copy = $("[data-copy]");
    copy.hidden = false;
    copy.addEventListener("click", () => navigator.clipboard.writeText(link.value).then(() => text(copy, "Copied"), () => link.focus()));
  }

  // While an experiment runs, a page that is left says how long it took and whether a script failed.
  if ("measures" in document.body.dataset && navigator.sendBeacon) {
    let failed = false;
    window.addEventListener("error", () => (failed = true));
    window.addEventListener("pagehide", ({ persisted }) => {
      const [entry] = performance.getEntriesByType("navigation");
      const ms = entry?.domContentLoadedEventEnd > 0 ? Math.round(entry.domContentLoadedEventEnd) : null;
      if (!persisted) navigator.sendBeacon("/measured", JSON.stringify({ path: location.pathname, ms, failed }));
    });
  }

  // What was seen of shelves and clicked on is told once. Then links need not say it, and their pages are kept under one address.
  if (navigator.sendBeacon) {
    const tell = (report) => navigator.sendBeacon("/shelf-events", JSON.stringify(report));
    const tellClick = (item) => {
      const told = fetch("/shelf-events", { method: "POST", body: JSON.stringify({ clicked: [spotOf(item)] }), keepalive: true });
      clickTold = Promise.race([told.catch(() => null), new Promise((go) => setTimeout(go, 300))]);
    };
    const spotOf = ({ dataset: { sku, spot } }) => ({ sku, from: spot });
    for (const item of $$("[data-spot]")) {
      const link = item.matches("a") ? item : $("a", item);
      link.search = "";
      for (const press of ["click", "auxclick"]) {
        item.addEventListener(press, ({ target, button }) => {
          if (button < 2 && target.closest("a, button")) tellClick(item);
        });
      }
    }
    // Half of a shelf in view for a second is a shelf that was seen.
    const timers = new Map();
    const watch = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        clearTimeout(timers.get(target));
        if (!isIntersecting) continue;
        const seen = () => {
          watch.unobserve(target);
          tell({ shown: $$(".card[data-spot]", target).map(spotOf) });
        };
        timers.set(target, setTimeout(seen, 1_000));
      }
    }, { threshold: 0.5 });
    for (const shelf of $$(".shelf:has([data-spot])")) watch.observe(shelf);
  }

  drawChosenDelivery();
  drawHold();
  setInterval(() => drawHold(), 1_000);
  $("#trouble")?.focus();
})();
