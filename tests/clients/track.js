// What a site writes to report exposures to a shop, with the official SDKs:
//   node track.js SHOP UNIT  each SDK meets both flags for the unit or one of its own, and GrowthBook's the page's experiment, too;
//                            what they have met is reported twice over
const assert = require("node:assert/strict");
const { GrowthBook } = require("@growthbook/growthbook");
const { OFREPProvider } = require("@openfeature/ofrep-provider");
const { OFREPWebProvider } = require("@openfeature/ofrep-web-provider");
const { OpenFeature: ServerFeature } = require("@openfeature/server-sdk");
const { OpenFeature: WebFeature } = require("@openfeature/web-sdk");

const FLAGS = ["checkout_workflow", "banner"];

/** Gathers what is reported, and sends it as one batch. */
function reporter(shop) {
  const batch = { exposures: [], events: [] };
  // As navigator.sendBeacon(url, text) does: a text is sent as plain text, which asks no other site for leave.
  const send = async () => {
    const answer = await fetch(`${shop}/api/track/sdk-cartwright`, { method: "POST", body: JSON.stringify(batch) });
    assert.equal(answer.status, 200);
    return answer.json();
  };
  return { batch, send };
}

/** GrowthBook: the tracking callback, and the logger of events. */
async function growthbook(apiHost, id, { batch }) {
  const sdk = new GrowthBook({
    apiHost,
    clientKey: "sdk-cartwright",
    attributes: { id, device: "phone" },
    trackingCallback: (experiment, result) =>
      batch.exposures.push({
        experiment: experiment.key,
        variation: result.key,
        unit: result.hashValue,
        forced: !result.hashUsed,
        at: new Date().toISOString(),
        attributes: { device: "phone" },
      }),
    eventLogger: (name, properties) => {
      if (name === "page_timed") batch.events.push({ name, unit: id, value: properties.ms, properties: { page: properties.page }, id: crypto.randomUUID() });
    },
  });
  await sdk.init();
  for (const flag of FLAGS) sdk.getFeatureValue(flag, "default");
  await sdk.logEvent("page_timed", { page: "/cart", ms: 412 });
  sdk.destroy();
}

/** OpenFeature: a hook after each evaluation; the unit is the context's, of pages the one that was set. */
const hook = ({ batch }, unit) => ({
  after: (hookContext, details) => {
    const { experiment } = details.flagMetadata;
    if (experiment) batch.exposures.push({ experiment, variation: details.variant, unit: unit ?? hookContext.context.targetingKey });
  },
});

async function server(shop, targetingKey, reports) {
  await ServerFeature.setProviderAndWait(new OFREPProvider({ baseUrl: shop }));
  const client = ServerFeature.getClient();
  client.addHooks(hook(reports));
  for (const flag of FLAGS) await client.getStringValue(flag, "default", { targetingKey });
}

async function web(shop, targetingKey, reports) {
  await WebFeature.setContext({ targetingKey });
  await WebFeature.setProviderAndWait(new OFREPWebProvider({ baseUrl: shop, cacheMode: "disabled" }));
  const client = WebFeature.getClient();
  client.addHooks(hook(reports, targetingKey));
  for (const flag of FLAGS) client.getStringValue(flag, "default");
}

async function main([shop, unit]) {
  const reports = reporter(shop);
  await growthbook(shop, unit, reports);
  await server(shop, `${unit}-server`, reports);
  await web(shop, `${unit}@example.org`, reports);
  assert.deepEqual([reports.batch.exposures.length, reports.batch.events.length], [7, 1]);
  assert.deepEqual(await reports.send(), { accepted: 8, duplicates: 0, refused: [] });
  assert.deepEqual(await reports.send(), { accepted: 0, duplicates: 8, refused: [] });
  console.log("all well");
  process.exit(0);
}

main(process.argv.slice(2));
