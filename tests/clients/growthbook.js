// The official GrowthBook SDK, unchanged, in process:
//   node growthbook.js cases SEED COUNT   prints drawn payloads and users with the SDK's answers, one JSON object a line
//   node growthbook.js speed FILE         prints nanoseconds an answer (of the fastest round) and the answers for the payload, users and keys of a file
const fs = require("node:fs");
const { GrowthBook, GrowthBookClient, StickyBucketServiceSync } = require("@growthbook/growthbook");

// The SDK says on the console what it thinks of odd conditions.
console.error = () => {};

let state = 1;

/** Draws a whole number below the limit; the same ones for the same seed. */
function draw(limit) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 4294967296) * limit);
}

const pick = (choices) => choices[draw(choices.length)];
const list = (length, make) => Array.from({ length }, make);
/** Makes an object of those fields that the draw includes: each is [how rarely, name, value]. */
const some = (fields) => Object.fromEntries(fields.filter(([rarity]) => draw(rarity) === 0).map(([, name, make]) => [name, make()]));

const FEATURES = ["f0", "f1", "f2", "f3", "f4", "f5"];
const TEXTS = ["", "a", "A", "1", "10", "9", "true", "null", "v1.2.3", "1.2.3", "1.2.3-beta", "1.10.0", "É", "é", "😀", "\ue000", " 5 ", "0x10", "a,b"];
const OPERATORS = [
  "$eq", "$ne", "$lt", "$lte", "$gt", "$gte", "$in", "$nin", "$ini", "$nini", "$inGroup", "$notInGroup", "$all", "$alli",
  "$elemMatch", "$size", "$regex", "$regexi", "$exists", "$type", "$veq", "$vne", "$vgt", "$vgte", "$vlt", "$vlte", "$not", "$odd",
];
const PATTERNS = ["a", "^1", "b$", "[", "(", "é", "\\d+", "null", "^(?!a)", "A|B", ".*", "(.)\\1", "(?<=a)b", ",", "a{", "[^]"];

function value(depth) {
  const scalar = () => pick([null, true, false, pick([0, 1, 2, -1, 1.5, 10, 1e21, 1e-7]), pick(TEXTS), pick(TEXTS)]);
  if (depth === 0 || draw(3) > 0) return scalar();
  return pick([() => list(draw(4), () => value(depth - 1)), () => some(["b", "a", "0"].map((key) => [2, key, () => value(depth - 1)]))])();
}

function operand(operator, depth) {
  if (draw(10) === 0 && !operator.startsWith("$regex")) return value(1);
  if (/^\$n?ini?$/.test(operator)) return list(draw(4), () => value(0));
  if (/InGroup$/i.test(operator)) return pick(["plain", "list", "condition", "nested", "missing"]);
  if (operator.startsWith("$all")) return list(draw(3), () => (draw(3) ? value(0) : operators(depth - 1)));
  if (operator === "$elemMatch") return draw(2) ? operators(depth - 1) : condition(depth - 1);
  if (operator === "$size") return draw(2) ? draw(4) : operators(depth - 1);
  if (operator.startsWith("$regex")) return pick(PATTERNS);
  if (operator === "$type") return pick(["string", "number", "boolean", "array", "object", "null"]);
  if (operator === "$not") return draw(3) ? operators(depth - 1) : value(1);
  return value(0);
}

function operators(depth) {
  if (depth < 0) return value(0);
  return Object.fromEntries(list(1 + draw(2), () => pick(OPERATORS)).map((operator) => [operator, operand(operator, depth)]));
}

function condition(depth) {
  const entry = () => {
    const kind = draw(12);
    if (kind < 3 && depth > 0) return [["$or", "$and", "$nor"][kind], list(draw(3), () => condition(depth - 1))];
    if (kind === 3 && depth > 0) return ["$not", condition(depth - 1)];
    if (kind === 4) return ["$savedGroup", { id: pick(["plain", "list", "condition", "nested"]), ...some([[4, "attributeKey", () => pick(["a", "b"])]]) }];
    return [pick(["a", "b", "a.b", "a.0", "b.length", "country", "missing"]), draw(3) ? operators(depth - 1) : value(1)];
  };
  return Object.fromEntries(list(1 + draw(3), entry));
}

const targeting = () => (draw(3) ? { country: pick(["AT", { $in: ["AT", "DE"] }, { $ne: "AT" }]) } : condition(2));
const range = () => [draw(11) / 10, draw(11) / 10].sort();
const filter = () => ({ seed: pick(["s", "t"]), ranges: list(1 + draw(2), range), ...some([[2, "hashVersion", () => pick([1, 2])], [2, "attribute", () => "device"]]) });
const parent = () => ({ id: pick([...FEATURES, "missing"]), condition: pick([{ value: true }, { value: { $exists: true } }, { value: "a" }, { value: null }]), ...some([[2, "gate", () => true]]) });

function rule() {
  const count = pick([2, 2, 3]);
  const shared = some([
    [3, "id", () => `r${draw(9)}`], [4, "parentConditions", () => list(1 + draw(2), parent)], [2, "key", () => pick(["e1", "e2", "e3"])],
    [3, "coverage", () => pick([0, 0.1, 0.5, 0.9, 1, 1.5, null])], [3, "hashAttribute", () => pick(["device", "missing", ""])], [3, "fallbackAttribute", () => "device"],
    [2, "hashVersion", () => pick([1, 2, 2, 99])], [3, "seed", () => pick(["s1", "séed"])], [5, "filters", () => list(draw(3), filter)], [3, "condition", targeting],
    [5, "disableStickyBucketing", () => true],
  ]);
  if (draw(2)) return { ...shared, ...some([[5, "range", range]]), force: value(1) };
  const experiment = some([
    [3, "weights", () => pick([[0.5, 0.5], [0.1, 0.9], [0.3, 0.3, 0.4], [0.2, 0.2]])], [4, "ranges", () => list(count, range)], [5, "namespace", () => ["n", ...range()]],
    [2, "meta", () => list(count, (_, i) => ({ key: `k${i}`, ...some([[2, "name", () => `N${i}`], [6, "passthrough", () => true]]) }))],
    [4, "bucketVersion", () => draw(3)], [5, "minBucketVersion", () => draw(3)],
  ]);
  const variations = list(count, () => value(1));
  if (draw(5) === 0) return { ...shared, ...experiment, contextualVariations: variations, contextualBanditRef: pick(["bandit", "missing"]) };
  return { ...shared, ...experiment, variations };
}

function payload() {
  const feature = () => ({ ...some([[1, "defaultValue", () => value(1)]]), rules: list(draw(4), rule) });
  return {
    features: some(FEATURES.map((key) => [1, key, feature]).slice(draw(2))),
    savedGroups: {
      plain: list(draw(4), () => value(0)), list: { type: "list", attributeKey: "a", values: list(draw(4), () => value(0)) },
      condition: { type: "condition", condition: condition(1) }, nested: { type: "condition", condition: { $savedGroup: { id: pick(["condition", "nested"]) } } },
    },
    contextualBandits: { bandit: { banditVersion: 3, contexts: [{ leafId: 1, condition: { country: "AT" }, weights: [0.9, 0.1] }, { leafId: 2, condition: targeting(), weights: [0.2, 0.8] }] } },
  };
}

function user() {
  const units = ["u1", "u2", "é", "日本", 7, 0, "", true, null, ["x"]];
  const attributes = some([[1, "id", () => pick(units)], [2, "device", () => pick(units)], [1, "country", () => pick(["AT", "DE", "US"])], [2, "a", () => value(2)], [2, "b", () => value(2)]]);
  const documents = {};
  for (const name of ["id", "device"].filter((name) => attributes[name] && draw(2))) {
    const text = typeof attributes[name] === "string" ? attributes[name] : JSON.stringify(attributes[name]);
    const assignments = Object.fromEntries(list(draw(4), () => [`${pick(["e1", "e2", ...FEATURES])}__${draw(3)}`, pick(["k0", "k1", "0"])]));
    documents[`${name}||${text}`] = { attributeName: name, attributeValue: text, assignments };
  }
  return {
    attributes, documents: draw(2) ? documents : null, url: pick(["", "", "https://shop.example/?e1=1", "/?e2=0#a"]),
    forcedVariations: draw(5) ? {} : { [pick(["e1", "f2"])]: pick([0, 1, -1, 9]) }, forcedFeatures: draw(6) ? [] : [[pick(FEATURES), value(1)]],
    isTested: draw(10) === 0, isEnabled: draw(12) > 0,
  };
}

class Memory extends StickyBucketServiceSync {
  saved = {};
  getAssignmentsSync() {
    return null;
  }
  saveAssignmentsSync(document) {
    this.saved[`${document.attributeName}||${document.attributeValue}`] = structuredClone(document);
  }
}

/** Asks the SDK for every feature; what it throws on has no answer. */
function answers(payload, user) {
  const exposures = [];
  const memory = user.documents && new Memory();
  const sticky = memory ? { stickyBucketService: memory, stickyBucketAssignmentDocs: structuredClone(user.documents) } : {};
  const sdk = new GrowthBook({
    attributes: user.attributes, url: user.url, forcedVariations: user.forcedVariations, qaMode: user.isTested, enabled: user.isEnabled, ...sticky,
    trackingCallback: (experiment, result) => exposures.push({ experiment, result }),
  });
  sdk.initSync({ payload });
  // The service was handed what the user has already.
  if (memory) memory.saved = {};
  sdk.setForcedFeatures(new Map(user.forcedFeatures));
  const given = Object.fromEntries([...FEATURES, "missing"].map((key) => [key, sdk.evalFeature(key)]));
  return { ...user, answers: given, exposures, saved: memory ? memory.saved : {} };
}

async function cases(seed, count) {
  state = seed;
  for (let i = 0; i < count; i++) {
    const drawn = payload();
    const users = [];
    for (let j = 0; j < 6; j++) {
      const one = user();
      try {
        const answered = answers(drawn, one);
        await null;
        users.push(structuredClone(answered));
      } catch {
        // What the SDK throws on has no answer to agree with.
      }
    }
    console.log(JSON.stringify({ payload: drawn, users }));
  }
}

function speed(file) {
  const { payload, users, keys } = JSON.parse(fs.readFileSync(file));
  const client = new GrowthBookClient().initSync({ payload });
  const contexts = users.map((attributes) => ({ attributes }));
  const measured = keys.map((key) => {
    let ns = Infinity;
    for (let round = 0; round < 101; round++) {
      const began = process.hrtime.bigint();
      for (let i = 0; i < 5_000; i++) client.evalFeature(key, contexts[i % contexts.length]);
      ns = Math.min(ns, Number(process.hrtime.bigint() - began) / 5_000);
    }
    return [key, { ns, values: contexts.map((context) => client.evalFeature(key, context).value) }];
  });
  console.log(JSON.stringify(Object.fromEntries(measured)));
}

const [mode, ...rest] = process.argv.slice(2);
if (mode === "cases") cases(Number(rest[0]), Number(rest[1]));
else speed(rest[0]);
