// Waiting for a page. Puppeteer's own `waitForFunction` asks inside the page, and where that is left for another just then it
// may go on asking the one that is gone. This asks from outside, each time the page that is there.

/** What a page is given, on a machine that has much else to do. */
const PATIENCE_MS = 30_000;
const PAUSE_MS = 50;
/** An answer that takes so long is asked for again: its page may be gone. */
const ANSWER_MS = 2_000;

const sleep = (ms) => new Promise((go) => setTimeout(go, ms));

/** Waits until `check(...args)` holds in the page; a check that throws does not hold yet. */
async function until(page, check, ...args) {
  const end = Date.now() + page.getDefaultTimeout();
  let last = "it did not hold";
  while (Date.now() < end) {
    const asked = page.evaluate(check, ...args).catch((error) => {
      last = String(error);
      return false;
    });
    if (await Promise.race([asked, sleep(ANSWER_MS)])) return;
    await sleep(PAUSE_MS);
  }
  throw new Error(`waited ${page.getDefaultTimeout()} ms in vain (${last}) for ${check} of ${JSON.stringify(args)}`);
}

const there = (page, selector) => until(page, (wanted) => document.querySelector(wanted) !== null, selector);
const gone = (page, selector) => until(page, (unwanted) => document.querySelector(unwanted) === null, selector);
const badgeIs = (page, count) =>
  until(page, (wanted) => document.querySelector("[data-count-number]")?.textContent.trim() === wanted, String(count));

module.exports = { PATIENCE_MS, until, there, gone, badgeIs };
