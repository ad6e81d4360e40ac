// What this browser keeps of the shopper's cart: a snapshot to paint from and to bring back, and in hybrid sessions a
// queue of commands and the pages for times without a network. Everything kept is the visitor's alone and goes with
// them. `shop.js` draws; this decides what there is to draw.

(() => {
  "use strict";

  const NAME = "cartwright";
  const FORM = 1;
  const WHO = "cartwright-visitor";
  const EXPECTED = "cartwright-expected";
  const data = document.body.dataset;
  const isHybrid = data.session === "hybrid";
  const isOffline = "offline" in data; // the page is not from the shop but from this browser

  function read() {
    try {
      const kept = JSON.parse(stored(NAME));
      return kept?.form === FORM && kept.visitor === visitor && kept.cart?.id ? kept : null;
    } catch {
      return null;
    }
  }

  function stored(name) {
    try {
      return localStorage.getItem(name);
    } catch {
      return null;
    }
  }

  /** Stores a text, or takes it away. Where storage is full or forbidden, the shop has the cart. */
  function store(name, text) {
    try {
      if (text === null) localStorage.removeItem(name);
      else localStorage.setItem(name, text);
    } catch (error) {
      console.warn("this browser keeps nothing", error);
    }
  }

  // A kept page may be older than the visitor, and the one that stands in for others knows none.
  let visitor = (isOffline && stored(WHO)) || data.visitor;
  let kept = read();
  if (stored(WHO) !== visitor) forget();

  /** Another visitor has nothing to see here: after logging out, or on a shared device. */
  function forget() {
    forgetCart();
    store(WHO, visitor ?? null);
    if ("caches" in window) {
      caches.keys().then((names) => names.filter((name) => name.startsWith("pages-")).forEach((name) => caches.delete(name)));
    }
  }

  /** Keeps the newest state that the shop told, with its sealed form where the shop sent one. */
  function keep(cart, snapshot) {
    if (cart.status === "ordered" || cart.status === "merged") {
      if (kept?.cart.id === cart.id) forgetCart();
      return;
    }
    if (kept?.cart.id === cart.id && cart.version < kept.cart.version) return;
    const isSame = kept?.cart.id === cart.id && kept.cart.version === cart.version;
    kept = { form: FORM, visitor, cart, snapshot: snapshot ?? (isSame ? kept.snapshot : null), at: Date.now() };
    store(NAME, JSON.stringify(kept));
  }

  function forgetCart() {
    kept = null;
    store(NAME, null);
  }

  async function post(path, body) {
    const response = await fetch(path, {
      method: "POST",
      credentials: "same-origin",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: await response.json().catch(() => ({})) };
  }

  /** Brings the kept cart back to a shop that lost it. Resolves to what became of it, or to null. */
  async function restore() {
    if (!kept?.snapshot) return null;
    const { id } = kept.cart;
    const { status, body } = await post(`/api/v1/carts/${encodeURIComponent(id)}/restore`, { snapshot: kept.snapshot });
    if (status === 200) {
      kept = null; // the shop's versions count from here
      keep(body.cart, body.snapshot);
      return body;
    }
    // It was bought, is too old, or the keys are others: it is good for nothing any more.
    if (status < 500 && status !== 429) forgetCart();
    return null;
  }

  /** Makes a cart that the shop does not know, for commands that wait for it. */
  async function revive(id) {
    try {
      if (kept?.cart.id === id) {
        const restored = await restore();
        if (restored) {
          session.restored(restored);
          return true;
        }
      }
      const { status, body } = await post("/api/v1/carts", { id });
      if (status === 201) keep(body.cart, null);
      return status < 500;
    } catch {
      return false;
    }
  }

  /**
   * The name that the shop gives a product's line: its SKU and, where properties keep it apart, a digest of them (FNV-1a of
   * names and texts, each with its end marked).
   */
  function lineId({ sku, properties = {} }, { beside = [] } = {}) {
    const apart = Object.entries(properties).filter(([name]) => !beside.includes(name));
    if (!apart.length) return sku;
    const bytes = (text) => [...new TextEncoder().encode(text)];
    const all = apart.sort(([one], [other]) => (one < other ? -1 : 1)).flatMap(([name, text]) => [...bytes(name), 0xff, ...bytes(text), 0xfe]);
    const digest = all.reduce((hash, byte) => BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n), 0xcbf29ce484222325n);
    return `${sku}~${digest.toString(16).padStart(16, "0")}`;
  }

  /** A cart with the commands that wait: what it will be, as far as a browser can know. */
  function project(cart, items) {
    if (!items.length) return cart;
    let lines = cart.lines.map((line) => ({ ...line }));
    const set = (line, quantity) => {
      if (line.unit_price_minor !== null) line.total_minor = line.unit_price_minor * quantity;
      Object.assign(line, { quantity, waits: true });
    };
    for (const { command, about } of items) {
      const id = command.line ?? lineId(command, about);
      const line = lines.find((candidate) => candidate.id === id);
      if (command.type === "remove_line") lines = lines.filter((candidate) => candidate !== line);
      else if (command.type === "set_quantity" && line) set(line, command.quantity);
      else if (command.type === "add_line" && line) {
        set(line, line.quantity + command.quantity);
        Object.assign(line, { properties: { ...line.properties, ...command.properties } });
      } else if (command.type === "add_line") {
        const { name, minor } = about;
        const added = { id, sku: command.sku, name, properties: { ...command.properties }, unit_price_minor: minor, total_minor: null, held: command.quantity };
        lines.push(added);
        set(added, command.quantity);
      }
    }
    const sum = (of) => lines.reduce((sum, line) => (line[of] === null ? null : sum + line[of]), 0);
    // What it will cost in all only the shop knows.
    const unknown = { tax_minor: 0, tax_added_minor: 0, total_minor: null };
    if (cart.totals.due_minor !== undefined) unknown.due_minor = null;
    const totals = { ...cart.totals, ...unknown, items: sum("quantity"), subtotal_minor: sum("total_minor") };
    return { ...cart, lines, totals };
  }

  /** A cart with nothing in it, for what waits before the shop has opened one. */
  const empty = (id, currency) => ({
    id,
    version: 0,
    status: "open",
    currency,
    lines: [],
    promotions: [],
    shipping: { offered: [] },
    totals: { items: 0, subtotal_minor: 0, discount_minor: 0, shipping_minor: 0, tax_minor: 0, tax_added_minor: 0, total_minor: 0 },
    holds_expire_at_ms: null,
  });

  /** Says in words what is different, but for what this browser did itself. */
  function changes(before, after, money) {
    const own = new Set([...touched, ...session.items().map(({ command }) => command.line ?? command.sku)]);
    const words = [];
    const now = new Map(after.lines.map((line) => [line.id, line]));
    for (const line of before.lines) {
      const newer = now.get(line.id);
      now.delete(line.id);
      if (own.has(line.id)) continue;
      if (!newer) words.push(`${line.name} was taken out.`);
      else if (newer.quantity !== line.quantity) words.push(`${line.name}: ${newer.quantity} instead of ${line.quantity}.`);
      else if (newer.unit_price_minor !== line.unit_price_minor) {
        const [today, then] = [newer, line].map((each) => money(each.unit_price_minor, after.currency));
        words.push(`${line.name} costs ${today} now, not ${then}.`);
      }
    }
    for (const line of now.values()) if (!own.has(line.id)) words.push(`${line.name} was put in.`);
    return words;
  }

  const touched = []; // lines that this page has changed
  const session = {
    isHybrid,
    isOffline,
    /** What the shopper saw last, as the shop told it. */
    cart: () => kept?.cart ?? null,
    keep,
    restore,
    empty,
    changes,
    queue: null,
    // What shop.js does about the news.
    answered() {},
    refused() {},
    changed() {},
    restored() {},

    /** Whether the shopper sent a form to this page, so that a changed cart is no news. */
    isExpected() {
      const is = sessionStorage.getItem(EXPECTED) !== null;
      sessionStorage.removeItem(EXPECTED);
      return is;
    },
    expect() {
      sessionStorage.setItem(EXPECTED, "1");
    },

    /** Somebody has logged in or out in this browser: what was kept for who was here before goes. */
    become(next) {
      if (next === visitor) return;
      visitor = next;
      forget();
      session.queue?.become(next);
    },

    isStuck: () => session.queue?.isStuck ?? isOffline,
    items: () => session.queue?.items ?? [],

    /** The cart with what waits, once it has to wait. */
    drawn(cart) {
      return session.isStuck() ? project(cart, session.items().filter((item) => item.cart === cart.id)) : cart;
    },

    send(cart, command, about) {
      touched.push(command.line ?? command.sku);
      return session.queue.send(cart, command, about);
    },

    async start() {
      if (!isHybrid || !("indexedDB" in window) || !visitor) return;
      const queue = new CommandQueue({
        visitor,
        keyHours: Number(data.keyHours),
        revive,
        changed: () => session.changed(),
        answered: (item, answer) => {
          touched.push(item.command.line ?? item.command.sku);
          session.answered(answer);
        },
        refused: (item, refusal) => session.refused(item, refusal),
      });
      queue.isStuck = isOffline;
      try {
        session.queue = queue;
        await queue.open();
      } catch (error) {
        console.warn("commands cannot be kept here", error);
        session.queue = null;
      }
      // A browser that was to forget keeps no copies of the pages that it showed.
      if (document.querySelector("[data-forget-pages]")) {
        globalThis.caches?.keys()
          .then((names) => Promise.all(names.filter((name) => name.startsWith("pages-")).map((name) => caches.delete(name))))
          .catch((error) => console.warn("copies of pages could not be deleted", error));
      }
      navigator.serviceWorker?.register("/sw.js").catch((error) => console.warn("pages cannot be kept here", error));
    },
  };
  window.cartSession = session;
})();
