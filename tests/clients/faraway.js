// A device that joins a cart and stays until it is ended: node faraway.js HOST:PORT TOKEN TOPIC
const { Socket } = require("phoenix");
const WebSocket = require("ws");

const [address, userToken, topic] = process.argv.slice(2);
const socket = new Socket(`ws://${address}/socket`, { params: { userToken }, transport: WebSocket });
socket.connect();
socket
  .channel(topic, {})
  .join()
  .receive("ok", () => console.log("joined"))
  .receive("error", (reply) => console.log(`refused: ${reply.reason}`));
