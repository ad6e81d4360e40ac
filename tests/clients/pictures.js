// Pictures of a purchase in each workflow: node pictures.js http://HOST:PORT FOLDER
// The shop is the one that `cartwright demo` opens, whose experiment `checkout-express` has the variations classic, express
// and, where it is to be looked at, guest-first, in this order. Each workflow is walked on a desk and on a phone, light and dark.
const assert = require("node:assert/strict");
const { mkdirSync } = require("node:fs");
const puppeteer = require("puppeteer-core");
const { PATIENCE_MS, badgeIs, until } = require("./until.js");

const [shop, folder] = process.argv.slice(2);
const WORKFLOWS = (process.env.WORKFLOWS || "classic,express").split(",");
const EXPERIMENT = "checkout-express";
/** Where the checkout of each workflow begins: what was not assigned as asked for must not be pictured under its name. */
const FIRST_PAGES = { classic: "/checkout/address", express: "/checkout", "guest-first": "/checkout/contact" };
/** The pages that a checkout may have before it is plain that it does not end. */
const STEPS_MAX = 8;
const LOOKS = [
  { name: "desk-light", width: 1200, height: 900, scheme: "light" },
  { name: "desk-dark", width: 1200, height: 900, scheme: "dark" },
  { name: "phone-light", width: 390, height: 844, scheme: "light" },
  { name: "phone-dark", width: 390, height: 844, scheme: "dark" },
];
const address = {
  email: "ada@example.org",
  name: "Ada Byron",
  street: "12 St James's Square",
  city: "London",
  postcode: "SW1Y 4JH",
};

const complaints = [];
const path = (page) => new URL(page.url()).pathname;

/** Opens a browser profile of its own that looks as it is told to. */
async function openPage(browser, { width, height, scheme }) {
  const page = await (await browser.createBrowserContext()).newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.setViewport({ width, height });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  return page;
}

/** Returns what takes the pictures of one walk, numbered in their order. */
function camera(page, prefix) {
  let number = 0;
  return async (name) => {
    number += 1;
    // What is wider than its window has to be scrolled sideways, which nobody likes on a phone.
    const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    if (over > 0) complaints.push(`${prefix} ${name}: ${over} pixels too wide`);
    const file = `${prefix}-${String(number).padStart(2, "0")}-${name}.png`;
    await page.screenshot({ path: `${folder}/${file}`, fullPage: true });
  };
}

async function open(page, to) {
  const answer = await page.goto(shop + to, { waitUntil: "load" });
  assert.ok(answer === null || answer.status() === 200, `${to} answered ${answer?.status()}`);
}

async function follow(page, selector) {
  await Promise.all([page.waitForNavigation(), page.$eval(selector, (button) => button.click())]);
}

async function fillIn(page) {
  for (const [name, value] of Object.entries(address)) {
    const field = await page.$(`input[name=${name}]:not([type=hidden])`);
    if (field && !(await field.evaluate((input) => input.value))) await field.type(value);
  }
  if (await page.$("select[name=country]")) await page.select("select[name=country]", "GB");
  for (const choice of ["input[name=method][value=standard]", "input[type=radio][name=payment_token][value=tok_success]"]) {
    if (await page.$(choice)) await page.$eval(choice, (input) => input.click());
  }
}

/** Adds a product on its page, and waits until the count of the cart says so. */
async function add(page, sku, query, count) {
  await open(page, `/products/${sku}${query}`);
  await page.$eval(".product-add button", (button) => button.click());
  await badgeIs(page, count);
}

/** Walks from a product to the receipt, whatever steps the workflow has. */
async function purchase(page, take, query, workflow) {
  await open(page, `/products/MUG-POPPY${query}`);
  await take("product");
  await add(page, "MUG-POPPY", query, 1);
  await add(page, "MUG-COBALT", query, 2);
  await take("added");
  await open(page, "/cart");
  await until(page, () => document.querySelectorAll("main [data-cart] [data-line]").length === 2);
  await take("cart");

  await page.setOfflineMode(true);
  await page.$eval("main [data-line] .quantity", (input) => {
    input.value = "2";
    input.form.requestSubmit();
  });
  await until(page, () => document.querySelector("[data-waits]"));
  await take("offline");
  await page.setOfflineMode(false);
  await until(page, () => !document.querySelector("[data-cut-off]") && !document.querySelector("[data-waits]"));
  await take("back");

  await follow(page, 'main form[action="/checkout/start"] button');
  assert.equal(path(page), FIRST_PAGES[workflow], `the checkout is not ${workflow}`);
  for (let steps = 0; path(page).startsWith("/checkout"); steps += 1) {
    assert.ok(steps < STEPS_MAX, `the checkout does not end: ${page.url()}`);
    const name = path(page).split("/")[2] || "checkout";
    if (steps === 0) {
      await page.$eval(".checkout-form form", (form) => form.setAttribute("novalidate", ""));
      await follow(page, ".checkout-go button");
      await take(`${name}-refused`);
    }
    await fillIn(page);
    await take(name);
    await follow(page, ".checkout-go button");
  }
  assert.match(path(page), /^\/orders\//);
  await take("receipt");
}

async function main() {
  assert.ok(shop && folder, "say the address of the shop and the folder of the pictures");
  mkdirSync(folder, { recursive: true });
  const args = ["--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"];
  // Chromium's sandbox refuses to run as root.
  if (process.getuid() === 0) args.push("--no-sandbox");
  const browser = await puppeteer.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args });
  try {
    for (const [variation, workflow] of WORKFLOWS.entries()) {
      for (const look of LOOKS) {
        const page = await openPage(browser, look);
        try {
          await purchase(page, camera(page, `${workflow}-${look.name}`), `?${EXPERIMENT}=${variation}`, workflow);
        } catch (error) {
          throw new Error(`${workflow} on ${look.name} at ${page.url()}: ${error.stack}`);
        }
        await page.browserContext().close();
      }
    }
    assert.deepEqual(complaints, [], "the pages complained");
  } finally {
    await browser.close();
  }
  console.log(`the pictures are in ${folder}`);
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
