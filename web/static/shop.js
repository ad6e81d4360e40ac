// Keeps the pages of the shop live. Without it every form still works; with it the cart changes in place, here and
// on every other device of the shopper.
//
// One direction: a command goes out, the cart comes back (in the answer, or from the channel when another device
// sent it), and `show` draws it. Nothing is drawn before the server has it.

(() => {
  "use strict";

  const { cartLayout, currency, sign, userToken } = document.body.dataset;
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

  // On the cart page the cart is already there to see.
  const drawer = $("main [data-cart]") ? null : $("#drawer");
  const news = $("#news");
  const toasts = $("#toasts");
  let cartId = document.body.dataset.cartId ?? null;
  let channel = null;
  let shown = null; // the newest cart that was drawn

  document.documentElement.classList.add("live");

  // Amounts: minor units to what the server's pages write.

  function money(minor, code) {
    const style = { style: "currency", currency: code };
    const places = new Intl.NumberFormat("en-GB", style).resolvedOptions().maximumFractionDigits;
    const digits = new Intl.NumberFormat("en-GB", { minimumFractionDigits: places, maximumFractionDigits: places });
    const amount = digits.format(Math.abs(minor) / 10 ** places);
    const minus = minor < 0 ? "−" : "";
    return code === currency && sign ? `${minus}${sign}${amount}` : `${minus}${amount} ${code}`;
  }

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

  const text = (node, value) => {
    if (node && node.textContent !== value) node.textContent = value;
  };

  function show(cart) {
    if (cart.id !== cartId || (shown && cart.version < shown.version)) return;
    const before = shown;
    shown = cart;
    const ordered = cart.status === "ordered";
    count(ordered ? 0 : cart.totals.items);
    if (ordered) {
      // Bought, here or on another device: nothing on this page can change that cart any more.
      cartId = null;
      channel?.leave();
      if ($("[data-checkout]") || $("main [data-cart]")) location.assign(`/orders/${encodeURIComponent(cart.order_id)}`);
    }
    for (const root of $$("[data-cart]")) drawCart(root, ordered ? { ...cart, lines: [] } : cart, before);
    const checkout = $("[data-checkout]");
    if (checkout && !ordered) drawOrder(checkout, cart);
    drawHold(cart.holds_expire_at_ms);
    if (before && before.version < cart.version && !ordered) announce(cart);
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
      const node = drawn.get(line.id) ?? list.appendChild(newLine(line, before !== null));
      drawn.delete(line.id);
      drawLine(node, line, cart.currency);
    }
    for (const gone of drawn.values()) {
      const held = gone.contains(document.activeElement);
      const next = gone.nextElementSibling ?? gone.previousElementSibling;
      gone.remove();
      if (held) ($("input", next ?? root) ?? $("a", root))?.focus();
    }
    const notes = cart.promotions.map(({ applied, detail }) =>
      Object.assign(document.createElement("li"), { textContent: detail, className: applied ? "promotion-applied" : "" }),
    );
    $("[data-promotions]", root).replaceChildren(...notes);
    $("[data-cart-empty]", root).hidden = cart.lines.length > 0;
    $("[data-cart-full]", root).hidden = cart.lines.length === 0;
    drawTotals(root, cart);
  }

  function newLine(line, isNews) {
    const node = $("#line-template").content.firstElementChild.cloneNode(true);
    node.dataset.line = line.id;
    if (isNews) node.classList.add("line-new");
    for (const anchor of $$("a", node)) anchor.href = `/products/${encodeURIComponent(line.sku)}`;
    for (const form of $$("form", node)) form.action = `/cart/lines/${encodeURIComponent(line.id)}`;
    drawProperties(node, line);
    drawPicture(node, line.sku);
    return node;
  }

  function drawProperties(node, line) {
    const list = $("[data-properties]", node);
    for (const [name, value] of Object.entries(line.properties)) {
      const label = Object.assign(document.createElement("span"), { textContent: `${name}:` });
      const item = list.appendChild(document.createElement("li"));
      item.append(label, ` ${value}`);
      list.hidden = false;
    }
  }

  /** The server knows the picture; the tint behind it is the one that its own pages choose. */
  function drawPicture(node, sku) {
    const bytes = new TextEncoder().encode(sku);
    const hash = bytes.reduce((sum, byte) => (Math.imul(sum, 31) + byte) >>> 0, 7);
    $(".plate", node).classList.add(`tint-${((hash >>> 3) & 255) % 6}`);
    $("img", node).src = `/products/${encodeURIComponent(sku)}/picture`;
  }

  function drawLine(node, line, code) {
    text($("[data-name]", node), line.name);
    for (const again of $$("[data-name-again]", node)) text(again, line.name);
    text($("[data-unit-price]", node), money(line.unit_price_minor, code));
    $("[data-was]", node).hidden = line.was_minor === undefined;
    if (line.was_minor !== undefined) text($("[data-was-price]", node), money(line.was_minor, code));
    text($("[data-line-total]", node), money(line.total_minor, code));
    const input = $(".quantity", node);
    const isBeingEdited = input === document.activeElement && input.dataset.sent !== input.value;
    if (!isBeingEdited && !waiting.has(input.form)) input.value = line.quantity;
    // Only a line that was held can lose its hold; a product sold without holds never had one.
    const wasHeld = node.dataset.held === "yes";
    if (line.held >= line.quantity) node.dataset.held = "yes";
    const notice = $("[data-unheld]", node);
    notice.hidden = line.held >= line.quantity || (!wasHeld && notice.hidden);
  }

  function drawTotals(root, cart) {
    for (const node of $$("[data-total]", root)) {
      const minor = cart.totals[node.dataset.total];
      if (minor === undefined || node.dataset.total === "discount_minor") continue;
      text(node, minor === 0 && node.dataset.free ? node.dataset.free : money(minor, cart.currency));
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
    const shipping = $("[data-shipping-row]", root);
    if (shipping) shipping.hidden = cart.totals.shipping_minor === 0;
  }

  function drawOrder(root, cart) {
    const template = $("#order-line-template");
    const lines = cart.lines.map((line) => {
      const node = template.content.firstElementChild.cloneNode(true);
      text($("[data-name]", node), line.name);
      text($("[data-quantity]", node), String(line.quantity));
      text($("[data-line-total]", node), money(line.total_minor, cart.currency));
      drawPicture(node, line.sku);
      return node;
    });
    $("[data-order-lines]", root).replaceChildren(...lines);
    drawTotals(root, cart);
    for (const { method, minor, total_minor } of cart.shipping.offered) {
      const choice = $$("input[name='method']", root).find((c) => c.value === method);
      if (choice) Object.assign(choice.dataset, { minor, sum: total_minor });
    }
    drawChosenDelivery();
  }

  /** Where the page lets the shopper choose, the sums show what the choice will cost. */
  function drawChosenDelivery() {
    const root = $("[data-checkout]");
    const chosen = root && $("input[name='method']:checked", root);
    if (!chosen) return;
    // What tax makes of the choice only the server knows: it says the sum of each.
    const totals = { shipping_minor: Number(chosen.dataset.minor), total_minor: Number(chosen.dataset.sum) };
    drawTotals(root, { currency, totals });
  }

  function drawHold(expiresAt) {
    for (const node of $$("[data-hold]")) {
      if (expiresAt !== undefined) node.dataset.expires = expiresAt ?? "";
      const minutes = Math.ceil((Number(node.dataset.expires) - Date.now()) / 60_000);
      node.hidden = !(minutes > 0);
      text($("[data-hold-minutes]", node), `${minutes} ${minutes === 1 ? "minute" : "minutes"}`);
    }
  }

  // Sending

  /** A request that was understood and refused, or that nobody could answer. `reason` is the rejection's name. */
  class Refusal extends Error {
    constructor(reason, detail) {
      super(detail);
      this.reason = reason;
    }
  }

  /** Sends one command over the JSON API. It is repeated once with the same key, so it has one effect. */
  async function command(body) {
    const request = {
      method: "POST",
      credentials: "same-origin",
      headers: { "Content-Type": "application/json", Accept: "application/json", "Idempotency-Key": newKey() },
      body: JSON.stringify(body),
    };
    const address = `/api/v1/carts/${encodeURIComponent(cartId)}/commands`;
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
      if (response.ok) return answer;
      const reason = String(answer.type ?? "").split("/").pop().replaceAll("-", "_") || `status_${response.status}`;
      throw new Refusal(reason, answer.detail ?? answer.title ?? "The shop could not do that just now.");
    }
  }

  /** `randomUUID` is only there on https and localhost. */
  function newKey() {
    if (crypto.randomUUID) return crypto.randomUUID();
    return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  /** Sets a line's quantity over the channel; where it is not joined or does not answer, over the JSON API. */
  function setQuantity(line, quantity) {
    const overHttp = () =>
      command(quantity === 0 ? { type: "remove_line", line } : { type: "set_quantity", line, quantity });
    if (channel?.state !== "joined") return overHttp();
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

  /** Queues one change; `form` shows that it is under way. */
  function change(form, work, done) {
    waiting.set(form, (waiting.get(form) ?? 0) + 1);
    $("button", form).setAttribute("aria-busy", "true");
    turn = turn.then(() => run(form, work, done));
  }

  async function run(form, work, done) {
    const [answer, failure] = await work().then((a) => [a, null], (f) => [null, f]);
    const left = waiting.get(form) - 1;
    if (left > 0) {
      waiting.set(form, left);
    } else {
      waiting.delete(form);
      $("button", form).removeAttribute("aria-busy");
    }
    if (failure && !cartId) return; // the cart was bought while the change was on its way
    if (failure && ["unknown_cart", "cart_closed", "not_owner", "unauthorized"].includes(failure.reason)) {
      form.submit(); // the server opens another cart
    } else if (failure) {
      if (shown) show(shown); // puts the true quantity back
      toast(sentence(failure), { refused: true });
    } else {
      if (answer?.cart) show(answer.cart);
      done?.();
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
    return plain[failure.reason] ?? failure.message;
  }

  // Forms

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!cartId || !(form instanceof HTMLFormElement)) return; // the plain form opens the cart
    if ("add" in form.dataset) {
      event.preventDefault();
      add(form);
    } else if ("set" in form.dataset) {
      event.preventDefault();
      set(form);
    } else if ("remove" in form.dataset) {
      event.preventDefault();
      const line = form.closest("[data-line]").dataset.line;
      change(form, () => setQuantity(line, 0), () => toast("Taken out of the cart."));
    }
  });

  document.addEventListener("change", (event) => {
    const form = event.target.closest?.("form[data-set]");
    if (form && cartId) set(form);
    if (event.target.name === "method") drawChosenDelivery();
  });

  function add(form) {
    const { sku, quantity } = Object.fromEntries(new FormData(form));
    change(
      form,
      () => command({ type: "add_line", sku, quantity: Number(quantity) }),
      () => {
        if (drawer) openDrawer();
        else toast(`${form.dataset.name} is in the cart.`, { link: { href: "/cart", text: "See the cart" } });
      },
    );
  }

  function set(form) {
    const input = form.elements.quantity;
    if (!input.reportValidity()) return;
    const id = form.closest("[data-line]").dataset.line;
    input.dataset.sent = input.value;
    change(form, async () => {
      const quantity = Number(input.value); // the newest, where several changes wait
      const isSo = shown?.lines.some((line) => line.id === id && line.quantity === quantity);
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

  if (cartId && userToken && window.Phoenix) {
    const socket = new Phoenix.Socket("/socket", { params: { userToken } });
    socket.connect();
    channel = socket.channel(`cart:${cartId}`, {});
    channel.on("cart_updated", ({ cart }) => show(cart));
    channel.join().receive("ok", ({ cart }) => show(cart));
  } else if (cartId) {
    fetch(`/api/v1/carts/${encodeURIComponent(cartId)}`, { credentials: "same-origin", headers: { Accept: "application/json" } })
      .then((response) => (response.ok ? response.json() : null))
      .then((cart) => cart && show(cart))
      .catch(() => {}); // the page shows the cart as of its request
  }

  // A page from the browser's back-forward cache is as old as the visit: the channel rejoins by itself, the rest does not.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted && !channel) location.reload();
  });

  drawChosenDelivery();
  drawHold();
  setInterval(() => drawHold(), 15_000);
  $("#trouble")?.focus();
})();
