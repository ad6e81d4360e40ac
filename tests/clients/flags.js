// The official SDKs of flags, unchanged, at a running shop:
//   node flags.js sdks SHOP UNIT VARIATION  each gives the unit the variation; then waits until its experiment is stopped
//   node flags.js units SHOP FILE           each gives the units of a file the variations that stand beside them
//   node flags.js asked SHOP FILE           prints what the SDK makes of the attributes in the file, a line each
//   node flags.js many SHOP COUNT           prints the variations of so many units, a character each
const assert = require("node:assert/strict");
const fs = require("node:fs");
const { EventSource } = require("eventsource");
const { GrowthBook, GrowthBookClient, setPolyfills } = require("@growthbook/growthbook");
const { OFREPProvider } = require("@openfeature/ofrep-provider");
const { OFREPWebProvider } = require("@openfeature/ofrep-web-provider");
const { OpenFeature: ServerFeature } = require("@openfeature/server-sdk");
const { OpenFeature: WebFeature, ProviderEvents } = require("@openfeature/web-sdk");

const FLAG = "checkout_workflow";
const SEALED = { clientKey: "sdk-sealed", decryptionKey: "BwcHBwcHBwcHBwcHBwcHBw==" };
/** Questions that are under way at once. */
const AT_ONCE = 16;

/** Waits until something is so. */
async function eventually(what, holds) {
  const end = Date.now() + 10_000;
  while (!holds()) {
    assert.ok(Date.now() < end, `${what} does not happen`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function growthbook(apiHost, id, options, init = {}) {
  const exposures = [];
  const trackingCallback = (experiment, result) => exposures.push([experiment.key, result.key]);
  const sdk = new GrowthBook({ apiHost, clientKey: "sdk-cartwright", attributes: { id }, trackingCallback, ...options });
  const { success, source } = await sdk.init(init);
  assert.deepEqual([success, source], [true, "network"]);
  return { sdk, exposures, value: () => sdk.getFeatureValue(FLAG, "default") };
}

async function webProvider(baseUrl, targetingKey) {
  const provider = new OFREPWebProvider({ baseUrl, cacheMode: "disabled" });
  await provider.initialize({ targetingKey });
  const { value } = provider.resolveStringEvaluation(FLAG, "default");
  await provider.onClose();
  return value;
}

async function sdks(shop, unit, variation) {
  setPolyfills({ EventSource });
  const streaming = await growthbook(shop, unit, {}, { streaming: true });
  const remote = await growthbook(shop, unit, { clientKey: "sdk-remote", remoteEval: true }, { streaming: true });
  const sealed = await growthbook(shop, unit, SEALED);
  for (const one of [streaming, remote, sealed]) {
    assert.equal(one.value(), variation);
    assert.deepEqual(one.exposures, [["checkout-express", variation]]);
  }
  assert.equal(remote.sdk.getFeatures()[FLAG].rules.some((rule) => "weights" in rule), false, "the rules stay in the shop");

  await ServerFeature.setProviderAndWait(new OFREPProvider({ baseUrl: shop }));
  const server = ServerFeature.getClient();
  const context = { targetingKey: unit, country: "AT", cart: { lines: 2 } };
  const details = await server.getStringDetails(FLAG, "default", context);
  assert.deepEqual([details.value, details.reason, details.variant], [variation, "SPLIT", variation]);
  assert.equal(details.flagMetadata.experiment, "checkout-express");
  for (const [flag, default_, asked, code] of [
    ["no such/flag é", "default", context, "FLAG_NOT_FOUND"],
    [FLAG, "default", {}, "TARGETING_KEY_MISSING"],
    [FLAG, 7, context, "TYPE_MISMATCH"],
  ]) {
    const failed = await (default_ === 7 ? server.getNumberDetails(flag, 7, asked) : server.getStringDetails(flag, default_, asked));
    assert.deepEqual([failed.value, failed.errorCode], [default_, code]);
  }

  // A page whose browser has no EventSource polls, another listens to the stream that the answer names.
  await WebFeature.setContext({ targetingKey: unit });
  const page = async (name, options) => {
    await WebFeature.setProviderAndWait(name, new OFREPWebProvider({ baseUrl: shop, cacheMode: "disabled", ...options }));
    const client = WebFeature.getClient(name);
    const changed = [];
    client.addHandler(ProviderEvents.ConfigurationChanged, (event) => changed.push(event.flagsChanged));
    return { value: () => client.getStringValue(FLAG, "default"), changed };
  };
  const polling = await page("polling", { pollInterval: 100 });
  globalThis.EventSource = EventSource;
  const listening = await page("listening", {});
  for (const one of [polling, listening]) assert.equal(one.value(), variation);
  // Some polls find nothing new.
  await new Promise((resolve) => setTimeout(resolve, 350));
  assert.deepEqual([polling.changed, listening.changed], [[], []]);

  console.log("ready");
  await eventually("the stream tells", () => streaming.value() === "default");
  await eventually("the remote evaluation is asked again", () => remote.value() === "default");
  await eventually("the page that listens asks again", () => listening.value() === "default");
  await eventually("the poll finds out", () => polling.value() === "default");
  assert.deepEqual([polling.changed, listening.changed], [[[FLAG]], [[FLAG]]]);
  assert.equal(await server.getStringValue(FLAG, "default", context), "default");
  console.log("all well");
  process.exit(0);
}

/** Fetches the payload as the SDK does, and evaluates as it does. */
async function evaluator(shop) {
  const client = new GrowthBookClient({ apiHost: shop, clientKey: "sdk-cartwright" });
  assert.equal((await client.init()).success, true);
  return (id) => client.getFeatureValue(FLAG, "default", { attributes: { id } });
}

async function units(shop, file) {
  const asked = JSON.parse(fs.readFileSync(file));
  const features = await evaluator(shop);
  const server = new OFREPProvider({ baseUrl: shop });
  const doors = {
    features: async (unit) => features(unit),
    eval: async (unit) => (await growthbook(shop, unit, { clientKey: "sdk-remote", remoteEval: true }, { skipCache: true })).value(),
    flag: async (unit) => (await server.resolveStringEvaluation(FLAG, "default", { targetingKey: unit })).value,
    flags: async (unit) => webProvider(shop, unit),
  };
  const work = async () => {
    for (let next = asked.pop(); next; next = asked.pop()) {
      const [unit, variation] = next;
      for (const [door, ask] of Object.entries(doors)) assert.equal(await ask(unit), variation, `${unit} at ${door}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  console.log("all well");
  process.exit(0);
}

async function many(shop, count) {
  const features = await evaluator(shop);
  const marks = { default: "-", classic: "0", express: "1" };
  const given = Array.from({ length: count }, (_, i) => marks[features(`unit-${i}`)]).join("");
  process.stdout.write(given, () => process.exit(0));
}

/** Prints what the official SDK makes of a list of attributes: a line of JSON each, a value for each flag. */
async function asked(shop, file) {
  const { flags, askers } = JSON.parse(fs.readFileSync(file));
  const client = new GrowthBookClient({ apiHost: shop, clientKey: "sdk-cartwright" });
  assert.equal((await client.init()).success, true);
  const value = (attributes) => (flag) => client.getFeatureValue(flag, null, { attributes });
  const lines = askers.map((attributes) => JSON.stringify(flags.map(value(attributes))));
  process.stdout.write(lines.join("\n"), () => process.exit(0));
}

const [mode, shop, ...rest] = process.argv.slice(2);
const modes = { sdks: () => sdks(shop, ...rest), units: () => units(shop, rest[0]), asked: () => asked(shop, rest[0]), many: () => many(shop, Number(rest[0])) };
modes[mode]();
