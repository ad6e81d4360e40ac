// Commands on their way to the shop, across lost networks, closed tabs and restarts of the shop.
//
// A command stands in IndexedDB before it is sent and goes when it is answered. The oldest is sent first, the next
// only when that is answered, and each always with the same idempotency key: whoever sends one again, be it another tab
// or a later visit, its effect is one, and the order is the shopper's. A lock lets one tab at a time send.

(() => {
  "use strict";

  const STORE = "commands";
  const REQUEST_MS = 15_000;
  const WAIT_MS = { first: 1_000, most: 30_000 };
  /** How often the shop may fail on one command before the next has its turn. */
  const FAULTS_MAX = 5;
  const HOUR_MS = 60 * 60 * 1_000;

  const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");

  const database = () =>
    new Promise((resolve, reject) => {
      const request = indexedDB.open("cartwright", 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "seq", autoIncrement: true });
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });

  /** The name of a problem, as rejections have it. */
  const reasonOf = ({ type }, status) => String(type ?? "").split("/").pop().replaceAll("-", "_") || `status_${status}`;

  /** Repeated, these change nothing more. The others are only safe as long as the shop remembers their keys. */
  const isRepeatable = ({ type }) => type !== "add_line";

  class CommandQueue {
    /**
     * `revive(cart)` makes a cart that the shop does not know; `changed()` hears of every change of `items`;
     * `answered(item, answer)` and `refused(item, refusal)` hear what became of a command.
     */
    constructor({ visitor, keyHours, revive, changed, answered, refused }) {
      Object.assign(this, { visitor, keyHours, revive, changed, answered, refused });
      this.items = []; // the visitor's commands that wait, the oldest first
      this.isStuck = false; // the shop could not be reached
      this.waiting = new Map(); // by key: who wants to hear what became of a command
      this.wait = WAIT_MS.first;
      this.news = "BroadcastChannel" in window ? new BroadcastChannel("cartwright") : null;
      this.news?.addEventListener("message", ({ data }) => this.hear(data));
    }

    /** Opens the queue, without what another visitor of this browser left in it. */
    open() {
      this.ready ??= this.begin();
      return this.ready;
    }

    async begin() {
      this.database = await database();
      await this.load();
      for (const event of ["online", "focus", "pageshow"]) window.addEventListener(event, () => this.drain());
      window.addEventListener("offline", () => this.stick());
      if (!navigator.onLine) this.stick();
      this.drain();
    }

    transact(mode, work) {
      return new Promise((resolve, reject) => {
        const transaction = this.database.transaction(STORE, mode);
        const request = work(transaction.objectStore(STORE));
        transaction.oncomplete = () => resolve(request?.result);
        transaction.onabort = () => reject(transaction.error);
      });
    }

    async load() {
      const all = await this.transact("readonly", (store) => store.getAll());
      this.items = all.filter((item) => item.visitor === this.visitor);
      const foreign = all.filter((item) => item.visitor !== this.visitor).map((item) => item.seq);
      if (foreign.length) await this.remove(foreign);
      this.changed();
    }

    /** Goes on for another visitor, without what waits for the one before. */
    become(visitor) {
      this.visitor = visitor;
      return this.ready?.then(() => this.load());
    }

    put(item) {
      return this.transact("readwrite", (store) => store.put(item));
    }

    async remove(seqs) {
      await this.transact("readwrite", (store) => void seqs.forEach((seq) => store.delete(seq)));
    }

    /** Sends a command after those that wait. Resolves to its answer, or to null where it has to wait. */
    async send(cart, command, about) {
      const item = { key: newKey(), visitor: this.visitor, cart, command, about, at: Date.now() };
      await this.ready;
      item.seq = await this.put(item);
      this.items.push(item);
      this.changed();
      this.tell({ kind: "queued" });
      const outcome = new Promise((resolve, reject) => this.waiting.set(item.key, { resolve, reject }));
      if (this.isStuck) this.letGo();
      this.drain();
      return outcome;
    }

    /** Something else has found the shop silent. */
    async check() {
      if (this.isStuck || (await this.isReachable())) return;
      this.stick();
      this.drain();
    }

    /** Nobody needs to wait for what cannot be sent now. */
    letGo() {
      for (const { resolve } of this.waiting.values()) resolve(null);
      this.waiting.clear();
    }

    stick() {
      this.isStuck = true;
      this.letGo();
      this.changed();
    }

    /** Sends what waits, until nothing does or the shop cannot be reached. */
    drain() {
      this.isAskedAgain = true;
      this.draining ??= this.drainAll()
        .catch((error) => {
          console.error(error);
          this.isAskedAgain = false;
        })
        .finally(() => {
          this.draining = null;
          if (this.isAskedAgain) this.drain(); // asked as it ended
        });
      return this.draining;
    }

    async drainAll() {
      await this.open(); // a page may find the shop silent before the queue is there
      clearTimeout(this.timer);
      const work = async () => {
        while (this.isAskedAgain) {
          this.isAskedAgain = false;
          await this.load();
          while (this.items.length && (await this.sendFirst()));
        }
      };
      await (navigator.locks ? navigator.locks.request("cartwright-queue", work) : work());
      if (!this.items.length && (!this.isStuck || (await this.isReachable()))) {
        this.isStuck = false;
        this.wait = WAIT_MS.first;
        this.changed();
        return;
      }
      this.stick();
      this.timer = setTimeout(() => this.drain(), this.wait);
      this.wait = Math.min(2 * this.wait, WAIT_MS.most);
    }

    /** Sends the oldest; false where it has to wait. */
    async sendFirst() {
      const item = this.items[0];
      const outcome = await this.attempt(item);
      if (!outcome) return false;
      this.isStuck = false;
      if (outcome.moved) {
        await this.load();
        return true;
      }
      await this.remove([item.seq]);
      this.items = this.items.filter(({ seq }) => seq !== item.seq);
      this.settle(item, outcome);
      this.tell({ kind: "settled", item, outcome });
      return true;
    }

    settle(item, { answer, refusal }) {
      const waiter = this.waiting.get(item.key);
      this.waiting.delete(item.key);
      this.changed();
      if (answer) {
        this.answered(item, answer);
        waiter?.resolve(answer);
      } else if (waiter) {
        waiter.reject(refusal);
      } else {
        this.refused(item, refusal);
      }
    }

    tell(message) {
      this.news?.postMessage({ ...message, visitor: this.visitor });
    }

    /** Another tab has queued something, or has sent what perhaps this one queued. */
    async hear({ kind, visitor, item, outcome }) {
      if (visitor !== this.visitor || !this.database) return;
      if (kind === "queued") return this.load();
      this.items = this.items.filter(({ seq }) => seq !== item.seq);
      if (outcome.answer || this.waiting.has(item.key)) this.settle(item, outcome);
      else this.changed();
    }

    /** Tries one command: `{answer}`, `{refusal}`, `{moved}` to another cart, or null where it has to wait. */
    async attempt(item, isRevived = false) {
      if ((this.isStuck || !navigator.onLine) && !(await this.isReachable())) return null;
      if (item.tried && Date.now() - item.tried > this.keyHours * HOUR_MS && !isRepeatable(item.command)) {
        const detail = "it was sent long ago and the answer never came: look whether it is in the cart";
        return { refusal: { reason: "unknown_outcome", detail } };
      }
      if (!item.tried) {
        item.tried = Date.now();
        await this.put(item);
      }
      let response;
      try {
        response = await fetch(`/api/v1/carts/${encodeURIComponent(item.cart)}/commands?snapshot=true`, {
          method: "POST",
          credentials: "same-origin",
          headers: { "Content-Type": "application/json", Accept: "application/json", "Idempotency-Key": item.key },
          body: JSON.stringify(item.command),
          signal: AbortSignal.timeout(REQUEST_MS),
        });
      } catch {
        return null;
      }
      const { status } = response;
      if (status === 429 || (status >= 502 && status <= 504)) return null;
      let body;
      try {
        body = await response.json();
      } catch {
        return null; // the answer broke off, or was a proxy's
      }
      if (response.ok) return { answer: body };
      if (status >= 500) {
        item.faults = (item.faults ?? 0) + 1;
        await this.put(item);
        if (item.faults < FAULTS_MAX) return null;
      }
      const refusal = { reason: reasonOf(body, status), detail: body.detail ?? body.title ?? "" };
      if (refusal.reason === "unknown_cart" && !isRevived) {
        return (await this.revive(item.cart)) ? this.attempt(item, true) : null;
      }
      if (refusal.reason === "cart_closed" && item.command.type === "add_line") {
        await this.move(item.cart);
        return { moved: true };
      }
      return { refusal };
    }

    /** Asks the shop itself: browsers do not know whether a network leads anywhere. */
    isReachable() {
      const asked = fetch("/sw.js", { method: "HEAD", cache: "no-store", signal: AbortSignal.timeout(REQUEST_MS) });
      return asked.then(
        (answer) => answer.ok,
        () => false,
      );
    }

    /** A cart was bought meanwhile: what was to be added to it is added to a new one. */
    async move(cart) {
      const next = newKey();
      const adds = this.items.filter((item) => item.cart === cart && item.command.type === "add_line");
      await this.transact("readwrite", (store) => {
        for (const item of adds) store.put({ ...item, cart: next, key: newKey(), tried: undefined });
      });
    }
  }

  window.CommandQueue = CommandQueue;
  window.CommandQueue.newKey = newKey;
})();
