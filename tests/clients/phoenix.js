// The official Phoenix client, unchanged, against a running shop: node phoenix.js HOST:PORT
const assert = require("node:assert/strict");
const { Socket } = require("phoenix");
const WebSocket = require("ws");

const address = process.argv[2];
const patience_ms = 10_000;

/** Fails where the promise is not settled in time. */
function soon(what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing within ${patience_ms} ms`)), patience_ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Opens a socket as the visitor with the token; Node has no WebSocket of its own, so it is handed in. */
function connect(userToken) {
  const socket = new Socket(`ws://${address}/socket`, { params: { userToken }, transport: WebSocket });
  socket.connect();
  return socket;
}

/** Joins the cart and returns the channel and the join's answer. */
async function join(socket, topic) {
  const channel = socket.channel(topic, {});
  const answer = await soon(
    `join ${topic}`,
    new Promise((resolve, reject) => {
      channel
        .join()
        .receive("ok", resolve)
        .receive("error", (reason) => reject(Object.assign(new Error("refused"), reason)));
    }),
  );
  return { channel, answer };
}

function push(channel, item) {
  return soon(
    "update_cart",
    new Promise((resolve, reject) => {
      channel.push("update_cart", { item }).receive("ok", resolve).receive("error", reject);
    }),
  );
}

/** Asks the API as the visitor with the token 123. */
async function ask(method, path, body) {
  const headers = { Authorization: "Bearer 123", "Content-Type": "application/json" };
  const answer = await fetch(`http://${address}/api/v1${path}`, { method, headers, body: JSON.stringify(body) });
  assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
  return answer.json();
}

/** Resolves with the first broadcast whose item fits. */
function update(channel, fits) {
  return soon(
    "cart_updated",
    new Promise((resolve) => channel.on("cart_updated", (payload) => fits(payload.item) && resolve(payload))),
  );
}

async function main() {
  const phone = connect("123");
  const laptop = connect("123");
  const one = await join(phone, "cart:123");
  assert.deepEqual(one.answer.cart.lines, []);
  const two = await join(laptop, "cart:123");

  const seenByTwo = update(two.channel, (item) => item && item.sku === "MUG" && item.quantity === 2);
  const reply = await push(one.channel, { sku: "MUG", quantity: 2 });
  assert.equal(reply.item.sku, "MUG");
  const seen = await seenByTwo;
  assert.equal(seen.cart.lines[0].quantity, 2);
  assert.equal(seen.version, reply.version);

  const seenByOne = update(one.channel, (item) => item && item.sku === "TEAPOT");
  await push(two.channel, { sku: "TEAPOT", quantity: 1 });
  assert.equal((await seenByOne).cart.lines.length, 2);

  await assert.rejects(push(one.channel, { sku: "RARE", quantity: 4 }), (refusal) => {
    assert.equal(refusal.reason, "out_of_stock");
    assert.equal(typeof refusal.detail, "string");
    return true;
  });

  // What comes into the cart from a wish list is seen as what is put there by hand.
  const list = await ask("POST", "/lists", { name: "Birthday" });
  await ask("POST", `/lists/${list.id}/items`, { sku: "LAMP", quantity: 2 });
  const wished = [one, two].map(({ channel }) => update(channel, (item) => item && item.sku === "LAMP"));
  await ask("POST", `/lists/${list.id}/to-cart`, { cart: "123" });
  for (const { item, cart } of await Promise.all(wished)) {
    assert.equal(item.quantity, 2);
    assert.deepEqual(cart.lines.map(({ sku }) => sku), ["MUG", "TEAPOT", "LAMP"]);
  }
  const returned = update(one.channel, (item) => item && item.sku === "LAMP" && item.quantity === 0);
  await ask("POST", `/lists/${list.id}/from-cart`, { cart: "123", line: "LAMP" });
  assert.equal((await returned).cart.lines.length, 2);

  const stranger = connect("another");
  await assert.rejects(join(stranger, "cart:123"), { reason: "not_owner" });

  await soon("leave", new Promise((resolve) => one.channel.leave().receive("ok", resolve)));
  for (const socket of [phone, laptop, stranger]) {
    await soon("disconnect", new Promise((resolve) => socket.disconnect(resolve)));
  }
  console.log("all well");
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
