// A receiver of webhooks for the tests: `receiver.js PORT`. Each delivery is verified with the official `standardwebhooks`
// package and printed, a line of JSON. The path says what is answered; POST /control/secrets and /control/mend steer it.
"use strict"

const http = require("node:http")
const { Webhook } = require("standardwebhooks")

const port = Number(process.argv[2])
let secrets = []
let mended = false
const seen = new Map()
const say = line => console.log(JSON.stringify(line))

const verified = (body, headers) =>
  secrets.filter(secret => {
    try {
      new Webhook(secret).verify(body, headers)
      return true
    } catch {
      return false
    }
  }).length

const answers = {
  "/ok": response => response.writeHead(204).end(),
  "/dead": response => response.writeHead(mended ? 200 : 500).end("out of order\n"),
  "/gone": response => response.writeHead(410).end(),
  "/redirect": response => response.writeHead(302, { location: "/ok" }).end(),
  "/slow": () => {},
  "/chatty": response => response.writeHead(mended ? 200 : 503, { "retry-after": "1" }).end("x".repeat(100_000)),
  "/second": (response, id) => {
    seen.set(id, (seen.get(id) ?? 0) + 1)
    response.writeHead(seen.get(id) > 1 ? 200 : 500).end()
  },
}

const server = http.createServer((request, response) => {
  const chunks = []
  request.on("data", chunk => chunks.push(chunk))
  request.on("end", () => {
    const body = Buffer.concat(chunks).toString("utf8")
    if (request.url === "/control/secrets") {
      secrets = JSON.parse(body)
      return response.writeHead(204).end()
    }
    if (request.url === "/control/mend") {
      mended = true
      return response.writeHead(204).end()
    }
    const id = request.headers["webhook-id"]
    say({ event: "delivery", path: request.url, id, verified: verified(body, request.headers), body: JSON.parse(body) })
    answers[request.url](response, id)
  })
})
server.listen(port, "127.0.0.1", () => say({ event: "listening" }))
