// Keeps a cart that somebody shared live. The shop alone draws it: whenever it changes, the page that the shop makes of it
// now takes the place of the one that is shown, and what is being typed there stays. Without this script the same forms
// lead to the same pages.

(() => {
  "use strict";

  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const main = $("main");
  const cart = () => $("[data-shared]", main);
  if (!cart()) return;

  const version = () => Number(cart()?.dataset.version ?? Infinity);
  let turn = Promise.resolve(); // what is asked of the shop, one after the other, so that no older page follows a newer one
  let leave = () => {};

  const then = (work) => {
    turn = turn.then(work).catch((error) => {
      console.warn("the shared cart could not be asked for", error);
      say("The shop cannot be reached. Check the connection and try again.");
    });
    return turn;
  };

  const say = (words) => {
    $("[data-unreached]", main)?.remove();
    const note = Object.assign(document.createElement("p"), { className: "notice notice-refused", textContent: words });
    note.dataset.unreached = "";
    note.setAttribute("role", "alert");
    main.prepend(note);
  };

  async function ask(request = {}, address = location.href) {
    const answer = await fetch(address, { credentials: "same-origin", headers: { Accept: "text/html" }, ...request });
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  }

  /** What was typed and not sent yet, by the id of its field. */
  const drafts = (but) =>
    $$("input[id]", main)
      .filter((input) => input.form !== but && input.value !== input.defaultValue)
      .map(({ id, value }) => [id, value]);

  /** Shows a page that the shop made, as the answer to a form or because of news. */
  function swap(page, form = null) {
    const typed = drafts(form);
    const held = main.contains(document.activeElement) && document.activeElement;
    const selection = held && "selectionStart" in held ? [held.selectionStart, held.selectionEnd] : null;
    const before = new Set($$(".line", main).map(({ id }) => id));
    const notices = form ? [] : $$(".notice:not([data-unreached], [data-by-link])", main);
    main.replaceChildren(...notices, ...$("main", page).childNodes);
    document.title = page.title;
    if (!cart()) return end();
    for (const line of $$(".line", main)) if (!before.has(line.id)) line.classList.add("line-new");
    for (const [id, value] of typed) {
      const field = document.getElementById(id);
      if (field) field.value = value;
    }
    if (held) refocus(held.id, selection);
    $("[data-live]").textContent = cart().dataset.says;
  }

  /** The focus stays where it was; where that is gone, it goes to the heading rather than nowhere. */
  function refocus(id, selection) {
    const field = (id && document.getElementById(id)) || $("h1", main);
    field.focus();
    // Fields for numbers select nothing.
    if (selection && selection[0] !== null) field.setSelectionRange?.(...selection);
  }

  /** The link leads nowhere any more, which the page says. */
  function end() {
    leave();
    const heading = $("h1", main);
    heading.tabIndex = -1;
    heading.focus();
  }

  const news = (told) =>
    then(async () => {
      // Another server of the shop may hear of it a moment later.
      for (let attempt = 0; cart() && version() < told && attempt < 5; attempt += 1) {
        if (attempt > 0) await new Promise((resume) => setTimeout(resume, 200));
        swap(await ask());
      }
    });

  const over = () => then(async () => cart() && swap(await ask()));

  // Forms: what is sent by the link goes out in the background. `shop.js`, which sees to one's own cart, never hears of it.

  document.addEventListener(
    "submit",
    (event) => {
      const form = event.target;
      if (!("byLink" in form.dataset)) return;
      event.preventDefault();
      event.stopPropagation();
      $("button", form)?.setAttribute("aria-busy", "true");
      const body = new URLSearchParams(new FormData(form));
      then(async () => swap(await ask({ method: "POST", body }, form.action), form)).then(() =>
        $("button", form)?.removeAttribute("aria-busy"),
      );
    },
    { capture: true },
  );

  main.addEventListener("change", ({ target }) => {
    if (target.name === "quantity" && "byLink" in target.form.dataset) target.form.requestSubmit();
  });

  // The channel says when: the join brings the version that is known, also after a lost connection, then every change.

  if (!window.Phoenix) return;
  const socket = new Phoenix.Socket("/socket"); // the cookie says who is there
  socket.connect();
  const channel = socket.channel(`cart:${cart().dataset.shared}`, { share: location.pathname.split("/").pop() });
  leave = () => socket.disconnect();
  channel.on("cart_updated", (told) => news(told.version));
  channel.on("share_ended", over);
  channel
    .join()
    .receive("ok", (told) => news(told.version))
    .receive("error", ({ reason }) => reason === "unknown_share" && over());
})();
