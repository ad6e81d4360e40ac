// A shopper with and without a network: node offline.js STEP http://HOST:PORT PROFILE (the steps are listed in `main`).
// Each step is a visit of its own: the browser is closed after it and keeps its profile. A step prints what the next one,
// or the test that runs it, wants to know.
const assert = require("node:assert/strict");
const puppeteer = require("puppeteer-core");
const { PATIENCE_MS, badgeIs, until } = require("./until.js");

const [step, shop, profile] = process.argv.slice(2);
const complaints = [];

/** What became of each request, to be told where a step fails. */
const answers = new Map();

/** Opens a tab, and notes what its scripts throw. */
async function tab(browser) {
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => answers.set(request, "no answer yet"));
  page.on("requestfailed", (request) => answers.set(request, request.failure()?.errorText));
  page.on("response", (response) => answers.set(response.request(), response.status()));
  return page;
}

const go = (page, path) => page.goto(shop + path, { waitUntil: "load" });
const badge = (page) => page.$eval("[data-count-number]", (node) => node.textContent.trim());
const words = (page, selector) => page.$$eval(selector, (all) => all.map((node) => node.textContent.trim()));

/** Waits until the cart on the page has these lines, by id and quantity, in this order. */
const linesAre = (page, ...lines) =>
  until(
    page,
    (wanted) => {
      const drawn = [...document.querySelectorAll("main [data-cart] [data-line]")];
      return JSON.stringify(drawn.map((n) => [n.dataset.line, n.querySelector(".quantity").value])) === wanted;
    },
    JSON.stringify(lines.map(([sku, quantity]) => [sku, String(quantity)])),
  );

/** Waits until nothing on the page waits for the shop any more. */
const isInTouch = (page) =>
  until(page, () => !document.querySelector("[data-cut-off]") && !document.querySelector("[data-waits]"));

/** Changes a quantity as a shopper would: what is being edited is not drawn over. */
async function change(page, line, quantity) {
  const selector = `main [data-line="${line}"] .quantity`;
  await page.focus(selector);
  await page.$eval(selector, (input, value) => (input.value = value), String(quantity));
  await page.keyboard.press("Enter");
}

async function add(page, sku, quantity) {
  await go(page, `/products/${sku}`);
  await page.$eval(".product-add .quantity", (input, value) => (input.value = value), String(quantity));
  await page.click(".product-add button");
}

/** Waits until the service worker answers for the page. */
async function isControlled(page) {
  await until(page, async () => (await navigator.serviceWorker.ready).active.state === "activated");
  // A page that was being opened while the worker began belongs to none; the next one does.
  if (!(await page.evaluate(() => navigator.serviceWorker.controller))) await page.reload({ waitUntil: "load" });
  await until(page, () => navigator.serviceWorker.controller !== null);
}

/** Waits until the pages are kept, and the cart with its sealed form. */
async function isKept(page) {
  await isControlled(page);
  await until(page, () => JSON.parse(localStorage.getItem("cartwright") ?? "{}").snapshot);
}

const kept = (page) => page.evaluate(() => JSON.parse(localStorage.getItem("cartwright")));

async function cookie(browser) {
  const all = await browser.cookies();
  const { name, value } = all.find((each) => each.name === "cartwright_session");
  return `${name}=${value}`;
}

/** Fills a cart and looks at some products, with a network. */
async function fill(browser) {
  const page = await tab(browser);
  await add(page, "MUG", 1);
  await badgeIs(page, 1);
  await isKept(page);
  for (const path of ["/products/TEAPOT", "/products/RARE", "/cart"]) await go(page, path);
  await linesAre(page, ["MUG", 1]);
  await isKept(page);
  const { cart } = await kept(page);
  return { cart: cart.id, cookie: await cookie(browser) };
}

/** Shops without a network, in tabs that are closed again. */
async function shopOffline(browser) {
  const page = await tab(browser);
  await go(page, "/cart");
  // Painted from what the browser kept, before anything else could answer.
  await linesAre(page, ["MUG", 1]);
  assert.equal(await badge(page), "1");
  await change(page, "MUG", 3);
  await until(page, () => document.querySelector('[data-line="MUG"] [data-waits]'));
  await badgeIs(page, 3);

  await add(page, "TEAPOT", 2);
  await badgeIs(page, 5);
  await add(page, "RARE", 3);
  await badgeIs(page, 8);
  await page.close();

  const other = await tab(browser);
  await add(other, "TEAPOT", 1);
  await badgeIs(other, 9);
  assert.match((await words(other, "[data-cut-off]"))[0], /4 changes are kept on this device/);
  // A page that nobody has looked at is stood in for.
  await go(other, "/products/LAMP");
  assert.ok(await other.$("[data-stand-in]"));
  await linesAre(other, ["MUG", 3], ["TEAPOT", 3], ["RARE", 3]);
  // What only the shop can do is not tried.
  await other.click('main form[action="/checkout/start"] button');
  await until(other, () => /cannot be reached/.test(document.querySelector("#toasts").textContent));
  assert.equal(new URL(other.url()).pathname, "/products/LAMP");
  if (process.env.PICTURES) await other.screenshot({ path: `${process.env.PICTURES}/offline.png` });
  await other.close();
  return {};
}

const quantities = Array.from({ length: 60 }, (_, n) => 1 + ((n * 7) % 5));
const teapots = quantities.reduce((sum, quantity) => sum + quantity, 0);

/** Queues many commands without a network, one after the other in one go. */
async function queueMany(browser) {
  const page = await tab(browser);
  await go(page, "/products/TEAPOT");
  await page.evaluate((all) => {
    const form = document.querySelector(".product-add");
    for (const quantity of all) {
      form.querySelector(".quantity").value = quantity;
      form.requestSubmit();
    }
  }, quantities);
  await badgeIs(page, 1 + teapots);
  assert.match((await words(page, "[data-cut-off]"))[0], /60 changes are kept on this device/);
  return { quantities };
}

/** Comes back to a busy shop: everything is sent in the end. */
async function sendMany(browser) {
  const page = await tab(browser);
  await go(page, "/cart");
  await until(page, (all) => JSON.parse(localStorage.getItem("cartwright")).cart.totals.items === all, 1 + teapots);
  await linesAre(page, ["MUG", 1], ["TEAPOT", teapots]);
  await isInTouch(page);
  return {};
}

/** Comes back with a network: what waited is sent, and what did not work is told. */
async function comeBack(browser) {
  const page = await tab(browser);
  await go(page, "/cart");
  await until(page, () => /RARE/.test(document.querySelector(".notice[role=alert]")?.textContent ?? ""));
  await isInTouch(page);
  await linesAre(page, ["MUG", 3], ["LAMP", 1], ["TEAPOT", 3]);
  await badgeIs(page, 7);
  const notes = (await words(page, "main .notice li")).join("\n");
  assert.match(notes, /3 × The RARE: There are not that many left/);
  assert.match(notes, /The LAMP was put in/);
  if (process.env.PICTURES) await page.screenshot({ path: `${process.env.PICTURES}/back.png` });
  await go(page, "/cart");
  await linesAre(page, ["MUG", 3], ["LAMP", 1], ["TEAPOT", 3]);
  assert.deepEqual(await words(page, "main .notice"), [], "nothing is told twice");
  return {};
}

/** The cart was bought on another device meanwhile: what was added goes into a new one, what was changed is told. */
async function comeBackAfterPurchase(browser) {
  const page = await tab(browser);
  await go(page, "/cart");
  await linesAre(page, ["TEAPOT", 3], ["RARE", 3]);
  await isInTouch(page);
  const notes = (await words(page, "main .notice li")).join("\n");
  assert.match(notes, /The MUG: the cart became order/);
  await go(page, "/cart");
  await linesAre(page, ["TEAPOT", 3], ["RARE", 3]);
  assert.deepEqual(await words(page, "main .notice"), []);
  return { cart: (await kept(page)).cart.id };
}

/** The first line ever, without a network: the cart is opened when there is one. */
async function look(browser) {
  const page = await tab(browser);
  await go(page, "/products/MUG");
  await isControlled(page);
  await go(page, "/products/MUG");
  return {};
}

async function addFirstOffline(browser) {
  const page = await tab(browser);
  await add(page, "MUG", 2);
  await badgeIs(page, 2);
  await go(page, "/cart");
  await linesAre(page, ["MUG", 2]);
  await page.close();
  return {};
}

/** What is added while the first line waits for its cart goes into that cart, however early the page is used. */
async function addSecondEarly(browser) {
  const page = await tab(browser);
  await go(page, "/products/MUG");
  const client = await page.createCDPSession();
  const lost = [{ urlPattern: "*/sw.js" }, { urlPattern: "*/api/v1/carts*" }];
  client.on("Fetch.requestPaused", ({ requestId }) => client.send("Fetch.failRequest", { requestId, errorReason: "ConnectionReset" }));
  await client.send("Fetch.enable", { patterns: lost });
  await page.click(".product-add button");
  await badgeIs(page, 1);
  // The shop is there again, but has not heard of the cart.
  await client.send("Fetch.enable", { patterns: lost.slice(1) });
  await page.evaluateOnNewDocument(() => {
    document.addEventListener("DOMContentLoaded", () => document.querySelector(".product-add button")?.click(), { once: true });
  });
  await go(page, "/products/TEAPOT");
  await badgeIs(page, 2);
  await client.send("Fetch.disable");
  await go(page, "/cart");
  await isInTouch(page);
  await linesAre(page, ["MUG", 1], ["TEAPOT", 1]);
  return {};
}

async function openLater(browser) {
  const page = await tab(browser);
  await go(page, "/");
  await isInTouch(page);
  await until(page, () => JSON.parse(localStorage.getItem("cartwright") ?? "{}").cart?.totals.items === 2);
  await go(page, "/cart");
  await linesAre(page, ["MUG", 2]);
  return {};
}

/** A command whose answer was lost two days ago: the shop no longer knows its key. */
async function waitTooLong(browser) {
  const page = await tab(browser);
  await add(page, "TEAPOT", 1);
  await badgeIs(page, 2);
  await page.evaluate(
    () =>
      new Promise((resolve) => {
        const request = indexedDB.open("cartwright", 1);
        request.onsuccess = () => {
          const commands = request.result.transaction("commands", "readwrite").objectStore("commands");
          const all = commands.getAll();
          all.onsuccess = () => {
            for (const item of all.result) commands.put({ ...item, tried: Date.now() - 48 * 60 * 60 * 1000 });
            commands.transaction.oncomplete = resolve;
          };
        };
      }),
  );
  return {};
}

async function hearOfIt(browser) {
  const page = await tab(browser);
  await go(page, "/cart");
  await until(page, () => /answer never came/.test(document.querySelector(".notice[role=alert] li")?.textContent ?? ""));
  await isInTouch(page);
  await linesAre(page, ["MUG", 1]);
  return {};
}

/** The network goes and comes back under an open page. */
async function flicker(browser) {
  const page = await tab(browser);
  await add(page, "MUG", 1);
  await badgeIs(page, 1);
  await isKept(page);
  await go(page, "/products/TEAPOT");
  const { cart } = await kept(page);
  const headers = { Cookie: await cookie(browser) };
  const known = async () => (await fetch(`${shop}/api/v1/carts/${cart.id}`, { headers }).then((r) => r.json())).totals.items;

  await page.setOfflineMode(true);
  await until(page, () => document.querySelector("[data-cut-off]"));
  for (const count of [2, 3]) {
    await page.click(".product-add button");
    await badgeIs(page, count);
  }
  assert.equal(await known(), 1);
  await page.setOfflineMode(false);
  await isInTouch(page);
  await badgeIs(page, 3);
  assert.equal(await known(), 3);
  return {};
}

/** An answer that gets lost is asked for again: one effect. */
async function loseAnswer(browser) {
  const page = await tab(browser);
  await add(page, "MUG", 1);
  await badgeIs(page, 1);
  const client = await page.createCDPSession();
  await client.send("Fetch.enable", { patterns: [{ urlPattern: "*/commands?*", requestStage: "Response" }] });
  let lost = 0;
  client.on("Fetch.requestPaused", ({ requestId }) => {
    const isLost = lost < 2;
    if (isLost) lost += 1;
    const errorReason = "ConnectionReset";
    client.send(isLost ? "Fetch.failRequest" : "Fetch.continueRequest", isLost ? { requestId, errorReason } : { requestId });
  });
  await add(page, "TEAPOT", 2);
  await until(page, () => document.querySelector("[data-cut-off]"));
  await isInTouch(page);
  assert.equal(lost, 2);
  await go(page, "/cart");
  await linesAre(page, ["MUG", 1], ["TEAPOT", 2]);
  return {};
}

/** Two tabs queue at the same time: every command has one effect. */
async function twoTabs(browser) {
  const one = await tab(browser);
  await add(one, "MUG", 1);
  await badgeIs(one, 1);
  await go(one, "/products/TEAPOT");
  const two = await tab(browser);
  await go(two, "/products/LAMP");
  await Promise.all(
    [one, two].map((page) =>
      page.evaluate(() => {
        for (let n = 0; n < 10; n += 1) document.querySelector(".product-add").requestSubmit();
      }),
    ),
  );
  for (const page of [one, two]) await badgeIs(page, 21);
  await go(one, "/cart");
  await until(one, () => document.querySelectorAll("main [data-cart] [data-line]").length === 3);
  const quantities = await one.$$eval("main [data-cart] .quantity", (all) => all.map((input) => input.value));
  assert.deepEqual(quantities.sort(), ["1", "10", "10"]);
  return {};
}

/** The shop has lost the cart: it is brought back from the browser, and that is told. */
async function bringBack(browser) {
  const page = await tab(browser);
  await go(page, "/cart");
  await until(page, () => /put back from this device/.test(document.querySelector("main .notice")?.textContent ?? ""));
  await linesAre(page, ["MUG", 1]);
  await badgeIs(page, 1);
  await go(page, "/cart");
  await linesAre(page, ["MUG", 1]);
  assert.deepEqual(await words(page, "main .notice"), []);
  return { cart: (await kept(page)).cart.id };
}

/** Fills a cart where no pages are kept. */
async function fillClient(browser) {
  const page = await tab(browser);
  await add(page, "MUG", 1);
  await badgeIs(page, 1);
  await until(page, () => JSON.parse(localStorage.getItem("cartwright") ?? "{}").snapshot);
  await change(page, "MUG", 2);
  await badgeIs(page, 2);
  await change(page, "MUG", 1);
  await badgeIs(page, 1);
  const { cart, snapshot } = await kept(page);
  assert.ok(snapshot);
  assert.equal(await page.evaluate(() => window.Phoenix && document.querySelector("script[src*=queue]")), null);
  assert.equal(await page.evaluate(() => navigator.serviceWorker.getRegistrations().then((all) => all.length)), 0);
  return { cart: cart.id };
}

/** Another visitor of the same browser finds nothing of the one before. */
async function another(browser) {
  const page = await tab(browser);
  for (const each of await browser.cookies()) await browser.deleteCookie(each);
  await go(page, "/cart");
  await until(page, () => localStorage.getItem("cartwright") === null);
  await until(page, async () => {
    const names = (await caches.keys()).filter((name) => name.startsWith("pages-"));
    const pages = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
    return pages.flat().length === 0;
  });
  // What the other wanted to do is not done for this one.
  await until(
    page,
    () =>
      new Promise((resolve) => {
        const request = indexedDB.open("cartwright", 1);
        request.onsuccess = () => {
          const count = request.result.transaction("commands").objectStore("commands").count();
          count.onsuccess = () => {
            request.result.close();
            resolve(count.result === 0);
          };
        };
      }),
  );
  assert.equal(await page.$("main [data-cart] [data-line]"), null);
  return {};
}

/** The shop keeps nothing in browsers any more: what they kept is given up. */
async function giveUp(browser) {
  const page = await tab(browser);
  await go(page, "/");
  await page.evaluate(async () => {
    for (const each of await navigator.serviceWorker.getRegistrations()) await each.update().catch(() => {});
  });
  await until(page, async () => (await navigator.serviceWorker.getRegistrations()).length === 0 && (await caches.keys()).length === 0);
  await go(page, "/cart");
  assert.deepEqual(await page.$$eval("script", (all) => all.filter((s) => /queue|session/.test(s.src)).length), 0);
  await linesAre(page, ["MUG", 1]);
  return {};
}

/** What a shopper sees of a page, for whoever looks into a failure. */
const seen = () => {
  const main = document.querySelector("main");
  const drawn = [...document.querySelectorAll("main [data-cart] [data-line]")];
  const lines = drawn.map((line) => [line.dataset.line, line.querySelector(".quantity").value]);
  const told = [...document.querySelectorAll("[role=alert], [role=status]")].map((node) => node.textContent.trim());
  return JSON.stringify({ lines, words: main?.innerText.slice(0, 600), told, waits: window.cartSession?.items() });
};

async function main() {
  const steps = {
    fill,
    "shop-offline": shopOffline,
    "queue-many": queueMany,
    "send-many": sendMany,
    "come-back": comeBack,
    look,
    "add-first-offline": addFirstOffline,
    "add-second-early": addSecondEarly,
    "open-later": openLater,
    "come-back-after-purchase": comeBackAfterPurchase,
    "wait-too-long": waitTooLong,
    "hear-of-it": hearOfIt,
    flicker,
    "lose-answer": loseAnswer,
    "two-tabs": twoTabs,
    "bring-back": bringBack,
    "fill-client": fillClient,
    another,
    "give-up": giveUp,
  };
  const args = ["--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"];
  // Chromium's sandbox refuses to run as root.
  if (process.getuid() === 0) args.push("--no-sandbox");
  const executablePath = process.env.CHROMIUM || "/usr/bin/chromium";
  const browser = await puppeteer.launch({ executablePath, args, userDataDir: profile });
  let said;
  try {
    said = await steps[step](browser);
    assert.deepEqual(complaints, [], "the pages complained");
  } catch (error) {
    for (const [request, answer] of answers) {
      if (request.method() === "POST") console.error(request.url(), request.postData(), answer);
    }
    for (const page of await browser.pages()) console.error(page.url(), await page.evaluate(seen).catch(String));
    throw error;
  } finally {
    await browser.close();
  }
  console.log(JSON.stringify(said));
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
